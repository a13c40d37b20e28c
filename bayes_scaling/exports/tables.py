"""A fit, its forecasts and plans made from it as tables."""

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.records import to_plain
from bayes_scaling.decisions import Plan
from bayes_scaling.forecast.prediction import forecast_columns, predict_own
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.report import report_content
from bayes_scaling.results.belonging import ResultLike, as_plan

__all__ = ["tables"]

_LEVELS = {"predicted_q05": 0.05, "predicted_q50": 0.5, "predicted_q95": 0.95}


def tables(
    fit: Fit,
    *plans: ResultLike,
    configs: Any = None,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Return a fit as tables for pandas, R, a spreadsheet or a database.

    Parameters
    ----------
    fit : Fit
        The fit.
    *plans : Plan or mapping
        Allocation plans made from it; the content of their files will do.
    configs : optional
        What to forecast, as :func:`bayes_scaling.predict` takes it. Multiples of each family's
        largest compute along its frontier without.
    seed : int
        Seed of forecasts.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``runs`` (fitted and held-out, with their flags and what the fit predicts for them),
        ``flags``, ``parameters`` (:meth:`Fit.summary`), ``draws`` (one row a draw and family),
        ``draws_shared`` (parameters that families share, where there are any), ``forecasts`` and,
        with plans, ``plans``. Losses are in the loss unit of the fit.

    Raises
    ------
    ScenarioError
        If a plan belongs to another fit.
    DataError
        If ``configs`` cannot be read.

    Examples
    --------
    >>> found = bs.tables(bs.load_fit("fit.nc"), configs="configs.csv")
    >>> found["forecasts"][["family", "params"]].shape
    (3, 2)
    """
    check_fit(fit)
    made = [as_plan(plan, fit) for plan in plans]
    found = {
        "runs": _runs(fit, seed),
        "flags": fit.dt["flags"].to_dataset().to_dataframe().reset_index(drop=True),
        "parameters": fit.summary().rename_axis("parameter").reset_index(),
        **_draws(fit),
        "forecasts": _forecasts(fit, configs, seed),
    }
    return found | ({"plans": pd.DataFrame(map(_plan_row, made))} if made else {})


def _runs(fit: Fit, seed: int) -> pd.DataFrame:
    """Fitted and held-out runs; fitted ones are predicted from all runs, themselves included."""
    quantiles = fit.dt["posterior_predictive"]["loss"].quantile(
        list(_LEVELS.values()), dim=("chain", "draw")
    )
    parts = [_predicted(fit.runs.assign(role="fit"), quantiles.to_numpy())]
    targets = fit.targets
    if len(targets):
        forecast = predict_own(fit, forecast_columns(fit.law, targets), seed).to_frame(
            quantiles=list(_LEVELS.values())
        )
        values = forecast[["q05", "q50", "q95"]].to_numpy().T
        parts.append(_predicted(targets.assign(role="target"), values))
    table = pd.concat(parts, ignore_index=True)
    flags = fit.dt["flags"].to_dataset().to_dataframe()
    codes = flags.groupby("run")["code"].agg(lambda found: "; ".join(dict.fromkeys(found)))
    table["flags"] = [codes.get(run, "") for run in table["run"]]
    first = ["run", "family", "role", "loss"]
    return table[[*first, *(name for name in table if name not in first)]]


def _predicted(table: pd.DataFrame, quantiles: np.ndarray) -> pd.DataFrame:
    low, _, high = quantiles
    inside = pd.array((table["loss"] >= low) & (table["loss"] <= high), dtype="boolean")
    # A run without a loss is neither inside nor outside.
    inside[table["loss"].isna().to_numpy()] = pd.NA
    return table.assign(**dict(zip(_LEVELS, quantiles, strict=True)), inside_90=inside)


def _draws(fit: Fit) -> dict[str, pd.DataFrame]:
    posterior = fit.posterior
    own = [name for name, value in posterior.items() if "family" in value.dims]
    shared = [name for name in posterior if name not in own]
    order = ["chain", "draw", "family"]
    found = {"draws": posterior[own].to_dataframe(dim_order=order).reset_index()}
    if shared:
        found["draws_shared"] = posterior[shared].to_dataframe(dim_order=order[:2]).reset_index()
    return found


def _forecasts(fit: Fit, configs: Any, seed: int) -> pd.DataFrame:
    if configs is not None:
        return fit.predict(configs, seed=seed).to_frame()
    rows = report_content(fit, seed=seed).forecasts
    return pd.DataFrame(to_plain(rows)).assign(tags=["; ".join(texts(row.tags)) for row in rows])


def _plan_row(plan: Plan) -> dict[str, str | float | None]:
    chosen = plan.recommended
    names = ("budget_flops", "target_loss", "probability_of_target", "extrapolation")
    return {
        "family": plan.family,
        **{name: getattr(chosen, name) for name in ("params", "tokens", "flops")},
        "tokens_per_param": chosen.tokens_per_param,
        **plan.loss.to_dict(),
        **{name: getattr(plan, name) for name in names},
    }
