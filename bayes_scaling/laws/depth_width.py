"""Depth against width: a shape term on top of any law of N, and the additive form of Gemstones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayes_scaling.core.arguments import needs
from bayes_scaling.errors import LawError
from bayes_scaling.laws import common, ops
from bayes_scaling.laws.chinchilla import CHINCHILLA
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["DEPTH_WIDTH", "GEMSTONES", "matrix_params", "shape_of", "with_shape"]


def matrix_params(n_layer: ops.Array, d_model: ops.Array) -> ops.Array:
    """Parameters in the matrices of a transformer, 12·n_layer·d_model².

    Kaplan et al. 2020, Table 1, for d_ff = 4·d_model; embeddings, biases and norms not counted.
    """
    return 12.0 * n_layer * d_model**2


def shape_of(params: ops.Array, aspect_ratio: ops.Array) -> tuple[ops.Array, ops.Array]:
    """Depth and width (n_layer, d_model), not rounded, of N = 12·n_layer·d_model² parameters.

    Parameters
    ----------
    params : array-like
        Parameters in matrices.
    aspect_ratio : array-like
        d_model / n_layer.
    """
    n_layer = (params / (12.0 * aspect_ratio**2)) ** (1.0 / 3.0)
    return n_layer, aspect_ratio * n_layer


_SHAPE = (
    Parameter(
        name="aspect",
        prior=Prior(median=1.0, sd=1.0, spread=0.2),
        unit="1",
        meaning="best aspect ratio, d_model / n_layer",
        reason="within a factor of 7 of the shapes in the data, which people choose with care",
    ),
    Parameter(
        name="curvature",
        prior=Prior(median=0.2, sd=1.0, spread=0.3),
        unit="1",
        meaning="log of the size that a shape wastes, per half squared log of its aspect ratio",
        reason=(
            "Kaplan et al. 2020, Figure 5: an aspect ratio ten times off costs a few percent of "
            "loss, as much as a third of the parameters"
        ),
    ),
)


def _best_aspect(p: Values) -> ops.Array:
    return ops.log(p["aspect"])


@dataclass(frozen=True)
class _Shaped:
    """A law in which parameters in a poor shape count for fewer."""

    law: Law

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        off = x["aspect_ratio"] - _best_aspect(p)
        wasted = 0.5 * p["curvature"] * off * off
        return self.law.log_curve({**x, "params": x["params"] - wasted}, p)

    def slopes(self, p: Values) -> Slopes:
        """Slopes of the law, and that of the optimal aspect ratio."""
        return self.law.slopes(p) | {"aspect": {"aspect_ratio": 1.0}}


def with_shape(law: Law, name: str | None = None) -> Law:
    """Add a shape term to a law of N: parameters in a poor shape count for fewer.

    N in the law becomes N·exp(-curvature/2 · log(aspect ratio / aspect)²), so that a flat term
    (curvature 0) and the best shape give the law itself. The shape is the aspect ratio
    d_model / n_layer; with N = 12·n_layer·d_model² (Kaplan et al. 2020, Table 1) N and the aspect
    ratio fix depth and width.

    Parameters
    ----------
    law : Law
        ops.Array law that reads ``params`` and no shape.
    name : str, optional
        Name of the result; ``LAW+shape`` if not given.

    Raises
    ------
    LawError
        If the law does not read ``params``, or reads a shape already.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> laws.with_shape(laws.get("chinchilla")).inputs
    ('params', 'tokens', 'aspect_ratio')
    """
    needs(law, Law, "law", "write bayes_scaling.laws.get('chinchilla')", LawError)
    if "params" not in law.inputs or {"aspect_ratio", "n_layer", "d_model"} & set(law.inputs):
        raise LawError(
            f"law {law.name!r} reads {', '.join(law.inputs)}; a shape term needs params, and no "
            "shape yet"
        )

    shaped = _Shaped(law)
    return replace(
        law,
        name=name or f"{law.name}+shape",
        formula=(
            f"{law.formula}, with N·exp(-curvature/2·log²(d_model/n_layer/aspect)) in place of N"
        ),
        inputs=(*law.inputs, "aspect_ratio"),
        parameters=(*law.parameters, *_SHAPE),
        reference=f"{law.reference}; shape: Kaplan et al. 2020, Section 3.1 and Figure 5",
        log_curve=shaped,
        slopes=shaped.slopes,
        best={**law.best, "aspect_ratio": _best_aspect},
        limitations=(
            *law.limitations,
            "One best aspect ratio for all sizes: depth and width grow in proportion, as N^(1/3).",
        ),
        remarks=law.remarks,
    )


DEPTH_WIDTH = with_shape(CHINCHILLA, "depth-width")

_TERMS: Mapping[str, tuple[str, str, str]] = {
    "W": ("d_model", "alpha_W", "width"),
    "L": ("n_layer", "alpha_L", "depth"),
    "A": ("params", "alpha_N", "parameters"),
    "B": ("tokens", "alpha_D", "tokens"),
}


def _gemstones(x: Inputs, p: Values) -> ops.Array:
    total = ops.log(p["floor"])
    for amplitude, (column, exponent, _) in _TERMS.items():
        total = ops.logaddexp(total, ops.log(p[amplitude]) - p[exponent] * x[column])
    return total


def _gemstones_slopes(p: Values) -> Slopes:
    return {amplitude: {column: p[exponent]} for amplitude, (column, exponent, _) in _TERMS.items()}


GEMSTONES = Law(
    name="gemstones",
    formula="floor + W·d_model^-alpha_W + L·n_layer^-alpha_L + A·N^-alpha_N + B·D^-alpha_D",
    inputs=("params", "tokens", "n_layer", "d_model"),
    parameters=(
        common.FLOOR,
        *(common.amplitude(name, f"finite {cause}") for name, (_, _, cause) in _TERMS.items()),
        *(common.exponent(exponent, cause) for _, exponent, cause in _TERMS.values()),
    ),
    reference="McLeish et al. 2025 (Gemstones), arXiv:2502.06857",
    log_curve=_gemstones,
    slopes=_gemstones_slopes,
    coordinates=Additive({name: (exponent,) for name, (_, exponent, _) in _TERMS.items()}),
    limitations=(
        (
            "N is nearly 12·n_layer·d_model², so size, depth and width are identified only where "
            "shapes of one size vary widely; otherwise priors divide the loss among them."
        ),
    ),
)
