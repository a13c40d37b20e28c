"""Laws made in a notebook: what is refused before sampling, and what works after registering."""

import copy
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats.qmc import Halton

from bayes_scaling import laws
from bayes_scaling.core.progress import Progress
from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.errors import FileError, LawError
from bayes_scaling.exports import tables
from bayes_scaling.forecast.evaluation import backtest_jobs as jobs
from bayes_scaling.forecast.evaluation.backtest_laws import backtest
from bayes_scaling.forecast.evaluation.compare_laws import compare
from bayes_scaling.forecast.evaluation.model_average import ModelAverage
from bayes_scaling.inference import Fit, Procedure, fit, load_fit
from bayes_scaling.inference.diagnostics.prior_contribution import weak_fits
from bayes_scaling.laws import ClosedForms, Law, Parameter, Prior, common, ops, registry
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.signature import difference, fixed_points, signature
from bayes_scaling.model.population import population
from bayes_scaling.model.spec_json import read_spec, write_spec
from bayes_scaling.report.content import report_content
from bayes_scaling.runs.input_columns import Input
from tests.conftest import grid, handmade

TRUTH = {"floor": 1.8, "B": 1800.0, "alpha_D": 0.36}


def _log_curve(x: Any, p: Any) -> Any:
    return ops.logaddexp(ops.log(p["floor"]), ops.log(p["B"]) - p["alpha_D"] * x["tokens"])


def _again(x: Any, p: Any) -> Any:
    return _log_curve(x, p)


def _of_another_input(x: Any, p: Any) -> Any:
    return p["floor"] + x["params"]


