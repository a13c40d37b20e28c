"""Depth against width: which shape a size should have, and what another one costs."""

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary, quantiles_of
from bayes_scaling.core.records import Record, about, to_plain
from bayes_scaling.decisions.allocation.decision_caveats import point_caveats
from bayes_scaling.decisions.allocation.plan_shape import AS_GOOD
from bayes_scaling.decisions.allocation.whole_shapes import shapes_of
from bayes_scaling.decisions.decision_family import (
    SHAPE,
    aspects_of,
    family_of,
    provenance,
)
from bayes_scaling.decisions.decision_result import DecisionResult, LayerRange, Params, Tokens
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import size_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.laws.depth_width import matrix_params
from bayes_scaling.posterior import FamilyPosterior, family_posterior, runs_of
from bayes_scaling.scenarios.limits import ShapeLimits
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["IdealShape", "ShapeChoice", "ShapeRow", "best_shape"]

Floats = NDArray[np.float64]

_SHOWN = 12


_PENALTY = "of the loss over that of the best of these shapes in the same draw, minus 1."
_FRACTION = "fraction of the loss"


class ShapeRow(Record, frozen=True, kw_only=True):
    """A shape, and what it costs in loss."""

    n_layer: Annotated[int, about("Layers.", ge=1)]
    d_model: Annotated[int, about("Width.", ge=1)]
    aspect_ratio: Annotated[float, about("d_model / n_layer.", gt=0)]
    matrix_params: Annotated[float, about("12·n_layer·d_model².", "parameters", gt=0)]
    penalty_mean: Annotated[float, about(f"Mean {_PENALTY}", _FRACTION)]
    penalty_q05: Annotated[float, about(f"5% quantile {_PENALTY}", _FRACTION)]
    penalty_q95: Annotated[float, about(f"95% quantile {_PENALTY}", _FRACTION)]
    probability_best: Annotated[
        float, about("That it is the best of these.", "probability", ge=0, le=1)
    ]


class IdealShape(Record, frozen=True, kw_only=True):
    """Posterior of the best shape without limits or rounding."""

    n_layer: Annotated[PosteriorSummary, about("Layers.")]
    d_model: Annotated[PosteriorSummary, about("Width.")]
    aspect_ratio: Annotated[PosteriorSummary, about("d_model / n_layer.")]


class ShapeChoice(DecisionResult, frozen=True, kw_only=True, tag="bayes_scaling.shapes/2"):
    """Depth and width of a size, as `shape` writes it."""

    quantity: Annotated[Literal["loss_curve"], about("Losses are of the law, without noise.")]
    params: Params
    tokens: Tokens
    limits: Annotated[ShapeLimits, about("What the hardware allows of depth and width.")]
    recommended: Annotated[ShapeRow, about("The shape of least expected loss.")]
    as_good: Annotated[
        LayerRange, about("Layers of shapes whose expected penalty is at most 0.1%.")
    ]
    ideal: Annotated[
        IdealShape | None,
        about("Best shape without limits or rounding; null where the law has none."),
    ]
    shapes: Annotated[list[ShapeRow], about("Every shape that was considered.", min_length=1)]

    @property
    def table(self) -> pd.DataFrame:
        """Shapes, one row each: columns are the fields of :class:`ShapeRow`."""
        return pd.DataFrame(to_plain(self.shapes))

    def __str__(self) -> str:
        best, fine, ideal, table = self.recommended, self.as_good, self.ideal, self.table
        lines = [
            (
                f"{self.params:.4g} parameters, family {self.family!r}: "
                f"{best.n_layer} layers of width {best.d_model}, best with probability "
                f"{best.probability_best:.0%}; {fine.min_layers} to {fine.max_layers} layers are "
                "as good (within 0.1% of the loss)."
            )
        ]
        if ideal is not None:
            depth, aspect = ideal.n_layer, ideal.aspect_ratio
            lines.append(
                f"Without limits: {depth.q50:.3g} layers (90% {depth.q05:.3g} to "
                f"{depth.q95:.3g}), aspect ratio {aspect.q50:.3g} ({aspect.q05:.3g} to "
                f"{aspect.q95:.3g})."
            )
        best_ones = table.nsmallest(_SHOWN, "penalty_mean").sort_values("n_layer")
        shown = best_ones.assign(
            **{n: 100 * best_ones[n] for n in ("penalty_mean", "penalty_q05", "penalty_q95")}
        )
        if len(table) > len(shown):
            lines.append(f"The best {len(shown)} of {len(table)} shapes:")
        names = {"penalty_mean": "penalty %", "penalty_q05": "q05", "penalty_q95": "q95"}
        shown = shown.rename(columns=names).drop(columns="matrix_params")
        lines.append(shown.to_string(index=False, float_format="{:.3g}".format))
        return "\n".join([*lines, *self._caveat_lines()])


