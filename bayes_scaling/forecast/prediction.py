"""Forecast losses of configurations from a fit, draw by draw."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._display import brief, html_list, html_table
from bayes_scaling._files import path_of, write_bytes
from bayes_scaling._given import check_seed, is_number, shown
from bayes_scaling._saved import records
from bayes_scaling._tabular import write_csv, write_parquet
from bayes_scaling.errors import DataError, FileError, FitError
from bayes_scaling.forecast.doubts import check_spelling, doubts_about
from bayes_scaling.forecast.families import values_of
from bayes_scaling.forecast.model_error import model_error
from bayes_scaling.forecast.run_draws import own_errors, run_noise
from bayes_scaling.inference import Fit
from bayes_scaling.inference.result import check_fit
from bayes_scaling.laws import Law, ops
from bayes_scaling.model import fill_typical, input_table, stated_inputs, unstated
from bayes_scaling.runs import ACCEPTABLE, Configs, load_configs
from bayes_scaling.runs.inputs import OPTIONAL

__all__ = ["Forecast", "Kind", "asked", "predict", "quantile_name"]

Kind = Literal["run", "curve", "floor"]

_SHOWN, _WIDEST = 20, 30
"""Points and columns that a representation shows."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """Forecast losses at a table of points.

    Attributes
    ----------
    draws : xarray.Dataset
        ``loss_curve`` (expected loss, noise-free), ``loss_run`` (one new run) and ``loss_floor``
        (irreducible loss; NaN-free zero where the law has none), each in the loss unit of the fit
        with dims (chain, draw, point).
    configs : Configs
        The points, with the user's own columns.
    points : pandas.DataFrame
        params, tokens, flops (FLOP) and the law's other inputs, family, ``extrapolation`` (log10
        of compute over that of the largest fitted run of the family; negative inside the data),
        ``family_seen`` and ``loss_unit``.
    warnings : tuple of str
        What makes these numbers less sure than they look, in words.
    loss_unit : str
        Unit of every loss; "mixed" where the families of the points differ in it.
    """

    draws: xr.Dataset
    configs: Configs
    points: pd.DataFrame
    warnings: tuple[str, ...]
    loss_unit: str

    def quantity(self, kind: Kind = "run") -> xr.DataArray:
        """Draws of one quantity, dims (chain, draw, point).

        Raises
        ------
        FitError
            If ``kind`` is unknown.
        """
        if kind not in get_args(Kind):
            raise FitError(f"kind is {shown(kind)}; it can be {', '.join(get_args(Kind))}")
        return self.draws[f"loss_{kind}"]

    @cached_property
    def loss_curve(self) -> xr.DataArray:
        """Expected loss, without noise."""
        return self.quantity("curve")

    @cached_property
    def loss_run(self) -> xr.DataArray:
        """Loss of one new run."""
        return self.quantity("run")

    @cached_property
    def loss_floor(self) -> xr.DataArray:
        """Irreducible loss."""
        return self.quantity("floor")

    def to_frame(self, kind: Kind = "run", quantiles: Sequence[float] = QUANTILES) -> pd.DataFrame:
        """The points with mean, sd and quantiles of their loss.

        Parameters
        ----------
        kind : {"run", "curve", "floor"}
            Which quantity.
        quantiles : sequence of float
            Levels strictly between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            Every column of the given table in the same row order, then ``mean``, ``sd``, one
            column a quantile (``q05``, ``q97.5``), ``extrapolation`` and ``family_seen``; and
            ``loss_unit`` where families differ in it.

        Raises
        ------
        DataError
            If the given table already has one of these columns.
        FitError
            If a level is not between 0 and 1.
        """
        added = self._summary(self.quantity(kind), self.points, _checked_levels(quantiles))
        taken = [name for name in added if name in self.configs.original.columns]
        if taken:
            raise DataError(
                f"{self.configs.source} already has a column {taken[0]!r}, which the forecast "
                "writes; rename it"
            )
        return self.configs.original.assign(**added)

    @staticmethod
    def _summary(draws: xr.DataArray, points: pd.DataFrame, levels: list[float]) -> dict[str, Any]:
        """Columns that a forecast adds to a table of points."""
        table = draws.stack(sample=("chain", "draw")).transpose("point", "sample").to_numpy()
        added: dict[str, Any] = {"mean": table.mean(axis=1), "sd": table.std(axis=1, ddof=1)}
        for level, row in zip(levels, np.quantile(table, levels, axis=1), strict=True):
            added[quantile_name(level)] = row
        units = ["loss_unit"] if len(set(points["loss_unit"])) > 1 else []
        by_point = ("extrapolation", "family_seen", *units)
        return added | {name: points[name].to_numpy() for name in by_point}

    def _shown(self) -> pd.DataFrame:
        """The first and last points with their loss; no column of the user's hides ours."""
        rows = np.arange(len(self.points))
        if len(rows) > _SHOWN:
            rows = np.r_[rows[: _SHOWN // 2], rows[-_SHOWN // 2 :]]
        points = self.points.iloc[rows]
        added = self._summary(self.loss_run.isel(point=rows), points, list(QUANTILES))
        original = self.configs.original.iloc[rows]
        kept = [name for name in original.columns if name not in added]
        return original[kept].assign(**added)

    def save(
        self,
        path: str | PathLike[str],
        kind: Kind = "run",
        quantiles: Sequence[float] = QUANTILES,
        *,
        raw: bool = False,
    ) -> Path:
        """Write the forecast as CSV, JSON or Parquet, by the suffix of ``path``.

        Parameters
        ----------
        path : path-like
            Where it goes.
        kind, quantiles
            As :meth:`to_frame`.
        raw : bool
            CSV only: whether text of the given table that a spreadsheet would run as a formula
            (``=``, ``+``, ``-`` or ``@`` first, and no number) is left as it is. Without, an
            apostrophe stands before it, which this package takes away in reading.

        Raises
        ------
        FileError
            If the suffix is none of these or the file cannot be written.
        """
        table = self.to_frame(kind, quantiles)
        suffix = path_of(path).suffix.lower()
        if suffix == ".parquet":
            return write_parquet(path, table)
        if suffix == ".json":
            content = {
                "schema": "bayes_scaling.forecast/1",
                "quantity": f"loss_{kind}",
                "loss_unit": self.loss_unit,
                "warnings": list(self.warnings),
                "points": records(table),
            }
            return write_bytes(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        if suffix == ".csv" or Path(path).is_char_device():
            return write_csv(path, table, raw=raw)
        raise FileError(f"cannot write {path}: {suffix!r} is not .csv, .json or .parquet")

    def __repr__(self) -> str:
        count = len(self.points)
        some = f", of which {_SHOWN} are shown; to_frame() has all" if count > _SHOWN else ""
        table = self._shown().to_string(max_cols=_WIDEST, max_colwidth=40)
        said = [f"Note: {text}" for text in self.warnings]
        head = f"<Forecast of {count} point{'s' * (count != 1)}{some}>"
        return brief("\n".join([head, table, *said]))

    def _repr_html_(self) -> str:
        return f"{html_table(self._shown())}{html_list(self.warnings)}"


def quantile_name(level: float) -> str:
    """Column of a quantile: ``q`` and the level in percent with two integer digits.

    Examples
    --------
    >>> quantile_name(0.05), quantile_name(0.025), quantile_name(0.975)
    ('q05', 'q02.5', 'q97.5')
    """
    whole, _, rest = f"{level * 100:.10f}".partition(".")
    rest = rest.rstrip("0")
    return f"q{int(whole):02d}" + (f".{rest}" if rest else "")


def _checked_levels(quantiles: float | Sequence[float]) -> list[float]:
    given = [quantiles] if is_number(quantiles) else quantiles
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise FitError(f"quantiles are {shown(given)}; levels are needed, like [0.05, 0.5, 0.95]")
    listed: list[Any] = list(given)
    for level in listed:
        if not (is_number(level) and 0 < level < 1):
            raise FitError(f"quantile {shown(level)} is not strictly between 0 and 1")
    levels = [float(level) for level in listed]
    if len({quantile_name(level) for level in levels}) != len(levels):
        raise FitError(f"a quantile is asked for twice: {', '.join(map(str, levels))}")
    return levels


def predict(
    fit: Fit,
    configs: Any = None,
    *,
    params: Any = None,
    tokens: Any = None,
    flops: Any = None,
    family: Any = None,
    seed: int = 0,
    accept: Iterable[str] = (),
    **inputs: Any,
) -> Forecast:
    """Forecast the loss of configurations.

    Parameters
    ----------
    fit : Fit
        The fit.
    configs : pandas.DataFrame, path or Configs, optional
        Configurations in canonical columns; two of params, tokens and flops.
    params, tokens, flops : float or array-like, optional
        Instead of ``configs``: parameters, tokens and FLOP; two of the three.
    family : str or sequence of str, optional
        Family of each point; may be left out where the fit has one family. A family the fit has
        not seen is drawn from the population.
    seed : int
        Seed of the run noise and of unseen families; a family's draw depends on its name too.
    accept : iterable of str
        Codes of errors to accept, as for :func:`bayes_scaling.runs.load_configs`.
    **inputs : float or array-like, optional
        What else the law reads: ``unique_tokens`` (tokens; all fresh if not given), ``n_layer``
        and ``d_model`` or ``aspect_ratio`` (the best shape if not given), ``step`` or
        ``batch_tokens``, and what the law declares of its own (typical of the family's runs if
        not given).

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        If a configuration is unusable, its family is not said, or an input that the law reads is
        missing.
    FitError
        If the seed is not a whole number of 0 or more.
    """
    check_fit(fit)
    check_seed(seed)
    if configs is None:
        given = {"params": params, "tokens": tokens, "flops": flops, "family": family}
        given |= inputs
        _check_known(fit.law, inputs)
        columns = {name: value for name, value in given.items() if value is not None}
        if not columns:
            raise DataError("a forecast needs configs, or two of params, tokens and flops")
        configs = _table_of(columns)
    points = configs if isinstance(configs, Configs) else load_configs(configs, accept=accept)
    check_spelling(fit, points.table["family"].dropna().unique())
    return _forecast(fit, points, seed)


def predict_own(fit: Fit, configs: pd.DataFrame, seed: int) -> Forecast:
    """Forecast configurations that were computed, or checked before: nobody mistyped them."""
    return _forecast(fit, replace(load_configs(configs, accept=ACCEPTABLE), doubts=()), seed)


def _forecast(fit: Fit, points: Configs, seed: int) -> Forecast:
    points = points.with_inputs(fit.law.own_inputs)
    table, assumed = _placed(fit, points)
    draws = _draws(fit, table, seed)
    medians = draws["loss_run"].median(("chain", "draw")).to_numpy()
    doubts = (*points.doubts, *doubts_about(fit, table, medians), *assumed)
    units = set(table["loss_unit"])
    return Forecast(draws, points, table, doubts, units.pop() if len(units) == 1 else "mixed")


def _table_of(columns: Mapping[str, Any]) -> pd.DataFrame:
    """A table of columns, each one value for all rows or as many values as there are rows."""
    arrays = {name: np.asarray(value) for name, value in columns.items()}
    for name, values in arrays.items():
        if values.ndim > 1:
            raise DataError(f"{name} has {values.ndim} dimensions; a number or a list is needed")
    sizes = {name: values.size for name, values in arrays.items() if values.ndim}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{size} of {name}" for name, size in sizes.items())
        raise DataError(f"there are {listed}; give as many values of each, or one for all points")
    rows = next(iter(sizes.values()), 1)
    return pd.DataFrame(
        {name: v if v.ndim else [columns[name]] * rows for name, v in arrays.items()},
        index=range(rows),
    )


def _check_known(law: Law, inputs: Mapping[str, Any]) -> None:
    known = (*OPTIONAL, *(entry.name for entry in law.own_inputs))
    for name in inputs:
        if name not in known:
            raise DataError(
                f"{name!r} is not an input of a forecast; these are params, tokens, flops, "
                f"{', '.join(known)} and family"
            )


def asked(law: Law, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table of runs that a forecast of them needs."""
    more = [name for name in stated_inputs(law) if name in table]
    return table[["params", "tokens", "flops", "family", *more]]


def _placed(fit: Fit, configs: Configs) -> tuple[pd.DataFrame, list[str]]:
    """Points with their family, the law's inputs and distance, and what was assumed of them."""
    stated = configs.table.assign(family=_families(fit, configs))
    complete, said = fill_typical(fit.law, fit.runs, stated)
    sizes = stated[["params", "tokens", "flops"]]
    inputs = input_table(fit.law, complete, best=True)
    table = sizes.assign(**{str(n): inputs[n] for n in inputs if n not in sizes})
    families = list(stated["family"])
    largest = fit.runs.groupby("family")["flops"].max()
    beyond = [largest.get(name, largest.max()) for name in families]
    placed = table.assign(
        family=families,
        extrapolation=np.log10(table["flops"].to_numpy()) - np.log10(np.array(beyond)),
        family_seen=[name in fit.families for name in families],
        loss_unit=[fit.loss_unit(name) for name in families],
    )
    return placed, [*unstated(fit.law, stated).values(), *said]


def _families(fit: Fit, configs: Configs) -> list[str]:
    families = list(configs.table["family"])
    if None in families and len(fit.families) > 1:
        raise DataError(
            f"{configs.source} does not say the family of every point; the fit has "
            f"{', '.join(map(repr, fit.families))}, and any other name is an unseen family"
        )
    return [fit.families[0] if name is None else name for name in families]


def _draws(fit: Fit, table: pd.DataFrame, seed: int) -> xr.Dataset:
    spec = fit.spec
    parts = []
    for label, rows in table.groupby("family", sort=False):
        name = str(label)
        values = values_of(fit, name, seed)
        x = {
            column: xr.DataArray(
                np.log(rows[column].to_numpy()) - fit.frame.reference[column],
                dims="point",
                coords={"point": rows.index.to_numpy()},
            )
            for column in spec.law.inputs
        }
        for column, best in spec.law.best.items():
            x[column] = x[column].fillna(best(values))
        log_curve = spec.law.log_curve(x, values).transpose("chain", "draw", "point")
        noise = run_noise(fit, name, values[spec.noise_parameter.name], seed, runs=len(rows))
        away = noise.to_numpy()
        if spec.discrepancy:
            error = model_error(fit, name, seed)
            own = own_errors(name, error.common.shape, seed, runs=len(rows))
            away = away + error.at_points(rows, own).to_numpy()
        floor = values.get("floor", xr.zeros_like(values[spec.law.names[0]]))
        parts.append(
            xr.Dataset(
                {
                    "loss_curve": ops.exp(log_curve),
                    "loss_run": ops.exp(log_curve + away),
                    "loss_floor": xr.zeros_like(log_curve) + floor,
                }
            )
        )
    return xr.concat(parts, dim="point").sel(point=table.index.to_numpy())
