"""Checks that look at one row at a time."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.runs.checks.size_values import compute_unit
from bayes_scaling.runs.columns import COLUMNS
from bayes_scaling.runs.finding import Finding, number
from bayes_scaling.runs.input_columns import INPUTS, SIZES

__all__ = ["bad_values", "doubtful_values", "is_target"]

# A loss at step 0 is that of an untrained model, and of use to laws that read no steps.
_POSITIVE = (*(name for name in INPUTS if name != "step"), "loss", "loss_se")
_NUMERIC = tuple(entry.name for entry in COLUMNS if entry.kind == "number")
# Reports round N and D to three digits, and epochs are whole steps, so 1% is no repetition.
_SAME = 0.01
_FIT_ROLES = ("", "fit", "train", "grid", "repeat", "seed", "shape")


def is_target(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose role is "target"; none when the table has no roles."""
    if "role" not in table:
        return np.zeros(len(table), dtype=np.bool_)
    return np.array(
        [role.casefold() == "target" for role in table["role"].tolist()], dtype=np.bool_
    )


def _rows(mask: NDArray[np.bool_]) -> list[int]:
    return [int(row) for row in np.flatnonzero(mask)]


def _floats(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return table[name].to_numpy(dtype=np.float64)


def bad_values(table: pd.DataFrame) -> list[Finding]:
    """Find values that no fit can use."""
    return [*_missing(table), *_nonpositive(table), *_infinite(table), *_no_family(table)]


def _missing(table: pd.DataFrame) -> Iterator[Finding]:
    target = is_target(table)
    for row in _rows(table["loss"].isna().to_numpy(dtype=np.bool_)):
        if target[row]:
            text = "loss is blank, so this target can be forecast but not scored"
            yield Finding(row, "missing-value", "note", "loss", text)
        else:
            text = "loss is blank; every run needs one"
            yield Finding(row, "missing-value", "error", "loss", text)
    blank = table[list(SIZES)].isna()
    for row in _rows(blank.any(axis=1).to_numpy(dtype=np.bool_)):
        names = [name for name in SIZES if blank[name].iloc[row]]
        verb = "is" if len(names) == 1 else "are"
        text = f"{' and '.join(names)} {verb} blank; two of params, tokens and flops are needed"
        yield Finding(row, "missing-value", "error", names[0], text)


def _inherited(table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return where a derived cell is unusable only because its source cells are."""
    mark = f"{name}_derived"
    if mark not in table:
        return np.zeros(len(table), dtype=np.bool_)
    sound = np.ones(len(table), dtype=np.bool_)
    for other in SIZES:
        if other != name:
            values = _floats(table, other)
            sound &= np.isfinite(values) & (values > 0)
    return table[mark].to_numpy(dtype=np.bool_) & ~sound


def _nonpositive(table: pd.DataFrame) -> Iterator[Finding]:
    for name in _POSITIVE:
        if name in table:
            values = _floats(table, name)
            for row in _rows((values <= 0) & ~_inherited(table, name)):
                text = f"{name} is {number(values[row])}; it must be above zero"
                yield Finding(row, "nonpositive", "error", name, text)


def _infinite(table: pd.DataFrame) -> Iterator[Finding]:
    for name in _NUMERIC:
        if name in table:
            for row in _rows(np.isinf(_floats(table, name)) & ~_inherited(table, name)):
                text = f"{name} is infinite, or too large for a double; it must be finite"
                yield Finding(row, "not-finite", "error", name, text)


def _no_family(table: pd.DataFrame) -> Iterator[Finding]:
    for row in _rows((table["family"] == "").to_numpy(dtype=np.bool_)):
        text = "family is blank while other rows name one; every row needs its family"
        yield Finding(row, "missing-family", "error", "family", text)


def doubtful_values(table: pd.DataFrame) -> list[Finding]:
    """Find values that can be used but deserve a look, and what was derived."""
    return [
        *_derived(table),
        *_mismatch(table),
        *_not_cooled(table),
        *_few_tokens(table),
        *_unique(table),
        *_roles(table),
    ]


def _derived(table: pd.DataFrame) -> Iterator[Finding]:
    formulas = {"params": "C/(6·D)", "tokens": "C/(6·N)", "flops": "6·N·D"}
    for name, formula in formulas.items():
        mark = f"{name}_derived"
        count = int(table[mark].sum()) if mark in table else 0
        if count:
            which = "every row" if count == len(table) else f"{count} of {len(table)} rows"
            yield Finding(
                -1, "derived", "note", name, f"{name} was derived as {formula} in {which}"
            )


def _total_params(table: pd.DataFrame) -> NDArray[np.float64]:
    # Embeddings cost compute too: judge C by all parameters where both counts are known.
    params = _floats(table, "params")
    if "params_total" not in table:
        return params
    total = pd.to_numeric(table["params_total"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(total), total, params)


def _mismatch(table: pd.DataFrame) -> Iterator[Finding]:
    flops = _floats(table, "flops")
    with np.errstate(all="ignore"):
        ratio = flops / (6.0 * _total_params(table) * _floats(table, "tokens"))
    stated = ~table["flops_derived"].to_numpy(dtype=np.bool_)
    together, explained = compute_unit(table, np.where(stated, ratio, np.nan))
    yield from together
    off = stated & np.isfinite(ratio) & (ratio > 0) & ((ratio > 2) | (ratio < 0.5)) & ~explained
    for row in _rows(off):
        text = (
            f"flops is {number(flops[row])}, {number(ratio[row])} times 6·N·D; "
            "check the unit of compute and which parameters are counted"
        )
        yield Finding(row, "flops-mismatch", "warning", "flops", text)


def _not_cooled(table: pd.DataFrame) -> Iterator[Finding]:
    if "cooldown" in table:
        cooled = table["cooldown"].fillna(value=True).to_numpy(dtype=np.bool_)
        for row in _rows(~cooled):
            text = (
                "the loss was read before the learning rate was decayed, so it lies above that "
                "of a finished run"
            )
            yield Finding(row, "not-cooled", "warning", "cooldown", text)


def _few_tokens(table: pd.DataFrame) -> Iterator[Finding]:
    params, tokens = _floats(table, "params"), _floats(table, "tokens")
    for row in _rows((tokens < params) & (tokens > 0)):
        text = (
            f"{number(tokens[row])} tokens for {number(params[row])} parameters; runs with fewer "
            "tokens than parameters seldom follow the law of longer ones"
        )
        yield Finding(row, "few-tokens", "warning", "tokens", text)


def _unique(table: pd.DataFrame) -> Iterator[Finding]:
    if "unique_tokens" not in table:
        return
    tokens, unique = _floats(table, "tokens"), _floats(table, "unique_tokens")
    for row in _rows((unique < tokens * (1 - _SAME)) & (unique > 0)):
        epochs = number(tokens[row] / unique[row])
        text = f"tokens were seen {epochs} times each; a law of fresh data overrates them"
        yield Finding(row, "repeated-data", "note", "unique_tokens", text)
    for row in _rows(unique > tokens * (1 + _SAME)):
        text = (
            f"unique_tokens is {number(unique[row])} but only {number(tokens[row])} tokens were "
            "seen; give the distinct tokens of the run, not those of the corpus"
        )
        yield Finding(row, "unique-exceeds-tokens", "warning", "unique_tokens", text)


def _roles(table: pd.DataFrame) -> Iterator[Finding]:
    if "role" in table:
        target = is_target(table)
        for row, role in enumerate(table["role"].tolist()):
            if role.casefold() not in _FIT_ROLES and not target[row]:
                text = (
                    f"role is {role!r}, neither 'fit' nor 'target', so the run is used in the fit"
                )
                yield Finding(row, "unknown-role", "warning", "role", text)
