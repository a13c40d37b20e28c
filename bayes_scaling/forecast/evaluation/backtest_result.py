"""Scores of forecasts of runs that were held out: the result of a backtest."""

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Self

import msgspec
import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.record_tables import to_rows, to_table
from bayes_scaling.core.records import Record, about
from bayes_scaling.core.result import CAVEATS, Result
from bayes_scaling.forecast.evaluation.scoring import summarise
from bayes_scaling.forecast.evaluation.thresholds import Skipped, Split

__all__ = ["Backtest", "DistanceScores", "FamilyScores", "FitQuality", "PointScore"]

DISTANCES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1024.0)
"""Edges of the classes of distance that scores are shown by, ratios of compute."""

Law = Annotated[str, about("Name of the law.")]
Family = Annotated[str, about("Name of the family.")]
Ratio = Annotated[float, about("A family's largest over its largest fitted.", "ratio", gt=1)]
Runs = Annotated[int, about("Runs that were scored.", ge=0)]
Coverage = about("Fraction of runs inside their central interval.", "probability", ge=0, le=1)
Quantile = about("Quantile of the forecast, percent in the name.", "loss", gt=0)
Inside = Annotated[bool, about("Whether the loss lay inside this interval, percent in the name.")]


class _Scores(Record, frozen=True, kw_only=True):
    """Average scores of forecasts."""

    law: Law
    runs: Runs
    coverage_50: Annotated[float, Coverage] | None
    coverage_80: Annotated[float, Coverage] | None
    coverage_90: Annotated[float, Coverage] | None
    coverage_95: Annotated[float, Coverage] | None
    bias: Annotated[float | None, about("Mean of log(median / loss).", "log loss")]
    are: Annotated[float | None, about("Mean absolute relative error of the median.", "1")]
    crps: Annotated[float | None, about("Mean CRPS; 0 is perfect.", "log loss")]
    interval_score: Annotated[float | None, about("Mean, of the 90% interval.", "log loss")]
    width: Annotated[float | None, about("Mean width of the 90% interval.", "log loss")]
    log_score: Annotated[float | None, about("Mean log predictive density.", "log density")]
    pit_mean: Annotated[float | None, about("Mean PIT; a half is calibrated.", "probability")]


class FitQuality(Record, frozen=True, kw_only=True):
    """Convergence of the fit behind forecasts."""

    law: Law
    ratio: Ratio
    r_hat: Annotated[float | None, about("Worst R-hat.")]
    ess: Annotated[float | None, about("Least bulk effective number of draws.")]
    divergences: Annotated[int, about("Draws that diverged.", ge=0)]


class FamilyScores(_Scores, frozen=True, kw_only=True):
    """Scores of a law at one ratio, of one family or of all."""

    ratio: Ratio
    family: Annotated[str, about("Name of the family; `all` is the mean of the families.")]
    r_hat: Annotated[float | None, about("Worst R-hat of the fit behind it.")]
    ess: Annotated[float | None, about("Its least bulk effective number of draws.")]
    divergences: Annotated[int, about("Its draws that diverged.", ge=0)]


class DistanceScores(_Scores, frozen=True, kw_only=True):
    """Scores of a law in one class of distance beyond the fitted runs, families of equal weight."""

    families: Annotated[int, about("Families with runs in this class.", ge=0)]
    beyond: Annotated[str, about("Class of distance, such as 4x to 8x.")]
    low: Annotated[float, about("Its lower edge.", "ratio of compute")]
    high: Annotated[float, about("Its upper edge.", "ratio of compute")]


class PointScore(Record, frozen=True, kw_only=True, rename={"q02_5": "q02.5", "q97_5": "q97.5"}):
    """Score of the forecast of one run."""

    law: Law
    ratio: Ratio
    family: Family
    run: Annotated[str, about("Label of the run.")]
    flops: Annotated[float, about("Compute of the run.", "FLOP", gt=0)]
    loss: Annotated[float, about("Observed loss.", "loss", gt=0)]
    extrapolation: Annotated[float, about("Compute beyond its largest fitted run.", "decades")]
    q02_5: Annotated[float, Quantile]
    q05: Annotated[float, Quantile]
    q10: Annotated[float, Quantile]
    q25: Annotated[float, Quantile]
    q50: Annotated[float, Quantile]
    q75: Annotated[float, Quantile]
    q90: Annotated[float, Quantile]
    q95: Annotated[float, Quantile]
    q97_5: Annotated[float, Quantile]
    log_error: Annotated[float, about("log(median / loss).", "log loss")]
    are: Annotated[float, about("Absolute relative error of the median.", "1")]
    inside_50: Inside
    inside_80: Inside
    inside_90: Inside
    inside_95: Inside
    interval_score: Annotated[float, about("Of the 90% interval.", "log loss")]
    width: Annotated[float, about("Of the 90% interval.", "log loss")]
    crps: Annotated[float, about("Continuous ranked probability score.", "log loss")]
    pit: Annotated[float, about("Fraction of draws below the loss.", "probability", ge=0, le=1)]
    log_score: Annotated[float | None, about("Log predictive density.", "log density")]
    fitted: Annotated[int, about("Runs of the family that were fitted.", ge=0)] | None


