"""How well a law would have forecast the larger runs from the smaller ones."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling import laws
from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import Caveat, deprecated_warnings, texts, unique, version_1
from bayes_scaling.core.display import brief
from bayes_scaling.core.json_files import Saved, records
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecast.evaluation.backtest_jobs import Job, results_of
from bayes_scaling.forecast.evaluation.checkpoint import Checkpoint
from bayes_scaling.forecast.evaluation.scoring import summarise
from bayes_scaling.forecast.evaluation.thresholds import (
    Skipped,
    Split,
    check_ratio,
    check_split,
    divide,
)
from bayes_scaling.inference import Procedure
from bayes_scaling.inference.data_caveats import data_caveats
from bayes_scaling.inference.settings import Progress, progress_callback
from bayes_scaling.laws.registry import each
from bayes_scaling.runs import load_runs

__all__ = ["Backtest", "backtest"]

_KEYS = ["law", "ratio", "family"]
DISTANCES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1024.0)
"""Edges of the classes of distance that scores are shown by, ratios of compute."""


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Saved):
    """Scores of forecasts of the runs above thresholds.

    Attributes
    ----------
    points : pandas.DataFrame
        One row a law, ratio and held-out run: columns of
        :func:`bayes_scaling.forecast.score` and ``fitted`` (runs of its family fitted).
    scores : pandas.DataFrame
        One row a law, ratio and family, and "all" (families weigh alike): see
        :func:`bayes_scaling.forecast.evaluation.scoring.summarise`; ``r_hat`` (the worst), ``ess``
        (the least, bulk) and ``divergences`` of the fit behind them.
    ratios : tuple of float
        A family's largest over the largest it was fitted on.
    split : str
        Of what: compute, params, tokens, epochs, or time.
    skipped : tuple of Skipped
        Families that could not be tested, at which ratio, and why.
    caveats : tuple of Caveat
        What a reader must know about the runs under these laws.
    """

    points: pd.DataFrame
    scores: pd.DataFrame
    ratios: tuple[float, ...]
    split: Split
    skipped: tuple[Skipped, ...]
    caveats: tuple[Caveat, ...]
    runs_hash: str

    warnings = deprecated_warnings

    def by_distance(self) -> pd.DataFrame:
        """Scores by how far runs lie beyond the fitted ones, families alike.

        Returns
        -------
        pandas.DataFrame
            One row a law and class of distance: ``beyond`` ("4x to 8x" the compute of the largest
            fitted run), ``low`` and ``high`` (its edges), families, runs, and scores.
        """
        factor = 10.0 ** self.points["extrapolation"].to_numpy()
        place = np.clip(np.searchsorted(DISTANCES, factor * (1 - 1e-9)) - 1, -1, len(DISTANCES) - 2)
        where = self.points.assign(place=place)
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

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        tables = {"scores": self.scores, "by_distance": self.by_distance(), "points": self.points}
        return {
            "schema": "bayes_scaling.backtest/2",
            "ratios": list(self.ratios),
            "split": self.split,
            "runs_hash": self.runs_hash,
            "skipped": [asdict(entry) for entry in self.skipped],
            "warnings": list(texts(self.caveats)),
            **{name: records(table) for name, table in tables.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Backtest":
        """A backtest from the content of its file."""
        return cls(
            points=pd.DataFrame(content["points"]),
            scores=pd.DataFrame(content["scores"]),
            ratios=tuple(content["ratios"]),
            split=content["split"],
            skipped=tuple(Skipped(**entry) for entry in content["skipped"]),
            caveats=tuple(map(version_1, content["warnings"])),
            runs_hash=content["runs_hash"],
        )

    def __str__(self) -> str:
        shown = self.scores.drop(columns=["coverage_80", "coverage_95", "width", "pit_mean"])
        parts = [shown.to_string(index=False, float_format="{:.3g}".format)]
        if len(self.ratios) > 1:
            columns = ["law", "beyond", "families", "runs", "coverage_50", "coverage_90"]
            columns += ["bias", "are", "crps", "interval_score"]
            table = self.by_distance()[columns]
            parts += ["", "By distance beyond the fitted runs, compute:"]
            parts.append(table.to_string(index=False, float_format="{:.3g}".format))
        parts += [f"Not tested: {entry}." for entry in self.skipped]
        return "\n".join([*parts, *(f"Note: {text}" for text in texts(self.caveats))])

    def __repr__(self) -> str:
        return brief(str(self))


def _class(low: float, high: float) -> str:
    return "up to 1x" if high <= 1 else f"{low:g}x to {high:g}x"


def backtest(
    runs: Any,
    laws_to_test: str | laws.Law | Sequence[str | laws.Law] = (laws.DEFAULT,),
    *,
    ratio: float | Sequence[float] = 8.0,
    split: Split = "compute",
    seed: int = 0,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool | Progress = True,
    **options: Any,
) -> Backtest:
    """Fit each law below thresholds of every family and score it above.

    Parameters
    ----------
    runs : Runs, pandas.DataFrame or path
        The table of runs; targets are left out.
    laws_to_test : str, Law, or sequence of them
        The laws.
    ratio : float or sequence of float
        Above 1: runs with more than the family's largest compute over ``ratio`` are held out.
        Several make a rolling origin.
    split : {"compute", "params", "tokens", "epochs", "time"}
        What the ratio is of. By time, the first 1/ratio of a family's runs are fitted.
    seed : int
        Seed of the fits and forecasts.
    executor : concurrent.futures.Executor, optional
        Where to fit: laws beside each other, or thresholds of a single one. Without it they
        follow each other, and a law is compiled once.
    checkpoint : path, optional
        A file that results are added to as they come, and taken from if they are there already.
    progress : bool or callable
        Whether to report progress on standard error, or a callback that takes each message.
    **options
        Passed to :func:`bayes_scaling.inference.fit`.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        If a ratio is not above 1, the split is unknown or reads a column that is not there, or no
        family can be tested.
    FileError
        If the checkpoint cannot be read or written.
    """
    given = list(ratio) if isinstance(ratio, Iterable) and not isinstance(ratio, str) else [ratio]
    ratios = tuple(dict.fromkeys(check_ratio(value) for value in given))
    check_split(split)
    candidates: Any = laws_to_test
    if isinstance(candidates, str | laws.Law) or not isinstance(candidates, Iterable):
        candidates = [candidates]
    procedures = [Procedure.of(law, seed=seed, **options) for law in each(candidates)]
    if executor is not None:
        wanted = "a concurrent.futures.Executor is needed"
        needs(executor, Executor, "executor", wanted, FitError)
    whole = load_runs(runs)
    for procedure in procedures:
        whole = whole.with_inputs(procedure.law.own_inputs)
    # Without the targets the rows to fit are all rows, and have the same index.
    table = whole.without_targets()
    rows = table.fit_rows()
    divisions = {r: divide(rows, r, split, table.source) for r in ratios}
    skipped = tuple(chain.from_iterable(d.skipped for d in divisions.values()))
    tested = {r: d for r, d in divisions.items() if len(d.large)}
    if not tested:
        reasons = "; ".join(map(str, skipped)) or "no run lies above the threshold"
        named = ", ".join(f"{value:g}" for value in ratios)
        raise DataError(f"no family of {table.source} can be tested at ratio {named} ({reasons})")
    jobs = [Job(procedure, r, table, d) for procedure in procedures for r, d in tested.items()]
    done = results_of(jobs, executor, Checkpoint(checkpoint), progress_callback(progress))
    points = pd.concat([part for part, _ in done], ignore_index=True)
    quality = pd.DataFrame([row for _, row in done])
    scores = summarise(points, _KEYS).merge(quality, on=["law", "ratio"])
    caveats = unique(
        caveat for p in procedures for caveat in data_caveats(table, rows, p.specify(rows)[0])
    )
    return Backtest(points, scores, ratios, split, skipped, caveats, whole.hash)
