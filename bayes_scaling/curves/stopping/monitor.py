"""Stop, continue or extend: the expected utility of the rest of a run."""

from typing import Unpack

import msgspec
import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.old_names import old_arguments
from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.cleaning.anomalies import Cleaned, cleaned
from bayes_scaling.curves.cleaning.cooldown import cooled
from bayes_scaling.curves.curve import WANTED, Curve
from bayes_scaling.curves.fitting.curve_fit import CurveFit, fit_curve
from bayes_scaling.curves.fitting.fit_options import FitOptions
from bayes_scaling.curves.stopping.curve_plot_data import forecasts, logged_losses
from bayes_scaling.curves.stopping.utility import TENTH, Utility
from bayes_scaling.curves.stopping.verdict import Length, StoppingGain, Verdict
from bayes_scaling.errors import DataError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["first_verdict", "judge", "monitor"]

Floats = NDArray[np.float64]

_GRID = 41
_FARTHEST = 4.0
"""Factor on the plan up to which extending is considered."""
_FAR = 4.0
"""Factor of the planned end on the last point beyond which the law alone decides."""


@old_arguments(stakes="utility")
def monitor(
    curve: Curve,
    end: float,
    *,
    utility: Utility | None = None,
    reference: float | None = None,
    seed: int = 0,
    **fitting: Unpack[FitOptions],
) -> Verdict:
    """Judge a run by its curve so far.

    Parameters
    ----------
    curve : Curve
        Curve so far.
    end : float
        Planned end, in what the curve's axis counts.
    utility : Utility, optional
        Cost of training and value of a lower loss; by default a tenth more training must save
        0.1% of the loss.
    reference : float, optional
        Loss to beat: that of another run, or a target.
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

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> verdict = bs.monitor(curve, 10_000, reference=2.0, laws="curve-power", particles=200)
    >>> verdict.stop_at > verdict.t, verdict.probability_of_reference < 0.1
    (True, True)
    """
    needs(curve, Curve, "curve", WANTED, DataError)
    end = in_unit("end", end, "", "1e5")
    if reference is not None:
        in_unit("reference", reference, "", "2.5")
    clean = cleaned(curve, fitting.get("schedule"))
    return first_verdict(
        clean, end, utility=utility, reference=reference, seed=seed, fitting=fitting
    )


def first_verdict(
    clean: Cleaned,
    end: float,
    *,
    utility: Utility | None,
    reference: float | None,
    seed: int,
    fitting: FitOptions,
) -> Verdict:
    """Judge a run by a curve whose anomalies are known; see :func:`monitor`."""
    plan = fitting.get("schedule")
    if clean.diverged:
        return _of_curve(clean, end)
    if plan is not None and plan.end < end * (1 - 1e-9):
        raise DataError(
            f"the schedule ends at {plan.end:g}, before the planned end {end:g}; give the rates up "
            "to it"
        )
    fit = fit_curve(clean.curve, end=end, seed=seed, **fitting)
    return judge(fit, end, utility=utility, reference=reference, clean=clean)


@old_arguments(stakes="utility")
def judge(
    fit: CurveFit,
    end: float,
    *,
    utility: Utility | None = None,
    reference: float | None = None,
    clean: Cleaned | None = None,
) -> Verdict:
    """Judge a run by an existing fit; see :func:`monitor`.

    Parameters
    ----------
    fit : CurveFit
        Posterior of the curve.
    end : float
        Planned end, in what the curve's axis counts.
    utility, reference
        As for :func:`monitor`.
    clean : Cleaned, optional
        Anomalies of its curve, and the excursion at its end.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> fit = bs.fit_curve(curve, laws="curve-power", particles=200)
    >>> judge(fit, 10_000, utility=Utility(cost=1.0, value_per_nat=1.0)).advice
    'stop'
    """
    value = utility or Utility()
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
    values = value.value(here[:, None] - losses, now, grid, level)
    best = int(values.mean(axis=0).argmax())
    stop_at = float(grid[best])
    advice = "stop" if best == 0 else "continue" if stop_at <= end * (1 + 1e-9) else "extend"
    if seen.waits_until is not None:
        # Whether there is a run to stop is not decided yet.
        advice, stop_at = "continue", seen.waits_until
    final = fit.forecast([end])[:, 0] if end > fit.curve.t[-1] else np.repeat(seen.loss, 2)
    tenth = fit.forecast([now, TENTH * now], "curve")
    pays = value.value(tenth[:, :1] - tenth[:, 1:], now, np.array([TENTH * now]), level)
    verdict = msgspec.structs.replace(
        _of_curve(seen, end),
        advice=advice,
        caveats=_caveats(fit, end, value),
        ahead=forecasts(fit, now, end, float(grid[best])),
        laws=fit.weights,
        final_loss=PosteriorSummary.of(final),
        floor=PosteriorSummary.of(fit.floor()),
        gain_rows=_gains(fit, now, end, value, level),
        plateau=float(np.mean(pays <= 0)),
        stop_at=stop_at,
        # As far as was looked: it may pay beyond.
        stop_is_farthest=stop_at == float(grid[-1]) and not fit.scheduled,
        regret=float((values.max(axis=1) - values[:, best]).mean()),
        unit=value.currency if value.priced else "loss",
        reference=reference,
        probability_of_reference=None if reference is None else float(np.mean(final < reference)),
    )
    msgspec.structs.force_setattr(verdict, "fit", fit)
    return verdict


