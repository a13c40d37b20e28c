"""Forecast losses of configurations from a fit, draw by draw."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.core.arguments import check_seed
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.errors import DataError
from bayes_scaling.forecast.forecast_caveats import check_spelling, point_caveats
from bayes_scaling.forecast.forecast_result import Forecast, Kind
from bayes_scaling.forecast.interval_width import width_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.laws import Law
from bayes_scaling.model import fill_typical, input_table, stated_inputs, unstated
from bayes_scaling.posterior import family_posterior, log_inputs
from bayes_scaling.runs import ACCEPTABLE, Configs, load_configs
from bayes_scaling.runs.input_columns import OPTIONAL

__all__ = ["configs_of", "forecast_columns", "predict", "predict_own"]


def predict(
    fit: Fit,
    configs: Any = None,
    *,
    params: Any = None,
    tokens: Any = None,
    flops: Any = None,
    family: Any = None,
    seed: int = 0,
    accept: Iterable[str] = (),
    **inputs: Any,
) -> Forecast:
    """Forecast the loss of configurations.

    Parameters
    ----------
    fit : Fit
        The fit.
    configs : pandas.DataFrame, path or Configs, optional
        Configurations in canonical columns; two of params, tokens and flops.
    params, tokens, flops : float or array-like, optional
        Instead of ``configs``: parameters, tokens and FLOP; two of the three.
    family : str or sequence of str, optional
        Family of each point; may be left out where the fit has one family. A family the fit has
        not seen is drawn from the population.
    seed : int
        Random seed of the run noise and of unseen families; a family's draw depends on its name
        too.
    accept : iterable of str
        Codes of errors to accept, as for :func:`bayes_scaling.runs.load_configs`.
    **inputs : float or array-like, optional
        What else the law reads: ``unique_tokens`` (tokens; all fresh by default), ``n_layer``
        and ``d_model`` or ``aspect_ratio`` (the best shape by default), ``step`` or
        ``batch_tokens``, and what the law declares of its own (typical of the family's runs by
        default).

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        If a configuration is unusable, its family is not stated, or an input that the law reads is
        missing.
    FitError
        If the seed is not a whole number of 0 or more.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> forecast = bs.predict(fit, params=1e9, tokens=2e10, family="web")
    >>> low, high = forecast.to_frame().loc[0, ["q05", "q95"]]
    >>> bool(low < high)
    True
    >>> len(bs.predict(fit, "configs.csv").points)
    3
    """
    check_fit(fit)
    check_seed(seed)
    if configs is None:
        sizes = {"params": params, "tokens": tokens, "flops": flops, "family": family}
        configs = configs_of([fit.law], sizes | inputs)
    points = configs if isinstance(configs, Configs) else load_configs(configs, accept=accept)
    check_spelling(fit, points.table["family"].dropna().unique())
    return _forecast(fit, points, seed)


def predict_own(fit: Fit, configs: pd.DataFrame, seed: int) -> Forecast:
    """Forecast configurations that were computed, or checked before: nobody mistyped them."""
    return _forecast(fit, replace(load_configs(configs, accept=ACCEPTABLE), caveats=()), seed)


def _forecast(fit: Fit, points: Configs, seed: int) -> Forecast:
    points = points.with_inputs(fit.law.own_inputs)
    table, assumed = _placed(fit, points)
    draws, wide = _draws(fit, table, seed)
    medians = draws["loss_run"].median(("chain", "draw")).to_numpy()
    caveats = (*points.caveats, *point_caveats(fit, table, medians), *wide, *assumed)
    units = set(table["loss_unit"])
    return Forecast(draws, points, table, caveats, units.pop() if len(units) == 1 else "mixed")


def configs_of(laws: Iterable[Law], stated: Mapping[str, Any]) -> pd.DataFrame:
    """Make configurations of columns: each one value for all rows, or one a row."""
    own = {entry.name: None for law in laws for entry in law.own_inputs}
    known = ("params", "tokens", "flops", *OPTIONAL, *own, "family")
    for name in stated:
        if name not in known:
            raise DataError(
                f"{name!r} is not an input of a forecast; these are "
                f"{', '.join(known[:-1])} and family"
            )
    columns = {name: value for name, value in stated.items() if value is not None}
    if not columns:
        raise DataError("a forecast needs configs, or two of params, tokens and flops")
    arrays = {name: np.asarray(value) for name, value in columns.items()}
    for name, values in arrays.items():
        if values.ndim > 1:
            raise DataError(f"{name} has {values.ndim} dimensions; a number or a list is needed")
    sizes = {name: values.size for name, values in arrays.items() if values.ndim}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{size} of {name}" for name, size in sizes.items())
        raise DataError(f"there are {listed}; give as many values of each, or one for all points")
    rows = next(iter(sizes.values()), 1)
    return pd.DataFrame(
        {name: v if v.ndim else [columns[name]] * rows for name, v in arrays.items()},
        index=range(rows),
    )


def forecast_columns(law: Law, table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table of runs that a forecast of them needs."""
    more = [name for name in stated_inputs(law) if name in table]
    return table[["params", "tokens", "flops", "family", *more]]


