"""The runs of the sweep: model shapes, token budgets, learning rates and schedule.

Nothing here needs JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

VOCAB = 256
CONTEXT = 128
HEAD_DIM = 16
BATCH = 4  # sequences per step
BATCH_TOKENS = BATCH * CONTEXT
CHUNK_STEPS = 48  # steps per compiled call; every budget and evaluation is a multiple of it

BUDGETS = (576, 1152, 2304, 4608)  # steps: 0.29, 0.59, 1.18 and 2.36 million tokens
FAMILIES = ("python", "prose")
SEARCH_FAMILY = "prose"
SEARCH_LRS = {  # three rates per width, a factor of two apart
    32: (8e-3, 1.6e-2, 3.2e-2),
    48: (4e-3, 8e-3, 1.6e-2),
    64: (4e-3, 8e-3, 1.6e-2),
    80: (2e-3, 4e-3, 8e-3),
    96: (2e-3, 4e-3, 8e-3),
    128: (2e-3, 4e-3, 8e-3),
}


@dataclass(frozen=True)
class Shape:
    """The shape of one model.

    Attributes
    ----------
    n_layer
        Number of transformer blocks.
    d_model
        Width of the residual stream, a multiple of `HEAD_DIM`.
    """

    n_layer: int
    d_model: int

    @property
    def params_nonemb(self) -> int:
        """Parameters outside the embedding: the blocks' matrices and every norm's gain."""
        matrices = 12 * self.n_layer * self.d_model**2
        return matrices + (2 * self.n_layer + 1) * self.d_model

    @property
    def params(self) -> int:
        """All parameters; the embedding is tied to the output, so it counts once."""
        return self.params_nonemb + VOCAB * self.d_model

    @property
    def flops_per_token(self) -> int:
        """Floating-point operations per trained token, in the matrix products alone.

        Forward, per token: ``24 d^2`` in each block's projections and MLP, ``4 T d`` in its
        attention (the full square is computed, then masked) and ``2 V d`` in the output layer.
        The backward pass does two products for each forward one. The embedding's look-up is
        a gather, no product.
        """
        d = self.d_model
        forward = self.n_layer * (24 * d * d + 4 * CONTEXT * d) + 2 * VOCAB * d
        return 3 * forward


GRID = tuple(Shape(*s) for s in ((1, 32), (2, 32), (2, 48), (2, 64), (3, 80), (4, 96)))
WIDE = Shape(4, 128)
TARGETS = ((WIDE, 2304), (Shape(4, 96), 4608), (WIDE, 4608))
REPLICATED = (Shape(2, 48), 2304)


def peak_rate(shape: Shape) -> float:
    """Return the peak learning rate: inverse to the width, through the search's best rates.

    A formula, and no table of each width's own winner, keeps the search's noise from bending
    the loss as a function of size.
    """
    return round(0.512 / shape.d_model, 6)


@dataclass(frozen=True)
class Run:
    """One training run of the sweep."""

    family: str
    role: str
    shape: Shape
    steps: int
    seed: int
    lr: float = field(compare=False)

    @property
    def name(self) -> str:
        """Identifier, and the name of the record's file."""
        s = self.shape
        name = f"{self.family}-l{s.n_layer}-d{s.d_model}-t{self.steps}-s{self.seed}"
        return f"{name}-lr{self.lr:g}" if self.role == "search" else name

    @property
    def tokens(self) -> int:
        """Bytes predicted over the whole run."""
        return self.steps * BATCH_TOKENS

    @property
    def flops(self) -> int:
        """Operations of training, evaluation left out."""
        return self.shape.flops_per_token * self.tokens


def sweep(families: tuple[str, ...] = FAMILIES) -> list[Run]:
    """Return the pilot's runs, from cheapest to dearest."""
    runs = []
    for family in families:
        cells = [(shape, steps) for shape in GRID for steps in BUDGETS]
        cells += [cell for cell in TARGETS if cell not in cells]
        for shape, steps in cells:
            role = "target" if (shape, steps) in TARGETS else "grid"
            seeds = (0, 1, 2) if (shape, steps) == REPLICATED else (0,)
            runs += [Run(family, role, shape, steps, seed, peak_rate(shape)) for seed in seeds]
    return sorted(runs, key=lambda run: (run.flops, run.family, run.seed))


def lr_search() -> list[Run]:
    """Return the search's runs: every shape at the shortest budget, one at the longest too.

    The latter show whether the best rate moves with the budget.
    """
    cells = [(shape, BUDGETS[0]) for shape in (*GRID, WIDE)] + [(Shape(2, 48), BUDGETS[-1])]
    runs = [
        Run(SEARCH_FAMILY, "search", shape, steps, 0, lr)
        for shape, steps in cells
        for lr in SEARCH_LRS[shape.d_model]
    ]
    return sorted(runs, key=lambda run: (run.flops, run.lr))


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the rate at a step: linear warm-up over a tenth of the run, then cosine to zero."""
    warm = steps // 10
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def evaluation_steps(steps: int) -> list[int]:
    """Return the steps after which the validation loss is measured: doubling, and every sixth."""
    doubling = {CHUNK_STEPS * 2**k for k in range(12)}
    regular = set(range(steps // 6, steps + 1, steps // 6))
    return sorted(step for step in doubling | regular if step <= steps)
