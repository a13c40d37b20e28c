"""Comparison of laws: how well they predict the fitted runs, and forecast larger ones."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat, unique
from bayes_scaling.core.progress import OTHER, Progress, ProgressOption
from bayes_scaling.errors import DataError
from bayes_scaling.forecast.evaluation.backtest_laws import backtest
from bayes_scaling.forecast.evaluation.backtest_result import Backtest
from bayes_scaling.forecast.evaluation.comparison_caveats import of_forecasts, of_loo
from bayes_scaling.forecast.evaluation.comparison_result import Comparison
from bayes_scaling.forecast.evaluation.model_average import stacking_weights
from bayes_scaling.forecast.evaluation.thresholds import check_ratio
from bayes_scaling.inference import Fit, fit
from bayes_scaling.inference.diagnostics.checks import PARETO_K_MAX
from bayes_scaling.inference.diagnostics.pareto_smoothing import leave_one_out
from bayes_scaling.inference.tree import thinned_alike
from bayes_scaling.laws import Law
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.laws.log_quadratic import curvature_names, without_quadratic
from bayes_scaling.laws.registry import each, get
from bayes_scaling.model import Curvature, Population, Spec
from bayes_scaling.model.spec import NOISE
from bayes_scaling.runs import ACCEPTABLE, Runs, load_runs
from bayes_scaling.runs.load_runs_table import Count, recount

__all__ = ["compare"]


def compare(
    source: Any,
    laws: Sequence[str | Law] = ("chinchilla", "chinchilla-gamma"),
    *,
    ratio: float | None = 8.0,
    counts: Sequence[Count] = (),
    seed: int = 0,
    progress: ProgressOption = True,
    **options: Any,
) -> Comparison:
    """Compare laws on the same runs, or fits of the same losses.

    Two questions, which need not have one answer: how well a law predicts a run like those it was
    fitted to (PSIS leave-one-out, Vehtari et al. 2017, arXiv:1507.04544), and how well, fitted to
    the smaller runs, it forecasts the larger ones. The second is what a forecast needs.

    Parameters
    ----------
    source : Runs, pandas.DataFrame, path, or fits
        A table of runs; or fits, in a sequence (named by their laws) or a mapping by name.
    laws : sequence of str or Law
        Laws to fit to a table of runs; of no effect on fits.
    ratio : float or None
        Runs above a family's largest compute over ``ratio`` are held out for the second question;
        None leaves it out. Needs one more fit a law.
    counts : sequence of {"params", "params_nonemb"}
        Ways to count N, each tried with every law; of no effect on fits. By default that of the
        table.
    seed : int
        Seed of the fits.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.
    **options
        Passed to :func:`bayes_scaling.inference.fit`.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        If there are fewer than two fits, they are not of the same losses, or the ratio is not
        above 1.

    Examples
    --------
    >>> found = bs.compare("runs.csv", ["chinchilla", "chinchilla-gamma"])  # doctest: +SKIP
    >>> found.table[["elpd_diff", "dse", "weight_held_out"]]  # doctest: +SKIP
    >>> found.average().predict(params=1e9, tokens=2e10, family="web")  # doctest: +SKIP
    """
    if ratio is not None:
        check_ratio(ratio)  # before anything that takes long
    fits = _named(source)
    wanted = {} if fits else _wanted(source, laws, counts)
    total = len(wanted) + (len(fits or wanted) if ratio is not None else 0)
    shown = Progress.of(progress)
    tested, untested = None, []
    with shown.stage(OTHER, "fitting laws", total, "fits") as stage:
        if fits is None:
            fits = {}
            for name, (law, table) in wanted.items():
                fits[name] = fit(table, law, seed=seed, progress=shown, **options)
                stage.advance()
        _same_losses(fits)
        with shown.stage("leave-one-out"):
            result = _loo(fits)
        if ratio is not None:
            try:
                tested = _held_out(fits, ratio, seed, options | {"progress": shown}, stage.advance)
                result = result.join(_scores(tested))
            except DataError as error:
                text = f"Larger runs were not held out: {error}."
                untested = [Caveat(code="not-held-out", severity="warning", text=text)]
    ordered = {str(name): fits[str(name)] for name in result.index}
    caveats = (*of_loo(result), *(of_forecasts(result, tested) if tested else ()), *untested)
    return Comparison.of(ordered, result, caveats, tested)


def _wanted(
    source: Any, laws: str | Law | Sequence[str | Law], counts: Sequence[Count]
) -> dict[str, tuple[Law, Runs]]:
    """What is to be fitted, by the name of the fit."""
    tables = _counted(source, counts)
    candidates = [laws] if isinstance(laws, str | Law) else laws
    each(candidates)  # refuses two laws of one name
    by_name = {law if isinstance(law, str) else law.name: get(law) for law in candidates}
    found = {
        name + (f" ({count})" if len(tables) > 1 else ""): (law, table)
        for name, law in by_name.items()
        for count, table in tables.items()
    }
    _at_least_two(list(found))
    for law in by_name.values():
        check_law(law)
    return found


def _counted(source: Any, counts: Sequence[Count]) -> dict[str, Runs]:
    """The runs under each way to count N."""
    if not counts:
        table = load_runs(source)
        return {table.count: table}
    tables = {str(count): recount(source, count) for count in dict.fromkeys(counts)}
    first, *others = tables.values()
    for other in others:
        if len(other) != len(first):
            raise DataError("rows differ between the two counts, so their losses do not compare")
    return tables


def _named(source: Any) -> dict[str, Fit] | None:
    """Fits by name; None for what is no collection of fits."""
    if isinstance(source, Mapping) and all(isinstance(value, Fit) for value in source.values()):
        fits = {str(name): value for name, value in source.items()}
    elif isinstance(source, Sequence) and not isinstance(source, str) and source:
        if not all(isinstance(value, Fit) for value in source):
            kinds = sorted({type(value).__name__ for value in source})
            raise DataError(f"a sequence of fits is needed; this one holds {', '.join(kinds)}")
        names = [value.law.name for value in source]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise DataError(
                f"two fits are of law {twice[0]!r}; give a mapping with a name for each"
            )
        fits = dict(zip(names, source, strict=True))
    else:
        return None
    _at_least_two(list(fits))
    return fits


def _at_least_two(names: list[str]) -> None:
    if len(names) < 2:
        raise DataError(f"there is nothing to compare {', '.join(names) or 'none'} with; give two")


def _same_losses(fits: Mapping[str, Fit]) -> None:
    (first, reference), *others = fits.items()
    for name, other in others:
        mine, theirs = reference.runs, other.runs
        units = reference.loss_unit(), other.loss_unit()
        if units[0] != units[1]:
            raise DataError(f"{first!r} has losses in {units[0]}, {name!r} in {units[1]}")
        if list(mine["run"]) != list(theirs["run"]) or not np.array_equal(
            mine["loss"], theirs["loss"]
        ):
            raise DataError(
                f"{first!r} and {name!r} were not fitted to the same losses "
                f"({len(mine)} and {len(theirs)} runs); fit both to one table"
            )


def _loo(fits: Mapping[str, Fit]) -> pd.DataFrame:
    import arviz_stats as azs

    with warnings.catch_warnings():
        # The warning says what the column of Pareto k says.
        warnings.simplefilter("ignore", UserWarning)
        each = {name: _pointwise(value) for name, value in fits.items()}
        ranked = azs.compare(each, method="stacking", round_to="none")
    high = [int((each[name].pareto_k > PARETO_K_MAX).sum()) for name in ranked.index]
    return pd.DataFrame(
        {
            "elpd": ranked["elpd"].astype(float),
            "se": ranked["se"].astype(float),
            "elpd_diff": ranked["elpd_diff"].astype(float),
            "dse": ranked["dse"].astype(float),
            "p": ranked["p"].astype(float),
            "pareto_k_high": high,
            "weight_loo": ranked["weight"].astype(float).clip(lower=0.0),
            "r_hat": [float(fits[name].summary()["r_hat"].max()) for name in ranked.index],
            "divergences": [
                int(fits[name].dt["sample_stats"]["diverging"].sum()) for name in ranked.index
            ],
        },
        index=pd.Index([str(name) for name in ranked.index], name="name"),
    ).assign(weight_loo=lambda table: table["weight_loo"] / table["weight_loo"].sum())


def _pointwise(fit: Fit) -> Any:
    """Leave-one-out of a fit as ArviZ has it, of a mixture by component."""
    import arviz_stats as azs

    tree = thinned_alike(fit.dt)
    whole, found = azs.loo(tree, pointwise=True), leave_one_out(tree)
    elpd = float(found.elpd.sum())
    return replace(
        whole,
        elpd=elpd,
        se=found.se,
        p=float(found.lppd.sum()) - elpd,
        elpd_i=whole.elpd_i.copy(data=found.elpd),
        pareto_k=whole.pareto_k.copy(data=found.pareto_k),
    )


def _held_out(
    fits: Mapping[str, Fit],
    ratio: float,
    seed: int,
    options: Mapping[str, Any],
    on_fit: Callable[[], None],
) -> Backtest:
    """Each fit made again without the largest runs, and scored on them."""
    parts = []
    for name, value in fits.items():
        # They were fitted, so what looked wrong in them was accepted.
        runs = load_runs(value.runs, accept=ACCEPTABLE)
        own = _options(value.spec) | dict(options)
        part = backtest(runs, [without_quadratic(value.law)], ratio=ratio, seed=seed, **own)
        parts.append((part, name))
        on_fit()
    first = parts[0][0]
    return Backtest.of(
        pd.concat([part.points.assign(law=name) for part, name in parts]),
        pd.concat([part.scores.assign(law=name) for part, name in parts]),
        ratios=first.ratios,
        split=first.split,
        runs_hash=first.runs_hash,
        skipped=first.skipped,
        caveats=unique(caveat for part, _ in parts for caveat in part.caveats),
    )


def _options(spec: Spec) -> dict[str, Any]:
    """Options of a fit of the same model."""
    priors = {p.name: p.prior for p in spec.parameters}
    curved, known = curvature_names(spec.law), spec.discrepancy
    # The width of a quadratic counts until priors of its parameters replace it.
    curvature = Curvature(spec.curvature_share, priors[curved[0]].spread) if curved else None
    return {
        "prior": Population(spec.law.name, {}, known, (), curvature) if known else "weak",
        "pooling": {name: kind for name, kind in spec.pooling.items() if name not in curved},
        "noise": spec.noise,
        "priors": {name: priors[name] for name in (*curved, NOISE.name)},
    }


def _scores(tested: Backtest) -> pd.DataFrame:
    """Scores by law, families of equal weight, and stacking weights on the held-out runs."""
    columns = ["log_score", "crps", "coverage_90", "bias"]
    families = tested.scores[tested.scores["family"] != "all"]
    table = families.groupby("law", sort=False)[columns].mean()
    points = tested.points.assign(place=tested.points.groupby("law").cumcount())
    densities = points.pivot_table(index="place", columns="law", values="log_score")[table.index]
    family = points.loc[points["law"] == table.index[0], "family"]
    weight = 1.0 / family.groupby(family).transform("size")
    weights = stacking_weights(densities.to_numpy(), weight.to_numpy())
    return table.assign(weight_held_out=weights)
