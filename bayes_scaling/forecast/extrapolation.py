"""Extrapolation: how far points lie above or below the runs of their family, and caveats."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, Datum
from bayes_scaling.inference import Fit
from bayes_scaling.model import Extent
from bayes_scaling.model.input_table import input_values
from bayes_scaling.posterior import runs_of
from bayes_scaling.runs.loss_units import plausible

__all__ = [
    "EXTRAPOLATED",
    "SIZE_NAMES",
    "Reach",
    "extent_of",
    "factor",
    "implausible",
    "own_input_caveats",
    "reach_caveats",
    "reach_of",
]

EXTRAPOLATED = 1.5
"""Factor above the largest or below the smallest fitted run from which a number is extrapolated."""
_LOG_EXTRAPOLATED = math.log(EXTRAPOLATED)
_LAW_ALONE = (
    "the interval holds only if the law does, and it contains no allowance for a wrong law."
)
# The first of equally far ones is named: compute, by which runs are mostly compared.
SIZE_NAMES = {"flops": "compute", "params": "parameters", "tokens": "tokens"}


@dataclass(frozen=True)
class Reach:
    """How far a point lies outside the fitted runs of its family.

    Attributes
    ----------
    above : float
        Natural log of the factor above the largest run, 0 within; in compute where that is above.
    above_in : str
        "compute", "parameters" or "tokens".
    below : float
        Natural log of the factor below the smallest run, 0 within: the largest of the three.
    below_in : str
        Which.
    """

    above: float
    above_in: str
    below: float
    below_in: str

    @property
    def is_above(self) -> bool:
        """Whether the point is extrapolated to larger sizes."""
        return self.above > _LOG_EXTRAPOLATED

    @property
    def is_below(self) -> bool:
        """Whether the point is extrapolated to smaller sizes."""
        return self.below > _LOG_EXTRAPOLATED

    @property
    def outside(self) -> bool:
        """Whether it is extrapolated at all."""
        return self.is_above or self.is_below

    @property
    def distance(self) -> float:
        """The larger of both."""
        return max(self.above, self.below)

    @property
    def words(self) -> str:
        """Both sides in words, such as "16 times the compute of the largest fitted run"."""
        sides = []
        if self.is_above:
            sides.append(
                f"{factor(self.above)} times the {self.above_in} of the largest fitted run"
            )
        if self.is_below:
            sides.append(
                f"1/{factor(self.below)} of the {self.below_in} of the smallest fitted run"
            )
        return " and ".join(sides)

    @property
    def tag(self) -> str:
        """The same in a few words."""
        sides = []
        if self.is_above:
            unit = "" if self.above_in == "compute" else f" in {self.above_in}"
            sides.append(f"extrapolated {factor(self.above)}×{unit}")
        if self.is_below:
            sides.append(f"below the runs: 1/{factor(self.below)} of the {self.below_in}")
        return ", ".join(sides)


def factor(log: float) -> str:
    """Format a natural log as a factor of three digits.

    Examples
    --------
    >>> factor(math.log(12345.0))
    '12,300'
    """
    ratio = float(f"{math.exp(log):.3g}")
    return f"{ratio:.3g}" if ratio < 1000 else f"{ratio:,.0f}" if ratio < 1e6 else f"{ratio:.3g}"


def extent_of(fit: Fit, family: str) -> Extent:
    """Return the range of sizes of a family's runs; of all runs if it was not fitted."""
    return Extent.of(runs_of(fit, family))


def reach_of(extent: Extent, sizes: Mapping[str, float]) -> Reach:
    """Return how far a point with these params, tokens and flops lies outside a range."""
    logs = {name: math.log(sizes[name]) for name in SIZE_NAMES}
    above, below = extent.outside(logs)
    in_compute = above["flops"] > _LOG_EXTRAPOLATED
    most = "flops" if in_compute else max(SIZE_NAMES, key=lambda name: above[name])
    least = max(SIZE_NAMES, key=lambda name: below[name])
    return Reach(float(above[most]), SIZE_NAMES[most], float(below[least]), SIZE_NAMES[least])


