"""Sections of a report on what went in: data, law, priors, settings."""

import json
import math
from typing import Any

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.draw_summary import Z90
from bayes_scaling.model import typical_caveats
from bayes_scaling.report.study import Study
from bayes_scaling.runs.flags import CODES

__all__ = ["data_section", "law_section", "priors_section", "provenance_section"]

_EXAMPLES = 3
_RANGES = ("params", "tokens", "flops", "loss")


def data_section(study: Study) -> dict[str, Any]:
    """The runs by family, the flags by code with examples, and warnings in words."""
    fit, attrs = study.fit, study.fit.dt.attrs
    targets = fit.targets
    families = []
    for family in fit.families:
        own = study.of_family(family)
        line: dict[str, Any] = {
            "family": family,
            "runs": len(own),
            "held_out": int((targets["family"] == family).sum()),
        }
        for name in _RANGES:
            line |= {f"{name}_min": float(own[name].min()), f"{name}_max": float(own[name].max())}
        families.append(line)
    return {
        "source": str(attrs["source"]),
        "runs": len(study.runs),
        "held_out": len(targets),
        "params_column": str(attrs["count"]),
        "loss_unit": study.loss_unit,
        "families": families,
        "flags": _flags(study),
        "flagged_share": _flagged_share(study),
        "excluded": json.loads(attrs["excluded"]),
        "warnings": list(texts(fit.caveats)),
    }


def _flags(study: Study) -> list[dict[str, Any]]:
    table = study.fit.dt["flags"].to_dataset().to_dataframe()
    groups = []
    for (severity, code), rows in table.groupby(["severity", "code"], sort=True):
        groups.append(
            {
                "code": str(code),
                "meaning": CODES.get(str(code), ""),
                "severity": str(severity),
                "count": len(rows),
                "examples": [str(text) for text in rows["message"].head(_EXAMPLES)],
            }
        )
    rank = {"error": 0, "warning": 1, "note": 2}
    return sorted(groups, key=lambda g: (rank.get(g["severity"], 3), -g["count"]))


def _flagged_share(study: Study) -> float:
    """Share of all rows that carry a warning or an error."""
    table = study.fit.dt["flags"].to_dataset().to_dataframe()
    doubtful = table[table["severity"].isin(["warning", "error"]) & (table["row"] >= 0)]
    return doubtful["row"].nunique() / max(len(study.runs) + len(study.fit.targets), 1)


def law_section(study: Study) -> dict[str, Any]:
    """The law, how families are pooled, the noise, and the reference point."""
    spec, law = study.fit.spec, study.fit.law
    return {
        "name": law.name,
        "formula": law.formula,
        "inputs": list(law.inputs),
        "reference": law.reference,
        "notes": [
            *(*law.limitations, *law.remarks),
            *texts(typical_caveats(law, study.fit.runs, study.fit.families)),
        ],
        "noise": spec.noise,
        "pooling": dict(spec.pooling),
        "reference_point": {name: math.exp(study.fit.frame.reference[name]) for name in law.inputs},
    }


def priors_section(study: Study) -> list[dict[str, Any]]:
    """Every prior: median in its own unit, spread, unit, 90% range, and its reason."""
    spec = study.fit.spec
    rows = []
    for parameter in spec.parameters:
        location, sd = study.fit.frame.log_median(parameter), spec.log_sd(parameter)
        kind = spec.pooling[parameter.name]
        rows.append(
            {
                "name": parameter.name,
                "meaning": parameter.meaning,
                "unit": study.loss_unit if parameter.of_loss else parameter.unit,
                "median": math.exp(location),
                "log_sd": parameter.prior.sd,
                "log_spread": parameter.prior.spread if kind != "shared" else None,
                "q05": math.exp(location - Z90 * sd),
                "q95": math.exp(location + Z90 * sd),
                "pooling": kind,
                "relative_to_loss": parameter.of_loss,
                "reason": parameter.reason,
            }
        )
    if spec.noise == "student-t":
        nu = spec.nu_parameter
        location, sd = math.log(nu.prior.median), nu.prior.sd
        rows.append(
            {
                "name": nu.name,
                "meaning": nu.meaning,
                "unit": nu.unit,
                "median": 2 + nu.prior.median,
                "log_sd": sd,
                "log_spread": None,
                "q05": 2 + math.exp(location - Z90 * sd),
                "q95": 2 + math.exp(location + Z90 * sd),
                "pooling": "shared",
                "relative_to_loss": False,
                "reason": nu.reason,
            }
        )
    return rows


def provenance_section(study: Study) -> dict[str, Any]:
    """What it takes to make this fit again."""
    tree = study.fit.dt
    attrs = tree.attrs
    return {
        "fitted_at": tree["sample_stats"].attrs.get("created_at"),
        "runs_hash": str(attrs["runs_hash"]),
        "source": str(attrs["source"]),
        "seed": int(attrs["seed"]),
        "sampler": json.loads(attrs["sampler"]),
        "compile_seconds": float(attrs["compile_seconds"]),
        "sample_seconds": float(attrs["sample_seconds"]),
        "versions": json.loads(attrs["versions"]),
        "fit_schema": str(attrs["schema"]),
    }
