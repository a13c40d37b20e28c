"""Random numbers: one file makes generators, and two uses of a seed share none."""

import ast
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import bayes_scaling
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.errors import FitError
from bayes_scaling.scenarios.amounts import Fixed, Pert
from bayes_scaling.scenarios.prices import Compute, Data

PACKAGE = Path(bayes_scaling.__file__).parent


def test_generators_are_made_in_one_file() -> None:
    made = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node).startswith(("np.random.", "numpy.random.", "random."))
        and node.attr != "Generator"
    }
    assert made == {"core/random_streams.py"}


def test_every_stream_is_used_once() -> None:
    """Each name stands in one file, so that no two uses share a stream unawares."""
    files: dict[str, set[str]] = {stream.name: set() for stream in Stream}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("Stream."):
                files[node.attr].add(path.name)
    files["SIMULATED_RUNS"].discard("random_streams.py")
    assert {name: len(found) for name, found in files.items()} == dict.fromkeys(files, 1)


@given(st.integers(0, 2**64))
def test_streams_and_keys_of_one_seed_share_nothing(seed: int) -> None:
    parts = [(stream,) for stream in Stream] + [
        (Stream.RUN_NOISE, "web", 0),
        (Stream.RUN_NOISE, "web", 1),
        (Stream.RUN_NOISE, "code", 0),
        (Stream.RUN_DISCREPANCY, "web", 0),
    ]
    first = [generator(stream, seed, *keys).integers(2**63) for stream, *keys in parts]
    assert all(a != b for a, b in combinations(first, 2))
    again = [generator(stream, seed, *keys).integers(2**63) for stream, *keys in parts]
    assert first == again


def test_the_streams_of_runs_are_those_of_earlier_versions() -> None:
    # Plans and forecasts of a saved fit, and simulated tables, stay what they were.
    noise = np.random.SeedSequence(3, spawn_key=(1, 365_508_689, 2))
    assert_array_equal(
        generator(Stream.RUN_NOISE, 3, "web", 2).normal(size=5),
        np.random.default_rng(noise).normal(size=5),
    )
    assert_array_equal(
        generator(Stream.SIMULATED_RUNS, 3).normal(size=5), np.random.default_rng(3).normal(size=5)
    )


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(FitError, match="seed"):
        generator(Stream.AVERAGE, seed)  # type: ignore[arg-type]


def test_an_uncertain_price_has_the_same_draws_in_every_decision() -> None:
    compute = Compute(Fixed(1e15), Pert(0.3, 0.4, 0.5), Fixed(2.0 / 3600))
    few = Costs.of(compute, None, None, 100, 5)
    many = Costs.of(compute, Data(Pert(1e-7, 1e-6, 1e-5)), None, 400, 5)
    assert_array_equal(few.per_flop, many.per_flop[:100])
    assert (many.per_flop != Costs.of(compute, None, None, 400, 6).per_flop).all()
