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
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling import laws
from bayes_scaling.inference.point import fit_point
from bayes_scaling.laws import Law
from bayes_scaling.model import Curvature, Discrepancy, Extent, Population
from bayes_scaling.model.population import SCHEMA
from benchmarks.extrapolation.cases import FEWEST, RATIOS, split
from benchmarks.extrapolation.law_errors import SHARED, Ahead, Floats, Scorer, learn_errors
from benchmarks.extrapolation.studies import studies

Tables = Mapping[str, pd.DataFrame]

OUT = Path(bs.__file__).parent / "model" / "population.json"
CACHE = Path("extrapolation-cache")
PSEUDO_ROOTS = 2.0
"""Weight of the weak prior's sd in the estimate of the sd between families, in roots."""
ROUNDS, EM_STEPS = 2, 400
"""How often families are fitted again, and steps of the random effects each time."""
CURVATURE_SD = 0.005
"""Prior sd of the log of a curvature; ``alternatives.py --sd`` compares others."""
KEPT = 1000
"""Draws of a forecast that are kept."""
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
