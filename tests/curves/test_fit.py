"""Curves are forecast as the truth has it, and verdicts follow from the numbers."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.curves import (
    Curve,
    Schedule,
    Utility,
    Watch,
    fit_curve,
    judge,
    learn,
    monitor,
    watch,
)
from bayes_scaling.errors import DataError, FileError, FitError, ScenarioError
from bayes_scaling.laws import curve_laws
from bayes_scaling.laws.training_curves import DEFAULT_CURVES
from bayes_scaling.plots import plot_curve

# The textbook's table: loss by iteration.
STEPS = np.arange(100, 1001, 100)
LOSSES = np.array([1.50, 1.20, 1.00, 0.85, 0.75, 0.68, 0.63, 0.60, 0.58, 0.57])
BOOK = Curve.of("textbook", STEPS, LOSSES)


def power(points: int, seed: int, noise: float = 0.004, end: float = 1e4) -> Curve:
    t = np.geomspace(10, end, points)
    noise_ = np.exp(noise * np.random.default_rng(seed).normal(size=points))
    return Curve.of("r", t, (1.5 + 6.0 * t**-0.4) * noise_)


def test_the_textbooks_gains_fall_from_30_to_1_hundredth_a_hundred_steps() -> None:
    gains = -np.diff(LOSSES)
    assert_allclose([gains[0], gains[-1]], [0.30, 0.01], atol=1e-12)
    # Lemma 12: what the next hundred steps bring, foreseen at 500 and 900 from what was seen.
    for seen in (500, 900):
        fit = fit_curve(BOOK.until(seen))
        gain = -np.diff(fit.forecast([seen, seen + 100], "curve"), axis=1)[:, 0]
        came = LOSSES[seen == STEPS][0] - LOSSES[seen + 100 == STEPS][0]
        low, high = np.quantile(gain, [0.01, 0.99])
        assert low - 0.01 < came < high + 0.01
        assert 0 < gain.mean() < gains[0]


def test_the_textbooks_table_levels_off_like_an_exponential() -> None:
    # Powers of the step flatten later: their intervals lie below what came.
    laws = (*DEFAULT_CURVES, "curve-decay")
    held, short = {}, {}
    for name, tried in {"powers": None, "decay": laws}.items():
        fits = [fit_curve(BOOK.until(seen), laws=tried) for seen in (600, 700, 800, 900)]
        ends = [np.quantile(fit.forecast([1000])[:, 0], [0.05, 0.95]) for fit in fits]
        held[name] = sum(low <= LOSSES[-1] <= high for low, high in ends)
        short[name] = max(LOSSES[-1] - high for _, high in ends)
    # The end lies at the edge of the intervals, so how many hold it (1 to 3 of 4 with seeds 0 to 3)
    # is a matter of the seed; that more do, and that the others miss it by less, is not.
    assert held["powers"] < held["decay"]
    assert short["decay"] < 0.5 * short["powers"]
    whole = fit_curve(BOOK, laws=laws)
    assert whole.weights["curve-decay"] > 0.9
    assert 0.45 < np.median(whole.floor()) < 0.57


def test_a_decaying_curve_and_one_of_a_power_are_distinguished() -> None:
    t = np.geomspace(10, 4000, 24)
    noise_ = np.exp(0.004 * np.random.default_rng(0).normal(size=t.size))
    decaying = Curve.of("r", t, (1.5 + 2.0 * np.exp(-t / 800)) * noise_)
    laws = ("curve-power", "curve-decay")
    fit = fit_curve(decaying, laws=laws)
    assert fit.weights["curve-decay"] > 0.99
    low, high = np.quantile(fit.forecast([1.6e4], "curve")[:, 0], [0.05, 0.95])
    assert low < 1.5 < high
    assert high - low < 0.1
    assert fit_curve(power(24, 0), laws=laws).weights["curve-power"] > 0.5


def test_the_textbooks_plateau_is_seen() -> None:
    # A hundred steps cost 0.02 of the loss: worth it at 300, not at 1000.
    utility = Utility(cost=0.02 / 100, value_per_nat=1.0)
    early = monitor(BOOK.until(400), 1000, utility=utility)
    late = monitor(BOOK, 2000, utility=utility)
    assert early.advice in ("continue", "extend")
    assert early.plateau < 0.05 < late.plateau
    assert early.stop_at < 2500
    assert early.unit == "USD"


def test_a_known_truth_is_covered() -> None:
    # 40 curves of one power law, 90% intervals at four times the end: fewer than 29 inside has a
    # probability of 0.04%.
    inside = []
    for seed in range(40):
        curve = power(24, seed)
        fit = fit_curve(curve, laws="curve-power", particles=400, seed=seed)
        draws = fit.forecast([4e4])[:, 0]
        rng = np.random.default_rng([seed, 1])
        came = (1.5 + 6.0 * 4e4**-0.4) * math.exp(0.004 * rng.normal())
        low, high = np.quantile(draws, [0.05, 0.95])
        inside.append(low <= came <= high)
    assert sum(inside) >= 29


def test_intervals_hold_where_neighbours_are_correlated() -> None:
    # As above, of checkpoints that scatter as an AR(1) in log t, by 2% over a third of a factor e.
    inside, naive = [], []
    for seed in range(40):
        rng = np.random.default_rng([seed, 2])
        log_t = np.append(np.linspace(np.log(10), np.log(1e4), 40), np.log(4e4))
        deviations = [0.02 * rng.normal()]
        for gap in np.diff(log_t):
            stays = math.exp(-gap / 0.33)
            deviations.append(
                stays * deviations[-1] + 0.02 * math.sqrt(1 - stays**2) * rng.normal()
            )
        loss = (1.5 + 6.0 * np.exp(-0.4 * log_t)) * np.exp(deviations)
        curve = Curve.of("r", np.exp(log_t[:-1]), loss[:-1])
        fit = fit_curve(curve, laws="curve-power", particles=400, seed=seed)
        low, high = np.quantile(fit.forecast([4e4]), [0.05, 0.95])
        inside.append(low <= loss[-1] <= high)
        # The law alone, sure of itself as if every point were news, does not hold.
        low, high = np.quantile(fit.forecast([4e4], "curve"), [0.25, 0.75])
        naive.append(low <= loss[-1] <= high)
    assert sum(inside) >= 29
    assert sum(naive) < 29


def test_caveats_of_a_population_stand_in_the_verdict() -> None:
    doubt = Caveat(code="not-converged", severity="warning", text="It has not mixed.")
    fit = fit_curve(BOOK, laws="curve-power", particles=200)
    fit = replace(fit, prior_caveats=(doubt,))
    assert doubt in judge(fit, 2000).caveats
    (part,) = fit.parts
    still = replace(part, particles=replace(part.particles, accepted=0.0))
    codes = {caveat.code: caveat.data for caveat in replace(fit, parts=(still,)).caveats}
    assert codes["stuck-particles"] == {"accepted": 0.0}
    assert 0.05 < part.particles.accepted < 0.9


def test_parameters_are_recovered_with_their_reference_point() -> None:
    fit = fit_curve(power(40, 0, noise=1e-3), laws="curve-power", particles=700)
    draws = fit.posterior()
    reference = draws.attrs["reference_t"]
    assert_allclose(draws["floor"].median(), 1.5, rtol=0.03)
    assert_allclose(draws["alpha_D"].median(), 0.4, rtol=0.05)
    assert_allclose(draws["B"].median(), 6.0 * reference**-0.4, rtol=0.05)
    assert draws.sizes["draw"] == 700
    assert_allclose(np.median(fit.floor()), draws["floor"].median(), rtol=1e-2)


def test_laws_are_weighed_by_how_well_they_explain_the_curve() -> None:
    t = np.geomspace(1, 1e3, 40)
    broken = np.exp(-0.02 * np.log(t) - 0.8 * np.logaddexp(0, np.log(t / 50) / 0.3) * 0.3)
    noise_ = np.exp(0.002 * np.random.default_rng(0).normal(size=40))
    fit = fit_curve(Curve.of("r", t, 3 * broken * noise_))
    assert fit.weights["curve-power"] < 0.01
    assert_allclose(sum(fit.weights.values()), 1.0)
    assert set(fit.weights) == set(curve_laws()) - {"curve-annealed", "curve-decay"}
    plain = fit_curve(power(40, 1, noise=0.002))
    assert plain.weights["curve-power"] > 0.2
    with pytest.raises(FitError, match="'x'"):
        fit.posterior("x")


def test_the_density_is_that_of_the_draws() -> None:
    fit = fit_curve(power(24, 3), laws=("curve-power", "curve-m4"))
    draws = fit.forecast([3e4])[:, 0]
    grid = np.linspace(draws.min() * 0.9, draws.max() * 1.1, 401)
    density = np.exp([fit.log_density(3e4, loss) for loss in grid])
    step = grid[1] - grid[0]
    assert_allclose(density.sum() * step, 1.0, rtol=0.02)
    assert_allclose((grid * density).sum() * step, draws.mean(), rtol=2e-3)


def test_an_update_says_what_a_new_fit_says() -> None:
    curve = power(30, 4)
    known = fit_curve(curve.until(3000))
    again = known.updated(curve.until(4500))
    new = fit_curve(curve.until(4500))
    ours, theirs = (np.quantile(f.forecast([2e4]), [0.1, 0.5, 0.9]) for f in (again, new))
    assert_allclose(ours, theirs, rtol=0.01)
    assert again.began == known.began
    # Twice as far on home has moved, and all begins anew.
    assert known.updated(curve).began == curve.t[-1]


def test_a_forecast_goes_forward_only() -> None:
    fit = fit_curve(BOOK, laws="curve-power", particles=200)
    with pytest.raises(DataError, match="1000"):
        fit.forecast([900.0])
    with pytest.raises(DataError, match="1000"):
        fit.forecast([3000.0, 2000.0])
    paths = fit.forecast([1000.0, 1000.0 + 1e-6, 1e5])
    # Neighbours are correlated; what is far off is not.
    assert np.corrcoef(paths[:, 0], paths[:, 1])[0, 1] > np.corrcoef(paths[:, 0], paths[:, 2])[0, 1]


@pytest.mark.parametrize(
    ("options", "kind", "offender"),
    [
        ({"particles": 10}, FitError, "particles.*10"),
        ({"laws": "curve-annealed"}, DataError, "curve-annealed"),
    ],
)
def test_bad_fits_are_refused(options: dict, kind: type[Exception], offender: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(kind, match=offender):
        fit_curve(BOOK, **options)
    with pytest.raises(DataError, match="3 points; 4"):
        fit_curve(BOOK.until(300))


def annealed(seed: int, size: float = 1.0, points: int = 40) -> tuple[Curve, Schedule]:
    """A run under a rate that is constant and then lowered, after Tissue et al. 2024."""
    rng = np.random.default_rng(seed)
    schedule = Schedule([0, 7000, 10000], [1.0, 1.0, 0.05])
    t = np.geomspace(100, 10000, points)
    s1, s2 = schedule.areas(t)
    end = schedule.areas([10000])[1][0]
    loss = (
        size * (2.0 + 9.0 * s1**-0.45 - 0.08 * s2 / end) * np.exp(0.003 * rng.normal(size=points))
    )
    return Curve.of(f"run{seed}", t, loss), schedule


def test_finished_runs_foresee_a_cool_down_that_has_not_begun() -> None:
    finished, schedules = zip(
        *(annealed(seed, size) for seed, size in enumerate([0.8, 1.0, 1.3, 1.6])), strict=True
    )
    known = learn(
        finished, schedules={c.run: s for c, s in zip(finished, schedules, strict=True)},
        progress=False,
    )  # fmt: skip
    assert known.runs == ("run0", "run1", "run2", "run3")
    curve, schedule = annealed(9, size=1.15)
    early = curve.until(5000)
    told = fit_curve(early, schedule=schedule, population=known)
    alone = fit_curve(early, schedule=schedule)
    blind = fit_curve(early)
    final = curve.loss[-1]
    low, median, high = np.quantile(told.forecast([10000]), [0.05, 0.5, 0.95])
    assert low < final < high
    assert abs(math.log(median / final)) < 0.02
    # Without the population the drop is a guess, and laws of t do not foresee it at all.
    assert high / low < np.divide(*np.quantile(alone.forecast([10000]), [0.95, 0.05]))
    assert np.median(blind.forecast([10000])) > median
    assert known.caveats == ()


def test_too_few_finished_runs_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 .*3"):
        learn([power(20, 0), power(20, 1)], progress=False)
    with pytest.raises(DataError, match="end"):
        fit_curve(BOOK, population=learn_nothing())


def learn_nothing():  # type: ignore[no-untyped-def]
    from bayes_scaling.curves import CurvePopulation

    return CurvePopulation((), ())


def test_the_verdict_is_the_best_of_what_was_looked_at(tmp_path: Path) -> None:
    curve = power(40, 5)
    verdict = monitor(curve, 2e4, reference=1.6)
    assert verdict.fit is not None
    assert verdict.plateau is not None
    assert 0 <= verdict.plateau <= 1
    assert verdict.regret is not None
    assert verdict.regret >= 0
    draws = verdict.fit.forecast([2e4])[:, 0]
    assert_allclose(verdict.probability_of_reference, (draws < 1.6).mean())
    assert_allclose(verdict.final_loss.mean, draws.mean())
    # A dear run is stopped, a cheap one goes on and on.
    fit = verdict.fit
    assert judge(fit, 2e4, utility=Utility(cost=1.0, value_per_nat=1.0)).advice == "stop"
    assert judge(fit, 2e4, utility=Utility(cost=1e-9, value_per_nat=1.0)).advice == "extend"
    verdict.save(tmp_path / "v.json")
    saved = json.loads((tmp_path / "v.json").read_text())
    assert saved["schema"] == "bayes_scaling.verdict/2"
    assert saved["advice"] == verdict.advice


def test_utility_is_value_less_cost() -> None:
    priced = Utility(cost=2.0, value_per_nat=100.0)
    assert_allclose(priced.value(np.array([0.5]), 10.0, np.array([15.0]), 3.0), [50.0 - 10.0])
    bare = Utility(least_gain=0.01)
    # A tenth more training is worth nothing if it saves just one percent of the loss.
    assert_allclose(bare.value(np.array([0.03]), 10.0, np.array([11.0]), 3.0), [0.0], atol=1e-12)
    with pytest.raises(ScenarioError, match=r"cost.*-1"):
        Utility(cost=-1, value_per_nat=1)
    with pytest.raises(ScenarioError, match=r"cost.*value_per_nat"):
        Utility(cost=1)
    with pytest.raises(ScenarioError, match=r"least_gain.*1"):
        Utility(least_gain=1.0)


def test_a_run_that_diverged_is_stopped_without_a_fit() -> None:
    curve = power(60, 6)
    loss = curve.loss.copy()
    loss[50:] *= 3
    verdict = monitor(Curve.of("r", curve.t, loss), 2e4)
    assert verdict.advice == "stop"
    assert verdict.diverged
    assert verdict.fit is None
    assert verdict.caveats == []
    assert verdict.flags[0].code == "diverged"
    (axes,) = plot_curve(verdict).axes
    assert len(axes.lines[0].get_ydata()) == 60
    assert axes.lines[1].get_xdata()[0] == verdict.flags[0].first


def test_losses_that_end_as_no_numbers_are_a_divergence() -> None:
    curve = power(60, 6)
    loss = curve.loss.copy()
    loss[50:] = np.nan
    verdict = monitor(Curve.of("r", curve.t, loss), 2e4)
    assert verdict.advice == "stop"
    assert verdict.diverged
    # As it was known before, it had not; not even where one point had been lost early on.
    loss[5] = np.nan
    assert not monitor(Curve.of("r", curve.t, loss).until(500), 2e4).diverged


def test_a_schedule_must_be_of_the_run() -> None:
    with pytest.raises(DataError, match=r"500.*1000"):
        monitor(BOOK, 1000, schedule=Schedule([0, 500], [1, 0.1]))
    with pytest.raises(DataError, match=r"tokens.*'textbook' step"):
        monitor(BOOK, 1000, schedule=Schedule([0, 1e9], [1, 0.1], axis="tokens"))


def test_a_constant_loss_has_a_fit() -> None:
    verdict = monitor(Curve.of("r", np.arange(1, 31) * 100, np.full(30, 2.5)), 6000)
    assert verdict.advice == "stop"
    final = verdict.final_loss
    assert_allclose([final.q05, final.q95], 2.5, rtol=1e-2)


def test_the_figure_shows_the_curve_and_the_forecast() -> None:
    verdict = monitor(BOOK.until(700), 1000, reference=0.6)
    loss, gain = plot_curve(verdict).axes
    logged = next(line for line in loss.lines if line.get_label() == "logged")
    assert_allclose(logged.get_ydata(), LOSSES[:7])
    middle = next(line for line in loss.lines if line.get_label() == "forecast")
    assert verdict.fit is not None
    median = np.median(verdict.fit.forecast(middle.get_xdata()), axis=0)
    assert_allclose(middle.get_ydata(), median)
    assert_allclose(next(x for x in gain.lines if x.get_label() == "gain").get_ydata()[0], 0)


def test_a_watched_log_is_judged_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = ["step,loss", *(f"{t:g},{loss:.6f}" for t, loss in zip(STEPS, LOSSES, strict=True))]
    seen: list[float] = []
    told = []

    def grow(verdict) -> None:  # type: ignore[no-untyped-def]
        seen.append(verdict.t)
        told.append(verdict.advice)
        write(len(seen) + 6)

    def write(count: int) -> None:
        # The last line is half written, as it is when another process is at it.
        half = lines[count][:3] if count < len(lines) else ""
        path.write_text("\n".join(lines[:count]) + "\n" + half)

    write(6)
    last = watch(path, Watch(1000.0), callback=grow, every=0.01, timeout=5)
    assert seen == [500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
    assert last.t == 1000.0
    assert set(told[:3]) == {"extend"}


def test_a_watched_run_that_does_not_pay_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [f"{t:g},{loss:.6f}" for t, loss in zip(STEPS, LOSSES, strict=True)]
    path.write_text("\n".join(["step,loss", *rows[:6]]) + "\n")

    def grow(verdict) -> None:  # type: ignore[no-untyped-def]
        path.write_text("\n".join(["step,loss", *rows[:7]]) + "\n")

    dear = Watch(1000.0, utility=Utility(cost=1.0, value_per_nat=1.0))
    last = watch(path, dear, callback=grow, every=0.01, timeout=5)
    assert last.advice == "stop"
    assert last.t == 700.0


def test_a_watched_run_whose_losses_are_no_numbers_any_more_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [f"{t:g},{loss:.6f}" for t, loss in zip(STEPS[:6], LOSSES[:6], strict=True)]
    path.write_text("\n".join(["step,loss", *rows]) + "\n")

    def grow(verdict) -> None:  # type: ignore[no-untyped-def]
        rows.extend(f"{100 * (len(rows) + i)},nan" for i in range(1, 4))
        path.write_text("\n".join(["step,loss", *rows]) + "\n")

    noted: list[tuple[Caveat, ...]] = []
    last = watch(path, Watch(2000.0), callback=grow, every=0.01, timeout=5, on_caveats=noted.append)
    assert last.diverged
    assert last.flags[0].points == 3
    assert noted == [()]


def test_a_log_that_never_comes_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,2\n2,1.9\n")
    with pytest.raises(DataError, match=r"log\.csv"):
        watch(path, Watch(10.0), callback=print, every=0.01, timeout=0.05)
    with pytest.raises(FileError, match=r"nothing\.csv"):
        watch(tmp_path / "nothing.csv", Watch(10.0), callback=print, every=0.001)
