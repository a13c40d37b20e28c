"""Options of the command line: numbers, lists and names in odd forms."""

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import click
from click.testing import CliRunner

from bayes_scaling.cli import cli
from bayes_scaling.errors import one_line, shortened
from tests.fuzz.engine import Made, Target, UnsoundError, finite
from tests.fuzz.mutate import NUMBERS, TEXTS
from tests.fuzz.targets.curves import _rows
from tests.fuzz.targets.given import fit

__all__ = ["target"]

_NUMBERS = (
    *(
        "1e9",
        "2e10",
        "8",
        "0.5",
        "2",
        "100",
        "1e21",
        "1e-3",
        "7e7",
        "1e12",
        "3.5",
        "4,8",
        "0.1,0.9",
    ),
    *("1e308", "1e-308", "5e-324", "1e59", "1e61", "-0", "+5", "1_0", " 5 ", "1.", ".5", "1e5"),
)
_ODD = tuple(text for text in TEXTS if "\x00" not in text and "\ud800" not in text)
_WORDS = (
    "web",
    "code",
    "WEB",
    "unseen",
    "run",
    "curve",
    "floor",
    "loss",
    "step",
    "compute",
    "time",
)
_COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "predict": (["FIT", "--at", "CONFIGS"], {"--quantiles": "0.1,0.9", "--kind": "run"}),
    "allocate": (["FIT", "--scenario", "SCENARIO"], {}),
    "frontier": (
        ["FIT", "--scenario", "SCENARIO"],
        {"--smallest": "0.1", "--largest": "10", "--points": "3"},
    ),
    "marginal": (
        ["FIT"],
        {"--params": "1e9", "--tokens": "2e10", "--family": "web", "--doublings": "2"},
    ),
    "next-runs": (["FIT", "--scenario", "SCENARIO"], {"--batch": "1"}),
    "shape": (
        ["SHAPED"],
        {
            "--params": "1e9",
            "--tokens": "2e10",
            "--family": "web",
            "--within": "0.1",
            "--width-multiple": "64",
            "--layer-multiple": "1",
            "--max-layers": "64",
            "--max-width": "8192",
        },
    ),
    "monitor": (
        ["LOG", "--law", "curve-decay"],
        {
            "--end": "8000",
            "--cost": "1",
            "--worth": "1e4",
            "--least-gain": "1e-3",
            "--reference": "2.5",
            "--metric": "loss",
            "--t": "step",
        },
    ),
    "watch": (
        ["LOG", "--every", "0", "--timeout", "0", "--law", "curve-decay"],
        {"--end": "8000", "--patience": "1", "--reference": "2.5"},
    ),
    "laws": ([], {}),
    "schema": (["plan"], {}),
    "fit": (
        ["EMPTY"],
        {
            "--chains": "4",
            "--tune": "600",
            "--draws": "1000",
            "--law": "chinchilla",
            "--prior": "floor=1.8,0.2,0.1",
        },
    ),
    "backtest": (["EMPTY"], {"--ratio": "8", "--split": "compute", "--draws": "100"}),
    "compare": (["EMPTY"], {"--ratio": "8", "--draws": "100"}),
}
_NEITHER = {"laws", "schema"}
"""Commands without a seed and an output."""


def target() -> Target:
    """Commands with odd options, in this process."""
    _inputs()
    return Target("options", _make, _read)


def _make(rng: Random) -> Made:
    command = rng.choice(sorted(_COMMANDS))
    words, options = _COMMANDS[command]
    options = dict(options) | ({} if command in _NEITHER else {"--seed": "1"})
    names = sorted(options)
    for name in rng.sample(names, k=min(len(names), rng.choice((1, 1, 2, 3)))):
        options[name] = _value(rng)
    given = [part for name, value in options.items() for part in _written(rng, name, value)]
    if rng.random() < 0.03:
        given.append(_value(rng))
    args = [command, *words, *given]
    return Made("options.json", json.dumps(args).encode())


def _written(rng: Random, name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if rng.random() < 0.5 else [name, value]


def _value(rng: Random) -> str:
    way = rng.randrange(5)
    if way == 0:
        number = rng.choice(NUMBERS)
        return "9" * 400 if isinstance(number, int) and abs(number) > 10**50 else str(number)
    return rng.choice((_ODD, _WORDS, _NUMBERS, _NUMBERS)[way - 1])


@cache
def _inputs() -> dict[str, bytes]:
    """Files that commands are given, by the word that stands for them."""
    import tempfile

    from tests.conftest import TRUTH, handmade

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fit().save(folder / "fit.nc")
        handmade("depth-width", TRUTH | {"aspect": 64.0, "curvature": 0.3}).save(folder / "s.nc")
        fits = {"FIT": (folder / "fit.nc").read_bytes(), "SHAPED": (folder / "s.nc").read_bytes()}
    log = "\n".join(",".join(map(str, row)) for row in _rows()) + "\n"
    scenario = 'family = "web"\ntarget_loss = 2.2\ncompute_budget = "1e22 FLOP"\n'
    return fits | {
        "CONFIGS": b"params,tokens,family\n1e9,2e10,web\n",
        "SCENARIO": scenario.encode(),
        "LOG": log.encode(),
        # Without rows: everything is checked but nothing is sampled.
        "EMPTY": b"params,tokens,family,loss\n",
    }


_FILES = {
    "FIT": "fit.nc",
    "SHAPED": "shaped.nc",
    "CONFIGS": "configs.csv",
    "SCENARIO": "scenario.toml",
    "LOG": "log.csv",
    "EMPTY": "empty.csv",
}


def _read(path: Path) -> None:
    args: list[str] = json.loads(path.read_text("utf-8"))
    folder, output = path.parent, path.parent / "out" / "result.json"
    for word, data in _inputs().items():
        if word in args:
            (folder / _FILES[word]).write_bytes(data)
    words = [str(folder / _FILES[word]) if word in _FILES else word for word in args]
    if args[0] not in _NEITHER:
        words += ["-o", str(output)]
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        if output.exists():
            raise UnsoundError("refused, but the output was written") from result.exception
        if isinstance(result.exception, click.ClickException):
            # As the command says it.
            raise click.UsageError(shortened(one_line(result.exception.format_message())))
        raise result.exception
    if output.exists():
        finite(_plain(output))


def _plain(output: Path) -> Any:
    return json.loads(output.read_text("utf-8"), parse_constant=_never)


def _never(text: str) -> None:
    raise UnsoundError(f"{text} was written")
