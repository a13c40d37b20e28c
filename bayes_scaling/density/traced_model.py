"""The hierarchical model as traced expressions: the population, a family, a run."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.traced import Traced, TracedVector
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import (
    PRIOR_MEDIAN,
    Element,
    Node,
    Term,
    data_of,
    log_parameters,
    nodes,
    prior_medians,
)
from bayes_scaling.model.run_noise import log_density
from bayes_scaling.model.spec import Spec

__all__ = ["ModelData", "TracedModel", "model_data", "trace_model"]

Floats = NDArray[np.float64]
_PRIOR_NUMBER = "prior_number"
_HALF_LOG_2_PI = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class TracedModel:
    """The log density of a model in the coordinates of the sampler, as three sums.

    Attributes
    ----------
    population, family, run : Traced or float
        Summands: one, one for each family, one for each run.
    population_coordinates : tuple of str
        Symbols of the coordinates that all families share, before those of families.
    family_coordinates : tuple of str
        Symbols of those of a family.
    population_after : tuple of str
        Symbols of the coordinates that all families share, after those of families.
    constants : tuple of str
        Symbols of the prior numbers.
    family_data, run_data : tuple of str
        Symbols of data of a family and of a run.
    """

    population: Traced | float
    family: Traced | float
    run: Traced
    population_coordinates: tuple[str, ...]
    family_coordinates: tuple[str, ...]
    population_after: tuple[str, ...]
    constants: tuple[str, ...]
    family_data: tuple[str, ...]
    run_data: tuple[str, ...]


@dataclass(frozen=True)
class ModelData:
    """What a compiled density reads of a table of runs and of priors.

    Attributes
    ----------
    start : (family + 1,) array of int
        First row of each family, and the number of rows.
    runs : (run_data, run) array
        Data by run, families one after the other.
    families : (family_data, family) array
        Data by family.
    constants : (constants,) array
        Prior medians, then locations and scales of the priors.
    """

    start: NDArray[np.int64]
    runs: Floats
    families: Floats
    constants: Floats

    @property
    def packed(self) -> Floats:
        """All of it side by side: the length, numbers of families and runs, then the fields."""
        sizes = (self.families.shape[1], self.runs.shape[1])
        fields = (self.start, self.runs.ravel(), self.families.ravel(), self.constants)
        length = 1 + len(sizes) + sum(map(len, fields))
        return np.concatenate([[length, *sizes], *fields])


def trace_model(spec: Spec, coordinates: FamilyCoordinates | None) -> TracedModel:
    """Trace the log density of a model.

    Parameters
    ----------
    spec : Spec
        The model.
    coordinates : FamilyCoordinates or None
        Coordinates of the sampler.

    Raises
    ------
    LawError
        If the law calls what cannot be traced.
    """
    declared = _with_prior_symbols(spec)
    if coordinates:
        coordinates = replace(coordinates, data={name: Traced(name) for name in coordinates.data})
    values: dict[str, Any] = {
        PRIOR_MEDIAN: TracedVector(Traced(f"median {p.name}") for p in spec.parameters),
        _PRIOR_NUMBER: TracedVector(Traced(f"number {i}") for i in range(len(_numbers(spec)))),
    }
    population: Any = 0.0
    family: Any = 0.0
    at: dict[str, tuple[str, ...]] = {}
    for node in declared:
        symbols = tuple(f"{node.name} {label}" for label in node.labels or ("",))
        at[node.name] = symbols
        location, scale = node.moments(values)
        position: Any = TracedVector(Traced(symbol) for symbol in symbols)
        if node.by_family:
            if coordinates:
                family = family + coordinates.log_determinant(position, location, scale)
                position = coordinates.backward(position, location, scale)
            values[node.name] = position
            family = family + _normal(position, location, scale)
        else:
            # A log-normal is sampled on its log, where it is a normal.
            population = population + _normal(position, location, scale)
            value = TracedVector(np.exp(each) for each in position) if node.log_normal else position
            values[node.name] = value if node.dims else value[0]
    shared = {n.name for n in declared if not n.by_family}
    own = tuple(s for n in declared if n.by_family for s in at[n.name])
    return TracedModel(
        population=population,
        family=family,
        run=_of_run(spec, values),
        population_coordinates=tuple(s for n in ("mu", "tau") if n in shared for s in at[n]),
        family_coordinates=own,
        population_after=at.get("log_excess_nu", ()),
        constants=(*(f"median {p.name}" for p in spec.parameters), *_number_symbols(spec)),
        family_data=tuple(coordinates.data) if coordinates else (),
        run_data=(*(f"x {name}" for name in spec.law.inputs), "relative_se", "log_loss"),
    )


def model_data(
    spec: Spec, frame: ReferenceFrame, design: Design, coordinates: FamilyCoordinates | None
) -> ModelData:
    """Return the data of a table of runs in the layout that a traced model states."""
    data = data_of(spec, frame, design)
    order = np.argsort(data["family_index"], kind="stable")
    counts = np.bincount(data["family_index"], minlength=len(spec.families))
    columns = [*(f"x_{name}" for name in spec.law.inputs), "relative_se", "observed_log_loss"]
    by_family = list(coordinates.data.values()) if coordinates else []
    return ModelData(
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        runs=np.ascontiguousarray(np.stack([data[name][order] for name in columns])),
        families=np.ascontiguousarray(
            np.reshape(np.array(by_family, dtype=np.float64), (-1, len(spec.families)))
        ),
        constants=np.concatenate([prior_medians(spec, frame), _numbers(spec)]),
    )


def _of_run(spec: Spec, values: dict[str, Any]) -> Traced:
    logs = log_parameters(spec, values)
    parameters = {name: np.exp(value) for name, value in logs.items()}
    x = {name: Traced(f"x {name}") for name in spec.law.inputs}
    error = Traced("log_loss") - spec.law.log_curve(x, parameters)
    scale = np.sqrt(parameters["sigma"] ** 2 + Traced("relative_se") ** 2)
    nu = 2.0 + np.exp(values["log_excess_nu"]) if spec.noise == "student-t" else None
    result: Traced = log_density(spec.noise, nu, error, scale)
    return result


def _normal(value: Any, location: Any, scale: Any) -> Any:
    """Sum of log densities of independent normals, over entries of a vector."""
    total: Any = 0.0
    for i, each in enumerate(value):
        middle = location[i] if isinstance(location, TracedVector) else location
        sd = scale[i] if isinstance(scale, TracedVector) else scale
        total = total - 0.5 * ((each - middle) / sd) ** 2 - np.log(sd) - _HALF_LOG_2_PI
    return total


def _with_prior_symbols(spec: Spec) -> list[Node]:
    """The nodes of a model, numbers of their priors as data of the density."""
    places = itertools.count()

    def as_symbols(terms: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(
            term if isinstance(term, Element) else Element(_PRIOR_NUMBER, next(places))
            for term in terms
        )

    return [
        replace(node, location=as_symbols(node.location), scale=as_symbols(node.scale))
        for node in nodes(spec)
    ]


def _numbers(spec: Spec) -> Floats:
    """Locations and scales that are numbers, in the order of the nodes."""
    terms = [t for node in nodes(spec) for t in (*node.location, *node.scale)]
    return np.array([term for term in terms if not isinstance(term, Element)], dtype=np.float64)


def _number_symbols(spec: Spec) -> tuple[str, ...]:
    return tuple(f"number {i}" for i in range(len(_numbers(spec))))
