"""Tables that mix counts, tokenizers, schedules; and loading runs with another count."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.errors import DataError
from bayes_scaling.runs import load_runs
from bayes_scaling.runs.load_runs_table import recount

BASE = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "family": ["x", "x", "x", "y"],
        "params": [1.2e7, 1.0e7, 3.0e7, 1.2e7],
        "tokens": [1e9, 2e9, 1e9, 1e9],
        "loss": [3.1, 3.0, 2.9, 3.2],
    }
)


def codes(table: pd.DataFrame) -> list[tuple[int, str, str]]:
    return [(flag.row, flag.code, flag.severity) for flag in load_runs(table).flags]


def test_rows_without_embeddings_among_others_are_flagged() -> None:
    mixed = BASE.assign(params_nonemb=[1.0e7, 1.0e7, 2.8e7, np.nan])
    assert (1, "mixed-counts", "warning") in codes(mixed)
    assert sum(code == "mixed-counts" for _, code, _ in codes(mixed)) == 1
    # All rows of one count, whichever, are no mixture.
    for count in (BASE["params"], BASE["params"] * 0.9):
        assert not any("counts" in code for _, code, _ in codes(BASE.assign(params_nonemb=count)))
    # With the count chosen explicitly nothing is mixed.
    flags = load_runs(mixed.iloc[:3], count="params_nonemb").flags
    assert not any(flag.code == "mixed-counts" for flag in flags)


def test_losses_per_token_of_two_tokenizers_are_refused_in_one_family() -> None:
    mixed = BASE.assign(tokenizer=["gpt2", " GPT2", "llama", "gpt2"])
    assert (2, "mixed-tokenizers", "error") in codes(mixed)
    with pytest.raises(DataError, match="mixed-tokenizers"):
        load_runs(mixed).fit_rows()
    assert len(load_runs(mixed).exclude("mixed-tokenizers").fit_rows()) == 3
    # Losses per byte compare whatever the tokenizer.
    per_byte = mixed.assign(loss_unit="nats/byte", loss=[0.9, 0.8, 0.8, 0.9])
    assert not any(code == "mixed-tokenizers" for _, code, _ in codes(per_byte))


def test_families_of_two_tokenizers_are_reported_to_differ() -> None:
    found = codes(BASE.assign(tokenizer=["gpt2", "gpt2", "", "llama"]))
    assert [entry for entry in found if "tokenizers" in entry[1]] == [
        (-1, "mixed-tokenizers", "warning")
    ]


def test_a_schedule_that_is_not_the_typical_one_is_flagged() -> None:
    found = codes(BASE.assign(lr_schedule=["cosine", "Cosine ", "constant", "wsd"]))
    assert [entry for entry in found if "schedules" in entry[1]] == [
        (2, "mixed-schedules", "warning")
    ]


def test_runs_are_counted_again_with_their_compute() -> None:
    table = BASE.assign(params_nonemb=BASE["params"] * 0.5, flops=[1e17, np.nan, 2e17, np.nan])
    runs = load_runs(table)
    other = recount(runs, "params_nonemb")
    assert other.count == "params_nonemb"
    assert_allclose(other.table["params"], BASE["params"] * 0.5)
    assert_allclose(other.table["params_total"], BASE["params"])
    # FLOP that were given stay; those that followed from N follow from the new one.
    assert_allclose(other.table["flops"], [1e17, 6 * 0.5e7 * 2e9, 2e17, 6 * 0.6e7 * 1e9])
    back = recount(other, "params")
    assert_allclose(back.table["params"], BASE["params"])
    assert back.hash == runs.hash
    assert recount(runs, "params") is runs
    assert recount(table, "params_nonemb").hash == other.hash
    kept = recount(runs.exclude("single-run-family"), "params_nonemb")
    assert kept.excluded == {"single-run-family": 1}
    with pytest.raises(DataError, match="params_nonemb"):
        recount(load_runs(BASE), "params_nonemb")