def _placed(fit: Fit, configs: Configs) -> tuple[pd.DataFrame, list[Caveat]]:
    """Points with their family, the law's inputs and distance, and what was assumed of them."""
    stated = configs.table.assign(family=_families(fit, configs))
    complete, assumed = fill_typical(fit.law, fit.runs, stated)
    sizes = stated[["params", "tokens", "flops"]]
    inputs = input_table(fit.law, complete, best=True)
    table = sizes.assign(**{str(n): inputs[n] for n in inputs if n not in sizes})
    families = list(stated["family"])
    largest = fit.runs.groupby("family")["flops"].max()
    beyond = [largest.get(name, largest.max()) for name in families]
    placed = table.assign(
        family=families,
        extrapolation=np.log10(table["flops"].to_numpy()) - np.log10(np.array(beyond)),
        family_seen=[name in fit.families for name in families],
        loss_unit=[fit.loss_unit(name) for name in families],
    )
    return placed, [*unstated(fit.law, stated), *assumed]


def _families(fit: Fit, configs: Configs) -> list[str]:
    families = list(configs.table["family"])
    if None in families and len(fit.families) > 1:
        raise DataError(
            f"{configs.source} does not say the family of every point; the fit has "
            f"{', '.join(map(repr, fit.families))}, and any other name is an unseen family"
        )
    return [fit.families[0] if name is None else name for name in families]


def _draws(fit: Fit, table: pd.DataFrame, seed: int) -> tuple[xr.Dataset, list[Caveat]]:
    """Losses of the k-th new run of each family at its k-th point, and which spread widely.

    The losses have the dims (chain, draw, point).
    """
    posterior = fit.posterior
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], len(table))
    losses = np.empty((len(get_args(Kind)), len(table), shape[0] * shape[1]))
    wide: list[Caveat] = []
    for label, places in table.groupby("family", sort=False).indices.items():
        family = family_posterior(fit, str(label), seed)
        points = table.iloc[places]
        x = log_inputs(fit.law, points)
        curve = family.curve(x)
        run = curve + family.deviation(x, range(len(places)))
        losses[0, places], losses[1, places] = np.exp(run), np.exp(curve)
        losses[2, places] = family.values.get("floor", 0.0)
        wide += width_caveats(family, points, curve, run)
    draws = xr.Dataset(
        {
            f"loss_{kind}": (("chain", "draw", "point"), values.T.reshape(shape))
            for kind, values in zip(get_args(Kind), losses, strict=True)
        },
        coords={"chain": posterior["chain"], "draw": posterior["draw"], "point": table.index},
    )
    return draws, wide
