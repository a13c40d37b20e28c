"""Draws of what configurations cost: compute, data and the tokens a model will serve."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.scenarios.amounts import Amount, Fixed
from bayes_scaling.scenarios.prices import Compute, Data, Inference

__all__ = ["SERVING", "TRAINING", "Costs"]

Floats = NDArray[np.float64]

TRAINING = 6.0
"""FLOP of training a token, per parameter (Kaplan et al. 2020, Table 1)."""
SERVING = 2.0
"""FLOP of serving a token, per parameter: the forward pass alone (ibid.)."""


@dataclass(frozen=True)
class Costs:
    """Draws of prices, dims (sample,), or (1,) where all are known.

    Attributes
    ----------
    per_flop : (sample,) array
        Currency per FLOP of training; 0 where no price is known.
    per_token : (sample,) array
        Currency per unique token.
    owned : float
        Tokens that cost nothing.
    served_flops : (sample,) array
        FLOP of serving in the model's life, per parameter.
    served_price : (sample,) array
        Currency of the same, per parameter.
    seconds_per_flop : (sample,) array
        Of training on all devices; infinite where their number is not known.
    """

    per_flop: Floats
    per_token: Floats
    owned: float
    served_flops: Floats
    served_price: Floats
    seconds_per_flop: Floats

    @classmethod
    def of(
        cls,
        compute: Compute | None,
        data: Data | None,
        inference: Inference | None,
        samples: int,
        seed: int,
    ) -> "Costs":
        """Draw every price, each amount independent of the others."""
        known = _Draws(samples, seed)
        one = np.ones(1)
        speed = known("speed", compute.speed) if compute else one
        rate = speed * known("utilisation", compute.utilisation, most=1.0) if compute else one
        price = known("price of compute", compute.price) if compute and compute.price else 0.0 * one
        devices = compute.devices if compute else None
        read = written = read_price = written_price = 0.0 * one
        if inference:
            read = SERVING * known("prompt tokens", inference.prompt_tokens)
            written = SERVING * known("output tokens", inference.output_tokens)
            slow = {
                "prompt utilisation": inference.prompt_utilisation,
                "output utilisation": inference.output_utilisation,
            }
            rates = [
                rate if use is None else speed * known(name, use, most=1.0)
                for name, use in slow.items()
            ]
            read_price, written_price = read * price / rates[0], written * price / rates[1]
        return cls(
            per_flop=price / rate,
            per_token=known("price of data", data.price) if data else 0.0 * one,
            owned=data.owned if data else math.inf,
            served_flops=read + written,
            served_price=read_price + written_price,
            seconds_per_flop=1.0 / (rate * devices) if devices else np.full(1, math.inf),
        )

    @property
    def uncertain(self) -> bool:
        """Whether a price has more than one draw."""
        return any(np.size(value) > 1 for value in vars(self).values())

    def paired(self, samples: int) -> "Costs":
        """One draw of the prices for each of so many sizes, dims (sample, 1) in place of (sample,).

        Methods then give dims (..., sample, 1) at sizes (..., sample).
        """
        each: Any = {
            name: np.resize(value, samples)[:, None]
            for name, value in vars(self).items()
            if np.size(value) > 1
        }
        return replace(self, **each)

    def flops(self, params: Floats, tokens: Floats) -> Floats:
        """FLOP of training and of what is served, dims (..., sample)."""
        trained = TRAINING * params * tokens
        total: Floats = trained[..., None] + params[..., None] * self.served_flops
        return total

    def money(self, params: Floats, tokens: Floats, unique: Floats) -> Floats:
        """Currency of training, data and serving, dims (..., sample)."""
        trained = (TRAINING * params * tokens)[..., None] * self.per_flop
        bought = np.maximum(unique - self.owned, 0.0)[..., None] * self.per_token
        total: Floats = trained + bought + params[..., None] * self.served_price
        return total

    def seconds(self, params: Floats, tokens: Floats) -> Floats:
        """Wall-clock of training, dims (..., sample)."""
        total: Floats = (TRAINING * params * tokens)[..., None] * self.seconds_per_flop
        return total

    def tokens_for_flops(self, budget: float, params: Floats) -> Floats:
        """Tokens that a budget of FLOP leaves at each size, dims (..., sample); 0 if none."""
        left = budget - params[..., None] * self.served_flops
        return np.maximum(left, 0.0) / (TRAINING * params[..., None])

    def tokens_for_seconds(self, budget: float, params: Floats) -> Floats:
        """Tokens that a deadline leaves at each size, dims (..., sample)."""
        rate: Floats = budget / (self.seconds_per_flop * TRAINING * params[..., None])
        return rate

    def tokens_for_money(self, budget: float, params: Floats, epochs: float) -> Floats:
        """Tokens that money leaves at each size, each unique one seen ``epochs`` times.

        Dims (..., sample); 0 if serving alone costs more. Below the owned tokens only compute is
        paid; above, each new token costs its price once and compute ``epochs`` times.
        """
        left = np.maximum(budget - params[..., None] * self.served_price, 0.0)
        compute = TRAINING * params[..., None] * self.per_flop
        with np.errstate(divide="ignore", invalid="ignore"):
            free = left / compute
            if not math.isfinite(self.owned):
                return np.where(compute > 0, free, math.inf)
            each = self.per_token / epochs
            paid = (left + self.per_token * self.owned) / (compute + each)
        within = self.owned * epochs
        result: Floats = np.where(
            free <= within, free, np.where(compute + each > 0, paid, math.inf)
        )
        return result


class _Draws:
    """Draws of amounts, as short as can be: one where nothing is uncertain."""

    def __init__(self, samples: int, seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __call__(self, name: str, amount: Amount, most: float = math.inf) -> Floats:
        if isinstance(amount, Fixed):
            return np.array([amount.value])
        rng = generator(Stream.PRICES, self.seed, name)
        return np.minimum(amount.sample(rng.uniform(size=self.samples)), most)
