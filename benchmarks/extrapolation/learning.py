"""Learn the population of a law from many real families: priors, discrepancy, doubt about its form.

uv run python -m benchmarks.extrapolation.learning [--law NAME ...] [--cache FOLDER]

It writes bayes_scaling/model/population.json. Full fits are kept in the cache folder, so that an
interrupted run goes on where it stopped.

*Priors.* Each family is fitted by itself (mode and Laplace approximation), and a random-effects
model over families, in which families of one root weigh as one, gives the median and the sd of each
parameter for a family not yet seen. The sd is shrunk towards the law's own weak prior, as far as so
few roots leave it unknown. Fits and random effects are repeated, each time about the better modes.

*Errors.* Each family is then forecast from its runs below 1/4, 1/8 and 1/30 of its largest compute
by full fits under priors that its root did not inform, once by the law and once by the law with a
quadratic in log sizes. Share of the quadratic, and level, growth and spread of the discrepancy, are
those under which the larger runs have the highest predictive density; one root weighs as one.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit, logsumexp
from scipy.stats import norm

import bayes_scaling as bs
from bayes_scaling import laws
from bayes_scaling.inference.point import fit_point
from bayes_scaling.laws import Law
from bayes_scaling.model import Curvature, Discrepancy, Extent, Population
from bayes_scaling.model.population import SCHEMA
from benchmarks.extrapolation.cases import FEWEST, RATIOS, split
from benchmarks.extrapolation.studies import studies

Floats = NDArray[np.float64]
Tables = Mapping[str, pd.DataFrame]

OUT = Path(bs.__file__).parent / "model" / "population.json"
CACHE = Path("extrapolation-cache")
PSEUDO_ROOTS = 2.0
"""Weight of the weak prior's sd in the estimate of the sd between families, in roots."""
ROUNDS, EM_STEPS = 2, 400
CURVATURE_SD = 0.005
"""Prior sd of the log of a curvature (docs/calibration.md: others scored worse)."""
SHARED = 0.6
"""Correlation between the errors of runs of a family: densities of single runs do not tell it."""
KEPT = 1000
"""Draws of a forecast that are kept."""
KERNEL = 3e-4
"""Sd that smooths the density of a draw, log loss: far below the noise of any study."""
START = np.array([math.log(0.004), 0.4, math.log(0.7), math.log(0.5), logit(0.15)])
START_SD = np.array([1.0, 0.4, 0.5, 0.5, 1.5])
"""Weak priors of log level, noise power, log power, log spread and logit share."""
UNKNOWN = Discrepancy(level=0.004, noise_power=0.4, power=0.7, shared=SHARED, spread=0.5)
COLUMNS_OF_RUNS = ["run", "family", "params", "tokens", "flops", "loss"]
Shape = tuple[float, float, float]


def with_repeats() -> dict[str, pd.DataFrame]:
    """The studies, those that repeat their text with all of their runs."""
    found = {name: rows.assign(unique_tokens=rows["tokens"]) for name, rows in studies().items()}
    for root, dataset in (("datablations", "datablations"), ("byte_lm", "byte_lm_repeats")):
        found = {name: rows for name, rows in found.items() if rows["root"].iloc[0] != root}
        for name, rows in bs.datasets.load(dataset).plausible().table.groupby("family"):
            kept = rows[[*COLUMNS_OF_RUNS, "unique_tokens"]].assign(root=root)
            if len(kept) >= FEWEST:
                found[f"{root} {name}"] = kept.reset_index(drop=True)
    return found


def best_by_compute() -> dict[str, pd.DataFrame]:
    """The best run of each family in each octave of compute."""
    found = {}
    for name, rows in studies().items():
        octave = np.floor(np.log2(rows["flops"]))
        best = rows.loc[rows.groupby(octave)["loss"].idxmin()]
        if len(best) >= FEWEST:
            found[name] = best.reset_index(drop=True)
    return found


LAWS: Mapping[str, Callable[[], dict[str, pd.DataFrame]]] = {
    "chinchilla-gamma": studies,
    "chinchilla": studies,
    "data-constrained": with_repeats,
    "power-c-floor": best_by_compute,
}
"""Laws that have a population, and the families that it is learned from."""


def tables_of(law: str) -> dict[str, pd.DataFrame]:
    """Families from which the population of a law is learned."""
    return LAWS[law]()


