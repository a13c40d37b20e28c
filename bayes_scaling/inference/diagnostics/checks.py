"""Diagnostic checks of a fit, each with its statistic, its limit and a sentence."""

from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.records import Record, about
from bayes_scaling.inference.convergence import energy_fraction
from bayes_scaling.inference.diagnostics.information import components_of
from bayes_scaling.inference.diagnostics.pareto_smoothing import leave_one_out
from bayes_scaling.inference.sampler import ESS_MIN, RHAT_MAX
from bayes_scaling.inference.tree import thinned_alike

__all__ = [
    "PARETO_K_MAX",
    "Check",
    "Loo",
    "Status",
    "correlation_check",
    "divergence_places",
    "energies",
    "loo_check",
    "prior_check",
    "sampling_checks",
]

BFMI_MIN = 0.3
PARETO_K_MAX = 0.7
CORRELATION_MAX = 0.98
"""Thresholds of Betancourt 2016 (E-BFMI) and Vehtari et al. 2024 (Pareto k); ours: at a correlation
of 0.98 the other parameter takes away four fifths of a parameter's uncertainty."""

Status = Literal["ok", "untested", "warn", "fail"]


class Check(Record, frozen=True, kw_only=True):
    """One check of a fit: what was measured, its limit, and what to do."""

    name: Annotated[str, about("What is checked.")]
    status: Annotated[
        Status,
        about(
            "fail: numbers of the fit should not be used; untested: too few runs for the check, "
            "which says nothing in favour of the fit."
        ),
    ]
    value: Annotated[float | None, about("What was measured; null where nothing was.")]
    limit: Annotated[float | None, about("What it is compared with.")]
    message: Annotated[str, about("One sentence, with advice unless ok.")]

    @classmethod
    def of(cls, name: str, status: Status, value: float, limit: float, message: str) -> Self:
        """Make a check of its fields in order."""
        return cls(name=name, status=status, value=value, limit=limit, message=message)


class Loo(Record, frozen=True, kw_only=True):
    """Leave-one-out of the loss by Pareto smoothed importance sampling."""

    elpd: Annotated[
        float | None, about("Expected log predictive density; higher is better.", "log density")
    ]
    se: Annotated[float | None, about("Standard error of elpd.", "log density")]
    p: Annotated[float | None, about("Effective number of parameters.")]
    pareto_k_max: Annotated[float | None, about("Largest Pareto k.")]
    pareto_k_high: Annotated[int, about("Runs with a Pareto k above 0.7.", ge=0)]
    runs: Annotated[int, about("Fitted runs.", ge=0)]


def sampling_checks(dt: xr.DataTree, parameters: pd.DataFrame) -> list[Check]:
    """Check divergences, R-hat, effective draws, energy and stuck chains.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    parameters : pandas.DataFrame
        As :func:`bayes_scaling.inference.diagnostics.parameter_table.parameter_table` makes it.
    """
    return [
        _divergences(dt),
        _rhat(parameters),
        _effective(parameters),
        _energy(dt),
        _stuck(dt),
    ]


def _divergences(dt: xr.DataTree) -> Check:
    diverging = dt["sample_stats"]["diverging"]
    count, total = int(diverging.sum()), diverging.size
    status: Status = "ok" if not count else "warn" if count <= total / 1000 else "fail"
    advice = f"{_where(dt)} Raise target_accept, or give tighter priors." if count else ""
    return Check.of("divergences", status, count, 0, f"{count} of {total} draws diverged.{advice}")


def _where(dt: xr.DataTree) -> str:
    """Where divergences lie: the parameters that are far from their medians in these draws."""
    found = divergence_places(dt)
    if not found:
        return ""
    sides = [f"{name} is {'low' if far < 0 else 'high'}" for name, far in found]
    return f" They lie where {' and '.join(sides)}."


def divergence_places(dt: xr.DataTree, most: int = 2) -> list[tuple[str, float]]:
    """Find the parameters in whose tails divergences lie.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    most : int
        How many to return.

    Returns
    -------
    list of tuple of str and float
        Parameters whose median over divergent draws is one standard deviation or more from that
        of all, with the distance in standard deviations; the furthest first. None where thinning
        has left out which draws diverged.
    """
    posterior = dt["posterior"].to_dataset()
    diverging = dt["sample_stats"]["diverging"].to_numpy()
    if diverging.shape != (posterior.sizes["chain"], posterior.sizes["draw"]):
        return []
    found = []
    for name, value in posterior.data_vars.items():
        # Parameters that are not numbers, or do not vary, have no tails.
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = np.log(value.transpose("chain", "draw", ...).to_numpy())
            draws = draws.reshape(*diverging.shape, -1)
            middle, spread = np.median(draws, axis=(0, 1)), draws.std(axis=(0, 1))
            far = (np.median(draws[diverging], axis=0) - middle) / spread
        labels = value["family"].to_numpy() if "family" in value.dims else [None]
        named = (str(name) if label is None else f"{name}[{label}]" for label in labels)
        found += list(zip(named, map(float, far), strict=True))
    found = [(name, far) for name, far in found if abs(far) >= 1.0]
    return sorted(found, key=lambda pair: -abs(pair[1]))[:most]


def _rhat(parameters: pd.DataFrame) -> Check:
    worst = float(parameters["r_hat"].max(skipna=False))
    # Written so that a NaN fails.
    good = worst <= RHAT_MAX
    where = parameters["r_hat"].fillna(np.inf).idxmax()
    advice = "" if good else " The chains disagree: sample longer."
    text = f"The largest R-hat is {worst:.3f} ({where}).{advice}"
    return Check.of("R-hat", "ok" if good else "fail", worst, RHAT_MAX, text)


