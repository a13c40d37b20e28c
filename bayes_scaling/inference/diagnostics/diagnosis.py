"""Whether a posterior can be trusted, and what to do if not."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import pandas as pd

from bayes_scaling.core.display import brief, html_list, html_table
from bayes_scaling.core.record_tables import to_rows, to_table
from bayes_scaling.core.records import Record, about
from bayes_scaling.core.result import Result
from bayes_scaling.inference.diagnostics.checks import (
    Check,
    Loo,
    correlation_check,
    loo_check,
    prior_check,
    sampling_checks,
)
from bayes_scaling.inference.diagnostics.information import correlations
from bayes_scaling.inference.diagnostics.parameter_table import parameter_table, with_sensitivity
from bayes_scaling.inference.diagnostics.residuals import predictive_checks, predictive_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayes_scaling.inference.fit_result import Fit

__all__ = [
    "Correlation",
    "Diagnosis",
    "OverallStatus",
    "ParameterCheck",
    "PredictiveCheck",
    "diagnose",
    "overall",
]

OverallStatus = Literal["ok", "warn", "fail"]

P = about("p-value; null where it was not tested.", "probability")
INSIDE = about("Runs inside this predictive interval, percent.", "probability", ge=0, le=1)


class ParameterCheck(Record, frozen=True, kw_only=True):
    """Posterior of a parameter, with its convergence and where it comes from."""

    parameter: Annotated[str, about("`name[family]` or `name`.")]
    mean: Annotated[float | None, about("Posterior mean, in the unit of the parameter.")]
    sd: Annotated[float, about("Posterior standard deviation.", ge=0)] | None
    median: Annotated[float | None, about("Posterior median.")]
    q05: Annotated[float | None, about("5% quantile of the posterior.")]
    q95: Annotated[float | None, about("95% quantile of the posterior.")]
    ess_bulk: Annotated[float | None, about("Effective number of draws, bulk.")]
    ess_tail: Annotated[float | None, about("Effective number of draws, tails.")]
    r_hat: Annotated[float | None, about("Split R-hat.")]
    contraction: Annotated[float | None, about("1 - posterior over prior variance of its log.")]
    source: Annotated[Literal["data", "prior and data", "mostly prior"], about("Where it is from.")]
    status: Annotated[str, about("ok, or what is wrong with its sampling.")]
    prior_sensitivity: Annotated[float | None, about("Power-scaling sensitivity to the prior.")]
    likelihood_sensitivity: Annotated[float | None, about("The same, to the likelihood.")]
    advice: Annotated[str, about("What to do; empty for nothing.")]


class PredictiveCheck(Record, frozen=True, kw_only=True):
    """How the fit reproduces the runs of one family, or of all."""

    family: Annotated[str, about("Name; empty for all families together.")]
    runs: Annotated[int, about("Fitted runs.", ge=0)]
    inside_50: Annotated[float, INSIDE]
    inside_90: Annotated[float, INSIDE]
    residual_sd: Annotated[float | None, about("Standard deviation of residuals.", "log loss")]
    structure: Annotated[float | None, about("Fraction of residual variance explained.", "1")]
    structure_p: Annotated[float | None, P]
    trend: Annotated[float | None, about("Rank correlation with compute, largest runs.")]
    trend_p: Annotated[float | None, P]


class Correlation(Record, frozen=True, kw_only=True):
    """Posterior correlation of the logs of two parameters of a family."""

    family: Annotated[str, about("Name of the family.")]
    first: Annotated[str, about("One parameter.")]
    second: Annotated[str, about("The other parameter.")]
    correlation: Annotated[float | None, about("Correlation of their logs.")]


class Diagnosis(Result, frozen=True, kw_only=True, dict=True, tag="bayes_scaling.diagnosis/1"):
    """Diagnostics of a fit, as `diagnose --json` prints them.

    It is false where the fit should not be used: ``if fit.diagnose():`` holds where the status is
    "ok" or "warn", usable with care, and not where it is "fail". Rows of the tables are records
    (``parameter_checks``, ``predictive_checks``, ``pairs``); :attr:`parameters`,
    :attr:`predictive` and :attr:`correlations` are the same as data frames.
    """

    status: Annotated[
        OverallStatus, about("Worst status of any check; an untested one counts as warn.")
    ]
    verdict: Annotated[str, about("One sentence.")]
    checks: Annotated[
        tuple[Check, ...], about("Sampling, fit to the data, and influence.", min_length=1)
    ]
    loo: Annotated[Loo, about("Leave-one-out.")]
    parameter_checks: Annotated[
        tuple[ParameterCheck, ...], about("One row a parameter.", min_length=1)
    ] = msgspec.field(name="parameters")
    predictive_checks: Annotated[tuple[PredictiveCheck, ...], about("One row a family.")] = (
        msgspec.field(name="predictive")
    )
    pairs: Annotated[
        tuple[Correlation, ...], about("Pairs of parameters, the most correlated first.")
    ] = msgspec.field(name="correlations")

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """One row a parameter.

        Estimates, ESS, R-hat, contraction from prior to posterior, power-scaling sensitivity, what
        it comes from ("data", "prior and data", "mostly prior"), status, advice.
        """
        return to_table(self.parameter_checks, ParameterCheck).set_index("parameter")

    @cached_property
    def predictive(self) -> pd.DataFrame:
        """One row a family, and with family "" over all.

        Fraction of runs inside their 50% and 90% posterior predictive intervals, how much of the
        residuals compute and tokens per parameter explain, and their trend with compute among the
        largest runs, with p-values; NaN where there are too few runs for a test.
        """
        return to_table(self.predictive_checks, PredictiveCheck)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Posterior correlations of the law's parameters, pair by pair in each family."""
        return to_table(self.pairs, Correlation)

    def __bool__(self) -> bool:
        return self.status != "fail"

    def __str__(self) -> str:
        lines = [f"{self.status.upper()}: {self.verdict}", ""]
        lines += [f"  {c.status:<10} {c.name:<22} {c.message}" for c in self.checks]
        shown = self.parameters.drop(columns="advice").rename_axis(None)
        return "\n".join([*lines, "", shown.to_string(float_format="{:.4g}".format)])

    def _repr_html_(self) -> str:
        import html

        checks = html_list(f"{c.name} ({c.status}): {c.message}" for c in self.checks)
        return f"<p>{html.escape(brief(self.verdict))}</p>{checks}{html_table(self.parameters)}"


