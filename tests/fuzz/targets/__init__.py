"""What is fuzzed, by name."""

from collections.abc import Callable

from tests.fuzz.engine import Target
from tests.fuzz.targets import checkpoints, curves, fits, options, results, scenarios, tables

__all__ = ["TARGETS"]

TARGETS: dict[str, Callable[[], Target]] = {
    "runs": tables.runs,
    "configs": tables.configs,
    "scenarios": scenarios.target,
    "results": results.target,
    "curves": curves.target,
    "checkpoints": checkpoints.target,
    "damaged fits": fits.damaged_fits,
    "altered fits": fits.altered_fits,
    "options": options.target,
}
"""Each is made when it is used: some need fits or files of their own."""
