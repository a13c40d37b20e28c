"""Pages of the documentation that are made when it is built: they cannot go out of date.

A hook of MkDocs: the reference of Python (every public name), of the command line (what ``--help``
says), and the list of notebooks with the question that each answers.
"""

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import click
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "bayes_scaling",
    "bayes_scaling.runs",
    "bayes_scaling.laws",
    "bayes_scaling.model",
    "bayes_scaling.inference",
    "bayes_scaling.forecast",
    "bayes_scaling.decisions",
    "bayes_scaling.curves",
    "bayes_scaling.report",
    "bayes_scaling.exports",
)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made here."""
    made = {
        "commands.md": commands(),
        "notebooks.md": notebooks(),
        "reference.md": reference(),
        "scenarios.md": scenarios(),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    figure = ROOT / "data/byte_lm/figures/compute.png"
    files.append(File.generated(config, "figures/compute.png", content=figure.read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links out of the folder: the one figure is brought along, files are named."""
    inside = markdown.replace("(../data/byte_lm/figures/", "(figures/")
    return re.sub(r"(?<!!)\[([^\]]*)\]\(\.\./([^)]*)\)", r"\1 (`\2`)", inside)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Roles of docstrings become code, and the site loads nothing from elsewhere."""
    roles = r":(?:func|class|meth|attr|mod):<code>~?([^<]*)</code>"
    output = re.sub(roles, r"<code>\1</code>", output)
    found = re.search(r'<(script|link|img|iframe)\b[^>]*\b(src|href)="(https?:)?//[^"]*"', output)
    if found:
        raise PluginError(f"{page.file.src_uri} loads {found.group(0)[:120]}")
    return output


def scenarios() -> str:
    """Every key of a scenario: the example that ``bayes-scaling scenario --example`` prints."""
    from bayes_scaling.decisions import EXAMPLE

    return (
        "# Write a scenario\n\nA scenario says what may be spent and what is wanted, as TOML. "
        "`bayes-scaling scenario --example` prints this one, with every key there is; a "
        "misspelt key is an error that names the legal ones. How each is used stands in "
        "[Decisions](decisions.md).\n\n```toml\n" + EXAMPLE + "```\n"
    )


def reference() -> str:
    """List every public name once, under its package."""
    parts = ["# Python reference", ""]
    listed: set[int] = set()
    # Packages before the root, which shows again what they have.
    for name in (*PACKAGES[1:], PACKAGES[0]):
        package = importlib.import_module(name)
        public = [key for key in package.__all__ if id(getattr(package, key)) not in listed]
        parts += [f"## {name}", "", (inspect.getdoc(package) or "").split("\n\n")[0], ""]
        for key in public:
            value = getattr(package, key)
            if inspect.ismodule(value):
                continue
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                parts += [f"`{name}.{key}`: {type(value).__name__}", ""]
                continue
            listed.add(id(value))
            parts += [f"::: {value.__module__}.{value.__qualname__}", ""]
    return "\n".join(parts)


def commands() -> str:
    """Return the help of every command."""
    from bayes_scaling.cli.app import cli

    parts = ["# Command line", "", "Exit status 0 on success, 2 on bad input, with one sentence."]
    context = click.Context(cli, info_name="bayes-scaling")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is None:
            continue
        with click.Context(command, parent=context, info_name=name) as inner:
            inner.max_content_width = 88
            text = command.get_help(inner)
        parts += ["", f"## {name}", "", "```text", text, "```"]
    return "\n".join(parts)


def notebooks() -> str:
    """List the notebooks with the question of each."""
    parts = ["# Notebooks", "", "In the folder `notebooks`, executed with every change:", ""]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        title, _, rest = "".join(cells[0]["source"]).partition("\n")
        question = " ".join(rest.strip().split("\n\n")[0].split())
        parts.append(f"- `{path.name}`: **{title.lstrip('# ')}** {question}")
    return "\n".join(parts) + "\n"
