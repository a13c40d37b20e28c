"""Caveats of a forecast."""

import difflib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, Datum
from bayes_scaling.errors import DataError
from bayes_scaling.forecast.extrapolation import implausible, own_input_caveats, reach_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.runs import load_configs
from bayes_scaling.runs.checks.family_names import misspelt

__all__ = ["check_spelling", "point_caveats", "size_caveats", "unseen_families"]

Floats = NDArray[np.float64]


def unseen_families(fit: Fit, names: Iterable[str]) -> list[Caveat]:
    """Return a caveat on families that were not fitted, and on which may have been meant."""
    unseen = [name for name in names if name not in fit.families]
    if not unseen:
        return []
    meant = {name: difflib.get_close_matches(name, fit.families, n=1) for name in unseen}
    hints = "".join(
        f" Did you mean {close[0]!r} by {name!r}?" for name, close in meant.items() if close
    )
    several = len(unseen) > 1
    text = (
        f"{'Families' if several else 'Family'} {', '.join(map(repr, unseen))} "
        f"{'were' if several else 'was'} not in the fit: the forecast is drawn from the population "
        f"of {len(fit.families)} fitted famil{'ies' if len(fit.families) > 1 else 'y'}.{hints}"
    )
    data: dict[str, Datum] = {"families": [*unseen], "fitted": len(fit.families)}
    subject = ", ".join(unseen)
    return [Caveat(code="unseen-family", severity="warning", subject=subject, text=text, data=data)]


def size_caveats(sizes: pd.DataFrame, accept: Iterable[str]) -> list[Caveat]:
    """Refuse sizes that no training run has, or return what was accepted of them.

    Parameters
    ----------
    sizes : pandas.DataFrame
        Columns params and tokens.
    accept : iterable of str
        Codes of errors to accept.
    """
    return list(load_configs(sizes[["params", "tokens"]], accept=accept).caveats)


def check_spelling(fit: Fit, names: Iterable[str]) -> None:
    """Refuse a family that was not fitted and whose name is nearly that of one that was."""
    for name in names:
        meant = misspelt(name, fit.families)
        if meant is not None:
            raise DataError(
                f"family {name!r} was not in the fit, and {meant!r} was: write {meant!r}, or, for "
                f"a family that is not in the fit, a name that differs in more letters, such as "
                f"{f'new {name}'!r}"
            )


def point_caveats(fit: Fit, points: pd.DataFrame, medians: Floats) -> tuple[Caveat, ...]:
    """Return caveats on unseen families, points outside the data, and impossible losses.

    Parameters
    ----------
    fit : Fit
        The fit.
    points : pandas.DataFrame
        As :attr:`bayes_scaling.forecast.Forecast.points`.
    medians : (point,) array
        Median loss of each, in its ``loss_unit``.
    """
    return (
        *unseen_families(fit, sorted(set(points["family"]))),
        *reach_caveats(fit, points),
        *own_input_caveats(fit, points),
        *implausible(points["loss_unit"], medians),
    )
