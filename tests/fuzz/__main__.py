"""Fuzz for as long as is wanted: ``uv run python -m tests.fuzz --seconds 600``."""

import sys
from pathlib import Path

import click

from tests.fuzz.engine import fuzz
from tests.fuzz.targets import TARGETS

_SHOWN = 20
"""Findings of a target that are printed."""


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--target", multiple=True, type=click.Choice(sorted(TARGETS)), help="All if none.")
@click.option("--inputs", type=click.IntRange(1), help="Of each target.  [default: by time]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="For inputs with findings.")
@click.option("--trace", is_flag=True, help="Print where each finding was raised.")
def main(
    seconds: float,
    seed: int,
    target: tuple[str, ...],
    inputs: int | None,
    output: Path | None,
    *,
    trace: bool,
) -> None:
    """Read altered inputs; exit status 1 where one was neither refused nor taken as it should."""
    names = target or tuple(TARGETS)
    total = 0
    for name in names:
        found = fuzz(
            TARGETS[name](), seed=seed, inputs=inputs, seconds=seconds / len(names), folder=output
        )
        click.echo(str(found))
        for finding in found.findings[:_SHOWN]:
            click.echo(f"  {finding.trace if trace else finding}")
        total += len(found.findings)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
