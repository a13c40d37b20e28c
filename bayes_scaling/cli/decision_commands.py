"""Commands that decide and report, and the tour of it all."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.options import (
    ACCEPT,
    SEED,
    Number,
    check_output,
    output,
    plot,
    read_fit,
    warn,
    write,
)
from bayes_scaling.cli.progress_options import with_progress
from bayes_scaling.errors import FileError, ScenarioError

if TYPE_CHECKING:
    from bayes_scaling.core.progress import Progress

__all__ = [
    "allocate",
    "demo",
    "frontier",
    "laws",
    "marginal",
    "next_runs",
    "report",
    "scenario",
    "shape",
]


@click.command()
@click.option("-o", "--output", default="bayes-scaling-demo", show_default=True, metavar="DIR")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def demo(output: str, seed: int, progress: "Progress") -> None:
    """Go the whole way on the bundled runs: fit, check, forecast, allocate, report."""
    with progress.stage("importing libraries"):
        from bayes_scaling.demo import run_demo

    run_demo(output, seed, click.echo, progress)


@click.command()
@click.argument("fit")
@click.option("--scenario", required=True, metavar="FILE", help="TOML; see 'scenario'.")
@output("Where the plan goes (JSON).")
@plot("Risk and loss by size, or the alternatives where the scenario names some")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def allocate(
    fit: str, scenario: str, output: str, plot: str | None, *, seed: int, progress: "Progress"
) -> None:
    """Choose parameters and tokens within the budgets of a scenario."""
    with progress.stage("importing libraries"):
        from bayes_scaling.decisions import allocate as split

    fitted, wanted = _inputs(progress, fit, scenario, output, plot)
    with _named(scenario), progress.stage("plans", "choosing a plan"):
        plan = split(fitted, wanted, seed=seed)
    figure = "plot_alternatives" if wanted.alternatives else "plot_allocation"
    write(plan, "Plan", output, figure, plot)


@click.command()
@click.argument("fit")
@click.option("--scenario", required=True, metavar="FILE", help="TOML; see 'scenario'.")
@click.option(
    "--smallest", type=Number(), default=0.1, show_default=True, help="Times the budgets."
)
@click.option(
    "--largest", type=Number(), default=10.0, show_default=True, help="Times the budgets."
)
@click.option("--points", type=click.IntRange(2, 1000), default=21, show_default=True)
@output("Where the frontier goes (JSON).")
@plot("Loss and size by budget")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def frontier(
    fit: str, scenario: str, output: str, seed: int, progress: "Progress", **options: Any
) -> None:
    """Compute what smaller and larger budgets of a scenario buy, and which one a target needs."""
    with progress.stage("importing libraries"):
        import numpy as np

        from bayes_scaling.decisions import budget_frontier
        from bayes_scaling.decisions.budgets.frontier import FACTORS

    smallest, largest = options["smallest"], options["largest"]
    low, high = FACTORS
    if not low <= smallest < largest <= high:
        raise click.UsageError(
            f"--smallest is {smallest:g} and --largest {largest:g}; two growing numbers from "
            f"{low:g} to {high:g} are needed"
        )
    fitted, wanted = _inputs(progress, fit, scenario, output, options["plot"])
    factors = np.geomspace(smallest, largest, options["points"]).tolist()
    with _named(scenario):
        found = budget_frontier(fitted, wanted, factors=factors, seed=seed, progress=progress)
    write(found, "Frontier", output, "plot_frontier", options["plot"])


@click.command()
@click.argument("fit")
@click.option("--params", type=Number(), required=True, help="Parameters of the configuration.")
@click.option("--tokens", type=Number(), required=True, help="Tokens of the configuration.")
@click.option("--family", help="Whose law; may be left out where the fit has one family.")
@click.option("--scenario", metavar="FILE", help="TOML with prices; FLOP without.")
@click.option("--doublings", type=int, default=4, show_default=True)
@ACCEPT
@output("Where the gains go (JSON).")
@plot("Loss and gain by doublings")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def marginal(
    fit: str, scenario: str | None, output: str, progress: "Progress", **options: Any
) -> None:
    """Compute what more parameters, tokens or both would buy at a configuration."""
    with progress.stage("importing libraries"):
        from bayes_scaling.decisions import marginal as gains

    params, tokens, plot = (options.pop(name) for name in ("params", "tokens", "plot"))
    fitted, wanted = _inputs(progress, fit, scenario, output, plot)
    with _named(scenario), progress.stage("gains", "computing gains"):
        found = gains(fitted, params, tokens, scenario=wanted, **options)
    write(found, "Gains", output, "plot_marginal", plot)


@click.command("next-runs")
@click.argument("fit")
@click.option("--scenario", required=True, metavar="FILE", help="TOML: the decision to be made.")
@click.option(
    "--at", metavar="CONFIGS", help="Candidates (params, tokens, cost).  [default: 18 of them]"
)
@ACCEPT
@click.option("--batch", type=int, default=1, show_default=True, help="Runs chosen together.")
@output("Where the ranking goes (JSON).")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def next_runs(fit: str, scenario: str, at: str | None, output: str, **options: Any) -> None:
    """Rank small runs by the value of their outcome for the decision of a scenario."""
    with options["progress"].stage("importing libraries"):
        from bayes_scaling.decisions import next_runs as ranked

    chosen = _candidates(at, options["accept"]) if at else None
    fitted, wanted = _inputs(options["progress"], fit, scenario, output)
    with _named(scenario):
        found = ranked(fitted, wanted, at=chosen, **options)
    write(found, "Ranking", output)


@click.command()
@click.argument("fit")
@click.option("--params", type=Number(), required=True, help="Parameters, counted as in the runs.")
@click.option("--tokens", type=Number(), help="As many a parameter as in the runs if not given.")
@click.option("--family", help="Whose law; may be left out where the fit has one family.")
@click.option("--width-multiple", type=int, default=64, show_default=True, help="Of d_model.")
@click.option("--layer-multiple", type=int, default=1, show_default=True, help="Of n_layer.")
@click.option("--max-layers", type=int)
@click.option("--max-width", type=int)
@click.option("--within", type=Number(), default=0.1, show_default=True, help="Miss of the size.")
@ACCEPT
@output("Where the shapes go (JSON).")
@plot("Loss by depth")
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def shape(fit: str, params: float, output: str, progress: "Progress", **options: Any) -> None:
    """Choose depth and width of a size, from a FIT of a law that knows of shapes."""
    with progress.stage("importing libraries"):
        from bayes_scaling.decisions import ShapeLimits, best_shape

    names = ("width_multiple", "layer_multiple", "max_layers", "max_width", "within")
    limits = ShapeLimits(**{name: options.pop(name) for name in names})
    plot = options.pop("plot")
    fitted, _ = _inputs(progress, fit, None, output, plot)
    with progress.stage("shapes", "comparing shapes"):
        found = best_shape(fitted, params, limits=limits, **options)
    write(found, "Shapes", output, "plot_shapes", plot)


def _candidates(path: str, accept: tuple[str, ...]) -> Any:
    """Candidate runs of a file, with their cost where it is stated."""
    from bayes_scaling.errors import DataError
    from bayes_scaling.runs import load_configs

    configs = load_configs(path, accept=accept)
    # "Cost" and "cost (USD)" are costs as well.
    named = [n for n in configs.original if str(n).split("(")[0].strip().casefold() == "cost"]
    if len(named) > 1:
        raise DataError(f"{path} has two columns of costs, {named[0]!r} and {named[1]!r}")
    return configs.table.assign(cost=configs.original[named[0]]) if named else configs.table


@contextmanager
def _named(scenario: str | None) -> Iterator[None]:
    """Name the scenario's file in errors about it."""
    try:
        yield
    except ScenarioError as error:
        raise ScenarioError(f"{scenario}: {error}" if scenario else str(error)) from error


