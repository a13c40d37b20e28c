"""The command line. Each command imports what it needs, so that asking for help is quick."""

from bayes_scaling.cli.app import cli, main

__all__ = ["cli", "main"]
