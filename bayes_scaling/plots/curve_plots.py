"""Figure of a training curve: what was logged, what is to come, and where to stop."""

from typing import TYPE_CHECKING

import pandas as pd

from bayes_scaling.core.records import to_plain
from bayes_scaling.curves import Verdict
from bayes_scaling.errors import DataError
from bayes_scaling.plots import style
from bayes_scaling.plots.number_format import axis_power, plain_number
from bayes_scaling.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curve"]

_TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


@style.styled
def plot_curve(verdict: Verdict) -> "Figure":
    """Plot a curve, its forecast to the planned end, and where it should be stopped.

    Parameters
    ----------
    verdict : Verdict
        Of :func:`bayes_scaling.curves.monitor`, or read from its file.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: the loss with 50% and 90% intervals of what will be logged; the expected gain of
        running on, and its 90% interval, with the place where it stops paying.

    Raises
    ------
    DataError
        If the verdict was written by a version that kept no points.

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> verdict = bs.monitor(curve, 10_000, laws="curve-power", particles=200)
    >>> figure = plot_curve(verdict)
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['step', 'step']
    """
    if not verdict.points:
        raise DataError("the verdict's file holds no points to draw; make it again")
    if verdict.diverged:
        return _diverged(verdict)
    figure, (loss, gain) = style.panels(2, width=9.6, height=3.9)
    _logged(loss, verdict)
    ahead = pd.DataFrame(to_plain(verdict.ahead))
    if len(ahead):
        _fan(loss, ahead, "loss", "forecast")
        _fan(gain, ahead, "gain", "gain")
    loss.axvline(verdict.end, color=COLOURS["limit"], lw=0.9, ls=":", label="planned end")
    if verdict.reference is not None:
        loss.axhline(verdict.reference, color=COLOURS["plan"], lw=1.1, ls=":", label="to beat")
    for axes in (loss, gain):
        if verdict.advice != "stop" and verdict.stop_at is not None:
            # Broad and below: the planned end often lies in the same place.
            axes.axvline(
                verdict.stop_at, color=COLOURS["good"], lw=3, alpha=0.6, zorder=1,
                label="stop here",
            )  # fmt: skip
        style.log_axis(axes.xaxis, axis_power)
        axes.set(xlabel=verdict.axis)
    loss.set(
        ylabel=style.label(verdict.metric),
        title=f"{style.label(verdict.run, 30)}: {verdict.advice}",
    )
    style.log_axis(loss.yaxis, plain_number, _TICKS)
    gain.set(ylabel="loss saved by running on", title="What more training gains")
    loss.legend()
    gain.legend()
    return figure


def _logged(axes: "Axes", verdict: Verdict) -> None:
    at = [point.t for point in verdict.points]
    axes.plot(
        at,
        [point.loss for point in verdict.points],
        ".",
        color=COLOURS["runs"],
        ms=4,
        label="logged",
    )


def _diverged(verdict: Verdict) -> "Figure":
    """The points alone, and where the run went wrong."""
    figure = style.new_figure()
    axes = figure.subplots()
    _logged(axes, verdict)
    at = verdict.flags[0].first
    axes.axvline(at, color=COLOURS["held_out"], lw=1.2, label="diverged from here")
    axes.set(
        xlabel=verdict.axis,
        ylabel=style.label(verdict.metric),
        title=f"{style.label(verdict.run, 30)}: stop",
    )
    style.log_axis(axes.yaxis, plain_number, _TICKS)
    style.log_axis(axes.xaxis, axis_power)
    axes.legend()
    return figure


def _fan(axes: "Axes", ahead: pd.DataFrame, stem: str, name: str) -> None:
    at, blue = ahead["t"], COLOURS["forecast"]
    q05, q25, q50, q75, q95 = (
        ahead[f"{stem}_q{level}"] for level in ("05", "25", "50", "75", "95")
    )
    axes.fill_between(at, q05, q95, color=blue, alpha=0.15, lw=0, label="90%")
    axes.fill_between(at, q25, q75, color=blue, alpha=0.25, lw=0, label="50%")
    axes.plot(at, q50, color=blue, lw=1.5, label=name)
