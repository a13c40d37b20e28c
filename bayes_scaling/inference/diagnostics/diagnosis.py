"""Whether a posterior can be trusted, and what to do if not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_scaling.core.display import brief, html_list, html_table
from bayes_scaling.core.json_files import records
from bayes_scaling.inference.diagnostics.checks import (
    Check,
    Status,
    correlation_check,
    loo_check,
    prior_check,
    sampling_checks,
)
from bayes_scaling.inference.diagnostics.information import correlations
from bayes_scaling.inference.diagnostics.parameter_table import parameter_table, with_sensitivity
from bayes_scaling.inference.diagnostics.residuals import predictive_checks, predictive_table

if TYPE_CHECKING:
    from bayes_scaling.inference.fit_result import Fit

__all__ = ["SCHEMA", "Diagnosis", "diagnose"]

SCHEMA = "bayes_scaling.diagnosis/1"


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """The verdict on a fit; false where it says not to use the fit.

    ``if fit.diagnose():`` holds where the status is "ok" or "warn", usable with care, and not where
    it is "fail".

    Attributes
    ----------
    checks : tuple of Check
        Sampling, fit to the data, and influence.
    parameters : pandas.DataFrame
        One row a parameter: estimates, ESS, R-hat, contraction from prior to posterior,
        power-scaling sensitivity, what it comes from ("data", "prior and data", "mostly prior"),
        status, advice.
    loo : dict
        PSIS-LOO: elpd, se, p, number of runs with Pareto k above the limit, the largest k.
    predictive : pandas.DataFrame
        By family, and with family "" over all: share of runs inside their 50% and 90% posterior
        predictive intervals, how much of the residuals compute and tokens per parameter explain,
        and their trend with compute among the largest runs, with p-values; NaN where there are too
        few runs for a test.
    correlations : pandas.DataFrame
        Posterior correlations of the law's parameters, pair by pair in each family.
    """

    checks: tuple[Check, ...]
    parameters: pd.DataFrame
    loo: dict[str, float]
    predictive: pd.DataFrame
    correlations: pd.DataFrame

    @property
    def status(self) -> Status:
        """The worst status of any check; one that was not tested counts as "warn"."""
        found = {check.status for check in self.checks}
        return "fail" if "fail" in found else "warn" if found - {"ok"} else "ok"

    def __bool__(self) -> bool:
        return self.status != "fail"

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
            "schema": SCHEMA,
            "status": self.status,
            "verdict": self.verdict,
            "checks": [vars(check) | {} for check in self.checks],
            "loo": self.loo,
            "parameters": records(parameters),
            "predictive": records(self.predictive),
            "correlations": records(self.correlations),
        }

    def __str__(self) -> str:
        lines = [f"{self.status.upper()}: {self.verdict}", ""]
        lines += [f"  {c.status:<10} {c.name:<22} {c.message}" for c in self.checks]
        shown = self.parameters.drop(columns="advice")
        return "\n".join([*lines, "", shown.to_string(float_format="{:.4g}".format)])

    def __repr__(self) -> str:
        return brief(str(self))

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
    """
    dt = fit.dt
    parameters = with_sensitivity(parameter_table(dt), dt)
    loo, influence = loo_check(dt)
    predictive = predictive_table(fit)
    pairs = correlations(dt, fit.law.names)
    checks = (
        *sampling_checks(dt, parameters),
        influence,
        *predictive_checks(predictive),
        prior_check(parameters),
        correlation_check(pairs),
    )
    return Diagnosis(checks, parameters, loo, predictive, pairs)
