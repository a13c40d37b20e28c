"""Depth against width: which shape a size should have, and what another one costs."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs
from bayes_scaling.core.caveat import texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.draw_summary import describe, quantiles_of
from bayes_scaling.core.json_files import Saved, records, without
from bayes_scaling.decisions.allocation.plan_shape import AS_GOOD
from bayes_scaling.decisions.allocation.whole_shapes import shapes_of
from bayes_scaling.decisions.decision_caveats import point_doubts
from bayes_scaling.decisions.decision_family import (
    SHAPE,
    aspects_of,
    family_of,
    provenance,
)
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import size_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.laws.depth_width import matrix_params
from bayes_scaling.posterior import FamilyPosterior, family_posterior, runs_of
from bayes_scaling.scenarios.limits import ShapeLimits
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["SCHEMA", "ShapeChoice", "best_shape"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.shapes/1"
_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class ShapeChoice(Saved):
    """Shapes of one size, and what each costs in loss.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a shape: n_layer, d_model, aspect_ratio (d_model / n_layer), matrix_params
        (12·n_layer·d_model²), ``penalty_mean``, ``penalty_q05`` and ``penalty_q95`` (loss over
        that of the best of these shapes in the same draw, minus 1) and ``probability_best``.
    recommended : dict
        The row of least expected loss.
    as_good : dict
        Smallest and largest n_layer whose expected penalty is at most 0.1%.
    ideal : dict or None
        Posterior of the best n_layer, d_model and aspect ratio without limits or rounding, where
        the law has a best shape.
    content : dict
        What else the file says.
    """

    table: pd.DataFrame
    recommended: dict[str, Any]
    as_good: dict[str, int]
    ideal: dict[str, dict[str, float]] | None
    content: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        rows = records(self.table)
        return {
            "schema": SCHEMA,
            **self.content,
            "recommended": self.recommended,
            "as_good": self.as_good,
            "ideal": self.ideal,
            "shapes": rows,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ShapeChoice":
        """Shapes from the content of their file."""
        return cls(
            table=pd.DataFrame(content["shapes"]),
            recommended=content["recommended"],
            as_good=content["as_good"],
            ideal=content["ideal"],
            content=without(content, "schema", "shapes", "recommended", "as_good", "ideal"),
        )

    def __str__(self) -> str:
        best, where = self.recommended, self.content
        lines = [
            (
                f"{where['params']:.4g} parameters, family {where['family']!r}: "
                f"{best['n_layer']} layers of width {best['d_model']}, best with probability "
                f"{best['probability_best']:.0%}; {self.as_good['min_layers']} to "
                f"{self.as_good['max_layers']} layers are as good (within 0.1% of the loss)."
            )
        ]
        if self.ideal:
            depth, aspect = self.ideal["n_layer"], self.ideal["aspect_ratio"]
            lines.append(
                f"Without limits: {depth['q50']:.3g} layers (90% {depth['q05']:.3g} to "
                f"{depth['q95']:.3g}), aspect ratio {aspect['q50']:.3g} ({aspect['q05']:.3g} to "
                f"{aspect['q95']:.3g})."
            )
        best_ones = self.table.nsmallest(_SHOWN, "penalty_mean").sort_values("n_layer")
        shown = best_ones.assign(
            **{n: 100 * best_ones[n] for n in ("penalty_mean", "penalty_q05", "penalty_q95")}
        )
        if len(self.table) > len(shown):
            lines.append(f"The best {len(shown)} of {len(self.table)} shapes:")
        names = {"penalty_mean": "penalty %", "penalty_q05": "q05", "penalty_q95": "q95"}
        table = shown.rename(columns=names).drop(columns="matrix_params")
        lines.append(table.to_string(index=False, float_format="{:.3g}".format))
        return "\n".join([*lines, *(f"Note: {text}" for text in where["warnings"])])

    def __repr__(self) -> str:
        return brief(str(self))


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
        Whose law; may be left out where the fit has one family.
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
    """
    check_fit(fit)
    name, given = _checked(fit, family, limits)
    params = in_unit("params", params, "param", "1e9")
    seen = (
        _tokens(fit, name, params) if tokens is None else in_unit("tokens", tokens, "token", "1e9")
    )
    doubts = list(texts(size_caveats(pd.DataFrame({"params": [params], "tokens": [seen]}), accept)))
    draws = family_posterior(fit, name, seed)
    shapes = np.array(shapes_of(given, params, draws.counting), dtype=np.float64)
    losses = np.stack([_loss(draws, params, seen, *shape) for shape in shapes])
    table, mean = _table(shapes, losses), losses.mean(axis=1)
    best = int(mean.argmin())
    fine = table["n_layer"][mean / mean[best] - 1.0 <= AS_GOOD]
    point = {"params": [params], "tokens": [seen], "loss": [float(np.median(losses[best]))]}
    doubts += [
        *point_doubts(fit, name, point, "configuration"),
        *_doubts(fit, name, table.iloc[best]),
    ]
    return ShapeChoice(
        table=table,
        recommended=records(table.iloc[[best]])[0],
        as_good={"min_layers": int(fine.min()), "max_layers": int(fine.max())},
        ideal=_ideal(draws, params),
        content={
            **provenance(fit, name, seed),
            "quantity": "loss_curve",
            "params": float(params),
            "tokens": float(seen),
            "limits": msgspec.structs.asdict(given),
            "warnings": doubts,
        },
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
    given = ShapeLimits() if limits is None else limits
    needs(given, ShapeLimits, "limits", "write ShapeLimits(width_multiple=128)", ScenarioError)
    return name, given


def _table(shapes: Floats, losses: Floats) -> pd.DataFrame:
    """Shapes, dims (shape, 2), with what they cost beyond the best, losses (shape, sample)."""
    penalty = losses / losses.min(axis=0) - 1.0
    winner = np.bincount(losses.argmin(axis=0), minlength=len(shapes)) / losses.shape[1]
    return pd.DataFrame(
        {
            "n_layer": shapes[:, 0].astype(int),
            "d_model": shapes[:, 1].astype(int),
            "aspect_ratio": shapes[:, 1] / shapes[:, 0],
            "matrix_params": matrix_params(shapes[:, 0], shapes[:, 1]),
            "penalty_mean": penalty.mean(axis=1),
            **{f"penalty_{n}": v for n, v in quantiles_of(penalty, (0.05, 0.95)).items()},
            "probability_best": winner,
        }
    )


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


def _ideal(draws: FamilyPosterior, params: float) -> dict[str, dict[str, float]] | None:
    best = draws.spec.law.best.get("aspect_ratio")
    if best is None:
        return None
    aspect = np.exp(best(draws.values) + draws.frame.reference["aspect_ratio"])
    n_layer, d_model = draws.counting.shape(params, aspect)
    named = {"n_layer": n_layer, "d_model": d_model, "aspect_ratio": aspect}
    return {name: describe(value) for name, value in named.items()}


def _doubts(fit: Fit, family: str, best: "pd.Series[Any]") -> list[str]:
    low, high = aspects_of(fit, family)
    ratio = float(best["aspect_ratio"])
    if low <= ratio <= high:
        return []
    said = f"The aspect ratio {ratio:.3g} lies outside those of the runs, {low:.3g} to {high:.3g}."
    return [said]
