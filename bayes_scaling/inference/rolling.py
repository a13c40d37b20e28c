"""Rolling-origin errors of a law within one family, and the discrepancy that they imply."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_scaling.inference.point import fit_point
from bayes_scaling.laws import Law
from bayes_scaling.model.discrepancy import Discrepancy, Extent

__all__ = ["NOISE_TAILS", "SPAN", "Step", "log_evidence", "rolling_steps", "scale_draws"]

Floats = NDArray[np.float64]

RATIOS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Thresholds of a rolling origin: a family's largest compute over the largest fitted."""
FEWEST = 8
"""Runs below a threshold that a point fit needs."""
NOISE_TAILS = 1.2
"""Sd over robust scale of the noise, which is a little heavier than normal."""
SPAN = np.linspace(-4.0, 4.0, 81)
"""Standardised log scales of the discrepancy of the grid."""


@dataclass(frozen=True)
class Step:
    """A fit below one threshold, and the the errors of the runs above it.

    Attributes
    ----------
    ratio : float
        The threshold.
    distance : (run,) array
        Distance beyond the fitted runs, natural log.
    error : (run,) array
        Log loss minus that of the curve.
    covariance : (run, run) array
        Posterior covariance of the log curve.
    noise : float
        Noise of the fitted runs, log loss.
    """

    ratio: float
    distance: Floats
    error: Floats
    covariance: Floats
    noise: float


def rolling_steps(law: Law, rows: pd.DataFrame, ratios: Sequence[float] = RATIOS) -> list[Step]:
    """Fit one family below each threshold and compare with the runs above.

    Parameters
    ----------
    law : Law
        The law, with its priors.
    rows : pandas.DataFrame
        Runs of one family in canonical columns.
    ratios : sequence of float
        Thresholds; those with too few runs below, or the same runs as another, are left out.
    """
    steps: list[Step] = []
    sizes = {len(rows)}
    flops = rows["flops"].astype(np.float64)
    for ratio in ratios:
        # A level of compute that the threshold hits belongs to the fitted side.
        below = flops <= flops.max() / ratio * (1 + 1e-6)
        if int(below.sum()) < FEWEST or int(below.sum()) in sizes:
            continue
        sizes.add(int(below.sum()))
        small, large = rows[below], rows[~below]
        fitted = fit_point(law, small)
        mean, covariance = fitted.predict(large)
        logs = [np.log(large[n].to_numpy(np.float64)) for n in ("params", "tokens", "flops")]
        distance = Extent.of(small).distance(*logs)
        error = np.log(large["loss"].to_numpy(np.float64)) - mean
        steps.append(Step(ratio, distance, error, covariance, fitted.noise))
    return steps


def log_evidence(discrepancy: Discrepancy, steps: Sequence[Step]) -> Floats:
    """Log density of a family's errors at every scale of ``SPAN``, averaged over thresholds.

    Up to a constant that does not depend on the discrepancy.

    Averaged and not added: the same large runs stand in every step.
    """
    total = np.zeros(len(SPAN))
    for step in steps:
        log_scale = discrepancy.log_scale(np.log(step.noise))
        covariance = discrepancy.covariance(step.distance)
        own = step.covariance + np.eye(len(step.error)) * (NOISE_TAILS * step.noise) ** 2
        # In coordinates in which both covariances are diagonal, every scale costs nothing.
        root = np.linalg.cholesky(own)
        inner = np.linalg.solve(root, np.linalg.solve(root, covariance).T)
        weight, axes = np.linalg.eigh(inner)
        white = axes.T @ np.linalg.solve(root, step.error)
        variance = 1.0 + np.exp(2.0 * (log_scale + discrepancy.spread * SPAN))[:, None] * weight
        total -= 0.5 * (white**2 / variance + np.log(variance)).sum(axis=1)
    return total / max(len(steps), 1)


def scale_draws(
    discrepancy: Discrepancy,
    steps: Sequence[Step],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Floats:
    """Standardised log scale of a family's discrepancy, which its own rolling errors may widen.

    With F the distribution function of the log scale given the family's errors and G that of the
    population, a draw z of the population becomes ``max(z, F⁻¹(G(z)))``: at every probability the
    larger of the two quantiles. Small errors among a family's small runs therefore never make an
    interval narrower than that of a family with no runs to learn from; on real studies doing so
    made the 90% interval cover far less than 90% (docs/calibration.md).

    Parameters
    ----------
    discrepancy : Discrepancy
        The population it is drawn from.
    steps : sequence of Step
        The family's; with none the draws are standard normal.
    shape : tuple of int
        Of the draws.
    rng : numpy.random.Generator
        Source of randomness.
    """
    population = rng.normal(size=shape)
    if not steps:
        return population
    log_weight = log_evidence(discrepancy, steps) - 0.5 * SPAN**2
    weight = np.exp(log_weight - log_weight.max())
    # Half of a point's weight lies below it; ties where the weight underflows are harmless, since
    # interpolation takes either end of a flat stretch.
    below = np.cumsum(weight) - 0.5 * weight
    own = np.interp(ndtr(population), below / weight.sum(), SPAN)
    result: Floats = np.maximum(population, own)
    return result
