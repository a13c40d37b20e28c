"""Whether a posterior can be trusted, and what to do if not."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

if TYPE_CHECKING:
    from bayes_scaling.inference.fit import Fit

__all__ = ["Check", "Diagnosis", "diagnose", "parameter_table"]

RHAT_MAX = 1.01
ESS_MIN = 400
BFMI_MIN = 0.3
PARETO_K_MAX = 0.7
"""Thresholds of Vehtari et al. 2021 (R-hat, ESS), Betancourt 2016 (E-BFMI), Vehtari et al. 2024
(Pareto k)."""

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One check: what was measured, what is asked, and what to do.

    Attributes
    ----------
    name : str
        What is checked.
    status : {"ok", "warn", "fail"}
        "fail": the numbers of this fit should not be used.
    value : float
        What was measured.
    limit : float
        What it is compared with.
    message : str
        One sentence, with advice unless ok.
    """

    name: str
    status: Status
    value: float
    limit: float
    message: str


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """The verdict on a fit.

    Attributes
    ----------
    checks : tuple of Check
        Sampling, fit to the data, and influence.
    parameters : pandas.DataFrame
        One row a parameter: estimates, ESS, R-hat, power-scaling sensitivity, status, advice.
    loo : dict
        PSIS-LOO: elpd, se, p, number of runs with Pareto k above the limit, the largest k.
    predictive : pandas.DataFrame
        By family: share of runs inside their 50% and 90% posterior predictive intervals, and the
        rank correlation of residuals with compute, with its p-value.
    """

    checks: tuple[Check, ...]
    parameters: pd.DataFrame
    loo: dict[str, float]
    predictive: pd.DataFrame

    @property
    def status(self) -> Status:
        """The worst status of any check."""
        found = {check.status for check in self.checks}
        return "fail" if "fail" in found else "warn" if "warn" in found else "ok"

    @property
    def verdict(self) -> str:
        """One sentence for a reader who will not look at the table."""
        bad = [check for check in self.checks if check.status != "ok"]
        if self.status == "ok":
            return "The sampler converged and the model reproduces the data it was fitted to."
        if self.status == "fail":
            first = next(check for check in bad if check.status == "fail")
            return f"Do not use this fit: {first.message}"
        return "Usable with care: " + " ".join(check.message for check in bad)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        parameters = self.parameters.rename_axis("parameter").reset_index()
        return {
            "status": self.status,
            "verdict": self.verdict,
            "checks": [vars(check) | {} for check in self.checks],
            "loo": self.loo,
            "parameters": _records(parameters),
            "predictive": _records(self.predictive),
        }

    def __str__(self) -> str:
        lines = [f"{self.status.upper()}: {self.verdict}", ""]
        lines += [f"  {c.status:<5} {c.name:<22} {c.message}" for c in self.checks]
        shown = self.parameters.drop(columns="advice")
        return "\n".join([*lines, "", shown.to_string(float_format="{:.4g}".format)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        import html

        items = "".join(
            f"<li><b>{html.escape(c.name)}</b> ({c.status}): {html.escape(c.message)}</li>"
            for c in self.checks
        )
        table = self.parameters.to_html(float_format="{:.4g}".format)
        return f"<p>{html.escape(self.verdict)}</p><ul>{items}</ul>{table}"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_dict(orient="records")  # type: ignore[assignment]
    return [{str(k): _plain(v) for k, v in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def parameter_table(dt: xr.DataTree, ci_prob: float = 0.9) -> pd.DataFrame:
    """Posterior of every parameter with its convergence, and a status in words.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    ci_prob : float
        Probability of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        Index: ``name[family]`` or ``name``.
    """
    lower, upper = (1 - ci_prob) / 2, (1 + ci_prob) / 2
    table = az.summary(dt, ci_prob=ci_prob, ci_kind="eti", round_to="none")
    medians = az.summary(dt, kind="stats_median", ci_prob=ci_prob, round_to="none")
    low, high = (name for name in table.columns if name.startswith("eti"))
    result = pd.DataFrame(
        {
            "mean": table["mean"],
            "sd": table["sd"],
            "median": medians["median"],
            f"q{100 * lower:02.0f}": table[low],
            f"q{100 * upper:02.0f}": table[high],
            "ess_bulk": table["ess_bulk"],
            "ess_tail": table["ess_tail"],
            "r_hat": table["r_hat"],
        }
    )
    result["status"] = [_parameter_status(row) for _, row in result.iterrows()]
    return result


def _parameter_status(row: "pd.Series[Any]") -> str:
    # Written so that a NaN fails too.
    if not row["r_hat"] <= RHAT_MAX:
        return "chains disagree"
    if not row["ess_bulk"] >= ESS_MIN:
        return "too few effective draws"
    if not row["ess_tail"] >= ESS_MIN:
        return "tails poorly known"
    return "ok"


_ADVICE = {
    "chains disagree": "Sample longer (tune, draws), or give a tighter prior.",
    "too few effective draws": "Draw more, or give a tighter prior.",
    "tails poorly known": "Draw more before reading extreme quantiles.",
    "ok": "",
}


def diagnose(fit: "Fit") -> Diagnosis:
    """Check a fit: convergence, energy, fit to the data, influence, prior sensitivity.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    Diagnosis
    """
    dt = fit.dt
    parameters = _with_sensitivity(parameter_table(dt), dt)
    loo, loo_check = _loo(dt)
    predictive = _predictive(fit)
    checks = (
        *_sampling_checks(dt, parameters),
        loo_check,
        *_predictive_checks(predictive),
        _prior_check(parameters),
    )
    return Diagnosis(checks, parameters, loo, predictive)


def _sampling_checks(dt: xr.DataTree, parameters: pd.DataFrame) -> list[Check]:
    stats_group = dt["sample_stats"]
    divergences = int(stats_group["diverging"].sum())
    total = stats_group["diverging"].size
    rhat = parameters["r_hat"].max(skipna=False)
    bulk = parameters["ess_bulk"].min(skipna=False)
    tail = parameters["ess_tail"].min(skipna=False)
    bfmi = float(np.min(az.bfmi(dt)["energy"] if "energy" in az.bfmi(dt) else az.bfmi(dt)))
    stuck = _stuck_chains(dt)
    return [
        Check(
            "divergences",
            "ok" if not divergences else "warn" if divergences <= total / 1000 else "fail",
            divergences,
            0,
            f"{divergences} of {total} draws diverged."
            + (" Raise target_accept, or give tighter priors." if divergences else ""),
        ),
        Check(
            "R-hat",
            "ok" if rhat <= RHAT_MAX else "fail",
            float(rhat),
            RHAT_MAX,
            f"The largest R-hat is {rhat:.3f} ({parameters['r_hat'].idxmax()})."
            + ("" if rhat <= RHAT_MAX else " The chains disagree: sample longer."),
        ),
        Check(
            "effective draws",
            "ok"
            if min(bulk, tail) >= ESS_MIN
            else "fail"
            if not min(bulk, tail) >= 100
            else "warn",
            float(min(bulk, tail)),
            ESS_MIN,
            f"The smallest effective number of draws is {bulk:.0f} (bulk) and {tail:.0f} (tail)."
            + ("" if min(bulk, tail) >= ESS_MIN else " Draw more."),
        ),
        Check(
            "E-BFMI",
            "ok" if bfmi >= BFMI_MIN else "warn",
            bfmi,
            BFMI_MIN,
            f"The smallest energy fraction is {bfmi:.2f}."
            + ("" if bfmi >= BFMI_MIN else " Tails may be missed: reparametrise, or draw more."),
        ),
        Check(
            "stuck chains",
            "fail" if stuck else "ok",
            len(stuck),
            0,
            f"Chain {', '.join(map(str, stuck))} stayed at a far lower likelihood than the others."
            if stuck
            else "All chains reached the same likelihood.",
        ),
    ]


def _stuck_chains(dt: xr.DataTree) -> list[int]:
    """Chains whose mean log likelihood lies far below the best one's, in units of its scatter."""
    total = dt["log_likelihood"]["loss"].sum("run")
    best = int(total.mean("draw").argmax("chain"))
    scatter = float(total.isel(chain=best).std("draw"))
    behind = (total.isel(chain=best).mean("draw") - total.mean("draw")) / max(scatter, 1.0)
    return [int(chain) for chain in dt["posterior"]["chain"] if float(behind.sel(chain=chain)) > 10]


def _loo(dt: xr.DataTree) -> tuple[dict[str, float], Check]:
    with warnings.catch_warnings():
        # The warning says what the check below says.
        warnings.simplefilter("ignore", UserWarning)
        result = az.loo(dt, pointwise=True)
    k = result.pareto_k
    high = int((k > PARETO_K_MAX).sum())
    values = {
        "elpd": float(result.elpd),
        "se": float(result.se),
        "p": float(result.p),
        "pareto_k_max": float(k.max()),
        "pareto_k_high": high,
        "runs": int(k.size),
    }
    where = str(k["run"].values[int(k.argmax())])
    return values, Check(
        "LOO",
        "warn" if high else "ok",
        high,
        0,
        f"{high} of {k.size} runs have a Pareto k above {PARETO_K_MAX} (run {where!r} most)"
        + (": the fit leans on single runs, so look at them." if high else ".")
        if high
        else f"No run sways the fit by itself (largest Pareto k {float(k.max()):.2f}).",
    )


def _predictive(fit: "Fit") -> pd.DataFrame:
    """Coverage of the data by their own predictive distribution, and structure left over."""
    replicated = fit.dt["posterior_predictive"]["loss"].stack(sample=("chain", "draw"))
    observed = fit.dt["observed_data"]["loss"].to_numpy()
    values = replicated.transpose("run", "sample").to_numpy()
    pit = (values < observed[:, None]).mean(axis=1)
    residual = np.log(observed) - np.log(np.median(values, axis=1))
    rows = []
    for family, runs in fit.runs.groupby("family", sort=False):
        at = runs.index.to_numpy()
        flops = runs["flops"].to_numpy()
        enough = len(at) >= 8 and len(set(flops)) > 2
        trend = stats.spearmanr(flops, residual[at]) if enough else None
        rows.append(
            {
                "family": family,
                "runs": len(at),
                "inside_50": float(np.mean(np.abs(pit[at] - 0.5) <= 0.25)),
                "inside_90": float(np.mean(np.abs(pit[at] - 0.5) <= 0.45)),
                "residual_sd": float(np.std(residual[at])),
                "trend": float(trend.statistic) if trend else np.nan,
                "trend_p": float(trend.pvalue) if trend else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _predictive_checks(table: pd.DataFrame) -> list[Check]:
    runs = int(table["runs"].sum())
    inside = round(float((table["inside_90"] * table["runs"]).sum()))
    # A fit covers its own data a little too well, so only too low a coverage is doubtful.
    p = float(stats.binom.cdf(inside, runs, 0.9))
    trends = table[table["trend_p"] * len(table) < 0.01]
    names = ", ".join(map(repr, trends["family"]))
    return [
        Check(
            "predictive coverage",
            "warn" if p < 0.01 else "ok",
            inside / runs,
            0.9,
            f"{inside} of {runs} runs lie inside their 90% predictive interval"
            + (", fewer than chance allows: the noise or the law is wrong." if p < 0.01 else "."),
        ),
        Check(
            "residual structure",
            "warn" if len(trends) else "ok",
            len(trends),
            0,
            f"Residuals of {names} rise or fall with compute: the law bends away from the data, "
            "so forecasts beyond them are biased."
            if len(trends)
            else "Residuals show no trend with compute.",
        ),
    ]


def _with_sensitivity(parameters: pd.DataFrame, dt: xr.DataTree) -> pd.DataFrame:
    """Add power-scaling sensitivity (Kallioinen et al. 2024) and advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        psense = az.psense_summary(dt, round_to=6)
    table = parameters.assign(
        prior_sensitivity=psense["prior"].reindex(parameters.index),
        likelihood_sensitivity=psense["likelihood"].reindex(parameters.index),
    )
    weak = table["likelihood_sensitivity"] < 0.05
    conflict = (table["prior_sensitivity"] >= 0.05) & ~weak
    mostly_prior = (table["prior_sensitivity"] >= 0.05) & weak
    table["source"] = np.select([mostly_prior, conflict], ["prior", "prior and data"], "data")
    advice = [_ADVICE[status] for status in table["status"]]
    hints = {
        "prior": "Mostly the prior: say so, or collect runs that vary it.",
        "prior and data": "The prior matters: refit with another one before relying on it.",
        "data": "",
    }
    table["advice"] = [
        f"{first} {hints[source]}".strip()
        for first, source in zip(advice, table["source"], strict=True)
    ]
    return table


def _prior_check(table: pd.DataFrame) -> Check:
    of_families = table[~table.index.str.contains("_population|_spread|^nu$", regex=True)]
    led = of_families[of_families["source"] != "data"]
    mostly = of_families[of_families["source"] == "prior"]
    shown = ", ".join(led.index[:4]) + (" and more" if len(led) > 4 else "")
    return Check(
        "prior sensitivity",
        "warn" if len(mostly) else "ok",
        len(led),
        0,
        f"The prior matters for {len(led)} of {len(of_families)} parameters ({shown})."
        if len(led)
        else "Scaling the priors up or down hardly moves the parameters.",
    )
