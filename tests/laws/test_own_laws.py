"""Laws made in a notebook: what is refused before sampling, and what works after registering."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.errors import FileError, LawError
from bayes_scaling.forecast import backtesting
from bayes_scaling.forecast.backtesting import backtest
from bayes_scaling.forecast.comparison import compare
from bayes_scaling.inference import Fit, Procedure, fit, load_fit
from bayes_scaling.laws import Law, Parameter, Prior, common, ops, registry
from bayes_scaling.laws.checking import INPUTS, check_law, difference, signature
from bayes_scaling.model.spec_json import read_spec, write_spec
from bayes_scaling.runs.configs import OPTIONAL
from tests.conftest import grid, handmade

TRUTH = {"floor": 1.8, "B": 1800.0, "alpha_D": 0.36}


def _log_curve(x: Any, p: Any) -> Any:
    return ops.logaddexp(ops.log(p["floor"]), ops.log(p["B"]) - p["alpha_D"] * x["tokens"])


def _again(x: Any, p: Any) -> Any:
    return _log_curve(x, p)


TOY = Law(
    name="toy",
    formula="floor + B·D^-alpha_D",
    inputs=("tokens",),
    parameters=(
        common.FLOOR,
        common.amplitude("B", "finite data"),
        Parameter("alpha_D", Prior(0.3, 0.5, 0.2), "1", "exponent", "a guess"),
    ),
    reference="mine",
    log_curve=_log_curve,
    slopes=lambda p: {"B": {"tokens": p["alpha_D"]}},
)


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_REGISTERED", {})
    return


@pytest.fixture
def _no_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("sampled")

    monkeypatch.setattr("bayes_scaling.inference.fitting.compile_model", fail)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return grid().assign(loss=2.0)


@pytest.mark.usefixtures("_no_sampling")
@pytest.mark.parametrize(
    "start",
    [
        fit,
        lambda t, law: backtest(t, [law]),
        lambda t, law: compare(t, [law, "chinchilla"]),
    ],
    ids=["fit", "backtest", "compare"],
)
def test_a_law_that_is_not_registered_is_refused_before_sampling(
    start: Callable[[pd.DataFrame, Law], object], table: pd.DataFrame
) -> None:
    with pytest.raises(LawError, match=r"'toy' is not registered.*laws\.register\(law\) first"):
        start(table, TOY)


@pytest.mark.usefixtures("_no_sampling")
@pytest.mark.parametrize(
    "law",
    [
        replace(laws.get("chinchilla"), name="power-d-floor"),
        replace(
            TOY,
            name="power-d-floor",
            log_curve=lambda x, p: _log_curve({"tokens": 2 * x["tokens"]}, p),
            slopes=lambda p: {"B": {"tokens": 2 * p["alpha_D"]}},
        ),
        replace(laws.get("chinchilla"), optimum=lambda c, p: c / 2 + 0 * p["A"]),
        replace(laws.get("chinchilla"), inputs=("tokens", "flops", "params")),
    ],
    ids=["parameters", "curve", "optimum", "inputs"],
)
def test_another_law_of_a_known_name_is_refused_before_sampling(
    law: Law, table: pd.DataFrame
) -> None:
    with pytest.raises(LawError, match="give it another name"):
        fit(table, law)
    with pytest.raises(LawError, match="give this one another name"):
        laws.register(law)


def test_a_law_with_other_priors_is_the_same_law(table: pd.DataFrame) -> None:
    known = laws.get("chinchilla")
    narrow = known.with_priors({"floor": Prior(1.8, 0.1, 0.1)})
    assert registry.registered(narrow) is narrow
    # Of the same values, though every function is another.
    again = laws.broken("params", 2)
    assert again != laws.get("broken-n-2")
    assert registry.registered(again) is again


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (len, "the builtin_function_or_method 'len'"),
        (_log_curve, "the function '_log_curve'"),
        (None, "None"),
        (["chinchilla", "kaplan"], r"\['chinchilla', 'kaplan'\]"),
        (Law, "the type 'Law'"),
    ],
)
@pytest.mark.usefixtures("_no_sampling")
def test_what_is_no_law(law: Any, said: str, table: pd.DataFrame) -> None:
    with pytest.raises(LawError, match=f"law is {said}; the name of a law such as"):
        fit(table, law)


def test_a_registered_law_works_to_the_end(tmp_path: Path) -> None:
    assert laws.register(TOY) is TOY
    # A cell that is run again makes the same law of new functions.
    laws.register(replace(TOY, log_curve=_again))
    made = handmade("toy", TRUTH, width=1e-6)
    forecast = made.predict(params=1e9, tokens=1e12, family="web")
    expected = TRUTH["floor"] + TRUTH["B"] * 1e12 ** -TRUTH["alpha_D"]
    assert_allclose(forecast.loss_curve.mean(), expected, rtol=1e-4)
    loaded = load_fit(made.save(tmp_path / "fit.nc"))
    assert loaded.law.log_curve is TOY.log_curve
    assert_allclose(
        loaded.predict(params=1e9, tokens=1e12, family="web").draws.to_array(),
        forecast.draws.to_array(),
    )


def test_where_it_is_not_registered_a_saved_fit_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws.register(TOY)
    path = handmade("toy", TRUTH).save(tmp_path / "fit.nc")
    monkeypatch.setattr(registry, "_REGISTERED", {})
    with pytest.raises(FileError, match=r"no law 'toy'.*laws\.register\(law\)"):
        load_fit(path)


def test_another_law_under_the_name_of_a_saved_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws.register(TOY)
    made = handmade("toy", TRUTH)
    path = made.save(tmp_path / "fit.nc")
    other = replace(
        TOY,
        log_curve=lambda x, p: _log_curve(x, p) + 0.01 * p["alpha_D"],
        rigid=True,
        parameters=tuple(TOY.parameters),
        turning=("tokens",),
    )
    monkeypatch.setattr(registry, "_REGISTERED", {"toy": other})
    with pytest.raises(FileError, match=r"another law of the name 'toy'.*log_curve\(tokens\)"):
        load_fit(path)
    with pytest.raises(LawError, match="another law of the name 'toy'"):
        Fit(made.dt).predict(params=1e9, tokens=1e12, family="web")


def test_fits_of_the_first_versions_have_no_signature() -> None:
    fit = handmade()
    content = json.loads(write_spec(fit.spec, fit.frame))
    del content["law_signature"]
    assert read_spec(json.dumps(content)) == (fit.spec, fit.frame)


@pytest.mark.parametrize("law", laws.available().values(), ids=lambda law: law.name)
def test_signatures(law: Law) -> None:
    check_law(law)
    mine = signature(law)
    assert json.loads(json.dumps(mine, allow_nan=False)) == mine
    assert all(abs(v) < 1e3 for values in mine.values() for v in values)
    assert difference(mine, signature(law.with_priors({law.names[0]: Prior(2, 1, 1)}))) is None
    moved = replace(law, log_curve=lambda x, p: law.log_curve(x, p) + 1e-6)
    assert difference(mine, signature(moved)) == f"log_curve({', '.join(sorted(law.inputs))})"
    for name, other in laws.available().items():
        assert (difference(mine, signature(other)) is None) == (name == law.name)


def test_the_order_of_inputs_and_parameters_leaves_no_trace() -> None:
    law = laws.get("chinchilla")
    turned = replace(law, inputs=law.inputs[::-1], parameters=law.parameters[::-1])
    assert difference(signature(law), signature(turned)) is None


def test_a_law_can_read_what_a_forecast_can_state() -> None:
    assert set(INPUTS) == {"params", "tokens", "flops", *OPTIONAL}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": ("lr",)}, "reads 'lr'; a law of runs can read params"),
        ({"log_curve": lambda x, p: p["floor"] + x["params"]}, "KeyError: 'params'"),
        ({"log_curve": lambda x, p: float(x["tokens"] + p["floor"])}, "on NumPy arrays"),
        ({"log_curve": lambda *_: 1.0}, "of shape"),
        ({"log_curve": lambda x, p: np.log(-p["floor"]) * x["tokens"]}, "nan"),
        ({"log_curve": lambda x, p: np.asarray(_log_curve(x, p))}, "a ndarray on xarray"),
        ({"slopes": lambda _: {}}, "slopes of law 'toy' do not move its parameters"),
        ({"slopes": lambda p: {"B": p["alpha_D"]}}, "slopes of law 'toy' cannot be evaluated"),
        ({"log_curve": lambda x, p: ops.exp(_log_curve(x, p)), "rigid": True}, "tends to"),
        ({"name": "m4"}, "there is a law 'm4' already"),
        ({"name": "broken-d-3"}, "there is a law 'broken-d-3' already"),
        ({"name": "chinchilla+shape"}, "there is a law 'chinchilla.shape' already"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_law_that_would_fail_after_the_fit_is_not_registered(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(LawError, match=said):
        laws.register(replace(TOY, **changes))
    assert "toy" not in laws.available()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "the name of a law is ''"),
        ({"name": 3}, "the name of a law is 3"),
        ({"inputs": "tokens"}, "inputs of law 'toy' are 'tokens'"),
        ({"inputs": ()}, "inputs of law 'toy'"),
        ({"parameters": (common.FLOOR, "B")}, "parameters of law 'toy'"),
        ({"parameters": (common.FLOOR, common.FLOOR)}, "names 'floor' twice"),
        ({"log_curve": "B"}, "log_curve of law 'toy' is 'B', a function is needed"),
        ({"slopes": None}, "slopes of law 'toy' is None"),
    ],
)
def test_malformed_laws(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(LawError, match=said):
        replace(TOY, **changes)


@pytest.mark.parametrize(
    ("name", "prior", "said"),
    [
        ("a b", Prior(1, 1, 1), "a parameter is named 'a b'"),
        ("a/b", Prior(1, 1, 1), "a parameter is named 'a/b'"),
        ("b", 0.3, r"the prior of parameter 'b' is 0.3; write Prior\(median, sd, spread\)"),
    ],
)
def test_malformed_parameters(name: str, prior: Any, said: str) -> None:
    with pytest.raises(LawError, match=said):
        Parameter(name, prior, "1", "", "")


def test_priors_of_numpy_numbers_and_none_else() -> None:
    assert Prior(np.float32(0.5), np.int64(1), 1).median == 0.5
    for bad in ("0.5", True, np.nan, None, -1):
        with pytest.raises(LawError, match=r"prior median is .*, a finite number above 0"):
            Prior(bad, 1, 1)


def test_a_representation_without_addresses() -> None:
    for shown in (repr(TOY), repr(handmade().spec)):
        assert " at 0x" not in shown
    assert repr(TOY).startswith("<Law 'toy': loss = floor + B·D^-alpha_D; reads tokens")


def test_a_worker_knows_the_law_of_its_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    laws.register(TOY)
    job = backtesting._Job(Procedure.of(TOY), 2.0, None, None)  # type: ignore[arg-type]
    payload = cloudpickle.dumps([("key", job)])
    monkeypatch.setattr(registry, "_REGISTERED", {})
    monkeypatch.setattr(backtesting, "_in_turn", lambda group, _: [group[0][1].procedure.law])
    (there,) = backtesting._remote(payload)
    assert laws.get("toy") is there
