"""Scenarios as TOML files."""

import tomllib
from collections.abc import Mapping
from os import PathLike
from typing import Any

from bayes_scaling.core.files import path_of, reason
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.scenarios.alternatives import Alternative
from bayes_scaling.scenarios.amounts import Amount, read_amount
from bayes_scaling.scenarios.costs import Compute, Data, Inference
from bayes_scaling.scenarios.limits import Limits, ShapeLimits
from bayes_scaling.scenarios.quantities import currency_of, in_unit
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["EXAMPLE", "load_scenario"]

EXAMPLE = """\
# What may be spent, and what is wanted. Prices, speeds and times have their unit in quotes; FLOP,
# money, counts and shares may be plain numbers. What has a price or a share may be uncertain:
# { low = "2 USD/hour", likely = "2.5 USD/hour", high = "4 USD/hour" }, or by 5% and 95% quantiles
# { q05 = 0.3, q95 = 0.5 }.
family = "web"          # leave out where the fit has one family; other names are unseen families
target_loss = 2.0       # optional, in the loss unit of the fit, or with one: "0.83 bits/byte"
# worth = "50 MUSD"     # optional, of a loss that is lower by 1; for 'marginal' and 'next-runs'
# minimise = "cost"     # "loss" if not given; "cost": what it takes to reach target_loss, in money
                        # where [compute] has a price, else in compute; budgets are then the most
# target_probability = 0.9   # with which it is to be reached

[budget]                # one or more; a plan keeps within all of them
compute = "1e23 FLOP"   # C = 6 N D of training, and 2 N a token served if [inference] is given
# money = "2.5 MUSD"    # training, data and serving; needs [compute]
# time = "3 weeks"      # of training, on all devices; needs [compute] with devices
# confidence = 0.8      # probability that uncertain costs stay within; 0.5 if not given

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

# [[alternative]]            # plans to hold against the recommended one, as many as you like
# name = "twenty tokens per parameter"
# tokens_per_param = 20      # one or two of params, tokens, tokens_per_param, and epochs
"""
"""A commented scenario with every key; ``bayes-scaling scenario --example`` prints it."""

_KEYS = {
    "the scenario": {
        *("alternative", "budget", "compute", "data", "family", "inference", "limits", "minimise"),
        *("risk", "shape", "target_loss", "target_probability", "worth"),
    },
    "[[alternative]]": {"epochs", "name", "params", "tokens", "tokens_per_param"},
    "[budget]": {"compute", "confidence", "money", "time"},
    "[compute]": {"devices", "price", "speed", "utilisation"},
    "[data]": {"owned", "price"},
    "[inference]": {
        *("output_tokens", "output_utilisation", "prompt_tokens", "prompt_utilisation"),
    },
    "[limits]": {
        *("max_epochs", "max_params", "max_tokens", "max_unique_tokens"),
        *("min_params", "min_tokens"),
    },
    "[shape]": {"layer_multiple", "max_layers", "max_width", "width_multiple"},
    "[risk]": {"aversion", "level", "measure"},
}


