"""Checks that compare rows: duplicates, checkpoints, units, and distance from a smooth law."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from bayes_scaling.runs.checks.by_family import rows_by_family
from bayes_scaling.runs.checks.row_values import is_target
from bayes_scaling.runs.checks.smooth_surface import robust_distances, surface_axes
from bayes_scaling.runs.finding import Finding, number
from bayes_scaling.runs.loss_units import UNKNOWN_UNIT, plausible

__all__ = ["off_law", "repeated_rows", "unit_checks"]

_IDENTITY = ("family", "params", "tokens", "unique_tokens", "flops", "seed", "loss")
_FEWEST = 10
_FAR = 6.0


def repeated_rows(table: pd.DataFrame) -> list[Finding]:
    """Find runs that stand twice, run ids used twice, checkpoints, and families of one run."""
    twice = list(_duplicates(table))
    known = {finding.row for finding in twice}
    return [*twice, *_shared_ids(table, known), *_single(table)]


def _duplicates(table: pd.DataFrame) -> Iterator[Finding]:
    keys = [name for name in _IDENTITY if name in table]
    again = table.duplicated(keys).to_numpy(dtype=np.bool_)
    # Empty rows are equal, which means nothing.
    has_loss = table["loss"].notna().to_numpy(dtype=np.bool_)
    for row in np.flatnonzero(again & has_loss):
        text = (
            "the same family, sizes, seed and loss stand in an earlier row; one run counted twice"
        )
        yield Finding(int(row), "duplicate", "warning", "loss", text)


def _shared_ids(table: pd.DataFrame, known: Collection[int]) -> Iterator[Finding]:
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    seeds = table["seed"].fillna(-1).tolist() if "seed" in table else [-1] * len(table)
    labels = zip(table["family"].tolist(), table["run"].tolist(), seeds, strict=True)
    for row, key in enumerate(labels):
        if key[1] and row not in known:
            groups[key].append(row)
    for rows in groups.values():
        if len(rows) > 1:
            yield from _shared_id(table, rows)


def _shared_id(table: pd.DataFrame, rows: list[int]) -> Iterator[Finding]:
    some = table.iloc[rows]
    progress = "step" if "step" in table and _differ(some["step"]) else "tokens"
    if not _differ(some["params"]) and _differ(some[progress]):
        reached = some[progress].fillna(-np.inf).tolist()
        last = rows[reached.index(max(reached))]
        for row in rows:
            if row != last:
                text = (
                    f"a checkpoint at {progress} {number(table[progress].iloc[row])} of a run that "
                    f"went on to {number(max(reached))}; checkpoints of one run are neither "
                    "finished nor independent"
                )
                yield Finding(row, "mid-training", "warning", progress, text)
        return
    for row in rows[1:]:
        text = "an earlier row has the same run id in the same family; ids should name one run"
        yield Finding(row, "duplicate-run-id", "warning", "run", text)


def _differ(values: pd.Series) -> bool:
    return len(set(values.dropna().tolist())) > 1


def _single(table: pd.DataFrame) -> Iterator[Finding]:
    families = table["family"].tolist()
    counts = Counter(families)
    for row, family in enumerate(families):
        if counts[family] == 1 and family:
            text = f"the only run of family {family!r}, which teaches nothing about its exponents"
            yield Finding(row, "single-run-family", "note", "family", text)


def unit_checks(table: pd.DataFrame) -> list[Finding]:
    """Find losses that their unit does not allow, and units that do not go together."""
    return [*_implausible(table), *_mixed(table)]


def _implausible(table: pd.DataFrame) -> Iterator[Finding]:
    losses, units = table["loss"].tolist(), table["loss_unit"].tolist()
    for row, (loss, unit) in enumerate(zip(losses, units, strict=True)):
        low, high, meaning = plausible(unit)
        if unit == UNKNOWN_UNIT:
            text = "the unit of the loss is unknown, so the loss is used as it stands"
        elif high < loss < np.inf:
            text = (
                f"loss is {number(loss)} {unit}, worse than {meaning}; is it a perplexity or a sum"
            )
        elif 0 < loss < low:
            text = f"loss is {number(loss)} {unit}, lower than text allows; check its unit"
        else:
            continue
        yield Finding(row, "loss-unit", "warning", "loss", text)


def _mixed(table: pd.DataFrame) -> Iterator[Finding]:
    by_family: dict[str, Counter[str]] = defaultdict(Counter)
    pairs = list(zip(table["family"].tolist(), table["loss_unit"].tolist(), strict=True))
    for family, unit in pairs:
        by_family[family][unit] += 1
    most_common = {family: counts.most_common(1)[0][0] for family, counts in by_family.items()}
    for row, (family, unit) in enumerate(pairs):
        if unit != most_common[family]:
            text = (
                f"loss is in {unit} while most of family {family!r} is in {most_common[family]}; "
                "one family needs one unit"
            )
            yield Finding(row, "mixed-units", "error", "loss_unit", text)
    if len(set(most_common.values())) > 1:
        units = ", ".join(sorted(set(most_common.values())))
        text = f"families are in different units of loss ({units}), so their losses do not compare"
        yield Finding(-1, "mixed-units", "warning", "loss_unit", text)


def off_law(table: pd.DataFrame, unusable: Collection[int]) -> list[Finding]:
    """Find runs far off a smooth surface through the other runs of their family.

    Parameters
    ----------
    table : pandas.DataFrame
        A canonical table.
    unusable : collection of int
        Rows with errors, left out of the surface.
    """
    use = ~is_target(table)
    use[[row for row in unusable if row >= 0]] = False
    target, axes = surface_axes(table)
    found: list[Finding] = []
    for family, every in rows_by_family(table).items():
        rows = every[use[every]]
        if len(rows) < _FEWEST:
            continue
        residuals, scale = robust_distances(target[rows], [axis[rows] for axis in axes])
        for place in np.flatnonzero(np.abs(residuals) > _FAR * scale).tolist():
            row, residual = int(rows[place]), float(residuals[place])
            found.append(_far(row, table["loss"].iloc[row], residual, scale, family))
    return found


def _far(row: int, loss: float, residual: float, scale: float, family: str) -> Finding:
    side = "above" if residual > 0 else "below"
    percent = number(abs(np.expm1(residual)) * 100)
    text = (
        f"loss {number(loss)} lies {percent}% {side} a smooth law through family {family!r}, "
        f"{abs(residual) / scale:.0f} robust standard deviations"
    )
    return Finding(row, "off-law", "warning", "loss", text)
