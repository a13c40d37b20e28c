"""The hierarchy, declared once and interpreted as numbers or as a graph: free variables and data.

``mu`` (log of the population median of each pooled parameter), ``tau`` (sd of the log between
families of each partially pooled one), ``theta`` (log of each parameter that families have of their
own) and ``log_excess_nu`` (log of the noise's degrees of freedom above 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.laws import ops
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = [
    "PRIOR_MEDIAN",
    "Element",
    "Node",
    "Term",
    "data_of",
    "log_parameters",
    "named_values",
    "nodes",
    "prior_medians",
]

PRIOR_MEDIAN = "prior_median"
"""Logs of the prior medians in standardised terms, in the order of the parameters: data."""


@dataclass(frozen=True)
class Element:
    """An entry along the last axis of the prior medians or of an earlier free variable."""

    of: str
    index: int

    def get(self, values: Mapping[str, Any]) -> Any:
        """The entry among values by name of the variable."""
        return values[self.of][..., self.index]


Term = float | Element


@dataclass(frozen=True)
class Node:
    """A free variable of independent normals, or of log-normals.

    Attributes
    ----------
    name : str
        Its name.
    location, scale : tuple of float or Element
        Mean and sd of it, or of its log, along its last dimension or one for all; the same for
        every family.
    dims : tuple of str
        Its dimensions, the last one that of the labels; none for a single number.
    labels : tuple of str
        The parameters along its last dimension.
    log_normal : bool
        Whether its log is normal.
    """

    name: str
    location: tuple[Term, ...]
    scale: tuple[Term, ...]
    dims: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    log_normal: bool = False

    @property
    def by_family(self) -> bool:
        """True if each family has its own."""
        return "family" in self.dims

    def moments(self, values: Mapping[str, Any]) -> tuple[Any, Any]:
        """Location and scale by label, (..., label) arrays or vectors of a graph.

        Parameters
        ----------
        values : mapping of str to array or PyTensor variable
            Prior medians and earlier free variables by name, labels along the last axis.
        """
        return self._filled(self.location, values), self._filled(self.scale, values)

    def _filled(self, terms: tuple[Term, ...], values: Mapping[str, Any]) -> Any:
        parts = [term.get(values) if isinstance(term, Element) else term for term in terms]
        if len(parts) != len(self.labels):
            return parts[0]
        if all(isinstance(part, float | np.ndarray) for part in parts):
            return np.stack(np.broadcast_arrays(*parts), axis=-1)
        return ops.stack(parts)


def nodes(spec: Spec) -> tuple[Node, ...]:
    """The free variables of a model, each after those that it depends on."""
    pooled, partial = spec.pooled("partial", "shared"), spec.pooled("partial")
    own = spec.pooled("partial", "none")
    medians = {p.name: Element(PRIOR_MEDIAN, i) for i, p in enumerate(spec.parameters)}
    mu = {p.name: Element("mu", i) for i, p in enumerate(pooled)}
    tau = {p.name: Element("tau", i) for i, p in enumerate(partial)}
    declared = [
        Node(
            "mu",
            location=tuple(medians[p.name] for p in pooled),
            scale=tuple(spec.log_sd(p) for p in pooled),
            dims=("pooled",),
            labels=tuple(mu),
        ),
        Node(
            "tau",
            location=tuple(np.log([p.prior.spread for p in partial]).tolist()),
            scale=(spec.spread_sd,),
            dims=("partial",),
            labels=tuple(tau),
            log_normal=True,
        ),
        Node(
            "theta",
            location=tuple(mu.get(p.name, medians[p.name]) for p in own),
            scale=tuple(tau.get(p.name, spec.log_sd(p)) for p in own),
            dims=("family", "parameter"),
            labels=tuple(p.name for p in own),
        ),
    ]
    found = tuple(node for node in declared if node.labels)
    if spec.noise == "normal":
        return found
    nu = spec.nu_parameter.prior
    return (*found, Node("log_excess_nu", (float(np.log(nu.median)),), (nu.sd,)))


def log_parameters(spec: Spec, values: Mapping[str, ops.Array]) -> dict[str, ops.Array]:
    """Log of each parameter among values of the free variables: by family, or one where shared.

    Parameters
    ----------
    spec : Spec
        The model.
    values : mapping of str to array or PyTensor variable
        Free variables by name, labels along the last axis.
    """
    # A pooled parameter has a median too; what families have of their own comes later and wins.
    where = {
        label: Element(node.name, i)
        for node in nodes(spec)
        for i, label in enumerate(node.labels)
        if not node.log_normal
    }
    return {p.name: where[p.name].get(values) for p in spec.parameters}


def named_values(spec: Spec, values: Mapping[str, ops.Array]) -> dict[str, ops.Array]:
    """Parameters by name in standardised terms, from the free variables.

    ``<p>`` with families along the last axis, ``<p>_population`` (median over families),
    ``<p>_spread`` (sd of the log between families) and ``nu``; parameters as of
    :func:`log_parameters`.
    """
    one = np.ones(len(spec.families))
    named = {
        name: ops.exp(value[..., None] * one if spec.pooling[name] == "shared" else value)
        for name, value in log_parameters(spec, values).items()
    }
    for node in nodes(spec):
        columns = {n: Element(node.name, i).get(values) for i, n in enumerate(node.labels)}
        if node.log_normal:
            named |= {f"{name}_spread": value for name, value in columns.items()}
        elif not node.by_family:
            named |= {f"{name}_population": ops.exp(value) for name, value in columns.items()}
    if spec.noise == "student-t":
        named["nu"] = 2.0 + ops.exp(values["log_excess_nu"])
    return named


def prior_medians(spec: Spec, frame: ReferenceFrame) -> NDArray[np.float64]:
    """Logs of the prior medians in standardised terms, in the order of the parameters."""
    return np.array([frame.standard.log_median(p) for p in spec.parameters])


def data_of(spec: Spec, frame: ReferenceFrame, design: Design) -> dict[str, NDArray[Any]]:
    """Return the data of a table of runs, on which a compiled model can be conditioned again.

    Prior medians, and by run, standardised: ``x_<input>``, ``family_index``, ``relative_se`` and
    ``observed_log_loss``.
    """
    seen = frame.standardise(design)
    return {
        **{f"x_{name}": value for name, value in seen.inputs.items()},
        "family_index": seen.family,
        "relative_se": seen.relative_se,
        "observed_log_loss": seen.log_loss,
        PRIOR_MEDIAN: prior_medians(spec, frame),
    }
