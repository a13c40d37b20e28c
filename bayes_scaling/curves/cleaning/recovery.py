"""Posterior of whether a run that left its curve comes back, with a prior of time to recover.

Three things explain a loss that stands above its curve: a spike that will pass, a level that stays
(other data, a resume from something else) and divergence. What is left to decide between them is
how long it has lasted, how high it stands, and how much of its height is still there.

The durations are a prior, not an estimate: of some 200 public curves that were looked through, none
holds a spike that passed. Reports of large runs speak of spikes over in some hundred steps of a
hundred thousand and of a few that took many times as long; hence a median of a hundredth of the
steps before, and a tail heavy enough that one spike in thirty lasts ten times as long.
"""

import math
from dataclasses import dataclass

__all__ = ["CERTAIN", "Recovery", "recovery"]

CERTAIN = 0.95
"""Probability of divergence from which a run is stopped for it."""
_RETURNS, _LEVEL, _DIVERGED = 0.85, 0.1, 0.05
"""Prior probabilities of what left its curve."""
_MEDIAN, _POINTS, _TAIL = 0.01, 0.8, 1.5
"""Median duration of a spike, as a fraction of t where it began, and in logged points if that is
longer; exponent of the tail of durations, which are log-logistic."""
_HEIGHT, _STEP = 0.4, 0.12
"""Of log loss: scale of the height of spikes and divergence, with a gamma density of shape 2; sd of
a step to a level that stays."""
_TINY = 1e-300
_LEFT = 8.0
"""Of a run that does not come back the fraction x of its height that is left has a density of
(1 + 8) x^8; of one that comes back it is uniform."""


@dataclass(frozen=True)
class Recovery:
    """Posterior of what a run off its curve will do.

    Attributes
    ----------
    returns, level, diverged : float
        Probability that it comes back to its curve, stays at another level, has diverged.
    wait_until : float
        Where this is decided, if nothing changes until then.
    """

    returns: float
    level: float
    diverged: float
    wait_until: float

    @property
    def likely(self) -> str:
        """State to act on: "diverged" if that is certain, else "level" or "returns"."""
        if self.diverged > CERTAIN:
            return "diverged"
        return "level" if self.level >= max(self.returns, self.diverged) else "returns"


def recovery(
    since: float, now: float, *, spacing: float, height: float, left: float, parallel: float
) -> Recovery:
    """Compute the posterior of what a run off its curve will do.

    Parameters
    ----------
    since, now, spacing : float
        Where it left its curve, its last point, and the distance of logged points since.
    height : float
        Log loss above the curve; below 0, a run below its curve cannot have diverged.
    left, parallel : float
        Fraction of the height that is left, and probability that the points run in parallel to the
        curve, as those of a level do.
    """
    median = max(_MEDIAN * since, _POINTS * spacing)
    age = max(now - since + spacing, spacing)
    high = max(abs(height) / _HEIGHT**2 * math.exp(-abs(height) / _HEIGHT), _TINY)
    returns = _RETURNS * high
    step = math.exp(-0.5 * (height / _STEP) ** 2) / (_STEP * math.sqrt(2.0 * math.pi))
    level = max(_LEVEL * 2.0 * step * parallel, _TINY)
    diverged = _DIVERGED * high if height > 0 else 0.0
    stays = (1.0 + _LEFT) * min(max(left, 0.0), 1.0) ** _LEFT
    lasting = 1.0 / (1.0 + (age / median) ** _TAIL)
    weights = (returns * lasting, level * stays, diverged * stays)
    total = sum(weights)
    # Where it is certain, if all of the height stays: the survival that leaves that probability.
    odds = CERTAIN / (1.0 - CERTAIN)
    flat = 1.0 + _LEFT
    enough = max(diverged / odds - level, level / odds - diverged) * flat / returns
    if enough <= 0:  # never between a level and divergence; but that it does not come back
        enough = (diverged + level) / odds * flat / returns
    wait = median * max(1.0 / min(enough, 1.0) - 1.0, 0.0) ** (1.0 / _TAIL)
    until = since - spacing + wait
    return Recovery(
        weights[0] / total, weights[1] / total, weights[2] / total, max(until, now + spacing)
    )
