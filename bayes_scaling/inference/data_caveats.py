"""Caveats of the data that a fit is made from."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat, Datum
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import Spec, unstated
from bayes_scaling.runs import Runs, identifiability
from bayes_scaling.runs.checks.row_values import is_target

__all__ = ["data_caveats"]


def data_caveats(table: Runs, rows: pd.DataFrame, spec: Spec) -> tuple[Caveat, ...]:
    """Return what a reader of a fit must know about its data."""
    return (
        *identifiability(table).caveats_for(spec.law.inputs),
        *_parameter_count(table, spec),
        *_repeated(table, spec),
        *_flagged(table),
        *_few_runs(rows, spec),
        *unstated(spec.law, rows),
        *_left_out(table, rows),
    )


def _caveat(code: str, text: str, subject: str = "", /, **data: Datum) -> Caveat:
    return Caveat(code=code, severity="warning", subject=subject, text=text, data=data)


def _parameter_count(table: Runs, spec: Spec) -> Iterator[Caveat]:
    """Which parameters N counts, where another count is at hand."""
    other = "params_nonemb" if table.count == "params" else "params_total"
    if "params" not in spec.law.inputs or other not in table.table:
        return
    text = (
        "N counts parameters without embeddings: give forecasts and plans the same count; "
        "exponents of the total count differ."
    )
    if table.count == "params":
        text = (
            "N counts all parameters, embeddings included; the runs state params_nonemb too, and "
            "exponents depend on the count: refit with count='params_nonemb', or compare both."
        )
    yield _caveat("parameter-count", text, table.count)


def _repeated(table: Runs, spec: Spec) -> Iterator[Caveat]:
    """Whether a law of fresh tokens is fitted to repeated ones."""
    repeated = {flag.row for flag in table.flags if flag.code == "repeated-data"}
    count = len(repeated - set(np.flatnonzero(is_target(table.table)).tolist()))
    if "unique_tokens" not in spec.law.inputs and count:
        text = (
            f"{count} runs saw tokens more than once, which law {spec.law.name!r} takes as fresh: "
            "use law 'data-constrained', or exclude those flagged 'repeated-data'."
        )
        yield _caveat("repeated-as-fresh", text, spec.law.name, runs=count)


def _flagged(table: Runs) -> Iterator[Caveat]:
    """Flags of the table as a whole, and numbers of flagged rows by code."""
    found = table.flag_table()
    found = found[found["severity"] == "warning"]
    for row in found[found["row"] < 0].itertuples():
        yield _caveat(str(row.code), str(row.message), str(row.column))
    counts = found.loc[found["row"] >= 0, "code"].value_counts().sort_index()
    for code, count in counts.items():
        who = f"{count} row{'s are' if count > 1 else ' is'}"
        text = f"{who} flagged {code!r} and used all the same."
        yield _caveat("flagged-rows", text, str(code), rows=int(count))


def _few_runs(rows: pd.DataFrame, spec: Spec) -> Iterator[Caveat]:
    """Families with no more runs than the law has parameters."""
    counts, parameters = rows["family"].value_counts(), len(spec.law.names)
    few = [name for name in spec.families if counts[name] <= parameters]
    if few:
        curved = len(curvature_names(spec.law))
        count = f"{parameters}, {curved} of its quadratic" if curved else f"{parameters}"
        text = (
            f"{'Families' if len(few) > 1 else 'Family'} {', '.join(map(repr, few))}: no more runs "
            f"than the law has parameters ({count}), so priors and other families decide much of "
            "the result."
        )
        yield _caveat("few-runs", text, families=[*few], parameters=parameters)


def _left_out(table: Runs, rows: pd.DataFrame) -> Iterator[Caveat]:
    """Targets, and rows that were excluded on request."""
    targets = len(table) - len(rows)
    if targets:
        text = f"{targets} runs have role 'target' and were kept out of the fit."
        yield _caveat("held-out-targets", text, runs=targets)
    excluded: dict[str, Datum] = {c: n for c, n in table.excluded.items() if c != "best-of"}
    if excluded:
        gone = ", ".join(f"{count} flagged {code!r}" for code, count in excluded.items())
        yield _caveat("excluded-rows", f"Rows were excluded on request: {gone}.", "", **excluded)
