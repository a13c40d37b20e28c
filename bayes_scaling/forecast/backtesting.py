"""How well a law would have forecast the larger runs from the smaller ones."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayes_scaling import laws
from bayes_scaling._files import write_bytes
from bayes_scaling.errors import DataError
from bayes_scaling.forecast.model_error import model_error
from bayes_scaling.forecast.prediction import asked, predict
from bayes_scaling.inference import fit
from bayes_scaling.model import arrays, hierarchy
from bayes_scaling.runs import Runs, load_runs

__all__ = ["Backtest", "backtest", "check_ratio", "crps", "interval_score", "log_score"]

_ERROR_SEED = 17
_FEWEST_RUNS = 4
"""Runs a family must have below the threshold to be forecast from."""


@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """Scores of forecasts of the runs above a compute threshold.

    Attributes
    ----------
    points : pandas.DataFrame
        One row a law and held-out run: family, run, flops (FLOP), loss, q05, q25, q50, q75, q95,
        ``log_error`` (log of the median forecast over the loss: positive is too pessimistic),
        ``crps`` and ``interval_score`` (90%), both in log loss, ``log_score`` (log predictive
        density of the loss, higher is better) and ``extrapolation`` (decades).
    scores : pandas.DataFrame
        One row a law and family, and "all" (families weigh alike): coverage, errors, scores, and
        the worst R-hat and the divergences of the fit behind them.
    ratio : float
        Largest compute of a family over the largest it was fitted on.
    skipped : dict of str to str
        Families that could not be tested, and why.
    """

    points: pd.DataFrame
    scores: pd.DataFrame
    ratio: float
    skipped: dict[str, str]
    runs_hash: str

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "schema": "bayes_scaling.backtest/1",
            "ratio": self.ratio,
            "runs_hash": self.runs_hash,
            "skipped": self.skipped,
            "scores": json.loads(self.scores.to_json(orient="records", double_precision=15)),
            "points": json.loads(self.points.to_json(orient="records", double_precision=15)),
        }

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the backtest as JSON, whole or not at all.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        return write_bytes(path, json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n")

    def __str__(self) -> str:
        table = self.scores.to_string(index=False, float_format="{:.3g}".format)
        return "\n".join(
            [table, *(f"Not tested: {name!r}, {why}." for name, why in self.skipped.items())]
        )

    __repr__ = __str__


def backtest(
    runs: Any,
    laws_to_test: Sequence[str | laws.Law] = (laws.DEFAULT,),
    *,
    ratio: float = 8.0,
    seed: int = 0,
    **options: Any,
) -> Backtest:
    """Fit each law below a compute threshold of every family and score it above.

    Parameters
    ----------
    runs : Runs, pandas.DataFrame or path
        The table of runs; targets are left out.
    laws_to_test : sequence of str or Law
        The laws.
    ratio : float
        Above 1: runs with more than the family's largest compute over ``ratio`` are held out.
    seed : int
        Seed of the fits and forecasts.
    **options
        Passed to :func:`bayes_scaling.inference.fit`.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        If the ratio is not above 1 or no family can be tested.
    """
    check_ratio(ratio)
    chosen = [laws.get(name) for name in laws_to_test]
    table = load_runs(runs)
    rows = table.fit_rows()
    small, large, skipped = _split(rows, ratio)
    if not len(large):
        reasons = "; ".join(f"{name!r}: {why}" for name, why in skipped.items())
        raise DataError(f"no family of {table.source} can be tested at ratio {ratio:g} ({reasons})")
    points, scores = [], []
    for law in chosen:
        fitted = fit(_subset(table, small), law, seed=seed, **options)
        scored = _score(law.name, fitted, large, seed)
        diagnosis = fitted.summary()
        quality = {
            "r_hat": float(diagnosis["r_hat"].max()),
            "divergences": int(fitted.dt["sample_stats"]["diverging"].sum()),
        }
        points.append(scored)
        scores.append(_summarise(scored).assign(**quality))
    return Backtest(pd.concat(points), pd.concat(scores), float(ratio), skipped, table.hash)


def check_ratio(ratio: Any) -> None:
    """Refuse what is not a ratio of compute.

    Raises
    ------
    DataError
        If it is not a finite number above 1.
    """
    if not (isinstance(ratio, int | float) and math.isfinite(ratio) and ratio > 1):
        raise DataError(f"ratio is {ratio!r}, a finite number above 1 is needed")


def _subset(table: Runs, rows: pd.DataFrame) -> Runs:
    return table.select(table.table.index.isin(rows.index))


def _split(rows: pd.DataFrame, ratio: float) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Rows to fit, rows to forecast, and families that give none."""
    limit = rows.groupby("family")["flops"].transform("max") / ratio
    below = rows["flops"] <= limit
    skipped = {}
    for family, index in rows.groupby("family", sort=False).groups.items():
        fewer = int(below.loc[index].sum())
        if fewer < _FEWEST_RUNS:
            skipped[str(family)] = (
                f"{fewer} runs at 1/{ratio:g} of its largest compute or less, "
                f"{_FEWEST_RUNS} are needed"
            )
    tested = ~rows["family"].isin(list(skipped))
    return rows[below & tested], rows[~below & tested], skipped


