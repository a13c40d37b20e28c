"""Learn the population priors and the discrepancy of each law from many real families.

uv run python benchmarks/population.py                       a draft, from point fits
uv run python benchmarks/calibration.py --only default -o draft.csv
uv run python benchmarks/population.py --errors draft.csv     the population that is shipped

It writes bayes_scaling/model/population.json.

Each family is fitted by itself with the law's own weak priors (a point fit and its Laplace
approximation). A random-effects model over families, in which families of one root weigh as one,
gives the median and sd of each parameter for a family not yet seen; the sd is shrunk towards the
weak prior's as far as so few roots leave it unknown. With these priors every family is then
forecast from its smaller runs (rolling origin), and the discrepancy is what the errors ask for
beyond noise and the uncertainty of the curve, by maximum likelihood. Posteriors err more than
point fits with their normal approximation say, so the default law's discrepancy is learned a
second time from the errors of full fits, each under a population that knows nothing of its root.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from bayes_scaling import laws
from bayes_scaling.inference.point import PointFit, fit_point
from bayes_scaling.inference.rolling import NOISE_TAILS, SPAN, Step, log_evidence, rolling_steps
from bayes_scaling.model import Discrepancy, Population
from bayes_scaling.model.population import SCHEMA
from benchmarks.extrapolation.studies import studies as load

LAWS = ("chinchilla-gamma", "chinchilla")
OUT = Path(__file__).resolve().parents[1] / "bayes_scaling" / "model" / "population.json"
PSEUDO_ROOTS = 2.0
"""Weight of the weak prior's sd in the estimate of the sd between families, in roots."""
ROUNDS = 200
RATIOS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
START = (np.log(0.004), 0.3, np.log(0.5), 0.3, np.log(0.5))
START_SD = (1.0, 0.3, 0.5, 1.0, 0.3)
"""Mean and sd of weak priors on log level, noise power, log power, logit shared, log spread."""
WIDTH_90 = 3.29
COMMON = 0.64
"""Share of a forecast's variance that a family's large runs have in common: the curve's."""
UNKNOWN = Discrepancy(0.004, 0.3, 0.5, 0.5, 0.5)
RUNS_WORTH = 8.0
"""A step's log density counts as that of so many runs, so that no study outweighs the others."""


def point_fits(law: laws.Law, tables: dict[str, pd.DataFrame]) -> dict[str, PointFit]:
    """Every family by itself, with the law's own priors."""
    return {name: fit_point(law, rows) for name, rows in tables.items()}


def random_effects(
    law: laws.Law, fits: dict[str, PointFit], roots: dict[str, str]
) -> dict[str, tuple[float, float, float]]:
    """Median of each parameter over families, its standard error, and the sd between families.

    On the log; one root weighs as one. The median is known as well as so many roots make it.
    """
    names = list(fits)
    of_loss = np.array([p.of_loss for p in law.parameters])
    relative = np.array([np.log(fits[n].frame.loss_scale) * of_loss for n in names])
    mean = np.array([fits[n].theta for n in names]) - relative
    variance = np.array([np.diag(fits[n].covariance) for n in names])
    families = pd.Series([roots[n] for n in names])
    weight = (1.0 / families.groupby(families).transform("size")).to_numpy()[:, None]
    count = families.nunique()
    between = np.array([p.prior.sd**2 for p in law.parameters])
    for _ in range(ROUNDS):
        precision = weight / (variance + between)
        centre = (precision * mean).sum(0) / precision.sum(0)
        shrunk = 1.0 / (1.0 / between + 1.0 / variance)
        moved = shrunk * (centre / between + mean / variance)
        between = (weight * (shrunk + (moved - centre) ** 2)).sum(0) / weight.sum()
    weak = np.array([p.prior.sd**2 for p in law.parameters])
    pooled = (count * between + PSEUDO_ROOTS * weak) / (count + PSEUDO_ROOTS)
    return {
        p.name: (
            round(float(np.exp(c)), 4),
            round(float(np.sqrt(v / count)), 4),
            round(float(np.sqrt(v)), 4),
        )
        for p, c, v in zip(law.parameters, centre, pooled, strict=True)
    }


