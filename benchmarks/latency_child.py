"""One task of ``latency.py`` inside a process, on any version of the package.

    python benchmarks/latency_child.py TASK ARGUMENTS...

Prints its figures as JSON. Only names that version 0.1 has too are used, so that a newer
checkout can be timed beside an older one, each by its own Python.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import bayes_scaling as bs

Figures = dict[str, float]


def timed(task: Callable[[], Any]) -> tuple[Any, Figures]:
    """Return what a task returns, and its seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = task()
    return done, {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def convergence(fit: bs.Fit) -> Figures:
    """Largest R-hat and smallest ESS of the parameters of a fit, and its divergences."""
    import arviz as az

    draws = fit.posterior
    constant = [name for name, value in draws.items() if float(np.ptp(value.to_numpy())) == 0.0]
    draws = draws.drop_vars(constant)
    ess = [az.ess(draws, method=method) for method in ("bulk", "tail")]
    return {
        "r_hat": max(float(value.max()) for value in az.rhat(draws).values()),
        "ess": min(float(value.min()) for one in ess for value in one.values()),
        "divergences": float(fit.dt["sample_stats"]["diverging"].sum()),
    }


def loaded_convergence(path: str) -> Figures:
    """Of a saved fit."""
    return convergence(bs.load_fit(path))


def fit_of(path: str, law: str, draws: str) -> Figures:
    """Fit a table, or a bundled data set, in this process."""
    runs = bs.datasets.load(path) if path in bs.datasets.names() else bs.load_runs(path)
    fit, figures = timed(lambda: bs.fit(runs, law, draws=int(draws), seed=0, progress=False))
    return figures | convergence(fit)


def second_fit(first: str, second: str) -> Figures:
    """Fit a table after another one of other size."""
    bs.fit(first, seed=0, progress=False)
    fit, figures = timed(lambda: bs.fit(second, seed=0, progress=False))
    return figures | convergence(fit)


def calibration(path: str, replications: str) -> Figures:
    """Simulation-based calibration of the default law."""
    from bayes_scaling.inference.diagnostics.sbc import sbc

    return timed(lambda: sbc(path, replications=int(replications), progress=False))[1]


def updates(path: str, end: str, count: str) -> Figures:
    """Mean of verdicts on a curve that grows by a point at a time, the first one not counted."""
    from bayes_scaling.curves import Watch, load_curves

    curve = load_curves(path, t="step").curves[0]
    watching = Watch(float(end))
    ends = curve.t[-int(count) - 1 :]
    watching.judge(curve.until(ends[0]))
    figures = timed(lambda: [watching.judge(curve.until(t)) for t in ends[1:]])[1]
    return {name: value / len(ends[1:]) for name, value in figures.items()}


TASKS: dict[str, Callable[..., Figures]] = {
    "convergence": loaded_convergence,
    "fit": fit_of,
    "second-fit": second_fit,
    "sbc": calibration,
    "updates": updates,
}


def main() -> None:
    """Parse, do, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("arguments", nargs="*")
    parsed = parser.parse_args()
    sys.stdout.write(json.dumps(TASKS[parsed.task](*parsed.arguments)) + "\n")


if __name__ == "__main__":
    main()
