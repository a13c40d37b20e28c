"""What a reader of a fit must know about its data."""

import numpy as np
import pandas as pd

from bayes_scaling.model import Spec, unstated
from bayes_scaling.runs import Runs, identifiability
from bayes_scaling.runs.checks.row_values import is_target

__all__ = ["cautions"]


def cautions(table: Runs, rows: pd.DataFrame, spec: Spec) -> tuple[str, ...]:
    """What a reader of a fit must know about the data, in words.

    Parameters
    ----------
    table : Runs
        The runs, with flags.
    rows : pandas.DataFrame
        Those that are fitted.
    spec : Spec
        What is fitted to them.
    """
    doubts = list(identifiability(table).cautions(spec.law.inputs))
    doubts += [*_count_note(table, spec), *_repeats_note(table, spec)]
    flagged = table.flag_table()
    flagged = flagged[flagged["severity"] == "warning"]
    doubts += flagged.loc[flagged["row"] < 0, "message"].tolist()
    flagged = flagged[flagged["row"] >= 0]
    doubts += [
        f"{count} row{'s are' if count > 1 else ' is'} flagged {code!r} and used all the same."
        for code, count in flagged["code"].value_counts().sort_index().items()
    ]
    counts = rows["family"].value_counts()
    few = [name for name in spec.families if counts[name] <= len(spec.law.names)]
    if few:
        doubts.append(
            f"{'Families' if len(few) > 1 else 'Family'} {', '.join(map(repr, few))}: no more runs "
            f"than the law has parameters ({len(spec.law.names)}), so priors and other families "
            "decide much of the result."
        )
    doubts += unstated(spec.law, rows).values()
    targets = len(table) - len(rows)
    if targets:
        doubts.append(f"{targets} runs have role 'target' and were kept out of the fit.")
    excluded = {code: n for code, n in table.excluded.items() if code != "best-of"}
    if excluded:
        gone = ", ".join(f"{count} flagged {code!r}" for code, count in excluded.items())
        doubts.append(f"Rows were excluded on request: {gone}.")
    return tuple(doubts)


def _count_note(table: Runs, spec: Spec) -> list[str]:
    """Which parameters N counts, where another count is at hand."""
    other = "params_nonemb" if table.count == "params" else "params_total"
    if "params" not in spec.law.inputs or other not in table.table:
        return []
    if table.count == "params":
        said = (
            "N counts all parameters, embeddings included; the runs state params_nonemb too, and "
            "exponents depend on the count: refit with count='params_nonemb', or compare both."
        )
    else:
        said = (
            "N counts parameters without embeddings: give forecasts and plans the same count; "
            "exponents of the total count differ."
        )
    return [said]


def _repeats_note(table: Runs, spec: Spec) -> list[str]:
    """Whether a law of fresh tokens is fitted to repeated ones."""
    repeated = [flag.row for flag in table.flags if flag.code == "repeated-data"]
    targets = np.flatnonzero(is_target(table.table))
    count = len(set(repeated) - set(targets.tolist()))
    if "unique_tokens" in spec.law.inputs or not count:
        return []
    said = (
        f"{count} runs saw tokens more than once, which law {spec.law.name!r} takes as fresh: use "
        "law 'data-constrained', or exclude those flagged 'repeated-data'."
    )
    return [said]
