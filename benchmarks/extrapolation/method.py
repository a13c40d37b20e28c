"""What a method of forecasting is."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.model import Population

Floats = NDArray[np.float64]


class NotApplicable(Exception):  # noqa: N818 - a statement about the method and no error
    """What a method lacks in a table; it is shown in place of a score."""


@dataclass(frozen=True)
class Context:
    """What a method may use besides the runs.

    Parameters
    ----------
    population : callable
        By name of a law, the population learned from all studies but those of the root forecast.
    draws : int
        Draws a chain of a sampler.
    seed : int
        Of its random numbers.
    quality : dict
        What a method may note of its fit: r_hat, ess, divergences, caveats; seconds, where not
        all of its time counts.
    """

    population: Callable[[str], Population]
    draws: int = 1000
    seed: int = 0
    quality: dict[str, float | str] = field(default_factory=dict)


type Forecasts = Callable[[pd.DataFrame, pd.DataFrame, Context], Floats]
"""From smaller runs, and sizes of larger ones, draws of their log losses, dims (run, draw)."""


@dataclass(frozen=True)
class Method:
    """A method in the benchmark.

    Parameters
    ----------
    forecast : callable
        Called with the smaller runs (run, family, params, tokens, flops, loss), the sizes of the
        larger ones and a :class:`Context`, it returns draws of their log losses, dims (run, draw).
    says : str
        What it does, for readers of the page.
    each_family : bool
        Whether it is called with one family at a time, or with all of a root.
    baseline : bool
        Whether others are compared with it.
    """

    forecast: Forecasts
    says: str
    each_family: bool = False
    baseline: bool = False
