"""Declared inputs of a law, and their values where sizes alone are stated."""

from collections.abc import Mapping

import numpy as np

from bayes_scaling.errors import LawError
from bayes_scaling.laws.law import Law
from bayes_scaling.laws.ops import Array
from bayes_scaling.runs.input_columns import INPUTS, REQUIRED, SIZES, TYPICAL, Input

__all__ = ["declared", "inputs_at", "typical_at", "typical_inputs"]


def declared(law: Law) -> Mapping[str, Input]:
    """The inputs that a law reads, by name in its order."""
    own = {entry.name: entry for entry in law.own_inputs}
    return {name: own.get(name) or INPUTS[name] for name in law.inputs}


def typical_inputs(law: Law) -> Mapping[str, Input]:
    """Return the inputs that take the typical value of the family's runs where not stated."""
    return {
        name: entry
        for name, entry in declared(law).items()
        if entry.unstated == TYPICAL and name not in law.best and not _of_sizes(entry)
    }


def _of_sizes(entry: Input) -> bool:
    """Return whether an input is a function of sizes alone."""
    return bool(entry.needs) and set(entry.needs) <= set(SIZES)


def typical_at(
    law: Law, log_params: Array, log_tokens: Array, levels: Mapping[str, float]
) -> dict[str, Array]:
    """Natural logs of the typical inputs of a law at N parameters trained on D tokens.

    Parameters
    ----------
    law : Law
        The law.
    log_params, log_tokens : array-like
        Natural logs of N and D.
    levels : mapping of str to float
        By input, natural log of its typical value over what it grows with; 0 if not given.
    """
    sizes = {"params": log_params, "tokens": log_tokens}
    x = {}
    for name, entry in typical_inputs(law).items():
        grown = [power * sizes[of] for of, power in entry.grows.items()]
        first, *more = grown or [0.0 * (log_params + log_tokens)]
        x[name] = sum(more, first) + levels.get(name, 0.0)
    return x


def inputs_at(
    law: Law, log_params: Array, log_tokens: Array, levels: Mapping[str, float]
) -> dict[str, Array]:
    """Natural logs of sizes, C = 6·N·D, and of what a law reads at N parameters and D tokens.

    Inputs with a best value are left out: they differ from draw to draw.

    Parameters
    ----------
    law, log_params, log_tokens, levels
        As of :func:`typical_at`; ``levels`` may hold the log of a required input.
    """
    x = {"params": log_params, "tokens": log_tokens, "flops": log_params + log_tokens + np.log(6.0)}
    x |= typical_at(law, log_params, log_tokens, levels)
    for name, entry in declared(law).items():
        if name not in x and name not in law.best and _of_sizes(entry):
            x[name] = np.log(entry.follow({size: np.exp(x[size]) for size in SIZES}))
        elif name not in x and name not in law.best:
            if entry.unstated == REQUIRED and name not in levels:
                raise LawError(
                    f"law {law.name!r} reads {name!r}, which is required, and plans and reports "
                    "state sizes alone; forecast configurations that state it, or declare it with "
                    "unstated='typical'"
                )
            x[name] = levels[name] if entry.unstated == REQUIRED else x[entry.unstated]
    return x
