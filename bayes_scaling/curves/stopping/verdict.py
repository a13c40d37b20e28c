"""Verdict on a run in progress: a record with a file, and its text."""

from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
import pandas as pd

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import Record, about, null_together, to_plain
from bayes_scaling.core.result import CAVEATS, Result
from bayes_scaling.curves.cleaning.anomalies import Excursion
from bayes_scaling.curves.curve import Axis, Curve
from bayes_scaling.curves.curve_flag import Flag
from bayes_scaling.curves.fitting.curve_fit import CurveFit

__all__ = ["CurveForecast", "Length", "LoggedLoss", "StoppingGain", "Verdict"]

Length = Literal["a tenth more", "twice as long", "to the end"]
Probability = Annotated[float, about("Probability.", "probability", ge=0, le=1)]


class LoggedLoss(Record, frozen=True, kw_only=True):
    """Logged point of a curve."""

    t: Annotated[float, about("Position.", "axis")]
    loss: Annotated[float, about("Logged loss.", "loss")]


class CurveForecast(Record, frozen=True, kw_only=True):
    """Forecast at one position: the loss to be logged, and the loss saved by running on to it."""

    t: Annotated[float, about("Position.", "axis")]
    loss_q05: Annotated[float, about("5% quantile of the loss to be logged.", "loss")]
    loss_q25: Annotated[float, about("25% quantile of the loss to be logged.", "loss")]
    loss_q50: Annotated[float, about("Median of the loss to be logged.", "loss")]
    loss_q75: Annotated[float, about("75% quantile of the loss to be logged.", "loss")]
    loss_q95: Annotated[float, about("95% quantile of the loss to be logged.", "loss")]
    gain_q05: Annotated[float, about("5% quantile of the loss saved by running on.", "loss")]
    gain_q25: Annotated[float, about("25% quantile of the loss saved by running on.", "loss")]
    gain_q50: Annotated[float, about("Median of the loss saved by running on.", "loss")]
    gain_q75: Annotated[float, about("75% quantile of the loss saved by running on.", "loss")]
    gain_q95: Annotated[float, about("95% quantile of the loss saved by running on.", "loss")]


class StoppingGain(Record, frozen=True, kw_only=True):
    """Gain of running on by one of several lengths."""

    run_on: Annotated[Length, about("How far.")] = msgspec.field(name="run on")
    t: Annotated[float, about("Position where that is.", "axis")]
    gain_mean: Annotated[float, about("Mean of the loss saved.", "loss")]
    gain_q05: Annotated[float, about("5% quantile of the loss saved.", "loss")]
    gain_q95: Annotated[float, about("95% quantile of the loss saved.", "loss")]
    value: Annotated[float, about("Expected value less cost, in `unit`.")]


_FORECAST = ("final_loss", "floor", "plateau", "stop_at", "regret")
"""Fields that are null after divergence."""


