"""Damaged fits, and outputs that cannot be written."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

from bayes_scaling import load_fit
from bayes_scaling.errors import FileError
from tests.cli.conftest import COMMAND, OLD, assert_refused, snapshot
from tests.inference.hostile import SECRET, TRICKS

CONFIGS = "family,params,tokens\nweb,1e9,2e10\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "configs.csv").write_text(CONFIGS, encoding="utf-8")
    (tmp_path / "out.csv").write_bytes(OLD)
    return tmp_path


def _cuts(size):
    return [0, 1, 8, 100, 4096, size // 3, size // 2, size - 4096, size - 1]


@pytest.mark.parametrize("place", range(9))
def test_a_fit_cut_short(place, fit_path, tmp_path):
    content = fit_path.read_bytes()
    (tmp_path / "cut.nc").write_bytes(content[: _cuts(len(content))[place]])
    with pytest.raises(FileError, match=r"cut\.nc"):
        load_fit(tmp_path / "cut.nc")


@pytest.mark.parametrize("name", ["posterior/alpha_N", "observed_data/loss", "log_likelihood/loss"])
def test_numbers_that_are_not_those_written(name, fit_path, tmp_path):
    content = bytearray(fit_path.read_bytes())
    with h5py.File(fit_path) as file:
        chunk = file[name].id.get_chunk_info(0)
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    (tmp_path / "hurt.nc").write_bytes(content)
    with pytest.raises(FileError, match=r"hurt\.nc"):
        load_fit(tmp_path / "hurt.nc")


def test_every_command_refuses_a_damaged_fit(cli, folder, fit_path):
    content = fit_path.read_bytes()
    (folder / "cut.nc").write_bytes(content[: len(content) // 2])
    (folder / "zero.nc").write_bytes(b"")
    (folder / "random.nc").write_bytes(np.random.default_rng(0).bytes(50_000))
    (folder / "scenario.toml").write_text(
        'family = "web"\ncompute_budget = 1e22\n', encoding="utf-8"
    )
    xr.Dataset({"x": ("i", [1.0])}).to_netcdf(folder / "other.nc", engine="h5netcdf")
    before = snapshot(folder)
    jobs = {}
    for name in ("cut.nc", "zero.nc", "random.nc", "other.nc", "gone.nc", "."):
        for words in (
            f"predict {name} --at configs.csv -o out.csv",
            f"diagnose {name}",
            f"allocate {name} --scenario scenario.toml -o out.csv",
            f"report {name} -o out.html",
        ):
            jobs[words] = (words.split(), folder)
    done = cli.in_forks(jobs)
    for words, result in done.items():
        assert_refused(result, words.split()[1])
    assert "other.nc" in done["diagnose other.nc"].errors[0]
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["log_prior", "held_out"])
def test_a_fit_without_a_group(name, fit_path, tmp_path):
    shutil.copy(fit_path, tmp_path / "part.nc")
    with h5py.File(tmp_path / "part.nc", "r+") as file:
        del file[name]
    with pytest.raises(FileError, match=name):
        load_fit(tmp_path / "part.nc")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (None, "it lacks spec"),
        (3, "it lacks spec"),
        ("{", "its spec cannot be read"),
        ("{}", "its spec cannot be read"),
        ("[]", "its spec cannot be read"),
        ('{"law": "ours"}', "its spec cannot be read"),
    ],
)
def test_a_fit_of_another_program(spec, said, fit_path, tmp_path):
    shutil.copy(fit_path, tmp_path / "odd.nc")
    with h5py.File(tmp_path / "odd.nc", "r+") as file:
        del file.attrs["spec"]
        if spec is not None:
            file.attrs["spec"] = spec
    with pytest.raises(FileError, match=rf"odd\.nc.*{said}"):
        load_fit(tmp_path / "odd.nc")


def test_a_fit_of_a_law_that_is_not_known_here(fit_path, tmp_path):
    shutil.copy(fit_path, tmp_path / "odd.nc")
    with h5py.File(tmp_path / "odd.nc", "r+") as file:
        spec = json.loads(file.attrs["spec"])
        del file.attrs["spec"]
        file.attrs["spec"] = json.dumps(spec | {"law": "ours"})
    with pytest.raises(FileError, match=r"odd\.nc.*'ours'"):
        load_fit(tmp_path / "odd.nc")


def test_what_stands_in_other_files_stays_there(cli, folder, fit_path):
    (folder / "secret.txt").write_bytes(SECRET)
    (folder / "scenario.toml").write_text(
        'family = "web"\ncompute_budget = 1e22\n', encoding="utf-8"
    )
    jobs = {}
    for name in ("external_storage_of_text", "external_link_to_a_group", "virtual_dataset"):
        shutil.copy(fit_path, folder / f"{name}.nc")
        with h5py.File(folder / f"{name}.nc", "r+") as file:
            TRICKS[name](file, folder / "secret.txt")
        for words in (
            f"report {name}.nc -o out.html",
            f"export {name}.nc -o tables",
            f"predict {name}.nc --at configs.csv -o out.csv",
            f"diagnose {name}.nc",
            f"allocate {name}.nc --scenario scenario.toml -o plan.json",
            f"compare {fit_path} {name}.nc -o compared.json",
        ):
            jobs[words] = (words.split(), folder)
    before = snapshot(folder)
    for words, result in cli.in_forks(jobs).items():
        assert_refused(result, "is not a fit: ")
        assert "correct horse" not in result.err + result.out, words
    assert snapshot(folder) == before


def test_a_fit_without_a_checksum_is_noted(cli, folder, fit_path):
    shutil.copy(fit_path, folder / "early.nc")
    with h5py.File(folder / "early.nc", "r+") as file:
        del file.attrs["checksum"]
    words = ["predict", "early.nc", "--at", "configs.csv", "-o", "out.csv"]
    done = cli.in_forks({"predict": (words, folder)})["predict"]
    assert done.code == 0
    assert not done.errors
    assert sum("early.nc, which has no checksum" in note for note in done.notes) == 1


def test_outputs_that_cannot_be_written(cli, folder, fit_path):
    (folder / "folder.csv").mkdir()
    long = "x" * 300 + ".csv"
    outputs = {
        "no/folder/out.csv": "no such file or directory",
        "folder.csv": "it is a folder",
        "configs.csv/out.csv": "not a directory",
        "/dev/full": "no space left on device",
        long: "file name too long",
    }
    before = snapshot(folder)
    commands = {
        "predict": f"predict {fit_path} --at configs.csv",
        "fit": "fit configs.csv",
        "report": f"report {fit_path}",
    }
    jobs = {
        f"{name} {output}": ([*words.split(), "-o", output], folder)
        for name, words in commands.items()
        for output in outputs
        if name == "predict" or output != "/dev/full"
    }
    done = cli.in_forks(jobs)
    for name, result in done.items():
        output = name.partition(" ")[2]
        assert_refused(result, f"cannot write {output}: {outputs[output]}")
    assert snapshot(folder) == before
    assert not list((folder / "folder.csv").iterdir())


def _mounted(cli, folder, options, *commands):
    """Run commands where a small file system of its own stands at ``folder / "small"``."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("needs unshare")
    (folder / "small").mkdir()
    own = ["unshare", "--mount"] + (["--user", "--map-root-user"] if os.getuid() else [])
    mount = f"mount -t tmpfs -o {options} tmpfs small"
    if subprocess.run([*own, "sh", "-c", mount], cwd=folder, capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("mounting is not permitted here")
    script = f"{mount} && {'; '.join(commands)}; code=$?; ls -A small >&2; exit $code"
    return cli.execute([*own, "sh", "-c", script], folder)


def test_a_full_disk(cli, folder, fit_path):
    write = f"from bayes_scaling import load_fit; load_fit('{fit_path}').save('small/fit.nc')"
    python = shlex.quote(sys.executable)
    done = _mounted(cli, folder, "size=200k", f"{python} -c {shlex.quote(write)}")
    # The error is the last thing said but for the listing, which is empty.
    assert done.err.splitlines()[-1] == (
        "bayes_scaling.errors.FileError: cannot write small/fit.nc: no space left on device"
    )


def test_a_full_disk_keeps_the_old_output(cli, folder, fit_path):
    many = "family,params,tokens\n" + "web,1e9,2e10\n" * 500
    (folder / "configs.csv").write_text(many, encoding="utf-8")
    done = _mounted(
        cli,
        folder,
        "size=20k",
        "printf old > small/out.csv",
        f"{COMMAND} predict {fit_path} --at configs.csv -o small/out.csv",
        'code=$?; cat small/out.csv; (exit "$code")',
    )
    assert done.code == 2
    assert done.out == "old"
    *_, said, listed = done.err.splitlines()
    assert said == "bayes-scaling: cannot write small/out.csv: no space left on device"
    assert listed == "out.csv"


def test_a_read_only_folder(cli, folder, fit_path):
    words = f"{COMMAND} predict {fit_path} --at configs.csv -o small/out.csv"
    done = _mounted(cli, folder, "ro", words)
    assert_refused(done, "cannot write small/out.csv: read-only file system")


def test_a_link_is_followed(cli, folder, fit_path):
    (folder / "real").mkdir()
    (folder / "link.csv").symlink_to("real/out.csv")
    words = ("predict", fit_path, "--at", "configs.csv", "-o", "link.csv")
    assert cli.in_forks({"link": (words, folder)})["link"].code == 0
    assert (folder / "link.csv").is_symlink()
    assert (folder / "real" / "out.csv").read_text(encoding="utf-8").startswith("family,")
