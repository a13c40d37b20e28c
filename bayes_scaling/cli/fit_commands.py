"""Commands that fit and diagnose."""

from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.options import (
    ACCEPT,
    BEST_OF,
    COLUMN,
    FAMILY,
    LAW,
    SEED,
    Number,
    bundled,
    check_output,
    chosen,
    output,
    pairs,
    priors_of,
    read_fit,
    sampler,
    warn,
)
from bayes_scaling.cli.progress_options import with_progress

if TYPE_CHECKING:
    from bayes_scaling.core.progress import Progress

__all__ = ["diagnose", "fit", "sbc"]


@click.command()
@click.argument("runs")
@output("Where the fit goes (NetCDF).")
@click.option("--law", default=LAW, show_default=True, help="See 'bayes-scaling laws'.")
@click.option("--priors", "source", default="population", help="population, or weak.")
@sampler
@click.option("--cores", type=int, default=0, help="Chains at a time.  [default: all cores]")
@click.option("--pooling", default="auto", show_default=True, help="auto, partial, shared or none.")
@click.option("--noise", default="student-t", show_default=True, help="student-t or normal.")
@click.option("--prior", multiple=True, metavar="NAME=MEDIAN,SD,SPREAD", help="Replace a prior.")
@COLUMN
@FAMILY
@ACCEPT
@BEST_OF
@click.option("--loss-unit", metavar="UNIT", help="nats/token, bits/byte …")
@click.option("--count", help="params or params_nonemb.  [default: params, or of the data card]")
@click.option("--exclude-flagged", multiple=True, metavar="CODE", help="Leave out flagged rows.")
@with_progress
def fit(runs: str, output: str, progress: "Progress", **options: Any) -> None:
    """Fit a law to RUNS, families partially pooled, and write the posterior."""
    with progress.stage("importing libraries"):
        from bayes_scaling.laws import get
        from bayes_scaling.runs import load_runs

    check_output(output, runs)
    law = get(options["law"])
    columns = pairs(options.pop("column"), "--column", "CANONICAL=SOURCE")
    priors = priors_of(options.pop("prior"))
    with progress.stage("reading", f"reading and checking {runs}"):
        count = options.pop("count")
        table = load_runs(
            bundled(runs, count),
            columns=columns or None,
            loss_unit=options.pop("loss_unit"),
            count="params" if count is None else count,
            family=options.pop("family"),
            accept=options.pop("accept"),
        )
        table = chosen(table, options)
        table.with_inputs(law.own_inputs).fit_rows()
    # What is read above loads in a fraction of the time, so a bad table is refused sooner.
    with progress.stage("importing libraries"):
        from bayes_scaling.inference import fit as fit_runs

    prior = options.pop("source")
    fitted = fit_runs(table, prior=prior, priors=priors, progress=progress, **options)
    with progress.stage("writing", f"writing {output}"):
        fitted.save(output)
    warn(fitted.caveats)
    with progress.stage("summary", "summarising parameters"):
        summary = fitted.summary()
    click.echo(summary.to_string(float_format="{:.4g}".format))
    click.echo(f"N is the column {fitted.count}, the law {fitted.law.name!r}.")
    click.echo(f"Fit written to {output}; check it with: bayes-scaling diagnose {output}")


@click.command()
@click.argument("fit")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_progress
def diagnose(fit: str, *, as_json: bool, progress: "Progress") -> None:
    """Diagnose whether a FIT can be trusted, and what to do if not."""
    import json

    with progress.stage("reading", f"reading {fit}"):
        fitted = read_fit(fit)
    with progress.stage("diagnosis", "diagnosing the fit"):
        diagnosis = fitted.diagnose()
    if as_json:
        text = json.dumps(diagnosis.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        click.echo(text)
    else:
        click.echo(str(diagnosis))


@click.command()
@click.argument("fit")
@click.option("--replications", type=int, default=50, show_default=True, help="A few seconds each.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--max-seconds",
    type=Number(),
    help="Time to sample of each of these fits; when it is up, the posterior so far.",
)
@click.option("-o", "--output", metavar="FILE", help="Where the ranks go (JSON).")
@with_progress
def sbc(fit: str, output: str | None, progress: "Progress", **options: Any) -> None:
    """Calibrate a FIT: simulate runs from its posterior, fit them, and rank the truth."""
    if output:
        check_output(output, fit)
    with progress.stage("reading", f"reading {fit}"):
        fitted = read_fit(fit)
    found = fitted.calibrate(progress=progress, **options)
    click.echo(str(found))
    if output:
        found.save(output)
        click.echo(f"Ranks written to {output}")
