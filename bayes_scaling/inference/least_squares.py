"""Robust least squares of many sets of runs at once, each by itself, under priors."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.inference.run_sets import Sets
from bayes_scaling.laws import Law

__all__ = ["modes"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST_STEPS = 200
_WIDEST = 5.0
"""Largest distance from the prior medians, in prior standard deviations."""
_SETTLED = 1e-12
"""Gain of a step, relative to the cost, at which a set is done: a millionth of a posterior sd."""
_DAMPING = 1e-3
"""First damping, relative to the largest curvature."""
_STUCK = 1e12
"""Damping at which no step lowers the cost."""
_FLAT = 1e-3
"""Least curvature; that of the prior is 1."""
_INFORMATIVE = 1e-6
"""Cosine between a step and a change of the gradient from which on it updates the Hessian."""
_LARGE = 4000
"""Rows of a set from which on its search starts at the mode of evenly thinned rows."""


def modes(
    law: Law,
    sets: Sets,
    centre: Floats,
    noise: ArrayLike,
    *,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Compute the mode of the log parameters of each set, as one family, at a known noise.

    Soft-L1 on the data: a wild run must not pull the fit; the prior, in squares, must hold it.

    Parameters
    ----------
    law : Law
        With its priors, each parameter's that of a family by itself.
    sets : Sets
        The runs.
    centre : (set, parameter) array
        Logs of the prior medians, where the search starts if not told otherwise.
    noise : (set,) array or float
        Noise on log loss.
    start : (set, parameter) array, optional
        Starting points.

    Returns
    -------
    theta : (set, parameter) array
    precision : (set, parameter, parameter) array
        Sum of the squared gradients of the residuals at the mode, those of the prior included: the
        inverse of the covariance of theta.
    """
    sd = np.array([np.hypot(p.prior.sd, p.prior.spread) for p in law.parameters])
    noise = np.broadcast_to(np.asarray(noise, dtype=np.float64), sets.sizes.shape)
    if start is None:
        start = centre
        if (sets.sizes > _LARGE).any():
            start, _ = modes(law, sets.thinned(_LARGE), centre, noise)
    problem = _Problem(law, sets, centre, sd, noise)
    away = _search(problem, (start - centre) / sd)
    return centre + sd * away, problem.precision(away) / np.outer(sd, sd)


@dataclass(frozen=True)
class _Local:
    """Half the sum of squares about a point, by set, in units of the prior's sd."""

    cost: Floats
    gradient: Floats
    curvature: Floats

    def where(self, chosen: Mask, other: "_Local") -> "_Local":
        """The other where chosen."""
        return _Local(
            np.where(chosen, other.cost, self.cost),
            np.where(chosen[:, None], other.gradient, self.gradient),
            np.where(chosen[:, None, None], other.curvature, self.curvature),
        )

    def take(self, kept: Mask) -> "_Local":
        return _Local(self.cost[kept], self.gradient[kept], self.curvature[kept])


@dataclass(frozen=True)
class _Problem:
    """The sum of squares of every set, with its prior."""

    law: Law
    sets: Sets
    centre: Floats
    sd: Floats
    noise: Floats

    def take(self, kept: Mask) -> "_Problem":
        return replace(
            self, sets=self.sets.take(kept), centre=self.centre[kept], noise=self.noise[kept]
        )

    def at(self, away: Floats) -> _Local:
        """Cost, gradient and curvature at points in units of the prior's sd off its medians."""
        z, slopes = self._residuals(away)
        root = np.sqrt(1.0 + z**2)
        # The root less one, without loss of digits where it is near one.
        loss = z**2 / (1.0 + root)
        return _Local(
            self.sets.sums(loss) + 0.5 * (away**2).sum(axis=1),
            self.sets.sums(slopes * (z / root)).T + away,
            self._products(slopes, root**-3),
        )

    def precision(self, away: Floats) -> Floats:
        """Sum of the squared gradients of the signed roots of twice the soft-L1 loss."""
        z, slopes = self._residuals(away)
        root = np.sqrt(1.0 + z**2)
        return self._products(slopes, (1.0 + root) / (2.0 * root**2))

    def _residuals(self, away: Floats) -> tuple[Floats, Floats]:
        """Standardised residuals and their derivatives, dims (parameter, row)."""
        sets = self.sets
        weight = np.sqrt(self.noise[sets.of] ** 2 + sets.relative_se**2)
        curve, slopes = sets.with_slopes(self.law, self.centre + self.sd * away)
        return (sets.log_loss - curve) / weight, slopes * (-self.sd[:, None] / weight)

    def _products(self, slopes: Floats, weight: Floats) -> Floats:
        """Weighted products of derivatives by set, with those of the prior."""
        size = len(slopes)
        result = np.empty((len(self.sets.sizes), size, size))
        for i in range(size):
            weighted = slopes[i] * weight
            for j in range(i, size):
                result[:, i, j] = result[:, j, i] = self.sets.sums(weighted * slopes[j])
        return result + np.eye(size)


