"""The jobs that ``latency.py`` times: those of the table, and those that show how costs grow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latency_tables import CURVE_END

from bayes_scaling.laws import DEFAULT, available

__all__ = ["GROUPS", "JOBS", "Job", "Kind"]

Kind = Literal["table", "runs", "families", "laws", "draws"]
CHILD = str(Path(__file__).with_name("latency_child.py"))
_UPDATES = 13
_DRAWS = 1000


@dataclass(frozen=True)
class Job:
    """One thing that is timed.

    Parameters
    ----------
    name : str
        How it is chosen.
    says : str
        What it is, in the table.
    arguments : tuple of str
        Of the command line of the package, or of a task of ``latency_child.py``.
    inside : bool
        Whether it is such a task, which measures a part of its process.
    needs : str
        File that must be there.
    leaves_fit : bool
        Whether ``fit.nc`` of the job's folder is a fit, whose convergence is reported.
    cold : bool
        Whether caches of compiled code are empty.
    kind : str
        "table", or what grows; jobs of the latter are timed in this checkout alone.
    size : int
        How much of it.
    """

    name: str
    says: str
    arguments: tuple[str, ...]
    inside: bool = False
    needs: str = ""
    leaves_fit: bool = False
    cold: bool = False
    kind: Kind = "table"
    size: int = 0


def _fit(name: str, says: str, table: str, *, cold: bool = False) -> Job:
    command = ("fit", table, "-o", "fit.nc", "--seed", "0")
    return Job(name, says, command, needs=table, leaves_fit=True, cold=cold)


def _growth(
    kind: Kind, size: int, table: str, *, label: str = "", law: str = DEFAULT, draws: int = _DRAWS
) -> Job:
    label = label or str(size)
    needs = table if table.endswith(".csv") else ""
    return Job(
        f"{kind}-{label}",
        label,
        ("fit", table, law, str(draws)),
        inside=True,
        needs=needs,
        kind=kind,
        size=size,
    )


def _jobs() -> tuple[Job, ...]:
    saved = "../saved.nc"
    table = [
        _fit("fit", "`fit`: the bundled runs", "runs.csv"),
        Job(
            "loop",
            "the second fit of a loop, of a table of other size",
            ("second-fit", "runs.csv", "part.csv"),
            inside=True,
        ),
        _fit("first", "the first `fit` of a machine, nothing compiled", "runs.csv", cold=True),
        _fit("grid", "`fit`: a public grid, D = 20 N in every run", "grid.csv"),
        _fit("grid-simulated", "the same design, simulated", "grid-simulated.csv"),
        _fit("few", "`fit`: ten public families of 3 or 4 runs, D = 100 N", "few.csv"),
        _fit("few-simulated", "ten simulated families of 3 to 5 runs", "few-simulated.csv"),
        _fit("families500", "`fit`: 500 families of 12 runs", "families500.csv"),
        *(
            _fit(f"runs{n}", f"`fit`: one family of {n:,} runs", f"runs{n}.csv")
            for n in (1_000, 10_000, 100_000)
        ),
        Job(
            "predict",
            "`predict`: six points",
            ("predict", saved, "--at", "at.csv", "-o", "forecast.csv"),
        ),
        Job(
            "allocate",
            "`allocate`",
            ("allocate", saved, "--scenario", "scenario.toml", "-o", "p.json"),
        ),
        Job(
            "marginal",
            "`marginal`",
            (
                "marginal",
                saved,
                "--params",
                "1e6",
                "--tokens",
                "5e7",
                "--family",
                "prose",
                "-o",
                "m.json",
            ),
        ),
        Job("diagnose", "`diagnose`", ("diagnose", saved)),
        Job(
            "report",
            "`report` of a fit and a plan",
            ("report", saved, "../plan.json", "-o", "r.html"),
        ),
        Job(
            "monitor",
            "`monitor`: one verdict on 93 points",
            ("monitor", "curve.csv", "--t", "step", "--end", str(CURVE_END), "-o", "v.json"),
        ),
        Job(
            "update",
            "the next verdict in the same process",
            ("updates", "curve.csv", str(CURVE_END), str(_UPDATES)),
            inside=True,
        ),
        *(
            Job(
                f"sbc{n}",
                f"simulation-based calibration, {n} tables of 20 runs",
                ("sbc", "calibration.csv", str(n)),
                inside=True,
            )
            for n in (10, 20, 40)
        ),
    ]
    growth = [
        *(_growth("runs", n, f"runs{n}.csv") for n in (50, 100, 200, 400, 800, 1600, 3000)),
        *(_growth("families", n, f"families{n}.csv") for n in (1, 2, 5, 10, 20, 50)),
        *(_growth("laws", i, "byte_lm", label=law, law=law) for i, law in enumerate(available())),
        *(_growth("draws", n, "runs.csv", draws=n) for n in (250, 500, 1000, 2000, 4000)),
    ]
    return (*table, *growth)


JOBS = {job.name: job for job in _jobs()}
GROUPS: tuple[Kind, ...] = ("table", "runs", "families", "laws", "draws")
"""Names of many jobs."""