class Backtest(Result, frozen=True, kw_only=True, dict=True, tag="bayes_scaling.backtest/3"):
    """Scores of forecasts of the runs above thresholds, as `backtest` writes them.

    Rows of the tables stand in ``point_scores``, ``family_scores`` and ``distance_scores``, which
    files call points, scores and by_distance; :attr:`points`, :attr:`scores` and
    :meth:`by_distance` are the same as data frames.
    """

    ratios: Annotated[
        tuple[Ratio, ...],
        about("A family's largest over the largest it was fitted on.", min_length=1),
    ]
    split: Annotated[Split, about("What the ratio is of.")]
    runs_hash: Annotated[str, about("SHA-256 (hex) of the runs.")]
    skipped: Annotated[tuple[Skipped, ...], about("Families that could not be tested.")]
    caveats: Annotated[tuple[Caveat, ...], about(CAVEATS)]
    family_scores: Annotated[
        tuple[FamilyScores, ...], about("One row a law, ratio and family.")
    ] = msgspec.field(name="scores")
    distance_scores: Annotated[
        tuple[DistanceScores, ...], about("One row a law and class of distance.")
    ] = msgspec.field(name="by_distance")
    point_scores: Annotated[tuple[PointScore, ...], about("One row a law, ratio and run.")] = (
        msgspec.field(name="points")
    )

    @classmethod
    def of(
        cls,
        points: pd.DataFrame,
        scores: pd.DataFrame,
        *,
        ratios: tuple[float, ...],
        split: Split,
        runs_hash: str,
        skipped: Iterable[Skipped] = (),
        caveats: Iterable[Caveat] = (),
    ) -> Self:
        """Make a backtest from tables of its scores."""
        return cls(
            ratios=ratios,
            split=split,
            runs_hash=runs_hash,
            skipped=tuple(skipped),
            caveats=tuple(caveats),
            family_scores=to_rows(scores, FamilyScores),
            distance_scores=to_rows(_by_distance(points), DistanceScores),
            point_scores=to_rows(points, PointScore),
        )

    @cached_property
    def points(self) -> pd.DataFrame:
        """Scores by law, ratio and run."""
        return to_table(self.point_scores, PointScore)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores by law, ratio and family, and of "all", families of equal weight."""
        return _first(to_table(self.family_scores, FamilyScores), "law", "ratio", "family")

    def by_distance(self) -> pd.DataFrame:
        """Return scores by how far runs lie beyond the fitted ones, families of equal weight.

        Returns
        -------
        pandas.DataFrame
            One row a law and class of distance: ``beyond`` ("4x to 8x" the compute of the largest
            fitted run), ``low`` and ``high`` (its edges), families, runs, and scores.
        """
        return _first(to_table(self.distance_scores, DistanceScores), "law", "families")

    def __str__(self) -> str:
        columns = ["law", "ratio", "family", "runs", "coverage_50", "coverage_90", "bias", "are"]
        columns += ["crps", "interval_score", "log_score", "r_hat", "ess", "divergences"]
        parts = [self.scores[columns].to_string(index=False, float_format="{:.3g}".format)]
        if len(self.ratios) > 1:
            columns = ["law", "beyond", "families", "runs", "coverage_50", "coverage_90"]
            columns += ["bias", "are", "crps", "interval_score"]
            table = self.by_distance()[columns]
            parts += ["", "By distance beyond the fitted runs, compute:"]
            parts.append(table.to_string(index=False, float_format="{:.3g}".format))
        parts += [f"Not tested: {entry}." for entry in self.skipped]
        return "\n".join([*parts, *(f"Note: {caveat}" for caveat in self.caveats)])


def _first(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The same table, these columns first."""
    return table[[*names, *(name for name in table.columns if name not in names)]]


def _by_distance(points: pd.DataFrame) -> pd.DataFrame:
    """Average scores in classes of distance beyond the fitted runs."""
    factor = 10.0 ** points["extrapolation"].to_numpy()
    place = np.clip(np.searchsorted(DISTANCES, factor * (1 - 1e-9)) - 1, -1, len(DISTANCES) - 2)
    where = points.assign(place=place)
    # Last in each class stands the mean over its families, or its only family.
    kept = summarise(where, ("law", "place", "family")).groupby(["law", "place"]).tail(1)
    counts = where.groupby(["law", "place"], sort=False)["family"].nunique()
    rows = kept.set_index(["law", "place"]).drop(columns="family")
    rows.insert(0, "families", counts)
    rows = rows.reset_index().sort_values(["law", "place"], kind="stable", ignore_index=True)
    edges = np.array([0.0, *DISTANCES])
    low, high = edges[rows["place"] + 1], edges[rows["place"] + 2]
    names = [_class(a, b) for a, b in zip(low, high, strict=True)]
    return rows.drop(columns="place").assign(beyond=names, low=low, high=high)


def _class(low: float, high: float) -> str:
    return "up to 1x" if high <= 1 else f"{low:g}x to {high:g}x"
