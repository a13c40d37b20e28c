"""Sampling of a fit: of one model, or of a mixture of models with fixed shares of the draws.

The components of a mixture are sampled apart, each until it has converged, and their draws are put
in one sequence, evenly spaced: the shares are not updated by the runs, since how well a family's
small runs are fitted does not tell which form holds beyond them (docs/calibration.md).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayes_scaling.core.progress import Progress
from bayes_scaling.inference.compiled import Sampled, compile_model
from bayes_scaling.inference.sampler import ESS_MIN, RHAT_MAX, sample_well
from bayes_scaling.inference.settings import FEWEST_DRAWS, SamplerSettings
from bayes_scaling.inference.tree import with_derived
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import hierarchy
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.mixed_draws import interleave, order_of
from bayes_scaling.model.spec import Spec

__all__ = ["sample_fit"]

_OF_TIME = 0.6
"""Part of a limit of time that the first component has."""
_TUNE = 2
"""Tuning with a quadratic, in units of that of the law."""
_THIN = 3
"""Draws of which one is kept, of a component with a small share: as many as it has would be too few
to tell whether its chains have converged."""


def sample_fit(
    spec: Spec, frame: ReferenceFrame, design: Design, settings: SamplerSettings, progress: Progress
) -> Sampled:
    """Sample the posterior of a table of runs.

    Parameters
    ----------
    spec, frame, design : Spec, ReferenceFrame, Design
        The model and the runs.
    settings : SamplerSettings
        Of the whole: draws and time are divided among the components.
    progress : Progress
        Where to say how far it is.

    Returns
    -------
    Sampled
        Of a mixture with the statistic ``component``, the number of the component of each draw.
    """
    if len(spec.components) == 1:
        return _sample(spec, frame, design, settings, progress)
    parts: list[Sampled] = []
    components = order_of([share for _, share in spec.components], settings.draws)
    for number, (part, share) in enumerate(spec.components):
        draws = int((components == number).sum())
        thin = _THIN if share < 1.0 / _THIN else 1
        limit = settings.max_seconds
        if limit is not None:
            used = sum(part.sample_seconds for part in parts)
            limit *= max(1.0 - used / limit, 1.0 - _OF_TIME) if parts else _OF_TIME
        own = replace(
            settings,
            draws=max(thin * draws, FEWEST_DRAWS),
            # With a quadratic chains take longer to adapt, where sizes are collinear most of all.
            tune=settings.tune * (_TUNE if curvature_names(part.law) else 1),
            max_seconds=limit,
            seed=settings.seed + number,
        )
        sampled = _sample(part, frame, design, own, progress, share=share)
        parts.append(_thinned(sampled, thin))
    return _mixed(spec, parts, settings.draws)


def _sample(
    spec: Spec,
    frame: ReferenceFrame,
    design: Design,
    settings: SamplerSettings,
    progress: Progress,
    *,
    share: float = 1.0,
) -> Sampled:
    """Sample one component, as well as a component of that share of the draws needs to be."""
    compiled = compile_model(spec, frame, design, progress, sampler=settings.sampler)
    return sample_well(
        compiled,
        settings,
        progress,
        # Of the variance of the whole, chains of this component explain the share of theirs.
        rhat_max=math.sqrt(1.0 + (RHAT_MAX**2 - 1.0) / share),
        ess_min=ESS_MIN * share,
        what="with a quadratic: " if curvature_names(spec.law) else "",
        transform=lambda draws: with_derived(spec, hierarchy.named(spec, frame, draws)),
    )


def _thinned(sampled: Sampled, thin: int) -> Sampled:
    """Keep one draw in so many, with one row of statistics each; at least one in all.

    Whether a kept draw diverged is whether any of those did that it stands for.
    """
    draws = sampled.draws.isel(draw=slice(thin - 1, None, thin))
    count = draws.sizes["draw"]
    each = sampled.stats.sizes["draw"] // count
    last = sampled.stats.isel(draw=slice(each - 1, each * count, each))
    diverging = sampled.stats["diverging"].isel(draw=slice(0, each * count))
    blocks = diverging.to_numpy().reshape(diverging.sizes["chain"], count, each)
    stats = last.assign(diverging=(("chain", "draw"), blocks.any(axis=2)))
    return replace(sampled, draws=draws, stats=stats)


def _mixed(spec: Spec, parts: Sequence[Sampled], draws: int) -> Sampled:
    """Put the draws of the components in one sequence, as many as their shares allow."""
    shares = [share for _, share in spec.components]
    counts = [part.draws.sizes["draw"] for part in parts]
    found = order_of(shares, draws)
    # Fewer, in the same shares, where time was up.
    while any((found == i).sum() > count for i, count in enumerate(counts)):
        found = order_of(shares, len(found) - 1)
    kept = [int((found == i).sum()) for i in range(len(parts))]
    inside = [p.draws.isel(draw=slice(0, n)) for p, n in zip(parts, kept, strict=True)]
    stats = [p.stats.isel(draw=slice(0, n)) for p, n in zip(parts, kept, strict=True)]
    chain = ("chain", "draw")
    component = np.broadcast_to(found, (inside[0].sizes["chain"], len(found))).astype(np.int8)
    return Sampled(
        interleave(spec, inside, found),
        interleave(spec, stats, found).assign(component=(chain, component)),
        compile_seconds=sum(part.compile_seconds for part in parts),
        sample_seconds=sum(part.sample_seconds for part in parts),
        thin=parts[0].thin,
        converged=all(part.converged for part in parts),
        stopped=any(part.stopped for part in parts),
    )
