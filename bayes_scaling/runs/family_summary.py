"""Tables of runs in summary: family by family, their flags, and as HTML."""

import html
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pandas as pd

from bayes_scaling.core.display import html_table
from bayes_scaling.runs.checks.by_family import rows_by_family
from bayes_scaling.runs.checks.row_values import is_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayes_scaling.runs.flags import Flag

__all__ = ["as_html", "flag_table", "summarise"]

_RANGES = ("params", "tokens", "flops", "loss")


def summarise(table: pd.DataFrame, flags: "Iterable[Flag]") -> pd.DataFrame:
    """Give counts, ranges and numbers of flagged rows for each family, in order of appearance."""
    flagged: dict[str, set[int]] = defaultdict(set)
    for flag in flags:
        if flag.row >= 0:
            flagged[flag.severity].add(flag.row)
    target = is_target(table)
    lines: list[dict[str, object]] = []
    for family, rows in rows_by_family(table).items():
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


def flag_table(flags: "Iterable[Flag]") -> pd.DataFrame:
    """Tabulate flags: row, run, code, severity, column, message."""
    names = ("row", "run", "code", "severity", "column", "message")
    rows = [[getattr(flag, name) for name in names] for flag in flags]
    return pd.DataFrame(rows, columns=pd.Index(names)).astype({"row": "int64"})


def as_html(head: str, summary: pd.DataFrame, flags: "Iterable[Flag]") -> str:
    """A heading, the summary, and how many flags there are of each code."""
    counts = Counter((flag.severity, flag.code) for flag in flags)
    items = "".join(
        f"<li>{html.escape(severity)}: {html.escape(code)} × {count}</li>"
        for (severity, code), count in sorted(counts.items())
    )
    body = html_table(summary, index=False)
    return f"<div><p><b>{html.escape(head)}</b></p>{body}<ul>{items}</ul></div>"
