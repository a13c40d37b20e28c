"""Fits: bits flipped, and parts altered with a checksum that is right again."""

import io
import json
import tempfile
import warnings
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from bayes_scaling import Scenario, allocate, load_fit, tables, write_report
from bayes_scaling.core.files import FileWarning
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit
from bayes_scaling.inference.storage.checksum import ATTRIBUTE, checksum
from bayes_scaling.inference.storage.fit_file import STUMBLES, netcdf, save
from bayes_scaling.inference.tree import SCHEMA, VERSION_1
from tests.conftest import handmade
from tests.fuzz.engine import Made, Target, UnsoundError

__all__ = [
    "altered",
    "altered_fits",
    "damaged_fits",
    "flipped",
    "holds_the_same",
    "sealed",
    "seeded",
    "sound",
]

_ODD_NUMBERS = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-300, 1e300, 1e30, 50.0)
_ODD_JSON: tuple[Any, ...] = (
    None, True, 0, -1, 3, 1e-300, 1e300, 10**400, float("nan"), float("inf"), "", "x", "none",
    "normal", [], [1.0], {}, {"a": 1}, "\ud800", [[]],
)  # fmt: skip


def damaged_fits() -> Target:
    """Fits with flipped bits or other damage: refused, or what they were."""
    content = _small()

    def make(rng: Random) -> Made:
        change = flipped if rng.random() < 0.8 else _cut_and_filled
        return Made("fit.nc", change(content, rng))

    def read(path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FileWarning)
            tree = load_fit(path).dt
        if checksum(tree) != checksum(_tree(content)):
            raise UnsoundError("a damaged fit was taken")

    return Target("damaged fits", make, read)


def altered_fits() -> Target:
    """Fits that were altered and have a right checksum, and what is made of those that load."""
    content = _small()
    return Target("altered fits", lambda rng: Made("fit.nc", altered(content, rng)), _read)


@cache
def _small() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return sound(Path(folder) / "fit.nc")


@cache
def sound(path: Path, families: tuple[str, ...] = ("web", "code")) -> bytes:
    """A small fit made by hand, as a file."""
    fit = handmade(prior="population", families=families)
    kept = fit.dt.isel(chain=slice(2), draw=slice(60), missing_dims="ignore")
    return save(kept, path).read_bytes()


def seeded(seed: int) -> Random:
    """A generator for one alteration."""
    return Random(seed)  # noqa: S311 - no secret


def flipped(content: bytes, random: Random) -> bytes:
    """One to three bits of a file turned over."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)


def _cut_and_filled(content: bytes, random: Random) -> bytes:
    """Some bytes of a file zero, repeated or gone."""
    start, size = random.randrange(len(content)), random.choice((1, 8, 64, 512))
    part = random.choice((bytes(size), content[start - size : start], b""))
    return content[:start] + part + content[start + size :]


def altered(content: bytes, random: Random) -> bytes:
    """A part or two taken away, changed or added, with the checksum of what is left."""
    memory = io.BytesIO(content)
    with warnings.catch_warnings(), h5py.File(memory, "r+") as file:
        warnings.simplefilter("ignore", RuntimeWarning)  # numbers that a type cannot hold
        for _ in range(random.choice((1, 1, 1, 2))):
            random.choice(_CHANGES)(file, random)
    return sealed(memory.getvalue())


def sealed(content: bytes) -> bytes:
    """The same file with the checksum of what it holds, where that can be read."""
    try:
        tree = netcdf.read(content, (SCHEMA, VERSION_1))
    except STUMBLES:
        return content
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        file.attrs[ATTRIBUTE] = checksum(tree)
    return memory.getvalue()


def _read(path: Path) -> None:
    """Load a fit, and do something with it where it loads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FileWarning)
        fit = load_fit(path)
    uses = tuple(_USES.values())
    uses[zlib.crc32(path.read_bytes()) % len(uses)](fit, path.parent)


def _a_variable(file: h5py.File, random: Random) -> h5py.Dataset:
    group = file[random.choice(sorted(file))]
    return group[random.choice(sorted(group))]


