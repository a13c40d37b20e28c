"""Folders of tables are of one export, whatever kills the process that writes them."""

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256

import numpy as np
import pytest

from bayes_scaling.core import temporary_files as _leftovers
from bayes_scaling.core.data_package import DESCRIPTOR, write_package
from bayes_scaling.core.files import write_bytes
from bayes_scaling.core.temporary_files import neighbour
from bayes_scaling.errors import FileError

NAMES = [f"table{n}.csv" for n in range(6)]

WRITER = """
import itertools, os, sys, time
from pathlib import Path
from bayes_scaling.core.files import write_bytes
from bayes_scaling.core.data_package import write_package

def write(folder, export, names):
    def fill(part):
        for name in names:
            write_bytes(part / name, f"{export} {name}".encode())
    files = [{"path": name, "name": name} for name in names]
    write_package(Path(folder), {"name": "test", "resources": files}, fill)

folder, names = sys.argv[1], sys.argv[3:]
"""

FOREVER = """
print("ready", flush=True)
for export in itertools.count():
    write(folder, export, names[: 3 + export % 4])
"""

# A process for every rename, which ends there without any cleaning up.
EVERYWHERE = """
rename = Path.rename
for last in range(int(sys.argv[2])):
    process = os.fork()
    if not process:
        calls = itertools.count()
        def counted(self, target):
            if next(calls) == last:
                os._exit(9)
            return rename(self, target)
        Path.rename = counted
        write(f"{folder}{last}", "new", names)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


def write(folder, export, names=NAMES):
    def fill(part):
        for name in names:
            write_bytes(part / name, f"{export} {name}".encode())

    files = [{"path": name, "name": name} for name in names]
    return write_package(folder, {"name": "test", "resources": files}, fill)


def seen(folder):
    """Visible files and what they hold."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if not path.name.startswith(".")
    }


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def check_is_of_one_export(folder):
    """The exports that tables are of, and whether the descriptor vouches for all of them."""
    files = seen(folder)
    text = files.pop(DESCRIPTOR, None)
    exports = {content.split()[0] for content in files.values()}
    assert len(exports) <= 1
    if text is not None:
        listed = {one["path"]: one["hash"] for one in json.loads(text)["resources"]}
        held = {
            name: f"sha256:{sha256(content.encode()).hexdigest()}"
            for name, content in files.items()
        }
        assert listed == held
    return exports, text is not None


def run(script, *args):
    return [sys.executable, "-c", WRITER + script, *map(str, args)]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_at_random(tmp_path):
    folder = tmp_path / "tables"
    for pause in np.random.default_rng(0).uniform(0.0, 0.05, 6):
        process = subprocess.Popen(run(FOREVER, folder, 0, *NAMES), stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
        check_is_of_one_export(folder)
    write(folder, "last")
    assert check_is_of_one_export(folder) == ({"last"}, True)
    assert hidden(folder) == []
    assert set(seen(folder)) == {*NAMES, DESCRIPTOR}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_ended_at_every_rename(tmp_path):
    # Seven old ones, one without a successor, seven new ones.
    count = 7 + 1 + 7
    for last in range(count + 1):
        write(tmp_path / f"t{last}", "old", [*NAMES, "plans.csv"])
        (tmp_path / f"t{last}" / "mine.txt").write_text("old mine")
    done = subprocess.run(
        run(EVERYWHERE, tmp_path / "t", count + 1, *NAMES),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["9"] * count + ["0"]
    for last in range(count + 1):
        folder = tmp_path / f"t{last}"
        assert (folder / "mine.txt").read_text() == "old mine"
        (folder / "mine.txt").unlink()
        exports, vouched = check_is_of_one_export(folder)
        assert vouched == (last in {0, count})
        assert exports <= ({"old"} if last < 8 else {"new"})
        write(folder, "next")
        assert check_is_of_one_export(folder) == ({"next"}, True)
        assert hidden(folder) == []
        assert "plans.csv" not in seen(folder)


@pytest.mark.parametrize("fails", range(15))
def test_an_error_puts_all_back(tmp_path, monkeypatch, fails):
    folder = write(tmp_path / "tables", "old", [*NAMES, "plans.csv"])
    before = seen(folder)
    rename, calls = type(folder).rename, []

    def broken(self, target):
        calls.append(target)
        if len(calls) == fails + 1:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(type(folder), "rename", broken)
    with pytest.raises(FileError):
        write(folder, "new")
    assert seen(folder) == before
    assert hidden(folder) == []


def test_files_of_others_stay(tmp_path):
    folder = write(tmp_path / "tables", "old", [*NAMES, "plans.csv", "edited.csv"])
    (folder / "mine").mkdir()
    (folder / "mine" / "runs.csv").write_text("mine")
    (folder / "edited.csv").write_text("edited since")
    write(folder, "new")
    assert (folder / "mine" / "runs.csv").read_text() == "mine"
    assert (folder / "edited.csv").read_text() == "edited since"
    assert not (folder / "plans.csv").exists()
    (folder / "runs.csv").write_text("mine")
    before = [path.read_bytes() for path in sorted(folder.glob("*.*"))]
    with pytest.raises(FileError, match=r"runs\.csv"):
        write(folder, "newer", [*NAMES, "runs.csv"])
    assert [path.read_bytes() for path in sorted(folder.glob("*.*"))] == before
    other = tmp_path / "package"
    other.mkdir()
    (other / DESCRIPTOR).write_text('{"name": "of somebody else", "resources": []}')
    with pytest.raises(FileError, match="package"):
        write(other, "new")


def test_a_descriptor_cannot_name_files_elsewhere(tmp_path):
    folder = write(tmp_path / "tables", "old")
    victim = tmp_path / "victim.csv"
    victim.write_text("mine")
    content = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    digest = f"sha256:{sha256(b'mine').hexdigest()}"
    content["resources"].append({"path": "../victim.csv", "hash": digest})
    (folder / DESCRIPTOR).write_text(json.dumps(content), encoding="utf-8")
    write(folder, "new")
    assert victim.read_text() == "mine"
    assert check_is_of_one_export(folder) == ({"new"}, True)


def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_leftovers_of_the_dead_are_cleared_and_those_of_the_living_not(tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    alive = neighbour(path)
    alive.touch()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", dead)
        left, folder, other = neighbour(path), neighbour(path), neighbour(tmp_path / "other.nc")
        patch.setattr(_leftovers, "_machine", lambda: "0" * 8)
        elsewhere, old = neighbour(path), neighbour(path)
    for made in (left, other, elsewhere, old):
        made.touch()
    folder.mkdir()
    (folder / "store").touch()
    os.utime(old, (0, time.time() - 2 * 86400))
    mine = [tmp_path / name for name in (".fit.nc.part", ".fit.nc.notes.part", "fit.nc.part")]
    for made in mine:
        made.touch()
    write_bytes(path, b"new")
    assert set(tmp_path.iterdir()) == {path, alive, other, elsewhere, *mine}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_file_that_was_being_written_leaves_nothing_for_long(tmp_path):
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    script = (
        "import sys, time\nfrom bayes_scaling.core.files import write_via\n"
        "def fill(part):\n    part.write_bytes(b'half')\n    print('ready', flush=True)\n"
        "    time.sleep(60)\nwrite_via(sys.argv[1], fill)"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert len(hidden(tmp_path)) == 1
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new")
    assert [left.name for left in tmp_path.iterdir()] == ["out.json"]
