"""Rolling-origin errors of a law within each family, and the discrepancy that they imply."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.inference.point import fit_sets
from bayes_scaling.inference.run_sets import Sets
from bayes_scaling.laws import Law
from bayes_scaling.model.discrepancy import Discrepancy, Extent
from bayes_scaling.model.input_table import input_table
from bayes_scaling.runs.input_columns import SIZES

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
    """A fit below one threshold, and the errors of the runs above it.

    Attributes
    ----------
    ratio : float
        The threshold.
    distance : (run,) array
        Distance beyond the fitted runs, natural log.
    error : (run,) array
        Log loss minus that of the curve.
    root : (run, direction) array
        Posterior covariance of the log curve as ``root @ root.T``.
    variance : (run,) array
        Variance of the errors beside it, of each run by itself: noise.
    noise : float
        Noise of the fitted runs, log loss.
    """

    ratio: float
    distance: Floats
    error: Floats
    root: Floats
    variance: Floats
    noise: float

    @property
    def covariance(self) -> Floats:
        """Posterior covariance of the log curve, (run, run)."""
        return self.root @ self.root.T


@dataclass(frozen=True)
class _Table:
    """Runs as arrays: logs of what the law reads, of sizes and of losses."""

    inputs: dict[str, Floats]
    sizes: Floats
    log_loss: Floats
    relative_se: Floats

    @classmethod
    def of(cls, law: Law, rows: pd.DataFrame) -> "_Table":
        loss = rows["loss"].to_numpy(np.float64)
        stated = rows.get("loss_se", pd.Series(0.0, rows.index))
        return cls(
            {str(n): np.log(v.to_numpy()) for n, v in input_table(law, rows).items()},
            np.log(rows[list(SIZES)].to_numpy(np.float64)),
            np.log(loss),
            stated.fillna(0.0).to_numpy(np.float64) / loss,
        )

    def sets(self, parts: Sequence[NDArray[np.int64]], reference: dict[str, Floats]) -> Sets:
        """The runs of the parts, relative to the reference point of each."""
        rows, sizes = np.concatenate(parts), np.array([len(part) for part in parts])
        inputs = {n: v[rows] - np.repeat(reference[n], sizes) for n, v in self.inputs.items()}
        return Sets(inputs, self.log_loss[rows], self.relative_se[rows], sizes)


def rolling_steps(
    law: Law, rows: pd.DataFrame, ratios: Sequence[float] = RATIOS
) -> dict[str, list[Step]]:
    """Fit each family below each threshold and compare with its runs above.

    Parameters
    ----------
    law : Law
        The law, with its priors.
    rows : pandas.DataFrame
        Runs in canonical columns.
    ratios : sequence of float
        Thresholds; those with too few runs below, or the same runs as another, are left out.

    Returns
    -------
    dict of str to list of Step
        By family.
    """
    codes, names = pd.factorize(rows["family"])
    found: dict[str, list[Step]] = {str(name): [] for name in names}
    order, flops = np.argsort(codes, kind="stable"), rows["flops"].to_numpy(np.float64)
    families = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    splits = [
        (str(name), *split)
        for name, own in zip(names, families, strict=True)
        for split in _splits(own, flops[own], ratios)
    ]
    if splits:
        table = _Table.of(law, rows)
        small, large = [split[2] for split in splits], [split[3] for split in splits]
        for (name, ratio, *_), step in zip(splits, _steps(law, table, small, large), strict=True):
            found[name].append(Step(ratio, *step))
    return found


def _splits(
    own: NDArray[np.int64], flops: Floats, ratios: Sequence[float]
) -> Iterator[tuple[float, NDArray[np.int64], NDArray[np.int64]]]:
    """Thresholds of a family, with its rows below and above."""
    counts = {len(own)}
    for ratio in ratios:
        # A level of compute that the threshold hits belongs to the fitted side.
        below = flops <= flops.max() / ratio * (1 + 1e-6)
        count = int(below.sum())
        if count >= FEWEST and count not in counts:
            counts.add(count)
            yield ratio, own[below], own[~below]


def _steps(
    law: Law,
    table: _Table,
    small: Sequence[NDArray[np.int64]],
    large: Sequence[NDArray[np.int64]],
) -> Iterator[tuple[Floats, Floats, Floats, Floats, float]]:
    """The fields of each step but its ratio, from rows below and above."""
    middle = {n: np.array([v[part].mean() for part in small]) for n, v in table.inputs.items()}
    reference = {n: middle[law.shared_reference.get(n, n)] for n in middle}
    typical = np.array([table.log_loss[part].mean() for part in small])
    medians = np.array([[np.log(p.prior.median), p.of_loss] for p in law.parameters])
    centre = medians[:, 0] + medians[:, 1] * typical[:, None]
    fits = fit_sets(law, table.sets(small, reference), centre)
    ahead = table.sets(large, reference)
    mean, slopes = ahead.with_slopes(law, fits.theta)
    error = ahead.log_loss - mean
    for i, (below, above) in enumerate(zip(small, large, strict=True)):
        here = slice(ahead.first[i], ahead.first[i] + ahead.sizes[i])
        low, high = (end(table.sizes[below], axis=0).tolist() for end in (np.min, np.max))
        extent = Extent(dict(zip(SIZES, low, strict=True)), dict(zip(SIZES, high, strict=True)))
        noise = float(fits.noise[i])
        yield (
            extent.distance(*table.sizes[above].T),
            error[here],
            slopes[:, here].T @ fits.root[i],
            np.full(len(above), (NOISE_TAILS * noise) ** 2),
            noise,
        )


def log_evidence(discrepancy: Discrepancy, steps: Sequence[Step]) -> Floats:
    """Log density of a family's errors at every scale of ``SPAN``, averaged over thresholds.

    Up to a constant that does not depend on the discrepancy.

    Averaged and not added: the same large runs stand in every step.
    """
    total = np.zeros(len(SPAN))
    for step in steps:
        log_scale = discrepancy.log_scale(np.log(step.noise)) + discrepancy.spread * SPAN
        # The first is a scale of zero, which gives the constant.
        scale = np.concatenate([[0.0], np.exp(log_scale)])
        squares, log_determinant = _normal(discrepancy, step, scale)
        total -= 0.5 * (squares + log_determinant - log_determinant[0])[1:]
    return total / max(len(steps), 1)


def _normal(discrepancy: Discrepancy, step: Step, scale: Floats) -> tuple[Floats, Floats]:
    """Squared Mahalanobis length of a step's errors, and log determinant of their covariance.

    The covariance is diagonal but for a few directions (the curve's, and what the discrepancy
    shares), so that both grow with the number of runs and not with its cube (Woodbury).
    """
    growth = discrepancy.growth(step.distance)
    alone = (1.0 - discrepancy.shared) * growth**2
    weight = 1.0 / (step.variance + scale[:, None] ** 2 * alone)
    shared = np.sqrt(discrepancy.shared) * growth
    directions = np.column_stack([step.root, shared])
    size = directions.shape[1]
    factor = np.ones((len(scale), size))
    factor[:, -1] = scale
    products = (directions[:, :, None] * directions[:, None, :]).reshape(-1, size**2)
    inner = (weight @ products).reshape(-1, size, size) * factor[:, :, None] * factor[:, None, :]
    inner += np.eye(size)
    along = (weight * step.error) @ directions * factor
    explained = (along * np.linalg.solve(inner, along[..., None])[..., 0]).sum(axis=1)
    squares = weight @ step.error**2 - explained
    return squares, np.linalg.slogdet(inner)[1] - np.log(weight).sum(axis=1)


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
    from scipy.special import ndtr

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
