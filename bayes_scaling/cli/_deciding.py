"""Commands that decide and report, and the tour of it all."""

import click

from bayes_scaling.cli._options import SEED, check_output, output
from bayes_scaling.errors import ScenarioError

__all__ = ["allocate", "demo", "laws", "report", "scenario"]


@click.command()
@click.option("-o", "--output", default="bayes-scaling-demo", show_default=True, metavar="DIR")
@click.option("--seed", type=SEED, default=0, show_default=True)
def demo(output: str, seed: int) -> None:
    """Go the whole way on the bundled runs: fit, check, forecast, allocate, report."""
    from bayes_scaling._demo import run_demo

    run_demo(output, seed, click.echo)


@click.command()
@click.argument("fit")
@click.option("--scenario", required=True, metavar="FILE", help="TOML; see 'scenario'.")
@output("Where the plan goes (JSON).")
@click.option("--seed", type=SEED, default=0, show_default=True)
def allocate(fit: str, scenario: str, output: str, seed: int) -> None:
    """Split the budget of a scenario between parameters and tokens."""
    from bayes_scaling.decisions import allocate as split
    from bayes_scaling.decisions import load_scenario
    from bayes_scaling.inference import load_fit

    check_output(output, fit, scenario)
    wanted = load_scenario(scenario)
    fitted = load_fit(fit)
    try:
        plan = split(fitted, wanted, seed=seed)
    except ScenarioError as error:
        raise ScenarioError(f"{scenario}: {error}") from error
    plan.save(output)
    click.echo(str(plan))
    click.echo(f"Plan written to {output}")


@click.command()
@click.option("--example", is_flag=True, required=True, help="Print a commented scenario.")
def scenario(*, example: bool) -> None:  # noqa: ARG001
    """Print an example of the TOML file that 'allocate' reads."""
    from bayes_scaling.decisions import EXAMPLE

    click.echo(EXAMPLE, nl=False)


@click.command()
@click.argument("fit")
@click.argument("plans", nargs=-1)
@output("Where the report goes (.html or .json).")
@click.option("--title", help="Title of the report.")
def report(fit: str, plans: tuple[str, ...], output: str, title: str | None) -> None:
    """Write a self-contained report of a FIT and PLANS."""
    from bayes_scaling.decisions import load_plan
    from bayes_scaling.inference import load_fit
    from bayes_scaling.report import write_report

    check_output(output, fit, *plans)
    fitted = load_fit(fit)
    loaded = [load_plan(plan) for plan in plans]
    try:
        write_report(output, fitted, *loaded, title=title)
    except ScenarioError as error:
        raise ScenarioError(f"{', '.join(plans)}: {error}") from error
    click.echo(f"Report written to {output}")


@click.command()
def laws() -> None:
    """List the laws there are, with formula, inputs and reference."""
    from bayes_scaling.laws import available

    for law in available().values():
        click.echo(f"{law.name}\n  loss = {law.formula}")
        click.echo(f"  reads {', '.join(law.inputs)}; {law.reference}")
        for note in law.notes:
            click.echo(click.wrap_text(note, 96, "  note: ", "        "))
