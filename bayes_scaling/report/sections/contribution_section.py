"""Section on what a learned prior contributed to parameters and forecasts."""

from typing import Any

import pandas as pd

from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.prior_contribution import contribution, weak_forecasts
from bayes_scaling.model import fill_typical
from bayes_scaling.report.study import Study

__all__ = ["contribution_section"]


def contribution_section(study: Study, forecasts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Prior, runs and posterior of each parameter, and forecasts under both priors.

    Parameters
    ----------
    study : Study
        The fit under report.
    forecasts : list of dict
        The section of that name.

    Returns
    -------
    dict or None
        ``parameters`` and ``forecasts``, rows of :func:`contribution` and of the given forecasts
        with those under weak priors (``weak_q05`` …); None where the priors are weak themselves.
    """
    fit = study.fit
    if fit.spec.prior == "weak":
        return None
    return {
        "source": fit.spec.prior,
        "parameters": contribution(fit, study.seed).to_dict("records"),
        "forecasts": _both(fit, pd.DataFrame(forecasts)),
    }


def _both(fit: Fit, points: pd.DataFrame) -> list[dict[str, Any]]:
    """Forecasts under both priors; none where inputs are the best ones of each draw."""
    if fit.law.best:
        return []
    weak = weak_forecasts(fit, fill_typical(fit.law, fit.runs, points)[0])
    kept = ["family", "multiple", "flops", "params", "tokens", "q05", "q50", "q95"]
    both = points[kept].join(weak.add_prefix("weak_"))
    # The middle of the one is no credible value of the other.
    both["outside"] = (both["weak_q50"] < both["q05"]) | (both["weak_q50"] > both["q95"])
    rows: list[dict[str, Any]] = both.to_dict("records")  # type: ignore[assignment]
    return rows
