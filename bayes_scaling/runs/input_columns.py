"""The inputs of laws, each declared once: everything that reads, completes or names one looks here.

What a law of one's own reads beside them is declared in the law, as one more :class:`Input`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.bounds import LARGEST, SMALLEST, meant
from bayes_scaling.errors import LawError

__all__ = ["INPUTS", "OPTIONAL", "SIZES", "Column", "Input"]

Kind = Literal["number", "text", "yes/no"]

REQUIRED, TYPICAL = "required", "typical"


@dataclass(frozen=True, slots=True)
class Column:
    """A canonical column.

    Parameters
    ----------
    name : str
        Canonical name, as in :attr:`bayes_scaling.runs.Runs.table`.
    unit : str
        Unit of the values; empty for text and flags.
    meaning : str
        Meaning of the column.
    aliases : tuple of str
        Other accepted names; case, spaces, underscores and hyphens do not matter.
    kind : {"number", "text", "yes/no"}
        How cells are read. Numbers become float64.
    """

    name: str
    unit: str
    meaning: str
    aliases: tuple[str, ...] = ()
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class Input(Column):
    """A column of positive numbers that a law may read.

    Parameters
    ----------
    name, unit, meaning, aliases, kind
        As those of any column.
    needs : tuple of str
        Columns from which it follows where it is blank.
    formula : callable, optional
        How: a function of the values of ``needs``, in their order.
    unstated : str
        What it is where a configuration neither states it nor what it follows from: "required"
        (there is no forecast then), "typical" of the family's runs (their geometric mean), or the
        name of another input that it equals. A law with a best value of it takes that instead.
    grows : mapping of str to float
        How a typical value grows: its power by input, among params and tokens.
    falls : bool
        Whether the loss falls, or stays, as it grows.
    low, high : float
        Smallest and largest legal value.

    Raises
    ------
    LawError
        If the name is not an identifier, the range not one of numbers above 0, or another field
        of another type.
    """

    needs: tuple[str, ...] = ()
    formula: Callable[..., Any] | None = None
    unstated: str = TYPICAL
    grows: Mapping[str, float] = field(default_factory=dict)
    falls: bool = True
    low: float = SMALLEST
    high: float = LARGEST

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()) or iskeyword(self.name):
            raise LawError(
                f"an input is named {shown(self.name)}; letters, digits and underscores are "
                "needed, like 'vocab'"
            )
        for what, value in (("unit", self.unit), ("meaning", self.meaning)):
            if not isinstance(value, str):
                raise LawError(f"{what} of input {self.name!r} is {shown(value)}, text is needed")
        for what, names in (("aliases", self.aliases), ("needs", self.needs)):
            if not (isinstance(names, tuple) and all(isinstance(name, str) for name in names)):
                raise LawError(
                    f"{what} of input {self.name!r} are {shown(names)}; a tuple of names is needed"
                )
        ends = (self.low, self.high)
        if not (all(is_number(end) and meant(end) for end in ends) and self.low < self.high):
            raise LawError(
                f"input {self.name!r} ranges from {self.low!r} to {self.high!r}; two numbers above "
                "0, the smaller first, are needed"
            )
        if self.kind != "number":
            raise LawError(f"input {self.name!r} is of kind {self.kind!r}; a law reads numbers")
        if bool(self.needs) != callable(self.formula):
            raise LawError(f"input {self.name!r} has one of needs and formula; give both or none")
        self._check_course()

    def _check_course(self) -> None:
        """Check the declared power laws of an input, and the sign of its effect on the loss."""
        powers: Any = self.grows
        if not (
            isinstance(powers, Mapping)
            and all(is_number(power) and np.isfinite(power) for power in powers.values())
        ):
            raise LawError(
                f"grows of input {self.name!r} is {shown(powers)}; a mapping of names to powers is "
                "needed, like {'tokens': 0.5}"
            )
        if not isinstance(self.falls, bool):
            raise LawError(
                f"falls of input {self.name!r} is {shown(self.falls)}, not True or False"
            )

    def follow(self, values: Mapping[str, Any]) -> Any:
        """Its values as they follow from other columns, blank where one of these is not there."""
        if self.formula is None or not set(self.needs) <= set(values):
            return np.nan
        return self.formula(*(values[name] for name in self.needs))


# 6.0 comes first so that whole numbers are float64 before they meet: 6·N·D overflows int64.
_TABLE = (
    Input(
        "params",
        "parameters",
        "model size N",
        (
            *("N", "parameters", "n_params", "num_params", "n_parameters", "num_parameters"),
            *("model_size", "param_count", "parameter_count", "total_params"),
        ),
        needs=("flops", "tokens"),
        formula=lambda flops, tokens: flops / (6.0 * tokens),
        unstated=REQUIRED,
    ),
    Input(
        "tokens",
        "tokens",
        "training tokens seen D",
        (
            *("D", "train_tokens", "training_tokens", "n_tokens", "num_tokens", "token_count"),
            *("tokens_seen", "total_tokens", "dataset_size", "data_size"),
        ),
        needs=("flops", "params"),
        formula=lambda flops, params: flops / (6.0 * params),
        unstated=REQUIRED,
    ),
    Input(
        "flops",
        "FLOP",
        "training compute C; blank: 6·N·D",
        (
            *("C", "compute", "flop", "training_flops", "train_flops", "total_flops"),
            "training_compute",
        ),
        needs=("params", "tokens"),
        formula=lambda params, tokens: 6.0 * params * tokens,
        unstated=REQUIRED,
    ),
    Input(
        "unique_tokens",
        "tokens",
        "distinct training tokens U; blank: not stated",
        ("U", "unique", "n_unique_tokens", "num_unique_tokens", "unique_data"),
        unstated="tokens",
    ),
    Input(
        "params_nonemb",
        "parameters",
        "model size without embeddings",
        (
            *("N_nonemb", "N_non_embedding", "nonemb_params", "non_emb_params"),
            *("non_embedding_params", "non_embedding_parameters", "params_non_embedding"),
        ),
        grows={"params": 1.0},
    ),
    Input(
        "step",
        "optimiser steps",
        "step at which the loss was read",
        ("global_step", "steps", "n_steps", "num_steps", "train_steps", "training_steps"),
        needs=("tokens", "batch_tokens"),
        formula=lambda tokens, batch: tokens / batch,
        grows={"tokens": 1.0},
    ),
    Input(
        "batch_tokens",
        "tokens",
        "tokens in a batch; blank: tokens / step",
        ("batch_size_tokens", "tokens_per_batch", "tokens_per_step", "global_batch_tokens"),
        needs=("tokens", "step"),
        formula=lambda tokens, steps: tokens / steps,
    ),
    # At one aspect ratio N is 12·n_layer·d_model² (Kaplan et al. 2020, Table 1), a cube of each.
    Input(
        "n_layer",
        "layers",
        "depth of the model",
        ("layers", "n_layers", "num_layers", "depth", "num_hidden_layers"),
        grows={"params": 1.0 / 3.0},
    ),
    Input(
        "d_model",
        "units",
        "width of the model",
        ("width", "hidden_size", "hidden_dim", "model_dim", "n_embd"),
        grows={"params": 1.0 / 3.0},
    ),
    Input(
        "aspect_ratio",
        "1",
        "d_model / n_layer; blank: follows from them",
        needs=("d_model", "n_layer"),
        formula=lambda width, depth: width / depth,
    ),
)

INPUTS: Mapping[str, Input] = MappingProxyType({entry.name: entry for entry in _TABLE})
"""What every law may read, by name."""

SIZES = tuple(name for name, entry in INPUTS.items() if entry.unstated == REQUIRED)
"""Of which every run needs two."""

OPTIONAL = tuple(name for name in INPUTS if name not in SIZES)
"""What a configuration may state beside them."""