def best_shape(
    fit: Fit,
    params: float,
    *,
    tokens: float | None = None,
    family: str | None = None,
    limits: ShapeLimits | None = None,
    seed: int = 0,
    accept: Iterable[str] = (),
) -> ShapeChoice:
    """Choose depth and width for a size, under a law that knows of shapes.

    Parameters
    ----------
    fit : Fit
        A fit of a law that reads a shape: "depth-width", "gemstones", or "LAW+shape".
    params : float
        Parameters, counted as in the runs.
    tokens : float, optional
        Training tokens; as many a parameter as in the middle of the family's runs if not given.
    family : str, optional
        Family; may be left out where the fit has one family.
    limits : ShapeLimits, optional
        Multiples and maxima.
    seed : int
        Seed of an unseen family.
    accept : iterable of str
        Codes of errors to accept: "implausible-size" for sizes that no training run has.

    Returns
    -------
    ShapeChoice

    Raises
    ------
    ScenarioError
        If the law reads no shape, a number is out of range, or no shape is within the limits.

    Examples
    --------
    >>> found = bs.best_shape(bs.load_fit("shaped.nc"), 1e9, family="web")
    >>> found.recommended.n_layer, found.recommended.d_model
    (27, 1728)
    """
    check_fit(fit)
    name, allowed = _checked(fit, family, limits)
    params = in_unit("params", params, "param", "1e9")
    seen = (
        _tokens(fit, name, params) if tokens is None else in_unit("tokens", tokens, "token", "1e9")
    )
    accepted = size_caveats(pd.DataFrame({"params": [params], "tokens": [seen]}), accept)
    draws = family_posterior(fit, name, seed)
    shapes = np.array(shapes_of(allowed, params, draws.counting), dtype=np.float64)
    losses = np.stack([_loss(draws, params, seen, *shape) for shape in shapes])
    rows, mean = _rows(shapes, losses), losses.mean(axis=1)
    best = int(mean.argmin())
    fine = shapes[mean / mean[best] - 1.0 <= AS_GOOD, 0]
    point = {"params": [params], "tokens": [seen], "loss": [float(np.median(losses[best]))]}
    return ShapeChoice(
        **provenance(fit, name, seed),
        quantity="loss_curve",
        params=float(params),
        tokens=float(seen),
        limits=allowed,
        caveats=[
            *accepted,
            *point_caveats(fit, name, point, "configuration"),
            *_caveats(fit, name, rows[best]),
        ],
        recommended=rows[best],
        as_good=LayerRange(min_layers=int(fine.min()), max_layers=int(fine.max())),
        ideal=_ideal(draws, params),
        shapes=rows,
    )


def _checked(fit: Fit, family: str | None, limits: ShapeLimits | None) -> tuple[str, ShapeLimits]:
    """The family whose shapes are compared, and their limits."""
    law = fit.law
    if not SHAPE & set(law.inputs):
        raise ScenarioError(
            f"law {law.name!r} reads no shape; fit 'depth-width', 'gemstones' or "
            f"'{law.name}+shape' to runs with n_layer and d_model"
        )
    name = family_of(fit, family)
    allowed = ShapeLimits() if limits is None else limits
    needs(allowed, ShapeLimits, "limits", "write ShapeLimits(width_multiple=128)", ScenarioError)
    return name, allowed


def _rows(shapes: Floats, losses: Floats) -> list[ShapeRow]:
    """Shapes, dims (shape, 2), with what they cost beyond the best, losses (shape, sample)."""
    penalty = losses / losses.min(axis=0) - 1.0
    winner = np.bincount(losses.argmin(axis=0), minlength=len(shapes)) / losses.shape[1]
    mean, quantiles = penalty.mean(axis=1), quantiles_of(penalty, (0.05, 0.95))
    return [
        ShapeRow(
            n_layer=int(n_layer),
            d_model=int(d_model),
            aspect_ratio=float(d_model / n_layer),
            matrix_params=float(matrix_params(n_layer, d_model)),
            penalty_mean=float(mean[at]),
            penalty_q05=float(quantiles["q05"][at]),
            penalty_q95=float(quantiles["q95"][at]),
            probability_best=float(winner[at]),
        )
        for at, (n_layer, d_model) in enumerate(shapes)
    ]


def _tokens(fit: Fit, family: str, params: float) -> float:
    rows = runs_of(fit, family)
    return float(params * np.exp(np.log(rows["tokens"] / rows["params"]).mean()))


def _loss(
    draws: FamilyPosterior, params: float, tokens: float, n_layer: float, d_model: float
) -> Floats:
    shape = {"n_layer": n_layer, "d_model": d_model, "aspect_ratio": d_model / n_layer}
    sizes = (np.array([math.log(size)]) for size in (params, tokens))
    stated = {name: np.array([math.log(value)]) for name, value in shape.items()}
    loss: Floats = np.exp(draws.curve(draws.at(*sizes) | stated))
    return loss


def _ideal(draws: FamilyPosterior, params: float) -> IdealShape | None:
    best = draws.spec.law.best.get("aspect_ratio")
    if best is None:
        return None
    aspect = np.exp(best(draws.values) + draws.frame.reference["aspect_ratio"])
    n_layer, d_model = draws.counting.shape(params, aspect)
    return IdealShape(
        n_layer=PosteriorSummary.of(n_layer),
        d_model=PosteriorSummary.of(d_model),
        aspect_ratio=PosteriorSummary.of(aspect),
    )


def _caveats(fit: Fit, family: str, best: ShapeRow) -> list[Caveat]:
    low, high = aspects_of(fit, family)
    ratio = best.aspect_ratio
    if low <= ratio <= high:
        return []
    text = f"The aspect ratio {ratio:.3g} lies outside those of the runs, {low:.3g} to {high:.3g}."
    data = {"aspect_ratio": ratio, "low": low, "high": high}
    return [Caveat(code="aspect-outside-runs", severity="warning", text=text, data=data)]
