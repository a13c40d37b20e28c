"""What a figure of a verdict shows, in few numbers: the curve, and what is to come."""

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.core.draw_summary import quantiles_of
from bayes_scaling.core.json_files import records
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.fitting.curve_fit import CurveFit

__all__ = ["ahead_of", "points_of"]

_MOST = 200
_PLACES = 60


def points_of(curve: Curve) -> list[dict[str, float]]:
    """Logged points: all of up to 200, else as many, half of them even and half even in logs."""
    size = len(curve.t)
    if size <= _MOST:
        kept = np.arange(size)
    else:
        places = [spaced(1, size, _MOST // 2) for spaced in (np.linspace, np.geomspace)]
        kept = np.unique(np.concatenate(places).round().astype(int)) - 1
    return records(pd.DataFrame({"t": curve.t[kept], "loss": curve.loss[kept]}))


def ahead_of(fit: CurveFit, now: float, end: float, stop_at: float) -> list[dict[str, Any]]:
    """Quantiles of the loss to be logged, and of what running on from now saves.

    Columns: t, ``loss_q05`` … ``loss_q95``, ``gain_q05`` … ``gain_q95``; from now to the planned
    end or the place to stop, whichever is later; to the end alone under a schedule.
    """
    at = np.geomspace(now, max(end, stop_at, 1.02 * now), _PLACES)
    if fit.scheduled:
        at = at[at <= end * (1 + 1e-9)]
    if len(at) < 2:
        return []
    later = fit.forecast(at, "curve")
    drawn = {"loss": fit.forecast(at), "gain": later[:, :1] - later}
    columns = {
        f"{name}_{quantile}": row
        for name, values in drawn.items()
        for quantile, row in quantiles_of(values, axis=0).items()
    }
    return records(pd.DataFrame({"t": at, **columns}))
