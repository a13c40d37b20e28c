"""Section on parameters: posterior beside prior, at the reference point and in published units."""

from typing import Any

import xarray as xr

from bayes_scaling.core.draw_summary import describe
from bayes_scaling.report.study import Study

__all__ = ["parameters_section"]

_DERIVED = {
    "discrepancy": "error of the law at e times the largest fitted compute, as a share of the loss",
    "alpha_C": "exponent in compute along the compute-optimal frontier",
    "params_exponent": "growth of the compute-optimal size with compute, d log N* / d log C",
}


def parameters_section(study: Study) -> list[dict[str, Any]]:
    """One entry a parameter and family, then the population's and the noise's.

    Each has mean, sd, quantiles, the prior's quantiles, ``raw`` (the same in published units,
    at N = D = 1, for amplitudes; else None), status of its convergence, ``contraction`` (1 -
    posterior over prior variance of its log) and ``source``: "data", "prior and data" or "mostly
    prior", by contraction and power scaling.
    """
    fit = study.fit
    posterior, prior = fit.posterior, fit.dt["prior"].to_dataset()
    described = {
        p.name: (study.loss_unit if p.of_loss else p.unit, p.meaning) for p in fit.spec.parameters
    }
    entries = []
    for family in fit.families:
        raw = _raw(study, family)
        for name in map(str, posterior.data_vars):
            if "family" not in posterior[name].dims:
                continue
            unit, meaning = described.get(name, ("1", _DERIVED.get(name, "")))
            entries.append(
                _entry(study, name, posterior[name].sel(family=family), prior, family)
                | {"unit": unit, "meaning": meaning, "raw": raw.get(name)}
            )
    for name in map(str, posterior.data_vars):
        if "family" in posterior[name].dims:
            continue
        unit, meaning = _of_population(name, described)
        entries.append(
            _entry(study, name, posterior[name], prior, None)
            | {"unit": unit, "meaning": meaning, "raw": None}
        )
    return entries


def _entry(
    study: Study, name: str, draws: xr.DataArray, prior: xr.Dataset, family: str | None
) -> dict[str, Any]:
    row = study.checked(name, family)
    before = None
    if name in prior:
        before = describe(prior[name] if family is None else prior[name].sel(family=family))
    names = ("r_hat", "ess_bulk", "ess_tail", "status", "contraction", "source")
    kept = {key: row.get(key) for key in names}
    return {"name": name, "family": family} | describe(draws) | {"prior": before} | kept


def _of_population(name: str, described: dict[str, tuple[str, str]]) -> tuple[str, str]:
    stem, _, kind = name.rpartition("_")
    if kind == "population" and stem in described:
        return described[stem][0], f"median of {stem} over families"
    if kind == "spread" and stem in described:
        return "1", f"sd of the log of {stem} between families"
    if name == "nu":
        return "1", "degrees of freedom of the noise"
    return "1", ""


def _raw(study: Study, family: str) -> dict[str, dict[str, float]]:
    """Summaries of what changes when the reference point moves to 1, draw by draw."""
    fit = study.fit
    law = fit.law
    if law.fixed_reference:
        return {}
    values = {name: fit.posterior[name].sel(family=family) for name in law.names}
    moved = law.move(values, {name: -fit.frame.reference[name] for name in law.inputs})
    return {name: describe(moved[name]) for name in law.slopes(values)}
