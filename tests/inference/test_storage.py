"""A fit that was saved is read as it was, and anything else is refused in one sentence."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from bayes_scaling import laws
from bayes_scaling.core.files import FileWarning
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit, load_fit
from bayes_scaling.inference.storage import netcdf, structure
from bayes_scaling.inference.storage.checksum import ATTRIBUTE, checksum
from bayes_scaling.inference.tree import SCHEMA
from bayes_scaling.model.spec_json import read_spec, write_spec
from tests.conftest import handmade
from tests.fuzz.targets import fits


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "fit.nc"
    fits.sound(path)
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return shutil.copy(sound, tmp_path / "fit.nc")


def test_it_is_read_as_xarray_reads_it(sound: Path) -> None:
    with xr.open_datatree(sound, engine="h5netcdf") as tree:
        expected = tree.load()
    assert netcdf.read(sound.read_bytes(), (SCHEMA,)).identical(expected)
    assert expected.attrs[ATTRIBUTE] == checksum(expected)


def test_what_other_programs_wrote_anew_keeps_its_checksum(sound: Path, tmp_path: Path) -> None:
    with xr.open_datatree(sound, engine="h5netcdf") as tree:
        tree.load().to_netcdf(tmp_path / "again.nc", engine="h5netcdf")
    assert load_fit(tmp_path / "again.nc").dt.identical(load_fit(sound).dt)


def test_a_loaded_fit_can_be_saved(sound: Path, tmp_path: Path) -> None:
    loaded = load_fit(sound)
    again = load_fit(loaded.save(tmp_path / "again.nc"))
    assert again.dt.identical(loaded.dt)
    assert again.caveats == ()


def test_the_checksum_is_of_everything(two_families: Fit) -> None:
    tree = two_families.dt
    true = checksum(tree)
    assert true == checksum(tree.copy(deep=True))
    for node in tree.subtree:
        for name in node.variables:
            other = tree.copy(deep=True)
            values = other[node.path].to_dataset(inherit=False)
            if not values[name].size:
                continue
            changed = values[name].values.copy().ravel()
            last = {"b": not changed[-1], "U": "x"}.get(changed.dtype.kind)
            changed[-1] = last if last is not None else 2 * changed[-1] + 1
            values[name] = values[name].dims, changed.reshape(values[name].shape)
            other[node.path].dataset = values
            assert checksum(other) != true, (node.path, name)
    for name in tree.attrs:
        other = tree.copy()
        other.attrs[name] = "other"
        assert checksum(other) != true, name


def test_a_fit_that_netcdf_would_change_is_not_written(two_families: Fit, tmp_path: Path) -> None:
    tree = two_families.dt.copy()
    for value, said in (("a\0b", "NULL"), ("\ud800", "surrogates"), (b"x", "bytes")):
        tree.attrs["note"] = value
        with pytest.raises(FileError, match=f"cannot write .*{said}"):
            Fit(tree).save(tmp_path / "fit.nc")
    tree.attrs["note"] = "fine"
    tree["flags"].attrs["dtype"] = "a word of NetCDF"
    with pytest.raises(FileError, match="change when they are written"):
        Fit(tree).save(tmp_path / "fit.nc")
    assert not list(tmp_path.iterdir())


def test_flipped_bits(tmp_path: Path) -> None:
    content, path = fits.sound(tmp_path / "sound.nc", ("web",)), tmp_path / "fit.nc"
    for seed in range(80):
        path.write_bytes(fits.flipped(content, fits.seeded(seed)))
        assert fits.holds_the_same(path, content), seed


def test_a_bit_of_a_name_in_the_spec(copy: Path) -> None:
    content = copy.read_bytes()
    assert content.count(b'"noise": "student-t"') == 1
    copy.write_bytes(content.replace(b'"noise": "student-t"', b'"noise": "student-u"'))
    with pytest.raises(FileError, match=r"'student-u' - at `\$\.noise`; its checksum says"):
        load_fit(copy)
    copy.write_bytes(content.replace(b'"source": "data frame"', b'"source": "data gramf"'))
    assert load_fit(copy).law.name == "chinchilla"
    copy.write_bytes(content.replace(b"data frame", b"data fraud"))
    with pytest.raises(FileError, match="not the fit that was saved"):
        load_fit(copy)


def test_a_fit_without_a_checksum_is_reported(copy: Path, tmp_path: Path) -> None:
    with h5py.File(copy, "r+") as file:
        del file.attrs[ATTRIBUTE]
    with pytest.warns(FileWarning, match=r"fit\.nc"):
        loaded = load_fit(copy)
    assert [(c.code, c.subject) for c in loaded.caveats] == [("no-checksum", "fit.nc")]
    # The file written anew has one, and still says where it came from.
    assert load_fit(loaded.save(tmp_path / "again.nc")).caveats == loaded.caveats


def test_the_warnings_of_version_1_are_caveats(copy: Path) -> None:
    texts = ["Rows were excluded on request: 2 flagged 'off-law'."]
    with h5py.File(copy, "r+") as file:
        del file.attrs["caveats"]
        file.attrs["warnings"] = json.dumps(texts)
        file.attrs["schema"] = "bayes_scaling.fit/1"
    copy.write_bytes(fits.sealed(copy.read_bytes()))
    fit = load_fit(copy)
    assert [(c.code, c.text) for c in fit.caveats] == [("version-1", texts[0])]
    with pytest.warns(DeprecationWarning, match=r"Fit\.caveats"):
        assert fit.warnings == tuple(texts)
    assert load_fit(fit.save(copy)).caveats == fit.caveats


@pytest.mark.parametrize("warnings", ["{}", "[1]", "x"])
def test_warnings_of_version_1_that_are_none(warnings: str, copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        del file.attrs["caveats"]
        file.attrs["warnings"] = warnings
        file.attrs["schema"] = "bayes_scaling.fit/1"
    copy.write_bytes(fits.sealed(copy.read_bytes()))
    with pytest.raises(FileError, match="'caveats'"):
        load_fit(copy)


@pytest.mark.parametrize("name", ["checksum", "chucksum"])
@pytest.mark.parametrize("value", ["sha256:" + "0" * 64, "sha256:"])
def test_a_wrong_checksum_under_any_name(name: str, value: str, copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        del file.attrs[ATTRIBUTE]
        file.attrs[name] = value
    with pytest.raises(FileError, match="not the fit that was saved"):
        load_fit(copy)


def _set(name: str, value: Any, place: Any = ...) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][place] = value

    return change


def _typed(name: str, kind: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        values = file[name][()].astype(kind)
        scales = [dim[0].name for dim in file[name].dims]
        del file[name]
        file[name] = values
        for axis, scale in enumerate(scales):
            file[name].dims[axis].attach_scale(file[scale])

    return change


def _without(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def _attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs.pop(name, None)
        file.attrs[name] = value

    return change


ALTERED: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "no posterior of a parameter": (_without("posterior/alpha_N"), "lacks posterior/alpha_N"),
    "no spread": (_without("prior/sigma_spread"), "lacks prior/sigma_spread"),
    "no energy": (_without("sample_stats/energy"), "sample_stats/energy"),
    "no losses": (_without("log_likelihood/loss"), "lacks log_likelihood/loss"),
    "no tokens": (_without("constant_data/tokens"), "lacks constant_data/tokens"),
    "no severity": (_without("flags/severity"), "lacks flags/severity"),
    "NaN": (_set("posterior/alpha_N", np.nan, (0, 0, 0)), "posterior/alpha_N holds nan"),
    "zero": (_set("posterior/floor", 0.0, (1, 3, 0)), "posterior/floor holds 0"),
    "infinity": (_set("prior/A", np.inf, (0, 0, 0)), "prior/A holds inf"),
    "a wide spread": (_set("posterior/A_spread", 99.0, (0, 0)), "posterior/A_spread holds 99"),
    "a negative loss": (_set("observed_data/loss", -1.0, 3), "observed_data/loss holds -1"),
    "no size": (_set("constant_data/params", 0.0, 3), "constant_data/params holds 0"),
    "an unstated input": (
        _set("constant_data/params", np.nan, 3),
        "constant_data/params holds nan",
    ),
    "families the other way round": (
        lambda file: _set("posterior/family", file["posterior/family"][()][::-1])(file),
        "posterior has no coordinate 'family'",
    ),
    "a run twice": (_set("constant_data/run", "r1", 0), "names a run twice"),
    "another run": (_set("log_likelihood/run", "x", 0), "log_likelihood has no coordinate 'run'"),
    "a family of no fit": (_set("constant_data/family", "x", 0), "names 'x'"),
    "draws that fall": (_set("log_prior/draw", 5, 9), "log_prior/draw does not rise"),
    "draws of another name": (_set("log_prior/draw", 99, 59), "log_prior/draw differs"),
    "whole numbers": (_typed("posterior/alpha_N", "i8"), "posterior/alpha_N is not an array"),
    "another reference point": (_set("constant_data/reference_params", 2.0), "reference_params"),
    "another posterior": (
        _set("posterior/sigma", 0.3, (0, 0, 0)),
        "log_likelihood/loss is not that of",
    ),
    "another exponent of compute": (_set("posterior/alpha_C", 0.1, (0, 0, 0)), "alpha_C does not"),
    "a prior that is known": (_set("prior/A_population", 0.3), "prior/A_population is 0.3 in"),
    "an energy that is known": (_set("sample_stats/energy", 3.0), "sample_stats/energy"),
    "other losses": (_set("observed_data/loss", 3.0), "log_likelihood/loss is not that of"),
    "another law": (_attribute("law", "power-c"), "its law is 'power-c'"),
    "another count": (_attribute("count", "layers"), "its count is 'layers'"),
    "caveats that are none": (_attribute("caveats", "{}"), "'caveats' is not a list"),
    "a caveat without a code": (_attribute("caveats", '[{"text": "x"}]'), "field `code`"),
    "versions that are none": (_attribute("versions", '{"a": 1}'), "'versions' is not"),
    "a seed that is none": (_attribute("seed", -1), "'seed' is -1"),
    "a stage without seconds": (_attribute("seconds", '[{"stage": "x"}]'), "field `seconds`"),
    "seconds before it began": (
        _attribute("seconds", '[{"stage": "x", "seconds": -1.0}]'),
        "'seconds' is not as it should be",
    ),
    "seconds that are none": (_attribute("sample_seconds", np.nan), "'sample_seconds' is nan"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_made_up_fit_with_a_right_checksum(name: str, copy: Path) -> None:
    change, said = ALTERED[name]
    with h5py.File(copy, "r+") as file:
        change(file)
    copy.write_bytes(fits.sealed(copy.read_bytes()))
    with pytest.raises(FileError, match=r"fit\.nc is not a whole fit: ") as refused:
        load_fit(copy)
    assert said in str(refused.value)
    assert "altered" not in str(refused.value)


@pytest.mark.parametrize("name", structure.GROUPS)
def test_every_group_is_needed(name: str, copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        del file[name]
    with pytest.raises(FileError, match=f"it lacks {name}; its checksum says"):
        load_fit(copy)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("noise",), "student-u", "'student-u' - at `$.noise`"),
        (("noise",), None, "at `$.noise`"),
        (("families",), ["web", "web"], "families are not distinct"),
        (("families",), [], "families are not distinct"),
        (("pooling", "A"), "some", "'some' - at `$.pooling[...]`"),
        (("pooling", "x"), "none", "pooling has an unknown 'x'"),
        (("reference", "params"), float("nan"), "JSON is malformed"),
        (("reference", "params"), 1e9, "<= 230.0 - at `$.reference[...]`"),
        (("centres", "tokens"), [1.0], "centres.tokens has 1 numbers for 2 families"),
        (("loss_scale",), 0, ">= 1e-100 - at `$.loss_scale`"),
        (("loss_scale",), 10**400, "out of range - at `$.loss_scale`"),
        (("loss_scales",), [1.0], "loss_scales has 1 numbers for 2 families"),
        (("own",), 1, "at `$.own`"),
        (("spread_sd",), "x", "at `$.spread_sd`"),
        (("prior",), "mine", "'mine' - at `$.prior`"),
        (("noise_parameter", "name"), "nu", "noise_parameter"),
        (("nu_parameter", "prior", "sd"), -1, "at `$.nu_parameter.prior.sd`"),
        (("law_parameters", 0, "of_loss"), "yes", "at `$.law_parameters[0].of_loss`"),
        (("discrepancy", "shared"), 1.5, "<= 1.0 - at `$.discrepancy.shared`"),
        (("curvature_share",), 1.5, "<= 1.0 - at `$.curvature_share`"),
        (("curvature_share",), "half", "at `$.curvature_share`"),
        (("discrepancy", "level"), True, "at `$.discrepancy.level`"),
        (("extra",), 1, "unknown field `extra`"),
    ],
)
def test_a_spec_out_of_range(path: tuple[Any, ...], value: object, said: str) -> None:
    content = json.loads(handmade_spec())
    *way, name = path
    place = content
    for step in way:
        place = place[step]
    place[name] = value
    with pytest.raises(ValueError, match=re.escape(said)):
        read_spec(json.dumps(content))


_SPECS: list[str] = []


def handmade_spec() -> str:
    if not _SPECS:
        _SPECS.append(handmade(prior="population").dt.attrs["spec"])
    return _SPECS[0]


@pytest.mark.parametrize("name", sorted(set(laws.available()) - {"farseer"}))
def test_fits_of_every_law_have_the_structure_of_a_fit(name: str) -> None:
    law = laws.get(name)
    truth = {p.name: p.prior.median * (3.0 if p.of_loss else 1.0) for p in law.parameters}
    fit = handmade(name, truth)
    assert read_spec(write_spec(fit.spec, fit.frame)) == (fit.spec, fit.frame)
    assert structure.missing(fit.dt) == []
    assert structure.problem(fit.dt, fit.spec, fit.frame) is None


@pytest.mark.parametrize("pooling", ["shared", "none"])
def test_so_have_fits_that_pool_otherwise(pooling: str) -> None:
    fit = handmade(pooling=pooling, prior="population")
    assert structure.problem(fit.dt, fit.spec, fit.frame) is None
