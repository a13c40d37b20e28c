"""Options of commands that take long: the bar, and seconds by stage."""

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bayes_scaling.core.progress import Progress, Seconds

__all__ = ["with_progress"]


def with_progress(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options ``--no-progress`` and ``--verbose``, and a Progress.

    Parameters
    ----------
    command : callable
        Function of a command, which takes ``progress``.
    """

    @click.option("--no-progress", is_flag=True, help="Show no bar.")
    @click.option(
        "-v", "--verbose", is_flag=True, help="Print what is done, and the seconds of each stage."
    )
    @functools.wraps(command)
    def run(*arguments: Any, no_progress: bool, verbose: bool, **options: Any) -> None:
        from bayes_scaling.core.progress import OTHER

        began = time.perf_counter()
        progress = _progress(bar=not no_progress, verbose=verbose)
        with progress.stage(OTHER, click.get_current_context().info_name or ""):
            command(*arguments, progress=progress, **options)
        if verbose:
            click.echo(_table(progress.seconds, time.perf_counter() - began), err=True)

    return run


def _progress(*, bar: bool, verbose: bool) -> "Progress":
    """The bar; or lines of text where no terminal shows it, if they are asked for."""
    from bayes_scaling.core.progress import Progress
    from bayes_scaling.core.progress_display import TextDisplay, display_here, write_line

    display = display_here() if bar else None
    return Progress(TextDisplay(write_line) if display is None and bar and verbose else display)


def _table(stages: "tuple[Seconds, ...]", whole: float) -> str:
    """Seconds by stage, the longest first; what is no stage of its own stands last."""
    from bayes_scaling.core.progress import OTHER

    ordered = sorted(stages, key=lambda entry: (entry.stage == OTHER, -entry.seconds))
    rows = [*((entry.stage, entry.seconds) for entry in ordered), ("all", whole)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}} {seconds:>9.2f} s" for name, seconds in rows)