def _score(law: str, fitted: Any, large: pd.DataFrame, seed: int) -> pd.DataFrame:
    where = asked(fitted.law, large).reset_index(drop=True)
    forecast = predict(fitted, where, seed=seed)
    draws = forecast.loss_run.transpose("point", "chain", "draw").to_numpy()
    logs = np.log(draws.reshape(len(large), -1))
    observed = np.log(large["loss"].to_numpy())
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    quantiles = np.quantile(logs, levels, axis=1)
    columns = {
        f"q{100 * level:02.0f}": np.exp(q) for level, q in zip(levels, quantiles, strict=True)
    }
    return pd.DataFrame(
        {
            "law": law,
            "family": large["family"].to_numpy(),
            "run": large["run"].astype(str).to_numpy(),
            "flops": large["flops"].to_numpy(),
            "loss": large["loss"].to_numpy(),
            **columns,
            "log_error": quantiles[2] - observed,
            "crps": crps(logs, observed),
            "interval_score": interval_score(quantiles[0], quantiles[4], observed, 0.9),
            "log_score": log_score(fitted, large),
            "extrapolation": forecast.points["extrapolation"].to_numpy(),
        }
    )


def _summarise(points: pd.DataFrame) -> pd.DataFrame:
    by_point = points.assign(
        inside_50=points["loss"].between(points["q25"], points["q75"]),
        inside_90=points["loss"].between(points["q05"], points["q95"]),
    )
    grouped = by_point.groupby(["law", "family"], sort=False)
    scores = grouped.agg(
        runs=("loss", "size"),
        coverage_50=("inside_50", "mean"),
        coverage_90=("inside_90", "mean"),
        median_error=("log_error", lambda error: float(np.median(np.abs(error)))),
        bias=("log_error", "mean"),
        crps=("crps", "mean"),
        interval_score=("interval_score", "mean"),
        log_score=("log_score", "mean"),
    ).reset_index()
    if len(scores) == 1:
        return scores
    overall = scores.drop(columns=["law", "family", "runs"]).mean()
    whole = pd.DataFrame(
        [{"law": scores["law"].iloc[0], "family": "all", "runs": scores["runs"].sum(), **overall}]
    )
    return pd.concat([scores, whole], ignore_index=True)


def _errors(fitted: Any, rows: pd.DataFrame) -> Any:
    """Draws of the law's error at runs, dims (chain, draw, run), or 0."""
    if fitted.spec.discrepancy is None:
        return 0.0
    rng = np.random.default_rng(_ERROR_SEED)
    parts = [
        model_error(fitted, str(family), 0).at_points(own, rng)
        for family, own in rows.groupby("family")
    ]
    return xr.concat(parts, dim="point").sel(point=rows.index.to_numpy()).to_numpy()


def log_score(fitted: Any, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Log of the posterior predictive density of the losses of runs, each by itself.

    Parameters
    ----------
    fitted : Fit
        A fit that knows the families of the runs.
    rows : pandas.DataFrame
        Runs in canonical columns, with their losses.

    Returns
    -------
    (run,) array
        In the loss, not its log, so that laws and likelihoods compare; higher is better.
    """
    design = arrays(fitted.spec, rows)
    error = _errors(fitted, rows.reset_index(drop=True))
    density = hierarchy.log_likelihood(fitted.spec, design, fitted.posterior, error)
    flat = density.stack(sample=("chain", "draw")).transpose("run", "sample").to_numpy()
    result: NDArray[np.float64] = logsumexp(flat, axis=1) - np.log(flat.shape[1])
    # d log L / dL: the density above is that of the log of the loss.
    return result - design.log_loss


def crps(draws: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Continuous ranked probability score of draws.

    Gneiting and Raftery 2007, Eq. 21: E|X - y| - E|X - X'| / 2, the second term from order
    statistics.

    Parameters
    ----------
    draws : (point, sample) array
        Forecast draws.
    observed : (point,) array
        What came.

    Returns
    -------
    (point,) array
        In the unit of the draws; 0 is perfect.
    """
    n = draws.shape[1]
    ordered = np.sort(draws, axis=1)
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    spread = (ordered * weights).sum(axis=1) / n**2
    result: NDArray[np.float64] = np.abs(draws - observed[:, None]).mean(axis=1) - spread
    return result


def interval_score(
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    observed: NDArray[np.float64],
    probability: float,
) -> NDArray[np.float64]:
    """Interval score of a central interval: its width, and a fine for each miss.

    Gneiting and Raftery 2007, Eq. 43.

    Parameters
    ----------
    lower, upper : (point,) array
        Ends of the interval.
    observed : (point,) array
        What came.
    probability : float
        Nominal probability of the interval.
    """
    fine = 2.0 / (1.0 - probability)
    below = np.maximum(lower - observed, 0.0)
    above = np.maximum(observed - upper, 0.0)
    result: NDArray[np.float64] = (upper - lower) + fine * (below + above)
    return result