class Verdict(Result, frozen=True, kw_only=True, tag="bayes_scaling.verdict/2", dict=True):
    """Verdict on a run: stop, continue or extend, as `monitor` and `watch` write it.

    Attributes
    ----------
    fit : CurveFit or None
        Fit behind it; None for one that was read from its file, and for a curve that diverged.
    curve : Curve or None
        Curve as it was logged, where it diverged.

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> verdict = bs.monitor(curve, 10_000, laws="curve-power", particles=200)
    >>> verdict.advice, bool(verdict.final_loss.q05 < curve.loss[-1])
    ('extend', True)
    """

    advice: Annotated[
        Literal["stop", "continue", "extend"],
        about(
            "What to do: stop now; run on to `stop_at`, at or before the planned end; or beyond. "
            "While a spike or dip is under way it is continue, to where that is decided."
        ),
    ]
    run: Annotated[str, about("Name of the run.")]
    metric: Annotated[str, about("Column or tag of the loss.")]
    axis: Annotated[Axis, about("What the curve counts.")]
    t: Annotated[float, about("Last point.", "axis")]
    end: Annotated[float, about("Planned end.", "axis", gt=0)]
    loss: Annotated[
        float | None,
        about("Last logged loss, or that of the curve where the last point is an outlier.", "loss"),
    ]
    excursion: Annotated[
        Excursion | None, about("Excursion at the last point; null where it is on the curve.")
    ]
    diverged: Annotated[bool, about("Whether the run diverged; then nothing is forecast.")]
    flags: Annotated[list[Flag], about("What must be known of the points.")]
    caveats: Annotated[list[Caveat], about(CAVEATS)]
    points: Annotated[list[LoggedLoss], about("Logged points: all, or of a longer log about 200.")]
    ahead: Annotated[
        list[CurveForecast],
        about("Forecast, from now to the planned end or the place to stop."),
    ]
    laws: Annotated[dict[str, float], about("Weight of each law of curves.")]
    final_loss: Annotated[
        PosteriorSummary | None, about("Loss at the planned end; null after divergence.", "loss")
    ]
    floor: Annotated[
        PosteriorSummary | None, about("Loss if it ran for ever; null after divergence.", "loss")
    ]
    gain_rows: Annotated[list[StoppingGain], about("Gains of running on.")] = msgspec.field(
        name="gains"
    )
    plateau: Annotated[
        Probability | None, about("That the next tenth does not pay.", "probability")
    ]
    stop_at: Annotated[float | None, about("Where to stop.", "axis")]
    stop_is_farthest: Annotated[bool, about("Whether that is as far as was looked.")]
    regret: Annotated[float | None, about("Expected cost of being wrong about it, in `unit`.")]
    unit: Annotated[str, about("Unit of values: a currency, or loss.")]
    reference: Annotated[float | None, about("Loss to beat; null for none.", "loss")]
    probability_of_reference: Annotated[
        Probability | None,
        about("Of a lower loss at the end; null without a reference.", "probability"),
    ]

    fit: ClassVar[CurveFit | None] = None
    curve: ClassVar[Curve | None] = None

    def __post_init__(self) -> None:
        null_together(self, "reference", "probability_of_reference")
        null_together(self, *_FORECAST)

    @classmethod
    def without_forecast(cls, **curve: Any) -> Self:
        """Return a verdict to stop by its fields of the curve; those of a forecast are empty."""
        names = ("final_loss", "floor", "plateau", "stop_at", "regret", "reference")
        known: dict[str, Any] = dict.fromkeys((*names, "probability_of_reference"))
        known |= {"caveats": [], "ahead": [], "gain_rows": [], "laws": {}, "unit": "loss"}
        return cls(**(known | {"advice": "stop", "stop_is_farthest": False} | curve))

    @property
    def gains(self) -> pd.DataFrame:
        """Gains of running on, one row each: columns are the fields of :class:`StoppingGain`."""
        return pd.DataFrame(to_plain(self.gain_rows))

    def __str__(self) -> str:
        where = f"{self.run!r} at {self.axis} {self.t:.6g} of {self.end:.6g}"
        if self.final_loss is None or self.floor is None:
            since = f", from {self.flags[0].first:.6g} on" if self.flags else ""
            return f"Stop: {where} has diverged{since}{_divergence(self.excursion)}."
        final, floor = self.final_loss, self.floor
        now = "no number" if self.loss is None else f"{self.loss:.4g}"
        lines = [
            self._headline(where),
            (
                f"Loss {now} now; {final.mean:.4g} at the end of the plan, 90% "
                f"between {final.q05:.4g} and {final.q95:.4g}; {floor.q50:.4g} if it ran for ever "
                f"(90% {floor.q05:.4g} to {floor.q95:.4g})."
            ),
            (
                f"The next tenth does not pay with probability {self.plateau:.0%}. Expected cost "
                f"of being wrong: {self.regret:.2g} {self.unit}."
            ),
        ]
        if self.reference is not None:
            lines.append(
                f"Probability of a loss below {self.reference:.4g} at the end: "
                f"{self.probability_of_reference:.1%}."
            )
        table = self.gains.rename(columns={"value": f"value ({self.unit})"})
        lines.append(table.to_string(index=False, float_format="{:.4g}".format))
        lines += [f"Note: {flag}." for flag in self.flags]
        return "\n".join([*lines, *(f"Note: {caveat.text}" for caveat in self.caveats)])

    def _headline(self, where: str) -> str:
        e = self.excursion
        if e is not None and e.wait_until is not None:
            return (
                f"Wait: {where}, until {e.wait_until:.6g}: a {e.kind} is under way since "
                f"{e.since:.6g}, of the loss from {e.loss_before:.4g} to {e.loss_farthest:.4g}, "
                f"now {e.loss_now:.4g}. It returns with probability {e.returns:.0%}, has diverged "
                f"with {e.diverged:.0%}; what follows holds if it returns."
            )
        farthest = " at least" if self.stop_is_farthest else ""
        return {
            "stop": f"Stop: {where} is not worth running on.",
            "continue": f"Continue: {where}, up to {self.stop_at:.6g}.",
            "extend": f"Extend: {where} is worth running beyond its plan, up to "
            f"{self.stop_at:.6g}{farthest}.",
        }[self.advice]


def _divergence(e: Excursion | None) -> str:
    """Describe a divergence, and what decides that it is one."""
    if e is None or e.loss_farthest is None:
        return ""
    return (
        f": the loss went from {e.loss_before:.4g} to {e.loss_farthest:.4g}, is {e.loss_now:.4g} "
        f"after {e.points} points, and by now would have returned if it were to (probability that "
        f"it has diverged {e.diverged:.1%})"
    )
