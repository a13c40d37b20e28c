"""The public studies: cards that hold, rows accounted for, and the way from their files."""

import hashlib
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_scaling import laws
from bayes_scaling.runs import datasets

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "data" / "public"
SOURCE = ROOT.parent / "shared" / "public"
CARDS = {name: datasets.card(name) for name in datasets.names()}
PUBLIC = [name for name, card in CARDS.items() if card.file.startswith("public/")]
RUNS = [name for name in PUBLIC if CARDS[name].kind == "runs"]
FILES = sorted({Path(CARDS[name].file).stem for name in PUBLIC})


TIDY = runpy.run_path(str(ROOT / "tools" / "tidy_public_data.py"))["tidy"]


def test_every_file_has_a_card_and_a_checksum():
    assert sorted(path.stem for path in FOLDER.glob("*.csv")) == FILES
    lines = (FOLDER / "SHA256SUMS").read_text("utf-8").splitlines()
    assert {name: digest for digest, name in map(str.split, lines)} == {
        f"{name}.csv": hashlib.sha256((FOLDER / f"{name}.csv").read_bytes()).hexdigest()
        for name in FILES
    }


@pytest.mark.parametrize("name", RUNS)
def test_a_card_tells_of_the_runs(name):
    card, runs = CARDS[name], datasets.load(name)
    table = runs.table
    assert (card.rows, card.families, card.loss_unit) == (len(runs), runs.families, runs.loss_unit)
    assert card.targets == len(runs.targets())
    assert len(runs.fit_rows()) == card.rows - card.targets
    for column, span in card.ranges.items():
        np.testing.assert_allclose(
            [table[column].min(), table[column].max()], [span.low, span.high]
        )
    assert set(card.laws) <= set(laws.available())
    assert set(table["root"]) == set(card.roots)
    assert not [flag for flag in runs.flags if flag.severity == "error"]
    assert sum(card.flags.values()) == len(runs.flags)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_row_is_lost(name):
    card, whole = CARDS[name], datasets.load_table(name)
    belongs = len(whole)
    for column, values in card.where.items():
        belongs = int(whole[column].isin(values).sum())
    assert card.rows + sum(card.left_out.values()) == belongs
    assert {"family", "root"} <= set(whole.columns)
    assert not whole[["family", "root"]].isna().any(axis=None)
    assert not [column for column in whole if whole[column].isna().all()]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_card_names_source_and_licence(name):
    card = CARDS[name]
    assert card.source.startswith("github.com/")
    assert len(card.commit) == 7
    notice = (ROOT / "data" / card.notice).read_text("utf-8")
    assert card.source in notice
    assert card.commit in notice
    assert Path(card.file).name in notice
    assert card.holder in notice
    assert card.licence in {"MIT", "Apache-2.0", "CC-BY-4.0"}
    assert Path(card.notice).stem == card.licence


@pytest.mark.parametrize(
    ("name", "rows", "left_out"),
    [
        ("olmo_ladder", 32, 0),
        ("gadre", 80, 24),
        ("gadre_grid", 430, 5),
        ("porian", 275, 665),
        ("gemstones", 169, 72),
        ("colpret", 70, 61),
        ("precision_quest", 104, 0),
        ("routed_moe", 13, 210),
        ("moe_upcycling", 88, 0),
        ("mixture_regmix", 1088, 0),
        ("dclm_downstream", 416, 0),
        ("lr_schedule_curves", 6265, 0),
        ("olmo_ladder_curves", 3862, 0),
        ("gemstones_curves", 4850, 0),
    ],
)
def test_rows_as_counted_in_the_sources(name, rows, left_out):
    card = CARDS[name]
    assert (card.rows, sum(card.left_out.values())) == (rows, left_out)


def test_the_large_models_are_targets():
    runs = datasets.load("olmo_ladder")
    targets = runs.targets()
    assert targets["size"].tolist() == ["7B", "13B"]
    assert runs.count == "params_nonemb"
    assert runs.table["params"].equals(runs.table["params_nonemb"])
    assert datasets.load("olmo_ladder", count="params").table["params"].max() > 13.7e9
    # The FLOP of one token falls towards 6·N as embeddings and attention weigh less, 7B included.
    ratio = runs.table["flops"] / (6 * runs.table["params"] * runs.table["tokens"])
    assert ratio.groupby(runs.table["params"]).mean().is_monotonic_decreasing


def test_what_is_loaded_is_sound():
    porian = datasets.load("porian").table
    assert (porian["tokens"] >= 3 * porian["params"]).all()
    assert not porian["family"].str.endswith("_kaplan").any()
    gadre = datasets.load("gadre").table
    assert gadre["token_multiplier"].min() == 20
    once = datasets.load("datablations_single_epoch").table
    assert (once["unique_tokens"] >= once["tokens"]).all()
    assert not datasets.load("datablations").table["overfit"].any()
    assert set(datasets.load("gemstones").table["family"]) == {"cooldown"}


def test_makers_in_common_share_a_root():
    colpret = datasets.load_table("colpret")
    roots = colpret.groupby("family")["root"].unique().str[0].to_dict()
    assert roots["overtrain_rpj"] == CARDS["gadre"].roots[0] == "gadre"
    assert roots["datablations_c4"] == CARDS["datablations"].roots[0]
    assert roots["olmo_pile"] == CARDS["olmo_ladder"].roots[0]
    assert roots["gpt3"] != roots["opt"]
    assert CARDS["gadre_grid"].roots == ("gadre",)


def test_a_card_is_shown():
    card = CARDS["porian"]
    assert repr(card) == str(card)
    page = card._repr_html_()
    for part in (card.title, card.commit, "mid-schedule", card.notice):
        assert part in str(card)
        assert part in page
    assert datasets.DataCard.from_dict(card.to_dict()) == card


def test_the_list_has_a_line_for_each():
    table = datasets.list().set_index("name")
    assert tuple(table.index) == datasets.names()
    assert table.loc["olmo_ladder", "flops_max"] == CARDS["olmo_ladder"].ranges["flops"].high
    assert np.isnan(table.loc["dclm_downstream", "loss_min"])
    with pytest.warns(DeprecationWarning, match="list"):
        old = datasets.describe()
    assert old["kind"].tolist() == table["kind"].tolist()


def test_the_page_on_data_sets_is_up_to_date():
    made = runpy.run_path(str(ROOT / "tools" / "dataset_docs.py"))["page"]()
    assert (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8") == made


@pytest.mark.skipif(not SOURCE.is_dir(), reason=f"the files of the studies are not at {SOURCE}")
@pytest.mark.parametrize("name", FILES)
def test_tables_are_those_of_the_tool(name):
    assert TIDY(name, SOURCE).encode() == (FOLDER / f"{name}.csv").read_bytes()
    given = pd.read_csv(SOURCE / f"{name}.csv", dtype=str)
    assert len(given) == len(datasets.load_table(name))


def test_an_unexplained_outlier_is_refused(tmp_path):
    header = "run_id,family,N,N_nonemb,D,U,C,loss,split,outlier"
    (tmp_path / "gadre.csv").write_text(f"{header}\na,b,1,1,1,,,3,,odd\n", encoding="utf-8")
    with pytest.raises(ValueError, match="odd"):
        TIDY("gadre", tmp_path)
