"""Settings of the sampler, and the progress callback."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.errors import FitError

__all__ = ["SETTINGS", "Progress", "SamplerSettings", "no_progress", "progress_callback"]

Progress = Callable[[str], None]
"""Callback that takes one message."""


def no_progress(sentence: str) -> None:
    """Ignore the message."""


def progress_callback(progress: bool | Progress) -> Progress:
    """Return the callback of an option ``progress``: a function, or True for standard error."""
    if callable(progress):
        return progress
    if not isinstance(progress, bool):
        raise FitError(f"progress is {shown(progress)}; True, False or a function is needed")
    if not progress:
        return no_progress
    return lambda sentence: print(f"bayes_scaling: {sentence} …", file=sys.stderr)  # noqa: T201


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
    """

    draws: int = 1000
    tune: int = 600
    chains: int = 4
    cores: int = 0
    target_accept: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("draws", 50), ("tune", 100), ("chains", 2), ("seed", 0), ("cores", 0)):
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

    @property
    def workers(self) -> int:
        """Chains sampled at a time: ``cores``, or as many as the machine has and chains need."""
        return min(self.chains, self.cores or os.process_cpu_count() or 1)

    def to_dict(self) -> dict[str, int | float | str]:
        """Return the settings as plain values."""
        return asdict(self) | {"sampler": "nutpie", "adaptation": "low_rank"}


SETTINGS = tuple(field.name for field in fields(SamplerSettings))
