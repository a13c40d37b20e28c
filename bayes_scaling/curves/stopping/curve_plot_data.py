"""Data of the figure of a verdict: the curve and its forecast, in few numbers."""

import numpy as np

from bayes_scaling.core.draw_summary import quantiles_of
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.fitting.curve_fit import CurveFit
from bayes_scaling.curves.stopping.verdict import CurveForecast, LoggedLoss

__all__ = ["forecasts", "logged_losses"]

_MOST = 200
_PLACES = 60


def logged_losses(curve: Curve) -> list[LoggedLoss]:
    """Return logged points: all of up to 200, else as many, half even in t and half in log t."""
    size = len(curve.t)
    if size <= _MOST:
        kept = np.arange(size)
    else:
        places = [spaced(1, size, _MOST // 2) for spaced in (np.linspace, np.geomspace)]
        kept = np.unique(np.concatenate(places).round().astype(int)) - 1
    points = zip(curve.t[kept].tolist(), curve.loss[kept].tolist(), strict=True)
    return [LoggedLoss(t=t, loss=loss) for t, loss in points]


def forecasts(fit: CurveFit, now: float, end: float, stop_at: float) -> list[CurveForecast]:
    """Return quantiles of the loss to be logged, and of what running on from now saves.

    To the planned end or the place to stop, whichever is later; to the end under a schedule.
    """
    at = np.geomspace(now, max(end, stop_at, 1.02 * now), _PLACES)
    if fit.scheduled:
        at = at[at <= end * (1 + 1e-9)]
    if len(at) < 2:
        return []
    later = fit.forecast(at, "curve")
    draws = {"loss": fit.forecast(at), "gain": later[:, :1] - later}
    columns = {"t": at.tolist()} | {
        f"{name}_{quantile}": row.tolist()
        for name, values in draws.items()
        for quantile, row in quantiles_of(values, axis=0).items()
    }
    rows = zip(*columns.values(), strict=True)
    return [CurveForecast(**dict(zip(columns, row, strict=True))) for row in rows]
