"""Backtests: laws fitted to the smaller runs, and scored on the larger ones."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from itertools import chain
from os import PathLike
from typing import Any

import pandas as pd

from bayes_scaling import laws
from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import unique
from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.core.record_tables import to_table
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecast.evaluation.backtest_jobs import Job, results_of
from bayes_scaling.forecast.evaluation.backtest_result import Backtest, FitQuality
from bayes_scaling.forecast.evaluation.checkpoint import Checkpoint
from bayes_scaling.forecast.evaluation.scoring import summarise
from bayes_scaling.forecast.evaluation.thresholds import (
    Split,
    check_ratio,
    check_split,
    divide,
)
from bayes_scaling.inference import Procedure
from bayes_scaling.inference.data_caveats import data_caveats
from bayes_scaling.laws.registry import each
from bayes_scaling.runs import load_runs

__all__ = ["backtest"]

_KEYS = ["law", "ratio", "family"]


def backtest(
    runs: Any,
    laws_to_test: str | laws.Law | Sequence[str | laws.Law] = (laws.DEFAULT,),
    *,
    ratio: float | Sequence[float] = 8.0,
    split: Split = "compute",
    seed: int = 0,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: ProgressOption = True,
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
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.
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

    Examples
    --------
    >>> tested = bs.backtest("runs.csv", ["chinchilla"], ratio=[4, 8])  # doctest: +SKIP
    >>> tested.scores[["ratio", "family", "coverage_90", "crps"]]  # doctest: +SKIP
    """
    values = [*ratio] if isinstance(ratio, Iterable) and not isinstance(ratio, str) else [ratio]
    ratios = tuple(dict.fromkeys(check_ratio(value) for value in values))
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
    done = results_of(jobs, executor, Checkpoint(checkpoint), Progress.of(progress))
    points = pd.concat([part for part, _ in done], ignore_index=True)
    quality = to_table([row for _, row in done], FitQuality)
    scores = summarise(points, _KEYS).merge(quality, on=["law", "ratio"])
    caveats = unique(
        caveat for p in procedures for caveat in data_caveats(table, rows, p.specify(rows)[0])
    )
    return Backtest.of(
        points,
        scores,
        ratios=ratios,
        split=split,
        runs_hash=whole.hash,
        skipped=skipped,
        caveats=caveats,
    )