def reach_caveats(fit: Fit, points: pd.DataFrame, noun: str = "point") -> list[Caveat]:
    """Return caveats on points above the largest run of their family and below the smallest.

    Parameters
    ----------
    fit : Fit
        The fit.
    points : pandas.DataFrame
        family, params, tokens, flops.
    noun : str
        What a point is: "plan", "candidate".
    """
    extents = {name: extent_of(fit, str(name)) for name in points["family"].unique()}
    columns = points[["family", *SIZE_NAMES]].to_dict("records")
    found = [reach_of(extents[row["family"]], {n: row[n] for n in SIZE_NAMES}) for row in columns]
    caveats = [*_outside(fit, found, noun, above=True), *_outside(fit, found, noun, above=False)]
    if any(reach.is_above for reach in found):
        law = fit.law.name
        caveats += [
            _caveat("law-limitation", law, f"Law {law!r}: {text}", {})
            for text in fit.law.limitations
        ]
    return caveats


def _outside(fit: Fit, found: Sequence[Reach], noun: str, *, above: bool) -> list[Caveat]:
    """A caveat on the points on one side of the runs, by the farthest."""
    if above:
        far = [(reach.above, reach.above_in) for reach in found if reach.is_above]
        code, side = "extrapolation", "beyond the largest"
    else:
        far = [(reach.below, reach.below_in) for reach in found if reach.is_below]
        code, side = "extrapolation-below", "below the smallest"
    if not far:
        return []
    log, size = max(far, key=lambda pair: pair[0])
    text = (
        f"{_which(noun, len(far), len(found))} {side} fitted run of the family, by "
        f"{'' if len(far) == 1 else 'up to '}{log / math.log(10):.1f} decades of {size} "
        f"({f'{factor(log)} times' if above else f'1/{factor(log)}'}): {_allowance(fit)}"
    )
    data = _how_far(len(far), len(found), size, log)
    data["allows_for_law_error"] = fit.spec.discrepancy is not None
    return [_caveat(code, noun, text, data)]


def own_input_caveats(fit: Fit, points: pd.DataFrame) -> list[Caveat]:
    """Return a caveat on each input of the law's own that lies outside the fitted runs."""
    caveats = []
    for entry in fit.law.own_inputs:
        name, known = entry.name, input_values(entry, fit.runs)
        low, high = known.min(), known.max()
        far = np.maximum(points[name] / high, low / points[name])
        count = int((far > EXTRAPOLATED).sum())
        if count:
            log = math.log(far.max())
            text = (
                f"{_which('point', count, len(points))} outside the {name} of the fitted runs, "
                f"{low:.4g} to {high:.4g}, by {'' if count == 1 else 'up to '}"
                f"{factor(log)} times: {_LAW_ALONE}"
            )
            data = _how_far(count, len(points), name, log)
            caveats.append(_caveat("input-extrapolation", name, text, data))
    return caveats


def _caveat(code: str, subject: str, text: str, data: dict[str, Datum]) -> Caveat:
    return Caveat(code=code, severity="warning", subject=subject, text=text, data=data)


def _how_far(points: int, total: int, size: str, log: float) -> dict[str, Datum]:
    return {"points": points, "of": total, "size": size, "factor": math.exp(log)}


def _which(noun: str, some: int, total: int) -> str:
    if total == 1:
        return f"The {noun} lies"
    return f"{some} of {total} {noun}s {'lies' if some == 1 else 'lie'}"


def _allowance(fit: Fit) -> str:
    if fit.spec.discrepancy is None:
        return _LAW_ALONE
    return (
        "the interval allows for errors of the law as large as it has made elsewhere at such a "
        "distance, and holds only if this family is of that kind."
    )


def implausible(
    units: Iterable[str], medians: NDArray[np.float64], noun: str = "point"
) -> list[Caveat]:
    """Return a caveat on forecasts above the loss of guessing.

    Parameters
    ----------
    units : iterable of str
        Unit of each loss.
    medians : (point,) array
        Median loss of each point.
    noun : str
        What a point is.
    """
    limits = [(*plausible(unit)[1:], unit) for unit in units]
    worse = [
        (float(median), most, meaning, unit)
        for median, (most, meaning, unit) in zip(medians, limits, strict=True)
        if median > most
    ]
    if not worse:
        return []
    median, most, meaning, unit = max(worse, key=lambda row: row[0] / row[1])
    who = f"the {noun}" if len(limits) == 1 else f"{len(worse)} of {len(limits)} {noun}s"
    text = (
        f"The median loss of {who}, {'' if len(worse) == 1 else 'up to '}{median:.4g} {unit}, "
        f"is above the {most:.4g} of {meaning}: the law does not hold so far from the runs."
    )
    data: dict[str, Datum] = {
        "points": len(worse),
        "of": len(limits),
        "median": median,
        "most": float(most),
        "unit": unit,
    }
    return [_caveat("loss-above-guessing", noun, text, data)]
