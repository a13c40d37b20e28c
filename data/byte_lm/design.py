"""The runs of the sweep: model shapes, compute levels, studies, learning rates and schedule.

Nothing here needs JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

VOCAB = 256
CONTEXT = 128
HEAD_DIM = 16  # the width of an attention head, where the model's width allows it
BATCH = 4  # sequences per step
BATCH_TOKENS = BATCH * CONTEXT
CHUNK_STEPS = 16  # steps per compiled call

FAMILIES = ("cpp", "prose", "python")


@dataclass(frozen=True, order=True)
class Shape:
    """The shape of one model.

    Attributes
    ----------
    n_layer
        Number of transformer blocks.
    d_model
        Width of the residual stream, even.
    """

    n_layer: int
    d_model: int

    @property
    def heads(self) -> int:
        """Attention heads: as many as give an even head width of at least `HEAD_DIM`."""
        most = max(1, self.d_model // HEAD_DIM)
        return next(heads for heads in range(most, 0, -1) if self.d_model % (2 * heads) == 0)

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

    def steps_for(self, flops: float) -> int:
        """Return the optimiser steps that cost about `flops` operations."""
        return round(flops / (self.flops_per_token * BATCH_TOKENS))


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes
    ----------
    role
        The study it belongs to: a key of `STUDIES`, or ``search``.
    unique
        Bytes of training text it may see, repeated as often as needed; None for all.
    """

    family: str
    role: str
    shape: Shape
    steps: int
    seed: int
    lr: float = field(compare=False)
    unique: int | None = None

    @property
    def name(self) -> str:
        """Identifier, and the name of the record's file."""
        s = self.shape
        name = f"{self.family}-l{s.n_layer}-d{s.d_model}-t{self.steps}-s{self.seed}"
        if self.unique is not None:
            name += f"-u{self.unique}"
        return f"{name}-lr{self.lr:g}" if self.role == "search" else name

    @property
    def tokens(self) -> int:
        """Bytes predicted over the whole run."""
        return self.steps * BATCH_TOKENS

    @property
    def flops(self) -> int:
        """Operations of training, evaluation left out."""
        return self.shape.flops_per_token * self.tokens


def peak_rate(shape: Shape) -> float:
    """Return the peak learning rate, by a rule through the search's best rates.

    A formula, and no table of each size's own winner, keeps the search's noise from bending the
    loss as a function of size. The search's optima fall about inversely with the width, and
    deeper models want less: least squares over them give 0.725 / (d_model n_layer^0.376), which
    `summary.rate_rule` repeats.
    """
    return round(0.72 / (shape.d_model * shape.n_layer**0.4), 6)


# Sizes, from 768 to 786,432 parameters in the blocks' matrices, each about twice the last.
LADDER = tuple(
    Shape(*s)
    for s in (
        (1, 8), (1, 16), (1, 24), (1, 32), (2, 32), (2, 48), (2, 64),
        (3, 64), (3, 80), (4, 96), (4, 128),
    )
)  # fmt: skip
# FLOP of a run, half a decade apart, and the ladder's sizes trained at each: seven about the
# level's optimum.
LEVELS = {3e10: (0, 6), 1e11: (0, 7), 3e11: (1, 8), 1e12: (2, 9), 3e12: (4, 11)}

# A run of every level but the dearest, repeated with other seeds.
REPLICATED = (
    (3e10, Shape(1, 16)),
    (1e11, Shape(1, 32)),
    (3e11, Shape(2, 32)),
    (1e12, Shape(2, 64)),
)
SEEDS = (1, 2, 3, 4)

# Repeated text: (unique bytes, epochs). Four at one amount of text, three at one amount of
# training.
REPEATED_SHAPES = (Shape(2, 32), Shape(3, 64))
REPEATS = ((262144, 2), (262144, 4), (262144, 8), (262144, 16), (131072, 32))

# Depth against width: n_layer d_model^2 is the same within 0.4 % in each row of five.
ASPECTS = ((1, 48), (2, 34), (4, 24), (9, 16), (16, 12))
SHAPE_SCALES = (1, 2, 3)
SHAPE_STEPS = 2048  # 1.05 million bytes

# The largest runs: three at ten times the dearest level and one at thirty-three times. The first
# is near the optimum that the grid predicts, the next two are larger than it by factors of two
# and four; a smaller one would need more text than there is.
TARGETS = (
    (3.1e13, Shape(3, 96)),
    (3.1e13, Shape(4, 128)),
    (3.1e13, Shape(5, 160)),
    (1e14, Shape(4, 160)),
)

