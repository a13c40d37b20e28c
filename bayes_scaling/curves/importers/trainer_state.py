"""``trainer_state.json`` of the Trainer of Hugging Face."""

import json
import re
from pathlib import Path

import pandas as pd

from bayes_scaling.curves.curve import Curves
from bayes_scaling.curves.importers.import_options import Asked
from bayes_scaling.curves.importers.metrics_table import Table, label, read_bytes
from bayes_scaling.curves.importers.rows import curves_of_rows
from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.delimited import decode
from bayes_scaling.runs.reading.raw_table import Places, RawTable, show, unique_names

__all__ = ["STATE", "curves_of_trainer", "holds_trainer_state", "trainer_state_in"]

STATE = "trainer_state.json"


def trainer_state_in(folder: Path) -> Path | None:
    """The state in a folder of results, or in the latest checkpoint there, which repeats all."""
    if (folder / STATE).is_file():
        return folder / STATE
    saved = [
        (int(found[1][-18:]), path / STATE)
        for path in folder.glob("checkpoint-*")
        if (found := re.fullmatch("checkpoint-([0-9]+)", path.name)) and (path / STATE).is_file()
    ]
    return max(saved)[1] if saved else None


def holds_trainer_state(data: bytes) -> bool:
    """Whether the bytes of a .json file look like such a state rather than JSON lines."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"log_history"' in data


def curves_of_trainer(path: Path, asked: Asked) -> Curves:
    """The curve in a ``trainer_state.json``.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    asked : Asked
        What the caller says of it.

    Raises
    ------
    FileError
        If the file cannot be read or is no text.
    DataError
        If it is not JSON or no such state, or as
        :func:`~bayes_scaling.curves.importers.rows.curves_of_rows`.
    """
    source = label(path)
    records = _history(decode(read_bytes(path), source), source)
    keys = list(dict.fromkeys(key for record in records for key in record))
    frame = pd.DataFrame(
        {key: pd.Series([record.get(key) for record in records], dtype=object) for key in keys}
    )
    raw = RawTable(frame, Places(f"{source}, log_history", "row", tuple(range(len(records)))))
    folder = path.resolve().parent
    name = folder.parent.name if folder.name.startswith("checkpoint-") else folder.name
    return curves_of_rows(Table(source, keys, lambda _: raw), asked, name or source)


def _history(text: str, source: str) -> list[dict[str, object]]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        unique_names([key for key, _ in pairs], source)
        return dict(pairs)

    try:
        state = json.loads(text, object_pairs_hook=unique)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        detail = getattr(error, "msg", None) or "it is nested too deeply or holds too long a number"
        line = getattr(error, "lineno", None)
        place = source if line is None else f"{source}, line {line}"
        raise DataError(f"{place} is not JSON: {detail[:1].lower()}{detail[1:]}") from error
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
        raise DataError(
            f"{source} has no list of records 'log_history', as Trainer of Hugging Face writes it; "
            f"it holds {show(state)}"
        )
    if not history:
        raise DataError(f"{source} has an empty 'log_history'; nothing was logged yet")
    return history
