"""Stop, continue or extend: what the rest of a run is worth, seen from its beginning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs
from bayes_scaling.core.display import brief
from bayes_scaling.core.draw_summary import describe
from bayes_scaling.core.json_files import Saved, records, without
from bayes_scaling.curves.cleaning.anomalies import Cleaned, cleaned
from bayes_scaling.curves.cleaning.cooldown import cooled
from bayes_scaling.curves.curve import WANTED, Curve
from bayes_scaling.curves.fitting.curve_fit import CurveFit, fit_curve
from bayes_scaling.curves.stopping.curve_plot_data import ahead_of, points_of
from bayes_scaling.curves.stopping.excursion_text import change, waiting, went
from bayes_scaling.curves.stopping.utility import TENTH, Stakes
from bayes_scaling.errors import DataError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["SCHEMA", "Verdict", "judge", "monitor"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.verdict/1"
_GRID = 41
_FARTHEST = 4.0
"""Times the plan up to which extending is considered."""


@dataclass(frozen=True, eq=False, repr=False)
class Verdict(Saved):
    """What to do with a run, and how sure that is.

    Attributes
    ----------
    advice : {"stop", "continue", "extend"}
        Stop now; run on to ``stop_at``, at or before the planned end; or beyond it. While a spike
        or dip is under way it is "continue", and ``stop_at`` where that is decided.
    content : dict
        Everything, as it stands in the file: ``final_loss`` and ``floor`` (mean, sd, quantiles),
        ``gains`` (of the next tenth, of twice as much, to the end), ``plateau`` (probability that
        the next tenth does not pay), ``stop_at``, ``regret`` (expected cost of being wrong about
        it), ``probability_of_reference``, ``excursion`` (what goes on where it is off its curve:
        :class:`~bayes_scaling.curves.cleaning.anomalies.Excursion`), ``flags``, ``warnings``, and
        what a figure needs: ``points`` (of the curve) and ``ahead`` (quantiles of what is to come).
    fit : CurveFit or None
        The fit behind it; None for a curve that diverged before there was one.
    curve : Curve or None
        As it was logged, where it diverged.
    """

    advice: str
    content: dict[str, Any]
    fit: CurveFit | None = None
    curve: Curve | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {"schema": SCHEMA, "advice": self.advice, **self.content}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Verdict":
        """A verdict from the content of its file, without the fit behind it."""
        return cls(content["advice"], without(content, "schema", "advice"))

    @property
    def gains(self) -> pd.DataFrame:
        """Expected gain in loss of running on, by how far."""
        return pd.DataFrame(self.content["gains"])

    def __str__(self) -> str:
        c = self.content
        where = f"{c['run']!r} at {c['axis']} {c['t']:.6g} of {c['end']:.6g}"
        if c["diverged"]:
            since = f"from {c['flags'][0]['first']:.6g} on"
            return f"Stop: {where} has diverged, {since}{went(c.get('excursion'))}."
        final = c["final_loss"]
        unit = c["unit"]
        waits = waiting(c.get("excursion"))
        lines = [
            f"Wait: {where}, {waits}"
            if waits
            else {
                "stop": f"Stop: {where} is not worth running on.",
                "continue": f"Continue: {where}, up to {c['stop_at']:.6g}.",
                "extend": f"Extend: {where} is worth running beyond its plan, up to "
                f"{c['stop_at']:.6g}{' at least' if c['stop_is_farthest'] else ''}.",
            }[self.advice],
            (
                f"Loss {c['loss']:.4g} now; {final['mean']:.4g} at the end of the plan, 90% "
                f"between {final['q05']:.4g} and {final['q95']:.4g}; {c['floor']['q50']:.4g} if "
                f"it ran for ever (90% {c['floor']['q05']:.4g} to {c['floor']['q95']:.4g})."
            ),
            (
                f"The next tenth does not pay with probability {c['plateau']:.0%}. Expected cost "
                f"of being wrong: {c['regret']:.2g} {unit}."
            ),
        ]
        if c["reference"] is not None:
            lines.append(
                f"Probability of a loss below {c['reference']:.4g} at the end: "
                f"{c['probability_of_reference']:.1%}."
            )
        shown = self.gains.rename(columns={"value": f"value ({unit})"})
        lines.append(shown.to_string(index=False, float_format="{:.4g}".format))
        lines += [
            f"Note: {flag['code']}, {flag['points']} point{'s' * (flag['points'] > 1)} from "
            f"{flag['first']:.6g} to {flag['last']:.6g}{change(flag)}: {flag['meaning']}."
            for flag in c["flags"]
        ]
        return "\n".join([*lines, *(f"Note: {text}" for text in c["warnings"])])

    def __repr__(self) -> str:
        return brief(str(self))


def monitor(
    curve: Curve,
    end: float,
    *,
    stakes: Stakes | None = None,
    reference: float | None = None,
    seed: int = 0,
    **fitting: Any,
) -> Verdict:
    """Judge a run by its curve so far.

    Parameters
    ----------
    curve : Curve
        The curve so far.
    end : float
        Planned end, in what the curve's axis counts.
    stakes : Stakes, optional
        Cost and worth; if not given a tenth more training must save 0.1% of the loss.
    reference : float, optional
        A loss to beat: that of another run, or a target.
    seed : int
        Random seed.
    **fitting
        As for :func:`fit_curve`: ``laws``, ``schedule``, ``population``, ``particles``.

    Returns
    -------
    Verdict

    Raises
    ------
    DataError
        If the curve is too short, or has passed its end.
    ScenarioError
        If a number is out of range.
    """
    needs(curve, Curve, "curve", WANTED, DataError)
    end = in_unit("end", end, "", "1e5")
    if reference is not None:
        in_unit("reference", reference, "", "2.5")
    plan = fitting.get("schedule")
    clean = cleaned(curve, plan)
    if clean.diverged:
        return _diverged(clean, end)
    if plan is not None and plan.end < end * (1 - 1e-9):
        raise DataError(
            f"the schedule ends at {plan.end:g}, before the planned end {end:g}; give the rates up "
            "to it"
        )
    if fitting.get("population") is not None:
        fitting["end"] = end
    fit = fit_curve(clean.curve, seed=seed, **fitting)
    return judge(fit, end, stakes=stakes, reference=reference, clean=clean)


def judge(
    fit: CurveFit,
    end: float,
    *,
    stakes: Stakes | None = None,
    reference: float | None = None,
    clean: Cleaned | None = None,
) -> Verdict:
    """The verdict of a fit that is there already; see :func:`monitor`.

    ``clean`` is what was kept out of its curve, and what goes on at its end.
    """
    given = stakes or Stakes()
    seen = clean or Cleaned(fit.curve, fit.curve, (), float(fit.curve.loss[-1]))
    now = float(seen.logged.t[-1])
    if now > end:
        raise DataError(
            f"the curve of {fit.curve.run!r} ends at {now:g}, beyond its planned end {end:g}; "
            "give a later end"
        )
    grid, losses = _ahead(fit, now, end)
    here = losses[:, 0]
    level = float(np.median(here))
    values = given.value(here[:, None] - losses, now, grid, level)
    mean = values.mean(axis=0)
    best = int(mean.argmax())
    advice = "stop" if best == 0 else "continue" if grid[best] <= end * (1 + 1e-9) else "extend"
    stop_at = float(grid[best])
    if seen.waits_until is not None:
        # Whether there is a run to stop is not decided yet.
        advice, stop_at = "continue", seen.waits_until
    final = fit.forecast([end])[:, 0] if end > fit.curve.t[-1] else np.repeat(seen.loss, 2)
    tenth = fit.forecast([now, TENTH * now], "curve")
    pays = given.value(tenth[:, :1] - tenth[:, 1:], now, np.array([TENTH * now]), level)
    content = {
        **_where(seen, end),
        "laws": fit.weights,
        "final_loss": describe(final),
        "floor": describe(fit.floor()),
        "gains": _gains(fit, now, end, given, level),
        "plateau": float(np.mean(pays <= 0)),
        "stop_at": stop_at,
        # As far as was looked: it may pay beyond.
        "stop_is_farthest": stop_at == float(grid[-1]) and not fit.scheduled,
        "regret": float((values.max(axis=1) - values[:, best]).mean()),
        "unit": given.currency if given.priced else "loss",
        "reference": reference,
        "probability_of_reference": (
            None if reference is None else float(np.mean(final < reference))
        ),
        "diverged": False,
        "flags": [vars(flag) for flag in (*seen.logged.flags, *seen.flags)],
        "warnings": _doubts(fit, end, given),
        "points": points_of(seen.logged),
        "ahead": ahead_of(fit, now, end, float(grid[best])),
    }
    return Verdict(advice, content, fit)


def _where(seen: Cleaned, end: float) -> dict[str, Any]:
    curve, goes_on = seen.logged, seen.excursion
    return {
        "run": curve.run,
        "metric": curve.metric,
        "axis": curve.axis,
        "t": float(curve.t[-1]),
        "end": float(end),
        "loss": seen.loss,
        "excursion": None if goes_on is None else vars(goes_on),
    }


def _ahead(fit: CurveFit, now: float, end: float) -> tuple[Floats, Floats]:
    """Where it may be stopped, and the law's loss there, dims (draw, place)."""
    # A schedule is planned to the end, and nobody knows the rates beyond.
    farthest = end if fit.scheduled else _FARTHEST * end
    inner = np.geomspace(now, max(farthest, now * 1.0001), _GRID)
    grid = np.unique(np.concatenate([inner, [end] if end > now else []]))
    return grid, fit.forecast(grid, "curve")


