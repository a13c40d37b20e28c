"""The exceptions of bayes_scaling.

::

    Exception
    └── BayesScalingError         everything this package raises on purpose
        ├── DataError             the table of runs: columns, values, units, design
        ├── LawError              an unknown law, parameter or prior
        │   └── NotTraceableError     an expression that cannot be recorded
        ├── ScenarioError         a budget, constraint or risk measure that cannot hold
        ├── FitError              sampling or prediction cannot go on
        └── FileError             a file that cannot be read, or cannot be written

Every message is one sentence that names the offender, its value and what is legal.
The command line prints it and exits with status 2.
"""

from bayes_scaling.messages import one_line, shortened

__all__ = [
    "BayesScalingError",
    "DataError",
    "FileError",
    "FitError",
    "LawError",
    "NotTraceableError",
    "ScenarioError",
]


class BayesScalingError(Exception):
    """Base of every error that a user can cause or mend; its message is one line."""

    def __str__(self) -> str:
        return shortened(one_line(super().__str__()))


class DataError(BayesScalingError, ValueError):
    """The table of runs, or a table of configurations, is not usable as it stands."""


class LawError(BayesScalingError, ValueError):
    """A law, one of its parameters or a prior is unknown or malformed."""


class NotTraceableError(LawError):
    """An expression calls what cannot be recorded as a graph; PyMC samples such a law itself."""


class ScenarioError(BayesScalingError, ValueError):
    """A budget, constraint or risk measure is out of range or contradictory."""


class FitError(BayesScalingError, RuntimeError):
    """A fit cannot be made, or does not hold what a request needs."""


class FileError(BayesScalingError, OSError):
    """A file cannot be read, is not what it should be, or cannot be written."""
