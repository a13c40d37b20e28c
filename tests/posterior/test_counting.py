"""Parameters of a shape, as runs count them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.posterior.counting import Counting, counting_of


@pytest.mark.parametrize("way", [Counting(), Counting(ratio=1.3), Counting(per_width=50_000.0)])
def test_a_way_of_counting_is_found_again_and_inverted(way: Counting) -> None:
    rows = pd.DataFrame({"n_layer": [4.0, 8, 12, 24], "d_model": [256.0, 512, 640, 1536]})
    rows["params"] = way.params(rows["n_layer"], rows["d_model"])
    found = counting_of(rows)
    assert_allclose([found.ratio, found.per_width], [way.ratio, way.per_width], rtol=1e-9)
    assert_allclose(way.width(way.params(12, 640), 12), 640)
    aspect = np.array([32.0, 80.0])
    n_layer, d_model = way.shape(1e8, aspect)
    assert_allclose(d_model / n_layer, aspect)
    assert_allclose(way.params(n_layer, d_model), 1e8, rtol=1e-6)


def test_the_bundled_runs_count_their_bytes() -> None:
    rows = bs.datasets.load("byte_lm").table
    found = counting_of(rows)
    counted = found.params(rows["n_layer"], rows["d_model"])
    assert_allclose(counted, rows["params"], rtol=0.03)
    # 256 bytes and the end of a text have an embedding each.
    assert 200 < found.per_width < 300


def test_without_shapes_matrices_are_all_there_is() -> None:
    assert counting_of(pd.DataFrame({"params": [1e6]})) == Counting()
