"""Checks of which runs are of one family: names that nearly agree, and tables that name none."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pandas as pd

from bayes_scaling.runs.finding import Finding

__all__ = ["folded", "misspelt", "similar_families", "unnamed_families"]

_BETWEEN = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
_SHOWN = 3

# Inputs of a law, which are no names of families: no column of such a name is one.
_GROUPS = frozenset(
    {"arch", "architecture", "arm", "cohort", "collection", "corpora", "corpus", "dataset"}
    | {"datasets", "domain", "exp", "experiment", "experiments", "group", "language"}
    | {"mix", "mixture", "optimiser", "optimizer", "organisation", "organization"}
    | {"project", "recipe", "series", "source", "study", "suite", "tokenizer"}
)
_NO_GROUPS = frozenset(
    {"loss", "lr", "outlier", "params", "role", "seed", "size", "split", "stage", "status"}
    | {"tokens", "url", "user", "weight"}
)
_ANSWERS = frozenset({"true", "false", "yes", "no", "0", "1"})
_FEWEST_ROWS = 4


def folded(name: str) -> str:
    """A name without case, spaces and punctuation."""
    return _BETWEEN.sub("", name.casefold())


def similar_families(table: pd.DataFrame) -> Iterator[Finding]:
    """Find families whose names differ in case, spaces or punctuation only."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(table["family"].tolist()):
        by_key[folded(name)].append(name)
    for key, names in by_key.items():
        if key and len(names) > 1:
            text = (
                f"families {_listed(names)} differ in case, spaces or punctuation only, and are "
                f"fitted as {len(names)}; write one name, such as {names[0]!r}, in all their rows"
            )
            yield Finding(-1, "similar-families", "error", "family", text)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (", …" if len(names) > _SHOWN else "")


def unnamed_families(extras: pd.DataFrame) -> Iterator[Finding]:
    """Find columns that distinguish families in a table that names none.

    Parameters
    ----------
    extras : pandas.DataFrame
        Columns of the source that are not canonical, and params.
    """
    if len(extras) < _FEWEST_ROWS:
        return
    for name in extras.columns.drop("params"):
        words = set(_BETWEEN.split(str(name).casefold()))
        texts = extras[name].dropna().astype(str).str.strip()
        levels = [text for text in dict.fromkeys(texts.tolist()) if text]
        answers = {level.casefold() for level in levels} <= _ANSWERS
        if not 2 <= len(levels) <= len(extras) / 2 or words & _NO_GROUPS or answers:
            continue
        sentence = (
            f"the table names no family, but column {str(name)!r} has {len(levels)} values "
            f"({_listed(levels)})"
        )
        if words & _GROUPS:
            text = (
                f"{sentence}; write --column family={name}, in Python columns={{'family': "
                f"{str(name)!r}}}, or --family NAME, in Python family=NAME, if one law holds for "
                "all of them"
            )
            yield Finding(-1, "no-family", "error", "family", text)
            return
        if _textual(extras[name]) and _of_several_sizes(extras, str(name)):
            text = f"{sentence}; if these are families write --column family={name}"
            yield Finding(-1, "no-family", "warning", "family", text)


def _textual(values: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(values.dtype) or isinstance(
        values.dtype, pd.CategoricalDtype
    )


def _of_several_sizes(extras: pd.DataFrame, name: str) -> bool:
    """Return whether a value is shared by runs of several sizes, so that it labels no size."""
    return bool(extras.groupby(name, observed=True)["params"].nunique().median() > 1)


def misspelt(name: str, known: Sequence[str]) -> str | None:
    """The known name that another one is probably a misspelling of.

    Names that differ in their numbers, such as versions, are different names.
    """
    if name in known:
        return None
    for other in known:
        if folded(name) == folded(other) and folded(name):
            return other
    for other in known:
        first, second = folded(name), folded(other)
        allowed = 1 if min(len(first), len(second)) < _LONG else 2
        if (
            min(len(first), len(second)) >= _SHORTEST
            and _DIGITS.findall(first) == _DIGITS.findall(second)
            and _edits(first, second, allowed) <= allowed
        ):
            return other
    return None


_SHORTEST = 3
_LONG = 6


def _edits(first: str, second: str, most: int) -> int:
    """Letters inserted, left out, replaced or exchanged with the next; more than ``most`` if so.

    The optimal string alignment distance.
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        older, before, row = before, row, [i]
        for j, other in enumerate(second, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
