"""Forecast losses of configurations: what :func:`bayes_scaling.predict` gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.caveat import Caveat, deprecated_texts, texts
from bayes_scaling.core.display import brief, html_list, html_table
from bayes_scaling.core.draw_summary import QUANTILES, quantile_name, summarise
from bayes_scaling.core.files import path_of
from bayes_scaling.core.json_files import records
from bayes_scaling.core.records import about, to_plain
from bayes_scaling.core.result import CAVEATS, Result
from bayes_scaling.core.tabular import write_csv, write_parquet
from bayes_scaling.errors import DataError, FileError, FitError
from bayes_scaling.runs import Configs

__all__ = ["Forecast", "ForecastFile", "Kind"]

Kind = Literal["run", "curve", "floor"]
type Columns = dict[str, NDArray[Any]]

_SHOWN, _WIDEST = 20, 30
"""Points and columns that a representation shows."""


class ForecastFile(Result, frozen=True, kw_only=True, tag="bayes_scaling.forecast/2"):
    """Losses of configurations, as `predict -o FILE.json` writes them."""

    quantity: Annotated[
        Literal["loss_run", "loss_curve", "loss_floor"],
        about("Loss of one new run, expected loss, or irreducible loss."),
    ]
    loss_unit: Annotated[str, about("Unit of every loss; mixed where families differ.")]
    caveats: Annotated[tuple[Caveat, ...], about(CAVEATS)]
    points: Annotated[
        tuple[dict[str, float | int | str | bool | None], ...],
        about(
            "One row a configuration: the user's own columns, then mean, sd and quantiles (q05 is "
            "the 5% quantile) of the loss, extrapolation (decades of compute beyond the family's "
            "largest fitted run) and family_seen (whether the family was fitted).",
            min_length=1,
        ),
    ]


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
    caveats : tuple of Caveat
        What makes these numbers less sure than they look.
    loss_unit : str
        Unit of every loss; "mixed" where the families of the points differ in it.
    """

    draws: xr.Dataset
    configs: Configs
    points: pd.DataFrame
    caveats: tuple[Caveat, ...]
    loss_unit: str

    warnings = deprecated_texts("warnings")

    def quantity(self, kind: Kind = "run") -> xr.DataArray:
        """Return draws of one quantity, dims (chain, draw, point).

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
        """Return the points with mean, sd and quantiles of their loss.

        Parameters
        ----------
        kind : {"run", "curve", "floor"}
            Which quantity.
        quantiles : sequence of float
            Levels strictly between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            Every column of the configurations in the same row order, then ``mean``, ``sd``, one
            column a quantile (``q05``, ``q97.5``), ``extrapolation`` and ``family_seen``; and
            ``loss_unit`` where families differ in it.

        Raises
        ------
        DataError
            If the table of configurations already has one of these columns.
        FitError
            If a level is not between 0 and 1.

        Examples
        --------
        >>> forecast = bs.load_fit("fit.nc").predict("configs.csv")
        >>> forecast.to_frame("curve", [0.1, 0.9]).columns.tolist()[-6:]
        ['mean', 'sd', 'q10', 'q90', 'extrapolation', 'family_seen']
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
    def _summary(draws: xr.DataArray, points: pd.DataFrame, levels: list[float]) -> Columns:
        """Columns that a forecast adds to a table of points."""
        rows = draws.transpose("point", "chain", "draw").to_numpy()
        added: Columns = {**summarise(rows.reshape(len(points), -1), levels)}
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
            CSV only: whether text of the configurations that a spreadsheet would run as a formula
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
                "schema": "bayes_scaling.forecast/2",
                "quantity": f"loss_{kind}",
                "loss_unit": self.loss_unit,
                "caveats": self.caveats,
                "points": records(table),
            }
            return ForecastFile.from_dict(to_plain(content)).save(path)
        if suffix == ".csv" or Path(path).is_char_device():
            return write_csv(path, table, raw=raw)
        raise FileError(f"cannot write {path}: {suffix!r} is not .csv, .json or .parquet")

    def __repr__(self) -> str:
        count = len(self.points)
        some = f", of which {_SHOWN} are shown; to_frame() has all" if count > _SHOWN else ""
        table = self._shown().to_string(max_cols=_WIDEST, max_colwidth=40)
        notes = [f"Note: {text}" for text in texts(self.caveats)]
        head = f"<Forecast of {count} point{'s' * (count != 1)}{some}>"
        return brief("\n".join([head, table, *notes]))

    def _repr_html_(self) -> str:
        return f"{html_table(self._shown())}{html_list(texts(self.caveats))}"


def _checked_levels(quantiles: float | Sequence[float]) -> list[float]:
    several = [quantiles] if is_number(quantiles) else quantiles
    if not isinstance(several, Iterable) or isinstance(several, str):
        raise FitError(f"quantiles are {shown(several)}; levels are needed, like [0.05, 0.5, 0.95]")
    listed: list[Any] = list(several)
    for level in listed:
        if not (is_number(level) and 0 < level < 1):
            raise FitError(f"quantile {shown(level)} is not strictly between 0 and 1")
    levels = [float(level) for level in listed]
    if len({quantile_name(level) for level in levels}) != len(levels):
        raise FitError(f"a quantile stands twice: {', '.join(map(str, levels))}")
    return levels
