"""Tables of runs of any size with a known truth, to measure what time and memory grow with."""

import numpy as np
import pandas as pd

from bayes_scaling.laws import Law, get
from bayes_scaling.model import simulate

__all__ = ["TRUTH", "table_of"]

TRUTH = {"floor": 1.7, "A": 400.0, "alpha_N": 0.34, "B": 410.0, "alpha_D": 0.28}
"""Median of the families."""
_SPREAD = {"floor": 0.03, "A": 0.2, "alpha_N": 0.05, "B": 0.2, "alpha_D": 0.05}
"""Sd of the log between families."""


def table_of(
    families: int, runs: int, law: str | Law = "chinchilla", *, noise: float = 0.005, seed: int = 0
) -> pd.DataFrame:
    """Simulate families of equally many runs of models of 10 million to 3 billion parameters.

    Parameters
    ----------
    families : int
        Their number.
    runs : int
        Runs of each.
    law : str or Law
        The true law, one of params and tokens that has the parameters of ``TRUTH``.
    noise : float
        Sd of log loss about the curve.
    seed : int
        Of sizes, truths and noise.

    Returns
    -------
    pandas.DataFrame
        As :func:`bayes_scaling.simulate` gives it, with 2 to 200 tokens a parameter.
    """
    rng = np.random.default_rng(seed)
    names = [f"family{i}" for i in range(families)]
    rows = families * runs
    params = np.exp(rng.uniform(np.log(1e7), np.log(3e9), rows))
    design = pd.DataFrame(
        {
            "family": np.repeat(names, runs),
            "run": [f"run{i}" for i in range(rows)],
            "params": params,
            "tokens": params * np.exp(rng.uniform(np.log(2.0), np.log(200.0), rows)),
        }
    )
    truth = {
        name: {p: TRUTH[p] * float(np.exp(_SPREAD[p] * rng.normal())) for p in get(law).names}
        for name in names
    }
    return simulate(law, design, truth, noise=noise, seed=seed)
