"""Section on parameters: posterior beside prior, at the reference point and in published units."""

from typing import Any

from bayes_scaling.core.draw_summary import PosteriorSummary, describe
from bayes_scaling.report.input_records import ParameterRow
from bayes_scaling.report.study import Study

__all__ = ["parameters_section"]

_DERIVED = {
    "discrepancy": "error of the law at e times the largest fitted compute, as a share of the loss",
    "alpha_C": "exponent in compute along the compute-optimal frontier",
    "params_exponent": "growth of the compute-optimal size with compute, d log N* / d log C",
}


def parameters_section(study: Study) -> list[ParameterRow]:
    """Return one row a parameter and family, then the population's and the noise's."""
    posterior = study.fit.posterior
    described = {
        p.name: (study.loss_unit if p.of_loss else p.unit, p.meaning)
        for p in study.fit.spec.parameters
    }
    names = list(map(str, posterior.data_vars))
    rows = []
    for family in study.fit.families:
        raw = _raw(study, family)
        for name in names:
            if "family" in posterior[name].dims:
                words = described.get(name, ("1", _DERIVED.get(name, "")))
                rows.append(_row(study, name, family, words, raw.get(name)))
    rows += [
        _row(study, name, None, _of_population(name, described), None)
        for name in names
        if "family" not in posterior[name].dims
    ]
    return rows


def _row(
    study: Study,
    name: str,
    family: str | None,
    words: tuple[str, str],
    raw: PosteriorSummary | None,
) -> ParameterRow:
    draws, prior = study.fit.posterior[name], study.fit.dt["prior"].to_dataset().get(name)
    if family is not None:
        draws = draws.sel(family=family)
        prior = None if prior is None else prior.sel(family=family)
    check = study.check_of(name, family)
    names = ("r_hat", "ess_bulk", "ess_tail", "status", "contraction", "source")
    summary: Any = describe(draws)
    found = {} if check is None else {key: getattr(check, key) for key in names}
    return ParameterRow(
        name=name,
        family=family,
        prior=None if prior is None else PosteriorSummary.of(prior),
        unit=words[0],
        meaning=words[1],
        raw=raw,
        **summary | found,
    )


def _of_population(name: str, described: dict[str, tuple[str, str]]) -> tuple[str, str]:
    stem, _, kind = name.rpartition("_")
    if kind == "population" and stem in described:
        return described[stem][0], f"median of {stem} over families"
    if kind == "spread" and stem in described:
        return "1", f"sd of the log of {stem} between families"
    if name == "nu":
        return "1", "degrees of freedom of the noise"
    return "1", ""


def _raw(study: Study, family: str) -> dict[str, PosteriorSummary]:
    """Summaries of what changes when the reference point moves to 1, draw by draw."""
    fit = study.fit
    law = fit.law
    if law.fixed_reference:
        return {}
    values = {name: fit.posterior[name].sel(family=family) for name in law.names}
    moved = law.move(values, {name: -fit.frame.reference[name] for name in law.inputs})
    return {name: PosteriorSummary.of(moved[name]) for name in law.slopes(values)}
