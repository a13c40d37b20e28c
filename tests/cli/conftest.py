"""The installed command, run as users run it, and one small fit that all tests read."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest

from bayes_scaling.model import simulate

FAMILIES = ("web", "код <b>../x")
"""The second one is legal, and must come through tables, fits and reports as it is."""
TRUTH = {
    FAMILIES[0]: {"floor": 1.8, "A": 400.0, "B": 1500.0, "alpha_N": 0.34, "alpha_D": 0.37},
    FAMILIES[1]: {"floor": 1.1, "A": 300.0, "B": 900.0, "alpha_N": 0.34, "alpha_D": 0.36},
}
COMMAND = Path(sys.executable).with_name("bayes-scaling")
OLD = b"what stood here before"


@dataclass(frozen=True)
class Done:
    """What a finished command said."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines on standard error that are neither notes nor progress."""
        said = ("bayes-scaling: note: ", "bayes_scaling: ")
        return [line for line in self.err.splitlines() if not line.startswith(said)]

    @property
    def notes(self) -> list[str]:
        start = "bayes-scaling: note: "
        return [line for line in self.err.splitlines() if line.startswith(start)]


class Cli:
    """Runs the installed command."""

    def __init__(self, scratch: Path, bytecode: Path) -> None:
        self.scratch = scratch
        self.env = os.environ | {"PYTHONWARNINGS": "default"}
        if sys.dont_write_bytecode:
            # Every start would compile all that it imports.
            self.env["PYTHONPYCACHEPREFIX"] = str(bytecode)
            self.env.pop("PYTHONDONTWRITEBYTECODE", None)

    def __call__(self, *words: object, cwd: Path, **options: object) -> Done:
        return self.execute([COMMAND, *words], cwd, **options)

    def execute(self, words: Iterable[object], cwd: Path, **options: object) -> Done:
        done = subprocess.run(
            list(map(str, words)),
            cwd=cwd,
            env=self.env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
            **options,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def in_forks(self, jobs: dict[str, tuple[list[str], Path]]) -> dict[str, Done]:
        """Run many commands without paying for the imports of each; see ``forks``."""
        return {name: self._fork(words, cwd) for name, (words, cwd) in jobs.items()}

    @cached_property
    def _server(self) -> subprocess.Popen[str]:
        words = [sys.executable, Path(__file__).with_name("forks.py")]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, env=self.env, stdin=pipe, stdout=pipe, text=True)

    def _fork(self, words: list[str], cwd: Path) -> Done:
        out, err = self.scratch / "out", self.scratch / "err"
        out.unlink(missing_ok=True)
        err.unlink(missing_ok=True)
        job = {"words": list(map(str, words)), "cwd": str(cwd), "out": str(out), "err": str(err)}
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Done(code, out.read_text("utf-8"), err.read_text("utf-8"))

    def close(self) -> None:
        if "_server" in vars(self):
            self._server.communicate()

    def at_once(self, jobs: dict[str, Callable[[], Done]]) -> dict[str, Done]:
        """Run independent commands side by side."""
        with ThreadPoolExecutor(os.process_cpu_count()) as pool:
            running = {name: pool.submit(job) for name, job in jobs.items()}
            return {name: job.result() for name, job in running.items()}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes that run these tests together."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Cli]:
    command = Cli(tmp_path_factory.mktemp("scratch"), shared / "bytecode")
    yield command
    command.close()


@pytest.fixture(scope="session")
def runs() -> pd.DataFrame:
    sizes = [
        (family, params, params * ratio)
        for family in FAMILIES
        for params in (1e7, 3e7, 1e8, 3e8)
        for ratio in (8.0, 20.0, 60.0)
    ]
    design = pd.DataFrame(sizes, columns=["family", "params", "tokens"])
    table = simulate("chinchilla", design, TRUTH, noise=0.004, seed=3)
    return table.drop(columns=["loss_curve", "flops"])


@pytest.fixture(scope="session")
def fitted(cli: Cli, runs: pd.DataFrame, shared: Path) -> Done:
    """The one command that samples, with every option that the contract names."""
    folder, said = shared / "fit", shared / "said.json"
    words = "fit runs.csv -o fit.nc --law chinchilla --seed 7 --draws 200 --tune 300 --chains 2"
    with (shared / "lock").open("w") as lock:
        # The first process that needs it fits, and the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            folder.mkdir()
            runs.rename(columns={"params": "weights"}).to_csv(folder / "runs.csv", index=False)
            done = cli(*words.split(), "--column", "params=weights", cwd=folder)
            said.write_text(json.dumps(asdict(done)), "utf-8")
    done = Done(**json.loads(said.read_text("utf-8")))
    assert done.code == 0, done.err
    assert {path.name for path in folder.iterdir()} == {"runs.csv", "fit.nc"}
    return done


@pytest.fixture(scope="session")
def fit_path(fitted: Done, shared: Path) -> Path:
    return shared / "fit" / "fit.nc"


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def assert_refused(done: Done, *said: str) -> None:
    """Exit status 2 and one sentence that says all of ``said``."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert len(done.errors) == 1, done.err
    assert done.errors[0].startswith("bayes-scaling: ")
    for words in said:
        assert words in done.errors[0]
