"""Identifiability against designs whose numbers are known in closed form."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import DataError
from bayes_scaling.runs import identifiability, load_runs
from bayes_scaling.runs.separation import TOLERANCE


def runs(log_params, log_tokens, log_flops=None, family="web"):
    source = pd.DataFrame(
        {"params": 10.0 ** np.asarray(log_params), "tokens": 10.0 ** np.asarray(log_tokens)}
    )
    source["loss"] = 1.5 + source["params"] ** -0.1 + source["tokens"] ** -0.1
    source["family"] = family
    if log_flops is not None:
        source["flops"] = 10.0 ** np.asarray(log_flops)
    return load_runs(source)


def stated(found):
    """Code and family of every caveat."""
    return [(caveat.code, caveat.subject) for caveat in found.caveats]


def row(found, family="web"):
    return found.table.set_index("family").loc[family]


def test_a_grid_has_orthogonal_axes():
    params, tokens = np.meshgrid([7.0, 8.0, 9.0], [9.0, 10.0])
    found = identifiability(runs(params.ravel(), tokens.ravel()))
    line = row(found)
    # Variances of {-1, 0, 1} and {-1/2, 1/2} decades.
    sd_params, sd_tokens = math.sqrt(2 / 3), 0.5
    assert line["corr_params_tokens"] == pytest.approx(0, abs=1e-12)
    assert line["vif_params"] == line["vif_tokens"] == pytest.approx(1)
    assert line["condition_number"] == pytest.approx(sd_params / sd_tokens)
    assert line["weakest_sd"] == pytest.approx(sd_tokens)
    total = math.hypot(sd_params, sd_tokens)
    assert line["corr_params_flops"] == pytest.approx(sd_params / total)
    assert line["corr_tokens_flops"] == pytest.approx(sd_tokens / total)
    assert line["weakest_sd_with_flops"] == 0
    assert line["rank"] == 2
    assert (line["params_decades"], line["tokens_decades"]) == (2, 1)
    assert line["flops_decades"] == pytest.approx(3)
    assert found.separable["web"] == {"alpha_N": True, "alpha_D": True, "alpha_C": False}
    assert stated(found) == [("collinear-compute", "web")]


def test_half_correlated():
    # Three points each at (1, 1) and (-1, -1), one each at (1, -1) and (-1, 1): r = 1/2.
    params = np.array([1, 1, 1, -1, -1, -1, 1, -1]) + 8.0
    tokens = np.array([1, 1, 1, -1, -1, -1, -1, 1]) + 10.0
    line = row(identifiability(runs(params, tokens)))
    assert line["corr_params_tokens"] == pytest.approx(0.5)
    assert line["vif_params"] == pytest.approx(4 / 3)
    assert line["condition_number"] == pytest.approx(math.sqrt(3))
    assert line["weakest_sd"] == pytest.approx(math.sqrt(0.5))


def test_tokens_proportional_to_params():
    params = np.linspace(7, 10, 12)
    found = identifiability(runs(params, params + math.log10(20)))
    line = row(found)
    assert line["corr_params_tokens"] == pytest.approx(1)
    assert line["rank"] == 1
    assert math.isinf(line["condition_number"])
    assert math.isinf(line["vif_params"])
    assert not any(found.separable["web"].values())
    assert stated(found) == [("collinear-sizes", "web"), ("collinear-compute", "web")]
    assert found.caveats[0].data["correlation"] == pytest.approx(1)


def test_one_compute_budget():
    params = np.linspace(7, 9, 12)
    found = identifiability(runs(params, 19 - params))
    assert row(found)["corr_params_tokens"] == pytest.approx(-1)
    assert math.isnan(row(found)["corr_params_flops"])
    assert not any(found.separable["web"].values())
    assert found.caveats[0].code == "collinear-sizes"
    assert found.caveats[0].data["correlation"] == pytest.approx(-1)


@pytest.mark.parametrize(("scatter", "apart"), [(0.03, False), (0.06, False), (0.16, True)])
def test_the_tolerance_is_a_standard_deviation_across_the_ridge(scatter, apart):
    base = np.repeat(np.linspace(7, 10, 10), 2)
    across = np.tile([1.0, -1.0], 10) * scatter / math.sqrt(2)
    found = identifiability(runs(base + across / math.sqrt(2), base + 1 - across / math.sqrt(2)))
    assert row(found)["weakest_sd"] == pytest.approx(scatter / math.sqrt(2))
    assert found.separable["web"]["alpha_N"] == found.separable["web"]["alpha_D"] == apart


def test_fixed_params_and_fixed_tokens():
    length = np.linspace(9, 11, 8)
    same_params = identifiability(runs(np.full(8, 8.0), length))
    assert same_params.separable["web"] == {"alpha_N": False, "alpha_D": True, "alpha_C": False}
    assert stated(same_params) == [("constant-size", "web"), ("collinear-compute", "web")]
    assert same_params.caveats[0].data == {"size": "params", "sd_decades": 0.0}
    same_tokens = identifiability(runs(length, np.full(8, 10.0)))
    assert same_tokens.separable["web"] == {"alpha_N": True, "alpha_D": False, "alpha_C": False}
    nearly = identifiability(runs(8 + np.linspace(0, 0.05, 8), length))
    assert nearly.caveats[0].code == "constant-size"
    assert 0 < nearly.caveats[0].data["sd_decades"] < TOLERANCE


def test_compute_that_varies_on_its_own():
    params, tokens, extra = np.meshgrid([7.0, 9.0], [9.0, 11.0], [0.0, 0.5])
    flops = params + tokens + extra + math.log10(6)
    found = identifiability(runs(params.ravel(), tokens.ravel(), flops.ravel()))
    assert all(found.separable["web"].values())
    assert row(found)["rank"] == 3
    assert stated(found) == [("separable", "web")]


def test_noisy_compute_is_still_a_sum():
    params, tokens = (axis.ravel() for axis in np.meshgrid([7.0, 8.0, 9.0], [9.0, 10.0, 11.0]))
    noise = 0.02 * np.tile([1.0, -1.0, 0.0], 3)
    found = identifiability(runs(params, tokens, params + tokens + math.log10(6) + noise))
    assert not found.separable["web"]["alpha_C"]
    # The scatter of log C about log N + log D, the number that the text states.
    assert found.caveats[0].code == "collinear-compute"


def test_one_run():
    found = identifiability(runs([8.0], [10.0]))
    assert stated(found) == [("single-run-family", "web")]
    assert not any(found.separable["web"].values())
    assert row(found)["rank"] == 0


def test_families_differ_and_pooling_centres_them():
    params = np.tile(np.linspace(7, 9, 6), 2)
    slope = np.repeat([1.0, -1.0], 6)
    tokens = 10 + slope * (params - 8)
    found = identifiability(runs(params, tokens, family=["up"] * 6 + ["down"] * 6))
    assert list(found.separable) == ["up", "down", "all"]
    assert not found.separable["up"]["alpha_N"]
    assert not found.separable["down"]["alpha_D"]
    assert found.separable["all"] == {"alpha_N": True, "alpha_D": True, "alpha_C": False}
    assert ("collinear-compute", "all") in stated(found)
    # Offsets between families teach nothing about exponents, so they must not count.
    offset = np.repeat([0.0, 3.0], 6)
    moved = identifiability(runs(params, params + 1 + offset, family=["up"] * 6 + ["down"] * 6))
    assert not moved.separable["all"]["alpha_N"]


def test_a_family_called_all():
    single = identifiability(runs([7.0, 8.0], [9.0, 11.0], family="all"))
    assert list(single.separable) == ["all"]
    two = identifiability(runs([7.0, 8.0], [9.0, 11.0], family=["all", "web"]))
    assert list(two.separable) == ["all", "web", "all families"]


def test_targets_do_not_count_and_errors_stop():
    source = runs(np.linspace(7, 9, 8), np.full(8, 10.0)).table
    source.loc[7, "tokens"] = 1e13
    held_out = load_runs(source.assign(role=["fit"] * 7 + ["target"]))
    assert not identifiability(held_out).separable["web"]["alpha_D"]
    with pytest.raises(DataError, match=r"row 0: loss .*0"):
        identifiability(load_runs(source.assign(loss=0.0)))


def test_json_has_no_infinity():
    found = identifiability(runs([7.0, 8.0, 9.0], [8.0, 9.0, 10.0]))
    content = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(content)["separable"]["web"]["alpha_N"] is False


def test_a_law_of_two_inputs_is_not_warned_of_a_third_exponent() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "params": np.exp(rng.uniform(15, 20, 20)),
            "tokens": np.exp(rng.uniform(18, 24, 20)),
            "loss": 2.0,
            "family": "web",
        }
    )
    found = identifiability(load_runs(table))
    assert [c.code for c in found.caveats_for(("flops",))] == ["collinear-compute"]
    assert found.caveats_for(("params", "tokens")) == ()
    stuck = identifiability(load_runs(table.assign(params=1e9)))
    assert [c.data["size"] for c in stuck.caveats_for(("params",))] == ["params"]
