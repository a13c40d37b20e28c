"""Figure of a training curve: what was logged, what is to come, and where to stop."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_scaling.curves import Verdict
from bayes_scaling.errors import DataError
from bayes_scaling.report import style
from bayes_scaling.report.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curve"]

_POINTS = 60


@style.styled
def plot_curve(verdict: Verdict) -> "Figure":
    """A curve, its forecast to the planned end, and where it should be stopped.

    Parameters
    ----------
    verdict : Verdict
        Of :func:`bayes_scaling.curves.monitor`, not read from a file.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: the loss with 50% and 90% intervals of what will be logged; the expected gain of
        running on, and its 90% interval, with the place where it stops paying.

    Raises
    ------
    DataError
        If the verdict holds neither a fit nor a curve.
    """
    fit, content = verdict.fit, verdict.content
    if fit is None:
        return _diverged(verdict)
    now, end = content["t"], content["end"]
    figure, (loss, gain) = style.panels(2, width=9.6, height=3.9)
    curve = fit.curve
    loss.plot(curve.t, curve.loss, ".", color=COLOURS["runs"], ms=4, label="logged")
    at = np.geomspace(now, max(end, content["stop_at"], 1.02 * now), _POINTS)
    if fit.scheduled:
        at = at[at <= end * (1 + 1e-9)]
    if len(at) > 1:
        _fan(loss, at, fit.forecast(at), "forecast")
        later = fit.forecast(at, "curve")
        _fan(gain, at, later[:, :1] - later, "gain")
    loss.axvline(end, color=COLOURS["limit"], lw=0.9, ls=":", label="planned end")
    if content["reference"] is not None:
        loss.axhline(content["reference"], color=COLOURS["plan"], lw=1.1, ls=":", label="to beat")
    for axes in (loss, gain):
        if verdict.advice != "stop":
            axes.axvline(content["stop_at"], color=COLOURS["good"], lw=1.3, label="stop here")
        axes.set(xscale="log", xlabel=content["axis"])
    loss.set(
        yscale="log",
        ylabel=style.label(content["metric"]),
        title=f"{style.label(content['run'], 30)}: {verdict.advice}",
    )
    _plain(loss)
    gain.set(ylabel="loss saved by running on", title="What more training gains")
    loss.legend()
    gain.legend()
    return figure


def _diverged(verdict: Verdict) -> "Figure":
    """The points alone, and where the run went wrong."""
    curve, content = verdict.curve, verdict.content
    if curve is None:
        raise DataError("the verdict was read from a file and holds no curve to draw")
    figure = style.new_figure()
    axes = figure.subplots()
    axes.plot(curve.t, curve.loss, ".", color=COLOURS["runs"], ms=4, label="logged")
    at = content["flags"][0]["first"]
    axes.axvline(at, color=COLOURS["held_out"], lw=1.2, label="diverged from here")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=content["axis"],
        ylabel=style.label(content["metric"]),
        title=f"{style.label(content['run'], 30)}: stop",
    )
    _plain(axes)
    axes.legend()
    return figure


def _fan(axes: "Axes", at: Any, draws: Any, name: str) -> None:
    q05, q25, q50, q75, q95 = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    blue = COLOURS["forecast"]
    axes.fill_between(at, q05, q95, color=blue, alpha=0.15, lw=0, label="90%")
    axes.fill_between(at, q25, q75, color=blue, alpha=0.25, lw=0, label="50%")
    axes.plot(at, q50, color=blue, lw=1.5, label=name)


def _plain(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