def _of_curve(seen: Cleaned, end: float) -> Verdict:
    """Return what a verdict holds of the curve, without a forecast."""
    curve = seen.logged
    # What ended a run comes first.
    flags = (*seen.flags, *curve.flags) if seen.diverged else (*curve.flags, *seen.flags)
    verdict = Verdict.without_forecast(
        run=curve.run,
        metric=curve.metric,
        axis=curve.axis,
        t=float(curve.t[-1]),
        end=float(end),
        loss=seen.loss,
        excursion=seen.excursion,
        diverged=seen.diverged,
        flags=list(flags),
        points=logged_losses(curve),
    )
    if seen.diverged:
        msgspec.structs.force_setattr(verdict, "curve", curve)
    return verdict


def _ahead(fit: CurveFit, now: float, end: float) -> tuple[Floats, Floats]:
    """Return where it may be stopped, and the law's loss there, dims (draw, place)."""
    # A schedule is planned to the end, and nobody knows the rates beyond.
    farthest = end if fit.scheduled else _FARTHEST * end
    inner = np.geomspace(now, max(farthest, now * 1.0001), _GRID)
    grid = np.unique(np.concatenate([inner, [end] if end > now else []]))
    return grid, fit.forecast(grid, "curve")


def _gains(
    fit: CurveFit, now: float, end: float, utility: Utility, level: float
) -> list[StoppingGain]:
    """Return the gains of running on by a tenth, twice as long, and to the end."""
    rows = []
    lengths: tuple[tuple[Length, float], ...] = (
        ("a tenth more", TENTH * now),
        ("twice as long", 2.0 * now),
        ("to the end", end),
    )
    for run_on, later in lengths:
        if later <= now or (fit.scheduled and later > end * (1 + 1e-9)):
            continue
        losses = fit.forecast([now, later], "curve")
        gain = losses[:, 0] - losses[:, 1]
        spread = PosteriorSummary.of(gain)
        value = utility.value(gain, now, np.array(later), level)
        rows.append(
            StoppingGain(
                run_on=run_on,
                t=float(later),
                gain_mean=spread.mean,
                gain_q05=spread.q05,
                gain_q95=spread.q95,
                value=float(value.mean()),
            )
        )
    return sorted(rows, key=lambda row: row.t)


def _caveats(fit: CurveFit, end: float, utility: Utility) -> list[Caveat]:
    caveats = Caveats([*fit.caveats, *fit.data.caveats])
    ahead = end / float(fit.curve.t[-1])
    if ahead > _FAR:
        text = f"The end lies {ahead:.3g} times beyond what was seen: the law decides there."
        caveats.add("extrapolation", text, "warning", times=ahead)
    if not utility.priced:
        least = utility.least_gain
        text = "Cost and value of a lower loss are not given: a tenth more training must save "
        text += f"{100 * least:.3g}% of the loss to pay."
        caveats.add("default-utility", text, least_gain=least)
    rate = fit.curve.lr
    if not fit.scheduled and (rate is None or not cooled(fit.curve.t, rate)):
        text = (
            "The laws know nothing of learning rates: a cool-down to come takes the loss below the "
            "forecast, and after one that has begun the curve flattens. A schedule says."
        )
        caveats.add("no-schedule", text, "warning")
    return list(caveats)
