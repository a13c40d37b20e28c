"""Caveat of a fit whose sampler was stopped by its limit of time."""

from bayes_scaling.core.caveat import Caveat, Severity
from bayes_scaling.inference.compiled import Sampled
from bayes_scaling.inference.settings import SamplerSettings

__all__ = ["time_limit"]


def time_limit(settings: SamplerSettings, sampled: Sampled) -> tuple[Caveat, ...]:
    """Return the caveat of draws that the limit of time ended; none where it did not.

    Parameters
    ----------
    settings : SamplerSettings
        States the limit and the draws asked for.
    sampled : Sampled
        What was drawn.
    """
    limit = settings.max_seconds
    if limit is None or not sampled.stopped:
        return ()
    draws = sampled.draws.sizes["draw"]
    state = "have" if sampled.converged else "have not"
    text = (
        f"Sampling ended at its limit of {limit:g} s, with {draws} of "
        f"{settings.draws} draws of each chain; by R-hat, effective draws and divergences the "
        f"chains {state} converged."
    )
    data = {"max_seconds": limit, "draws": draws, "converged": sampled.converged}
    severity: Severity = "note" if sampled.converged else "warning"
    return (Caveat(code="time-limit", severity=severity, text=text, data=data),)