SEARCH_FAMILY = "prose"
SEARCH_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # times 0.512 over the width
# Where a rate is searched for: each size near the level at which it is about optimal, a small
# one trained long, a large one trained short, and the extreme shapes.
SEARCHED = (
    (3e10, Shape(1, 8)), (3e10, Shape(1, 16)), (1e11, Shape(1, 24)), (1e11, Shape(1, 32)),
    (3e11, Shape(2, 32)), (3e11, Shape(2, 48)), (1e12, Shape(2, 64)), (1e12, Shape(3, 80)),
    (3e12, Shape(4, 96)), (1e12, Shape(1, 24)), (1e11, Shape(2, 48)), (3e12, Shape(4, 128)),
)  # fmt: skip


def _run(family: str, role: str, shape: Shape, steps: int, seed: int = 0, **more: int) -> Run:
    return Run(family, role, shape, steps, seed, peak_rate(shape), **more)


def grid(family: str) -> list[Run]:
    """Return the runs at fixed compute."""
    return [
        _run(family, "grid", shape, shape.steps_for(flops))
        for flops, (low, high) in LEVELS.items()
        for shape in LADDER[low:high]
    ]


def seeds(family: str) -> list[Run]:
    """Return the replicates of four grid runs."""
    return [
        _run(family, "seed", shape, shape.steps_for(flops), seed)
        for flops, shape in REPLICATED
        for seed in SEEDS
    ]


def repeats(family: str) -> list[Run]:
    """Return the runs that see their text more than once."""
    return [
        _run(family, "repeat", shape, unique * epochs // BATCH_TOKENS, unique=unique)
        for shape in REPEATED_SHAPES
        for unique, epochs in REPEATS
    ]


def shapes(family: str) -> list[Run]:
    """Return the runs of equal size and tokens, from wide and shallow to narrow and deep."""
    return [
        _run(family, "shape", Shape(layers, width * scale), SHAPE_STEPS)
        for scale in SHAPE_SCALES
        for layers, width in ASPECTS
    ]


def targets(family: str) -> list[Run]:
    """Return the runs that forecasts are judged on."""
    return [_run(family, "target", shape, shape.steps_for(flops)) for flops, shape in TARGETS]


STUDIES = {"grid": grid, "seed": seeds, "repeat": repeats, "shape": shapes, "target": targets}


def sweep(
    families: tuple[str, ...] = FAMILIES, roles: tuple[str, ...] = tuple(STUDIES)
) -> list[Run]:
    """Return the sweep's runs, study by study, each from cheapest to dearest.

    The targets go the other way: a few long runs share the cores best when they start first.
    """
    runs: list[Run] = []
    for role in roles:
        mine = [run for family in families for run in STUDIES[role](family)]
        sign = -1 if role == "target" else 1
        runs += sorted(mine, key=lambda run: (sign * run.flops, run.family, run.seed))
    return runs


def lr_search() -> list[Run]:
    """Return the search's runs: five rates each, a factor of two apart."""
    shapes_at_extremes = [
        (Shape(layers, width * scale), SHAPE_STEPS // 2)
        for scale in SHAPE_SCALES[:2]
        for layers, width in (ASPECTS[0], ASPECTS[-1])
    ]

    def middle(shape: Shape) -> float:
        return round(0.512 / shape.d_model, 6)

    cells = [(shape, shape.steps_for(flops)) for flops, shape in SEARCHED] + shapes_at_extremes
    runs = [
        Run(SEARCH_FAMILY, "search", shape, steps, 0, round(factor * middle(shape), 6))
        for shape, steps in cells
        for factor in SEARCH_FACTORS
    ]
    return sorted(runs, key=lambda run: (run.flops, run.lr))


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the rate at a step: linear warm-up over a tenth of the run, then cosine to zero.

    Past the end it is zero: a last chunk that is longer than what is left changes nothing.
    """
    if step >= steps:
        return 0.0
    warm = max(1, steps // 10)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def evaluation_steps(steps: int) -> list[int]:
    """Return the steps after which the validation loss is measured.

    They grow by a factor of the square root of two, every twelfth part of the run is among
    them, each falls on the end of a chunk, and the last is the end.
    """
    growing = [CHUNK_STEPS * 2 ** (k / 2) for k in range(40)]
    regular = [steps * k / 12 for k in range(1, 12)]
    on_chunk = {CHUNK_STEPS * round(step / CHUNK_STEPS) for step in growing + regular}
    return [*sorted(step for step in on_chunk if 0 < step < steps), steps]
