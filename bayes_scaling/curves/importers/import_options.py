"""Options of an import, and how names of a log are written in messages."""

import os
from collections.abc import Sequence
from typing import Literal, TypedDict, get_args

import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.raw_table import show

__all__ = ["FORMATS", "ORDER", "Format", "ImportKeywords", "Origin", "check_keywords", "listed"]

ORDER = "order"
"""What t= may be where no column or tag is called so: points are counted as they were logged."""

Format = Literal["table", "wandb", "tensorboard", "huggingface", "mlflow"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""Kinds of logs that are read."""

type Origin = str | os.PathLike[str] | pd.DataFrame
"""Path, address or data frame."""

_SHOWN = 12


class ImportKeywords(TypedDict, total=False):
    """Keywords of :func:`bayes_scaling.load_curves`."""

    metric: str | None
    t: str | None
    run: str | None
    lr: str | None
    join: bool
    format: Format | None


def check_keywords(keywords: ImportKeywords) -> None:
    """Refuse keywords of another type, and formats that are not read; None is to be inferred."""
    for name in ("metric", "t", "run", "lr"):
        value = keywords.get(name)
        if value is not None and not isinstance(value, str):
            raise DataError(f"{name}={value!r} is not the name of a column or tag")
    form = keywords.get("format")
    if form is not None and form not in FORMATS:
        raise DataError(f"format={form!r} is none of {listed(FORMATS)}")


def listed(names: Sequence[str]) -> str:
    """Return names for a message: shortened each, and in number."""
    more = len(names) - _SHOWN
    return ", ".join(map(show, names[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
