"""Tables as strangers bring them: the right numbers, or one sentence on what to write."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import BayesScalingError
from bayes_scaling.runs import load_configs, load_runs

CASES = Path(__file__).parents[1] / "cases"
GOOD = pd.read_csv(CASES / "good.csv")
TABLES = {
    "accuracy_as_loss.csv": ["'accuracy'"],
    "bits_per_byte.csv": [],
    "comment_line.csv": ["line 1", "# exported"],
    "good.csv": [],
    "good.csv.gz": ["good.csv.gz"],
    "html_sign_in.csv": ["html_sign_in.csv"],
    "learning_rate_sweep.csv": ["lr", "--best-of params,tokens", "--accept sweep"],
    "params_and_loss_only.csv": ["tokens", "flops"],
    "params_in_billions.csv": ["params", "implausible-size"],
    "perplexity.csv": ["'ppl'"],
    "semicolon_decimal_comma.csv": ["semicolon_decimal_comma.csv"],
    "suffixes_125M_2.5B.csv": ["'10M'"],
    "train_loss_and_val_loss.csv": ["--column loss='val_loss'"],
}


def test_every_table_is_here():
    tables = {path.name for path in CASES.iterdir() if path.suffix in {".csv", ".gz"}}
    others = {"configs_in_billions.csv", "cosine_to_a_tenth.csv", "nan_as_blank.csv"}
    assert tables - others - {"spike_in_progress.csv"} == set(TABLES)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables(name):
    try:
        rows = load_runs(CASES / name).fit_rows()
    except BayesScalingError as error:
        text = str(error)
        assert TABLES[name], text
        assert "\n" not in text
        assert [part for part in TABLES[name] if part not in text] == []
    else:
        assert not TABLES[name]
        sizes = ["params", "tokens"]
        np.testing.assert_allclose(rows[sizes], GOOD[sizes])
        if name == "bits_per_byte.csv":
            # 4.2 bytes a token, as these numbers were made.
            assert set(rows["loss_unit"]) == {"bits/byte"}
            nats = rows["loss"] * np.log(2.0) * 4.2
            np.testing.assert_allclose(nats, GOOD["loss"], rtol=1e-3)
        else:
            assert rows["loss"].tolist() == GOOD["loss"].tolist()


def _losses(name, **options):
    return load_runs(CASES / name, **options).fit_rows()["loss"].to_numpy()


def test_what_the_sentences_say_to_write_works():
    good = GOOD["loss"].to_numpy()
    validation = _losses("train_loss_and_val_loss.csv", columns={"loss": "val_loss"})
    np.testing.assert_allclose(validation, good)
    table = pd.read_csv(CASES / "params_in_billions.csv")
    written = load_runs(table.assign(params=table["params"] * 1e9)).fit_rows()
    np.testing.assert_allclose(written["params"], GOOD["params"])
    table = pd.read_csv(CASES / "perplexity.csv")
    np.testing.assert_allclose(
        load_runs(table.assign(loss=np.log(table["ppl"]))).fit_rows()["loss"], good, atol=1e-4
    )
    best = load_runs(CASES / "learning_rate_sweep.csv").best().fit_rows()
    assert len(best) == 6


def test_configurations_in_billions():
    path = CASES / "configs_in_billions.csv"
    with pytest.raises(BayesScalingError, match="params and tokens"):
        load_configs(path)
    assert len(load_configs(path, accept=["implausible-size"]).caveats) == 1
