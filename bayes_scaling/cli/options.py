"""Options that commands share, and reading of their values."""

import math
import sys
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.core.bounds import LARGEST, legal, meant
from bayes_scaling.errors import LawError
from bayes_scaling.messages import one_line

if TYPE_CHECKING:
    from bayes_scaling.core.caveat import Caveat
    from bayes_scaling.inference import Fit
    from bayes_scaling.runs import Runs
    from bayes_scaling.runs.load_runs_table import Count

__all__ = [
    "ACCEPT",
    "BEST_OF",
    "COLUMN",
    "FAMILY",
    "LAW",
    "RAW",
    "SEED",
    "Number",
    "bundled",
    "check_output",
    "chosen",
    "of_formulas",
    "output",
    "pairs",
    "plot",
    "priors_of",
    "read_fit",
    "sampler",
    "warn",
    "write",
]

type _Command = Callable[..., Any]

LAW = "chinchilla-gamma"

# What fits a signed 64-bit attribute of a NetCDF file and the sampler's own seed.
SEED = click.IntRange(0, 2**63 - 1)

ACCEPT = click.option(
    "--accept", multiple=True, metavar="CODE", help="Accept an error of this code: it is meant."
)
BEST_OF = click.option(
    "--best-of", metavar="COLUMNS", help="Keep the lowest loss at equal params,tokens (a sweep)."
)
FAMILY = click.option("--family", metavar="NAME", help="Family of the RUNS that name none.")
COLUMN = click.option("--column", multiple=True, metavar="CANONICAL=SOURCE", help="Name a column.")

RAW = click.option(
    "--raw", is_flag=True, help="Leave text in CSV that a spreadsheet would run as a formula."
)


class Number(click.ParamType[float]):
    """A number that means something: above 0, or 0 too, and neither tiny nor huge."""

    name = "float"

    def __init__(self, *, zero: bool = False, below: float = math.inf) -> None:
        self.zero, self.below = zero, below

    def convert(self, value: Any, param: Any, ctx: Any) -> float:  # noqa: ARG002 - of click
        """The number in a text; a text that holds no such number is refused."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        # A comparison with NaN is false.
        if not (meant(number, zero=self.zero) and number < self.below):
            sentence = f"a number {legal(zero=self.zero, most=min(self.below, LARGEST))} is needed"
            raise click.UsageError(f"{param.opts[0]} is {value!r}, {sentence}")
        return number


def output(what: str) -> Callable[[_Command], _Command]:
    """The option that names the file to write."""
    return click.option("-o", "--output", required=True, metavar="FILE", help=what)


def plot(what: str) -> Callable[[_Command], _Command]:
    """The option that names a figure to write."""
    return click.option("--plot", metavar="FILE", help=f"{what}, as .png, .svg or .pdf.")


def sampler(command: _Command) -> _Command:
    """The options of the sampler."""
    for option in (
        click.option("--chains", type=int, default=4, show_default=True),
        click.option(
            "--tune", type=int, default=600, show_default=True, help="Discarded, of each chain."
        ),
        click.option(
            "--draws", type=int, default=1000, show_default=True, help="Kept, of each chain."
        ),
        click.option(
            "--max-seconds",
            type=Number(),
            help="Time to sample of each fit; when it is up, the posterior so far.",
        ),
        click.option(
            "--sampler",
            type=click.Choice(["nutpie", "pymc"]),
            default="nutpie",
            show_default=True,
            help="pymc samples the PyMC model itself, which takes minutes.",
        ),
        click.option("--seed", type=SEED, default=0, show_default=True),
    ):
        command = option(command)
    return command


def bundled(source: str, count: "Count | None" = None) -> "str | Runs":
    """The runs of a bundled data set where a source is ``dataset:NAME``, else the path itself.

    The count of the data card stands unless another is asked for.
    """
    prefix, colon, name = source.partition(":")
    if not colon or prefix != "dataset":
        return source
    from bayes_scaling.runs import datasets

    return datasets.load(name, count=count)


def pairs(texts: Iterable[str], option: str, form: str) -> dict[str, str]:
    """Options of the form name=value as a mapping."""
    result = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not (sign and key and value):
            raise click.UsageError(f"{option} is {text!r}, {form} is needed")
        if key in result:
            raise click.UsageError(f"{option} names {key!r} twice")
        result[key] = value
    return result


def priors_of(texts: Iterable[str]) -> dict[str, Any]:
    """Priors by the names of parameters."""
    from bayes_scaling.laws import Prior

    form = "NAME=MEDIAN,SD,SPREAD"
    priors = {}
    for name, value in pairs(texts, "--prior", form).items():
        try:
            median, sd, spread = (float(part) for part in value.split(","))
        except ValueError:
            raise click.UsageError(f"--prior is '{name}={value}', {form} is needed") from None
        try:
            priors[name] = Prior(median, sd, spread)
        except LawError as error:
            raise click.UsageError(f"--prior is '{name}={value}': {error}") from None
    return priors


def warn(messages: "Iterable[str | Caveat]") -> None:
    """Print caveats and other messages to standard error, one line each."""
    for message in messages:
        click.echo(f"bayes-scaling: note: {one_line(str(message))}", err=True)


def of_formulas(*tables: Any) -> list[str]:
    """Return a note on text that was quoted with an apostrophe, if there is any."""
    from bayes_scaling.core.spreadsheet_text import count_formulas

    count = sum(map(count_formulas, tables))
    if not count:
        return []
    sentence = f"{count} cell{'s' * (count > 1)} or names of columns that a spreadsheet would run"
    sentence += (
        " as a formula were written with an apostrophe before them, which this program takes"
    )
    return [f"{sentence} away in reading; --raw leaves them as they are"]


def chosen(runs: "Runs", options: MutableMapping[str, Any]) -> "Runs":
    """The runs that ``--exclude-flagged`` and ``--best-of`` leave, whose options are taken out."""
    excluded, best_of = options.pop("exclude_flagged", ()), options.pop("best_of")
    if excluded:
        runs = runs.exclude(*excluded)
    return runs.best([name.strip() for name in best_of.split(",")]) if best_of else runs


def check_output(output: str, *inputs: str, plot: str | None = None) -> None:
    """Check that output and figure can be written, and are none of the files that are read."""
    from bayes_scaling.core.files import FIGURES, check_suffix, check_writable

    check_writable(output)
    for name in inputs:
        if Path(name).is_file() and Path(output).exists() and Path(name).samefile(output):
            raise click.UsageError(f"the output {output} is also an input; give it another name")
    if plot:
        check_suffix(plot, FIGURES)
        check_output(plot, *inputs)


def read_fit(path: str) -> "Fit":
    """Load a fit, without what xarray would import to know arrays that no command makes.

    xarray imports pint, which reads units of scenarios, when it makes its first index, and
    remembers whether it could; in this process it then could not, and the command is faster by as
    much as a forecast takes.
    """
    import xarray as xr

    if "pint" not in sys.modules:
        sys.modules["pint"] = None  # type: ignore[assignment]
        try:
            xr.DataArray([0.0], coords={"run": [0]}, dims="run")
        finally:
            del sys.modules["pint"]
    from bayes_scaling.inference import load_fit

    return load_fit(path)


def write(found: Any, what: str, output: str, figure: str = "", plot: str | None = None) -> None:
    """Write what was found, and the figure of it by the name of its function."""
    found.save(output)
    click.echo(f"{found}\n{what} written to {output}")
    if plot:
        from bayes_scaling import plots

        plots.style.save_figure(getattr(plots, figure)(found), plot)
        click.echo(f"Plot written to {plot}")
