"""The command line: parses, calls, prints. Each command imports what it needs."""

import os
import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import click

from bayes_scaling.errors import BayesScalingError, LawError, ScenarioError

__all__ = ["main"]


type _Command = Callable[..., Any]


def _output(what: str) -> Callable[[_Command], _Command]:
    return click.option("-o", "--output", required=True, metavar="FILE", help=what)


_LAW = "chinchilla-gamma"

# What fits a signed 64-bit attribute of a NetCDF file and the sampler's own seed.
_SEED = click.IntRange(0, 2**63 - 1)


def _line(text: str) -> str:
    """Text on one line: names in messages may hold line ends and other control characters."""
    words = " ".join(text.split())
    return "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in words)


def _fail(message: str) -> NoReturn:
    click.echo(f"bayes-scaling: {_line(message)}", err=True)
    sys.exit(2)


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit status 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        # File names need not be text, and a terminal need not know every letter.
        sys.stdout.reconfigure(errors="backslashreplace")
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
    except click.Abort:
        _fail("stopped")
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
    tokens (or D), flops (or C), loss and family; a FIT is the NetCDF file that 'fit' writes.
    Start with 'bayes-scaling demo'.
    """


def _pairs(texts: Iterable[str], option: str, form: str) -> dict[str, str]:
    result = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not (sign and key and value):
            raise click.UsageError(f"{option} is {text!r}, {form} is needed")
        if key in result:
            raise click.UsageError(f"{option} names {key!r} twice")
        result[key] = value
    return result


def _priors(texts: Iterable[str]) -> dict[str, Any]:
    from bayes_scaling.laws import Prior

    form = "NAME=MEDIAN,SD,SPREAD"
    priors = {}
    for name, value in _pairs(texts, "--prior", form).items():
        try:
            median, sd, spread = (float(part) for part in value.split(","))
        except ValueError:
            raise click.UsageError(f"--prior is '{name}={value}', {form} is needed") from None
        try:
            priors[name] = Prior(median, sd, spread)
        except LawError as error:
            raise click.UsageError(f"--prior is '{name}={value}': {error}") from None
    return priors


def _warn(messages: Iterable[str]) -> None:
    for message in messages:
        click.echo(f"bayes-scaling: note: {_line(message)}", err=True)


def _check_output(output: str, *inputs: str) -> None:
    """See that the output can be written, and is none of the files that are read."""
    from bayes_scaling._files import check_writable

    check_writable(output)
    for name in inputs:
        if Path(name).is_file() and Path(output).exists() and Path(name).samefile(output):
            raise click.UsageError(f"the output {output} is also an input; give it another name")


@cli.command()
@click.option("-o", "--output", default="bayes-scaling-demo", show_default=True, metavar="DIR")
@click.option("--seed", type=_SEED, default=0, show_default=True)
def demo(output: str, seed: int) -> None:
    """Go the whole way on the bundled runs: fit, check, forecast, allocate, report."""
    from bayes_scaling._demo import run_demo

    run_demo(output, seed, click.echo)


@cli.command()
@click.argument("runs")
@_output("Where the fit goes (NetCDF).")
@click.option("--law", default=_LAW, show_default=True, help="See 'bayes-scaling laws'.")
@click.option("--priors", "source", default="population", help="population, or weak.")
@click.option("--seed", type=_SEED, default=0, show_default=True)
@click.option("--draws", type=int, default=1000, show_default=True, help="Kept, of each chain.")
@click.option("--tune", type=int, default=600, show_default=True, help="Discarded, of each chain.")
@click.option("--chains", type=int, default=4, show_default=True)
@click.option("--cores", type=int, default=0, help="Chains at a time.  [default: all cores]")
@click.option("--pooling", default="partial", show_default=True, help="partial, shared or none.")
@click.option("--noise", default="student-t", show_default=True, help="student-t or normal.")
@click.option("--prior", multiple=True, metavar="NAME=MEDIAN,SD,SPREAD", help="Replace a prior.")
@click.option("--column", multiple=True, metavar="CANONICAL=SOURCE", help="Name a column.")
@click.option("--loss-unit", metavar="UNIT", help="nats/token, bits/byte …")
@click.option("--count", default="params", show_default=True, help="params or params_nonemb.")
@click.option("--exclude-flagged", multiple=True, metavar="CODE", help="Leave out flagged rows.")
def fit(runs: str, output: str, **options: Any) -> None:
    """Fit a law to RUNS, families partially pooled, and write the posterior."""
    from bayes_scaling.laws import get
    from bayes_scaling.runs import load_runs

    _check_output(output, runs)
    get(options["law"])
    columns = _pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    priors = _priors(options.pop("prior"))
    table = load_runs(
        runs,
        columns=columns or None,
        loss_unit=options.pop("loss_unit"),
        count=options.pop("count"),
    )
    excluded = options.pop("exclude_flagged")
    if excluded:
        table = table.exclude(*excluded)
    table.fit_rows()
    # What is read above loads in a fraction of the time, so a bad table is refused sooner.
    from bayes_scaling.inference import fit as fit_runs

    fitted = fit_runs(table, prior=options.pop("source"), priors=priors, **options)
    fitted.save(output)
    _warn(fitted.warnings)
    click.echo(fitted.summary().to_string(float_format="{:.4g}".format))
    click.echo(f"N is the column {fitted.count}, the law {fitted.law.name!r}.")
    click.echo(f"Fit written to {output}; check it with: bayes-scaling diagnose {output}")


def _levels(_context: Any, _option: Any, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(
            f"--quantiles is {text!r}, levels between 0 and 1 with commas are needed"
        ) from None


@cli.command()
@click.argument("fit")
@click.option("--at", required=True, metavar="CONFIGS", help="Table of configurations.")
@_output("Where the forecast goes (.csv, .json, .parquet).")
@click.option("--kind", default="run", show_default=True, help="run (one new run) or curve.")
@click.option("--quantiles", default="0.05,0.25,0.5,0.75,0.95", show_default=True, callback=_levels)
@click.option("--column", multiple=True, metavar="CANONICAL=SOURCE", help="Name a column.")
@click.option("--seed", type=_SEED, default=0, show_default=True)
def predict(fit: str, at: str, output: str, **options: Any) -> None:
    """Forecast the loss of configurations from a FIT."""
    from bayes_scaling.runs import load_configs

    _check_output(output, fit, at)
    columns = _pairs(options["column"], "--column", "CANONICAL=SOURCE")
    configs = load_configs(at, columns or None)
    # What is read above loads in a fraction of the time, so a bad table is refused sooner.
    from bayes_scaling.forecast import predict as forecast
    from bayes_scaling.inference import load_fit

    result = forecast(load_fit(fit), configs, seed=options["seed"])
    result.save(output, options["kind"], options["quantiles"])
    _warn(result.warnings)
    click.echo(f"{len(result.points)} forecasts written to {output}")


@cli.command()
@click.argument("fit")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diagnose(fit: str, *, as_json: bool) -> None:
    """Say whether a FIT can be trusted, and what to do if not."""
    import json

    from bayes_scaling.inference import load_fit

    diagnosis = load_fit(fit).diagnose()
    if as_json:
        text = json.dumps(diagnosis.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        click.echo(text)
    else:
        click.echo(str(diagnosis))


@cli.command()
@click.argument("runs")
@click.option("--law", default=_LAW, show_default=True, help="One or more, with commas.")
@click.option("--ratio", type=float, default=8.0, show_default=True, help="Largest over fitted C.")
@_output("Where the scores go (JSON).")
@click.option("--column", multiple=True, metavar="CANONICAL=SOURCE", help="Name a column.")
@click.option("--seed", type=_SEED, default=0, show_default=True)
@click.option("--draws", type=int, default=1000, show_default=True)
@click.option("--tune", type=int, default=600, show_default=True)
@click.option("--chains", type=int, default=4, show_default=True)
def backtest(runs: str, law: str, output: str, **options: Any) -> None:
    """Fit the smaller RUNS of each family, forecast the larger ones, and score it."""
    from bayes_scaling.runs import load_runs

    _check_output(output, runs)
    columns = _pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    table = load_runs(runs, columns=columns or None)
    from bayes_scaling.forecast import backtest as test_back

    result = test_back(table, [name.strip() for name in law.split(",")], **options)
    result.save(output)
    click.echo(str(result))
    click.echo(f"Backtest written to {output}")


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="RUNS | FIT FIT ...")
@click.option("--law", default="chinchilla,chinchilla-gamma", show_default=True, help="For RUNS.")
@click.option("--ratio", type=float, default=8.0, show_default=True, help="Largest over fitted C.")
@click.option("--count", "counts", multiple=True, help="Ways to count N; may be given twice.")
@click.option("--loo-only", is_flag=True, help="Do not hold out the larger runs.")
@_output("Where the comparison goes (JSON).")
@click.option("--column", multiple=True, metavar="CANONICAL=SOURCE", help="Name a column.")
@click.option("--exclude-flagged", multiple=True, metavar="CODE", help="Leave out flagged rows.")
@click.option("--seed", type=_SEED, default=0, show_default=True)
@click.option("--draws", type=int, default=1000, show_default=True)
@click.option("--tune", type=int, default=600, show_default=True)
@click.option("--chains", type=int, default=4, show_default=True)
def compare(sources: tuple[str, ...], law: str, output: str, **options: Any) -> None:
    """Compare laws on RUNS, or FITs of the same losses: fit, and forecasts of larger runs."""
    from bayes_scaling.laws import get
    from bayes_scaling.runs import load_runs
    from bayes_scaling.runs.loading import recount

    _check_output(output, *sources)
    columns = _pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    excluded = options.pop("exclude_flagged")
    names = [name.strip() for name in law.split(",")]
    ratio = None if options.pop("loo_only") else options.pop("ratio")
    options.pop("ratio", None)
    source: Any = None
    if len(sources) == 1:
        if Path(sources[0]).suffix.lower() == ".nc":
            raise click.UsageError(f"{sources[0]} is one FIT; give two or more, or a table of RUNS")
        for name in names:
            get(name)
        source = load_runs(sources[0], columns=columns or None)
        for count in options["counts"]:
            recount(source, count)
        source = source.exclude(*excluded) if excluded else source
    from bayes_scaling.forecast import compare as side_by_side
    from bayes_scaling.inference import load_fit

    if source is None:
        named = [Path(path).stem for path in sources]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise click.UsageError(f"two fits are called {twice[0]!r}; rename one of the files")
        source = {name: load_fit(path) for name, path in zip(named, sources, strict=True)}
    result = side_by_side(source, names, ratio=ratio, **options)
    result.save(output)
    click.echo(str(result))
    click.echo(f"Comparison written to {output}")


@cli.command()
@click.argument("fit")
@click.option("--scenario", required=True, metavar="FILE", help="TOML; see 'scenario'.")
@_output("Where the plan goes (JSON).")
@click.option("--seed", type=_SEED, default=0, show_default=True)
def allocate(fit: str, scenario: str, output: str, seed: int) -> None:
    """Split the budget of a scenario between parameters and tokens."""
    from bayes_scaling.decisions import allocate as split
    from bayes_scaling.decisions import load_scenario
    from bayes_scaling.inference import load_fit

    _check_output(output, fit, scenario)
    wanted = load_scenario(scenario)
    fitted = load_fit(fit)
    try:
        plan = split(fitted, wanted, seed=seed)
    except ScenarioError as error:
        raise ScenarioError(f"{scenario}: {error}") from error
    plan.save(output)
    click.echo(str(plan))
    click.echo(f"Plan written to {output}")


@cli.command()
@click.option("--example", is_flag=True, required=True, help="Print a commented scenario.")
def scenario(*, example: bool) -> None:  # noqa: ARG001
    """Print an example of the TOML file that 'allocate' reads."""
    from bayes_scaling.decisions import EXAMPLE

    click.echo(EXAMPLE, nl=False)


@cli.command()
@click.argument("fit")
@click.argument("plans", nargs=-1)
@_output("Where the report goes (.html or .json).")
@click.option("--title", help="Title of the report.")
def report(fit: str, plans: tuple[str, ...], output: str, title: str | None) -> None:
    """Write a self-contained report of a FIT and PLANS."""
    from bayes_scaling.decisions import load_plan
    from bayes_scaling.inference import load_fit
    from bayes_scaling.report import write_report

    _check_output(output, fit, *plans)
    fitted = load_fit(fit)
    loaded = [load_plan(plan) for plan in plans]
    try:
        write_report(output, fitted, *loaded, title=title)
    except ScenarioError as error:
        raise ScenarioError(f"{', '.join(plans)}: {error}") from error
    click.echo(f"Report written to {output}")


@cli.command()
def laws() -> None:
    """List the laws there are, with formula, inputs and reference."""
    from bayes_scaling.laws import available

    for law in available().values():
        click.echo(f"{law.name}\n  loss = {law.formula}")
        click.echo(f"  reads {', '.join(law.inputs)}; {law.reference}")
        for note in law.notes:
            click.echo(click.wrap_text(note, 96, "  note: ", "        "))
