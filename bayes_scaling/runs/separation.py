"""Identifiability of exponents from the design of a table of runs alone.

Near its middle a scaling law is linear in log N, log D and log C, so an exponent can be learned
only if its logarithm moves on its own. The measure is the smallest standard deviation, in
decades, along any direction of the centred logarithms (a singular value of the design divided by
the square root of the number of runs). Below ``TOLERANCE`` = 0.05 decades the exponents in that
direction count as not separable: with run noise of 0.5% in the loss and twenty runs, the slope
there is known to 0.005 / (0.05 · ln 10 · sqrt(20)), about 0.01 in log loss per unit of log size,
of the order of a tenth to a fifth of the slopes themselves, and what is learned is the prior's.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import Caveat, Datum, texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.json_files import records
from bayes_scaling.errors import DataError
from bayes_scaling.runs.checks.by_family import rows_by_family
from bayes_scaling.runs.finding import number
from bayes_scaling.runs.table import Runs

__all__ = ["TOLERANCE", "Identifiability", "identifiability"]

TOLERANCE = 0.05

_SIZES = ("params", "tokens", "flops")
_SYMBOLS = {"params": "N", "tokens": "D", "flops": "C"}
_POOLED = "all"
_SEPARABLE, _COMPUTE = "separable", "collinear-compute"
# Singular values this far below the largest are rounding in the logarithms.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Identifiability:
    """Identifiability of exponents from the design of a table of runs.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per family, then "all": the families pooled after centring each. Columns: family,
        runs; ``params_decades``, ``tokens_decades``, ``flops_decades``: ranges in decades; the
        correlations of log N, log D and log C; ``condition_number``, ``vif_params`` and
        ``vif_tokens`` of the centred [log N, log D]; ``weakest_sd`` and ``weakest_sd_with_flops``:
        smallest standard deviation in decades along any direction of [log N, log D] and of [log N,
        log D, log C]; ``rank``: directions of the latter at or above ``TOLERANCE``; alpha_N,
        alpha_D, alpha_C: separable or not.
    caveats : tuple of Caveat
        What cannot be learned, or that everything can (code "separable"), by family; "all" are the
        families pooled.
    separable : dict of str to dict of str to bool
        Family to exponent to whether it is separable: alpha_N and alpha_D in laws of N and D,
        alpha_C in a law with all three.
    """

    table: pd.DataFrame
    caveats: tuple[Caveat, ...]
    separable: dict[str, dict[str, bool]]

    @property
    def messages(self) -> tuple[str, ...]:
        """Texts of the caveats."""
        return texts(self.caveats)

    def __str__(self) -> str:
        return "\n".join([self.table.to_string(float_format="{:.3g}".format), *self.messages])

    def __repr__(self) -> str:
        return brief(str(self))

    def caveats_for(self, inputs: Collection[str]) -> tuple[Caveat, ...]:
        """Return the caveats that matter to a law.

        Parameters
        ----------
        inputs : collection of str
            Columns the law reads; without "flops" it has no alpha_C to lose.
        """
        known = {_SEPARABLE} if "flops" in inputs else {_SEPARABLE, _COMPUTE}
        return tuple(caveat for caveat in self.caveats if caveat.code not in known)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values for JSON; what is infinite or undefined is None."""
        return {
            "tolerance_decades": TOLERANCE,
            "families": records(self.table),
            "messages": list(self.messages),
            "separable": {family: dict(found) for family, found in self.separable.items()},
        }


