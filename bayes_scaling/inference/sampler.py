"""Sampling until the chains have converged."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_scaling.core.progress import Progress
from bayes_scaling.inference.compiled import Compiled, Sampled
from bayes_scaling.inference.convergence import worst_convergence
from bayes_scaling.inference.settings import SamplerSettings

__all__ = ["ESS_MIN", "LONGER", "RHAT_MAX", "sample_well"]

RHAT_MAX = 1.01
ESS_MIN = 400
"""Thresholds of Vehtari et al. 2021, for chains to count as converged."""
LONGER = (4, 16)
"""Draws of the second and third round, in units of the first."""
Transform = Callable[[xr.Dataset], xr.Dataset]
_TARGET_ACCEPT = 0.99
"""Acceptance that further rounds are tuned to."""


def sample_well(
    compiled: Compiled,
    settings: SamplerSettings,
    progress: Progress | None = None,
    *,
    rhat_max: float = RHAT_MAX,
    longer: Sequence[int] = LONGER,
    transform: Transform | None = None,
) -> Sampled:
    """Sample, and sample again for longer while the chains have not converged.

    Each further round takes more draws, smaller steps and longer tuning, and keeps as many draws
    as requested by thinning, so that a harder posterior costs time and not disk. The last round
    is returned whether or not it converged; see :meth:`Fit.diagnose`.

    Parameters
    ----------
    compiled : Compiled
        The model.
    settings : SamplerSettings
        Of the first round.
    progress : Progress, optional
        Where to say how far it is.
    rhat_max : float
        Largest R-hat of converged chains.
    longer : sequence of int
        Draws of further rounds, in units of the first.
    transform : callable, optional
        From draws of the free variables to the quantities that are reported, which must have
        converged too. By default their exponentials, as R-hat of folded draws is not the same for
        a parameter and its log.

    Returns
    -------
    Sampled
        Draws of the last round, with the time of all rounds.
    """
    progress = progress or Progress()
    sampled = compiled.sample(settings, progress)
    spent = sampled.sample_seconds
    for times in longer:
        failure = _failure(sampled, rhat_max, transform or _exponentials)
        if not failure:
            break
        progress.say(f"{failure}: sampling {times} times longer")
        more = replace(
            settings,
            draws=times * settings.draws,
            tune=2 * settings.tune,
            target_accept=max(settings.target_accept, _TARGET_ACCEPT),
        )
        whole = compiled.sample(more, progress)
        spent += whole.sample_seconds
        sampled = replace(whole, draws=_thinned(whole.draws, times), thin=times)
    else:
        failure = _failure(sampled, rhat_max, transform or _exponentials)
    return replace(sampled, sample_seconds=spent, converged=not failure)


def _thinned(draws: xr.Dataset, times: int) -> xr.Dataset:
    kept = draws.isel(draw=slice(times - 1, None, times))
    return kept.assign_coords(draw=np.arange(kept.sizes["draw"]))


def _exponentials(draws: xr.Dataset) -> xr.Dataset:
    return draws.map(np.exp)


def _failure(sampled: Sampled, rhat_max: float, transform: Transform) -> str:
    """Reason why the chains have not converged, or an empty text."""
    diverged = int(sampled.stats["diverging"].sum())
    if diverged:
        return f"{diverged} draws diverged"
    reported = transform(sampled.draws)
    draws = sampled.draws.assign({f"reported_{name}": value for name, value in reported.items()})
    sizes = draws.sizes
    # An ESS of half the draws is enough where few draws are requested.
    enough = min(ESS_MIN, sizes["chain"] * sizes["draw"] // 2)
    rhat, bulk, tail = worst_convergence(draws)
    ess = float(np.minimum(bulk, tail))
    # Written so that NaN fails.
    if not rhat <= rhat_max:
        return f"R-hat is {rhat:.3f}"
    return "" if ess >= enough else f"{ess:.0f} effective draws"
