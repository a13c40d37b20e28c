"""What a reader of a forecast must know, in words."""

import numpy as np
import pandas as pd

from bayes_scaling.inference import Fit

__all__ = ["doubts_about"]

_FAR = np.log10(2.0)
"""Decades of compute beyond the data from which a forecast says that it extrapolates."""


def _allowance(fit: Fit) -> str:
    if fit.spec.discrepancy is None:
        return (
            "the interval holds only if the law does, and it contains no allowance for a wrong law."
        )
    return (
        "the interval allows for errors of the law as large as it has made elsewhere at such a "
        "distance, and holds only if this family is of that kind."
    )


def doubts_about(fit: Fit, points: pd.DataFrame) -> tuple[str, ...]:
    """Sentences on unseen families and on points beyond the data.

    Parameters
    ----------
    fit : Fit
        The fit.
    points : pandas.DataFrame
        As :attr:`bayes_scaling.forecast.Forecast.points`.
    """
    doubts = []
    unseen = sorted(set(points.loc[~points["family_seen"], "family"]))
    if unseen:
        doubts.append(
            f"{'Families' if len(unseen) > 1 else 'Family'} {', '.join(map(repr, unseen))} "
            f"{'were' if len(unseen) > 1 else 'was'} not in the fit: the forecast is drawn from "
            f"the population of {len(fit.families)} fitted "
            f"famil{'ies' if len(fit.families) > 1 else 'y'}."
        )
    far = points[points["extrapolation"] > _FAR]
    if len(far):
        most = far["extrapolation"].max()
        which = "The point lies" if len(points) == 1 else f"{len(far)} of {len(points)} points lie"
        doubts.append(
            f"{which} beyond the largest fitted run of the family, by "
            f"{'' if len(far) == 1 else 'up to '}{most:.1f} decades of compute "
            f"({10**most:,.3g} times): {_allowance(fit)}"
        )
    doubts += [f"Law {fit.law.name!r}: {note}" for note in fit.law.notes if len(far)]
    return tuple(doubts)