def _gains(
    fit: CurveFit, now: float, end: float, stakes: Stakes, level: float
) -> list[dict[str, Any]]:
    """What running on by a tenth, twice as long, and to the end saves."""
    ways = {"a tenth more": TENTH * now, "twice as long": 2.0 * now, "to the end": end}
    rows = []
    for name, later in ways.items():
        if later <= now or (fit.scheduled and later > end * (1 + 1e-9)):
            continue
        losses = fit.forecast([now, later], "curve")
        gain = losses[:, 0] - losses[:, 1]
        told = describe(gain)
        value = stakes.value(gain, now, np.array(later), level)
        rows.append(
            {
                "run on": name,
                "t": later,
                **{f"gain_{key}": told[key] for key in ("mean", "q05", "q95")},
                "value": float(value.mean()),
            }
        )
    return records(pd.DataFrame(rows).sort_values("t", kind="stable")) if rows else []


def _doubts(fit: CurveFit, end: float, stakes: Stakes) -> list[str]:
    said = [*fit.warnings, *([fit.data.said] if fit.data.said else [])]
    ahead = end / float(fit.curve.t[-1])
    if ahead > 4.0:
        said.append(f"The end lies {ahead:.3g} times beyond what was seen: the law decides there.")
    if not stakes.priced:
        said.append(
            f"Cost and worth are not given: a tenth more training must save "
            f"{100 * stakes.least_gain:.3g}% of the loss to pay."
        )
    if not fit.scheduled:
        rate = fit.curve.lr
        if rate is None or not cooled(fit.curve.t, rate):
            said.append(
                "The laws know nothing of learning rates: a cool-down to come takes the loss below "
                "the forecast, and after one that has begun the curve flattens. A schedule says."
            )
    return said


def _diverged(clean: Cleaned, end: float) -> Verdict:
    curve, flags = clean.logged, (*clean.flags, *clean.logged.flags)
    content = {**_where(clean, end), "diverged": True, "flags": [vars(flag) for flag in flags]}
    content |= {"warnings": [], "points": points_of(curve)}
    return Verdict("stop", content, curve=curve)
