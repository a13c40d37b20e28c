"""Training curves: the loss of a run against steps or tokens."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from msgspec.structs import replace as replaced
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.bounds import LARGEST, SMALLEST, legal
from bayes_scaling.core.caveat import Caveat, texts
from bayes_scaling.core.display import brief
from bayes_scaling.curves.curve_flag import Flag, FlagCode
from bayes_scaling.errors import DataError

__all__ = ["WANTED", "Axis", "Curve", "Curves"]

Floats = NDArray[np.float64]

Axis = Literal["step", "tokens"]
WANTED = (
    'one Curve is needed, like bayes_scaling.load_curves("log.csv")["run"] or '
    'bayes_scaling.Curve.of("run", steps, losses)'
)
"""How a curve is made, for messages."""


@dataclass(frozen=True, eq=False, repr=False)
class Curve:
    """Loss of one run as it was logged.

    Attributes
    ----------
    run : str
        Name of the run.
    t : (point,) array
        Positions in steps or tokens, growing.
    loss : (point,) array
        Losses, finite and above 0.
    axis : {"step", "tokens"}
        What ``t`` counts.
    lr : (point,) array or None
        Learning rates, where they were logged.
    seconds : (point,) array or None
        Wall-clock since the first point, where it was logged.
    metric : str
        Name of the loss in its source.
    source : str
        File or address it was read from.
    flags : tuple of Flag
        Properties of points found in reading it.
    lost : (place,) array
        Positions of losses that are no number.

    Examples
    --------
    >>> curve = Curve.of("a", [100, 200, 400], [3.2, 2.9, 2.7])
    >>> curve
    Curve 'a': 3 points of 'loss', step 100 to 400, loss 3.2 to 2.7
    >>> curve.until(200).t
    array([100., 200.])
    """

    run: str
    t: Floats
    loss: Floats
    axis: Axis = "step"
    lr: Floats | None = None
    seconds: Floats | None = None
    metric: str = "loss"
    source: str = "arrays"
    flags: tuple[Flag, ...] = ()
    lost: Floats = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(
        cls,
        run: str,
        t: ArrayLike,
        loss: ArrayLike,
        *,
        axis: Axis = "step",
        lr: ArrayLike | None = None,
        seconds: ArrayLike | None = None,
        metric: str = "loss",
        source: str = "arrays",
        blanks: int = 0,
    ) -> "Curve":
        """Make a curve from points in the order in which they were logged.

        Where ``t`` goes back, the run was restarted from a checkpoint: what was logged beyond it
        before is replaced. Points at t = 0, before any step, are kept out. Both, and losses that
        are not finite, are flagged.

        Parameters
        ----------
        run : str
            Its name.
        t, loss : (point,) array-like
            Steps or tokens, and losses.
        axis : {"step", "tokens"}
            What ``t`` counts.
        lr, seconds : (point,) array-like, optional
            Learning rate and wall-clock; rates that are not known at every point are none.
        metric, source : str
            Where the loss comes from.
        blanks : int
            How many of the losses that are no number are blank cells, taken as such.

        Raises
        ------
        DataError
            If lengths differ, a position is not finite or below 0, a loss is 0 or below, or no
            point is left.
        """
        columns = {"t": t, "loss": loss, "lr": lr, "seconds": seconds}
        arrays = {
            name: np.asarray(values, dtype=np.float64).reshape(-1)
            for name, values in columns.items()
            if values is not None
        }
        if "lr" in arrays and not np.all(np.isfinite(arrays["lr"])):
            del arrays["lr"]
        where = f"curve {run!r} ({metric!r} of {source})"
        if len({len(values) for values in arrays.values()}) > 1:
            raise DataError(f"{where} has columns of different lengths")
        table = pd.DataFrame(arrays)
        _check(table, where)
        flags: list[Flag] = []
        kept = table
        found_in_blanks = (
            f" (blank in {blanks} rows that hold all else, and taken as such)" if blanks else ""
        )
        codes: tuple[tuple[FlagCode, Any, str], ...] = (
            (
                "not finite",
                ~np.isfinite(table["loss"]),
                f"the loss is no number{found_in_blanks}: kept out",
            ),
            ("restarted", _replaced(table["t"]), "logged again after a restart: the later is kept"),
            ("before training", table["t"] == 0, "logged before the first step: kept out"),
        )
        for code, bad, meaning in codes:
            here = bad & table.index.isin(kept.index)
            if here.any():
                at = table.loc[here, "t"]
                ends = {"first": float(at.min()), "last": float(at.max())}
                flags.append(Flag(run=run, code=code, meaning=meaning, points=len(at), **ends))
                kept = kept[~here.loc[kept.index]]
        if not len(kept):
            raise DataError(f"{where} has no point with a finite loss after the first step")
        found = {str(name): kept[name].to_numpy() for name in kept}
        lost = table.loc[~np.isfinite(table["loss"]), "t"].to_numpy()
        curve = cls(run, found["t"], found["loss"], axis, metric=metric, source=source)
        return replace(
            curve, lr=found.get("lr"), seconds=found.get("seconds"), flags=tuple(flags), lost=lost
        )

    def __len__(self) -> int:
        return len(self.t)

    @property
    def reached(self) -> float:
        """Last position at which a loss was logged, be it a number or not."""
        return float(max(self.t[-1], self.lost.max(initial=0.0)))

    def until(self, t: float) -> "Curve":
        """Return the curve as it was known at ``t``."""
        then = self.where(self.t <= t)
        flags = [replaced(f, last=min(f.last, t)) for f in self.flags if f.first <= t]
        return replace(then, flags=tuple(flags), lost=self.lost[self.lost <= t])

    def where(self, kept: NDArray[np.bool_]) -> "Curve":
        """Return the points where a mask is true."""
        return replace(
            self,
            t=self.t[kept],
            loss=self.loss[kept],
            lr=None if self.lr is None else self.lr[kept],
            seconds=None if self.seconds is None else self.seconds[kept],
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a table: run, step or tokens, loss, and lr and seconds where they were logged."""
        columns: dict[str, Any] = {"run": self.run, self.axis: self.t, "loss": self.loss}
        for name in ("lr", "seconds"):
            if getattr(self, name) is not None:
                columns[name] = getattr(self, name)
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        return (
            f"Curve {self.run!r}: {len(self)} points of {self.metric!r}, {self.axis} "
            f"{self.t[0]:.4g} to {self.t[-1]:.4g}, loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Curves:
    """Curves of several runs.

    Attributes
    ----------
    curves : tuple of Curve
        Curves, by different names.
    source : str
        File or address they were read from.
    caveats : tuple of Caveat
        Decisions made in reading them.

    Examples
    --------
    >>> curves = bs.load_curves("curve.csv", t="step")
    >>> curves.names, len(curves["a"])
    (('a',), 100)
    """

    curves: tuple[Curve, ...]
    source: str = "arrays"
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise DataError(f"two curves are named {twice[0]!r}")
        if not names:
            raise DataError(f"{self.source} holds no curve")

    @property
    def notes(self) -> tuple[str, ...]:
        """Texts of ``caveats`` (deprecated)."""
        warnings.warn("notes is deprecated; use caveats", DeprecationWarning, stacklevel=2)
        return texts(self.caveats)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the runs."""
        return tuple(curve.run for curve in self.curves)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Flags of all curves."""
        return tuple(flag for curve in self.curves for flag in curve.flags)

    def __len__(self) -> int:
        return len(self.curves)

    def __iter__(self) -> Iterator[Curve]:
        return iter(self.curves)

    def __getitem__(self, run: str) -> Curve:
        for curve in self.curves:
            if curve.run == run:
                return curve
        known = ", ".join(map(repr, self.names[:8]))
        raise DataError(f"there is no curve of run {run!r}; there are {known}")

    def to_frame(self) -> pd.DataFrame:
        """Return all points, one row each, as :meth:`Curve.to_frame`."""
        return pd.concat([curve.to_frame() for curve in self.curves], ignore_index=True)

    def __repr__(self) -> str:
        return brief("\n".join([*map(repr, self.curves), *texts(self.caveats)]))


def _check(table: pd.DataFrame, where: str) -> None:
    t, loss = table["t"], table["loss"]
    if not len(table):
        raise DataError(f"{where} has no points")
    wrong = ~((t == 0) | t.between(SMALLEST, LARGEST))
    if wrong.any():
        raise DataError(
            f"{where} has position {t[wrong].iloc[0]:g} at point {int(np.argmax(wrong)) + 1}; "
            f"steps and tokens are numbers {legal(zero=True)}"
        )
    wrong = loss <= 0
    if wrong.any():
        raise DataError(
            f"{where} has loss {loss[wrong].iloc[0]:.6g} at point {int(np.argmax(wrong)) + 1}, and "
            f"{int(wrong.sum())} of {len(table)} are not above 0; a loss in nats is above 0 (one "
            "that is not comes of an overflow, or is another metric)"
        )
    wrong = np.isfinite(loss) & ~loss.between(SMALLEST, LARGEST)
    if wrong.any():
        raise DataError(
            f"{where} has loss {loss[wrong].iloc[0]:.6g} at point {int(np.argmax(wrong)) + 1}; a "
            f"loss is a number {legal()}"
        )


def _replaced(t: "pd.Series[float]") -> "pd.Series[bool]":
    """Return whether a later point stands at the same place or before: it was logged again."""
    later: Floats = np.minimum.accumulate(t.to_numpy()[::-1])[::-1]
    least = np.append(later[1:], np.inf)
    return pd.Series(t.to_numpy() >= least, index=t.index)