def _drop_variable(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    del file[variable.name]


def _drop_group(file: h5py.File, random: Random) -> None:
    del file[random.choice(sorted(file))]


def _odd_number(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    if variable.dtype.kind == "f" and variable.size and variable.dtype.byteorder != ">":
        place = tuple(random.randrange(size) for size in variable.shape)
        variable[place] = random.choice(_ODD_NUMBERS)


def _odd_numbers(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    if variable.dtype.kind == "f" and variable.dtype.byteorder != ">":
        variable[...] = random.choice((*_ODD_NUMBERS, 1.0, 1e-8, 1e8))


def _scaled(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    if variable.dtype.kind == "f" and variable.dtype.byteorder != ">":
        variable[...] = variable[()] * 10 ** random.uniform(-40, 40)


def _other(file: h5py.File, random: Random, change: Callable[[Any], Any]) -> None:
    """Put other values in the place of a variable, with its dimensions where they fit."""
    old = _a_variable(file, random)
    name, rank = old.name, len(old.shape)
    scales = [old.dims[axis][0].name if len(old.dims[axis]) else None for axis in range(rank)]
    if "CLASS" in old.attrs:
        return
    values = change(old[()])
    del file[name]
    file[name] = values
    for axis, scale in enumerate(scales[: len(file[name].shape)]):
        if scale is not None:
            file[name].dims[axis].attach_scale(file[scale])


def _other_type(file: h5py.File, random: Random) -> None:
    kind = random.choice(("i4", "f4", "i8", "S3", "u1", "f2", ">f8"))

    def change(values: Any) -> Any:
        array = np.asarray(values)
        return np.zeros(array.shape, kind) if array.dtype.kind == "O" else array.astype(kind)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _other(file, random, change)


def _other_length(file: h5py.File, random: Random) -> None:
    _other(file, random, lambda values: np.asarray(values)[..., :-1] if np.ndim(values) else 1.0)


def _other_rank(file: h5py.File, random: Random) -> None:
    _other(
        file,
        random,
        lambda values: np.asarray(values)[0] if np.ndim(values) and np.size(values) else 1.0,
    )


def _permuted(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    if variable.shape and variable.size:
        variable[...] = variable[()][::-1]


def _odd_text(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    if variable.dtype.kind == "O" and variable.size:
        text = random.choice(("", "x", "web", "r1", "\n", "<b>", "a/b", "é" * 300, "off-law"))
        variable[random.randrange(variable.size)] = text


def _renamed(file: h5py.File, random: Random) -> None:
    variable = _a_variable(file, random)
    file.move(variable.name, f"{variable.name}_")


def _extra(file: h5py.File, random: Random) -> None:
    group = file[random.choice(sorted(file))]
    group["extra"] = random.choice((1.0, "text", np.nan))


def _odd_attribute(file: h5py.File, random: Random) -> None:
    name = random.choice(sorted(set(file.attrs) - {"schema", "_NCProperties", "spec"}))
    del file.attrs[name]
    values = ("", "{}", "[]", "[1]", "null", "mixed", "nats/byte", 1, -1, 2.5, np.nan, [1, 2])
    if (value := random.choice((None, *values))) is not None:
        file.attrs[name] = value


def _odd_spec(file: h5py.File, random: Random) -> None:
    content = json.loads(file.attrs["spec"])
    place, name = content, random.choice(sorted(content))
    while isinstance(place[name], dict | list) and place[name] and random.random() < 0.8:
        place = place[name]
        name = random.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
    if random.random() < 0.25:
        del place[name]
    elif isinstance(place[name], float) and random.random() < 0.5:
        place[name] *= 10 ** random.uniform(-20, 20)
    else:
        place[name] = random.choice(_ODD_JSON)
    file.attrs["spec"] = json.dumps(content)


_CHANGES: tuple[Callable[[h5py.File, Random], None], ...] = (
    _drop_variable,
    _drop_group,
    _odd_number,
    _odd_number,
    _odd_numbers,
    _scaled,
    _scaled,
    _other_type,
    _other_length,
    _other_rank,
    _permuted,
    _odd_text,
    _renamed,
    _extra,
    _odd_attribute,
    _odd_spec,
    _odd_spec,
    _odd_spec,
)


def _predict(fit: Fit, _folder: Path) -> None:
    where = {"params": [1e8, 1e10], "tokens": [1e10, 1e12], "family": [fit.families[0], "other"]}
    for values in fit.predict(**where).draws.values():
        if not np.isfinite(values).all():
            raise UnsoundError("a forecast is not finite")
    str(fit.predict(**where))


def _diagnose(fit: Fit, _folder: Path) -> None:
    json.dumps(fit.diagnose().to_dict(), allow_nan=False)


def _save(fit: Fit, folder: Path) -> None:
    again = load_fit(fit.save(folder / "out" / "again.nc"))
    if checksum(again.dt) != checksum(fit.dt):
        raise UnsoundError("what was saved is not what was loaded")


def _export(fit: Fit, _folder: Path) -> None:
    tables(fit)
    fit.summary()
    fit.correlations()
    fit._repr_html_()


def _decide(fit: Fit, _folder: Path) -> None:
    allocate(fit, Scenario(compute_budget=1e21, family=fit.families[0]))


def _report(fit: Fit, folder: Path) -> None:
    write_report(folder / "out" / "report.md", fit)


_USES = {
    "predict": _predict,
    "diagnose": _diagnose,
    "save": _save,
    "export": _export,
    "decide": _decide,
    "report": _report,
}


def holds_the_same(path: Path, content: bytes) -> bool:
    """Whether a file is refused, or holds what a sound one does; nothing else may be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FileWarning)
            tree = load_fit(path).dt
    except FileError as error:
        return "\n" not in str(error)
    return checksum(tree) == checksum(_tree(content))


@cache
def _tree(content: bytes) -> Any:
    return netcdf.read(content, (SCHEMA, VERSION_1))
