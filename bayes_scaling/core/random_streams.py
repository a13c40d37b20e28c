"""Every random generator of the package: one stream of numbers for each use of a seed.

Two uses of one seed never share numbers, unless they name the same stream on purpose. What a stream
gives depends on the seed and its keys alone, so results do not depend on what else is computed.
"""

import zlib
from enum import IntEnum

import numpy as np

from bayes_scaling.core.arguments import check_seed

__all__ = ["Stream", "generator"]


class Stream(IntEnum):
    """Uses of random numbers. A code identifies a stream: none changes, none is used again."""

    SIMULATED_RUNS = 0
    """Noise of tables of runs with a known truth."""
    RUN_NOISE = 1
    """Noise of one new run; keys: family, number of the run."""
    RUN_DISCREPANCY = 2
    """The part of the law's discrepancy that one run has to itself; keys: family, number."""
    FAMILY_DISCREPANCY = 3
    """The part that the runs of a family share, and its scale if it was not fitted; key: family."""
    NEW_FAMILY = 4
    """Parameters of a family that was not fitted; key: its name."""
    PRICES = 5
    """Uncertain amounts of a scenario, the same for every decision; key: which amount."""
    OUTCOMES = 6
    """Outcomes of candidate runs."""
    AVERAGE = 7
    """Which draws of each fit an average of fits has."""
    FIT_GROUPS = 8
    """Prior, predictive and discrepancy draws that are stored with a fit."""
    CONTRIBUTION = 9
    """Draws about the mode under weak priors."""
    PRIOR_SBC = 10
    """Simulation-based calibration from the prior."""
    POSTERIOR_SBC = 11
    """Simulation-based calibration from the posterior of a fit."""
    CURVE_PARTICLES = 12
    """Particles of a curve's law, from its prior; key: the law."""
    CURVE_UPDATE = 13
    """Moves of particles after more of a curve has come; key: points so far."""
    CURVE_FORECAST = 14
    """Paths of a curve further on."""
    CURVE_FLOOR = 15
    """Particles that the floor of a curve is read from."""
    CURVE_POPULATION = 16
    """Particles of finished curves; keys: law, round, place of the curve."""


def generator(stream: Stream, seed: int, *keys: str | int) -> np.random.Generator:
    """Return the random generator of one stream.

    Parameters
    ----------
    stream : Stream
        Use of the random numbers.
    seed : int
        0 or more.
    *keys : str or int
        Keys of the substream; see the stream.
    """
    check_seed(seed)
    codes = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    # A seed names a table of simulated runs as it did before there were streams.
    spawned = () if stream is Stream.SIMULATED_RUNS else (stream.value, *codes)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawned))
