"""Depth and width of a plan, chosen together with its size."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.plan_parts import PlanShape
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.whole_shapes import shapes_between
from bayes_scaling.decisions.decision_result import LayerRange
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.limits import ShapeLimits

__all__ = ["AS_GOOD", "ShapedPlan", "choose_shape"]

Floats = NDArray[np.float64]

AS_GOOD = 0.001
"""Relative loss up to which another shape is as good: below the spread between seeds."""
_WINDOWS = (1.5, 4.0)
"""Times the best size, up and down, within which shapes are looked for; the second if none is."""
_ASPECT = 3.0
"""Times the aspect ratios of the runs, up and down, that are considered."""
_FINAL = 24
"""Shapes that are judged on all draws."""


@dataclass(frozen=True)
class ShapedPlan:
    """A plan with its depth and width.

    Attributes
    ----------
    plan : Candidate
        Whose size is that of the shape.
    problem : Problem
        The problem for plans of this aspect ratio.
    shape : PlanShape
        Depth and width.
    """

    plan: Candidate
    problem: Problem
    shape: PlanShape


def choose_shape(
    problem: Problem,
    best: Candidate,
    limits: ShapeLimits | None,
    aspects: tuple[float, float],
) -> ShapedPlan:
    """Choose depth and width about the best size: of all shapes there, the one of least risk.

    A shape has as many parameters as the runs count of it, and the tokens that the budgets leave at
    this size.

    Parameters
    ----------
    problem : Problem
        Budgets, prices and posterior.
    best : Candidate
        The best plan where shapes are not whole numbers.
    limits : ShapeLimits or None
        What the hardware allows.
    aspects : tuple of float
        Smallest and largest aspect ratio of the runs.
    """
    allowed = limits or ShapeLimits()
    shapes = _shapes(problem, best, allowed, aspects)
    sizes = np.log(problem.draws.counting.params(shapes[:, 0], shapes[:, 1]))
    log_aspect = np.log(shapes[:, 1] / shapes[:, 0])
    few = replace(problem, draws=problem.draws.few)
    first = np.argsort(_risks(few, sizes, log_aspect, best.epochs), kind="stable")[:_FINAL]
    risks = _risks(problem, sizes[first], log_aspect[first], best.epochs)
    at = first[int(risks.argmin())]
    log_tokens = problem.log_tokens(sizes[at : at + 1], best.epochs)
    n_layer, d_model = (int(part) for part in shapes[at])
    plan = replace(
        best,
        log_params=float(sizes[at]),
        log_tokens=float(log_tokens[0]),
        shape=(n_layer, d_model),
    )
    held = replace(problem, log_aspect=float(log_aspect[at]))
    fine = shapes[first][risks / risks.min() - 1.0 <= AS_GOOD, 0]
    return ShapedPlan(
        plan,
        held,
        PlanShape(
            n_layer=n_layer,
            d_model=d_model,
            aspect_ratio=d_model / n_layer,
            penalty=PosteriorSummary.of(held.loss_of(plan) / problem.loss_of(plan) - 1.0),
            as_good=LayerRange(min_layers=int(fine.min()), max_layers=int(fine.max())),
            limits=allowed,
        ),
    )


def _risks(here: Problem, sizes: Floats, log_aspect: Floats, epochs: float) -> Floats:
    log_tokens = here.log_tokens(sizes, epochs)
    losses = here.draws.loss_run(sizes, log_tokens, log_tokens - math.log(epochs), log_aspect)
    return here.objective(losses)


def _shapes(
    problem: Problem,
    best: Candidate,
    limits: ShapeLimits,
    aspects: tuple[float, float],
) -> Floats:
    """Depths and widths near the best size that limits allow, dims (shape, 2)."""
    low, high, *_ = problem.bounds(best.epochs)
    for window in _WINDOWS:
        ends = best.log_params + np.array([-1.0, 1.0]) * math.log(window)
        start, stop = np.exp(np.clip(ends, low - 1e-9, high + 1e-9))
        found = shapes_between(limits, float(start), float(stop), problem.draws.counting)
        ratio = found[:, 1] / found[:, 0]
        found = found[(ratio >= aspects[0] / _ASPECT) & (ratio <= aspects[1] * _ASPECT)]
        if len(found):
            return found
    raise ScenarioError(
        f"[shape] allows no depth and width within {_WINDOWS[-1]:g} times the best size, "
        f"{math.exp(best.log_params):.4g} parameters, whose aspect ratio is within "
        f"{_ASPECT:g} times those of the runs ({aspects[0]:.3g} to {aspects[1]:.3g}): allow other "
        "multiples, more layers or a larger width"
    )
