"""A short run of every fuzzer, and what the fuzzers themselves promise."""

import math
import warnings

import pytest

from bayes_scaling.errors import DataError
from tests.fuzz.engine import Made, Target, UnsoundError, finite, fuzz
from tests.fuzz.targets import TARGETS

QUICK = {
    "runs": 60,
    "configs": 40,
    "scenarios": 30,
    "checkpoints": 60,
    "curves": 15,
    "damaged fits": 20,
    "altered fits": 8,
}
"""Inputs of targets that need no files of every kind; the others run with the slow tests."""


@pytest.mark.parametrize("name", QUICK)
def test_a_short_run_finds_nothing(name):
    found = fuzz(TARGETS[name](), seed=1000, inputs=QUICK[name])
    assert found.inputs == QUICK[name] == found.refused + found.accepted
    assert not found.findings, found.findings[0].trace
    assert min(found.refused, found.accepted) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_long_run_finds_nothing(name):
    found = fuzz(TARGETS[name](), inputs=1500, seconds=60.0)
    assert not found.findings, found.findings[0].trace
    assert min(found.refused, found.accepted) > 0


def _target(read):
    return Target("mine", lambda rng: Made("a.txt", str(rng.random()).encode()), read)


def _endless(_path):
    while True:
        pass


def _half_written(path):
    (path.parent / "out" / ".a.part").touch()


def _not_finite(_path):
    finite({"a": [1.0, math.nan]})


def _warning(_path):
    warnings.warn("odd", stacklevel=1)


def _nothing(_path):
    return None


def _several_lines(_path):
    raise ValueError("one\ntwo")


def _sentence(_path):
    raise DataError("one sentence")


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (_half_written, "UnsoundError: 'left .a.part'"),
        (_several_lines, "ValueError"),
        (lambda path: path.write_bytes(b""), "the input was changed"),
        (_not_finite, ".a[1] is nan"),
        (_warning, "UserWarning"),
    ],
)
def test_what_a_finding_is(read, what, tmp_path):
    found = fuzz(_target(read), seed=7, inputs=2, folder=tmp_path)
    assert [finding.seed for finding in found.findings] == [7, 8]
    assert all(what in str(finding) for finding in found.findings)
    kept = (tmp_path / "mine-8" / "a.txt").read_bytes()
    again = fuzz(_target(read), seed=8, inputs=1).findings[0]
    assert again.made.data == kept == found.findings[1].made.data


def test_refusals_and_what_passes_are_no_findings():
    for read, refused in ((_sentence, 3), (_nothing, 0)):
        found = fuzz(_target(read), inputs=3)
        assert (found.refused, found.accepted) == (refused, 3 - refused)
        assert not found.findings


def test_a_hang_ends(monkeypatch):
    monkeypatch.setattr("tests.fuzz.engine.SLOW", 0.2)
    found = fuzz(_target(_endless), inputs=1)
    assert "more than 0.2 s" in str(found.findings[0])


def test_only_finite_numbers_pass():
    finite({"a": [1, 2.0, None, "nan", {"b": True}]})
    with pytest.raises(UnsoundError, match="it is inf"):
        finite(math.inf)