def learn_discrepancy(steps: dict[str, list[Step]]) -> Discrepancy:
    """Maximum likelihood with weak priors; every family weighs the same."""

    def built(v: np.ndarray) -> Discrepancy:
        return Discrepancy(
            level=float(np.exp(v[0])),
            noise_power=float(v[1]),
            power=float(np.exp(v[2])),
            shared=float(expit(v[3])),
            spread=float(np.exp(v[4])),
        )

    def lost(v: np.ndarray) -> float:
        known, total = built(v), 0.0
        for own in steps.values():
            if own:
                runs = np.mean([len(step.error) for step in own])
                evidence = log_evidence(known, own) * min(1.0, RUNS_WORTH / runs)
                total += float(logsumexp(evidence - 0.5 * SPAN**2))
        away = (v - np.array(START)) / np.array(START_SD)
        return 0.5 * float(away @ away) - total

    simplex = np.vstack([START, np.array(START) + 0.5 * np.diag(START_SD)])
    options = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 0.02, "maxiter": 500}
    found = minimize(lost, START, method="Nelder-Mead", options=options)
    best = built(found.x)
    return Discrepancy(**{name: round(value, 4) for name, value in vars(best).items()})


def from_posteriors(errors: pd.DataFrame, draft: Discrepancy) -> Discrepancy:
    """Level, power and spread that the errors of full fits ask for beyond their own intervals.

    Parameters
    ----------
    errors : pandas.DataFrame
        Rows of ``calibration.py``: family, ratio, distance, error, width, noise.
    draft : Discrepancy
        Its noise power and shared part are kept.
    """
    steps: dict[str, list[Step]] = {}
    for (family, ratio), rows in errors.groupby(["family", "ratio"]):
        sd, noise = rows["width"].to_numpy() / WIDTH_90, float(rows["noise"].iloc[0])
        # A step adds the noise, which the interval has in it already.
        alone = (NOISE_TAILS * noise) ** 2
        alone += (1 - COMMON) * sd**2 - np.minimum(alone, 0.3 * sd**2)
        step = Step(
            float(str(ratio)),
            rows["distance"].to_numpy(),
            -rows["error"].to_numpy(),
            np.sqrt(COMMON) * sd[:, None],
            alone,
            noise,
        )
        steps.setdefault(str(family), []).append(step)
    learned = learn_discrepancy(steps)
    return replace(learned, noise_power=draft.noise_power, shared=draft.shared)


def learn(
    name: str,
    tables: dict[str, pd.DataFrame],
    without: str | None = None,
    errors: pd.DataFrame | None = None,
) -> Population:
    """The population of a law, without the families of one root if asked for."""
    law = laws.get(name)
    used = {n: rows for n, rows in tables.items() if rows["root"].iloc[0] != without}
    roots = {n: str(rows["root"].iloc[0]) for n, rows in used.items()}
    fits = point_fits(law, used)
    steps: dict[str, list[Step]] = {}
    for root in sorted(set(roots.values())):
        # A family must not have informed the prior under which its errors are taken.
        others = {n: fit for n, fit in fits.items() if roots[n] != root}
        foreign = Population(name, random_effects(law, others, roots), UNKNOWN, tuple(others))
        applied = foreign.applied(law)
        for n, rows in used.items():
            if roots[n] == root:
                (steps[n],) = rolling_steps(applied, rows, RATIOS).values()
    priors = random_effects(law, fits, roots)
    known = learn_discrepancy(steps)
    if errors is not None and name == laws.DEFAULT:
        known = from_posteriors(errors[errors["root"] != without], known)
    return Population(name, priors, known, tuple(used))


def read_errors(path: Path) -> pd.DataFrame:
    """Errors of the default method from results of calibration.py."""
    table = pd.read_csv(path)
    return table[table["method"] == "default"]


def main() -> None:
    """Learn each law's population and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", type=Path, help="Results of calibration.py under the draft.")
    path = parser.parse_args().errors
    errors = read_errors(path) if path else None
    tables = load()
    content = {
        "schema": SCHEMA,
        "made_by": "benchmarks/population.py",
        "laws": {name: learn(name, tables, errors=errors).to_dict() for name in LAWS},
    }
    OUT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(OUT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
