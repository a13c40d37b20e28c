"""Sections of a report on what went in: data, law, priors, settings."""

import json
import math
from typing import cast

import pandas as pd

from bayes_scaling.core.caveat import Severity, texts
from bayes_scaling.core.draw_summary import Z90
from bayes_scaling.model import typical_caveats
from bayes_scaling.plots.number_format import percent
from bayes_scaling.report.input_records import (
    DataSection,
    FamilyRuns,
    FlagGroup,
    LawSection,
    PriorRow,
    Provenance,
)
from bayes_scaling.report.study import Study
from bayes_scaling.runs.flags import CODES

__all__ = ["data_section", "law_section", "priors_section", "provenance_section"]

_EXAMPLES = 3
_RANGES = ("params", "tokens", "flops", "loss")


def data_section(study: Study) -> DataSection:
    """Return the runs by family, the flags by code with examples, and caveats."""
    fit, attrs = study.fit, study.fit.dt.attrs
    return DataSection(
        source=str(attrs["source"]),
        runs=len(study.runs),
        held_out=len(fit.targets),
        params_column=str(attrs["count"]),
        loss_unit=study.loss_unit,
        families=[_family(study, family) for family in fit.families],
        flags=_flags(study),
        flagged_share=_flagged_share(study),
        excluded=json.loads(attrs["excluded"]),
        caveats=list(fit.caveats),
    )


def _family(study: Study, family: str) -> FamilyRuns:
    own = study.of_family(family)
    ends = {f"{name}_min": float(own[name].min()) for name in _RANGES}
    ends |= {f"{name}_max": float(own[name].max()) for name in _RANGES}
    held_out = int((study.fit.targets["family"] == family).sum())
    return FamilyRuns(family=family, runs=len(own), held_out=held_out, **ends)


def _flag_table(study: Study) -> pd.DataFrame:
    return study.fit.dt["flags"].to_dataset().to_dataframe()


def _flags(study: Study) -> list[FlagGroup]:
    groups = [
        FlagGroup(
            code=str(code),
            meaning=CODES.get(str(code), ""),
            severity=cast("Severity", severity),
            count=len(rows),
            examples=[str(text) for text in rows["message"].head(_EXAMPLES)],
        )
        for (severity, code), rows in _flag_table(study).groupby(["severity", "code"], sort=True)
    ]
    rank = {"error": 0, "warning": 1, "note": 2}
    return sorted(groups, key=lambda group: (rank.get(group.severity, 3), -group.count))


def _flagged_share(study: Study) -> float:
    """Fraction of all rows that carry a warning or an error."""
    table = _flag_table(study)
    flagged = table[table["severity"].isin(["warning", "error"]) & (table["row"] >= 0)]
    return flagged["row"].nunique() / max(len(study.runs) + len(study.fit.targets), 1)


def law_section(study: Study) -> LawSection:
    """Return the law, how families are pooled, the noise, and the reference point."""
    spec, law = study.fit.spec, study.fit.law
    typical = typical_caveats(law, study.fit.runs, study.fit.families)
    return LawSection(
        name=law.name,
        formula=law.formula,
        inputs=list(law.inputs),
        reference=law.reference,
        notes=[*_mixture(study), *law.limitations, *law.remarks, *texts(typical)],
        noise=spec.noise,
        pooling=dict(spec.pooling),
        reference_point={name: math.exp(study.fit.frame.reference[name]) for name in law.inputs},
    )


def _mixture(study: Study) -> list[str]:
    """In what share of the draws the law has a quadratic, where in some."""
    share = study.fit.spec.curvature_share
    if not share:
        return []
    text = (
        f"The posterior is a mixture: in {percent(share)} of the draws the law is multiplied by "
        "the exponential of a quadratic in log sizes, as doubt about its form; in the others all "
        "curvatures are 1. The share was fixed beforehand, these runs do not change it."
    )
    return [text]


def priors_section(study: Study) -> list[PriorRow]:
    """Return every prior: median in its own unit, spread, unit, 90% range, and its reason."""
    spec = study.fit.spec
    rows = []
    for parameter in spec.parameters:
        location, sd = study.fit.frame.log_median(parameter), spec.log_sd(parameter)
        kind = spec.pooling[parameter.name]
        rows.append(
            PriorRow(
                name=parameter.name,
                meaning=parameter.meaning,
                unit=study.loss_unit if parameter.of_loss else parameter.unit,
                median=math.exp(location),
                log_sd=parameter.prior.sd,
                log_spread=parameter.prior.spread if kind != "shared" else None,
                q05=math.exp(location - Z90 * sd),
                q95=math.exp(location + Z90 * sd),
                pooling=kind,
                relative_to_loss=parameter.of_loss,
                reason=parameter.reason,
            )
        )
    return [*rows, *_noise_prior(study)]


def _noise_prior(study: Study) -> list[PriorRow]:
    """The prior of the degrees of freedom, where noise is Student-t."""
    if study.fit.spec.noise != "student-t":
        return []
    nu = study.fit.spec.nu_parameter
    location, sd = math.log(nu.prior.median), nu.prior.sd
    return [
        PriorRow(
            name=nu.name,
            meaning=nu.meaning,
            unit=nu.unit,
            median=2 + nu.prior.median,
            log_sd=sd,
            log_spread=None,
            q05=2 + math.exp(location - Z90 * sd),
            q95=2 + math.exp(location + Z90 * sd),
            pooling="shared",
            relative_to_loss=False,
            reason=nu.reason,
        )
    ]


def provenance_section(study: Study) -> Provenance:
    """Return what it takes to make this fit again."""
    tree = study.fit.dt
    attrs = tree.attrs
    return Provenance(
        fitted_at=tree["sample_stats"].attrs.get("created_at"),
        runs_hash=str(attrs["runs_hash"]),
        source=str(attrs["source"]),
        seed=int(attrs["seed"]),
        sampler=json.loads(attrs["sampler"]),
        compile_seconds=float(attrs["compile_seconds"]),
        sample_seconds=float(attrs["sample_seconds"]),
        versions=json.loads(attrs["versions"]),
        fit_schema=str(attrs["schema"]),
    )
