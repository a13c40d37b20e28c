"""Contraction and correlations, on draws whose answers are known."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.checks import correlation_check, prior_check
from bayes_scaling.inference.diagnostics.information import contraction, correlations


def tree(rho: float = 0.0) -> xr.DataTree:
    rng = np.random.default_rng(0)
    shape = (4, 25_000)
    coords = {"chain": range(4), "draw": range(shape[1]), "family": ["a", "b"]}
    first, second = rng.normal(size=(2, *shape, 2))
    dims = ("chain", "draw", "family")
    prior = {"A": np.exp(first), "alpha": np.exp(2.0 * second), "nu": np.exp(first[..., 0])}
    after = np.exp(0.1 * first), np.exp(2.0 * (rho * first + np.sqrt(1 - rho**2) * second))
    data = {"A": after[0], "alpha": after[1], "nu": np.exp(0.5 * first[..., 0])}
    groups = {}
    for name, values in (("posterior", data), ("prior", prior)):
        group = xr.Dataset(coords=coords)
        for key, value in values.items():
            group[key] = dims[: value.ndim], value
        groups[name] = group
    return xr.DataTree.from_dict(groups)


def test_contraction_is_the_fraction_of_variance_that_went() -> None:
    found = contraction(tree())
    assert set(found.index) == {"A[a]", "A[b]", "alpha[a]", "alpha[b]", "nu"}
    assert_allclose(found[["A[a]", "A[b]"]], 0.99, atol=1e-6)
    assert_allclose(found[["alpha[a]", "alpha[b]"]], 0.0, atol=0.02)
    assert_allclose(found["nu"], 0.75, atol=1e-6)


@pytest.mark.parametrize("rho", [-0.99, 0.3])
def test_correlations_are_those_of_the_logs(rho: float) -> None:
    found = correlations(tree(rho), ("A", "alpha"))
    assert len(found) == 2
    assert_allclose(found["correlation"], rho, atol=0.01)
    check = correlation_check(found)
    assert (check.status == "warn") is (rho < -0.98)
    assert check.value == pytest.approx(abs(rho), abs=0.01)
    assert {*found.columns[1:3]} == {"first", "second"}
    assert (found["first"][0], found["second"][0]) == ("A", "alpha")


def test_one_parameter_correlates_with_none() -> None:
    found = correlations(tree(), ("A",))
    assert not len(found)
    assert correlation_check(found).status == "ok"


def test_a_parameter_that_is_mostly_prior_is_labelled_everywhere(
    make_fit: Callable[..., Fit],
) -> None:
    known, unknown = make_fit(width=0.01), make_fit(width=1.5)
    assert set(known.summary().loc[["alpha_N[web]", "A[web]"], "source"]) == {"data"}
    summary = unknown.summary()
    assert set(summary.loc[["alpha_N[web]", "A[web]"], "source"]) == {"mostly prior"}
    assert (summary.loc[["alpha_N[web]"], "contraction"] < 0.5).all()
    diagnosis = unknown.diagnose()
    rows = {row["parameter"]: row for row in diagnosis.to_dict()["parameters"]}
    assert rows["alpha_N[web]"]["source"] == "mostly prior"
    assert rows["alpha_N[web]"]["advice"]
    found = next(check for check in diagnosis.checks if check.name == "prior sensitivity")
    assert found.status == "warn"
    untaught = (diagnosis.parameters["source"] != "data").sum()
    assert 1 <= found.value <= untaught
    pairs = diagnosis.to_dict()["correlations"]
    assert len(pairs) == 2 * 10
    assert {*pairs[0]} == {"family", "first", "second", "correlation"}


def test_the_prior_check_counts_families_parameters_alone() -> None:
    table = pd.DataFrame(
        {"source": ["mostly prior", "data", "mostly prior"]},
        index=["A[a]", "A[b]", "A_spread"],
    )
    check = prior_check(table)
    assert check.status == "warn"
    assert check.value == 1
