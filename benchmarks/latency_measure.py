"""Seconds, CPU seconds and peak memory of processes, and the file that keeps them."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from latency_jobs import CHILD, Job

__all__ = ["Checkout", "Results", "Sample", "environment", "measure", "middle"]


@dataclass(frozen=True)
class Sample:
    """What one run of a job took, or why there is nothing.

    Parameters
    ----------
    seconds, cpu : float
        Wall clock, and user and system time, of the process or of the part that is measured.
    memory : float
        Largest resident set of the process, in MB.
    failure : str
        Reason why it did not end well; the numbers hold up to then.
    r_hat, ess, divergences : float, optional
        Of the fit that it made.
    """

    seconds: float
    cpu: float
    memory: float
    failure: str = ""
    r_hat: float | None = None
    ess: float | None = None
    divergences: float | None = None


@dataclass(frozen=True)
class Checkout:
    """A checkout of the package with an environment of its own.

    Parameters
    ----------
    name : str
        "present" or "other".
    path : Path
        Its folder.
    folder : Path
        Where its files are written.
    """

    name: str
    path: Path
    folder: Path

    def program(self, name: str) -> str:
        """Return the path of a program of its environment."""
        return str(self.path / ".venv" / "bin" / name)

    def commit(self) -> str:
        """Return the last commit of the package, with a plus where its files differ from it."""

        def git(*words: str) -> str:
            done = subprocess.run(
                ["git", "-C", str(self.path), *words],  # noqa: S607
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout.strip()

        changed = git("status", "--porcelain", "--untracked-files=no", "--", "bayes_scaling")
        last = git("log", "-1", "--format=%h", "--abbrev=10", "--", "bayes_scaling")
        return last + "+" * bool(changed)

    def command(self, job: Job) -> list[str]:
        """Return the command line of a job, to be run in its folder."""
        if job.inside:
            return [self.program("python"), CHILD, *job.arguments]
        return [self.program("bayes-scaling"), *job.arguments]


@dataclass
class Results:
    """Samples by job and checkout, written as they come.

    Parameters
    ----------
    path : Path
        The JSON file.
    commits : dict
        Commit by name of checkout.
    machine : dict
        Where it was measured.
    samples : dict
        By job, then by name of checkout.
    limit : float
        Seconds after which a job is ended.
    """

    path: Path
    commits: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    limit: float = 0.0
    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Return those of a file, or none if there is no such file."""
        if not path.exists():
            return cls(path)
        plain = json.loads(path.read_text("utf-8"))
        samples = {
            job: {side: [Sample(**one) for one in many] for side, many in sides.items()}
            for job, sides in plain["samples"].items()
        }
        return cls(path, plain["commits"], plain["machine"], plain["limit"], samples)

    def of(self, job: Job, side: str) -> list[Sample]:
        """Return samples of a job in a checkout."""
        return self.samples.get(job.name, {}).get(side, [])

    def add(self, job: Job, side: str, sample: Sample) -> None:
        """Keep a sample, in the file too."""
        self.samples.setdefault(job.name, {}).setdefault(side, []).append(sample)
        plain = {
            "commits": self.commits,
            "machine": self.machine,
            "limit": self.limit,
            "samples": {
                name: {
                    side: [
                        {k: v for k, v in asdict(one).items() if v not in {None, ""}}
                        for one in many
                    ]
                    for side, many in sides.items()
                }
                for name, sides in self.samples.items()
            },
        }
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
        beside.replace(self.path)


def middle(samples: list[Sample]) -> Sample | None:
    """Return the sample of median seconds; one that failed where any did."""
    failed = [one for one in samples if one.failure]
    if failed or not samples:
        return failed[0] if failed else None

    def of(name: str) -> float:
        return float(median(getattr(one, name) for one in samples))

    # Of even numbers the lower: that a fit was one with these figures.
    ranked = sorted(samples, key=lambda one: one.seconds)
    kept = ranked[(len(ranked) - 1) // 2]
    return Sample(
        of("seconds"), of("cpu"), of("memory"), "", kept.r_hat, kept.ess, kept.divergences
    )


def measure(checkout: Checkout, job: Job, limit: float) -> Sample:
    """Run a job once.

    Parameters
    ----------
    checkout : Checkout
        Whose environment runs it.
    job : Job
        What to run.
    limit : float
        Seconds after which it is ended.
    """
    folder = checkout.folder / "jobs"
    saved = folder / "fit.nc"
    saved.unlink(missing_ok=True)
    with environment(checkout, cold=job.cold) as variables:
        sample, printed = _process(checkout.command(job), folder, limit, variables)
    if sample.failure:
        return sample
    if job.inside:
        return Sample(**({"memory": sample.memory} | json.loads(printed.splitlines()[-1])))
    if not job.leaves_fit:
        return sample
    command = [checkout.program("python"), CHILD, "convergence", str(saved)]
    with environment(checkout) as variables:
        judged, printed = _process(command, folder, limit, variables)
    figures = {} if judged.failure else json.loads(printed.splitlines()[-1])
    return Sample(**(asdict(sample) | figures))


@contextmanager
def environment(checkout: Checkout, *, cold: bool = False) -> Iterator[dict[str, str]]:
    """Give the environment of a process, whose caches are those of a checkout or empty.

    Bytecode counts as such a cache: where the environment keeps Python from writing it, every
    start would compile all that it imports, which is no user's case.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if not cold:
        yield kept | {"PYTHONPYCACHEPREFIX": str(checkout.folder / "bytecode")}
        return
    with tempfile.TemporaryDirectory() as empty:
        yield kept | {
            "PYTHONPYCACHEPREFIX": f"{empty}/bytecode",
            "NUMBA_CACHE_DIR": f"{empty}/numba",
            "XDG_CACHE_HOME": f"{empty}/cache",
            "PYTENSOR_FLAGS": f"base_compiledir={empty}/pytensor",
            "MPLCONFIGDIR": f"{empty}/matplotlib",
        }


def _process(
    command: list[str], folder: Path, limit: float, variables: dict[str, str]
) -> tuple[Sample, str]:
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=variables,
            start_new_session=True,
        )
        timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            # The times of this child and its own, and of no other.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        failure = ""
        if seconds >= limit:
            failure = f"> {limit:g} s"
        elif process.returncode:
            said = errors.read().strip().splitlines()
            failure = said[-1] if said else f"exit status {process.returncode}"
        sample = Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, failure)
        return sample, output.read()
