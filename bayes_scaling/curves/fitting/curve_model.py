"""A law of curves with its scatter, as a target for particles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.curves.fitting import ar1_noise as noise
from bayes_scaling.curves.fitting.binning import Thinned
from bayes_scaling.curves.fitting.particles import Gaussian, Target
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law

__all__ = ["Home", "Model"]

Floats = NDArray[np.float64]

_SCATTER = {"white": (3e-3, 1.5), "wander": (1e-2, 1.0), "memory": (0.3, 0.7)}
"""Median and sd of the log of each: a point scatters by a few tenths of a percent, more or less by
a factor of 20; laws miss by about 1%, as those of runs do; deviations last for a third of a
factor of e in t."""
_KNOWN = 1.0
"""sd of the log of the white noise where differences of neighbours tell it."""
_NONE = 1e-300
_TAIL = 3
_RESOLUTION = 1e-5
"""To which logs write losses, log loss: with less a curve of rounded numbers has no density."""


@dataclass(frozen=True)
class Home:
    """Where a curve's parameters hold.

    Attributes
    ----------
    log_t : float
        Log of the reference point.
    log_loss : float
        Log of the typical loss, in units of which parameters of loss are.
    schedule : Schedule or None
        Learning rates, where the law reads them; its reference point is the end of the plan.
    """

    log_t: float
    log_loss: float
    schedule: Schedule | None = None

    @classmethod
    def at_end(cls, data: Thinned, end: float, schedule: Schedule | None = None) -> "Home":
        """The planned end, in units of the last loss known."""
        last = float(np.median(data.log_loss[-_TAIL:]))
        return cls(float(np.log(end)), last, schedule)

    @classmethod
    def of(cls, data: Thinned, schedule: Schedule | None = None) -> "Home":
        """The middle of a curve, on the log scale."""
        middle = float(data.log_t[0] + data.log_t[-1]) / 2.0
        return cls(middle, float(np.interp(middle, data.log_t, data.log_loss)), schedule)


@dataclass(frozen=True)
class Model:
    """One law for one curve.

    Attributes
    ----------
    law : Law
        One of :func:`bayes_scaling.laws.curve_laws`.
    home : Home
        Where its parameters hold.
    prior : Gaussian
        Of the logs of its parameters and of the scatter, in the order of ``names``.
    """

    law: Law
    home: Home
    prior: Gaussian

    @classmethod
    def of(cls, law: Law, home: Home, data: Thinned) -> "Model":
        """With the law's own priors.

        Raises
        ------
        DataError
            If the law reads learning rates and there is no schedule.
        """
        if "lr_sum" in law.inputs and home.schedule is None:
            raise DataError(
                f"law {law.name!r} reads learning rates; give a schedule, or log lr with the loss"
            )
        scatter = dict(_SCATTER)
        if np.isfinite(data.white) and data.white > 0:
            scatter["white"] = (data.white, _KNOWN)
        priors = [(p.prior.median, p.prior.sd) for p in law.parameters] + list(scatter.values())
        median, sd = np.array(priors).T
        return cls(law, home, Gaussian.independent(np.log(median), sd))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is sampled."""
        return (*self.law.names, *noise.NAMES)

    def inputs(self, t: ArrayLike) -> dict[str, Floats]:
        """Logs of the law's inputs, relative to home."""
        at = np.asarray(t, np.float64)
        if self.home.schedule is None or "t" in self.law.inputs:
            return {"t": np.log(at) - self.home.log_t}
        schedule = self.home.schedule
        areas, ends = schedule.areas(at), schedule.areas([schedule.end])
        logs = [
            np.log(np.maximum(area, _NONE)) - np.log(max(float(end[0]), _NONE))
            for area, end in zip(areas, ends, strict=True)
        ]
        return dict(zip(("lr_sum", "lr_drop"), logs, strict=True))

    def values(self, points: Floats) -> dict[str, Floats]:
        """Parameters of particles, by name, dims (particle, 1)."""
        return {name: np.exp(points[:, i : i + 1]) for i, name in enumerate(self.names)}

    def log_curve(self, points: Floats, inputs: Mapping[str, Floats]) -> Floats:
        """Log loss by the law, dims (particle, point)."""
        with np.errstate(all="ignore"):
            curve: Floats = self.law.log_curve(inputs, self.values(points))
        return curve + self.home.log_loss

    def scatter(self, points: Floats) -> noise.Scatter:
        """Scatter of particles."""
        white, wander, memory = np.exp(points[:, -len(noise.NAMES) :]).T
        return noise.Scatter(np.hypot(white, _RESOLUTION), wander, memory)

    def filtered(self, points: Floats, data: Thinned) -> tuple[Floats, noise.Wandering]:
        """Log likelihood of a curve, and the wandering at its end."""
        return self._filtered(points, data, self.inputs(np.exp(data.log_t)))

    def _filtered(
        self, points: Floats, data: Thinned, inputs: Mapping[str, Floats]
    ) -> tuple[Floats, noise.Wandering]:
        residuals = data.log_loss - self.log_curve(points, inputs)
        with np.errstate(all="ignore"):
            return noise.filtered(residuals, data.log_t, data.counts, self.scatter(points))

    def target(self, data: Thinned) -> Target:
        """What is to be sampled, given a curve."""
        inputs = self.inputs(np.exp(data.log_t))
        return Target(self.prior, lambda points: self._filtered(points, data, inputs)[0])
