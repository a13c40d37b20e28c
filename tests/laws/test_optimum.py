"""Closed forms of the compute-optimal size, of every law that has one, against a search."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.inference import Fit, Procedure
from bayes_scaling.laws import ClosedForms, Law, Parameter, Prior
from bayes_scaling.laws.closed_form_checks import check_closed_forms


def _every() -> list[Law]:
    """Every registered law, and with a shape term where it takes one."""
    found = list(laws.available().values())
    for law in tuple(found):
        try:
            found.append(laws.get(f"{law.name}+shape"))
        except LawError:
            continue
    return found


LAWS = _every()
WITH_OPTIMUM = [law for law in LAWS if law.closed_forms.optimum is not None]
BUDGETS = (35.0, 42.0, 49.0, 55.0)
"""Logs of C / 6: from 1e16 to 5e24 FLOP."""
DRAWS = 5


def draws(law: Law, seed: int) -> list[dict[str, float]]:
    """Parameters about the medians of the priors, at N = D = 1 of a plausible family."""
    rng = np.random.default_rng(seed)
    at = dict.fromkeys(law.inputs, 0.0) | {"params": np.log(1e8), "tokens": np.log(1e10)}
    found = []
    for _ in range(DRAWS):
        values = {
            p.name: float(p.prior.median * np.exp(0.3 * p.prior.sd * rng.normal()))
            for p in law.parameters
        }
        # Amplitudes are the loss at the reference point: at N = D = 1 they are larger.
        slopes = law.slopes(values)
        for name, by_input in slopes.items():
            values[name] *= float(np.exp(sum(at[i] * slope for i, slope in by_input.items())))
        found.append(values)
    return found


def log_loss(law: Law, values: dict[str, float], log_params: float, log_c: float) -> float:
    """Along C = 6·N·D, every token fresh and shapes the best there are."""
    where = {"params": log_params, "tokens": log_c - log_params, "flops": log_c + np.log(6.0)}
    where |= {"unique_tokens": where["tokens"]}
    where |= {name: best(values) for name, best in law.best.items()}
    return float(law.log_curve({name: where[name] for name in law.inputs}, values))


def searched(law: Law, values: dict[str, float], log_c: float) -> float:
    """The minimiser by a grid, then Brent's method between its neighbours."""
    grid = np.linspace(log_c / 2 - 60, log_c / 2 + 60, 601)
    best = int(np.argmin([log_loss(law, values, at, log_c) for at in grid]))
    assert 0 < best < len(grid) - 1
    found = minimize_scalar(
        lambda at: log_loss(law, values, at, log_c),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.x)


@pytest.mark.parametrize("law", WITH_OPTIMUM, ids=lambda law: law.name)
def test_a_closed_form_is_the_minimiser(law: Law) -> None:
    assert law.closed_forms.optimum is not None
    for values in draws(law, 1):
        # A loss that is nearly its floor has no minimum that a search could see.
        sharp = values | ({"floor": 1e-12} if "floor" in values else {})
        for log_c in BUDGETS:
            closed = float(law.closed_forms.optimum(log_c, values))
            assert_allclose(closed, searched(law, sharp, log_c), atol=1e-4)
            about = [log_loss(law, values, closed + away, log_c) for away in (-0.1, 0.0, 0.1)]
            assert about[1] == min(about)


@pytest.mark.parametrize("law", WITH_OPTIMUM, ids=lambda law: law.name)
def test_exponents_are_slopes_of_the_minimum_found(law: Law) -> None:
    for values in draws(law, 2):
        sharp = values | ({"floor": 1e-12} if "floor" in values else {})
        low, high = (searched(law, sharp, log_c) for log_c in (40.0, 50.0))
        if law.closed_forms.params_exponent is not None:
            assert_allclose((high - low) / 10, law.closed_forms.params_exponent(values), atol=1e-4)
        if law.closed_forms.frontier is not None:
            fall = log_loss(law, sharp, low, 40.0) - log_loss(law, sharp, high, 50.0)
            assert_allclose(fall / 10, law.closed_forms.frontier(values), rtol=1e-6)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_closed_forms_pass_the_check_that_laws_are_registered_under(law: Law) -> None:
    check_closed_forms(law)


KNOWN = laws.get("chinchilla").closed_forms
FLAT = laws.get("power-c")


