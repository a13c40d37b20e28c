"""The summary of a table of runs, family by family."""

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_scaling.runs._value_checks import is_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayes_scaling.runs.flags import Flag

__all__ = ["summarise"]

_RANGES = ("params", "tokens", "flops", "loss")


def summarise(table: pd.DataFrame, flags: "Iterable[Flag]") -> pd.DataFrame:
    """Give counts, ranges and numbers of flagged rows for each family, in order of appearance."""
    flagged: dict[str, set[int]] = defaultdict(set)
    for flag in flags:
        if flag.row >= 0:
            flagged[flag.severity].add(flag.row)
    families = table["family"].to_numpy(dtype=object)
    target = is_target(table)
    lines: list[dict[str, object]] = []
    for family in dict.fromkeys(families.tolist()):
        rows = np.flatnonzero(families == family)
        line: dict[str, object] = {
            "family": family,
            "runs": len(rows),
            "targets": int(target[rows].sum()),
        }
        for name in _RANGES:
            line[f"{name}_min"] = float(table[name].iloc[rows].min())
            line[f"{name}_max"] = float(table[name].iloc[rows].max())
        line["loss_unit"] = ", ".join(dict.fromkeys(table["loss_unit"].iloc[rows].tolist()))
        for severity in ("error", "warning", "note"):
            line[f"{severity}s"] = len(flagged[severity].intersection(rows.tolist()))
        lines.append(line)
    return pd.DataFrame(lines)
