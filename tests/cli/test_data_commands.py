"""Bundled data sets on the command line."""

import pytest

from bayes_scaling.cli.options import bundled
from bayes_scaling.runs import Runs, datasets
from tests.cli.conftest import assert_refused


def test_the_list_and_a_card(cli, tmp_path):
    listed = cli("datasets", cwd=tmp_path)
    assert (listed.code, listed.err) == (0, "")
    heads = [line for line in listed.out.splitlines() if not line.startswith(" ")]
    assert tuple(heads) == datasets.names()
    shown = cli("datasets", "--card", "porian", cwd=tmp_path)
    assert (shown.code, shown.out) == (0, f"{datasets.card('porian')}\n")


def test_an_unknown_data_set_is_refused(cli, tmp_path):
    assert_refused(cli("datasets", "--card", "olmo", cwd=tmp_path), "olmo", "olmo_ladder")
    refused = cli("fit", "dataset:olmo", "-o", "fit.nc", cwd=tmp_path)
    assert_refused(refused, "olmo", "olmo_ladder")
    refused = cli("fit", "dataset:gadre", "--family", "web", "-o", "fit.nc", cwd=tmp_path)
    assert_refused(refused, "gadre.csv", "family")
    refused = cli("predict", "fit.nc", "--at", "dataset:gadre", "-o", "out.csv", cwd=tmp_path)
    assert_refused(refused, "dataset:gadre", "targets")


@pytest.mark.parametrize(
    ("source", "count", "held"),
    [
        ("dataset:olmo_ladder", None, "params_nonemb"),
        ("dataset:olmo_ladder", "params", "params"),
        ("dataset:gadre", None, "params"),
        ("dataset:gadre", "params_nonemb", "params_nonemb"),
    ],
)
def test_a_data_set_stands_for_runs(source, count, held):
    runs = bundled(source, count)
    assert isinstance(runs, Runs)
    assert runs.count == held


@pytest.mark.parametrize("path", ["runs.csv", "dataset", "datasets:x.csv", "C:\\dataset.csv"])
def test_other_sources_are_paths(path):
    assert bundled(path) == path