@pytest.mark.parametrize(
    ("law", "forms", "said"),
    [
        (
            "chinchilla",
            ClosedForms(optimum=lambda c, p: KNOWN.optimum(c, p) + np.log(3.0)),
            r"optimum of law 'mine' gives log N\* = -1\.82458 where .* finds -2\.92319",
        ),
        (
            "chinchilla",
            ClosedForms(params_exponent=lambda p: 1 - KNOWN.params_exponent(p)),
            r"params_exponent of law 'mine' gives .* = 0\.497902 where .* finds 0\.502098",
        ),
        (
            "chinchilla-gamma",
            ClosedForms(frontier=KNOWN.frontier),
            r"frontier of law 'mine' gives .* where",
        ),
        ("chinchilla", ClosedForms(frontier=lambda p: p["floor"] * np.nan), "= nan where"),
        (
            "chinchilla",
            ClosedForms(optimum=lambda _, p: p["x"]),
            r"on NumPy arrays \(KeyError: 'x'",
        ),
        ("chinchilla", ClosedForms(optimum=lambda *_: np.ones(3)), r"arrays \(ValueError"),
        ("power-d", ClosedForms(frontier=lambda p: p["alpha_D"] / 2), "finds no minimum"),
        ("product", ClosedForms(optimum=lambda c, _: c / 2), "finds no minimum"),
    ],
)
def test_another_closed_form_is_refused(law: str, forms: ClosedForms, said: str) -> None:
    wrong = replace(laws.get(law), name="mine", closed_forms=forms)
    with pytest.raises(LawError, match=said):
        laws.register(wrong)
    with pytest.raises(LawError, match=said):
        Procedure.of(wrong)
    assert "mine" not in laws.available()


def test_a_curve_that_overflows_far_out_has_its_minimum_all_the_same() -> None:
    law = laws.get("chinchilla")
    check_closed_forms(
        replace(
            law,
            name="mine",
            log_curve=lambda x, p: law.log_curve(x, p) + 0.0 * np.exp(10.0 * np.abs(x["params"])),
        )
    )


def test_the_exponent_of_compute_alone_is_that_of_its_frontier() -> None:
    check_closed_forms(replace(FLAT, closed_forms=ClosedForms(frontier=lambda p: p["alpha_C"])))


def test_a_closed_form_is_a_function() -> None:
    with pytest.raises(LawError, match=r"frontier is 0\.3"):
        ClosedForms(frontier=0.3)  # type: ignore[arg-type]


OLD_NAMES = {
    "tied": "shared_reference",
    "turning": "nonmonotone",
    "rigid": "fixed_reference",
    "absolute": "unit_dependent",
    "notes": "limitations",
}


def test_the_names_of_version_0_1_warn() -> None:
    law = laws.get("farseer")
    for old, new in OLD_NAMES.items():
        with pytest.warns(DeprecationWarning, match=new):
            assert getattr(law, old) == getattr(law, new)
    changed = {"rigid": False, "notes": ("Another.",), "absolute": True}
    with pytest.warns(DeprecationWarning, match="fixed_reference|limitations|unit_dependent"):
        replaced = replace(law, **changed)
    assert {old: getattr(replaced, OLD_NAMES[old]) for old in changed} == changed
    with pytest.warns(DeprecationWarning, match="noncentred"):
        assert Parameter("a", Prior(1, 1, 1), "1", "", "", loose=True).noncentred  # type: ignore[call-arg]
    fit = Fit(xr.DataTree(), law)
    with pytest.warns(DeprecationWarning, match="own_law"):
        assert fit.given is law  # type: ignore[attr-defined]
    procedure = Procedure.of("chinchilla")
    with pytest.warns(DeprecationWarning, match="use run"):
        assert procedure.carry_out == procedure.run  # type: ignore[attr-defined]
    with pytest.warns(DeprecationWarning, match="noncentred"):
        assert law.parameters[1].loose == law.parameters[1].noncentred  # type: ignore[attr-defined]


def test_closed_forms_by_the_names_of_version_0_1_warn() -> None:
    law = laws.get("chinchilla")
    plain = replace(law, closed_forms=ClosedForms())
    for name in ("optimum", "params_exponent", "frontier"):
        form = getattr(law.closed_forms, name)
        with pytest.warns(DeprecationWarning, match=rf"closed_forms\.{name}"):
            old = replace(plain, **{name: form})
        assert old == replace(plain, closed_forms=ClosedForms(**{name: form}))
        with pytest.warns(DeprecationWarning, match=rf"closed_forms\.{name}"):
            assert getattr(law, name) is form
    fields = {f.name: getattr(plain, f.name) for f in dataclasses.fields(plain)}
    del fields["closed_forms"]
    with pytest.warns(DeprecationWarning, match="optimum|frontier"):
        both = Law(**fields, optimum=KNOWN.optimum, frontier=KNOWN.frontier)
    assert both.closed_forms == ClosedForms(optimum=KNOWN.optimum, frontier=KNOWN.frontier)


def test_every_law_with_a_formula_is_among_these() -> None:
    assert {law.name for law in WITH_OPTIMUM} >= {
        "chinchilla", "chinchilla-gamma", "kaplan", "data-constrained", "depth-width",
        "chinchilla+shape", "chinchilla-gamma+shape", "kaplan+shape", "data-constrained+shape",
    }  # fmt: skip
