"""Coordinates of the sampler: those of each family's parameters at the middle of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from bayes_scaling.laws import Law, ops
from bayes_scaling.laws.coordinates import Coordinates, Identity
from bayes_scaling.model.frame import ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = ["FamilyCoordinates"]


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
    shift : mapping of str to array
        By input, log of each family's middle over the point where priors hold.
    """

    law: Law
    names: tuple[str, ...]
    noncentred: tuple[int, ...]
    shift: Mapping[str, ops.Array]

    @classmethod
    def of(cls, spec: Spec, frame: ReferenceFrame) -> "FamilyCoordinates | None":
        """Return those of a model; None where log parameters do, or some are not by family."""
        own = spec.pooled("partial", "none")
        curved = bool(spec.law.coordinates) or any(p.noncentred for p in own)
        if not curved or len(own) < len(spec.parameters):
            return None
        return cls(
            law=spec.law,
            names=tuple(p.name for p in spec.parameters),
            noncentred=tuple(i for i, p in enumerate(spec.parameters) if p.noncentred),
            shift=frame.standard.shift,
        )

    @property
    def coordinates(self) -> Coordinates:
        """The map of the law."""
        return self.law.coordinates or Identity()

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
        at = [*(moved[name] for name in logs), noise]
        for i in self.noncentred:
            at[i] = (columns[i] - location[..., i]) / scale[..., i]
        return ops.stack(at)

    def backward(self, value: ops.Array, location: ops.Array, scale: ops.Array) -> ops.Array:
        """Log parameters from coordinates; shapes as in :meth:`forward`."""
        columns = self._constrained(value, location, scale)
        at, noise = self._split(columns)
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
                moved[name] = moved[name] - sign * slope * self.shift[column]
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