def likelihoods(law: Law, tables: Tables) -> dict[str, tuple[Floats, Floats]]:
    """Precision of each family's runs about the log parameters, and precision times their mean.

    What is of the prior of the law is taken off; losses count in units of the typical loss.
    """
    prior = np.diag([1.0 / np.hypot(p.prior.sd, p.prior.spread) ** 2 for p in law.parameters])
    centre = np.log([p.prior.median for p in law.parameters])
    of_loss = np.array([float(p.of_loss) for p in law.parameters])
    found = {}
    for name, rows in tables.items():
        fit = fit_point(law, rows)
        precision = np.linalg.inv(fit.covariance)
        mean = fit.theta - of_loss * math.log(fit.frame.loss_scale)
        found[name] = precision - prior, precision @ mean - prior @ centre
    return found


def random_effects(
    weak: Law, found: Mapping[str, tuple[Floats, Floats]], roots: Mapping[str, str]
) -> dict[str, Shape]:
    """Median of each parameter, how well it is known (sd of the log), and the sd between families.

    By expectation maximisation, from what :func:`likelihoods` found.
    """
    names = list(found)
    own = pd.Series([roots[name] for name in names])
    weight = (1.0 / own.groupby(own).transform("size")).to_numpy()
    precision = np.array([found[name][0] for name in names])
    scaled = np.array([found[name][1] for name in names])
    wide = np.array([np.hypot(p.prior.sd, p.prior.spread) ** 2 for p in weak.parameters])
    centre, between = np.log([p.prior.median for p in weak.parameters]), wide
    for _ in range(EM_STEPS):
        covariance = np.linalg.inv(precision + np.diag(1.0 / between))
        mean = np.einsum("nij,nj->ni", covariance, scaled + centre / between)
        centre = (weight[:, None] * mean).sum(0) / weight.sum()
        variance = np.einsum("nii->ni", covariance)
        learned = (weight[:, None] * (variance + (mean - centre) ** 2)).sum(0) / weight.sum()
        # Roots that inform a parameter: one whose runs say nothing of it has the variance between.
        informed = (weight[:, None] * np.maximum(1.0 - variance / between, 0.0)).sum(0)
        between = (informed * learned + PSEUDO_ROOTS * wide) / (informed + PSEUDO_ROOTS)
    known = between / np.maximum(informed, 1.0)
    return {
        p.name: (round(math.exp(m), 4), round(math.sqrt(k), 4), round(math.sqrt(v), 4))
        for p, m, k, v in zip(
            weak.parameters, centre.tolist(), known.tolist(), between.tolist(), strict=True
        )
    }


def learn_priors(law: Law, tables: Tables, without: str | None = None) -> dict[str, Shape]:
    """Priors of a law from the families of all roots but one."""
    used = {n: rows for n, rows in tables.items() if rows["root"].iloc[0] != without}
    roots = {n: str(rows["root"].iloc[0]) for n, rows in used.items()}
    present, priors = law, {}
    for _ in range(ROUNDS):
        priors = random_effects(law, likelihoods(present, used), roots)
        present = Population(law.name, priors, UNKNOWN, ()).applied(law)
    return priors


@dataclass(frozen=True)
class Ahead:
    """Forecasts of a family's runs beyond those fitted, draw by draw.

    Attributes
    ----------
    root : str
        Its root.
    ratio : float
        Its largest compute over the largest that was fitted.
    log_loss, distance : (run,) array
        What came of them, and how far they lie beyond the fitted runs, natural log.
    curves : (component, run, draw) array
        Log of the curve by the law, and by the law with its quadratic.
    sigma, nu : (component, draw) array
        Noise of the family.
    """

    root: str
    ratio: float
    log_loss: Floats
    distance: Floats
    curves: Floats
    sigma: Floats
    nu: Floats

    @property
    def thinned(self) -> "Ahead":
        """Every fourth draw: enough for densities of hundreds of runs."""
        curves, sigma, nu = (value[..., ::4] for value in (self.curves, self.sigma, self.nu))
        return replace(self, curves=curves, sigma=sigma, nu=nu)


