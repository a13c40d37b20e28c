"""Table of runs from the curves of finished runs."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.cleaning.cooldown import cooled
from bayes_scaling.curves.curve import Curve
from bayes_scaling.errors import DataError

__all__ = ["finished_runs"]

_TAIL = 5
_FEWEST = 8
_GLITCH = 5.0
"""Robust standard deviations by which the last point may lie off the points before it."""
_TO_SD = 1.4826
_LEAST = 0.005


def finished_runs(curves: Iterable[Curve], about: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a table of runs with the final losses of their curves.

    The loss is that of the last point. Where that glitches, lying further off the line through the
    five points before it than these scatter, it is their median.

    Parameters
    ----------
    curves : iterable of Curve
        Curves, one a run.
    about : pandas.DataFrame, optional
        Further columns of each run (params, tokens, family …), with a column ``run``.

    Returns
    -------
    pandas.DataFrame
        Columns run, loss, step or tokens, ``cooldown`` (whether the learning rate had been lowered
        to its end: to a tenth of its peak, or to where a smooth decay rests; blank where none was
        logged), ``loss_from`` ("last point" or "median of the tail"), ``flags`` (in words), and
        the columns of ``about``. What
        :func:`bayes_scaling.load_runs` reads, once params and tokens are there; rows whose
        ``cooldown`` is False are intermediate checkpoints, and are flagged there.

    Raises
    ------
    DataError
        If ``about`` has no column run, or not every run just once.

    Examples
    --------
    >>> curves = bs.load_curves("curve.csv", t="step")
    >>> table = finished_runs(curves, pd.DataFrame({"run": ["a"], "params": 1e6, "tokens": 2e9}))
    >>> table[["run", "params", "tokens", "loss", "cooldown"]]
      run     params        tokens    loss  cooldown
    0   a  1000000.0  2.000000e+09  3.2102     False
    """
    rows = [_row(curve) for curve in curves]
    table = pd.DataFrame(rows)
    if about is None:
        return table
    if "run" not in about:
        raise DataError("what is known of runs has no column 'run'")
    counts = about["run"].value_counts()
    for name in table["run"]:
        if counts.get(name, 0) != 1:
            raise DataError(
                f"run {name!r} stands {counts.get(name, 0)} times in what is known of runs; once "
                "is needed"
            )
    return about.merge(table, on="run", how="inner", validate="one_to_one")


def _row(curve: Curve) -> dict[str, object]:
    clean = cleaned(curve)
    loss, source = _final(curve)
    lowered = None
    flags = [f"{flag.code} ({flag.points} points)" for flag in (*curve.flags, *clean.flags)]
    if curve.lr is not None:
        lowered = cooled(curve.t, curve.lr)
        if not lowered:
            flags.append("the learning rate was still high: an intermediate checkpoint")
    return {
        "run": curve.run,
        "loss": loss,
        curve.axis: float(curve.t[-1]),
        "cooldown": lowered,
        "loss_from": source,
        "flags": "; ".join(flags),
    }


def _final(curve: Curve) -> tuple[float, str]:
    """Return the last loss, unless it glitches."""
    last = float(curve.loss[-1])
    if len(curve) < _FEWEST:
        return last, "last point"
    log_t, log_loss = np.log(curve.t), np.log(curve.loss)
    before = slice(-_TAIL - 1, -1)
    line = np.polyfit(log_t[before], log_loss[before], 1)
    off = log_loss[before] - np.polyval(line, log_t[before])
    typical = max(_TO_SD * float(np.median(np.abs(off))), _LEAST)
    if abs(log_loss[-1] - np.polyval(line, log_t[-1])) <= _GLITCH * typical:
        return last, "last point"
    return float(np.median(curve.loss[before])), "median of the tail"
