"""Sampling until the chains have converged, or the time is up."""

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
LONGER = (1, 4)
"""Draws of the second and third round, in units of the first."""
Transform = Callable[[xr.Dataset], xr.Dataset]
_TARGET_ACCEPT = (0.99, 0.997)
"""Acceptance that further rounds are tuned to."""
_FEWEST = 50
"""Draws of a chain for convergence to be judged: as few as may be asked for."""
_SLOWER = 2.0
"""How many times longer a draw of the next round takes, about: steps are smaller."""


@dataclass(frozen=True)
class _Quality:
    """What speaks against draws; nothing where ``text`` is empty."""

    divergences: int
    r_hat: float
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
    longer: Sequence[int] = LONGER,
    transform: Transform | None = None,
) -> Sampled:
    """Sample, and sample again while the chains have not converged.

    The second round takes smaller steps and tunes for longer, which is what divergences and most
    chains that disagree need; the third takes more draws besides, and keeps as many as requested by
    thinning. A few divergences, up to :data:`DIVERGENCES_MAX` of the draws, are no reason. Where no
    round converges the best of them is returned; see :meth:`Fit.diagnose`.

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
    longer : sequence of int
        Draws of further rounds, in units of the first.
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
    best = compiled.sample(settings, progress)
    if best.stopped and best.draws.sizes["draw"] < _FEWEST:
        raise FitError(
            f"max_seconds is {settings.max_seconds:g}, in which chains came to "
            f"{best.draws.sizes['draw']} draws after tuning; give it more, for {_FEWEST} are needed"
        )
    with progress.stage("convergence", "checking convergence"):
        quality = _quality(best, rhat_max, reported)
    spent = last = best.sample_seconds
    stopped, before = best.stopped, 1
    accepts = np.resize(_TARGET_ACCEPT, len(longer)) if len(longer) < 2 else _TARGET_ACCEPT
    for number, times in enumerate(longer):
        if not quality.text or stopped:
            break
        expected = last * _SLOWER * times / before
        if settings.max_seconds and spent + expected > settings.max_seconds:
            stopped = True
            break
        again = replace(
            settings,
            draws=times * settings.draws,
            tune=2 * settings.tune,
            target_accept=max(settings.target_accept, accepts[min(number, len(accepts) - 1)]),
            max_seconds=settings.max_seconds and settings.max_seconds - spent,
        )
        sampled = compiled.sample(again, progress, why=f"{quality.text}: with smaller steps, ")
        last, before = sampled.sample_seconds, times
        spent += last
        stopped = sampled.stopped
        if sampled.draws.sizes["draw"] < _FEWEST * times:
            break
        with progress.stage("convergence", "checking convergence"):
            found = _quality(sampled, rhat_max, reported)
        if found.better_than(quality):
            best, quality = _thinned(sampled, times), found
    return replace(
        best,
        sample_seconds=spent,
        converged=not quality.text,
        stopped=stopped,
    )


def _thinned(sampled: Sampled, times: int) -> Sampled:
    kept = sampled.draws.isel(draw=slice(times - 1, None, times))
    kept = kept.assign_coords(draw=np.arange(kept.sizes["draw"]))
    return replace(sampled, draws=kept, thin=times)


def _exponentials(draws: xr.Dataset) -> xr.Dataset:
    return draws.map(np.exp)


def _quality(sampled: Sampled, rhat_max: float, transform: Transform) -> _Quality:
    diverging = sampled.stats["diverging"]
    divergences = int(diverging.sum())
    reported = transform(sampled.draws)
    draws = sampled.draws.assign({f"reported_{name}": value for name, value in reported.items()})
    sizes = draws.sizes
    # An ESS of half the draws is enough where few draws are requested.
    enough = min(ESS_MIN, sizes["chain"] * sizes["draw"] // 2)
    r_hat, bulk, tail = worst_convergence(draws)
    ess = float(np.minimum(bulk, tail))
    text = ""
    # Written so that NaN fails.
    if not r_hat <= rhat_max:
        text = f"R-hat is {r_hat:.3f}"
    elif not ess >= enough:
        text = f"there are {ess:.0f} effective draws"
    elif divergences > DIVERGENCES_MAX * diverging.size:
        text = f"{divergences} of {diverging.size} draws diverged"
    return _Quality(divergences, r_hat if np.isfinite(r_hat) else np.inf, text)
