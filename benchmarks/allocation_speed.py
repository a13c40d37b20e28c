"""How long allocation takes, against an optimiser called for every draw.

uv run python benchmarks/allocation_speed.py [FIT.nc]

200 budgets of money, with data and serving to pay for and a limit on size, over 4,000 draws: the
frontier (per-draw optimum, plan of least risk and its losses for each budget), against
scipy.optimize.minimize_scalar for each draw and budget on the same objective. The loop is timed on
a part of the draws and budgets and scaled up; both find the same optima, or it says so.
"""

import argparse
import sys
import time

import numpy as np
from scipy.optimize import minimize_scalar

import bayes_scaling as bs
from bayes_scaling.decisions import Compute, Data, Fixed, Inference, Limits, Scenario
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.budgets.frontier import budget_frontier

BUDGETS = 200
DRAWS, LOOPED = 200, 3
"""Draws and budgets of the loop that is timed."""
REPEATS = 3


def fitted(path: str | None) -> bs.Fit:
    """The fit of a file, or of the bundled runs."""
    if path:
        return bs.load_fit(path)
    return bs.fit(bs.datasets.load("byte_lm"), progress=False)


def loop(here: Problem) -> np.ndarray:
    """The optimum of some draws, one call each."""
    low, high, *_ = here.bounds()
    found = []
    for draw in range(DRAWS):
        values = {name: value[draw] for name, value in here.draws.values.items()}

        def loss(at: float, values: dict[str, float] = values) -> float:
            log_tokens = here.log_tokens(np.array([at]))
            spec, reference = here.draws.spec, here.draws.frame.reference
            x = {
                "params": at - reference["params"],
                "tokens": log_tokens[0] - reference["tokens"],
            }
            return float(spec.law.log_curve(x, values))

        found.append(minimize_scalar(loss, bounds=(low, high), method="bounded").x)
    return np.array(found)


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fit", nargs="?")
    fit = fitted(parser.parse_args().fit)
    scenario = Scenario(
        money_budget=10.0,
        family=fit.families[0],
        target_loss=1.1,
        limits=Limits(max_params=1e9),
        compute=Compute(Fixed(1e12), Fixed(0.4), Fixed(2 / 3600)),
        data=Data(Fixed(1e-8)),
        inference=Inference(Fixed(1e8)),
    )
    factors = np.geomspace(0.01, 10.0, BUDGETS).tolist()
    budget_frontier(fit, scenario, factors=factors[:2])
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        budget_frontier(fit, scenario, factors=factors)
        times.append(time.perf_counter() - began)
    ours = min(times)
    start = problem_from_fit(fit, scenario, 0)
    draws = start.draws.size
    began, away = time.perf_counter(), 0.0
    for factor in factors[:: BUDGETS // LOOPED][:LOOPED]:
        here = start.with_budget(factor)
        away = max(away, float(np.abs(loop(here) - here.optimum[0][:DRAWS]).max()))
    each = (time.perf_counter() - began) / (DRAWS * LOOPED)
    whole = each * draws * BUDGETS
    sys.stdout.write(
        f"{BUDGETS} budgets over {draws} draws: {ours:.2f} s. A loop over draws: {whole:.0f} s "
        f"({1e3 * each:.2f} ms each), {whole / ours:.0f} times as long. Their optima differ by at "
        f"most {away:.1e} in log N.\n"
    )


if __name__ == "__main__":
    main()
