"""Checks of whether the loss is one: a cross-entropy that falls with parameters and tokens."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.runs.checks.by_family import rows_by_family
from bayes_scaling.runs.checks.row_values import is_target
from bayes_scaling.runs.finding import Finding, number, span
from bayes_scaling.runs.loss_units import DEFAULT_UNIT, UNKNOWN_UNIT, plausible

__all__ = ["loss_checks"]


def loss_checks(table: pd.DataFrame) -> list[Finding]:
    """Find losses that rise with size, or that their unit does not allow."""
    return [*_rising(table), *_implausible(table)]


_FACTOR = 1.5
_FEWEST_PAIRS = 6
_MOST_RISING = 0.6
_SAMPLE = 300


def _rising(table: pd.DataFrame) -> Iterator[Finding]:
    """Compare runs with larger ones: more parameters, tokens and unique tokens lower a loss."""
    fractions: list[tuple[float, int]] = []
    names = ["params", "tokens", "loss"]
    numbers = table[names].to_numpy(dtype=np.float64)
    unique = numbers[:, 1]
    if "unique_tokens" in table:
        stated = table["unique_tokens"].to_numpy(dtype=np.float64)
        unique = np.where(np.isnan(stated), unique, stated)
    sound = np.all(np.isfinite(numbers) & (numbers > 0), axis=1) & (unique > 0)
    sound &= ~is_target(table)
    for rows in rows_by_family(table).values():
        every = rows[sound[rows]]
        some = every[:: max(len(every) // _SAMPLE, 1)]
        rising, pairs = _pairs(numbers[some], unique[some])
        if pairs:
            fractions.append((rising, pairs))
    total = sum(pairs for _, pairs in fractions)
    if total < _FEWEST_PAIRS:
        return
    rises = sum(rising for rising, _ in fractions) / total
    if rises > _MOST_RISING and sum(r > n / 2 for r, n in fractions) * 2 >= len(fractions):
        text = (
            f"the loss rises with size: of {total} pairs of runs of a family, one with at least "
            f"{number((_FACTOR - 1) * 100)}% more compute and no fewer parameters or tokens, the "
            f"larger has the higher loss in {number(100 * rises)}%, as an accuracy would; give the "
            "held-out loss in nats per token"
        )
        yield Finding(-1, "rising-loss", "error", "loss", text)


def _pairs(numbers: NDArray[np.float64], unique: NDArray[np.float64]) -> tuple[float, int]:
    """Pairs of runs one of which is larger in all, and in how many of them its loss is higher."""
    params, tokens, loss = (np.log(column) for column in numbers.T)
    unique = np.log(unique)
    compute = params + tokens
    larger = _difference(compute) > np.log(_FACTOR)
    for values in (params, tokens, unique):
        larger &= _difference(values) >= -1e-6
    change = _difference(loss)[larger]
    return float(np.sum(change > 0) + 0.5 * np.sum(change == 0)), len(change)


def _difference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = values[:, None] - values[None, :]
    return result


# So many losses out of range are not runs that diverged, and one so far out is none either.
_MANY = 0.2
_FAR = 10.0
_FEWEST_ROWS = 3
_ONE_NAT = 1.0
_LARGEST_PERPLEXITY = 262_144


def _implausible(table: pd.DataFrame) -> Iterator[Finding]:
    losses = table["loss"].to_numpy(dtype=np.float64)
    units = table["loss_unit"].to_numpy(dtype=object)
    known = np.isfinite(losses) & (losses > 0)
    for unit in dict.fromkeys(units.tolist()):
        here = known & (units == unit)
        if unit == UNKNOWN_UNIT or not here.any():
            continue
        low, high, meaning = plausible(unit)
        above, below = here & (losses > high), here & (losses < low)
        if above.sum() > _MANY * here.sum():
            text = f"loss is {span(losses[here])} {unit}, and worse than {meaning} in "
            text += f"{above.sum()} of {here.sum()} rows; {_other_metric(losses[here])}"
            yield Finding(-1, "implausible-loss", "error", "loss", text)
        elif below.sum() > (1 - _MANY) * here.sum():
            text = (
                f"loss is {span(losses[here])} {unit}, lower than any text allows; give the "
                "held-out loss as it was logged, and its unit"
            )
            yield Finding(-1, "implausible-loss", "error", "loss", text)
        else:
            yield from _one_by_one(losses, above, unit)
            yield from _low(losses[here], unit)


def _other_metric(losses: NDArray[np.float64]) -> str:
    if losses.max() > _LARGEST_PERPLEXITY:
        return "a sum over tokens is to be divided by their number"
    return "write the natural logarithm of a perplexity, and divide a sum by the number of tokens"


def _one_by_one(
    losses: NDArray[np.float64], above: NDArray[np.bool_], unit: str
) -> Iterator[Finding]:
    _, high, meaning = plausible(unit)
    for row in np.flatnonzero(above & (losses > _FAR * high)):
        text = f"loss is {number(losses[row])} {unit}, far worse than {meaning}; correct it"
        yield Finding(int(row), "implausible-loss", "error", "loss", text)


def _low(losses: NDArray[np.float64], unit: str) -> Iterator[Finding]:
    if unit == DEFAULT_UNIT and len(losses) >= _FEWEST_ROWS and losses.max() < _ONE_NAT:
        text = (
            f"loss is {span(losses)} {unit} in every row, which few texts allow; if it is per byte "
            "or in bits state so with --loss-unit, and an error rate is no loss"
        )
        yield Finding(-1, "loss-unit", "warning", "loss", text)