@dataclass(frozen=True, slots=True)
class _Design:
    """Logarithms (base 10) of sizes, centred within families; log_ratio is ln(C/(N·D))."""

    logs: NDArray[np.float64]
    ranges: dict[str, float]
    log_ratio: NDArray[np.float64]

    def spread(self, *columns: int) -> NDArray[np.float64]:
        """Give standard deviations in decades along the principal directions, largest first."""
        chosen = self.logs[:, list(columns)]
        sizes = np.zeros(len(columns))
        found = np.linalg.svd(chosen, compute_uv=False) / math.sqrt(len(chosen))
        sizes[: len(found)] = found
        return np.where(sizes > _ROUNDING * max(sizes[0], 1.0), sizes, 0.0)

    def varies(self, axis: int) -> bool:
        return bool(self.spread(axis)[0] >= TOLERANCE)

    def correlation(self, first: int, second: int) -> float:
        a, b = self.logs[:, first], self.logs[:, second]
        if not (self.spread(first)[0] and self.spread(second)[0]):
            return math.nan
        return float(np.clip(a @ b / math.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def identifiability(runs: Runs) -> Identifiability:
    """Analyse which exponents a table of runs can identify, from its design alone.

    Parameters
    ----------
    runs : Runs
        Runs; those with the role "target" do not count.

    Returns
    -------
    Identifiability
        Numbers, verdicts and sentences for each family and for the families pooled.

    Raises
    ------
    DataError
        If a run has an error flag (see :meth:`Runs.fit_rows`).

    Examples
    --------
    >>> found = bs.identifiability(bs.load_runs("runs.csv"))
    >>> found.separable["web"]
    {'alpha_N': True, 'alpha_D': True, 'alpha_C': False}
    >>> found.caveats[0].code
    'collinear-compute'
    """
    needs(runs, Runs, "runs", 'write bayes_scaling.load_runs("runs.csv")', DataError)
    rows = runs.fit_rows()
    logs = np.log10(rows[list(_SIZES)].to_numpy(dtype=np.float64))
    # Column by column, for sums to be those of the table.
    parts = {family: np.asfortranarray(logs[part]) for family, part in rows_by_family(rows).items()}
    families = list(parts)
    designs = {family: _design([part]) for family, part in parts.items()}
    if families != [_POOLED]:
        designs[_pooled_name(families)] = _design(list(parts.values()))
    lines: list[dict[str, object]] = []
    caveats: list[Caveat] = []
    separable: dict[str, dict[str, bool]] = {}
    for name, design in designs.items():
        separable[name] = _verdicts(design)
        lines.append({"family": name, **_numbers(design), **separable[name]})
        if name in families:
            caveats += _caveats(name, f"Family {name!r}", design, separable[name])
        elif len(families) > 1:
            who = f"Pooled over {len(families)} families"
            caveats += _caveats(name, who, design, separable[name], pooled=True)
    caveats += _constant_inputs(runs, rows)
    return Identifiability(pd.DataFrame(lines), tuple(caveats), separable)


def _constant_inputs(runs: Runs, rows: pd.DataFrame) -> list[Caveat]:
    """Return caveats on declared inputs that hardly vary within families."""
    found = []
    for name in (entry.name for entry in runs.inputs if entry.name in rows):
        logs = np.log10(rows[name].where(rows[name] > 0.0))
        sd = float((logs - logs.groupby(rows["family"]).transform("mean")).std(ddof=0))
        if sd < TOLERANCE:
            text = (
                f"{name} hardly varies within families (standard deviation {number(sd)} decades), "
                "so what the loss owes to it cannot be learned."
            )
            data: dict[str, Datum] = {"sd_decades": sd}
            found.append(_warning("constant-input", name, text, data))
    return found


def _pooled_name(families: list[str]) -> str:
    name = _POOLED
    while name in families:
        name += " families"
    return name


def _design(blocks: list[NDArray[np.float64]]) -> _Design:
    together = np.vstack(blocks)
    spans = np.ptp(together, axis=0).tolist()
    return _Design(
        np.vstack([block - block.mean(axis=0) for block in blocks]),
        dict(zip(_SIZES, spans, strict=True)),
        (together[:, 2] - together[:, 0] - together[:, 1]) * math.log(10),
    )


def _verdicts(design: _Design) -> dict[str, bool]:
    apart = bool(design.spread(0, 1)[1] >= TOLERANCE)
    params, tokens = design.varies(0), design.varies(1)
    # With the other size fixed a single one is still learned, so "apart" matters only for both.
    return {
        "alpha_N": params and (apart or not tokens),
        "alpha_D": tokens and (apart or not params),
        "alpha_C": bool(design.spread(0, 1, 2)[2] >= TOLERANCE),
    }


def _numbers(design: _Design) -> Mapping[str, object]:
    two, three = design.spread(0, 1), design.spread(0, 1, 2)
    inflation = _inflation(design, two)
    return {
        "runs": len(design.logs),
        **{f"{name}_decades": span for name, span in design.ranges.items()},
        "corr_params_tokens": design.correlation(0, 1),
        "corr_params_flops": design.correlation(0, 2),
        "corr_tokens_flops": design.correlation(1, 2),
        "condition_number": float(two[0] / two[1]) if two[1] else math.inf,
        "vif_params": inflation,
        "vif_tokens": inflation,
        "weakest_sd": float(two[1]),
        "weakest_sd_with_flops": float(three[2]),
        "rank": int(np.sum(three >= TOLERANCE)),
    }


def _inflation(design: _Design, two: NDArray[np.float64]) -> float:
    """Variance inflation 1/(1 - r²); with two columns it is the same for both."""
    if not two[1]:
        return math.inf
    # det of the 2x2 covariance = (1 - r²)·var·var keeps digits that 1 - r² would lose.
    variances = float(design.spread(0)[0] * design.spread(1)[0]) ** 2
    return variances / float(two[0] * two[1]) ** 2


def _warning(code: str, subject: str, text: str, data: dict[str, Datum]) -> Caveat:
    return Caveat(code=code, severity="warning", subject=subject, text=text, data=data)


def _caveats(
    family: str, who: str, design: _Design, can: Mapping[str, bool], *, pooled: bool = False
) -> list[Caveat]:
    """Caveats of one family, or of the families pooled, called ``who`` in the text."""
    if len(design.logs) == 1:
        text = f"{who} has one run: none of alpha_N, alpha_D and alpha_C can be learned from it"
        return [_warning("single-run-family", family, f"{text} alone.", {})]
    if all(can.values()):
        text = (
            f"{who}: log N, log D and log C vary apart from each other, so alpha_N, alpha_D and "
            "alpha_C can be learned."
        )
        return [Caveat(code=_SEPARABLE, severity="note", subject=family, text=text)]
    found = []
    for axis, name in enumerate(_SIZES[:2]):
        if not design.varies(axis):
            text = f"{who}: {_constant(design, axis, name, pooled=pooled)}"
            sd = float(design.spread(axis)[0])
            found.append(_warning("constant-size", family, text, {"size": name, "sd_decades": sd}))
    if not found and not can["alpha_N"]:
        data: dict[str, Datum] = {"correlation": design.correlation(0, 1)}
        found.append(_warning("collinear-sizes", family, f"{who}: {_collinear(design)}", data))
    if not can["alpha_C"]:
        found.append(_warning(_COMPUTE, family, f"{who}: {_no_compute(design, can)}", {}))
    return found


def _constant(design: _Design, axis: int, name: str, *, pooled: bool) -> str:
    how = f"hardly varies (standard deviation {number(design.spread(axis)[0])} decades)"
    if not design.spread(axis)[0]:
        how = f"is the same in every run{' of a family' if pooled else ''}"
    return f"{name} {how}, so alpha_{_SYMBOLS[name]} cannot be learned."


def _collinear(design: _Design) -> str:
    correlation = design.correlation(0, 1)
    how = f"log D moves in step with log N (correlation {correlation:.3f})"
    if correlation < 0:
        return (
            f"{how}, as at a single compute budget, so alpha_N and alpha_D cannot be "
            "separated; only the balance between them can be learned."
        )
    return (
        f"{how}, so alpha_N and alpha_D cannot be separated; only one exponent along "
        "that frontier can be learned."
    )


def _no_compute(design: _Design, can: Mapping[str, bool]) -> str:
    average = float(np.mean(design.log_ratio))
    scatter = float(np.max(np.abs(design.log_ratio - average)))
    with np.errstate(over="ignore"):
        middle = float(np.exp(average))
    factor = "6" if abs(middle / 6 - 1) < 0.005 else number(middle)
    if scatter < 1e-6:
        how = f"log C is an exact sum of log N and log D (C = {factor}·N·D)"
    elif scatter < math.log(2):
        percent = number(100 * math.expm1(scatter))
        how = f"log C is the sum of log N and log D to within {percent}% (C ≈ {factor}·N·D)"
    else:
        how = (
            "log N, log D and log C vary in fewer than three directions "
            f"(weakest {number(design.spread(0, 1, 2)[2])} decades)"
        )
    if can["alpha_N"] and can["alpha_D"]:
        learned = "; a law with all three learns only alpha_N + alpha_C and alpha_D + alpha_C"
    elif can["alpha_N"] or can["alpha_D"]:
        one = "alpha_N" if can["alpha_N"] else "alpha_D"
        learned = f"; a law with all three learns only {one} + alpha_C"
    else:
        learned = "; a law with all three separates none of them"
    return f"{how}, so alpha_C cannot be separated from alpha_N and alpha_D{learned}."
