"""Sampling a model until its chains have mixed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_scaling.inference.compiled import Compiled, Sampled
from bayes_scaling.inference.settings import Progress, SamplerSettings, silent

__all__ = ["ESS_MIN", "LONGER", "RHAT_MAX", "sample_well"]

RHAT_MAX = 1.01
ESS_MIN = 400
"""Thresholds of Vehtari et al. 2021, for chains to count as mixed."""
LONGER = (4, 16)
"""Draws of the second and third round, in units of the first."""
Told = Callable[[xr.Dataset], xr.Dataset]
_CAREFUL = 0.99
"""Acceptance that further rounds are tuned to."""


def sample_well(
    compiled: Compiled,
    settings: SamplerSettings,
    progress: Progress | None = None,
    *,
    rhat_max: float = RHAT_MAX,
    longer: Sequence[int] = LONGER,
    told: Told | None = None,
) -> Sampled:
    """Sample, and sample longer where the chains have not mixed or have diverged.

    Each further round takes more draws, smaller steps and longer tuning, and keeps as many draws
    as were asked for by thinning, so that a harder posterior costs time and not disk. The last
    round is returned whether or not it mixed; the diagnosis says.

    Parameters
    ----------
    compiled : Compiled
        The model.
    settings : SamplerSettings
        Of the first round.
    progress : callable, optional
        Called with one sentence now and then.
    rhat_max : float
        R-hat up to which chains count as mixed.
    longer : sequence of int
        Draws of further rounds, in units of the first.
    told : callable
        From draws of the free variables to what is reported of them: that must have mixed too. By
        default their exponentials, as R-hat of folded draws is not the same for a parameter and
        its log.

    Returns
    -------
    Sampled
        With the time of all rounds.
    """
    say = progress or silent
    sampled = compiled.sample(settings, say)
    spent = sampled.sample_seconds
    for times in longer:
        doubt = _doubt(sampled, rhat_max, told or _exponentials)
        if not doubt:
            break
        say(f"{doubt}: sampling {times} times longer")
        more = replace(
            settings,
            draws=times * settings.draws,
            tune=2 * settings.tune,
            target_accept=max(settings.target_accept, _CAREFUL),
        )
        whole = compiled.sample(more, say)
        spent += whole.sample_seconds
        sampled = replace(whole, draws=_thinned(whole.draws, times), thin=times)
    else:
        doubt = _doubt(sampled, rhat_max, told or _exponentials)
    return replace(sampled, sample_seconds=spent, mixed=not doubt)


def _thinned(draws: xr.Dataset, times: int) -> xr.Dataset:
    kept = draws.isel(draw=slice(times - 1, None, times))
    return kept.assign_coords(draw=np.arange(kept.sizes["draw"]))


def _exponentials(draws: xr.Dataset) -> xr.Dataset:
    return draws.map(np.exp)


def _doubt(sampled: Sampled, rhat_max: float, told: Told) -> str:
    """What is wrong with the draws, or nothing."""
    import arviz as az

    diverged = int(sampled.stats["diverging"].sum())
    if diverged:
        return f"{diverged} draws diverged"
    reported = told(sampled.draws)
    draws = sampled.draws.assign({f"told_{name}": value for name, value in reported.items()})
    sizes = draws.sizes
    # Half the draws at most can be asked for where few are wanted at all.
    enough = min(ESS_MIN, sizes["chain"] * sizes["draw"] // 2)
    rhat = max(float(value.max()) for value in az.rhat(draws).values())
    ess = min(
        float(value.min())
        for method in ("bulk", "tail")
        for value in az.ess(draws, method=method).values()
    )
    # Written so that a NaN is doubtful too.
    if not rhat <= rhat_max:
        return f"R-hat is {rhat:.3f}"
    return "" if ess >= enough else f"{ess:.0f} effective draws"
