"""What a comparison of laws says, and what makes it doubtful, as caveats."""

import pandas as pd

from bayes_scaling.core.caveat import Caveat, Datum, Severity
from bayes_scaling.forecast.evaluation.backtest_result import Backtest
from bayes_scaling.inference.diagnostics.checks import PARETO_K_MAX
from bayes_scaling.inference.sampler import RHAT_MAX

__all__ = ["of_forecasts", "of_loo"]

_FEW = 10
"""Held-out runs below which a ranking by them is uncertain."""


def _caveat(
    code: str, subject: str, text: str, severity: Severity = "warning", **data: Datum
) -> Caveat:
    return Caveat(code=code, severity=severity, subject=subject, text=text, data=data)


def of_loo(table: pd.DataFrame) -> list[Caveat]:
    """Return which law predicts runs like those fitted, and how far its figure can be trusted.

    Parameters
    ----------
    table : pandas.DataFrame
        As :attr:`bayes_scaling.forecast.Comparison.table`.
    """
    names = [str(name) for name in table.index]
    second = table.iloc[1]
    by, error = abs(float(second["elpd_diff"])), float(second["dse"])
    text = (
        f"Leave-one-out prefers {names[0]!r} to {names[1]!r} by {by:.1f} (standard error "
        f"{error:.1f}) in the log density of all runs."
    )
    found = [_caveat("loo-preference", names[0], text, "note", elpd_diff=by, standard_error=error)]
    for name, count in zip(names, table["pareto_k_high"].tolist(), strict=True):
        if count:
            text = (
                f"Under {name!r} {count} run{'s have' if count > 1 else ' has'} a Pareto k above "
                f"{PARETO_K_MAX}: its leave-one-out figure is uncertain."
            )
            found.append(_caveat("pareto-k", name, text, runs=count))
    for name, r_hat, count in zip(
        names, table["r_hat"].tolist(), table["divergences"].tolist(), strict=True
    ):
        if not r_hat <= RHAT_MAX or count:
            text = (
                f"The fit of {name!r} has not converged (R-hat {r_hat:.3f}, {count} divergences): "
                "do not use its figures."
            )
            found.append(_caveat("not-converged", name, text, r_hat=r_hat, divergences=count))
    return found


def of_forecasts(table: pd.DataFrame, tested: Backtest) -> list[Caveat]:
    """Return which law forecasts the held-out runs best, and how much that says.

    Parameters
    ----------
    table : pandas.DataFrame
        As :attr:`bayes_scaling.forecast.Comparison.table`, with scores of held-out runs.
    tested : Backtest
        These scores run by run.
    """
    order = table["log_score"].sort_values(ascending=False)
    best, gain = str(order.index[0]), float(order.iloc[0] - order.iloc[1])
    coverage = float(table.loc[[best], "coverage_90"].iloc[0])
    count = int((tested.points["law"] == best).sum())
    text = (
        f"Fitted to runs up to 1/{tested.ratios[0]:g} of each family's largest compute, {best!r} "
        f"forecasts the {count} larger ones best, by {gain:.2f} in log density a run; its 90% "
        f"interval covers {coverage:.0%}."
    )
    data: dict[str, Datum] = {"runs": count, "log_score_diff": gain, "coverage_90": coverage}
    found = [_caveat("held-out-preference", best, text, "note", **data)]
    first = str(table.index[0])
    if best != first:
        text = (
            f"The two disagree: {first!r} fits best, {best!r} forecasts best. For runs larger "
            "than the data the second counts more; forecast under both."
        )
        found.append(_caveat("disagreement", best, text, fits_best=first))
    if count < _FEW:
        text = f"Only {count} runs were held out, so their verdict is thin."
        found.append(_caveat("few-held-out", best, text, runs=count))
    return found
