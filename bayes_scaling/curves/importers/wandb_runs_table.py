"""Table of finished runs that Weights & Biases exports, which holds no curves."""

from collections.abc import Sequence

from bayes_scaling.curves.importers.log_table import Table
from bayes_scaling.errors import DataError
from bayes_scaling.runs.columns import column, normalise

__all__ = ["is_runs_table", "not_curves"]

_OF_RUNS = {"State", "Runtime", "Created", "Updated", "Notes", "Tags", "Sweep", "User", "Hostname"}
_MORE = {"loss": {"avgloss"}, "tokens": {"tokensseen"}, "params": set[str](), "flops": set[str]()}


def is_runs_table(names: Sequence[str]) -> bool:
    """Return whether these are columns of the table of runs, one row a finished run."""
    return "Name" in names and len(_OF_RUNS & set(names)) >= 3


def not_curves(table: Table) -> DataError:
    """Return an error that names what reads the table of runs, and what that needs."""
    found: dict[str, str] = {}
    for kind, more in _MORE.items():
        legal = {normalise(kind), *more, *(normalise(alias) for alias in column(kind).aliases)}
        for name in table.names:
            leaf = normalise(name.removesuffix("_AVG").removesuffix("_MAX").rsplit("/", 1)[-1])
            if leaf in legal and len(leaf) > 1:
                found.setdefault(kind, name)
    sizes = [kind for kind in ("params", "tokens", "flops") if kind not in found]
    lacks = [*(["loss"] if "loss" not in found else []), *(sizes if len(sizes) > 1 else [])]
    short = f" once columns for {' or '.join(lacks)} are added" if lacks else ""
    pairs = ", ".join(f"{kind!r}: {name!r}" for kind, name in found.items()) or "..."
    return DataError(
        f"{table.source} is a table of finished runs, one row a run, and holds no curves; "
        f"bs.load_runs(path, columns={{{pairs}}}) reads such{short} (it needs the loss and two of "
        "params, tokens and flops)"
    )
