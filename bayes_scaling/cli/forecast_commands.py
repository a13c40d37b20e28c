"""Commands that forecast, and score forecasts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.options import (
    ACCEPT,
    BEST_OF,
    COLUMN,
    FAMILY,
    LAW,
    RAW,
    SEED,
    Number,
    bundled,
    check_output,
    chosen,
    of_formulas,
    output,
    pairs,
    plot,
    read_fit,
    sampler,
    warn,
    write,
)
from bayes_scaling.cli.progress_options import with_progress

if TYPE_CHECKING:
    from bayes_scaling.core.progress import Progress

__all__ = ["backtest", "compare", "predict"]


def _numbers(text: str, option: str, what: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"{option} is {text!r}, {what} with commas are needed") from None


def _levels(_context: Any, _option: Any, text: str) -> list[float]:
    return _numbers(text, "--quantiles", "levels between 0 and 1")


@click.command()
@click.argument("fit")
@click.option(
    "--at", required=True, metavar="CONFIGS", help="Configurations, or dataset:NAME: its targets."
)
@output("Where the forecast goes (.csv, .json, .parquet).")
@click.option("--kind", default="run", show_default=True, help="run (one new run) or curve.")
@click.option("--quantiles", default="0.05,0.25,0.5,0.75,0.95", show_default=True, callback=_levels)
@COLUMN
@ACCEPT
@RAW
@click.option("--seed", type=SEED, default=0, show_default=True)
@with_progress
def predict(fit: str, at: str, output: str, progress: "Progress", **options: Any) -> None:
    """Forecast the loss of configurations from a FIT."""
    with progress.stage("importing libraries"):
        from bayes_scaling.runs import load_configs

    check_output(output, fit, at)
    raw = options["raw"]
    if raw and Path(output).suffix.lower() in {".json", ".parquet"}:
        raise click.UsageError(f"--raw is for CSV, and the output is {output}")
    columns = pairs(options["column"], "--column", "CANONICAL=SOURCE")
    source = bundled(at)
    table = source if isinstance(source, str) else source.targets()
    if at and not len(table):
        raise click.UsageError(f"--at is {at!r}, which has no targets; give a table")
    configs = load_configs(table, columns or None, accept=options["accept"])
    # What is read above loads in a fraction of the time, so a bad table is refused sooner.
    with progress.stage("importing libraries"):
        from bayes_scaling.forecast import predict as forecast

    with progress.stage("reading", f"reading {fit}"):
        fitted = read_fit(fit)
    with progress.stage("forecasts", "forecasting"):
        result = forecast(fitted, configs, seed=options["seed"])
    result.save(output, options["kind"], options["quantiles"], raw=raw)
    warn(result.caveats)
    if Path(output).suffix.lower() == ".csv" and not raw:
        warn(of_formulas(configs.original))
    click.echo(f"{len(result.points)} forecasts written to {output}")


@click.command()
@click.argument("runs")
@click.option("--law", default=LAW, show_default=True, help="One or more, with commas.")
@click.option(
    "--ratio",
    "ratios",
    default="8",
    show_default=True,
    help="Largest over fitted; several, with commas, make a rolling origin.",
)
@click.option(
    "--split", default="compute", show_default=True, help="compute, params, tokens, epochs or time."
)
@plot("Scores by distance")
@output("Where the scores go (JSON).")
@COLUMN
@FAMILY
@ACCEPT
@BEST_OF
@sampler
@with_progress
def backtest(runs: str, law: str, output: str, progress: "Progress", **options: Any) -> None:
    """Fit the smaller RUNS of each family, forecast the larger ones, and score it.

    Results are kept in FILE.part as they come: the same command goes on from there if it was
    stopped.
    """
    with progress.stage("importing libraries"):
        from bayes_scaling.laws import get
        from bayes_scaling.runs import load_runs

    # Beside a device such as /dev/null nothing can be kept.
    part = None if Path(output).is_char_device() else f"{output}.part"
    plot = options.pop("plot")
    check_output(output, runs, plot=plot)
    if part:
        check_output(part, runs)
    names = [name.strip() for name in law.split(",")]
    for name in names:
        get(name)
    ratios = _numbers(options.pop("ratios"), "--ratio", "numbers above 1")
    columns = pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    table = load_runs(
        bundled(runs),
        columns=columns or None,
        accept=options.pop("accept"),
        family=options.pop("family"),
    )
    table = chosen(table, options)
    with progress.stage("importing libraries"):
        from bayes_scaling.forecast import backtest as test_back

    result = test_back(table, names, ratio=ratios, checkpoint=part, progress=progress, **options)
    result.save(output)
    if part:
        Path(part).unlink(missing_ok=True)
    click.echo(str(result))
    if plot:
        from bayes_scaling.plots.backtest_plots import plot_backtest
        from bayes_scaling.plots.style import save_figure

        save_figure(plot_backtest(result), plot)
        click.echo(f"Plot written to {plot}")
    click.echo(f"Backtest written to {output}")


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="RUNS | FIT FIT ...")
@click.option("--law", default="chinchilla,chinchilla-gamma", show_default=True, help="For RUNS.")
@click.option(
    "--ratio", type=Number(), default=8.0, show_default=True, help="Largest over fitted C."
)
@click.option("--count", "counts", multiple=True, help="Ways to count N; may be repeated.")
@click.option("--loo-only", is_flag=True, help="Do not hold out the larger runs.")
@output("Where the comparison goes (JSON).")
@COLUMN
@FAMILY
@ACCEPT
@BEST_OF
@click.option("--exclude-flagged", multiple=True, metavar="CODE", help="Leave out flagged rows.")
@sampler
@with_progress
def compare(
    sources: tuple[str, ...], law: str, output: str, progress: "Progress", **options: Any
) -> None:
    """Compare laws on RUNS, or FITs of the same losses: fit, and forecasts of larger runs."""
    with progress.stage("importing libraries"):
        from bayes_scaling.laws import get
        from bayes_scaling.runs import load_runs
        from bayes_scaling.runs.load_runs_table import recount

    check_output(output, *sources)
    columns = pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    accepted, family = options.pop("accept"), options.pop("family")
    kept = {name: options.pop(name) for name in ("exclude_flagged", "best_of")}
    if len(sources) > 1 and any((columns, accepted, family, *kept.values())):
        raise click.UsageError("options of a table of RUNS do not apply to FITs; fit it again")
    names = [name.strip() for name in law.split(",")]
    ratio = None if options.pop("loo_only") else options.pop("ratio")
    options.pop("ratio", None)
    source: Any = None
    if len(sources) == 1:
        if Path(sources[0]).suffix.lower() == ".nc":
            raise click.UsageError(f"{sources[0]} is one FIT; give two or more, or a table of RUNS")
        for name in names:
            get(name)
        source = load_runs(
            bundled(sources[0]), columns=columns or None, family=family, accept=accepted
        )
        for count in options["counts"]:
            recount(source, count)
        source = chosen(source, kept)
    with progress.stage("importing libraries"):
        from bayes_scaling.forecast import compare as side_by_side

    if source is None:
        named = [Path(path).stem for path in sources]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise click.UsageError(f"two fits are called {twice[0]!r}; rename one of the files")
        source = {name: read_fit(path) for name, path in zip(named, sources, strict=True)}
    result = side_by_side(source, names, ratio=ratio, progress=progress, **options)
    write(result, "Comparison", output)
