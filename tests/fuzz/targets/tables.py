"""Tables of runs and of configurations: text, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bayes_scaling.forecast import predict
from bayes_scaling.runs import load_configs, load_runs
from tests.conftest import grid
from tests.fuzz.engine import Made, Target, UnsoundError
from tests.fuzz.mutate import mutated_bytes, mutated_cells
from tests.fuzz.targets.given import fit

__all__ = ["configs", "runs", "table_file"]

_ROWS = 12


def runs() -> Target:
    """Tables of runs."""
    rows = _runs_table()
    return Target("runs", lambda rng: table_file(rng, rows), _read_runs)


def configs() -> Target:
    """Tables of configurations, and forecasts there."""
    rows: list[list[Any]] = [
        ["name", "params", "tokens", "family", "note"],
        ["a", 1e9, 2e10, "web", "first"],
        ["b", 3e9, 6e10, "code", ""],
        ["c", 7e8, 7e10, "web", "é"],
        ["d", 2e8, 7e9, "unseen", "=1+1"],
    ]
    fit()
    return Target("configs", lambda rng: table_file(rng, rows), _read_configs)


def _runs_table() -> list[list[Any]]:
    table = grid(("web", "code"))[["run", "family", "params", "tokens"]]
    table = table.iloc[:_ROWS].copy()
    table.loc[table.index[_ROWS // 2] :, "family"] = "code"
    curve = 1.8 + 400 / table["params"] ** 0.34 + 1800 / table["tokens"] ** 0.36
    table = table.assign(
        flops=6 * table["params"] * table["tokens"],
        loss=curve,
        loss_unit="nats/token",
        note='a, "note"',
        role="fit",
    )
    return [list(table.columns), *(list(row) for row in table.to_numpy())]


def table_file(rng: Random, rows: list[list[Any]], stem: str = "table") -> Made:
    """A table with altered cells in one of the forms that are read, or altered as bytes."""
    suffix = rng.choice((".csv", ".csv", ".tsv", ".jsonl", ".json", ".parquet"))
    as_bytes = rng.random() < (0.5 if suffix == ".parquet" else 0.3)
    table = rows if as_bytes else mutated_cells(rng, rows)
    data = _WRITERS[suffix](rng, table)
    return Made(stem + suffix, mutated_bytes(rng, data) if as_bytes else data)


def _text(cell: Any) -> str:
    return "9" * 400 if isinstance(cell, int) and abs(cell) > 10**50 else str(cell)


def _delimited(delimiter: str) -> Any:
    def write(rng: Random, table: list[list[Any]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", escapechar="\\")
        writer.writerows([["" if c is None else _text(c) for c in row] for row in table])
        text = out.getvalue()
        if rng.random() < 0.1:
            text = text.replace("\n", rng.choice(("\r\n", "\r", "\n\n")))
        encoding = "utf-16" if rng.random() < 0.02 else "utf-8"
        return text.encode(encoding, "surrogatepass")

    return write


def _json_lines(rng: Random, table: list[list[Any]]) -> bytes:
    header, *rows = table
    lines = []
    for row in rows:
        cells = {str(n): _plain(c) for n, c in zip(header, row, strict=False)}
        if rng.random() < 0.05:
            cells = {name: [cell] for name, cell in cells.items()}
        lines.append(json.dumps(cells, ensure_ascii=rng.random() < 0.5))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _plain(cell: Any) -> Any:
    if isinstance(cell, int) and abs(cell) > 10**50:
        return 10**400
    return cell.item() if isinstance(cell, np.generic) else cell


def _parquet(rng: Random, table: list[list[Any]]) -> bytes:
    header, *rows = table
    arrays, names = [], []
    for place, name in enumerate(header):
        cells = [row[place] if place < len(row) else None for row in rows]
        arrays.append(_array(rng, cells))
        names.append(_text(name).encode("utf-8", "replace").decode())
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=names), out)
    return out.getvalue()


def _array(rng: Random, cells: list[Any]) -> pa.Array:
    """A column of the type of its cells, or of another one that a stranger may have chosen."""
    way = rng.randrange(12)
    if way < len(_ODD_COLUMNS):
        return _ODD_COLUMNS[way](cells)
    numbers = [c for c in cells if isinstance(c, int | float) and not isinstance(c, bool)]
    if len(numbers) == len(cells):
        return pa.array([float(str(c)[:300]) for c in cells])
    return pa.array(_encoded(cells), type=pa.binary()).view(pa.string())


def _encoded(cells: list[Any], more: bytes = b"") -> list[bytes | None]:
    return [None if c is None else _text(c).encode("utf-8", "surrogatepass") + more for c in cells]


# Text that is no UTF-8, which Parquet does not forbid; bytes; lists; times; nothing; categories.
_ODD_COLUMNS: tuple[Callable[[list[Any]], pa.Array], ...] = (
    lambda cells: pa.array(_encoded(cells, b"\xff\xfe"), type=pa.binary()).view(pa.string()),
    lambda cells: pa.array(_encoded(cells), type=pa.binary()),
    lambda cells: pa.array([[one] for one in _encoded(cells)]),
    lambda cells: pa.array(list(range(len(cells)))).cast("timestamp[ns]"),
    lambda cells: pa.array([None] * len(cells), type=pa.null()),
    lambda cells: pa.array([str(i) for i in range(len(cells))]).dictionary_encode(),
)


_WRITERS: dict[str, Any] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _json_lines,
    ".json": _json_lines,
    ".parquet": _parquet,
}


def _read_runs(path: Path) -> None:
    loaded = load_runs(path)
    str(loaded)
    repr(loaded)
    # What looks wrong is flagged, and only what is fitted must be whole.
    rows = loaded.fit_rows()
    for name in ("params", "tokens", "flops", "loss"):
        if not (np.isfinite(rows[name]) & (rows[name] > 0)).all():
            raise UnsoundError(f"{name} holds {rows[name].tolist()[:20]}")


def _read_configs(path: Path) -> None:
    found = predict(fit(), load_configs(path))
    str(found)
    repr(found)
    added = found.to_frame()[["mean", "sd", "q05", "q95", "extrapolation"]]
    if not np.isfinite(added.to_numpy(dtype=float)).all():
        raise UnsoundError(f"a forecast is not finite: {added.to_dict('list')}")
    for suffix in ("csv", "json", "parquet"):
        found.save(path.parent / "out" / f"forecast.{suffix}")
    json.loads((path.parent / "out" / "forecast.json").read_text("utf-8"), parse_constant=_never)


def _never(text: str) -> None:
    raise UnsoundError(f"{text} was written")