def _search(problem: _Problem, start: Floats) -> Floats:
    """Minimise the cost of every set; those that are done are left out of further evaluations.

    Levenberg's method with the damping of Nielsen (1999), and with what Gauss-Newton leaves out of
    the Hessian estimated from changes of the gradient (symmetric rank one).
    """
    found = start.copy()
    open_ = np.arange(len(start))
    state = _State.at(problem, start)
    for _ in range(_MOST_STEPS):
        state, going = state.step(problem)
        found[open_] = state.away
        if not going.any():
            break
        if not going.all():
            open_, problem, state = open_[going], problem.take(going), state.take(going)
    return found


@dataclass(frozen=True)
class _State:
    """Where the search of every set is."""

    away: Floats
    here: _Local
    rest: Floats
    damping: Floats
    factor: Floats

    @classmethod
    def at(cls, problem: _Problem, start: Floats) -> "_State":
        here = problem.at(start)
        largest = np.einsum("sii->si", here.curvature).max(axis=1)
        return cls(
            start, here, np.zeros_like(here.curvature), _DAMPING * largest, np.full(len(start), 2.0)
        )

    def take(self, kept: Mask) -> "_State":
        return _State(
            self.away[kept],
            self.here.take(kept),
            self.rest[kept],
            self.damping[kept],
            self.factor[kept],
        )

    def step(self, problem: _Problem) -> tuple["_State", Mask]:
        """Take a step where it lowers the cost; return which sets go on."""
        here = self.here
        values, axes = np.linalg.eigh(here.curvature + self.rest)
        values = np.maximum(np.abs(values), _FLAT)
        along = np.einsum("sji,sj->si", axes, here.gradient)
        step = -np.einsum("sij,sj->si", axes, along / (values + self.damping[:, None]))
        trial = np.clip(self.away + step, -_WIDEST, _WIDEST)
        step = trial - self.away
        there = problem.at(trial)
        moved = np.einsum("sji,sj->si", axes, step)
        predicted = -(here.gradient * step).sum(axis=1) - 0.5 * (values * moved**2).sum(axis=1)
        gained = here.cost - there.cost
        # Near the mode gains are lost in rounding, and a step is right all the same.
        rounding = _SETTLED * (1.0 + np.abs(here.cost))
        better = (gained > 0.0) | ((predicted <= rounding) & (np.abs(gained) <= rounding))
        going = ~(better & (predicted <= rounding)) & (self.damping < _STUCK)
        ratio = np.clip(gained / np.maximum(predicted, 1e-300), 0.0, 1.0)
        shrink = np.maximum(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
        return _State(
            np.where(better[:, None], trial, self.away),
            here.where(better, there),
            self._rest(step, there, better),
            self.damping * np.where(better, shrink, self.factor),
            np.where(better, 2.0, 2.0 * self.factor),
        ), going

    def _rest(self, step: Floats, there: _Local, better: Mask) -> Floats:
        """What the curvature leaves out of the Hessian, after a step."""
        known = there.curvature + self.rest
        change = there.gradient - self.here.gradient - np.einsum("sij,sj->si", known, step)
        along = (change * step).sum(axis=1)
        size = np.linalg.norm(change, axis=1) * np.linalg.norm(step, axis=1)
        told = np.abs(along) > _INFORMATIVE * size
        update = change[:, :, None] * change[:, None, :] / np.where(told, along, 1.0)[:, None, None]
        return np.where((told & better)[:, None, None], self.rest + update, self.rest)
