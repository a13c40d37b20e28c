"""Options that say what a table is, up to the fit itself, which is not made here."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bayes_scaling.cli.fit_commands import fit
from bayes_scaling.cli.forecast_commands import backtest, compare
from bayes_scaling.errors import DataError

CASES = Path(__file__).parents[1] / "cases"


class _Reached(Exception):  # noqa: N818
    """The runs that a command would have fitted."""


@pytest.fixture(autouse=True)
def _no_fit(monkeypatch):
    def stop(runs, *_, **__):
        runs.fit_rows()
        raise _Reached(runs)

    for name in ("inference.fit", "forecast.backtest", "forecast.compare"):
        monkeypatch.setattr(f"bayes_scaling.{name}", stop)


def _run(command, name, *options, folder):
    words = [str(CASES / name), "-o", str(folder / "out.nc"), *options]
    return CliRunner().invoke(command, words).exception


@pytest.mark.parametrize("command", [fit, backtest, compare])
@pytest.mark.parametrize(
    "case",
    [
        ("params_in_billions.csv", [], ["--accept", "implausible-size"], 20),
        ("learning_rate_sweep.csv", [], ["--accept", "sweep"], 24),
        ("learning_rate_sweep.csv", [], ["--best-of", "params,tokens"], 6),
        ("train_loss_and_val_loss.csv", [], ["--column", "loss=val_loss"], 20),
        (
            "accuracy_as_loss.csv",
            ["--column", "loss=accuracy"],
            ["--accept", "loss-name", "--accept", "rising-loss"],
            20,
        ),
    ],
)
def test_what_is_refused_and_the_option_that_is_offered(command, case, tmp_path):
    name, refused, accepted, rows = case
    error = _run(command, name, *refused, folder=tmp_path)
    assert isinstance(error, DataError)
    for word in accepted:
        assert word.split("=")[0] in str(error)
    reached = _run(command, name, *refused, *accepted, folder=tmp_path)
    assert isinstance(reached, _Reached), reached
    assert len(reached.args[0]) == rows


def test_a_family_for_runs_that_name_none(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text((CASES / "good.csv").read_text().replace("family", "dataset", 1))
    words = [str(path), "-o", str(tmp_path / "out.nc")]
    error = CliRunner().invoke(fit, words).exception
    assert isinstance(error, DataError)
    assert "--column family=dataset" in str(error)
    assert "--family NAME" in str(error)
    for options, families in (
        (["--family", "one"], ("one",)),
        (["--column", "family=dataset"], ("web", "code")),
    ):
        reached = CliRunner().invoke(fit, [*words, *options]).exception
        assert reached.args[0].families == families