def _inputs(
    progress: "Progress", fit: str, scenario: str | None, output: str, plot: str | None = None
) -> Any:
    """The fit and the scenario, once the outputs can be written."""
    with progress.stage("importing libraries"):
        from bayes_scaling.decisions import load_scenario

    inputs = [fit, *([scenario] if scenario else [])]
    check_output(output, *inputs, plot=plot)
    with warnings.catch_warnings(record=True) as old_names:
        warnings.simplefilter("always", DeprecationWarning)
        wanted = load_scenario(scenario) if scenario else None
    warn(str(old.message) for old in old_names)
    with progress.stage("reading", f"reading {fit}"):
        return read_fit(fit), wanted


@click.command()
@click.option("--example", is_flag=True, required=True, help="Print a commented scenario.")
def scenario(*, example: bool) -> None:  # noqa: ARG001
    """Print an example of the TOML file that 'allocate' reads."""
    from bayes_scaling.decisions import EXAMPLE

    click.echo(EXAMPLE, nl=False)


@click.command()
@click.argument("fit")
@click.argument("results", nargs=-1)
@output("Where the report goes (.html, .json or .md).")
@click.option("--title", help="Title of the report.")
@click.option("--pdf", metavar="FILE", help="Where it goes as PDF too, printed by Chromium.")
@with_progress
def report(
    fit: str,
    results: tuple[str, ...],
    output: str,
    title: str | None,
    *,
    pdf: str | None,
    progress: "Progress",
) -> None:
    """Write a self-contained report of a FIT and RESULTS.

    RESULTS are files that other commands wrote: plans, frontiers, marginal gains, next runs,
    shapes, backtests, comparisons, verdicts.
    """
    with progress.stage("importing libraries"):
        from bayes_scaling.report import load_result, write_pdf, write_report

    check_output(output, fit, *results)
    if pdf is not None:
        check_output(pdf, fit, output, *results)
        if not output.lower().endswith((".html", ".htm")):
            raise FileError(f"--pdf prints a report in HTML, and {output} is not .html")
    with progress.stage("reading", f"reading {fit}"):
        fitted = read_fit(fit)
        loaded = [load_result(result) for result in results]
    try:
        write_report(output, fitted, *loaded, title=title, progress=progress)
    except ScenarioError as error:
        raise ScenarioError(f"{', '.join(results)}: {error}") from error
    click.echo(f"Report written to {output}")
    if pdf is not None:
        with progress.stage("pdf", "printing the page"):
            write_pdf(pdf, output)
        click.echo(f"PDF written to {pdf}")


@click.command()
def laws() -> None:
    """List the laws there are, with formula, inputs and reference."""
    from bayes_scaling.laws import available

    for law in available().values():
        click.echo(f"{law.name}\n  loss = {law.formula}")
        click.echo(f"  reads {', '.join(law.inputs)}; {law.reference}")
        for note in (*law.limitations, *law.remarks):
            click.echo(click.wrap_text(note, 96, "  note: ", "        "))
