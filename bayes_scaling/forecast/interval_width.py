"""Width of an interval against what more compute gains, and the caveat on wide ones."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, Datum, Severity
from bayes_scaling.forecast.extrapolation import factor
from bayes_scaling.posterior import FamilyPosterior, log_inputs

__all__ = ["TOLERABLE", "width_caveats"]

Floats = NDArray[np.float64]

_LOG_TEN = math.log(10.0)
TOLERABLE = 30.0
"""Multiple of the compute up to which a wide interval is a note and no warning."""
_MOST_COUNTED = 6.0
"""Decades of compute beyond which the text counts no more."""
_MOSTLY = 0.5
"""Share of the variance above which the curve is the larger part."""


@dataclass(frozen=True)
class _Width:
    """A 90% interval of the loss of a run at one point.

    Attributes
    ----------
    params, tokens : float
        The point.
    width : float
        Natural log of the 95% over the 5% quantile.
    gain : float
        Natural log of the expected loss there over that at ten times the compute.
    share : float
        Share of the curve in the variance of the log loss.
    """

    params: float
    tokens: float
    width: float
    gain: float
    share: float

    @property
    def is_wide(self) -> bool:
        """Whether ten times the compute gains less than the interval is wide."""
        return self.width > max(self.gain, 0.0)

    @property
    def decades(self) -> float:
        """Decades of compute that gain as much at the same rate; infinite where none do."""
        return self.width / self.gain if self.gain > 0.0 else math.inf

    @property
    def factor(self) -> float | None:
        """The same as a factor; None where no number is so large."""
        return 10.0**self.decades if self.decades < 300.0 else None

    @property
    def severity(self) -> Severity:
        """A note up to the factor that is tolerable."""
        return "note" if self.decades <= math.log10(TOLERABLE) else "warning"


def width_caveats(
    family: FamilyPosterior, points: pd.DataFrame, curve: Floats, run: Floats
) -> list[Caveat]:
    """Return a caveat on the intervals of a family that are wider than what more compute gains.

    An interval is wide where the 90% interval of the log loss of a run is wider than the median,
    over about a thousand draws, of what ten times the compute, N and D in the same proportion,
    takes from the log of the expected loss.

    Parameters
    ----------
    family : FamilyPosterior
        The family.
    points : pandas.DataFrame
        Its points: params, tokens, flops and what else the law reads.
    curve, run : (point, sample) array
        Log of the expected loss, and of that of a new run, at the points.
    """
    wide = [one for one in _widths(family, points, curve, run) if one.is_wide]
    if not wide:
        return []
    worst = max(wide, key=lambda one: (one.decades, one.width))
    data: dict[str, Datum] = {
        "points": len(wide),
        "of": len(curve),
        "params": worst.params,
        "tokens": worst.tokens,
        "width": worst.width,
        "gain": worst.gain,
        "factor": worst.factor,
        "share_of_curve": worst.share,
    }
    text = f"{_interval(worst, len(wide), len(curve), family.family)} {_why(worst, family)}"
    return [
        Caveat(
            code="wide-interval",
            severity=worst.severity,
            subject=family.family,
            text=text,
            data=data,
        )
    ]


def _widths(
    family: FamilyPosterior, points: pd.DataFrame, curve: Floats, run: Floats
) -> list[_Width]:
    x = log_inputs(family.spec.law, points)
    low, high = np.quantile(run, [0.05, 0.95], axis=-1)
    few = family.few
    gain = np.median(few.curve(x) - few.curve(few.enlarged(x, _LOG_TEN)), axis=-1)
    spread = run.var(axis=-1)
    # Noise and curve are independent but for the luck of the draws, by which a share may pass 1.
    share = np.minimum(curve.var(axis=-1) / np.where(spread > 0.0, spread, np.inf), 1.0)
    columns = (points["params"], points["tokens"], high - low, gain, share)
    return [_Width(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _interval(worst: _Width, some: int, total: int, family: str) -> str:
    """Which intervals are wide, and how wide the worst is."""
    where = f"at {worst.params:.3g} parameters on {worst.tokens:.3g} tokens"
    if total == 1:
        which = f"The 90% interval of {family!r} {where} is wide:"
    else:
        are = "is" if some == 1 else "are"
        which = f"{some} of {total} intervals (90%) of {family!r} {are} wide, the worst {where}:"
    if worst.gain <= 0.0:
        against = "and ten times the compute gains nothing there"
    else:
        many = worst.decades > _MOST_COUNTED
        times = "over a million" if many else factor(worst.decades * _LOG_TEN)
        against = f"as much as {times} times the compute gains there"
    percent = factor(math.log(100.0 * math.expm1(worst.width)))
    return f"{which} {percent}% from end to end, {against}."


def _why(worst: _Width, family: FamilyPosterior) -> str:
    """What makes it wide, and what would narrow it."""
    share = f"{100.0 * worst.share:.0f}%"
    if worst.share > _MOSTLY:
        return (
            f"{share} of its variance is doubt about the curve: more runs of {family.family!r} "
            "narrow it, and next-runs ranks them."
        )
    rest = "the noise of a run, which stays however many runs are fitted."
    if family.discrepancy is not None:
        rest = (
            "the noise of a run and the law's own error so far from the runs: of more runs, the "
            "larger ones help most."
        )
    return f"{share} of its variance is doubt about the curve; most is {rest}"
