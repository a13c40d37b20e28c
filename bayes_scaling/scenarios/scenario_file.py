"""Scenarios as TOML files."""

import tomllib
from os import PathLike

from bayes_scaling.core.files import path_of, reason
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["EXAMPLE", "load_scenario"]

EXAMPLE = """\
# What may be spent, and what is wanted. Prices, speeds and times have their unit in quotes; FLOP,
# money, counts and shares may be plain numbers. What has a price or a share may be uncertain:
# { low = "2 USD/hour", likely = "2.5 USD/hour", high = "4 USD/hour" }, or by 5% and 95% quantiles
# { q05 = 0.3, q95 = 0.5 }. In Python every key has the same name.
compute_budget = "1e23 FLOP"   # one or more budgets; a plan keeps within all of them. C = 6 N D of
                               # training, and 2 N a token served if [inference] is given
# money_budget = "2.5 MUSD"    # training, data and serving; needs [compute]
# time_budget = "3 weeks"      # of training, on all devices; needs [compute] with devices
# confidence = 0.8             # probability that uncertain costs stay within; 0.5 if not given
# currency = "USD"             # of plain numbers of money; that of the texts if not given
family = "web"          # leave out where the fit has one family; other names are unseen families
target_loss = 2.0       # optional, in the loss unit of the fit, or with one: "0.83 bits/byte"
# target_unit = "nats/token"   # of target_loss, where that is a plain number
# value_per_nat = "50 MUSD"    # optional, of a loss that is lower by 1; for 'marginal', 'next-runs'
# minimise = "cost"     # "loss" if not given; "cost": what it takes to reach target_loss, in money
                        # where [compute] has a price, else in compute; budgets are then the most
# target_probability = 0.9     # with which it is to be reached

# [compute]
# price = "2.5 USD/hour"     # of one device
# speed = "989 TFLOP/s"      # peak of one device
# utilisation = { low = 0.3, likely = 0.4, high = 0.5 }
# devices = 512

# [data]
# price = "0.5 USD/Mtoken"   # of acquiring and curating a unique token
# owned = "2 Ttoken"         # tokens that are there already

# [inference]                # tokens served in the life of the model
# prompt_tokens = "20 Ttoken"
# output_tokens = "5 Ttoken"
# prompt_utilisation = 0.4   # that of training if not given
# output_utilisation = 0.1

[risk]
measure = "cvar"        # mean | quantile | cvar | entropic | miss (of the target) | regret
level = 0.9             # cvar: mean of the worst 10%; quantile: exceeded with probability 10%
# aversion = 10         # entropic: per unit of loss

[limits]                # all optional
min_params = 1e8
max_params = 1e12
min_tokens = 1e9
max_tokens = 1e14
# max_unique_tokens = 2e13   # tokens that exist
# max_epochs = 4             # under a law that knows of repeats, such as data-constrained

# [shape]                    # what the hardware allows, under a law that reads depth and width
# width_multiple = 128       # of d_model; 64 if not given
# layer_multiple = 4         # of n_layer; 1 if not given
# max_layers = 96
# max_width = 16384
# within = 0.1               # share by which a shape may miss the size

# [[alternatives]]           # plans to compare with the recommended one, as many as you like
# name = "twenty tokens per parameter"
# tokens_per_param = 20      # one or two of params, tokens, tokens_per_param

# [[alternatives]]
# name = "ours"
# params = 7e9
# tokens = "1 Ttoken"
# epochs = 1                 # how often each unique token is seen
"""
"""A commented scenario with every key; ``bayes-scaling scenario --example`` prints it."""


def load_scenario(path: str | PathLike[str]) -> Scenario:
    """Read a scenario from TOML; :data:`EXAMPLE` shows every key.

    Keys and tables are the fields of :class:`Scenario`. A rate or a time has its unit.

    Raises
    ------
    FileError
        If the file cannot be read.
    ScenarioError
        If it is not TOML, a key is unknown, or a value out of range or of another dimension.

    Examples
    --------
    >>> bs.load_scenario("scenario.toml").compute_budget
    1e+21
    """
    source = path_of(path, "read")
    try:
        content = tomllib.loads(source.read_bytes().decode("utf-8"))
    except OSError as error:
        raise FileError(f"cannot read {source}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        # TOML and UTF-8 errors are ValueErrors, and so is an integer of thousands of digits.
        raise ScenarioError(f"{source} is not TOML: {str(error).splitlines()[0]}") from error
    try:
        return Scenario.made(content, base_units=False)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None
