"""What is learned from many families: of families and errors whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from bayes_scaling import laws
from benchmarks.extrapolation.alternatives import predictive
from benchmarks.extrapolation.law_errors import KERNEL, Ahead, Errors, Scorer, learn_errors
from benchmarks.extrapolation.learning import random_effects

LAW = laws.get("power-n-floor")
CENTRE = np.array([-0.4, -1.0, -1.5])


def families(count: int, sd: float, precision: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Families about a centre, each known with a precision; nothing is known of the last one."""
    rng = np.random.default_rng(0)
    found = {}
    for i in range(count):
        known = np.diag([precision, precision, 0.0])
        truth = CENTRE + sd * rng.normal(size=3)
        seen = truth + rng.normal(size=3) / np.sqrt(precision)
        found[f"f{i}"] = known, known @ seen
    return found


def test_random_effects_find_centre_and_spread() -> None:
    found = families(400, 0.3, 100.0)
    priors = random_effects(LAW, found, {name: name for name in found})
    for i, name in enumerate(LAW.names[:2]):
        median, sd, spread = priors[name]
        assert_allclose(np.log(median), CENTRE[i], atol=0.05)
        assert_allclose(spread, 0.3, rtol=0.1)
        # As well known as 400 families of which each has a little less than all to say.
        assert_allclose(sd, 0.3 / np.sqrt(400), rtol=0.15)


def test_of_what_no_family_tells_the_weak_prior_stays() -> None:
    found = families(30, 0.3, 100.0)
    median, sd, spread = random_effects(LAW, found, {name: name for name in found})["alpha_N"]
    weak = next(p.prior for p in LAW.parameters if p.name == "alpha_N")
    wide = np.hypot(weak.sd, weak.spread)
    assert_allclose([median, sd, spread], [weak.median, wide, wide], rtol=1e-3)


def test_families_of_one_root_weigh_as_one() -> None:
    found = families(3, 0.0, 1e6)
    moved = found["f2"][0], found["f2"][0] @ (CENTRE + 0.5)
    alone = {"f0": found["f0"], "f2": moved}
    twice = {"f0": found["f0"], "f1": found["f0"], "f2": moved}
    once = random_effects(LAW, alone, {"f0": "a", "f2": "b"})
    again = random_effects(LAW, twice, {"f0": "a", "f1": "a", "f2": "b"})
    for name in LAW.names:
        assert_allclose(once[name], again[name], atol=2e-4)


def ahead(level: float, share: float, roots: int = 60, draws: int = 400) -> list[Ahead]:
    """Forecasts that miss by errors of a level, and in a share by an offset of the second curve."""
    rng = np.random.default_rng(1)
    made = []
    for i in range(roots):
        distance = rng.uniform(0.5, 3.0, 6)
        missed = level * distance**0.7 * (0.77 * rng.normal() + 0.63 * rng.normal(size=6))
        offset = 0.1 * (rng.random() < share)
        curves = np.stack([np.zeros((6, draws)), np.full((6, draws), 0.1)])
        sigma = np.full((2, draws), 0.002)
        made.append(Ahead(f"r{i}", 8.0, missed + offset, distance, curves, sigma, sigma + 30.0))
    return made


@pytest.mark.parametrize(("level", "share"), [(0.004, 0.15), (0.016, 0.4)])
def test_errors_are_found_again(level: float, share: float) -> None:
    found = learn_errors(Scorer.of(ahead(level, share)))
    scale = found.level * (0.002 / 0.005) ** found.noise_power
    assert_allclose(np.log(scale), np.log(level), atol=0.4)
    assert_allclose(found.share, share, atol=0.1)


def test_a_root_does_not_inform_its_own_errors() -> None:
    made = ahead(0.004, 0.1, roots=6)
    wild = replace(made[0], log_loss=made[0].log_loss + 0.05)
    others = learn_errors(Scorer.of([wild, *made[1:]]), "r0")
    again = learn_errors(Scorer.of(made), "r0")
    assert others == again
    assert learn_errors(Scorer.of([wild, *made[1:]])) != again


def test_the_density_is_that_of_a_normal() -> None:
    one = ahead(0.004, 0.0, roots=1)[0]
    still = replace(one, sigma=np.full_like(one.sigma, 1e-12))
    errors = Errors(level=0.01, noise_power=0.0, power=1.0, spread=0.0, share=0.0)
    with np.errstate(divide="ignore"):
        found = Scorer.of([still]).log_density(errors)[0]
    sd = np.hypot(0.01 * one.distance, KERNEL)
    assert_allclose(found, norm.logpdf(one.log_loss, scale=sd).mean(), rtol=1e-6)


def test_the_predictive_has_the_share_and_the_scale() -> None:
    one = ahead(0.004, 0.0, roots=1, draws=20_000)[0]
    errors = Errors(level=0.01, noise_power=0.0, power=1.0, spread=0.0, share=0.25)
    draws = predictive(one, errors, np.random.default_rng(0))
    of_law = draws[0] < 0.05
    assert_allclose(of_law.mean(), 0.75, atol=0.02)
    sd = np.hypot(0.01 * one.distance[0], 0.002)
    assert_allclose(draws[0][of_law].std(), sd, rtol=0.05)
