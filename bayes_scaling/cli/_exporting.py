"""Commands that say what files hold."""

import json

import click

__all__ = ["schema"]


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
