"""Methods by studies by distances, beyond the data.

    uv run python -m benchmarks.extrapolation run -o FILE.csv
    uv run python -m benchmarks.extrapolation table FILE.csv ...
    uv run python -m benchmarks.extrapolation page FILE.csv ...

Rows are appended to the file job by job: an interrupted run goes on where it stopped. With --part
1/4 … 4/4 four processes or machines do a quarter each, and the other commands take their files
together.
"""

import argparse
import sys
from pathlib import Path

from bayes_scaling.errors import BayesScalingError
from benchmarks.extrapolation.cases import RATIOS, cases, few_cases
from benchmarks.extrapolation.methods import METHODS
from benchmarks.extrapolation.page import write
from benchmarks.extrapolation.results import read
from benchmarks.extrapolation.runner import run
from benchmarks.extrapolation.studies import cards, studies
from benchmarks.extrapolation.tables import tables_text

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; write one like 1/4")
    return int(number), int(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.extrapolation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="forecast and score")
    running.add_argument("--ratio", type=float, nargs="+", default=list(RATIOS))
    running.add_argument("--method", nargs="+", choices=list(METHODS), default=list(METHODS))
    names = [card.name for card in cards() if card.scored]
    running.add_argument("--study", nargs="+", choices=names, help="those of their roots as well")
    running.add_argument("--few", action="store_true", help="samples of 8 runs of one family")
    running.add_argument("--part", type=_part, default=(1, 1), metavar="K/N")
    running.add_argument("--draws", type=int, default=1000, help="draws a chain of samplers")
    running.add_argument("-o", "--out", type=Path, required=True)
    for name, said in (("table", "print averages"), ("page", "write docs/extrapolation.md")):
        reading = commands.add_parser(name, help=said)
        reading.add_argument("files", type=Path, nargs="+")
    return parser


def _do(given: argparse.Namespace) -> None:
    if given.command == "run":
        _run(given)
    elif given.command == "table":
        sys.stdout.write(tables_text(read(given.files)))
    else:
        write(read(given.files), DOCS)


def _run(given: argparse.Namespace) -> None:
    tables = studies(scored=True)
    if given.study:
        # A root is one table: its studies are fitted together.
        roots = {card.root for card in cards() if card.name in given.study}
        tables = {n: rows for n, rows in tables.items() if rows["root"].iloc[0] in roots}
    todo = few_cases(tables) if given.few else cases(tables, given.ratio)
    methods = {name: METHODS[name] for name in given.method}
    run(todo, methods, given.out, part=given.part, draws=given.draws)


def main() -> None:
    """Parse and do."""
    parser = _parser()
    given = parser.parse_args()
    try:
        _do(given)
    except BayesScalingError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