def load_scenario(path: str | PathLike[str]) -> Scenario:
    """Read a scenario from TOML; :data:`EXAMPLE` shows every key.

    Raises
    ------
    FileError
        If the file cannot be read.
    ScenarioError
        If it is not TOML, a key is unknown, or a value out of range or of another dimension.
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
        return _scenario(content)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


def _scenario(content: Mapping[str, Any]) -> Scenario:
    _table("the scenario", content)
    budget = content.get("budget", {})
    if not isinstance(budget, Mapping):
        budget = {"compute": budget}
    parts = {name: content.get(name) for name in ("compute", "data", "inference")}
    for name, part in {"budget": budget, **parts}.items():
        if part is not None:
            _table(f"[{name}]", part)
    stated = {"worth": content["worth"]} if "worth" in content else {}
    currency = currency_of(stated, budget, *(part for part in parts.values() if part)) or "USD"
    family = content.get("family")
    if family is not None and not (isinstance(family, str) and family):
        raise ScenarioError(f"family is {family!r}, a name in quotes is needed")
    compute, money, time = (budget.get(name) for name in ("compute", "money", "time"))
    return Scenario(
        budget_flops=_or_none("budget", compute, "FLOP", '"1e23 FLOP"'),
        money=_or_none("money", money, currency, f'"2.5 M{currency}"'),
        seconds=_or_none("time", time, "second", '"3 weeks"'),
        confidence=in_unit("confidence", budget.get("confidence", 0.5), "", "0.8"),
        risk=_risk(content.get("risk", {})),
        family=family,
        target_loss=_target(content.get("target_loss")),
        worth=_or_none("worth", content.get("worth"), currency, f'"50 M{currency}"'),
        limits=_limits(content.get("limits", {})),
        compute=_compute(parts["compute"], currency),
        data=_data(parts["data"], currency),
        inference=_inference(parts["inference"]),
        currency=currency,
        minimise=content.get("minimise", "loss"),
        target_probability=in_unit(
            "target_probability", content.get("target_probability", 0.9), "", "0.9"
        ),
        shape=_shape(content.get("shape")),
        alternatives=_alternatives(content.get("alternative", [])),
    )


def _target(value: Any) -> Any:
    """A number, or the text of a number and its unit, which the scenario reads."""
    return value if isinstance(value, str) else _or_none("target_loss", value, "", "2.0")


def _shape(given: Any) -> ShapeLimits | None:
    if given is None:
        return None
    _table("[shape]", given)
    return ShapeLimits(**given)


def _alternatives(given: Any) -> tuple[Alternative, ...]:
    if not isinstance(given, list):
        raise ScenarioError(f"alternative is {given!r}; write it as [[alternative]] with a name")
    found = []
    for table in given:
        _table("[[alternative]]", table)
        name = table.get("name", "")
        units = {"params": "param", "tokens": "token", "tokens_per_param": "", "epochs": ""}
        sizes = {
            size: in_unit(f"{size} of alternative {name!r}", table[size], unit, "1e9")
            for size, unit in units.items()
            if size in table
        }
        found.append(Alternative(name, **sizes))
    return tuple(found)


def _table(where: str, content: Any) -> None:
    if not isinstance(content, Mapping):
        raise ScenarioError(f"{where} is {content!r}, a table is needed")
    legal = _KEYS[where]
    unknown = sorted(set(content) - legal)
    if unknown:
        raise ScenarioError(
            f"{where} has an unknown key {unknown[0]!r}; it can have {', '.join(sorted(legal))}"
        )


def _or_none(name: str, value: Any, unit: str, example: str) -> float | None:
    return None if value is None else in_unit(name, value, unit, example)


def _risk(given: Any) -> Risk:
    table = {"measure": given} if isinstance(given, str) else given
    _table("[risk]", table)
    return Risk(**table)


def _limits(given: Any) -> Limits:
    _table("[limits]", given)
    units = {name: "token" if name.endswith("tokens") else "param" for name in given}
    units["max_epochs"] = ""
    return Limits(**{n: in_unit(n, value, units[n], "1e9") for n, value in given.items()})


def _needed(where: str, table: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name not in table:
            raise ScenarioError(f"{where} has no {name}; it needs {' and '.join(names)}")


def _compute(given: Mapping[str, Any] | None, currency: str) -> Compute | None:
    if given is None:
        return None
    _needed("[compute]", given, ("speed", "utilisation"))
    price = given.get("price")
    return Compute(
        speed=read_amount("speed", given["speed"], "FLOP/second", '"989 TFLOP/s"'),
        utilisation=_share("utilisation", given["utilisation"]),
        price=None
        if price is None
        else read_amount("price", price, f"{currency}/second", f'"2.5 {currency}/hour"'),
        devices=_or_none("devices", given.get("devices"), "device", "512"),
    )


def _share(name: str, value: Any) -> Amount:
    return read_amount(name, value, "", "0.4", most=1.0)


def _data(given: Mapping[str, Any] | None, currency: str) -> Data | None:
    if given is None:
        return None
    _needed("[data]", given, ("price",))
    example = f'"0.5 {currency}/Mtoken"'
    return Data(
        price=read_amount("price", given["price"], f"{currency}/token", example, zero=True),
        owned=in_unit("owned", given.get("owned", 0.0), "token", '"2 Ttoken"', zero=True),
    )


def _inference(given: Mapping[str, Any] | None) -> Inference | None:
    if given is None:
        return None
    names = ("prompt_tokens", "output_tokens")
    if not any(name in given for name in names):
        raise ScenarioError(f"[inference] has no tokens; it needs {' or '.join(names)}")
    read, written = (
        read_amount(name, given.get(name, 0.0), "token", '"20 Ttoken"', zero=True) for name in names
    )
    read_share, written_share = (
        _share(name, given[name]) if name in given else None
        for name in ("prompt_utilisation", "output_utilisation")
    )
    return Inference(read, written, read_share, written_share)
