"""The density that is sampled is that of the PyMC model, to nine digits, for every law."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.core import traced
from bayes_scaling.density import kernel_cache
from bayes_scaling.density.compiled_density import Density, compile_density
from bayes_scaling.density.expression_graph import Graph
from bayes_scaling.density.kernel_source import kernel_source
from bayes_scaling.density.traced_model import model_data, trace_model
from bayes_scaling.errors import NotTraceableError
from bayes_scaling.inference.compiled import compile_model
from bayes_scaling.inference.start import constrained, starting_point, unconstrained
from bayes_scaling.laws import Law, ops
from bayes_scaling.model import arrays, hierarchy, simulate, specify
from bayes_scaling.model.build import build
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from tests.conftest import TRUTH, grid

SPREAD = (0.0, 0.1, 0.4)


def table(seed: int = 0) -> Any:
    """Two families of a few runs, some with known standard errors, in mixed order."""
    found = simulate("chinchilla", grid(), TRUTH, seed=seed).sample(16, random_state=seed)
    rng = np.random.default_rng(seed)
    flops = 6 * found["params"] * found["tokens"]
    return found.assign(
        role="fit",
        flops=flops,
        unique_tokens=found["tokens"] / rng.choice([1.0, 4.0], 16),
        step=found["tokens"] / found["batch_tokens"],
        params_nonemb=found["params"] * 0.8,
        loss_se=np.where(rng.random(16) < 0.5, 0.01, 0.0),
    )


def interpreted(source: str) -> Any:
    """The functions of a source, run by Python: compiling each of them would take seconds."""
    stub = "def njit(*_, **__): return lambda function: function\ncfunc = njit\n"
    names: dict[str, Any] = {}
    exec(source.replace("from numba import carray, cfunc, njit", stub), names)  # noqa: S102
    return names


def case(law: str | Law, **options: Any) -> tuple[Any, ...]:
    rows = table()
    spec, frame = specify(rows, law, **options)
    design = arrays(spec, frame, rows)
    coordinates = FamilyCoordinates.of(spec, frame, design)
    return spec, frame, design, coordinates


def of_pymc(spec: Any, frame: Any, design: Any, coordinates: Any) -> Any:
    """Value and gradient of the PyMC model at a position of the sampler."""
    model = build(spec, frame, design, coordinates)
    density = model.logp()
    outputs = [density, *pytensor.gradient.grad(density, model.value_vars)]
    called = model.compile_fn(outputs, inputs=model.value_vars, point_fn=False, mode="FAST_COMPILE")
    shapes = [model.initial_point()[v.name].shape for v in model.value_vars]

    def at(position: Any) -> tuple[float, Any]:
        parts = np.split(position, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        value, *slopes = called(*(p.reshape(s) for p, s in zip(parts, shapes, strict=True)))
        return float(value), np.concatenate([np.ravel(slope) for slope in slopes])

    return at


OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in sorted(laws.available())),
    ("chinchilla-gamma", {"prior": "population", "pooling": "none"}),
    ("chinchilla-gamma", {"prior": "population", "noise": "normal"}),
    ("chinchilla", {"pooling": "shared"}),
    ("chinchilla", {"pooling": {"floor": "shared", "sigma": "none"}, "noise": "normal"}),
]


@pytest.mark.parametrize(("law", "options"), OPTIONS)
def test_the_density_is_that_of_the_pymc_model(law: str, options: dict[str, Any]) -> None:
    spec, frame, design, coordinates = case(law, **options)
    functions = interpreted(kernel_source(trace_model(spec, coordinates)))
    data = model_data(spec, frame, design, coordinates).packed
    start = unconstrained(spec, frame, coordinates, starting_point(spec, frame, design))
    defined = of_pymc(spec, frame, design, coordinates)
    rng = np.random.default_rng(1)
    for spread in SPREAD:
        position = start + spread * rng.normal(size=start.shape)
        gradient = np.full(start.shape, np.nan)
        value = functions["log_density"](position, gradient, data)
        wanted, slopes = defined(position)
        assert_allclose(value, wanted, rtol=1e-9, atol=1e-7)
        assert_allclose(gradient, slopes, rtol=1e-9, atol=1e-9 * np.abs(slopes).max())


@pytest.fixture(scope="module")
def compiled() -> tuple[tuple[Any, ...], Density]:
    made = case("chinchilla")
    return made, compile_density(*made)


def test_machine_code_gives_what_python_does(compiled: Any) -> None:
    (spec, frame, design, coordinates), density = compiled
    functions = interpreted(kernel_source(trace_model(spec, coordinates)))
    position = unconstrained(spec, frame, coordinates, starting_point(spec, frame, design))
    gradient = np.empty(density.size)
    value = functions["log_density"](position, gradient, density.data)
    found, slopes = density(position)
    assert_allclose(found, value, rtol=1e-13)
    assert_allclose(slopes, gradient, rtol=1e-10, atol=1e-10)


def test_one_compilation_serves_tables_and_priors_of_every_kind(compiled: Any) -> None:
    _, density = compiled
    rows = table(seed=3)
    rows["family"] = np.resize(["a", "b", "c"], len(rows))
    changed = {"floor": laws.Prior(median=1.0, sd=0.3, spread=0.1)}
    spec, frame = specify(rows.iloc[:13], "chinchilla", priors=changed)
    design = arrays(spec, frame, rows.iloc[:13])
    other = compile_density(spec, frame, design, FamilyCoordinates.of(spec, frame, design))
    assert other.module is density.module
    assert other.size == 2 * 6 + 3 * 6 + 1


def test_the_order_of_the_runs_does_not_matter(compiled: Any) -> None:
    (spec, frame, design, coordinates), density = compiled
    order = np.random.default_rng(0).permutation(len(design.log_loss))
    mixed = replace(
        design,
        inputs={name: value[order] for name, value in design.inputs.items()},
        family=design.family[order],
        log_loss=design.log_loss[order],
        relative_se=design.relative_se[order],
        run=tuple(design.run[i] for i in order),
    )
    position = np.random.default_rng(0).normal(0.0, 0.1, density.size)
    other = compile_density(spec, frame, mixed, coordinates)
    assert_allclose(other(position)[0], density(position)[0], rtol=1e-12)


def test_positions_and_free_variables_are_one_to_one(compiled: Any) -> None:
    (spec, frame, design, coordinates), _ = compiled
    point = starting_point(spec, frame, design)
    position = unconstrained(spec, frame, coordinates, point)
    back = constrained(spec, frame, coordinates, position[None, None])
    for name, value in point.items():
        assert_allclose(back[name].values[0, 0], value, rtol=1e-10)
    assert list(back["theta"].dims) == ["chain", "draw", "family", "parameter"]
    values = hierarchy.log_prior(spec, frame, back)
    assert all(np.isfinite(value).all() for value in values.values())


def _branching(x: Any, p: Any) -> Any:
    return ops.log(p["floor"]) if p["floor"] > 1.0 else 0.0 * x["params"]


@pytest.mark.parametrize(
    "curve",
    [
        _branching,
        lambda x, p: np.sin(p["A"]) * x["params"],
        lambda x, p: np.cumsum(p["A"]) * x["params"],
    ],
)
def test_what_cannot_be_traced_is_left_to_pymc(curve: Any) -> None:
    law = replace(laws.get("chinchilla"), name="own", log_curve=curve)
    spec, _, _, coordinates = case("chinchilla")
    spec = replace(spec, law=law)
    with pytest.raises(NotTraceableError):
        trace_model(spec, coordinates)


@pytest.mark.parametrize(
    ("name", "operands"), [("divide", (1.0, 0.0)), ("log", (-1.0,)), ("power", (-1.0, 0.3))]
)
def test_what_is_no_number_is_not_computed_beforehand(
    name: str, operands: tuple[float, ...]
) -> None:
    graph = Graph()
    number = graph.add(name, *map(graph.constant, operands))
    assert graph.operations[number][0] == name


def test_a_law_that_cannot_be_traced_is_sampled_all_the_same() -> None:
    def curve(x: Any, p: Any) -> Any:
        if isinstance(p["A"], traced.Traced):
            raise NotTraceableError("no")
        return laws.get("chinchilla").log_curve(x, p)

    law = replace(laws.get("chinchilla"), name="own", log_curve=curve)
    spec, frame, design, _ = case(law)
    assert compile_model(spec, frame, design).density is None


def test_a_file_of_other_content_is_never_run(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: tmp_path / "new")
    kernel_cache.compiled_module.cache_clear()
    try:
        first = kernel_cache.compiled_module("number = 1\n")
        (path,) = (tmp_path / "new").glob("*.py")
        path.write_text("number = 2\n")
        kernel_cache.compiled_module.cache_clear()
        assert first.number == kernel_cache.compiled_module("number = 1\n").number == 1
        blocked = tmp_path / "file"
        blocked.touch()
        monkeypatch.setattr(kernel_cache, "cache_folder", lambda: blocked)
        kernel_cache.compiled_module.cache_clear()
        assert kernel_cache.compiled_module("number = 3\n").number == 3
    finally:
        kernel_cache.compiled_module.cache_clear()
        for name in [n for n in sys.modules if n.startswith("density_")]:
            del sys.modules[name]


@pytest.mark.parametrize("size", [0, 100])
def test_damaged_machine_code_is_compiled_again(
    size: int, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    source = (
        "from numba import njit\n\n\n"
        '@njit("float64(float64)", cache=True)\ndef twice(x):\n    return 2.0 * x\n'
    )
    try:
        kernel_cache.compiled_module.cache_clear()
        assert kernel_cache.compiled_module(source).twice(2.0) == 4.0
        kept = list(tmp_path.rglob("*.nb[ic]"))
        assert len(kept) == 2
        for path in kept:
            path.write_bytes(path.read_bytes()[:size])
        kernel_cache.compiled_module.cache_clear()
        assert kernel_cache.compiled_module(source).twice(3.0) == 6.0
    finally:
        kernel_cache.compiled_module.cache_clear()
