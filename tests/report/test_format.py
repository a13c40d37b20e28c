"""Numbers in words."""

import math

import pytest

from bayes_scaling.plots import number_format as _format


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.02e10, "70.2 billion"),
        (9.996e8, "1.00 billion"),
        (1.4e12, "1.40 trillion"),
        (4e16, "40,000 trillion"),
        (20.04, "20"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_count(value, text):
    assert _format.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0%"), (0.004, "under 1%"), (0.42, "42%"), (0.999, "over 99%"), (1.0, "100%")],
)
def test_percent_never_rounds_to_certainty(value, text):
    assert _format.percent(value) == text


def test_other_numbers():
    assert _format.loss(2.0) == "2.000"
    assert _format.loss(None) == "–"
    assert _format.flops(5.76e23) == "5.76 × 10²³"
    assert _format.number(0.00001234) == "1.234 × 10⁻⁵"
    assert _format.number(0) == "0"
    assert _format.times(1.5) == "31.6"
    assert _format.times(4) == "10,000"
    assert _format.joined(["a"]) == "a"
    assert _format.joined(["a", "b", "c"]) == "a, b and c"
    assert _format.joined(list("abcdefgh"), 3) == "a, b, c and 5 more"
    assert _format.axis_power(1e21) == "10²¹"
    assert _format.axis_count(2.5e9) == "2.5B"
