"""Commands that tell of bundled data sets."""

import click

__all__ = ["datasets"]


@click.command()
@click.option("--card", metavar="NAME", help="Print the data card of one of them.")
def datasets(card: str | None) -> None:
    """List the data sets that come along; where a command takes RUNS, dataset:NAME is one."""
    from bayes_scaling.runs import datasets as bundled

    if card is not None:
        click.echo(str(bundled.card(card)))
        return
    for row in bundled.list().to_dict("records"):
        spans = [
            f"{name} {row[f'{name}_min']:.3g} to {row[f'{name}_max']:.3g}"
            for name in ("params", "tokens", "flops", "loss")
            if row[f"{name}_min"] == row[f"{name}_min"]
        ]
        targets = f", {row['targets']} targets" if row["targets"] else ""
        click.echo(f"{row['name']}\n  {row['title']}")
        click.echo(f"  {row['kind']}: {row['rows']} rows{targets}, families: {row['families']}")
        click.echo(f"  {', '.join(spans)}; {row['licence']}")