def forecasts(law: Law, tables: Tables, cache: Path, curvature_sd: float) -> list[Ahead]:
    """Forecast every family under priors that its root did not inform, keeping results."""
    found, priors = [], {}
    for name, rows in tables.items():
        root = str(rows["root"].iloc[0])
        for ratio in RATIOS:
            small, large = (part.reset_index(drop=True) for part in split(rows, ratio))
            if not len(large):
                continue
            path = cache / f"{law.name}-{curvature_sd:g}" / f"{name}-{ratio:g}.npz"
            if not path.exists():
                if root not in priors:
                    priors[root] = learn_priors(law, tables, root)
                path.parent.mkdir(parents=True, exist_ok=True)
                made = _forecast(law, priors[root], curvature_sd, small, large)
                np.savez(path, **made)
                sys.stderr.write(f"{law.name} {name} {ratio:g}\n")
            with np.load(path) as kept:
                found.append(Ahead(root=root, ratio=ratio, **{n: kept[n] for n in kept.files}))
    return found


def _forecast(
    law: Law, priors: Mapping[str, Shape], sd: float, small: pd.DataFrame, large: pd.DataFrame
) -> dict[str, Floats]:
    curves, sigma, nu = [], [], []
    for curvature in (None, Curvature(1.0, sd)):
        population = Population(law.name, priors, UNKNOWN, (), curvature)
        fit = bs.fit(small, law, prior=population, progress=False)
        losses = fit.predict(large.drop(columns=["loss", "root"])).loss_curve
        curve = np.log(losses.transpose("point", "chain", "draw").to_numpy())
        curve = curve.reshape(len(large), -1)
        step = max(curve.shape[1] // KEPT, 1)
        curves.append(curve[:, ::step])
        sigma.append(fit.posterior["sigma"].to_numpy().reshape(-1)[::step])
        nu.append(fit.posterior["nu"].to_numpy().reshape(-1)[::step])
    logs = (np.log(large[name].to_numpy(np.float64)) for name in ("params", "tokens", "flops"))
    return {
        "log_loss": np.log(large["loss"].to_numpy(np.float64)),
        "distance": Extent.of(small).distance(*logs),
        "curves": np.stack(curves),
        "sigma": np.stack(sigma),
        "nu": np.stack(nu),
    }


@dataclass(frozen=True)
class Errors:
    """What is learned of a law's errors: discrepancy, and share of the quadratic."""

    level: float
    noise_power: float
    power: float
    spread: float
    share: float

    @classmethod
    def of(cls, v: Floats) -> "Errors":
        """From unbounded numbers."""
        level, power, spread = np.exp(v[[0, 2, 3]])
        return cls(level, v[1], power, spread, expit(v[4]))

    @property
    def rounded(self) -> "Errors":
        """Four digits after the point."""
        return Errors(*(round(float(number), 4) for number in astuple(self)))

    @property
    def discrepancy(self) -> Discrepancy:
        """The discrepancy."""
        return Discrepancy(self.level, self.noise_power, self.power, SHARED, self.spread)


@dataclass(frozen=True)
class Scorer:
    """Predictive densities of what came of forecasts, the same random numbers for any errors."""

    ahead: tuple[Ahead, ...]
    noise: tuple[Floats, ...]
    scale: tuple[Floats, ...]

    @classmethod
    def of(cls, ahead: Iterable[Ahead]) -> "Scorer":
        """Draw the random numbers."""
        rng, ahead = np.random.default_rng(0), tuple(each.thinned for each in ahead)
        noise = []
        for each in ahead:
            t = np.clip(rng.standard_t(each.nu[:, None, :], each.curves.shape), -20, 20)
            noise.append(each.sigma[:, None, :] * t)
        scale = [rng.normal(size=each.sigma.shape) for each in ahead]
        return cls(ahead, tuple(noise), tuple(scale))

    def log_density(self, errors: Errors) -> Floats:
        """Mean log predictive density of the runs of each forecast."""
        return np.array([self._one(i, errors) for i in range(len(self.ahead))])

    def _one(self, i: int, errors: Errors) -> float:
        each, shares = self.ahead[i], np.log([1.0 - errors.share, errors.share])
        log_scale = errors.discrepancy.log_scale(np.log(each.sigma)) + errors.spread * self.scale[i]
        growth = errors.discrepancy.growth(each.distance)
        variance = (np.exp(log_scale)[:, None, :] * growth[None, :, None]) ** 2 + KERNEL**2
        left = each.log_loss[None, :, None] - each.curves - self.noise[i]
        density = -0.5 * (left**2 / variance + np.log(2 * np.pi * variance))
        by_part = logsumexp(density, axis=2) - math.log(density.shape[2])
        return float(logsumexp(by_part + shares[:, None], axis=0).mean())

    def macro(self, errors: Errors, without: str | None = None) -> float:
        """Mean over roots, each that of its families and distances."""
        roots = [each.root for each in self.ahead]
        found = pd.Series(self.log_density(errors)).groupby(roots).mean()
        return float(found.drop(without, errors="ignore").mean() if without else found.mean())


def as_searched(errors: Errors) -> Errors:
    """The errors themselves."""
    return errors


def learn_errors(
    scorer: Scorer, without: str | None = None, way: Callable[[Errors], Errors] = as_searched
) -> Errors:
    """The errors under which the runs of all roots but one have the highest predictive density.

    So few roots do not tell them well: the spread of the scale contains how well the level is
    known, and the share is its mean, by the normal approximation at the mode. A way changes errors
    before they are scored, to hold some of them fixed.
    """
    roots = {each.root for each in scorer.ahead} - {without}

    def lost(v: Floats) -> float:
        away = (v - START) / START_SD
        # A root counts as three runs: what its families and distances share is one error.
        return 0.5 * float(away @ away) - 3 * len(roots) * scorer.macro(way(Errors.of(v)), without)

    simplex = np.vstack([START, START + 0.5 * np.diag(START_SD)])
    options = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 0.01, "maxiter": 400}
    mode = minimize(lost, START, method="Nelder-Mead", options=options).x
    sd = np.sqrt(np.diag(np.linalg.inv(_curvature(lost, mode))))
    known = Errors.of(mode)
    share = expit(mode[4] + sd[4] * norm.ppf((np.arange(101) + 0.5) / 101)).mean()
    return way(replace(known, spread=math.hypot(known.spread, sd[0]), share=share)).rounded


