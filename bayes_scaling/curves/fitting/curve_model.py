"""Model of a curve: a law with its noise, as a target density for particles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.curves.fitting.ar1_noise import NAMES, Ar1State, NoiseParameters, kalman_filter
from bayes_scaling.curves.fitting.binning import BinnedCurve
from bayes_scaling.curves.fitting.particles import Gaussian, Space, Target
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law
from bayes_scaling.laws.coordinates import Coordinates, Identity

__all__ = ["Model", "ReferenceFrame"]

Floats = NDArray[np.float64]

_NOISE = {"white_sd": (3e-3, 1.5), "ar1_sd": (1e-2, 1.0), "length_scale": (0.3, 0.7)}
"""Median and sd of the log of each: a point scatters by a few tenths of a percent, more or less by
a factor of 20; laws miss by about 1%, as those of runs do; deviations last for a third of a
factor of e in t."""
_KNOWN = 1.0
"""sd of the log of the white noise where differences of neighbours estimate it."""
_NONE = 1e-300
_TAIL = 3
_BLOCK = 512
"""Particles whose likelihood is computed at a time: their arrays stay in the processor's cache."""
_RESOLUTION = 1e-5
"""Log loss to which logs are rounded: with less a curve of rounded numbers has no density."""


@dataclass(frozen=True)
class ReferenceFrame:
    """Reference point of a curve's parameters, and their unit of loss.

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
    def at_end(
        cls, data: BinnedCurve, end: float, schedule: Schedule | None = None
    ) -> "ReferenceFrame":
        """Return the frame at the planned end, in units of the last loss."""
        last = float(np.median(data.log_loss[-_TAIL:]))
        return cls(float(np.log(end)), last, schedule)

    @classmethod
    def of(cls, data: BinnedCurve, schedule: Schedule | None = None) -> "ReferenceFrame":
        """Return the frame in the middle of a curve, on the log scale."""
        middle = float(data.log_t[0] + data.log_t[-1]) / 2.0
        return cls(middle, float(np.interp(middle, data.log_t, data.log_loss)), schedule)


@dataclass(frozen=True)
class _LawSpace(Space):
    """Coordinates of a law for its parameters, and logs for those of the noise."""

    names: tuple[str, ...]
    coordinates: Coordinates

    def forward(self, points: Floats) -> Floats:
        """Return the coordinates of points."""
        return self._replaced(points, self.coordinates.forward(self._named(points)))

    def backward(self, coordinates: Floats) -> tuple[Floats, Floats]:
        """Return points, and the log determinant of the map from coordinates to them."""
        named = self._named(coordinates)
        volume = np.zeros(len(coordinates)) + self.coordinates.log_jacobian(named)
        return self._replaced(coordinates, self.coordinates.backward(named)), volume

    def _named(self, points: Floats) -> dict[str, Floats]:
        return dict(zip(self.names, points.T, strict=False))

    def _replaced(self, points: Floats, values: Mapping[str, Floats]) -> Floats:
        of_law = [values[name] for name in self.names]
        return np.column_stack([*of_law, points[:, len(self.names) :]])


@dataclass(frozen=True)
class Model:
    """One law for one curve.

    Attributes
    ----------
    law : Law
        One of :func:`bayes_scaling.laws.curve_laws`.
    frame : ReferenceFrame
        Reference point of its parameters.
    prior : Gaussian
        Prior of the logs of its parameters and of those of the noise, in the order of ``names``.
    """

    law: Law
    frame: ReferenceFrame
    prior: Gaussian

    @classmethod
    def of(cls, law: Law, frame: ReferenceFrame, data: BinnedCurve) -> "Model":
        """Return the model with the law's own priors."""
        if "lr_sum" in law.inputs and frame.schedule is None:
            raise DataError(
                f"law {law.name!r} reads learning rates; give a schedule, or log lr with the loss"
            )
        noises = dict(_NOISE)
        if np.isfinite(data.white_sd) and data.white_sd > 0:
            noises["white_sd"] = (data.white_sd, _KNOWN)
        priors = [(p.prior.median, p.prior.sd) for p in law.parameters] + list(noises.values())
        median, sd = np.array(priors).T
        return cls(law, frame, Gaussian.independent(np.log(median), sd))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sampled parameters."""
        return (*self.law.names, *NAMES)

    def inputs(self, t: ArrayLike) -> dict[str, Floats]:
        """Return logs of the law's inputs, relative to frame."""
        at = np.asarray(t, np.float64)
        if self.frame.schedule is None or "t" in self.law.inputs:
            return {"t": np.log(at) - self.frame.log_t}
        schedule = self.frame.schedule
        areas, ends = schedule.areas(at), schedule.areas([schedule.end])
        logs = [
            np.log(np.maximum(area, _NONE)) - np.log(max(float(end[0]), _NONE))
            for area, end in zip(areas, ends, strict=True)
        ]
        return dict(zip(("lr_sum", "lr_drop"), logs, strict=True))

    def values(self, points: Floats) -> dict[str, Floats]:
        """Return parameters of particles, by name, dims (particle, 1)."""
        return {name: np.exp(points[:, i : i + 1]) for i, name in enumerate(self.names)}

    def log_curve(self, points: Floats, inputs: Mapping[str, Floats]) -> Floats:
        """Return the log loss of the law, dims (particle, point)."""
        # Points first, particles last: the memory order of the filter.
        columns = {name: values[:, None] for name, values in inputs.items()}
        rows = dict(zip(self.names, np.exp(points.T), strict=True))
        with np.errstate(all="ignore"):
            curve: Floats = self.law.log_curve(columns, rows)
        return (curve + self.frame.log_loss).T

    def noise(self, points: Floats) -> NoiseParameters:
        """Return the parameters of the noise of particles."""
        white_sd, ar1_sd, length_scale = np.exp(points[:, -len(NAMES) :]).T
        return NoiseParameters(np.hypot(white_sd, _RESOLUTION), ar1_sd, length_scale)

    def filtered(self, points: Floats, data: BinnedCurve) -> tuple[Floats, Ar1State]:
        """Return the log likelihood of a curve, and the AR(1) process at its end."""
        return self._filtered(points, data, self.inputs(np.exp(data.log_t)))

    def _filtered(
        self, points: Floats, data: BinnedCurve, inputs: Mapping[str, Floats]
    ) -> tuple[Floats, Ar1State]:
        residuals = data.log_loss - self.log_curve(points, inputs)
        with np.errstate(all="ignore"):
            return kalman_filter(residuals, data.log_t, data.counts, self.noise(points))

    def target(self, data: BinnedCurve) -> Target:
        """Return the density to be sampled, given a curve."""
        inputs = self.inputs(np.exp(data.log_t))

        def likelihood(points: Floats) -> Floats:
            blocks = range(0, len(points), _BLOCK)
            parts = [self._filtered(points[at : at + _BLOCK], data, inputs)[0] for at in blocks]
            return np.concatenate(parts)

        space = _LawSpace(self.law.names, self.law.coordinates or Identity())
        return Target(self.prior, likelihood, space)
