"""Coordinates of the sampler: those of each family's parameters at the middle of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayes_scaling.laws import Law, ops
from bayes_scaling.laws.coordinates import Coordinates, Identity
from bayes_scaling.laws.two_slopes import TwoSlopes
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = ["FamilyCoordinates"]

_LEAST = 1e-3
_APART = 0.17
"""Root of the sum of squares across the diagonal at which runs tell as much as a prior: noise
of half a percent over a slope of 0.03."""


@dataclass(frozen=True)
class FamilyCoordinates:
    """Log parameters at the reference point, to coordinates in which a sampler moves well.

    Parameters that are well informed by the runs are the law's coordinates at each family's
    centre. Those with ``noncentred`` set are standardised deviations from the population: centred,
    they and the spread form a funnel (Papaspiliopoulos et al. 2007; Betancourt and Girolami 2015).

    Parameters
    ----------
    law : Law
        The law.
    names : tuple of str
        Its parameters; the noise scale stands last.
    noncentred : tuple of int
        Places of the non-centred ones.
    data : mapping of str to array
        By family: ``shift <input>``, log of its middle over the point where priors hold; and for
        two slopes ``along <exponent>``, how much their inputs vary, and ``apart``, whether the
        runs tell them apart.
    """

    law: Law
    names: tuple[str, ...]
    noncentred: tuple[int, ...]
    data: Mapping[str, ops.Array]

    @classmethod
    def of(cls, spec: Spec, frame: ReferenceFrame, design: Design) -> "FamilyCoordinates | None":
        """Return those of a model; None where log parameters do, or some are not by family."""
        own = spec.pooled("partial", "none")
        curved = bool(spec.law.coordinates) or any(p.noncentred for p in own)
        if not curved or len(own) < len(spec.parameters):
            return None
        return cls(
            law=spec.law,
            names=tuple(p.name for p in spec.parameters),
            noncentred=tuple(i for i, p in enumerate(spec.parameters) if p.noncentred),
            data={f"shift {n}": v for n, v in frame.standard.shift.items()}
            | _two_slopes(spec, frame.standardise(design)),
        )

    @property
    def coordinates(self) -> Coordinates:
        """The map of the law."""
        return self.law.coordinates or Identity()

    @property
    def slopes(self) -> TwoSlopes | None:
        """The map of two slopes, where the law has two."""
        return TwoSlopes.of(self.law)

    def forward(self, value: ops.Array, location: ops.Array, scale: ops.Array) -> ops.Array:
        """Coordinates from log parameters, last axis the parameter.

        Parameters
        ----------
        value : (..., family, parameter) array
            Log parameters at the reference point.
        location, scale : (..., parameter) array
            Mean and sd of the population they come from.
        """
        columns = [value[..., i] for i in range(len(self.names))]
        logs, noise = self._split(columns)
        moved = self.coordinates.forward(self._move(logs, 1.0))
        if self.slopes:
            moved = self.slopes.forward(moved, self.data)
        at = [*(moved[name] for name in logs), noise]
        for i in self.noncentred:
            at[i] = (columns[i] - location[..., i]) / scale[..., i]
        return ops.stack(at)

    def backward(self, value: ops.Array, location: ops.Array, scale: ops.Array) -> ops.Array:
        """Log parameters from coordinates; shapes as in :meth:`forward`."""
        columns = self._constrained(value, location, scale)
        at, noise = self._split(columns)
        if self.slopes:
            at = self.slopes.backward(at, self.data)
        logs = self._move(self.coordinates.backward(at), -1.0)
        return ops.stack([*(logs[name] for name in at), noise])

    def log_determinant(self, value: ops.Array, location: ops.Array, scale: ops.Array) -> ops.Array:
        """Log determinant of :meth:`backward`, by family.

        Moving an amplitude along its exponents is a shear and adds nothing.
        """
        at, _ = self._split(self._constrained(value, location, scale))
        return self.coordinates.log_jacobian(at) + sum(
            ops.log(scale[..., i]) for i in self.noncentred
        )

    def log_jacobian(self, value: ops.Array, location: ops.Array, scale: ops.Array) -> ops.Array:
        """:meth:`log_determinant`, spread evenly over the parameters of a family.

        Because the density of independent normals is elementwise.
        """
        total = self.log_determinant(value, location, scale)
        if getattr(total, "ndim", 0):
            total = total[..., None]
        return 0.0 * value + total / len(self.names)

    def _move(self, logs: dict[str, ops.Array], sign: float) -> dict[str, ops.Array]:
        if self.law.fixed_reference:
            return logs
        values = {name: ops.exp(value) for name, value in logs.items()}
        moved = dict(logs)
        for name, by_input in self.law.slopes(values).items():
            if self.names.index(name) in self.noncentred:
                continue
            for column, slope in by_input.items():
                moved[name] = moved[name] - sign * slope * self.data[f"shift {column}"]
        return moved

    def _split(self, columns: list[ops.Array]) -> tuple[dict[str, ops.Array], ops.Array]:
        """Columns of the law's parameters by name; the noise scale, which stands last."""
        return dict(zip(self.names[:-1], columns[:-1], strict=True)), columns[-1]

    def _constrained(
        self, value: ops.Array, location: ops.Array, scale: ops.Array
    ) -> list[ops.Array]:
        """Coordinates, the non-centred parameters as log parameters."""
        columns = [value[..., i] for i in range(len(self.names))]
        for i in self.noncentred:
            columns[i] = location[..., i] + scale[..., i] * columns[i]
        return columns


def _two_slopes(spec: Spec, design: Design) -> dict[str, ops.Array]:
    """What the runs of each family tell about two slopes."""
    slopes = TwoSlopes.of(spec.law)
    if slopes is None:
        return {}
    found: dict[str, list[float]] = {name: [] for name in slopes.data}
    first, second = (design.inputs[name] for name in slopes.inputs)
    for family in range(len(spec.families)):
        rows = design.family == family
        spread = np.cov(np.stack([first[rows], second[rows]]), ddof=0)
        along = np.log(np.sqrt(np.diag(spread)) + _LEAST)
        apart = rows.sum() * np.linalg.eigvalsh(spread)[0] / _APART**2
        for name, value in zip(slopes.data, (*along, apart / (1.0 + apart)), strict=True):
            found[name].append(float(value))
    return {name: np.array(values) for name, values in found.items()}
