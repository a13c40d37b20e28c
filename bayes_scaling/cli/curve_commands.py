"""Commands on training curves."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.options import (
    SEED,
    Number,
    check_output,
    output,
    plot,
    warn,
    write,
)
from bayes_scaling.cli.progress_options import with_progress
from bayes_scaling.errors import DataError

if TYPE_CHECKING:
    from bayes_scaling.core.progress import Progress
    from bayes_scaling.curves import Schedule, Verdict, Watch

__all__ = ["monitor", "watch"]

STOPPED = 3
"""Exit status of 'watch' when its rule recommends to stop: neither success nor bad input."""
_READING = ("metric", "t", "run", "lr", "format")

type _Command = Callable[..., Any]


def _judging(command: _Command) -> _Command:
    """Options of reading a log and judging its run."""
    for option in (
        click.option(
            "--end", type=Number(), required=True, help="Planned end, in steps or tokens."
        ),
        click.option("--cost", type=Number(), help="Cost of one step or token, in money."),
        click.option(
            "--value-per-nat", type=Number(), help="Of a loss lower by 1, in the same money."
        ),
        click.option("--worth", type=Number(), hidden=True),
        click.option(
            "--least-gain",
            type=Number(below=1.0),
            default=1e-3,
            show_default=True,
            help="Without cost and value: fraction of the loss that a tenth more must save.",
        ),
        click.option("--reference", type=Number(), help="Loss to beat."),
        click.option(
            "--law",
            "laws",
            multiple=True,
            help="Law of curves, such as curve-decay; may be repeated.  [default: see the docs]",
        ),
        click.option("--schedule", metavar="FILE", help="Planned rates: step or tokens, and lr."),
        click.option("--metric", help="Column or tag of the loss."),
        click.option(
            "--t", help="Column of steps or tokens; 'order' counts points as they were logged."
        ),
        click.option("--run", help="Column that names runs."),
        click.option("--lr", help="Column or tag of the learning rate."),
        click.option("--format", help="table, wandb, tensorboard, huggingface or mlflow."),
        click.option("--seed", type=SEED, default=0, show_default=True),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("log")
@click.option("--only", metavar="NAME", help="The run, where the log holds several.")
@output("Where the verdict goes (JSON).")
@plot("The curve, its forecast and where to stop")
@_judging
@with_progress
def monitor(log: str, only: str | None, output: str, progress: "Progress", **options: Any) -> None:
    """Forecast the end of the run of a LOG, and whether to continue it."""
    with progress.stage("importing libraries"):
        from bayes_scaling.curves import load_curves

    figure = options.pop("plot")
    check_output(output, *_inputs(log), plot=figure)
    reading = {name: options.pop(name) for name in _READING}
    watching = _watch(options)
    curves = load_curves(log, progress=progress, **reading)
    warn(curves.caveats)
    if only is None and len(curves) > 1:
        raise DataError(
            f"{log} holds {len(curves)} runs; name one by --only, such as {curves.names[0]!r}"
        )
    with progress.stage("judging", "fitting the curve"):
        verdict = watching.judge(curves[only] if only else curves.curves[0])
    write(verdict, "Verdict", output, "plot_curve", figure)


@click.command()
@click.argument("log")
@click.option(
    "--every", type=Number(zero=True, below=1e9), default=5.0, show_default=True, help="Seconds."
)
@click.option(
    "--patience", type=click.IntRange(1), default=2, show_default=True, help="Verdicts in a row."
)
@click.option(
    "--timeout",
    type=Number(zero=True, below=1e9),
    help="Seconds without a new point after which to end.",
)
@click.option("-o", "--output", metavar="FILE", help="Where the last verdict goes (JSON).")
@_judging
@with_progress
def watch(log: str, output: str | None, progress: "Progress", **options: Any) -> None:
    """Follow a growing LOG and judge its run again whenever points come.

    Exit status 3: the run should be stopped; 0: it ended, or nothing new came.
    """
    with progress.stage("importing libraries"):
        from bayes_scaling.curves import watch as follow

    if output:
        check_output(output, *_inputs(log))
    reading = {name: options.pop(name) for name in _READING}
    waiting = {name: options.pop(name) for name in ("every", "patience", "timeout")}
    last = follow(
        log,
        _watch(options),
        callback=_print_line,
        on_caveats=warn,
        progress=progress,
        **waiting,
        **reading,
    )
    click.echo(str(last))
    if output:
        last.save(output)
        click.echo(f"Verdict written to {output}")
    if last.diverged or (last.advice == "stop" and last.t < last.end):
        sys.exit(STOPPED)


def _print_line(verdict: "Verdict") -> None:
    final = verdict.final_loss
    if final is None:
        return
    click.echo(
        f"{verdict.axis} {verdict.t:.6g}: loss {verdict.loss:.4g}, {final.q50:.4g} "
        f"({final.q05:.4g} to {final.q95:.4g}) at {verdict.end:.6g}; {verdict.advice}"
    )


def _inputs(log: str) -> list[str]:
    return [log] if Path(log).is_file() else []


def _watch(options: dict[str, Any]) -> "Watch":
    from bayes_scaling.curves import Utility, Watch
    from bayes_scaling.curves.fitting.fit_options import FitOptions

    if options["worth"] is not None:
        warn(["--worth is an old name, write --value-per-nat"])
        options["value_per_nat"] = options["worth"]
    prices = {name: options[name] for name in ("cost", "value_per_nat", "least_gain")}
    fitting = FitOptions()
    if options["schedule"]:
        fitting["schedule"] = _schedule(options["schedule"])
    if options["laws"]:
        fitting["laws"] = options["laws"]
    return Watch(
        options["end"],
        utility=Utility(**prices),
        reference=options["reference"],
        seed=options["seed"],
        fitting=fitting,
    )


def _schedule(path: str) -> "Schedule":
    """Read a schedule from a file with the columns step, or else tokens, and lr."""
    from bayes_scaling.curves import Schedule
    from bayes_scaling.runs.reading.cells import to_float
    from bayes_scaling.runs.reading.sources import read_table

    table = read_table(path)
    names = [name for name in ("step", "tokens") if name in table.frame]
    if not names or "lr" not in table.frame:
        raise DataError(f"{path} must have the columns lr, and step or tokens")
    t, lr = (to_float(table.frame[name], name, table.places) for name in (names[0], "lr"))
    return Schedule(t, lr, axis="step" if names[0] == "step" else "tokens")
