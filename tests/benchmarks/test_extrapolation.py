"""The benchmark of extrapolation: its baselines on known truths, splits, averages, resuming."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from benchmarks.extrapolation import huber, isoflop, methods, runner
from benchmarks.extrapolation.baselines import additive, bootstrap, logs_of, one_input
from benchmarks.extrapolation.cases import ALL, FEW_RUNS, Case, cases, few_cases, split
from benchmarks.extrapolation.method import Context, Method, NotApplicable
from benchmarks.extrapolation.results import COLUMNS, append, read
from benchmarks.extrapolation.summary import against, by_root, reasons, scored, summarise

BOTH = ("params", "tokens")


def context(seed=0):
    return Context(lambda law: pytest.fail(f"{law} was asked for"), seed=seed)


def runs(count=60, noise=0.0, *, family="f", seed=0):
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log(1e7), np.log(3e9), count))
    tokens = params * np.exp(rng.uniform(np.log(5), np.log(200), count))
    loss = 1.7 + 400 / params**0.34 + 410 / tokens**0.28
    table = pd.DataFrame({"params": params, "tokens": tokens, "flops": 6 * params * tokens})
    names = {"run": [str(k) for k in range(count)], "family": family, "root": family}
    return table.assign(loss=loss * np.exp(noise * rng.normal(size=count)), **names)


def test_huber_recovers_a_known_law():
    rows = runs()
    law = huber.fit(logs_of(rows, BOTH), np.log(rows["loss"].to_numpy()))
    amplitudes = law.theta[0, :2] + law.theta[0, 2:4] * law.middle
    np.testing.assert_allclose(law.theta[0, 2:4], [0.34, 0.28], rtol=1e-3)
    np.testing.assert_allclose(np.exp(amplitudes), [400, 410], rtol=2e-2)
    assert np.exp(law.theta[0, 4]) == pytest.approx(1.7, rel=1e-3)


def test_huber_finds_the_minimum_of_its_loss():
    rows = runs(30, noise=0.01)
    x, y = logs_of(rows, BOTH), np.log(rows["loss"].to_numpy())
    law = huber.fit(x, y)

    def lost(theta):
        terms = [theta[0] - theta[2] * x[0], theta[1] - theta[3] * x[1], np.full(len(y), theta[4])]
        off = np.abs(np.logaddexp.reduce(terms, axis=0) - y)
        return np.where(off < 1e-3, off**2 / 2, 1e-3 * (off - 5e-4)).sum()

    at = law.theta[0].copy()
    at[:2] += at[2:4] * law.middle
    assert lost(at) == pytest.approx(law.loss[0], rel=1e-9)
    options = {"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-12, "adaptive": True}
    nearby = minimize(lost, at, method="Nelder-Mead", options=options)
    assert law.loss[0] <= nearby.fun * (1 + 1e-3)


def test_huber_resamples_as_if_fitted_again():
    rows = runs(30, noise=0.01)
    x, y = logs_of(rows, BOTH), np.log(rows["loss"].to_numpy())
    drawn = np.random.default_rng(1).integers(30, size=(3, 30))
    counts = np.array([np.bincount(row, minlength=30) for row in drawn], float)
    laws = huber.resampled(huber.fit(x, y), x, y, counts)
    for k, row in enumerate(drawn):
        again = huber.fit(x[:, row], y[row])
        assert laws.loss[k] == pytest.approx(again.loss[0], rel=0.02)


def test_forecasts_of_the_baselines():
    rows = runs(60, noise=0.005)
    small, large = split(rows, 8.0)
    for method in (additive, bootstrap):
        logs = method(small, large[runner.SIZES], context())
        assert logs.shape == (len(large), 4000)
        off = np.median(logs, axis=1) - np.log(large["loss"])
        assert np.abs(off).mean() < 0.02


def test_power_law_is_of_what_varies():
    rows = runs(20).assign(tokens=3e11)
    rows = rows.assign(loss=1.5 + 400 / rows["params"] ** 0.34)
    # Compute that says nothing: were it used, the forecast could not hold.
    rows = rows.assign(flops=np.random.default_rng(0).permutation(rows["flops"].to_numpy()))
    logs = one_input(rows.iloc[:15], rows.iloc[15:][runner.SIZES], context())
    np.testing.assert_allclose(np.median(logs, axis=1), np.log(rows["loss"].iloc[15:]), atol=1e-4)


def levels(count=4):
    parts = []
    for k in range(count):
        flops = 1e18 * 4.0**k
        best = np.sqrt(flops / 120)
        n = np.log(best) + np.array([-1.1, -0.6, -0.1, 0.5, 0.9])
        loss = 2.0 + 3e6 / flops**0.35 + 0.05 * (n - np.log(best)) ** 2
        tokens = flops / 6 / np.exp(n)
        part = {"params": np.exp(n), "tokens": tokens, "flops": flops, "loss": loss}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).assign(family="f")


def test_parabola_of_an_exact_quadratic():
    one = isoflop.parabola(levels(1))
    assert np.exp(one.optimum) == pytest.approx(np.sqrt(1e18 / 120))
    assert one.least == pytest.approx(2.0 + 3e6 / 1e18**0.35)
    assert one.curvature == pytest.approx(0.05)


def test_isoflop_forecasts_the_next_level():
    rows = levels(5)
    fitted = isoflop.IsoFlop.of(rows.iloc[:20])
    np.testing.assert_allclose(fitted.log_loss(rows), np.log(rows["loss"]), atol=1e-4)


@pytest.mark.parametrize("rows", [levels(2), runs(20)], ids=["two levels", "no levels"])
def test_isoflop_says_where_it_cannot_be_used(rows):
    with pytest.raises(NotApplicable):
        isoflop.IsoFlop.of(rows)


def test_a_split_leaves_compute_below():
    rows = runs()
    small, large = split(rows, 8.0)
    assert small["flops"].max() <= rows["flops"].max() / 8 * (1 + 1e-6) < large["flops"].min()
    assert len(small) + len(large) == len(rows)
    few, none = split(rows.nsmallest(5, "flops"), 1.0)
    assert len(few) == len(none) == 0
    one_size = runs(8).assign(flops=[1.0] * 7 + [100.0])
    assert len(split(one_size, 8.0)[0]) == 0


def test_cases_take_the_families_of_a_root_together():
    tables = {name: runs(family=name, seed=k).assign(root="r") for k, name in enumerate("ab")}
    (case,) = cases(tables, [8.0])
    assert case.families == ("a", "b")
    assert "root" not in case.small
    for family in "ab":
        small, large = split(tables[family], 8.0)
        assert [len(part) for part in case.part(family)] == [len(small), len(large)]
    assert (case.distances() > 0).all()


def test_few_runs_are_samples_of_those_below():
    rows = runs()
    found = few_cases({"f": rows})
    assert {case.sample for case in found} == {0, 1, 2, 3}
    below = set(split(rows, 8.0)[0]["run"])
    for case in found:
        assert len(case.small) == FEW_RUNS
        assert set(case.small["run"]) < below
    assert len({tuple(case.small["run"]) for case in found}) > 1


def rows_of(root, family, method, values, *, ratio=8.0):
    size = len(values)
    table = pd.DataFrame({"error": values, "interval": np.abs(values) + 0.1, "in_90": values})
    table = table.assign(root=root, family=family, method=method, ratio=ratio, sample=ALL)
    table = table.assign(families=family, row=range(size), rows=size, run=range(size))
    return table.reindex(columns=list(COLUMNS))


def test_macro_averages():
    table = pd.concat(
        [
            rows_of("r", "a", "default", [0.0, 0.2]),
            rows_of("r", "b", "default", [0.5] * 6),
            rows_of("s", "c", "default", [0.7]),
            rows_of("r", "a", "Huber, bootstrap", [0.9, 0.9]),
            rows_of("s", "c", "Huber", [0.3]),
        ]
    )
    rows = scored(table)
    assert by_root(rows).loc[(8.0, "default", "r"), "in_90"] == pytest.approx(0.3)
    summary = summarise(rows).loc[(8.0, "default")]
    assert summary["roots"] == 2
    assert summary["in_90"] == pytest.approx(0.5)
    assert summary["lowest"] == pytest.approx(0.3)
    assert summary["geo_interval"] == pytest.approx(np.sqrt(0.4 * 0.8))
    over = against(rows, "interval").loc[(8.0, "default")]
    # Where there is no bootstrap the root is left out; the best baseline is that of each root.
    assert over["bootstrap"] == pytest.approx(0.4 / 1.0)
    assert over["best"] == pytest.approx(np.sqrt(0.4 / 1.0 * 0.8 / 0.4))


def seen_least(small, large, given):
    """A method that one entry adds."""
    least = np.log(small["loss"].min())
    return np.random.default_rng(given.seed).normal(least, 0.1, (len(large), 100))


def cannot(small, large, given):
    raise NotApplicable("it cannot, for a test")


@pytest.fixture
def two(monkeypatch):
    tables = {name: runs(family=name, seed=k) for k, name in enumerate("ab")}
    monkeypatch.setitem(methods.METHODS, "least", Method(seen_least, "", each_family=True))
    monkeypatch.setitem(methods.METHODS, "never", Method(cannot, ""))
    chosen = {name: methods.METHODS[name] for name in ("least", "Huber", "never")}
    return cases(tables, [4.0, 8.0]), chosen


def numbers(path):
    return read([path]).drop(columns="seconds")


def test_a_method_that_cannot_says_why(two, tmp_path):
    runner.run(*two, tmp_path / "all.csv")
    table = read([tmp_path / "all.csv"])
    assert table["error"].isna().equals(table["method"] == "never")
    assert set(reasons(table)["reason"]) == {"it cannot, for a test"}
    assert list(summarise(scored(table)).index.unique("method")) == ["Huber", "least"]


def test_an_interrupted_run_goes_on(two, tmp_path, monkeypatch):
    runner.run(*two, tmp_path / "all.csv")
    whole = (tmp_path / "all.csv").read_text("utf-8")
    cut = tmp_path / "cut.csv"
    cut.write_text(whole[: int(0.6 * len(whole))], "utf-8")
    kept = read([cut])
    assert 0 < len(kept) < len(numbers(tmp_path / "all.csv"))
    done = []
    real = runner.score
    monkeypatch.setattr(
        runner, "score", lambda case, *given: (done.append(case), real(case, *given))[1]
    )
    runner.run(*two, cut)
    pd.testing.assert_frame_equal(numbers(cut), numbers(tmp_path / "all.csv"))
    left = len(set(read([cut])[["ratio", "root", "method"]].itertuples(index=False)))
    left -= len(set(kept[["ratio", "root", "method"]].itertuples(index=False)))
    assert len(done) == left
    runner.run(*two, cut)
    assert len(done) == left


def test_parts_make_the_whole(two, tmp_path):
    runner.run(*two, tmp_path / "all.csv")
    parts = [tmp_path / f"{k}.csv" for k in (1, 2, 3)]
    for k, path in enumerate(parts, 1):
        runner.run(*two, path, part=(k, 3))
    joined = tmp_path / "joined.csv"
    joined.write_text("".join(path.read_text("utf-8") for path in parts), "utf-8")
    for found in (read(parts), read([joined]), read([*parts, joined])):
        pd.testing.assert_frame_equal(
            found.drop(columns="seconds"), numbers(tmp_path / "all.csv"), check_dtype=False
        )


def test_scores_are_of_the_log_loss():
    rows = runs(40)
    small, large = split(rows.drop(columns="root"), 8.0)
    case = Case("f", 8.0, small.reset_index(drop=True), large.reset_index(drop=True))

    def outcome(small, sizes, given):
        assert "loss" not in sizes
        middle = np.log(large["loss"].to_numpy())[:, None]
        return middle + 0.01 + np.linspace(-0.1, 0.1, 2001)

    table = runner.score(case, Method(outcome, ""))
    np.testing.assert_allclose(table["error"], 0.01)
    np.testing.assert_allclose(table["interval"], 0.18)
    assert table["in_90"].eq(1.0).all()


def test_results_are_appended_whole(tmp_path):
    path = tmp_path / "r.csv"
    append(path, rows_of("r", "a", "default", [0.1, 0.2]))
    append(path, rows_of("r", "b", "default", [0.1, 0.2]))
    text = path.read_text("utf-8")
    path.write_text(text[:-3], "utf-8")
    assert list(read([path])["family"]) == ["a", "a"]