def _slopes(p: Any) -> Any:
    return {"B": {"tokens": p["alpha_D"]}}


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

    monkeypatch.setattr("bayes_scaling.inference.mixture.compile_model", fail)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a fit of the toy law."""
    return handmade(TOY, TRUTH).save(tmp_path_factory.mktemp("toy") / "fit.nc")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return grid().assign(loss=2.0)


OTHERS = {
    "parameters": replace(laws.get("chinchilla"), name="power-d-floor"),
    "curve": replace(
        TOY,
        name="power-d-floor",
        log_curve=lambda x, p: _log_curve({"tokens": 2 * x["tokens"]}, p),
        slopes=lambda p: {"B": {"tokens": 2 * p["alpha_D"]}},
    ),
    "inputs": replace(laws.get("chinchilla"), inputs=("tokens", "flops", "params")),
}
"""Laws of a known name, by what is not as known."""


@pytest.mark.parametrize("law", OTHERS.values(), ids=OTHERS)
def test_another_law_of_a_known_name_is_not_registered(law: Law) -> None:
    with pytest.raises(LawError, match=law.name):
        laws.register(law)


@pytest.mark.parametrize("start", [backtest, compare])
def test_two_laws_of_one_name_are_refused(
    start: Callable[[pd.DataFrame, list[Law]], object], table: pd.DataFrame
) -> None:
    with pytest.raises(LawError, match="'toy'"):
        start(table, [TOY, replace(TOY, limitations=("another",))])


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
    with pytest.raises(LawError, match=said):
        fit(table, law)


def test_a_law_works_without_being_registered(tmp_path: Path) -> None:
    made = handmade(TOY, TRUTH, width=1e-6)
    assert made.law == TOY
    forecast = made.predict(params=1e9, tokens=1e12, family="web")
    expected = TRUTH["floor"] + TRUTH["B"] * 1e12 ** -TRUTH["alpha_D"]
    assert_allclose(forecast.loss_curve.mean(), expected, rtol=1e-4)
    path = made.save(tmp_path / "fit.nc")
    with pytest.raises(FileError, match=r"'toy'"):
        load_fit(path)
    # A cell that is run again makes the same law of new functions.
    for loaded in (load_fit(path, replace(TOY, log_curve=_again)), _registered(path)):
        assert loaded.law == TOY
        again = loaded.predict(params=1e9, tokens=1e12, family="web")
        assert_allclose(again.draws.to_array(), forecast.draws.to_array())


def _registered(path: Path) -> Fit:
    laws.register(TOY)
    return load_fit(path)


def test_all_that_follows_a_fit_works_without_registering() -> None:
    known = laws.get("chinchilla-gamma")
    learned = population(known.name)
    assert learned is not None
    mine = replace(known, name="mine", limitations=("Mine.",))
    truth = {"floor": 1.8, "A": 60.0, "B": 150.0, "alpha_N": 0.34, "alpha_D": 0.36, "gamma": 0.7}
    made, ours = (
        handmade(law, truth, families=("web",), prior=replace(learned, law=law.name))
        for law in (mine, known)
    )
    plans = [allocate(f, Scenario(compute_budget=1e22)).to_dict() for f in (made, ours)]
    assert "Mine." in " ".join(caveat["text"] for caveat in plans[0]["caveats"])
    average = ModelAverage({"a": made}, {"a": 1.0})
    where = {"params": 1e9, "tokens": 1e11, "family": "web"}
    for one, other in [
        (made.diagnose().to_dict()["verdict"], ours.diagnose().to_dict()["verdict"]),
        (made.prior_contribution(), ours.prior_contribution()),
        *((plans[0][part], plans[1][part]) for part in ("recommended", "optimum")),
        (tables(made)["parameters"], tables(ours)["parameters"]),
        (average.predict(**where).draws.mean(), ours.predict(**where).draws.mean()),
    ]:
        assert str(one) == str(other)
    content = report_content(made, [])
    assert content.law.name == "mine"
    assert content.prior_contribution is not None


LOWER = replace(
    laws.get("power-d-floor"),
    log_curve=lambda x, p: laws.get("power-d-floor").log_curve(x, p) - 0.5,
    slopes=laws.get("power-d-floor").slopes,
)
"""A law of a known name with another curve."""


def test_a_fit_uses_its_own_law_and_not_another_of_the_name(tmp_path: Path) -> None:
    made = handmade(LOWER, TRUTH, width=1e-6)
    runs = made.runs.iloc[0]
    forecast = made.predict(params=runs["params"], tokens=runs["tokens"], family=runs["family"])
    assert_allclose(forecast.loss_curve.mean(), runs["loss"], rtol=0.05)
    path = made.save(tmp_path / "fit.nc")
    with pytest.raises(FileError, match=r"'power-d-floor'.*log_curve\(tokens\)"):
        load_fit(path)
    assert load_fit(path, law=LOWER).law == made.law
    # Without its law, what is in memory is read as a file is.
    with pytest.raises(LawError, match="'power-d-floor'"):
        Fit(made.dt).predict(params=1e9, tokens=1e12, family="web")


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (replace(TOY, name="other"), "'other'"),
        (laws.get("power-d-floor"), "'power-d-floor'"),
        (replace(TOY, parameters=TOY.parameters[::-1]), "floor, B, alpha_D"),
        (replace(TOY, slopes=lambda _: {}), r"slopes\(B, tokens\)"),
        (replace(TOY, log_curve=lambda *_: 1.0), r"log_curve\(tokens\)"),
    ],
)
def test_a_law_given_with_a_file_is_held_against_it(law: Law, said: str, saved: Path) -> None:
    with pytest.raises(FileError, match=said):
        load_fit(saved, law)
    with pytest.raises(LawError, match="'toy'"):
        load_fit(saved, "toy")  # type: ignore[arg-type]


def test_weak_priors_are_those_that_the_law_came_with() -> None:
    narrow = TOY.with_priors({"alpha_D": Prior(0.36, 0.001, 0.001)})
    wide, near = (weak_fits(handmade(law, TRUTH))["web"] for law in (TOY, narrow))
    assert_allclose(np.exp(near.theta[2]), 0.36, rtol=0.005)
    assert wide.covariance[2, 2] > 10 * near.covariance[2, 2]


@pytest.mark.parametrize(
    "start",
    [
        lambda table, priors: fit(table, "chinchilla", priors=priors),
        lambda _, priors: laws.get("chinchilla").with_priors(priors),
    ],
    ids=["fit", "with_priors"],
)
@pytest.mark.parametrize(
    ("priors", "said"),
    [
        ({"alpha_N": 0.3}, r"'alpha_N' is 0\.3"),
        ({"alpha_X": Prior(1, 1, 1)}, "'alpha_X'.*floor"),
        ({3: Prior(1, 1, 1)}, "parameter 3"),
        ([0.3], r"priors are \[0\.3\]"),
    ],
)
@pytest.mark.usefixtures("_no_sampling")
def test_priors_of_another_kind_and_of_unknown_parameters(
    start: Callable[[pd.DataFrame, Any], object], priors: Any, said: str, table: pd.DataFrame
) -> None:
    with pytest.raises(LawError, match=said):
        start(table, priors)


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


def test_points_of_signatures_are_a_halton_sequence() -> None:
    law = laws.get("m4")
    x, p = fixed_points(law)
    sampler = Halton(len(x) + len(p), scramble=False)
    unit = sampler.fast_forward(1).random(12).T
    # To the last bit: the files of fits hold what laws give there.
    np.testing.assert_array_equal(np.array(list(x.values())), 4.0 * unit[: len(x)] - 2.0)
    np.testing.assert_array_equal(np.array(list(p.values())), 0.2 + 0.6 * unit[len(x) :])


def test_the_order_of_inputs_and_parameters_leaves_no_trace() -> None:
    law = laws.get("chinchilla")
    turned = replace(law, inputs=law.inputs[::-1], parameters=law.parameters[::-1])
    assert difference(signature(law), signature(turned)) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": ("lr",)}, "'lr'.*params"),
        ({"log_curve": lambda x, p: p["floor"] + x["params"]}, "KeyError: 'params'"),
        ({"log_curve": lambda x, p: float(x["tokens"] + p["floor"])}, "on NumPy arrays"),
        ({"log_curve": lambda *_: 1.0}, "of shape"),
        ({"log_curve": lambda x, p: np.log(-p["floor"]) * x["tokens"]}, "nan"),
        ({"log_curve": lambda x, p: np.asarray(_log_curve(x, p))}, "ndarray"),
        ({"slopes": lambda _: {}}, "slopes of law 'toy'"),
        ({"slopes": lambda p: {"B": p["alpha_D"]}}, "slopes of law 'toy'"),
        (
            {"log_curve": lambda x, p: ops.exp(_log_curve(x, p)), "fixed_reference": True},
            "tends to",
        ),
        ({"name": "m4"}, "'m4'"),
        ({"name": "broken-d-3"}, "'broken-d-3'"),
        ({"name": "chinchilla+shape"}, "'chinchilla.shape'"),
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
        ({"name": ""}, "is ''"),
        ({"name": 3}, "is 3"),
        ({"inputs": "tokens"}, "inputs of law 'toy' are 'tokens'"),
        ({"inputs": ()}, "inputs of law 'toy'"),
        ({"parameters": (common.FLOOR, "B")}, "parameters of law 'toy'"),
        ({"parameters": (common.FLOOR, common.FLOOR)}, "names 'floor' twice"),
        ({"log_curve": "B"}, "log_curve of law 'toy' is 'B'"),
        ({"slopes": None}, "slopes of law 'toy' is None"),
        ({"closed_forms": None}, "closed_forms of law 'toy' is None"),
        ({"closed_forms": {"optimum": len}}, "closed_forms of law 'toy' is .*ClosedForms"),
    ],
)
def test_malformed_laws(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(LawError, match=said):
        replace(TOY, **changes)


@pytest.mark.parametrize("name", ["sigma", "chain", "draw", "floor_population", "B_spread"])
def test_parameters_do_not_take_the_names_of_what_every_posterior_has(name: str) -> None:
    def renamed(p: Any) -> dict[str, Any]:
        return {**p, "alpha_D": p[name]}

    law = replace(
        TOY,
        parameters=(*TOY.parameters[:2], replace(TOY.parameters[2], name=name)),
        log_curve=lambda x, p: _log_curve(x, renamed(p)),
        slopes=lambda p: TOY.slopes(renamed(p)),
    )
    with pytest.raises(LawError, match=repr(name)):
        check_law(law)


@pytest.mark.parametrize(
    ("name", "prior", "said"),
    [
        ("a b", Prior(1, 1, 1), "'a b'"),
        ("a/b", Prior(1, 1, 1), "'a/b'"),
        ("b", 0.3, r"the prior of parameter 'b' is 0.3; write Prior\(median, sd, spread\)"),
    ],
)
def test_malformed_parameters(name: str, prior: Any, said: str) -> None:
    with pytest.raises(LawError, match=said):
        Parameter(name, prior, "1", "", "")


def test_priors_of_numpy_numbers_and_none_else() -> None:
    assert Prior(np.float32(0.5), np.int64(1), 1).median == 0.5
    for bad in ("0.5", True, np.nan, None, -1):
        with pytest.raises(LawError, match="median"):
            Prior(bad, 1, 1)


def test_a_representation_is_four_lines() -> None:
    assert repr(TOY).splitlines() == [
        "Law 'toy'",
        "  loss        floor + B·D^-alpha_D",
        "  reads       tokens",
        "  parameters  floor, B, alpha_D",
    ]
    for law in (*EVERY, replace(TOY, formula="a\nb" * 100)):
        assert [len(line) <= 88 for line in repr(law).splitlines()] == [True] * 4
    assert " at 0x" not in repr(handmade().spec)
    assert "\n" not in repr(handmade().spec)


EVERY = [
    *laws.available().values(),
    *laws.curve_laws().values(),
    *map(laws.get, ("broken-n-3", "m4-n+shape", "chinchilla-gamma+shape")),
]


@pytest.mark.parametrize("law", EVERY, ids=lambda law: law.name)
def test_every_law_is_a_value(law: Law) -> None:
    back = pickle.loads(pickle.dumps(law))  # noqa: S301
    assert back == law == copy.deepcopy(law)
    assert hash(back) == hash(law)
    assert sum(law == other for other in EVERY) == 1
    assert len({back, law}) == 1


def _cell() -> Law:
    """A law as a cell of a notebook makes it, with functions of its own each time."""
    return replace(
        TOY,
        log_curve=lambda x, p: 1.0 * _log_curve(x, p),
        slopes=lambda p: {"B": {"tokens": p["alpha_D"]}},
        best={"tokens": lambda p: p["floor"]},
        coordinates=Additive({"B": ("alpha_D",)}),
        closed_forms=ClosedForms(frontier=lambda p: p["alpha_D"] / 2),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "toy-2"},
        {"formula": "B"},
        {"reference": "theirs"},
        {"limitations": ("careful",)},
        {"inputs": ("tokens", Input("vocab", "words", "vocabulary"))},
        {"remarks": ("well",)},
        {"nonmonotone": ("tokens",)},
        {"fixed_reference": True},
        {"unit_dependent": True},
        {"shared_reference": {"tokens": "params"}},
        {"inputs": ("tokens", "params")},
        {"parameters": TOY.parameters[::-1]},
        {"parameters": TOY.with_priors({"B": Prior(0.2, 1.0, 0.31)}).parameters},
        {"log_curve": lambda x, p: _log_curve(x, p) + 1e-6},
        {"log_curve": lambda x, p: np.minimum(_log_curve({"tokens": x["tokens"].clip(-3)}, p), 9)},
        {"log_curve": lambda *_: 1 / 0},
        {"slopes": lambda p: {"B": {"tokens": 2 * p["alpha_D"]}}},
        {"best": {"tokens": lambda p: 2 * p["floor"]}},
        {"best": {}},
        {"coordinates": None},
        {"coordinates": Additive({"B": ("alpha_D",)}, outer="alpha_D")},
        {"closed_forms": ClosedForms(frontier=lambda p: p["alpha_D"])},
        {"closed_forms": ClosedForms()},
    ],
)
def test_laws_are_compared_by_content(changes: dict[str, Any]) -> None:
    one, again, other = _cell(), _cell(), replace(_cell(), **changes)
    assert one == again
    assert hash(one) == hash(again)
    assert one != other
    assert other != one
    assert other == replace(other)
    assert one != "toy"


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"meaning": "text"}, False),
        ({"formula": lambda tokens: tokens / 2}, False),
        ({"formula": lambda tokens: 1 / 3 * tokens}, True),
        ({"falls": False}, False),
    ],
)
def test_own_inputs_are_compared_by_content(changes: dict[str, Any], same: bool) -> None:
    words = Input("words", "1", "words", needs=("tokens",), formula=lambda tokens: tokens / 3)
    one, other = (
        replace(TOY, inputs=("tokens", entry)) for entry in (words, replace(words, **changes))
    )
    assert (one == other) == same


def test_closed_forms_may_read_what_follows_from_sizes() -> None:
    known = laws.get("chinchilla")
    check_law(
        replace(
            known,
            name="mine",
            inputs=("tokens", Input("active", "1", "active parameters", unstated="params")),
            log_curve=lambda x, p: known.log_curve(x | {"params": x["active"]}, p),
            slopes=lambda p: {"A": {"active": p["alpha_N"]}, "B": {"tokens": p["alpha_D"]}},
        )
    )


class _Queue(Executor):
    """Runs what it is given at once."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize(
    ("law", "travels"), [(TOY, False), (replace(TOY, slopes=_slopes), True), ("chinchilla", True)]
)
def test_jobs_of_any_law_are_done(
    law: str | Law, travels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.Job(Procedure.of(law), 2.0, None, None)  # type: ignore[arg-type]
    said: list[str] = []
    monkeypatch.setattr(
        jobs, "_in_turn", lambda group, _: [(key, job.procedure.law) for key, job in group]
    )
    ((key, found),) = jobs._beside([("key", job)], _Queue(), Progress.of(said.append))
    assert (key, found) == ("key", job.procedure.law)
    assert len(said) == (not travels)
    assert (found is not job.procedure.law) == travels
    # An edited function has the same name in a process that began before.
    payload = pickle.dumps([("key", replace(job, procedure=Procedure.of("product")))])
    assert jobs._remote(payload, job.procedure.law.fingerprint) is None


def test_a_new_process_knows_no_function_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_slopes, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "_slopes", _slopes, raising=False)
    job = jobs.Job(Procedure.of(replace(TOY, slopes=_slopes)), 2.0, None, None)  # type: ignore[arg-type]
    payload = jobs._pickled([("key", job)])
    assert payload is not None
    monkeypatch.delattr(sys.modules["__main__"], "_slopes")
    assert jobs._remote(payload, job.procedure.law.fingerprint) is None


def test_a_law_whose_expression_raises_is_equal_to_itself_read_again() -> None:
    forms = ClosedForms(frontier=_no_form)
    law = replace(TOY, log_curve=_of_another_input, slopes=_slopes, closed_forms=forms)
    law = replace(law, coordinates=Additive({"B": ("alpha_D",)}))
    assert pickle.loads(pickle.dumps(law)) == law  # noqa: S301
    assert replace(law, log_curve=_again) != law


def _no_form(p: Any) -> Any:
    return p["none"]
