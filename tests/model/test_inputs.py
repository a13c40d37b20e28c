"""Inputs of a law: stated, derived from other columns, assumed and said so, or refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws, model
from bayes_scaling.errors import DataError
from bayes_scaling.laws.law_inputs import typical_at
from bayes_scaling.model import fill_typical, input_table, stated_inputs, typical, unstated

RUNS = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "family": ["web", "web", "code", "code"],
        "params": [1e6, 4e6, 1e6, 4e6],
        "tokens": [1e8, 1e8, 4e8, 4e8],
        "n_layer": [2.0, 4.0, 2.0, 4.0],
        "d_model": [200.0, 280.0, 200.0, 280.0],
        "batch_tokens": [1e4, 1e4, 1e4, 4e4],
    }
)


def test_steps_batch_and_aspect_ratio_follow_from_other_columns() -> None:
    steps = laws.get("kaplan-steps")
    expected = [1e4, 1e4, 4e4, 1e4]
    assert_allclose(input_table(steps, RUNS)["step"], expected)
    other = RUNS.drop(columns="batch_tokens").assign(step=expected)
    assert_allclose(input_table(steps, other)["batch_tokens"], RUNS["batch_tokens"])
    ratio = input_table(laws.get("depth-width"), RUNS)["aspect_ratio"]
    assert_allclose(ratio, RUNS["d_model"] / RUNS["n_layer"])
    # What is stated wins over what would follow.
    stated = input_table(laws.get("depth-width"), RUNS.assign(aspect_ratio=[1, np.nan, 3, 4]))
    assert_allclose(stated["aspect_ratio"], [1, 70, 3, 4])


def test_inputs_that_are_missing_are_named_with_the_row() -> None:
    law = laws.get("depth-width")
    with pytest.raises(DataError, match=r"'aspect_ratio'.*d_model.*n_layer"):
        input_table(law, RUNS.drop(columns="n_layer"))
    holes = RUNS.assign(d_model=[1.0, np.nan, np.nan, 2.0])
    with pytest.raises(DataError, match=r"'aspect_ratio'.*2 of 4.*row 2 \(b\)"):
        input_table(law, holes)
    assert input_table(law, holes, best=True)["aspect_ratio"].isna().tolist() == [0, 1, 1, 0]
    # Runs without a label are known by their row alone.
    with pytest.raises(DataError, match=r"row 2$"):
        input_table(law, holes.assign(run=""))


def test_what_is_assumed_is_reported() -> None:
    assert unstated(laws.get("chinchilla"), RUNS) == []
    assert unstated(laws.get("data-constrained"), RUNS.assign(unique_tokens=1e7)) == []
    (blank,) = unstated(laws.get("data-constrained"), RUNS)
    assert (blank.code, blank.subject) == ("unstated-input", "unique_tokens")
    assert blank.data == {"rows": 4, "of": 4}
    some = RUNS.assign(n_layer=[np.nan, 1, 1, 1])
    (blank,) = unstated(laws.get("depth-width"), some)
    assert (blank.subject, blank.data) == ("aspect_ratio", {"rows": 1, "of": 4})


def test_columns_that_a_law_needs_beside_the_sizes() -> None:
    assert stated_inputs(laws.get("chinchilla")) == ()
    assert stated_inputs(laws.get("data-constrained")) == ("unique_tokens",)
    assert set(stated_inputs(laws.get("depth-width"))) == {"aspect_ratio", "d_model", "n_layer"}
    assert set(stated_inputs(laws.get("kaplan-steps"))) == {"step", "batch_tokens"}


def test_batch_and_shape_are_those_in_the_middle_of_the_family() -> None:
    law = laws.get("kaplan-steps")
    asked = pd.DataFrame(
        {"family": ["web", "code", "new"], "params": 1e7, "tokens": 1e9, "step": [500, None, None]}
    ).astype({"step": float})
    filled, said = fill_typical(law, RUNS, asked)
    # Geometric means: 2e4 for "code"; all four runs for a family that is new.
    assert_allclose(filled["step"], [500, 1e9 / 2e4, 1e9 / np.sqrt(1e4 * 2e4)])
    assert_allclose(input_table(law, filled)["batch_tokens"].iloc[0], 2e6)
    assert [(c.subject, c.data["rows"]) for c in said] == [("step and batch_tokens", 2)]


def test_typical_shapes_keep_the_count_and_the_aspect_ratio() -> None:
    law = laws.get("gemstones")
    usual = typical(law, RUNS, "web")
    logs = typical_at(law, np.log([1e6, 4e6, 64e6]), np.log([1e8, 1e8, 1e8]), usual)
    layers, width = np.exp(logs["n_layer"]), np.exp(logs["d_model"])
    assert_allclose(width / layers, np.sqrt(100.0 * 70.0))
    counted = np.sqrt(1e6 * 4e6 / (12 * 2 * 200.0**2) / (12 * 4 * 280.0**2))
    assert_allclose(12 * layers * width**2 * counted, [1e6, 4e6, 64e6])
    whole = RUNS.assign(n_layer=[2, np.nan, 2, 4])
    filled, said = fill_typical(law, RUNS, whole)
    assert_allclose(filled.loc[[0, 2, 3], "n_layer"], [2, 2, 4])
    assert filled["n_layer"].notna().all()
    assert said[0].data == {"rows": 1, "of": 4}
    # Laws that read neither are left alone.
    assert fill_typical(laws.get("chinchilla"), RUNS, whole)[1] == []


def test_the_old_name_of_typical_caveats_gives_their_texts() -> None:
    law = laws.get("kaplan-steps")
    with pytest.warns(DeprecationWarning, match="typical_caveats"):
        old = model.typical_notes
    texts = [caveat.text for caveat in model.typical_caveats(law, RUNS, ["web"])]
    assert old(law, RUNS, ["web"]) == texts
    assert len(texts) == 2
