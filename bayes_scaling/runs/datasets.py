"""Data sets that come with the package.

``byte_lm``: small byte-level language models trained for this project; losses in nats/byte.
"""

from importlib import resources
from pathlib import Path

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.loading import load_runs
from bayes_scaling.runs.table import Runs

__all__ = ["load", "names"]

_NAMES = ("byte_lm",)


def names() -> tuple[str, ...]:
    """Names of the bundled data sets."""
    return _NAMES


def load(name: str) -> Runs:
    """Load a bundled data set.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    Runs
        Its runs; held-out ones have the role "target".

    Raises
    ------
    DataError
        If there is no data set of that name.
    FileError
        If its file is not part of this installation.
    """
    if name not in _NAMES:
        raise DataError(f"{name!r} is not a bundled data set; these are: {', '.join(_NAMES)}")
    # A checkout keeps the data beside the code that made them; a wheel carries a copy.
    checkout = Path(__file__).resolve().parents[2] / "data" / name / "runs.csv"
    bundled = resources.files(__package__).joinpath("bundled", name, "runs.csv")
    if bundled.is_file():
        with resources.as_file(bundled) as path:
            return load_runs(path)
    if checkout.is_file():
        return load_runs(checkout)
    raise FileError(
        f"the bundled data set {name!r} is missing from this installation (no "
        f"bundled/{name}/runs.csv in the package); install bayes-scaling again"
    )
