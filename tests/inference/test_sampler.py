"""Sampling longer when chains have not mixed, without sampling."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayes_scaling.errors import FitError
from bayes_scaling.inference.compiled import Sampled
from bayes_scaling.inference.sampler import sample_well
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.time_limit import time_limit


@dataclass
class Scripted:
    """Returns draws that mix, or do not diverge, only from the given round on."""

    good_from: int
    diverging: int = 0
    apart: float = 3.0
    seconds: float = 1.0
    requests: list[SamplerSettings] = field(default_factory=list)

    def sample(self, settings: SamplerSettings, progress: Any = None, why: str = "") -> Sampled:
        self.requests.append(settings)
        good = len(self.requests) > self.good_from
        rng = np.random.default_rng(len(self.requests))
        shape = (settings.chains, settings.draws)
        apart = 0.0 if good or self.diverging else self.apart
        values = rng.normal(size=shape) + apart * np.arange(settings.chains)[:, None]
        flags = np.zeros(shape, dtype=bool)
        flags[0, : 0 if good else self.diverging] = True
        coords = {"chain": range(shape[0]), "draw": range(shape[1])}
        draws = xr.Dataset({"mu": (("chain", "draw"), values)}, coords=coords)
        stats = xr.Dataset({"diverging": (("chain", "draw"), flags)}, coords=coords)
        return Sampled(draws, stats, 0.0, self.seconds)


def sampled_well(scripted: Scripted, **settings: Any) -> Sampled:
    return sample_well(scripted, SamplerSettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(("converged", "severity"), [(True, "note"), (False, "warning")])
def test_draws_that_a_limit_of_time_ended_have_a_caveat(converged: bool, severity: str) -> None:
    settings = SamplerSettings(draws=100, max_seconds=5)
    drawn = Scripted(good_from=0).sample(replace(settings, draws=70))
    stopped = replace(drawn, stopped=True, converged=converged)
    (caveat,) = time_limit(settings, stopped)
    assert (caveat.code, caveat.severity) == ("time-limit", severity)
    assert caveat.data == {"max_seconds": 5, "draws": 70, "converged": converged}
    assert time_limit(settings, drawn) == ()
    assert time_limit(SamplerSettings(), stopped) == ()


def test_the_limit_is_part_of_the_settings_where_there_is_one() -> None:
    assert "max_seconds" not in SamplerSettings().to_dict()
    assert SamplerSettings(max_seconds=2.5).to_dict()["max_seconds"] == 2.5


def test_converged_chains_are_sampled_once() -> None:
    scripted = Scripted(good_from=0)
    sampled = sampled_well(scripted)
    assert len(scripted.requests) == 1
    assert sampled.thin == 1
    assert sampled.converged


def test_chains_apart_are_sampled_with_smaller_steps_and_no_more_draws() -> None:
    scripted = Scripted(good_from=1)
    sampled = sampled_well(scripted)
    assert [one.draws for one in scripted.requests] == [1000, 1000]
    assert scripted.requests[1].target_accept > scripted.requests[0].target_accept
    assert scripted.requests[1].tune > scripted.requests[0].tune
    assert sampled.thin == 1
    assert sampled.sample_seconds == 2.0


def test_a_third_round_takes_more_draws_and_is_thinned() -> None:
    scripted = Scripted(good_from=2)
    sampled = sampled_well(scripted)
    assert [one.draws for one in scripted.requests] == [1000, 1000, 8000]
    assert sampled.thin == 8
    assert dict(sampled.draws.sizes) == {"chain": 4, "draw": 1000}
    assert list(sampled.draws["draw"].values) == list(range(1000))


@pytest.mark.parametrize(
    ("apart", "draws", "accept"), [(0.11, [1000, 2000], 0.95), (0.5, [1000, 1000, 8000], 0.99)]
)
def test_more_draws_are_taken_where_chains_differ_by_little(
    apart: float, draws: list[int], accept: float
) -> None:
    scripted = Scripted(good_from=len(draws) - 1, apart=apart)
    sampled_well(scripted)
    assert [one.draws for one in scripted.requests] == draws
    assert scripted.requests[-1].target_accept == accept


@pytest.mark.parametrize(("diverging", "rounds"), [(1, 1), (4, 1), (5, 2), (100, 2)])
def test_a_few_divergences_are_not_bought_off(diverging: int, rounds: int) -> None:
    scripted = Scripted(good_from=1, diverging=diverging)
    sampled = sampled_well(scripted)
    assert len(scripted.requests) == rounds
    assert sampled.converged


def test_the_best_round_is_kept_where_none_converges() -> None:
    scripted = Scripted(good_from=9)
    sampled = sampled_well(scripted)
    assert [one.draws for one in scripted.requests] == [1000, 1000, 8000]
    assert not sampled.converged


@pytest.mark.parametrize(("limit", "rounds"), [(1.5, 1), (4.5, 2), (100.0, 3)])
def test_no_round_is_begun_for_which_there_is_no_time(limit: float, rounds: int) -> None:
    scripted = Scripted(good_from=9)
    sampled = sampled_well(scripted, max_seconds=limit)
    assert len(scripted.requests) == rounds
    assert sampled.stopped == (rounds < 3)
    for before, request in enumerate(scripted.requests):
        assert request.max_seconds == limit - before


def test_converged_draws_are_not_stopped() -> None:
    assert not sampled_well(Scripted(good_from=0), max_seconds=0.5).stopped


def test_too_few_draws_in_the_time_are_no_fit() -> None:
    @dataclass
    class Stopped(Scripted):
        def sample(self, settings: SamplerSettings, progress: Any = None, why: str = "") -> Sampled:
            drawn = super().sample(replace(settings, draws=50), progress)
            return replace(drawn, draws=drawn.draws.isel(draw=slice(kept)), stopped=True)

    kept = 49
    with pytest.raises(FitError, match=r"max_seconds .* 49 draws"):
        sample_well(Stopped(good_from=0), SamplerSettings(max_seconds=1))  # type: ignore[arg-type]
    kept = 50
    settings = SamplerSettings(max_seconds=1)
    assert sample_well(Stopped(good_from=0), settings).stopped  # type: ignore[arg-type]
