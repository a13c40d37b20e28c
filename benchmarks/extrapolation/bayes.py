"""Fits and forecasts of this package, as users make them."""

import time
from typing import Literal

import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling.laws import DEFAULT
from bayes_scaling.model import Pooling
from bayes_scaling.runs.flags import ACCEPTABLE
from benchmarks.extrapolation.method import Context, Floats, Forecasts


def bayes(
    law: str = DEFAULT,
    prior: Literal["population", "weak"] = "population",
    pooling: Pooling | Literal["auto"] = "auto",
) -> Forecasts:
    """Return a method that fits a law; its population has not seen the root."""

    def forecast(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
        # The tables are meant as they stand.
        runs = bs.load_runs(small, accept=sorted(ACCEPTABLE))
        known = context.population(law) if prior == "population" else prior
        # A user has the population at hand: learning it is not part of the fit.
        begun = time.perf_counter()
        fit = bs.fit(
            runs,
            law,
            prior=known,
            pooling=pooling,
            draws=context.draws,
            seed=context.seed,
            progress=False,
        )
        ahead = fit.predict(large)
        seconds = time.perf_counter() - begun
        summary = fit.summary()
        context.quality.update(
            seconds=seconds,
            r_hat=float(summary["r_hat"].max()),
            ess=float(summary["ess_bulk"].min()),
            divergences=float(fit.dt["sample_stats"]["diverging"].sum()),
            caveats=" ".join(sorted({one.code for one in (*fit.caveats, *ahead.caveats)})),
        )
        losses = ahead.loss_run.transpose("point", "chain", "draw").to_numpy()
        logs: Floats = np.log(losses.reshape(len(large), -1))
        return logs

    return forecast
