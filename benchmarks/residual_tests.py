"""Compare what could have warned, in a fit's own residuals, of forecasts that missed.

uv run python -m benchmarks.residual_tests [-o FILE.csv]

Every family of the studies of benchmarks/extrapolation is fitted (point fit, shipped prior) at
1/8 and at 1/30 of its largest compute and forecast above, with the shipped discrepancy. The tests
that could warn look at the fitted runs alone: structure over all of them and trend among the
largest quarter, as ``diagnose`` makes them. Printed: how often each warns where the 90% interval
held less than 60% of the runs above, and where it held 80% or more.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling import laws
from bayes_scaling.inference.diagnostics.residuals import LEVEL, residual_structure, residual_trend
from bayes_scaling.inference.point import fit_point
from bayes_scaling.model import Extent, population
from benchmarks.extrapolation.studies import studies

LAW = "chinchilla-gamma"
Z90 = 1.645
FEWEST, FEWEST_ABOVE = 8, 2
MISSED, HELD = 0.6, 0.8
NOISE_TAILS = 1.2
"""Sd over robust scale of the noise, which is a little heavier than normal."""


def one(rows: pd.DataFrame, ratio: float) -> dict[str, float] | None:
    """Coverage above a threshold, and what the runs below it said; None for too few runs."""
    learned = population(LAW)
    if learned is None:
        raise ValueError(f"no population of {LAW}")
    law, discrepancy = learned.applied(laws.get(LAW)), learned.discrepancy
    below = rows["flops"] <= rows["flops"].max() / ratio * (1 + 1e-6)
    small, large = rows[below].reset_index(drop=True), rows[~below]
    if len(small) < FEWEST or len(large) < FEWEST_ABOVE:
        return None
    fitted = fit_point(law, small)

    mean, covariance = fitted.predict(large)
    logs = [np.log(large[name].to_numpy(float)) for name in ("params", "tokens", "flops")]
    error = np.log(large["loss"].to_numpy(float)) - mean
    scale = np.exp(discrepancy.log_scale(np.log(fitted.noise)))
    scale *= discrepancy.growth(Extent.of(small).distance(*logs))
    sd = np.sqrt(np.diag(covariance) + (NOISE_TAILS * fitted.noise) ** 2 + scale**2)
    own = [(small, np.log(small["loss"].to_numpy(float)) - fitted.predict(small)[0])]
    return {
        "ratio": ratio,
        "fitted": len(small),
        "above": len(large),
        "coverage": float(np.mean(np.abs(error) < Z90 * sd)),
        "structure_p": residual_structure(own)[1],
        "trend_p": residual_trend(own)[1],
    }


def main() -> None:
    """Fit, test, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    parts = []
    for name, rows in studies(scored=True).items():
        for ratio in (8.0, 30.0):
            found = one(rows, ratio)
            if found is not None:
                parts.append({"family": name, **found})
    table = pd.DataFrame(parts).sort_values("coverage")
    if given.out:
        table.to_csv(given.out, index=False)
    sys.stdout.write(table.to_string(index=False, float_format="{:.3f}".format) + "\n\n")
    warned = pd.DataFrame(
        {
            "structure": table["structure_p"] < LEVEL,
            "trend among the largest": table["trend_p"] < LEVEL,
        }
    )
    tested = table[["structure_p", "trend_p"]].notna().set_axis(warned.columns, axis=1)
    for said, cases in (
        (f"coverage below {MISSED:.0%}", table["coverage"] < MISSED),
        (f"coverage of {HELD:.0%} or more", table["coverage"] >= HELD),
    ):
        for test in warned:
            sys.stdout.write(
                f"{said}: {test} warns in {int((warned[test] & cases).sum())} of "
                f"{int((tested[test] & cases).sum())} cases tested, {int(cases.sum())} in all\n"
            )


if __name__ == "__main__":
    main()
