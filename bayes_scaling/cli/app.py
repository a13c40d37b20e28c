"""The command line: parses, calls, prints."""

import gc
import os
import sys
import warnings
from io import TextIOWrapper
from typing import NoReturn, TextIO

import click

from bayes_scaling.cli import options as _options
from bayes_scaling.cli.curve_commands import monitor, watch
from bayes_scaling.cli.data_commands import datasets
from bayes_scaling.cli.decision_commands import (
    allocate,
    demo,
    frontier,
    laws,
    marginal,
    next_runs,
    report,
    scenario,
    shape,
)
from bayes_scaling.cli.export_commands import export, schema
from bayes_scaling.cli.fit_commands import diagnose, fit, sbc
from bayes_scaling.cli.forecast_commands import backtest, compare, predict
from bayes_scaling.core.files import FileWarning
from bayes_scaling.errors import BayesScalingError
from bayes_scaling.messages import one_line, shortened

__all__ = ["cli", "main"]


_INTERRUPTED = 130
"""Exit status of programs that Ctrl-C stopped, by the convention of shells: 128 + SIGINT."""


def _fail(message: str, status: int = 2) -> NoReturn:
    click.echo(f"bayes-scaling: {shortened(one_line(message))}", err=True)
    sys.exit(status)


def _print_file_warnings() -> None:
    """Print warnings about files as notes; others keep Python's form."""
    default = warnings.showwarning

    def show(  # noqa: PLR0917
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, FileWarning):
            _options.warn([str(message)])
        else:
            default(message, category, filename, lineno, file, line)

    warnings.simplefilter("always", FileWarning)
    warnings.showwarning = show


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit status 2."""
    # Imports make a million objects that stay: looking among them for garbage, and once more at the
    # end, is a fifth of the time of a quick command.
    gc.set_threshold(100_000, 50, 100)
    try:
        _run()
    finally:
        gc.freeze()


def _run() -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        # File names need not be text, and a terminal need not know every letter.
        sys.stdout.reconfigure(errors="backslashreplace")
    _print_file_warnings()
    try:
        cli.main(prog_name="bayes-scaling", standalone_mode=False)
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except BayesScalingError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped by Ctrl-C", _INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not complain when it flushes.
        _discard_output()
        sys.exit(1)
    except OSError as error:
        _discard_output()
        where = error.filename or "standard output"
        _fail(f"cannot read or write {where}: {(error.strerror or str(error)).lower()}")


def _discard_output() -> None:
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bayes-scaling")
def cli() -> None:
    """Bayesian neural scaling laws: fit small runs, forecast large ones, decide under risk.

    RUNS is a table of training runs (CSV, Parquet or JSON lines) with columns params (or N),
    tokens (or D), flops (or C), loss and family, or dataset:NAME, one of 'bayes-scaling datasets';
    a FIT is the NetCDF file that 'fit' writes.
    Start with 'bayes-scaling demo'.
    """


for _command in (
    demo,
    fit,
    predict,
    diagnose,
    sbc,
    backtest,
    compare,
    allocate,
    frontier,
    marginal,
    next_runs,
    shape,
    scenario,
    monitor,
    watch,
    report,
    export,
    schema,
    laws,
    datasets,
):
    cli.add_command(_command)
