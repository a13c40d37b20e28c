"""Family of a decision, its runs, and the provenance of its numbers."""

from typing import Any

from bayes_scaling.core.arguments import needs
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import check_spelling
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import runs_of
from bayes_scaling.runs import INPUTS

__all__ = ["SHAPE", "aspects_of", "family_of", "provenance"]

SHAPE = frozenset({"aspect_ratio", *INPUTS["aspect_ratio"].needs})
"""Inputs of a law that reads depth and width."""


def family_of(fit: Fit, family: str | None) -> str:
    """Return the family that is named, or the only one."""
    if family is not None:
        needs(family, str, "family", "the name of a family is needed", ScenarioError)
        check_spelling(fit, [family])
        return family
    if len(fit.families) > 1:
        raise ScenarioError(f"no family is named; the fit has {', '.join(map(repr, fit.families))}")
    return fit.families[0]


def aspects_of(fit: Fit, family: str) -> tuple[float, float]:
    """Return the smallest and largest aspect ratio, d_model / n_layer, of a family's runs."""
    rows = runs_of(fit, family)
    if "aspect_ratio" in rows and rows["aspect_ratio"].notna().any():
        ratios = rows["aspect_ratio"]
    else:
        ratios = rows["d_model"] / rows["n_layer"]
    return float(ratios.min()), float(ratios.max())


def provenance(fit: Fit, family: str, seed: int) -> dict[str, Any]:
    """Return the provenance that every file of a decision states."""
    return {
        "law": fit.law.name,
        "family": family,
        "family_seen": family in fit.families,
        "runs_hash": fit.dt.attrs["runs_hash"],
        "loss_unit": fit.loss_unit(family),
        "seed": seed,
    }
