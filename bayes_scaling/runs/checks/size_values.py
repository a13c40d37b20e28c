"""Checks of the units of params, tokens and flops."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.runs.checks.by_family import rows_by_family
from bayes_scaling.runs.checks.size_units import FLOP_UNITS, Unit, likely_units
from bayes_scaling.runs.finding import Finding, number, span
from bayes_scaling.runs.loss_units import DEFAULT_UNIT
from bayes_scaling.runs.sizes import SIZES

__all__ = ["IMPLAUSIBLE", "compute_unit", "implausible_sizes"]

IMPLAUSIBLE = "implausible-size"

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FEWEST = {"params": 1e3, "tokens": 1e4}
_NOUNS = {"params": "parameters", "tokens": "tokens"}
_LEAST_RATIO, _MOST_RATIO = 1e-3, 1e6
# Of half the runs of a table; single runs are trained on less and on more.
_TYPICAL_RATIO = (0.03, 3e4)
_FEWEST_ROWS = 3
_MOST_ROWS = 0.5
_SMALL_PARAMS = 1e6
_TYPICAL_PARAMS = {"runs": 3e8, "configurations": 1e10}


def implausible_sizes(table: pd.DataFrame, what: str = "runs") -> list[Finding]:
    """Find sizes that no training run has.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns params, tokens and flops, with ``_derived`` where cells were filled.
    what : {"runs", "configurations"}
        What the rows are.

    Returns
    -------
    list of Finding
        One of the whole table where most rows are concerned, else one a row.
    """
    sizes = {name: table[name].to_numpy(dtype=np.float64) for name in SIZES}
    with np.errstate(all="ignore"):
        ratio = sizes["tokens"] / sizes["params"]
        sound = (sizes["params"] > 0) & (sizes["tokens"] > 0) & np.isfinite(ratio) & (ratio > 0)
        few = {name: sound & (sizes[name] < least) for name, least in _FEWEST.items()}
        odd = sound & ((ratio < _LEAST_RATIO) | (ratio > _MOST_RATIO))
    bad = few["params"] | few["tokens"] | odd
    whole = bad.sum() > _MOST_ROWS * sound.sum()
    if not whole and sound.sum() >= _FEWEST_ROWS:
        typical = float(np.median(ratio[sound]))
        whole = not _TYPICAL_RATIO[0] <= typical <= _TYPICAL_RATIO[1]
        bad = sound if whole else bad
    stated = _stated_sizes(table)
    chosen = [(-1, bad)] if whole else [(int(r), _only(int(r), bad)) for r in np.flatnonzero(bad)]
    found = []
    for row, rows in chosen:
        part = {name: values[rows] for name, values in sizes.items()}
        concerned = [name for name in _FEWEST if (few[name] & rows).any()]
        found.append(_sizes(part, stated, concerned, what, row))
    return found or [*_tiny(table, sizes, sound, what)]


def _only(row: int, like: Mask) -> Mask:
    only = np.zeros_like(like)
    only[row] = True
    return only


def _stated_sizes(table: pd.DataFrame) -> list[str]:
    """The sizes that stand in the source, where most cells of a column do."""
    stated = []
    for name in SIZES:
        mark = f"{name}_derived"
        filled = table[mark].to_numpy(dtype=np.bool_) if mark in table else np.zeros(len(table))
        if filled.mean() <= _MOST_ROWS:
            stated.append(name)
    return stated


def _sizes(
    sizes: Mapping[str, Floats], stated: list[str], few: list[str], what: str, row: int
) -> Finding:
    """Describe the implausible sizes of some rows, ``few`` of which are too small."""
    some = {name: sizes[name] for name in stated}
    units = likely_units(some, _TYPICAL_PARAMS[what]) if len(some) > 1 else None
    named = [name for name in SIZES if name in (units or few)]
    if few:
        sentence = " and ".join(
            f"{name} {'are' if row < 0 else 'is'} {span(sizes[name])}, below the "
            f"{_FEWEST[name]:,.0f} {_NOUNS[name]} of the smallest training runs"
            for name in few
        )
    else:
        with np.errstate(all="ignore"):
            ratio = sizes["tokens"] / sizes["params"]
        sentence = (
            f"there are {span(ratio)} tokens a parameter (params {span(sizes['params'])}, tokens "
            f"{span(sizes['tokens'])}), which no training run has"
        )
    column = named[0] if named else "params"
    return Finding(row, IMPLAUSIBLE, "error", column, f"{sentence}; {_advice(units, some)}")


def _advice(units: Mapping[str, Unit] | None, stated: Mapping[str, Floats]) -> str:
    if not units:
        return "give parameters, tokens and FLOP as plain numbers, such as 7e9"
    parts = []
    for unit in dict.fromkeys(unit.name for unit in units.values()):
        names = [name for name, one in units.items() if one.name == unit]
        examples = " and ".join(_example(units[name], stated[name][0]) for name in names)
        parts.append(f"{' and '.join(names)} are probably in {unit}, so write {examples}")
    return ", and ".join(parts)


def _example(unit: Unit, value: float) -> str:
    base = float(unit.to_base(np.array([value]))[0])
    return f"{number(value)} as {base:.3g}"


def _tiny(
    table: pd.DataFrame, sizes: Mapping[str, Floats], sound: Mask, what: str
) -> Iterator[Finding]:
    """Tables whose every model is smaller than one embedding of a tokenizer."""
    if what != "runs" or sound.sum() < _FEWEST_ROWS:
        return
    per_token = (table["loss_unit"] == DEFAULT_UNIT).to_numpy(dtype=np.bool_)
    if per_token.all() and sizes["params"][sound].max() < _SMALL_PARAMS:
        text = (
            f"params are {span(sizes['params'][sound])} in every row, small for a loss per token; "
            "are they in thousands or millions"
        )
        yield Finding(-1, IMPLAUSIBLE, "warning", "params", text)


# Compute against 6·N·D. Attention and embeddings move the ratio by less than a factor 2, counting
# the forward pass alone or the active experts of some makes it a few, and units make it 1000.
_NEAR, _FAR, _VERY_FAR = 2.0, 10.0, 100.0
_SPREAD = np.log10(2.0)
_CONSTANT_FRACTION = 0.8
_NAMED = 4.0
_LARGEST_LOG = 100.0


def compute_unit(table: pd.DataFrame, ratio: Floats) -> tuple[list[Finding], Mask]:
    """Find compute in another unit than FLOP, from its ratio to 6·N·D.

    Parameters
    ----------
    table : pandas.DataFrame
        A canonical table.
    ratio : numpy.ndarray
        FLOP over 6·N·D where FLOP are stated, else NaN.

    Returns
    -------
    findings : list of Finding
        One of the whole table, or one a family, where the ratio is one number.
    explained : numpy.ndarray
        Rows that these speak of.
    """
    explained = np.zeros(len(table), dtype=np.bool_)
    groups = [("", np.arange(len(table)))]
    families = rows_by_family(table)
    if len(families) > 1 and _one_ratio(ratio) is None:
        groups = [(f" in family {name!r}", rows) for name, rows in families.items()]
    found = []
    for where, rows in groups:
        factor = _one_ratio(ratio[rows])
        if factor is not None:
            flops = table["flops"].to_numpy(dtype=np.float64)[rows]
            # Logarithms hardly vary where 6·N·D does, so their ratio does.
            logs = not _constant(ratio[rows]) and bool(np.nanmax(flops) < _LARGEST_LOG)
            found.append(_compute(factor, where, logs=logs))
            explained[rows] = True
    return found, explained


def _one_ratio(ratio: Floats) -> float | None:
    """The factor by which nearly all compute is off, if there is one and it is not near 1."""
    known = _decades(ratio)
    if len(known) < _FEWEST_ROWS:
        return None
    middle = float(np.median(known))
    far = np.mean(known * np.sign(middle) > np.log10(_VERY_FAR)) >= _CONSTANT_FRACTION
    if abs(middle) <= np.log10(_NEAR) or not (_constant(ratio) or far):
        return None
    return float(10.0**middle)


def _decades(ratio: Floats) -> Floats:
    return np.log10(ratio[np.isfinite(ratio) & (ratio > 0)])


def _constant(ratio: Floats) -> bool:
    known = _decades(ratio)
    return bool(np.mean(np.abs(known - np.median(known)) < _SPREAD) >= _CONSTANT_FRACTION)


def _compute(factor: float, where: str, *, logs: bool) -> Finding:
    sentence = f"flops are about {number(factor)} times 6·N·D in nearly every run{where}"
    if 1 / _FAR < factor < _FAR:
        text = (
            f"{sentence}; check which parameters are counted and whether all of a step's compute is"
        )
        return Finding(-1, "flops-mismatch", "warning", "flops", text)
    unit = next((n for n, one in FLOP_UNITS.items() if 1 / _NAMED < factor * one < _NAMED), None)
    counts = {1e3: "thousands", 1e6: "millions", 1e9: "billions", 1e12: "trillions"}
    count = next((n for one, n in counts.items() if 1 / _NAMED < factor / one < _NAMED), None)
    if logs:
        advice = "they are probably logarithms, so write the FLOP themselves"
    elif unit:
        advice = f"they are probably in {unit}, so multiply them by {FLOP_UNITS[unit]:.3g}"
    elif count:
        advice = f"params or tokens are probably in {count}, or together; write them out"
    else:
        advice = "check the units of all three, and give compute in FLOP"
    return Finding(-1, "flops-unit", "error", "flops", f"{sentence}; {advice}")
