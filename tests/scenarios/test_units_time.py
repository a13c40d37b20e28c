"""Numbers with units are read in a time that grows with their length, not its square."""

import time

import pytest

from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit, unit_of


@pytest.mark.parametrize("text", ["1" * 200_000, "1" * 200_000 + "x", "1" + " " * 200_000 + "?"])
def test_long_texts_take_no_time(text):
    start = time.process_time()
    unit_of(text)
    with pytest.raises(ScenarioError):
        in_unit("budget", text, "FLOP", "1e22 FLOP")
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("2 EUR/hour ", 2.0, "EUR/hour"),
        ("1.5e3", 1500.0, ""),
        (" .5\t%\n", 0.5, "%"),
        ("1_0.", 10.0, ""),
    ],
)
def test_parts_are_as_written(text, number, unit):
    assert unit_of(text) == unit
    if not unit:
        assert in_unit("end", text, "", "1") == number