def _effective(parameters: pd.DataFrame) -> Check:
    bulk = float(parameters["ess_bulk"].min(skipna=False))
    tail = float(parameters["ess_tail"].min(skipna=False))
    least = float(np.minimum(bulk, tail))
    status: Status = "ok" if least >= ESS_MIN else "warn" if least >= ESS_MIN / 4 else "fail"
    advice = "" if status == "ok" else " Draw more."
    text = (
        f"The smallest effective number of draws is {bulk:.0f} (bulk) and {tail:.0f} (tail)."
        f"{advice}"
    )
    return Check.of("effective draws", status, least, ESS_MIN, text)


def _energy(dt: xr.DataTree) -> Check:
    bfmi = min(float(energy_fraction(energy).min()) for energy in energies(dt))
    good = bfmi >= BFMI_MIN
    advice = "" if good else " Tails may be missed: give tighter priors, or draw more."
    text = f"The smallest energy fraction is {bfmi:.2f}.{advice}"
    return Check.of("E-BFMI", "ok" if good else "warn", bfmi, BFMI_MIN, text)


def energies(dt: xr.DataTree) -> list[NDArray[np.float64]]:
    """Return the energies of each component of a mixture, which have nothing to do with another's.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.

    Returns
    -------
    list of (chain, draw) array
        One where the posterior is no mixture.
    """
    energy = dt["sample_stats"]["energy"].transpose("chain", "draw").to_numpy()
    # The same in every chain.
    found = components_of(dt, energy.size).reshape(energy.shape)[0]
    return [energy[:, found == number] for number in np.unique(found)]


def _stuck(dt: xr.DataTree) -> Check:
    chains = _stuck_chains(dt)
    text = (
        f"Chain {', '.join(map(str, chains))} stayed at a far lower likelihood than the others."
        if chains
        else "All chains reached the same likelihood."
    )
    return Check.of("stuck chains", "fail" if chains else "ok", len(chains), 0, text)


def _stuck_chains(dt: xr.DataTree) -> list[int]:
    """Chains whose mean log likelihood lies far below the best one's, in units of its scatter."""
    total = dt["log_likelihood"].to_dataset()["loss"].sum("run")
    best = int(np.argmax(total.mean("draw").values))
    scatter = float(total.isel(chain=best).std("draw"))
    behind = (total.isel(chain=best).mean("draw") - total.mean("draw")) / max(scatter, 1.0)
    return [int(chain) for chain in dt["posterior"]["chain"] if float(behind.sel(chain=chain)) > 10]


def loo_check(dt: xr.DataTree) -> tuple[Loo, Check]:
    """Compute PSIS-LOO of the loss, and whether single runs decide the fit."""
    result = leave_one_out(thinned_alike(dt))
    k, elpd = result.pareto_k, float(result.elpd.sum())
    high = int((k > PARETO_K_MAX).sum())
    values = Loo(
        elpd=elpd,
        se=result.se,
        p=float(result.lppd.sum()) - elpd,
        pareto_k_max=float(k.max()),
        pareto_k_high=high,
        runs=int(k.size),
    )
    if not high:
        text = f"No run sways the fit by itself (largest Pareto k {float(k.max()):.2f})."
        return values, Check.of("LOO", "ok", 0, 0, text)
    where = str(dt["log_likelihood"]["run"].to_numpy()[int(np.argmax(k))])
    text = (
        f"{high} of {k.size} runs have a Pareto k above {PARETO_K_MAX}, run {where!r} most: the "
        "fit leans on single runs, so look at them."
    )
    return values, Check.of("LOO", "warn", high, 0, text)


def prior_check(table: pd.DataFrame) -> Check:
    """Check how many parameters of families depend on the prior.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`bayes_scaling.inference.diagnostics.parameter_table.with_sensitivity` makes it.
    """
    of_families = table[
        ~table.index.str.contains("_population|_spread|^nu$|^discrepancy|^curvature_", regex=True)
    ]
    led = of_families[of_families["source"] != "data"]
    mostly = of_families[of_families["source"] == "mostly prior"]
    text = "Scaling the priors up or down hardly moves the parameters."
    if len(led):
        text = f"The prior matters for {len(led)} of {len(of_families)} parameters ({_few(led)})."
    if len(mostly):
        text += f" {len(mostly)} of them {'are' if len(mostly) > 1 else 'is'} mostly prior"
        text += f" ({_few(mostly)})." if len(mostly) < len(led) else "."
    return Check.of("prior sensitivity", "warn" if len(mostly) else "ok", len(led), 0, text)


def _few(table: pd.DataFrame) -> str:
    return ", ".join(table.index[:4]) + (" and more" if len(table) > 4 else "")


def correlation_check(table: pd.DataFrame) -> Check:
    """Check whether two parameters of a family are known only together.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`bayes_scaling.inference.diagnostics.information.correlations` makes it.
    """
    if not len(table):
        return Check.of("identifiability", "ok", 0.0, CORRELATION_MAX, "There is one parameter.")
    first = table.iloc[0]
    value = abs(float(first["correlation"]))
    pair = f"{first['first']} and {first['second']} of family {first['family']!r}"
    known = value <= CORRELATION_MAX
    advice = "." if known else ": only a combination of the two is known, so quote neither alone."
    text = f"The most correlated pair is {pair} ({float(first['correlation']):.2f}){advice}"
    return Check.of("identifiability", "ok" if known else "warn", value, CORRELATION_MAX, text)
