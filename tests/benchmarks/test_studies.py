"""Studies of the benchmark: what their cards say, and the tables they give."""

import numpy as np
import pytest

from benchmarks.extrapolation.studies import COLUMNS, Study, cards, studies

SHIPPED = [card for card in cards() if card.shipped]


def test_every_card_says_where_it_comes_from():
    assert len(cards()) >= 16
    for card in cards():
        assert bool(card.dataset) != bool(card.file), card.name
        assert all(card.card()), card.name


@pytest.mark.parametrize("card", SHIPPED, ids=lambda card: card.name)
def test_families_of_a_study(card):
    tables = card.tables()
    assert tables
    for name, rows in tables.items():
        assert tuple(rows.columns) == COLUMNS
        assert set(rows["family"]) == {name}
        assert set(rows["root"]) == {card.root}
        assert len(rows) >= card.least
        numbers = rows[["params", "tokens", "flops", "loss"]].to_numpy()
        assert np.isfinite(numbers).all()
        assert (numbers > 0).all()


def test_no_family_has_two_studies():
    names = [name for card in SHIPPED for name in card.tables()]
    assert len(names) == len(set(names))
    assert set(studies()) >= set(names)
    assert set(studies(scored=True)) <= set(studies())


def test_compute_is_that_of_the_count_of_parameters():
    (olmo,) = (card for card in SHIPPED if card.name == "olmo")
    rows = olmo.tables()["olmo_ladder"]
    np.testing.assert_allclose(rows["flops"], 6.0 * rows["params"] * rows["tokens"])


def test_a_study_without_its_file_is_absent():
    missing = Study(root="none", file="none.csv", source="?", licence="?", keep="loss > 0")
    assert not missing.present
