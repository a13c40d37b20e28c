"""``trainer_state.json`` of the Trainer of Hugging Face."""

import json
import re
from pathlib import Path

import pandas as pd

from bayes_scaling.curves.importers.log_source import Log
from bayes_scaling.curves.importers.log_table import Table, label, read_bytes
from bayes_scaling.curves.importers.long_table import LongTable
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.reading.delimited import decode
from bayes_scaling.runs.reading.raw_table import Places, RawTable, show, unique_names

__all__ = ["TrainerState"]

_STATE = "trainer_state.json"


class TrainerState(LongTable):
    """History of a trainer, a table with one row a record."""

    def __init__(self, log: Log) -> None:
        path = _in_folder(log.path) if log.path.is_dir() else log.path
        if path is None:
            raise FileError(
                f"{log.path} holds no trainer_state.json, nor does a checkpoint-* in it"
            )
        source = label(path)
        records = _history(decode(read_bytes(path), source), source)
        keys = list(dict.fromkeys(key for record in records for key in record))
        frame = pd.DataFrame(
            {key: pd.Series([record.get(key) for record in records], dtype=object) for key in keys}
        )
        raw = RawTable(frame, Places(f"{source}, log_history", "row", tuple(range(len(records)))))
        folder = path.resolve().parent
        if folder.name.startswith("checkpoint-"):
            folder = folder.parent
        super().__init__(log, Table(source, keys, lambda _: raw), folder.name or source)

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether the log is such a state, or a folder that holds one."""
        if log.is_folder:
            return _in_folder(log.path) is not None
        if not log.is_file or log.path.suffix.lower() != ".json":
            return False
        # JSON lines have the same suffix.
        start = log.data.lstrip(b"\xef\xbb\xbf \t\r\n")
        return start.startswith(b"{") and b'"log_history"' in log.data


def _in_folder(folder: Path) -> Path | None:
    """Return the state in a folder of results, or in its latest checkpoint, which repeats all."""
    if (folder / _STATE).is_file():
        return folder / _STATE
    saved = [
        (int(found[1][-18:]), path / _STATE)
        for path in folder.glob("checkpoint-*")
        if (found := re.fullmatch("checkpoint-([0-9]+)", path.name)) and (path / _STATE).is_file()
    ]
    return max(saved)[1] if saved else None


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
