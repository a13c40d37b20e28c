"""Error of the law itself beyond the data: its size, growth and correlation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Discrepancy", "Extent"]

_SIZES = ("params", "tokens", "flops")
_NOISE = 0.005
"""Noise at which the level is stated."""


@dataclass(frozen=True)
class Discrepancy:
    """Discrepancy between a law and the runs of a family beyond its data, on log loss.

    With s the distance beyond the data (natural log), the error of a run is
    ``scale · s^power · (√shared · u + √(1 - shared) · v)``, u one standard normal a family, v one a
    run; a family's scale is log-normal about ``level · (sigma / 0.005)^noise_power``. Inside the
    data it is zero: what the law misses there is in the noise.

    Parameters
    ----------
    level : float
        Median scale over families at s = 1 (e times the compute) and noise of 0.5%, log loss.
    noise_power : float
        How the scale grows with the noise of a family.
    power : float
        How it grows with distance.
    shared : float
        Correlation of the errors of two runs of a family at one distance, 0 to 1.
    spread : float
        Sd of the log of the scale between families.
    """

    level: float
    noise_power: float
    power: float
    shared: float
    spread: float

    def log_scale(self, log_sigma: Any) -> Any:
        """Log of the median scale of a family, from the log of its noise."""
        return math.log(self.level) + self.noise_power * (log_sigma - math.log(_NOISE))

    def growth(self, distance: Any) -> Any:
        """Factor of the scale at a distance."""
        return distance**self.power


@dataclass(frozen=True)
class Extent:
    """Range of parameters, tokens and compute of a family's runs, in natural logs."""

    low: Mapping[str, float]
    high: Mapping[str, float]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Extent":
        """The extent of runs in canonical columns."""
        logs = {name: np.log(rows[name].to_numpy(np.float64)) for name in _SIZES}
        low = {name: float(value.min()) for name, value in logs.items()}
        return cls(low, {name: float(value.max()) for name, value in logs.items()})

    def outside(self, logs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return how far sizes lie above the largest run and below the smallest, natural logs.

        Parameters
        ----------
        logs : mapping of str to float
            Natural logs of params, tokens and flops.

        Returns
        -------
        tuple of dict
            By the name of the size, 0 within: above, and below.
        """
        above = {name: np.maximum(logs[name] - self.high[name], 0.0) for name in _SIZES}
        below = {name: np.maximum(self.low[name] - logs[name], 0.0) for name in _SIZES}
        return above, below

    def distance(self, log_params: Any, log_tokens: Any, log_flops: Any) -> Any:
        """Compute the distance of points beyond the runs, natural log; 0 for points among them.

        The largest of the logs by which compute, parameters or tokens exceed the largest fitted,
        or parameters or tokens fall short of the smallest.
        """
        beyond = np.maximum(log_flops - self.high["flops"], 0.0)
        for name, value in (("params", log_params), ("tokens", log_tokens)):
            beyond = np.maximum(beyond, value - self.high[name])
            beyond = np.maximum(beyond, self.low[name] - value)
        return beyond
