"""Sampling until the chains have converged, or the time is up."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayes_scaling.core.progress import Progress
from bayes_scaling.errors import FitError
from bayes_scaling.inference.compiled import Compiled, Sampled
from bayes_scaling.inference.convergence import worst_convergence
from bayes_scaling.inference.settings import SamplerSettings

__all__ = ["DIVERGENCES_MAX", "ESS_MIN", "LONGER", "RHAT_MAX", "sample_well"]

RHAT_MAX = 1.01
ESS_MIN = 400
"""Thresholds of Vehtari et al. 2021, for chains to count as converged."""
DIVERGENCES_MAX = 0.001
"""Fraction of divergent draws that a fit may have; where they lie is said."""
LONGER = (4, 8)
"""Most draws of the second and third round, in units of the first."""
Transform = Callable[[xr.Dataset], xr.Dataset]
_TARGET_ACCEPT = 0.99
"""Acceptance that steps are made smaller for, after divergences."""
_APART = 1.05
"""R-hat of chains that have found different places, which more draws do not help."""
_MARGIN = 1.5
"""How many times the draws that seem to be enough are taken."""
_SLOWER = 2.0
"""How many times longer a draw takes with smaller steps, about."""
_FEWEST = 50
"""Draws of each chain, from the time that was given, below which they say nothing."""


@dataclass(frozen=True)
class _Quality:
    """What speaks against draws; nothing where ``text`` is empty."""

    divergences: int
    r_hat: float
    shortage: float
    small_steps: bool
    text: str

    def better_than(self, other: "_Quality") -> bool:
        """Whether draws of this quality are the ones to keep."""
        if bool(self.text) != bool(other.text):
            return not self.text
        return (self.r_hat, self.divergences) < (other.r_hat, other.divergences)


def sample_well(
    compiled: Compiled,
    settings: SamplerSettings,
    progress: Progress | None = None,
    *,
    rhat_max: float = RHAT_MAX,
    ess_min: float = ESS_MIN,
    what: str = "",
    longer: Sequence[int] = LONGER,
    transform: Transform | None = None,
) -> Sampled:
    """Sample, and sample again while the chains have not converged.

    What has failed decides how: after divergences, and where chains have found different places,
    with smaller steps and longer tuning; where there are too few effective draws, with as many more
    as it takes, of which as many are kept as were requested. A few divergences, up to
    :data:`DIVERGENCES_MAX` of the draws, are no reason. Where no round converges the best of them
    is returned; see :meth:`Fit.diagnose`.

    Parameters
    ----------
    compiled : Compiled
        The model.
    settings : SamplerSettings
        Of the first round. ``max_seconds`` is the time of all rounds: none is begun that would take
        longer than what is left.
    progress : Progress, optional
        Where to say how far it is.
    rhat_max : float
        Largest R-hat of converged chains.
    ess_min : float
        Least effective draws of converged chains.
    what : str
        What is sampled, for a person.
    longer : sequence of int
        Most draws of further rounds, in units of the first.
    transform : callable, optional
        From draws of the free variables to the quantities that are reported, which must have
        converged too. By default their exponentials, as R-hat of folded draws is not the same for
        a parameter and its log.

    Returns
    -------
    Sampled
        Draws of one round, with the time of all rounds.
    """
    progress = progress or Progress()
    reported = transform or _exponentials
    best = compiled.sample(settings, progress, why=what)
    if best.stopped and best.draws.sizes["draw"] < _FEWEST:
        raise FitError(
            f"in {settings.max_seconds:.3g} s of max_seconds chains came to "
            f"{best.draws.sizes['draw']} draws after tuning; give it more, for {_FEWEST} are needed"
        )
    with progress.stage("convergence", "checking convergence"):
        quality = _quality(best, rhat_max, ess_min, reported)
    spent = last = best.sample_seconds
    stopped, before, state = best.stopped, settings, quality
    for most in longer:
        if not state.text or stopped:
            break
        again, why = _further(settings, before, state, most)
        expected = last * (again.tune + again.draws) / (before.tune + before.draws)
        if again.target_accept > before.target_accept:
            expected *= _SLOWER
        left = settings.max_seconds and settings.max_seconds - spent
        if left is not None and expected > left:
            stopped = True
            break
        again, times = replace(again, max_seconds=left), again.draws // settings.draws
        sampled = compiled.sample(again, progress, why=f"{what}{why}: ")
        before, last = again, sampled.sample_seconds
        spent += last
        stopped = sampled.stopped
        if sampled.draws.sizes["draw"] < _FEWEST * times:
            break
        with progress.stage("convergence", "checking convergence"):
            state = _quality(sampled, rhat_max, ess_min, reported)
        if state.better_than(quality):
            best, quality = _thinned(sampled, times), state
    return replace(
        best,
        sample_seconds=spent,
        converged=not quality.text,
        stopped=stopped,
    )


def _further(
    settings: SamplerSettings, before: SamplerSettings, state: _Quality, most: int
) -> tuple[SamplerSettings, str]:
    """Settings of a further round after one in some state, and the reason for a person."""
    times = before.draws // settings.draws
    if state.small_steps and before.target_accept < _TARGET_ACCEPT:
        again = replace(before, tune=2 * settings.tune, target_accept=_TARGET_ACCEPT)
        return again, f"{state.text}, so with smaller steps"
    times = min(max(math.ceil(_MARGIN * state.shortage * times), 2 * times), most)
    # Of more draws more would diverge.
    accept = (
        max(before.target_accept, _TARGET_ACCEPT) if state.divergences else before.target_accept
    )
    again = replace(
        before, draws=times * settings.draws, tune=2 * settings.tune, target_accept=accept
    )
    return again, f"{state.text}, so with more draws"


def _thinned(sampled: Sampled, times: int) -> Sampled:
    kept = sampled.draws.isel(draw=slice(times - 1, None, times))
    kept = kept.assign_coords(draw=np.arange(kept.sizes["draw"]))
    return replace(sampled, draws=kept, thin=times)


def _exponentials(draws: xr.Dataset) -> xr.Dataset:
    return draws.map(np.exp)


def _quality(sampled: Sampled, rhat_max: float, ess_min: float, transform: Transform) -> _Quality:
    diverging = sampled.stats["diverging"]
    divergences = int(diverging.sum())
    reported = transform(sampled.draws)
    draws = sampled.draws.assign({f"reported_{name}": value for name, value in reported.items()})
    sizes = draws.sizes
    # An ESS of half the draws is enough where few draws are requested.
    enough = min(ess_min, sizes["chain"] * sizes["draw"] // 2)
    r_hat, bulk, tail = worst_convergence(draws)
    ess = float(np.minimum(bulk, tail))
    diverge = divergences > DIVERGENCES_MAX * diverging.size
    text = ""
    # Written so that NaN fails.
    if not r_hat <= rhat_max:
        text = f"R-hat is {r_hat:.3f}"
    elif not ess >= enough:
        text = f"there are {ess:.0f} effective draws"
    elif diverge:
        text = f"{divergences} of {diverging.size} draws diverged"
    return _Quality(
        divergences,
        r_hat if np.isfinite(r_hat) else np.inf,
        shortage=enough / max(ess, 1.0) if np.isfinite(ess) else 1.0,
        small_steps=diverge or not r_hat <= _APART,
        text=text,
    )
