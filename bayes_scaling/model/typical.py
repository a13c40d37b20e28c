"""What a family's runs usually are in inputs that a configuration need not state."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law
from bayes_scaling.laws.depth_width import matrix_params, shape_of
from bayes_scaling.model.inputs import input_table

__all__ = ["Typical", "fill_typical", "typical"]

_BATCH = ("step", "batch_tokens")
_SHAPE = ("n_layer", "d_model")


@dataclass(frozen=True)
class Typical:
    """Batch and shape of a family's runs, as natural logs of geometric means.

    Attributes
    ----------
    batch_tokens : float
        Tokens a batch.
    aspect_ratio : float
        d_model / n_layer.
    matrices : float
        N / (12·n_layer·d_model²): 1 but for embeddings and the like (Kaplan et al. 2020, Table 1).
    """

    batch_tokens: float = np.nan
    aspect_ratio: float = np.nan
    matrices: float = np.nan

    def logs(self, log_params: Any, log_tokens: Any) -> dict[str, Any]:
        """Log of batch_tokens, step, n_layer and d_model of N parameters and D tokens."""
        n_layer, d_model = shape_of(np.exp(log_params - self.matrices), np.exp(self.aspect_ratio))
        return {
            "batch_tokens": np.full_like(log_tokens, self.batch_tokens),
            "step": log_tokens - self.batch_tokens,
            "n_layer": np.log(n_layer),
            "d_model": np.log(d_model),
        }


def typical(law: Law, runs: pd.DataFrame, family: str) -> Typical:
    """Batch and shape of a family, or of all runs if it has none.

    Parameters
    ----------
    law : Law
        What it reads beside params, tokens and flops is looked for, and nothing else.
    runs : pandas.DataFrame
        The fitted runs in canonical columns.
    family : str
        The family.
    """
    own = runs[runs["family"] == family]
    rows = own if len(own) else runs
    found = {}
    if "step" in law.inputs:
        steps = input_table(law, rows)["step"]
        found["batch_tokens"] = float(np.log(rows["tokens"] / steps).mean())
    if set(_SHAPE) & set(law.inputs):
        lacking = [name for name in _SHAPE if name not in rows]
        if lacking:
            raise DataError(f"the runs have no column {lacking[0]!r}, so their shape is not known")
        counted = matrix_params(rows["n_layer"], rows["d_model"])
        found["aspect_ratio"] = float(np.log(rows["d_model"] / rows["n_layer"]).mean())
        found["matrices"] = float(np.log(rows["params"] / counted).mean())
    return Typical(**found)


def fill_typical(
    law: Law, runs: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Fill batch and shape where configurations leave them blank.

    Parameters
    ----------
    law : Law
        Whose inputs.
    runs : pandas.DataFrame
        The fitted runs.
    table : pandas.DataFrame
        Configurations in canonical columns, each with its family.

    Returns
    -------
    pandas.DataFrame
        With the columns that the law reads.
    list of str
        What was assumed, in words.
    """
    filled, said = table.copy(), []
    for group in (_BATCH, _SHAPE):
        names = [name for name in group if name in law.inputs]
        if not names:
            continue
        known = [name for name in group if name in filled]
        # One of step and batch gives the other; a shape needs both.
        stated = filled[known].notna()
        blank = ~(stated.any(axis=1) if group is _BATCH else stated.all(axis=1) & (len(known) == 2))
        for family, rows in filled[blank].groupby("family"):
            usual = typical(law, runs, str(family))
            logs = usual.logs(np.log(rows["params"]), np.log(rows["tokens"]))
            for name in group:
                filled.loc[rows.index, name] = np.exp(logs[name])
        if blank.any():
            what = "a batch" if group is _BATCH else "a shape (d_model / n_layer)"
            said.append(
                f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not stated in "
                f"{int(blank.sum())} of {len(filled)} rows: {what} as in the middle of the "
                "family's runs is assumed."
            )
    return filled, said
