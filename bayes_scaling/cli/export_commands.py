"""Commands that describe files, and export fits to other programs."""

import json
from pathlib import Path
from typing import Any

import click

from bayes_scaling.cli.options import ACCEPT, RAW, SEED, check_output, read_fit

__all__ = ["export", "schema"]


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """List the JSON Schemas of the files that commands write, or print the one of NAME."""
    from bayes_scaling import schemas

    if name:
        click.echo(json.dumps(schemas.schema(name), indent=1, ensure_ascii=False))
        return
    for one in schemas.schema_names():
        click.echo(f"{one:<12} {schemas.schema(one)['description']}")


@click.command()
@click.argument("fit")
@click.argument("plans", nargs=-1)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="TARGET",
    help="A folder for tables, a new NAME.zarr, or mlflow:URI#EXPERIMENT.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    help="Of tables.  [default: csv]",
)
@click.option(
    "--at", metavar="CONFIGS", help="What to forecast in the tables.  [default: 2 to 100 times C]"
)
@ACCEPT
@RAW
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of forecasts.")
def export(fit: str, plans: tuple[str, ...], output: str, **options: Any) -> None:
    """Give a FIT to other programs: tables, Zarr, or a run on an MLflow server.

    Tables are runs, flags, parameters, draws, forecasts and PLANS, with a datapackage.json that
    describes their columns. MLflow is given parameters, metrics, the fit and its report too, whose
    PLANS may be any results that 'report' takes.
    """
    from bayes_scaling.decisions import load_plan

    at, seed, form = options["at"], options["seed"], options["form"]
    server = output.startswith("mlflow:")
    store = not server and Path(output).suffix.lower() == ".zarr"
    raw = options["raw"]
    for name, value in {"--at": at, "--format": form, "--raw": raw or None}.items():
        if value is not None and (store or server):
            raise click.UsageError(f"{name} is for tables, and the output is {output}")
    if raw and form == "parquet":
        raise click.UsageError("--raw is for CSV, and --format is parquet")
    if plans and store:
        raise click.UsageError(f"a Zarr store holds the fit alone, and {plans[0]} was given too")
    if store:
        check_output(output, fit)
        from bayes_scaling.exports import write_zarr

        write_zarr(output, read_fit(fit))
        click.echo(f"Posterior written to {output}")
        return
    if server:
        _to_mlflow(output, fit, plans, seed)
        return
    loaded = [load_plan(plan) for plan in plans]
    from bayes_scaling.exports import write_tables
    from bayes_scaling.runs import load_configs

    configs = None if at is None else load_configs(at, accept=options["accept"])
    written = write_tables(
        output, read_fit(fit), *loaded, form=form or "csv", configs=configs, seed=seed, raw=raw
    )
    click.echo(f"{', '.join(path.name for path in written.values())} written to {output}")


def _to_mlflow(output: str, fit: str, results: tuple[str, ...], seed: int) -> None:
    from bayes_scaling.exports import log_to_mlflow
    from bayes_scaling.report import load_result

    uri, _, experiment = output.removeprefix("mlflow:").partition("#")
    if not uri or not experiment:
        raise click.UsageError(f"the output is {output!r}; mlflow:URI#EXPERIMENT is needed")
    loaded = [load_result(result) for result in results]
    run = log_to_mlflow(read_fit(fit), *loaded, uri=uri, experiment=experiment, seed=seed)
    click.echo(f"Logged to {uri} as run {run} of experiment {experiment!r}")
