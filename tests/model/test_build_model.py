"""The public PyMC model: its density is that of the fit, for every law."""

import doctest
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.errors import DataError, LawError
from bayes_scaling.inference import fitting
from bayes_scaling.inference.start import starting_point
from bayes_scaling.laws import Law, Parameter, Prior, available
from bayes_scaling.model import (
    Population,
    ReferenceFrame,
    Spec,
    arrays,
    hierarchy,
    population,
    simulate,
    specify,
)
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.nodes import PRIOR_MEDIAN, nodes, prior_medians
from bayes_scaling.runs import load_runs
from bayes_scaling.runs.input_columns import Input
from tests.conftest import TRUTH, grid

SHIPPED = population("chinchilla-gamma")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two families of seven runs each, of other sizes and losses, with every input of a law."""
    made = simulate("chinchilla", grid().groupby("family").head(7), TRUTH, noise=0.02, seed=2)
    other = made["family"] == "code"
    return made.assign(
        params=made["params"].where(~other, made["params"] * 20),
        flops=made["flops"].where(~other, made["flops"] * 20),
        loss=made["loss"].where(~other, made["loss"] / 2),
        unique_tokens=made["tokens"] / 2,
        loss_se=0.01,
    )


def _jacobian(spec: Spec, frame: ReferenceFrame, theta: np.ndarray, scale: np.ndarray) -> float:
    """Log determinant of the map to log parameters from where a sampler moves."""
    law = spec.law
    total = len(spec.families) * sum(
        np.log(scale[i]) for i, p in enumerate(spec.parameters) if p.noncentred
    )
    if law.coordinates is None:
        return total
    for i, logs in enumerate(theta):
        values = dict(zip(law.names, np.exp(logs), strict=False))
        shift = {name: by_family[i] for name, by_family in frame.standard.shift.items()}
        moved = values if law.fixed_reference else law.move(values, shift)
        at = law.coordinates.forward({name: np.log(value) for name, value in moved.items()})
        total += law.coordinates.log_jacobian(at)
    return float(total)


LAWS = [(name, False) for name in available()]
LAWS += [
    (name, True)
    for name, law in available().items()
    if not (law.fixed_reference or law.unit_dependent)
]


@pytest.mark.parametrize(("name", "learned"), sorted(LAWS))
def test_the_density_is_that_of_the_fit(name: str, learned: bool, table: pd.DataFrame) -> None:
    assert SHIPPED is not None
    prior: Any = Population(name, {}, SHIPPED.discrepancy, ("mine",)) if learned else "weak"
    # Under weak priors one parameter is of each family by itself, too.
    pooling = "partial" if learned else {available()[name].names[0]: "none"}
    model = bs.build_model(table, name, prior=prior, pooling=pooling)
    rows = load_runs(table).fit_rows()
    spec, frame = specify(rows, name, prior=prior, pooling=pooling)
    assert frame.own == learned
    design = arrays(spec, frame, rows)
    coordinates = FamilyCoordinates.of(spec, frame, design)
    names = [*spec.law.names, "sigma", "sigma_population", "sigma_spread", "nu"]
    outputs = model.replace_rvs_by_values([model[n] for n in names])
    density = model.compile_fn([model.logp(), *outputs], mode="FAST_COMPILE")
    start, rng = starting_point(spec, frame, design), np.random.default_rng(1)
    for _ in range(2):
        point = {n: v * np.exp(0.05 * rng.normal(size=np.shape(v))) for n, v in start.items()}
        values = {PRIOR_MEDIAN: prior_medians(spec, frame), **point}
        (theta,) = (node for node in nodes(spec) if node.by_family)
        location, scale = theta.moments(values)
        moved = point | {"tau": np.log(point["tau"])}
        jacobian = moved["tau"].sum()
        if coordinates:
            moved["theta"] = coordinates.forward(point["theta"], location, scale)
            jacobian += _jacobian(spec, frame, point["theta"], scale)
        found = density({model.rvs_to_values[model[n]].name: v for n, v in moved.items()})

        draws = xr.Dataset(
            {n.name: (("chain", "draw", *n.dims), point[n.name][None, None]) for n in nodes(spec)},
            coords={"chain": [0], "draw": [0]}
            | {n.dims[-1]: list(n.labels) for n in nodes(spec) if n.dims},
        )
        named = hierarchy.named(spec, frame, draws)
        parts = hierarchy.log_prior(spec, frame, draws).map(np.sum)
        parts["log_loss"] = hierarchy.log_likelihood(spec, design, named).sum()
        terms = np.array([float(value) for value in parts.values()] + [jacobian])
        # Nine digits of the terms, which may cancel.
        assert_allclose(found[0], terms.sum(), rtol=0, atol=1e-9 * np.abs(terms).sum())
        for label, value in zip(names, found[1:], strict=True):
            assert_allclose(value, named[label].isel(chain=0, draw=0), rtol=1e-9)


def test_the_reference_point_is_stated(table: pd.DataFrame) -> None:
    model = bs.build_model(table, "chinchilla", noise="normal", prior="weak")
    _, frame = specify(table)
    for name in ("params", "tokens"):
        stated = model[f"reference_{name}"].get_value()
        assert_allclose(stated, np.exp(frame.reference[name]))
    assert model.coords["family"] == ("web", "code")
    assert [v.name for v in model.free_RVs] == ["mu", "tau", "theta"]
    assert [v.name for v in model.observed_RVs] == ["log_loss"]


@pytest.mark.parametrize("name", ["mu", "family", "x_tokens", "log_loss"])
def test_a_parameter_of_the_name_of_a_variable_is_refused(name: str, table: pd.DataFrame) -> None:
    prior = Prior(1.0, 0.5, 0.2)
    law = Law(
        name="clash",
        formula=f"{name} * D^-0.1",
        inputs=("tokens",),
        parameters=(Parameter(name, prior, "loss", "level", "a guess", of_loss=True),),
        reference="none",
        log_curve=lambda x, p: np.log(p[name]) - 0.1 * x["tokens"],
        slopes=lambda p: {name: {"tokens": 0.1 + 0.0 * p[name]}},
    )
    with pytest.raises(LawError, match=f"'{name}' of law 'clash'"):
        bs.build_model(table, law)


def test_named_parameters_can_be_given_a_density_of_their_own(table: pd.DataFrame) -> None:
    # As docs/pymc-model.md does.
    with bs.build_model(table, "chinchilla", prior="weak") as model:
        total = model["alpha_N"] + model["alpha_D"]
        extra = pm.Potential("total", pm.logp(pm.Normal.dist(0.66, 0.05), total))
    outputs = [*model.replace_rvs_by_values([total, extra]), model.logp()]
    found, density, _ = model.compile_fn(outputs, mode="FAST_COMPILE")(model.initial_point())
    assert found.shape == (2,)
    assert_allclose(density, stats.norm.logpdf(found, 0.66, 0.05), rtol=1e-12)
    assert extra in model.potentials


def test_an_input_of_a_laws_own_is_read(table: pd.DataFrame) -> None:
    law = Law(
        name="vocab",
        formula="A * V^-0.1",
        inputs=(Input("vocab", "1", "entries"),),
        parameters=(Parameter("A", Prior(1.0, 0.5, 0.2), "loss", "level", "a guess"),),
        reference="none",
        log_curve=lambda x, p: np.log(p["A"]) - 0.1 * x["vocab"],
        fixed_reference=True,
    )
    sizes = np.geomspace(1e3, 1e5, len(table))
    model = bs.build_model(table.assign(vocab=sizes), law)
    middle = np.log(sizes).reshape(2, -1).mean(axis=1).mean()
    assert_allclose(model["x_vocab"].get_value(), np.log(sizes) - middle)


def test_what_a_fit_refuses_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="2 runs"):
        bs.build_model(table.head(2))
    with pytest.raises(LawError, match="'none'"):
        bs.build_model(table, "none")
    with pytest.raises(LawError, match="'cauchy'"):
        bs.build_model(table, noise="cauchy")  # type: ignore[arg-type]


def test_the_example_is_true() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(fitting.build_model, "build_model", globs={})
    assert len(test.examples) == 4
    assert doctest.DocTestRunner().run(test).failed == 0
