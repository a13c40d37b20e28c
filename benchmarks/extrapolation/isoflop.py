"""The IsoFLOP method: a parabola at each level of compute (Hoffmann et al. 2022, Approach 2)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.extrapolation import huber
from benchmarks.extrapolation.baselines import with_residuals
from benchmarks.extrapolation.method import Context, Floats, NotApplicable

LEVEL = 1.1
"""Largest ratio of compute between neighbouring runs of a level."""
WIDEST = 1.25
"""Largest ratio of compute within a level: runs at many computes are no IsoFLOP design."""
FEWEST_SIZES = 3
FEWEST_LEVELS = 3


@dataclass(frozen=True)
class Parabola:
    """Loss by log N at one level: ``least`` + ``curvature`` (log N - ``optimum``)²."""

    log_flops: float
    optimum: float
    least: float
    curvature: float


def level_numbers(flops: pd.Series) -> pd.Series:
    """Number levels of compute from 0, the smallest first."""
    logs = np.log(flops).sort_values()
    return (logs.diff() > np.log(LEVEL)).cumsum().reindex(flops.index)


def parabola(rows: pd.DataFrame) -> Parabola | None:
    """Fit one level; None where it is no level or its sizes enclose no minimum."""
    n, loss = np.log(rows["params"].to_numpy()), rows["loss"].to_numpy()
    one_compute = rows["flops"].max() <= WIDEST * rows["flops"].min()
    if not one_compute or len(np.unique(n.round(6))) < FEWEST_SIZES:
        return None
    middle = n.mean()
    curvature, slope, level = np.polyfit(n - middle, loss, 2)
    if curvature <= 0:
        return None
    at = -slope / (2 * curvature)
    least = level - slope**2 / (4 * curvature)
    if not n.min() <= middle + at <= n.max() or least <= 0:
        return None
    log_flops = float(np.log(rows["flops"]).mean())
    return Parabola(log_flops, float(middle + at), float(least), float(curvature))


@dataclass(frozen=True)
class IsoFlop:
    """Levels and what joins them: a power law with floor in C, and a straight line of optima."""

    levels: tuple[Parabola, ...]
    least: huber.PowerLaws
    line: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "IsoFlop":
        """Fit runs of one family."""
        groups = rows.groupby(level_numbers(rows["flops"]))
        fitted = [parabola(level) for _, level in groups]
        levels = tuple(one for one in fitted if one is not None)
        if len(levels) < FEWEST_LEVELS:
            raise NotApplicable(
                f"levels of compute whose sizes enclose a minimum: {len(levels)} of the "
                f"{FEWEST_LEVELS} needed"
            )
        c = np.array([level.log_flops for level in levels])
        least = huber.fit(c[None], np.log([level.least for level in levels]))
        return cls(levels, least, np.polyfit(c, [level.optimum for level in levels], 1))

    def log_loss(self, rows: pd.DataFrame) -> Floats:
        """Return log losses; the curvature is that of the nearest levels."""
        c, n = np.log(rows["flops"].to_numpy()), np.log(rows["params"].to_numpy())
        known = [level.log_flops for level in self.levels]
        curvature = np.interp(c, known, [level.curvature for level in self.levels])
        away = n - np.polyval(self.line, c)
        result: Floats = np.log(np.exp(self.least.log_loss(c[None])[0]) + curvature * away**2)
        return result


def isoflop(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
    """Least loss as E + A/C^alpha of the minima, and off the optimum the curvature."""
    fitted = IsoFlop.of(small)
    residuals = np.log(small["loss"].to_numpy()) - fitted.log_loss(small)
    return with_residuals(fitted.log_loss(large), residuals, context.seed)
