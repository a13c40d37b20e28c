"""Checks of one group of a fit: coordinates, numbers within a range, tables of runs.

Each gives clauses about what is wrong; what follows a clause may assume that there was none.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.inference.tree import OF_TEXT, run_columns
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import ReferenceFrame, Spec
from bayes_scaling.model.input_table import input_table
from bayes_scaling.runs.flags import CODES
from bayes_scaling.runs.input_columns import SIZES

__all__ = [
    "coordinates",
    "fitted_problems",
    "flag_problems",
    "held_out_problems",
    "mixture_problems",
    "named",
]

_LEAST, _MOST = 1e-30, 1e60
"""Any size or loss is far within."""
_SEVERITIES = ("error", "warning", "note")


def coordinates(
    group: str, data: xr.Dataset, counted: tuple[str, ...] = (), **labels: list[str]
) -> Iterator[str]:
    """Coordinates that are not whole numbers in rising order, or not these labels."""
    for dim in counted:
        if dim not in data.coords or data[dim].dtype.kind not in "iu" or not data.sizes[dim]:
            yield f"{group} has no coordinate {dim!r} of whole numbers"
        if (np.diff(data[dim].values) <= 0).any():
            yield f"{group}/{dim} does not rise"
    for dim, expected in labels.items():
        if dim not in data.coords or data[dim].values.tolist() != expected:
            yield f"{group} has no coordinate {dim!r} that names the {dim} {expected[0]!r} and on"


def named(
    group: str,
    data: xr.Dataset,
    shapes: Mapping[str, tuple[str, ...]],
    *,
    low: float = -math.inf,
    high: float = math.inf,
    zero: bool = False,
    kinds: tuple[str, ...] = ("float64",),
) -> Iterator[str]:
    """Variables that are missing, not known, or not finite numbers within a range."""
    for name in data.data_vars:
        if name not in shapes:
            yield f"{group}/{name} is no variable of this fit"
    for name, dims in shapes.items():
        if name not in data.data_vars:
            yield f"it lacks {group}/{name}"
        values = data[name]
        if values.dtype.name not in kinds or values.dims != dims:
            yield f"{group}/{name} is not an array of {kinds[-1]} by {', '.join(dims) or 'nothing'}"
        numbers = values.values.astype(np.float64)
        fine = np.isfinite(numbers) & (numbers <= high)
        fine &= numbers >= low if zero or low == -math.inf else numbers > low
        if not fine.all():
            wrong = numbers[~fine].flat[0]
            yield f"{group}/{name} holds {wrong:g}, {_range(low, high, zero=zero)} are needed"


def _range(low: float, high: float, *, zero: bool) -> str:
    sentence = "finite numbers"
    if low > -math.inf:
        sentence += f" from {low:g}" if zero else f" above {low:g}"
    return sentence + (f" up to {high:g}" if high < math.inf else "")


def fitted_problems(
    data: xr.Dataset, observed: xr.Dataset, spec: Spec, frame: ReferenceFrame
) -> Iterator[str]:
    """Return the problems of the fitted runs."""
    where, families = "constant_data", list(spec.families)
    yield from coordinates(where, data, family_name=families)
    if "run" not in data.coords or data["run"].dtype.kind != "U" or not data.sizes["run"]:
        yield f"{where} has no coordinate 'run' of text"
    if len(set(data["run"].values.tolist())) < data.sizes["run"]:
        yield f"{where}/run names a run twice"
    yield from coordinates("observed_data", observed, run=data["run"].values.tolist())
    yield from named("observed_data", observed, {"loss": ("run",)}, low=_LEAST, high=_MOST)
    points: dict[str, tuple[str, ...]] = {f"reference_{name}": () for name in spec.law.inputs}
    points |= {f"centre_{name}": ("family_name",) for name in spec.law.inputs}
    columns = [str(name) for name in data.data_vars if name not in points]
    yield from _columns(where, data[columns], "run", families, run_columns(spec.law))
    yield from named(where, data[list(points)] if set(points) <= set(data) else data, points)
    for name in spec.law.inputs:
        for kind, expected in (("reference", frame.reference), ("centre", frame.centres)):
            stated = data[f"{kind}_{name}"].values
            if not np.allclose(stated, np.exp(expected[name]), rtol=1e-9, atol=0.0):
                yield f"{where}/{kind}_{name} differs from the spec"
    rows = data[columns].to_dataframe().reset_index()
    try:
        input_table(spec.law, rows)
    except DataError as error:
        yield f"of its runs {error}"


def _columns(
    group: str, data: xr.Dataset, dim: str, families: list[str], known: tuple[str, ...]
) -> Iterator[str]:
    """Return the problems of a table of runs, whose numbers may be missing."""
    for name in ("params", "tokens", "flops", "family"):
        if name not in data.data_vars:
            yield f"it lacks {group}/{name}"
    for label, values in data.data_vars.items():
        name = str(label)
        if name not in known:
            yield f"{group}/{name} is no column of this fit"
        if wrong := _of_column(name, values, dim):
            yield f"{group}/{name} {wrong}"
    if group == "constant_data" and (other := set(data["family"].values.tolist()) - set(families)):
        yield f"{group}/family names {min(other)!r}, which is none of its families"


def _of_column(name: str, values: xr.DataArray, dim: str) -> str | None:
    """Return a problem of one column; a standard error may be zero, a size may not."""
    if values.dims != (dim,):
        return f"is not one value for each {dim}"
    if name in OF_TEXT:
        return None if values.dtype.kind == "U" else "is not text"
    if values.dtype != np.float64:
        return "is not float64"
    numbers = values.values
    fine = (numbers >= _LEAST) & (numbers <= _MOST)
    if name not in SIZES:  # which reading a table completes
        fine |= np.isnan(numbers)
        if name != "loss":
            fine |= numbers == 0.0
    if fine.all():
        return None
    return (
        f"holds {numbers[~fine].flat[0]:g}, numbers from {_LEAST:g} to {_MOST:g}, or NaN where "
        "they are not known, are needed"
    )


def held_out_problems(data: xr.Dataset, spec: Spec) -> Iterator[str]:
    """Return the problems of the runs held out to judge forecasts."""
    for name in ("run", "loss"):
        if name not in data.data_vars:
            yield f"it lacks held_out/{name}"
    yield from _columns("held_out", data, "target", [], (*run_columns(spec.law), "loss"))


def flag_problems(data: xr.Dataset) -> Iterator[str]:
    """Return the problems of the flags of the table."""
    for name in ("row", "run", "code", "severity", "column", "message"):
        kind = "iu" if name == "row" else "U"
        if name not in data.data_vars or data[name].dims != ("flag",):
            yield f"it lacks flags/{name}, one value for each flag"
        if data[name].dtype.kind not in kind:
            yield f"flags/{name} is not {'whole numbers' if name == 'row' else 'text'}"
    for name, legal in (("code", tuple(CODES)), ("severity", _SEVERITIES)):
        if other := set(data[name].values.tolist()) - set(legal):
            yield f"flags/{name} holds {min(other)!r}, {', '.join(legal)} are known"


def mixture_problems(stats: xr.Dataset, posterior: xr.Dataset, spec: Spec) -> Iterator[str]:
    """Return the problems of the components of a mixture: numbers, shares, and curvatures."""
    where, shares = "sample_stats/component", np.array([share for _, share in spec.components])
    if len(shares) == 1:
        if "component" in stats.data_vars:
            yield f"{where} is of a mixture, and its spec of one model"
        return
    if "component" not in stats.data_vars:
        yield f"it lacks {where}"
    found = stats["component"]
    if found.dtype.kind not in "iu" or found.sizes["draw"] != posterior.sizes["draw"]:
        yield f"{where} is not a whole number for each draw of the posterior"
    numbers = found.transpose("chain", "draw").values
    if (numbers != numbers[0]).any():
        yield f"{where} differs between chains"
    counts = np.array([(numbers[0] == number).sum() for number in range(len(shares))])
    # A share is kept but for the rounding of a draw.
    off = np.abs(counts - len(numbers[0]) * shares) > 1.0
    if off.any() or counts.sum() < len(numbers[0]):
        yield f"{where} has {counts.tolist()} draws a chain, shares of {shares.tolist()} are needed"
    curved = np.zeros(numbers.shape, dtype=np.bool_)
    for name in curvature_names(spec.law):
        curved |= (posterior[name].transpose("chain", "draw", ...).values != 1.0).any(axis=-1)
    if (curved != (numbers == 1)).any():
        yield f"{where} is not 1 where a curvature differs from 1, and 0 elsewhere"
