"""Section on what a learned prior contributed to parameters and forecasts."""

from typing import TYPE_CHECKING

import pandas as pd

from bayes_scaling.core.record_tables import to_rows
from bayes_scaling.core.records import to_plain
from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.prior_contribution import (
    contribution,
    weak_fits,
    weak_forecasts,
)
from bayes_scaling.model import fill_typical
from bayes_scaling.report.content_records import ForecastRow
from bayes_scaling.report.input_records import Contribution, PriorContribution, PriorForecast
from bayes_scaling.report.study import Study

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayes_scaling.inference.point import PointFit

__all__ = ["contribution_section"]


def contribution_section(study: Study, forecasts: list[ForecastRow]) -> Contribution | None:
    """Return prior, runs and posterior of each parameter, and forecasts under both priors.

    Returns
    -------
    Contribution or None
        None where the priors are weak themselves.
    """
    fit = study.fit
    if fit.spec.prior == "weak":
        return None
    weak = weak_fits(fit)
    return Contribution(
        source=fit.spec.prior,
        parameters=list(to_rows(contribution(fit, weak, study.seed), PriorContribution)),
        forecasts=_both(fit, weak, pd.DataFrame(to_plain(forecasts))),
    )


def _both(fit: Fit, weak: "Mapping[str, PointFit]", points: pd.DataFrame) -> list[PriorForecast]:
    """Forecasts under both priors; none where inputs are the best ones of each draw."""
    if fit.law.best:
        return []
    kept = ["family", "multiple", "flops", "params", "tokens", "q05", "q50", "q95"]
    found = weak_forecasts(weak, fill_typical(fit.law, fit.runs, points)[0])
    both = points[kept].join(found.add_prefix("weak_"))
    # The middle of the one is no credible value of the other.
    both["outside"] = (both["weak_q50"] < both["q05"]) | (both["weak_q50"] > both["q95"])
    return list(to_rows(both, PriorForecast))
