"""Scenarios: TOML with odd numbers, units and keys, and the plans that come of them."""

import tomllib
from pathlib import Path
from random import Random
from typing import Any

from bayes_scaling.decisions import allocate, budget_frontier, load_scenario, marginal
from bayes_scaling.scenarios.scenario_file import EXAMPLE
from tests.fuzz.engine import Made, Target, finite
from tests.fuzz.mutate import NUMBERS, TEXTS, mutated_bytes, mutated_json, mutated_text
from tests.fuzz.targets.given import fit

__all__ = ["target"]

_SIMPLE = 'family = "web"\ncompute_budget = "1e22 FLOP"\n'
_PRICED = """\
family = "web"
target_loss = 2.0
value_per_nat = "5 MUSD"
money_budget = "0.2 MUSD"
time_budget = "5 weeks"
confidence = 0.8
[compute]
price = "2.5 USD/hour"
speed = { low = "800 TFLOP/s", likely = "989 TFLOP/s", high = "1200 TFLOP/s" }
utilisation = { q05 = 0.3, q95 = 0.5 }
devices = 512
[data]
price = "0.5 USD/Mtoken"
owned = "2 Ttoken"
[risk]
measure = "cvar"
level = 0.9
[limits]
min_params = 1e7
max_tokens = 1e14
[[alternatives]]
name = "twenty"
tokens_per_param = 20
"""
_SEEDS = (EXAMPLE, _SIMPLE, _PRICED)


def target() -> Target:
    """Scenarios, then plans on a fit made by hand."""
    fit()
    return Target("scenarios", _make, _read)


def _make(rng: Random) -> Made:
    text = rng.choice(_SEEDS)
    way = rng.randrange(10)
    if way == 0:
        return Made("scenario.toml", mutated_bytes(rng, text.encode()))
    if way <= 4:
        data = _values_altered(rng, text).encode("utf-8", "surrogatepass")
        return Made("scenario.toml", data)
    content = mutated_json(rng, tomllib.loads(text))
    return Made("scenario.toml", toml(content).encode("utf-8", "surrogatepass"))


def _values_altered(rng: Random, text: str) -> str:
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = [i for i, line in enumerate(lines) if "=" in line]
        place = rng.choice(places)
        key, _, value = lines[place].lstrip("# ").partition("=")
        way = rng.randrange(4)
        if way == 0:
            value = " " + _number(rng.choice(NUMBERS))
        elif way == 1:
            value = " " + _string(rng.choice(TEXTS))
        elif way == 2:
            value = mutated_text(rng, value)
        lines[place] = f"{key}={value}"
    return "\n".join(lines) + "\n"


def _number(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10**50:
        return "9" * 400
    return repr(value)


def _string(text: str) -> str:
    legal = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in legal) + '"'


def toml(content: dict[str, Any]) -> str:
    """A table as TOML: its values first, everything within them inline."""
    return "".join(f"{_string(str(key))} = {_inline(value, 0)}\n" for key, value in content.items())


def _inline(value: Any, depth: int) -> str:
    if depth > 200 or value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one, depth + 1) for one in value) + "]"
    pairs = (f"{_string(str(k))} = {_inline(v, depth + 1)}" for k, v in value.items())
    return "{" + ", ".join(pairs) + "}"


def _read(path: Path) -> None:
    scenario = load_scenario(path)
    repr(scenario)
    out = path.parent / "out"
    plan = allocate(fit(), scenario)
    str(plan)
    finite(plan.to_dict())
    plan.save(out / "plan.json")
    # The others cost more: for some of the files, chosen by their content.
    chosen = sum(path.read_bytes()) % 8
    if chosen == 0:
        frontier = budget_frontier(fit(), scenario, factors=[0.5, 1, 2])
        str(frontier)
        frontier.save(out / "frontier.json")
    elif chosen == 1:
        gains = marginal(fit(), 1e9, 2e10, scenario=scenario)
        str(gains)
        gains.save(out / "marginal.json")
