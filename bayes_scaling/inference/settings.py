"""Settings of the sampler."""

import math
import os
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

import numpy as np

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.errors import FitError

__all__ = ["FEWEST_DRAWS", "SETTINGS", "SamplerSettings"]

FEWEST_DRAWS = 50
"""Of a chain: with fewer its convergence cannot be judged."""
Sampler = Literal["nutpie", "pymc"]


@dataclass(frozen=True)
class SamplerSettings:
    """Settings of the NUTS sampler.

    Parameters
    ----------
    draws : int
        Draws kept from each chain.
    tune : int
        Tuning draws of each chain, discarded.
    chains : int
        Independent chains; 2 or more, or convergence cannot be judged.
    cores : int
        Chains sampled at a time.
    target_accept : float
        Acceptance the step size is tuned to, between 0 and 1.
    seed : int
        Random seed.
    sampler : {"nutpie", "pymc"}
        nutpie on the density that is compiled from the law, or the sampler of PyMC on the PyMC
        model, which takes minutes.
    max_seconds : float, optional
        Time to sample, compilation left out. When it is up the draws so far are kept, with a
        caveat; without it chains are sampled again, for longer, until they have converged.
    """

    draws: int = 1000
    tune: int = 600
    chains: int = 4
    cores: int = 0
    target_accept: float = 0.95
    seed: int = 0
    max_seconds: float | None = None
    sampler: Sampler = "nutpie"

    def __post_init__(self) -> None:
        fewest = {"draws": FEWEST_DRAWS, "tune": 100, "chains": 2, "seed": 0, "cores": 0}
        for name, least in fewest.items():
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not (whole and least <= value < 2**63):
                raise FitError(
                    f"{name} is {shown(value)}, a whole number from {least} to 2^63 - 1 is needed"
                )
        if not (is_number(self.target_accept) and 0 < self.target_accept < 1):
            raise FitError(
                f"target_accept is {shown(self.target_accept)}, between 0 and 1 is needed"
            )
        limit = self.max_seconds
        if limit is not None and not (is_number(limit) and 0 < limit < math.inf):
            raise FitError(f"max_seconds is {shown(limit)}, a number above 0 or None is needed")
        if self.sampler not in get_args(Sampler):
            raise FitError(
                f"sampler is {shown(self.sampler)}; it can be {', '.join(get_args(Sampler))}"
            )

    @property
    def workers(self) -> int:
        """Chains sampled at a time: ``cores``, or as many as the machine has and chains need."""
        return min(self.chains, self.cores or os.process_cpu_count() or 1)

    def to_dict(self) -> dict[str, int | float | str]:
        """Return the settings as plain values."""
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        return stated | {"adaptation": "low_rank"} if self.sampler == "nutpie" else stated


SETTINGS = tuple(field.name for field in fields(SamplerSettings))