def _curvature(lost: Callable[[Floats], float], mode: Floats) -> Floats:
    """Second derivatives at the mode, by central differences over a tenth of the prior's sd."""
    steps = np.diag(0.1 * START_SD)
    found = np.empty(steps.shape)
    for i, one in enumerate(steps):
        for j, other in enumerate(steps[: i + 1]):
            ends = [lost(mode + a * one + b * other) for a in (1, -1) for b in (1, -1)]
            both = one.sum() * other.sum()
            found[i, j] = found[j, i] = (ends[0] - ends[1] - ends[2] + ends[3]) / (4 * both)
    return found


def learn(
    name: str,
    tables: Tables,
    without: str | None = None,
    *,
    cache: Path = CACHE,
    curvature_sd: float = CURVATURE_SD,
) -> Population:
    """Learn the population of a law, without the families of one root if asked for.

    Parameters
    ----------
    name : str
        Name of the law.
    tables : mapping of str to pandas.DataFrame
        Families by name, as :func:`benchmarks.extrapolation.studies.studies` has them.
    without : str, optional
        A root that must not inform it.
    cache : Path
        Folder where full fits are kept.
    curvature_sd : float
        Prior sd of the log of a curvature.
    """
    law = laws.get(name)
    errors = learn_errors(Scorer.of(forecasts(law, tables, cache, curvature_sd)), without)
    used = [n for n, rows in tables.items() if rows["root"].iloc[0] != without]
    return Population(
        name,
        learn_priors(law, tables, without),
        errors.discrepancy,
        tuple(used),
        Curvature(errors.share, curvature_sd),
    )


def main() -> None:
    """Learn each law's population and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--law", nargs="+", default=list(LAWS))
    parser.add_argument("--cache", type=Path, default=CACHE)
    given = parser.parse_args()
    for name in given.law:
        tables = tables_of(name)
        roots = sorted({str(rows["root"].iloc[0]) for rows in tables.values()})
        whole = learn(name, tables, cache=given.cache).to_dict()
        others = {root: learn(name, tables, root, cache=given.cache).to_dict() for root in roots}
        # Read again, since laws may be learned side by side.
        shipped = json.loads(OUT.read_text(encoding="utf-8"))["laws"]
        shipped[name] = whole | {"without": others}
        made = {"schema": SCHEMA, "made_by": "benchmarks/extrapolation/learning.py"}
        text = json.dumps(made | {"laws": shipped}, separators=(",", ":"))
        # A line a law and a root: readable, and a tenth of the lines of indented numbers.
        text = text.replace('{"priors"', '\n{"priors"')
        OUT.write_text(text + "\n", encoding="utf-8")
        sys.stderr.write(f"{name}: {whole}\n")


if __name__ == "__main__":
    main()
