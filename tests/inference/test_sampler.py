"""Sampling longer when chains have not mixed, without sampling."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.core.progress import Progress
from bayes_scaling.inference.compiled import Sampled
from bayes_scaling.inference.sampler import sample_well
from bayes_scaling.inference.settings import SamplerSettings


@dataclass
class Scripted:
    """Returns draws that mix only from the given round on."""

    good_from: int
    diverging: bool = False
    asked: list[SamplerSettings] = field(default_factory=list)

    def sample(self, settings: SamplerSettings, progress: Any = None) -> Sampled:
        self.asked.append(settings)
        good = len(self.asked) > self.good_from
        rng = np.random.default_rng(len(self.asked))
        shape = (settings.chains, settings.draws)
        apart = 0.0 if good or self.diverging else 3.0
        values = rng.normal(size=shape) + apart * np.arange(settings.chains)[:, None]
        flags = np.zeros(shape, dtype=bool)
        flags[0, 0] = self.diverging and not good
        coords = {"chain": range(shape[0]), "draw": range(shape[1])}
        draws = xr.Dataset({"mu": (("chain", "draw"), values)}, coords=coords)
        stats = xr.Dataset({"diverging": (("chain", "draw"), flags)}, coords=coords)
        return Sampled(draws, stats, 0.0, 1.0)


def test_converged_chains_are_sampled_once() -> None:
    compiled = Scripted(good_from=0)
    sampled = sample_well(compiled, SamplerSettings())  # type: ignore[arg-type]
    assert len(compiled.asked) == 1
    assert sampled.thin == 1


def test_chains_that_disagree_are_sampled_longer_and_thinned() -> None:
    compiled, said = Scripted(good_from=1), []
    sampled = sample_well(compiled, SamplerSettings(), Progress.of(said.append))  # type: ignore[arg-type]
    assert [one.draws for one in compiled.asked] == [1000, 4000]
    assert compiled.asked[1].target_accept > compiled.asked[0].target_accept
    assert sampled.thin == 4
    assert dict(sampled.draws.sizes) == {"chain": 4, "draw": 1000}
    assert list(sampled.draws["draw"].values) == list(range(1000))
    assert sampled.sample_seconds == 2.0
    assert any("R-hat is" in line for line in said)


def test_divergences_are_a_reason_too() -> None:
    compiled, said = Scripted(good_from=1, diverging=True), []
    sample_well(compiled, SamplerSettings(), Progress.of(said.append))  # type: ignore[arg-type]
    assert len(compiled.asked) == 2
    assert "1 draws diverged: sampling 4 times longer" in said


def test_it_gives_up_after_the_longest_round() -> None:
    compiled = Scripted(good_from=9)
    sampled = sample_well(compiled, SamplerSettings())  # type: ignore[arg-type]
    assert [one.draws for one in compiled.asked] == [1000, 4000, 16000]
    assert sampled.thin == 16