def diagnose(fit: "Fit") -> Diagnosis:
    """Check a fit: convergence, energy, fit to the data, influence, prior sensitivity.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnosis = diagnose(bs.load_fit("fit.nc"))
    >>> [check.name for check in diagnosis.checks][:2]
    ['divergences', 'R-hat']
    >>> diagnosis.loo.runs
    40
    """
    dt = fit.dt
    parameters = with_sensitivity(parameter_table(dt), dt)
    loo, influence = loo_check(dt)
    predictive = predictive_table(fit)
    pairs = correlations(dt, fit.default_law.names)
    checks = (
        *sampling_checks(dt, parameters),
        influence,
        *predictive_checks(predictive),
        prior_check(parameters),
        correlation_check(pairs),
    )
    return Diagnosis(
        status=overall(checks),
        verdict=_verdict(checks),
        checks=checks,
        loo=loo,
        parameter_checks=to_rows(parameters.rename_axis("parameter").reset_index(), ParameterCheck),
        predictive_checks=to_rows(predictive, PredictiveCheck),
        pairs=to_rows(pairs, Correlation),
    )


def overall(checks: "Iterable[Check]") -> OverallStatus:
    """Return the worst status of checks; one that was not tested counts as "warn"."""
    found = {check.status for check in checks}
    return "fail" if "fail" in found else "warn" if found - {"ok"} else "ok"


def _verdict(checks: tuple[Check, ...]) -> str:
    """One sentence for a reader who will not look at the table."""
    status = overall(checks)
    if status == "ok":
        return "The sampler converged and the model reproduces the data it was fitted to."
    if status == "fail":
        first = next(check for check in checks if check.status == "fail")
        return f"Do not use this fit: {first.message}"
    bad = [check.message for check in checks if check.status != "ok"]
    return "Usable with care: " + " ".join(bad)
