"""Checks that rows count, tokenize and train in one way, so that their losses compare."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayes_scaling.runs.finding import Finding

__all__ = ["mixtures"]

_SHOWN = 3
_EQUAL = 1e-3
"""Counts are rounded to three digits or more, and embeddings are seldom less than this."""


def mixtures(table: pd.DataFrame) -> list[Finding]:
    """Find tables that mix parameter counts, tokenizers or learning-rate schedules."""
    return [*_counts(table), *_tokenizers(table), *_schedules(table)]


def _counts(table: pd.DataFrame) -> Iterator[Finding]:
    """Rows whose params are the count without embeddings while others' are not."""
    if "params_nonemb" not in table or "params_total" in table:
        return
    params = table["params"].to_numpy(dtype=np.float64)
    matrices = table["params_nonemb"].to_numpy(dtype=np.float64)
    stated = np.isfinite(params) & np.isfinite(matrices) & (matrices > 0)
    same = stated & (np.abs(params / np.where(stated, matrices, 1.0) - 1) < _EQUAL)
    if not same.any() or same[stated].all():
        return
    for row in np.flatnonzero(same):
        text = (
            "params equals params_nonemb here and exceeds it in other rows; one count in all rows "
            "is needed, because the exponent depends on it"
        )
        yield Finding(int(row), "mixed-counts", "warning", "params", text)


def _texts(table: pd.DataFrame, name: str) -> list[str]:
    return [" ".join(text.casefold().split()) for text in table[name].tolist()]


def _by_family(table: pd.DataFrame, name: str) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for family, text in zip(table["family"].tolist(), _texts(table, name), strict=True):
        if text:
            found.setdefault(family, Counter())[text] += 1
    return found


def _tokenizers(table: pd.DataFrame) -> Iterator[Finding]:
    """Losses per token under several tokenizers; per byte or character they compare."""
    if "tokenizer" not in table:
        return
    per_token = np.array([unit.endswith("/token") for unit in table["loss_unit"].tolist()])
    counts = _by_family(table[per_token], "tokenizer")
    mode = {family: found.most_common(1)[0][0] for family, found in counts.items()}
    rows = zip(table["family"].tolist(), _texts(table, "tokenizer"), per_token, strict=True)
    for row, (family, text, counts_here) in enumerate(rows):
        if counts_here and text and text != mode[family]:
            message = (
                f"tokenizer is {text!r} while most of family {family!r} has {mode[family]!r}; "
                "losses per token of two tokenizers do not compare, so give each its family, or "
                "losses per byte"
            )
            yield Finding(row, "mixed-tokenizers", "error", "tokenizer", message)
    if len(set(mode.values())) > 1:
        names = ", ".join(map(repr, sorted(set(mode.values()))[:_SHOWN]))
        text = (
            f"families have different tokenizers ({names}), so their losses per token, floors and "
            "amplitudes do not compare; pool exponents alone, or give losses per byte"
        )
        yield Finding(-1, "mixed-tokenizers", "warning", "tokenizer", text)


def _schedules(table: pd.DataFrame) -> Iterator[Finding]:
    if "lr_schedule" not in table:
        return
    counts = _by_family(table, "lr_schedule")
    mode = {family: found.most_common(1)[0][0] for family, found in counts.items()}
    rows = zip(table["family"].tolist(), _texts(table, "lr_schedule"), strict=True)
    for row, (family, text) in enumerate(rows):
        if text and text != mode[family]:
            message = (
                f"lr_schedule is {text!r} while most of family {family!r} has {mode[family]!r}; "
                "the schedule moves the loss, so give it a family of its own or leave it out"
            )
            yield Finding(row, "mixed-schedules", "warning", "lr_schedule", message)
