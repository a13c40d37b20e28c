"""Bad inputs: one sentence, exit status 2, and every file as it was."""

import json
from dataclasses import dataclass

import pytest

from bayes_scaling.decisions import Scenario, allocate
from tests.cli.conftest import OLD, assert_refused, snapshot
from tests.conftest import handmade

ROWS = [
    "run,family,params,tokens,loss",
    "a,web,1e8,2e9,3.5",
    "b,web,2e8,4e9,3.2",
    "c,web,4e8,8e9,3.0",
    "d,web,4e8,2e9,3.1",
]


def _runs(line: str, at: int = 3) -> str:
    """A good table with one line replaced."""
    return "\n".join([*ROWS[:at], line, *ROWS[at + 1 :]]) + "\n"


def _configs(*lines: str, header: str = "family,params,tokens") -> str:
    return "\n".join([header, *lines]) + "\n"


GOOD_RUNS = "\n".join(ROWS) + "\n"
GOOD_CONFIGS = _configs("web,1e9,2e10")
SCENARIO = 'family = "web"\n'
LOG = "step,loss\n" + "".join(f"{50 * i},{2 + 3 / i:.4f}\n" for i in range(1, 9))


@dataclass(frozen=True)
class Case:
    """A command that must be refused; ``{fit}`` is the fit, and files are made beforehand."""

    words: str
    said: tuple[str, ...]
    files: tuple[tuple[str, str | bytes], ...] = ()
    output: str = "out.nc"


def _fit(content: str | bytes, *said: str, name: str = "runs.csv", options: str = "") -> Case:
    return Case(f"fit {name} -o out.nc {options}", said, ((name, content),))


def _option(options: str, *said: str) -> Case:
    return _fit(GOOD_RUNS, *said, options=options)


def _predict(content: str | bytes, *said: str, options: str = "", output: str = "out.csv") -> Case:
    words = f"predict {{fit}} --at configs.csv -o {output} {options}"
    return Case(words, said, (("configs.csv", content),), output)


def _scenario(content: str | bytes, *said: str) -> Case:
    words = "allocate {fit} --scenario scenario.toml -o out.json"
    return Case(words, ("scenario.toml", *said), (("scenario.toml", content),), "out.json")


def _plan(content: str | bytes, *said: str) -> Case:
    words = "report {fit} plan.json -o out.html"
    return Case(words, ("plan.json", *said), (("plan.json", content),), "out.html")


def _backtest(options: str, *said: str) -> Case:
    words = f"backtest runs.csv -o out.json {options}"
    return Case(words, said, (("runs.csv", GOOD_RUNS),), "out.json")


def _compare(words: str, *said: str) -> Case:
    return Case(f"compare -o out.json {words}", said, (("runs.csv", GOOD_RUNS),), "out.json")


TABLES = {
    "empty": _fit("", "runs.csv"),
    "only blank lines": _fit("\n\n", "runs.csv"),
    "only a header": _fit(ROWS[0] + "\n", "runs.csv"),
    "no loss column": _fit("N,D\n1e8,2e9\n", "runs.csv", "loss", "--column"),
    "no sizes": _fit("N,loss\n1e8,3\n", "runs.csv", "tokens", "flops"),
    "two columns of one name": _fit("N,D,D,loss\n1,2,3,4\n", "runs.csv", "'D'"),
    "text in a number": _fit(
        _runs(
            "c,web,big,8e9,3",
        ),
        "runs.csv, line 4",
        "'params'",
        "'big'",
    ),
    "thousands separators": _fit(_runs('c,web,"4,000",8e9,3'), "line 4", "'4,000'"),
    "a cell too many": _fit(
        _runs(
            "c,web,4e8,8e9,3,0",
        ),
        "runs.csv, line 4",
        "6 ",
    ),
    "zero loss": _fit(
        _runs(
            "c,web,4e8,8e9,0",
        ),
        "runs.csv",
        "line 4",
        "loss is 0",
    ),
    "negative loss": _fit(
        _runs(
            "c,web,4e8,8e9,-3",
        ),
        "runs.csv",
        "line 4",
        "loss is -3",
    ),
    "infinite loss": _fit(
        _runs(
            "c,web,4e8,8e9,inf",
        ),
        "runs.csv",
        "line 4",
        "loss",
    ),
    "missing loss": _fit(
        _runs(
            "c,web,4e8,8e9,",
        ),
        "runs.csv",
        "line 4",
        "loss",
    ),
    "zero params": _fit(
        _runs(
            "c,web,0,8e9,3",
        ),
        "runs.csv",
        "line 4",
        "params is 0",
    ),
    "no family in one row": _fit(
        _runs(
            "c,,4e8,8e9,3",
        ),
        "runs.csv",
        "line 4",
        "family",
    ),
    "one run": _fit("\n".join(ROWS[:2]) + "\n", "runs.csv", "1 "),
    "two runs": _fit("\n".join(ROWS[:3]) + "\n", "runs.csv", "2 "),
    "only targets": _fit("N,D,loss,role\n1e8,2e9,3,target\n", "runs.csv", "'target'"),
    "not UTF-8": _fit(
        GOOD_RUNS.replace("web", "wéb").encode(
            "latin-1",
        ),
        "runs.csv",
        "0xe9",
    ),
    "UTF-16": _fit(
        GOOD_RUNS.encode(
            "utf-16",
        ),
        "runs.csv",
        "UTF-8",
    ),
    "binary": _fit(b"\x89HDF\r\n\x1a\n\0\0\0", "runs.csv"),
    "not Parquet": _fit(GOOD_RUNS, "runs.parquet", name="runs.parquet"),
    "not JSON": _fit("{}\nno\n", "runs.jsonl, line 2", "'no'", name="runs.jsonl"),
    "zero byte in a family": _fit(
        '{"N": 1e8, "D": 1e9, "loss": 3, "family": "a\\u0000b"}\n',
        "runs.jsonl, line 1",
        "'\\x00'",
        name="runs.jsonl",
    ),
    "line end in a message": _fit(
        '{"N": 1e8, "D": 1e9, "loss": -3, "run": "a\\nb\\u001b[2J"}\n',
        "runs.jsonl",
        name="runs.jsonl",
    ),
    "unknown suffix": _fit(GOOD_RUNS, "runs.txt", "'.txt'", ".csv", name="runs.txt"),
    "no such file": Case("fit runs.csv -o out.nc", ("runs.csv",)),
    "a folder": Case("fit . -o out.nc", (". is a folder",)),
    "the output is the input": Case("fit ./out.csv -o out.csv", ("out.csv",), (), "out.csv"),
}

OPTIONS = {
    "law": _option("--law kepler", "'kepler'", "chinchilla"),
    "pooling": _option("--pooling some", "'some'", "partial"),
    "noise": _option("--noise cauchy", "'cauchy'", "student-t"),
    "prior without numbers": _option("--prior floor", "--prior", "'floor'", "NAME=MEDIAN"),
    "prior of two numbers": _option("--prior floor=1,2", "--prior", "floor=1,2"),
    "negative prior": _option("--prior floor=-1,1,1", "--prior", "floor=-1,1,1", "-1.0"),
    "prior twice": _option("--prior A=1,1,1 --prior A=1,1,2", "--prior", "'A'", "twice"),
    "prior of nothing": _option("--prior zeta=1,1,1", "'zeta'", "alpha_N"),
    "column without sign": _option("--column loss", "--column", "'loss'", "CANONICAL=SOURCE"),
    "column unknown": _option("--column lossy=loss", "'lossy'", "loss_unit"),
    "column absent": _option("--column loss=val", "runs.csv", "'val'", "'tokens'"),
    "draws": _option("--draws 0", "draws is 0"),
    "tune": _option("--tune -5", "tune is -5"),
    "chains": _option("--chains 1", "chains is 1"),
    "unit": _option("--loss-unit furlong", "'furlong'", "nats/token"),
    "count": _option("--count all", "'all'", "params_nonemb"),
    "flag code": _option("--exclude-flagged odd", "'odd'", "off-law"),
    "ratio below 1": _backtest("--ratio 0.5", "ratio is 0.5", "above 1"),
    "ratio not a number": _backtest("--ratio nan", "ratio is nan"),
    "backtest of an unknown law": _backtest("--law chinchilla,no", "'no'"),
    "backtest of few runs": _backtest("", "runs.csv", "'web'"),
    "ratios that are no numbers": _backtest("--ratio 2,x", "--ratio is '2,x'"),
    "split by what is not there": _backtest("--split loss", "split is 'loss'", "compute, params"),
    "split by an absent column": _backtest("--split time", "runs.csv", "time"),
    "plot of another kind": _backtest("--plot out.gif", "out.gif", ".png, .svg or .pdf"),
    "too few replications": Case("sbc {fit} --replications 3", ("replications is 3",)),
    "comparison of one law": _compare("runs.csv --law kaplan", "kaplan"),
    "comparison with an unknown law": _compare("runs.csv --law kaplan,no", "'no'"),
    "comparison at a ratio below 1": _compare("runs.csv --ratio 1", "ratio is 1.0", "above 1"),
    "comparison of a table and a fit": _compare("runs.csv {fit}", "runs.csv"),
    "comparison of a count that is not there": _compare(
        "runs.csv --count params --count params_nonemb", "runs.csv", "params_nonemb"
    ),
    "comparison of a count that does not exist": _compare("runs.csv --count all", "'all'"),
    "priors that do not exist": _option("--priors strong", "'strong'", "weak"),
    "law of a shape without one": _option("--law depth-width", "'aspect_ratio'", "n_layer"),
    "law of a batch without one": _option("--law kaplan-steps", "'step'", "batch_tokens"),
    "shape on a law without N": _option("--law power-d+shape", "'power-d'", "params"),
    "tokenizers mixed": _fit(
        "run,family,params,tokens,loss,tokenizer\na,w,1e8,2e9,3.5,gpt2\nb,w,2e8,4e9,3.2,gpt2\n"
        "c,w,4e8,8e9,3.0,llama\n",
        "runs.csv",
        "line 4",
        "'llama'",
        "--exclude-flagged mixed-tokenizers",
    ),
    "comparison of one fit": _compare("{fit}", "fit.nc"),
    "comparison of a fit with itself": _compare("{fit} {fit}", "'fit'"),
}

FORECASTS = {
    "family not said": _predict(
        _configs("1e9,2e10", header="params,tokens"), "configs.csv", "'web'"
    ),
    "family blank": _predict(_configs("web,1e9,2e10", ",1e9,2e10"), "configs.csv", "family"),
    "zero params": _predict(
        _configs(
            "web,0,2e10",
        ),
        "configs.csv, line 2",
        "'params'",
        "'0'",
    ),
    "negative tokens": _predict(
        _configs(
            "web,1,-2",
        ),
        "configs.csv, line 2",
        "'tokens'",
        "'-2'",
    ),
    "text": _predict(
        _configs(
            "web,7B,2e10",
        ),
        "configs.csv, line 2",
        "'7B'",
        "7e9",
    ),
    "infinite": _predict(
        _configs(
            "web,inf,2e10",
        ),
        "configs.csv, line 2",
        "'inf'",
    ),
    "blank": _predict(
        _configs(
            "web,1e9,",
        ),
        "configs.csv, line 2",
        "tokens",
        "flops",
    ),
    "no sizes": _predict(_configs("web,1e9", header="family,params"), "configs.csv", "tokens"),
    "mean already there": _predict(
        _configs("web,1e9,2e10,2", header="family,params,tokens,mean"), "configs.csv", "'mean'"
    ),
    "empty": _predict("", "configs.csv"),
    "level above 1": _predict(GOOD_CONFIGS, "1.5", options="--quantiles 0.5,1.5"),
    "level 0": _predict(GOOD_CONFIGS, "0.0", options="--quantiles 0"),
    "level nan": _predict(GOOD_CONFIGS, "nan", options="--quantiles nan"),
    "level in words": _predict(GOOD_CONFIGS, "--quantiles", "half", options="--quantiles half"),
    "no level": _predict(GOOD_CONFIGS, "--quantiles", "''", options="--quantiles="),
    "level twice": _predict(GOOD_CONFIGS, "0.5", "twice", options="--quantiles 0.5,0.50"),
    "kind": _predict(GOOD_CONFIGS, "'mode'", "curve", options="--kind mode"),
    "suffix": _predict(GOOD_CONFIGS, "out.xlsx", ".parquet", output="out.xlsx"),
    "column": _predict(GOOD_CONFIGS, "--column", "'params'", options="--column params"),
    "no such fit": Case(
        "predict no.nc --at configs.csv -o out.csv",
        ("no.nc",),
        (("configs.csv", GOOD_CONFIGS),),
        "out.csv",
    ),
    "the output is the configurations": Case(
        "predict {fit} --at out.csv -o out.csv", ("out.csv",), (), "out.csv"
    ),
}

MONEY = SCENARIO + 'money_budget = "2 MUSD"\n'
PRICES = '[compute]\nprice = "2 USD/hour"\nspeed = "989 TFLOP/s"\nutilisation = 0.4\n'
BUDGET = SCENARIO + 'compute_budget = "1e22 FLOP"\n'
DECISIONS = {
    "marginal at no size": Case(
        "marginal {fit} --params 0 --tokens 1e9 --family web -o out.json",
        ("--params is '0'", "above 0"),
        (),
        "out.json",
    ),
    "marginal of no family": Case(
        "marginal {fit} --params 1e9 --tokens 1e9 -o out.json",
        ("'web'",),
        (),
        "out.json",
    ),
    "shape under a law without any": Case(
        "shape {fit} --params 1e9 --family web -o out.json",
        ("'chinchilla'", "depth-width"),
        (),
        "out.json",
    ),
    "shape of no multiple": Case(
        "shape {fit} --params 1e9 --width-multiple 0 -o out.json",
        ("width_multiple is 0", "from 1 to"),
        (),
        "out.json",
    ),
    "frontier upside down": Case(
        "frontier {fit} --scenario s.toml --smallest 2 --largest 1 -o out.json",
        ("--smallest is 2", "growing"),
        (("s.toml", BUDGET),),
        "out.json",
    ),
    "a curve beyond its end": Case(
        "monitor log.csv --end 100 -o out.json",
        ("400", "100"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "a curve of two points": Case(
        "monitor log.csv --end 1000 -o out.json",
        ("has 2 points", "4 or more"),
        (("log.csv", "step,loss\n1,3\n2,2.5\n"),),
        "out.json",
    ),
    "a metric there is not": Case(
        "monitor log.csv --end 1000 --metric foo -o out.json",
        ("log.csv", "'foo'", "'loss'"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "a negative loss": Case(
        "monitor log.csv --end 1000 -o out.json",
        ("log.csv", "-2", "above 0"),
        (("log.csv", "step,loss\n1,3\n2,-2\n3,1\n4,1\n"),),
        "out.json",
    ),
    "a schedule without rates": Case(
        "monitor log.csv --end 1000 --schedule log.csv -o out.json",
        ("log.csv", "columns lr, and step or tokens"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "a watched log that is not there": Case(
        "watch nothing.csv --end 1000 --every 0 -o out.json",
        ("nothing.csv",),
        (),
        "out.json",
    ),
    "an end of nothing": Case(
        "watch log.csv --end 0 -o out.json",
        ("--end is '0'", "above 0"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "an end that is no number": Case(
        "monitor log.csv --end nan -o out.json",
        ("--end is 'nan'", "above 0"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "a watched end before the first point": Case(
        "watch log.csv --end 1 --every 0 -o out.json",
        ("starts at step", "planned end 1"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "a pause without end": Case(
        "watch log.csv --end 1000 --every inf -o out.json",
        ("--every is 'inf'", "of 0 or more"),
        (("log.csv", LOG),),
        "out.json",
    ),
    "raw Parquet": Case(
        "predict {fit} --at c.csv -o out.parquet --raw",
        ("--raw is for CSV", "out.parquet"),
        (("c.csv", "params,tokens\n1e9,2e10\n"),),
        "out.parquet",
    ),
    "a log without steps": Case(
        "monitor log.csv --end 1000 -o out.json",
        ("log.csv", "at step 0", "--t order"),
        (("log.csv", "step,loss\n0,4\n0,3\n0,2.8\n0,2.7\n0,2.6\n"),),
        "out.json",
    ),
    "a plot of no kind": Case(
        "allocate {fit} --scenario s.toml -o out.json --plot out.bmp",
        ("out.bmp", ".png"),
        (("s.toml", BUDGET),),
        "out.json",
    ),
    "a batch of none": Case(
        "next-runs {fit} --scenario s.toml --batch 0 -o out.json",
        ("batch is 0", "1 to 20"),
        (("s.toml", BUDGET),),
        "out.json",
    ),
    "candidates of no cost": Case(
        "next-runs {fit} --scenario s.toml --at c.csv -o out.json",
        ("cost of a candidate is 'cheap'",),
        (("s.toml", BUDGET), ("c.csv", "params,tokens,cost\n1e9,2e10,cheap\n")),
        "out.json",
    ),
    "frontier of a bad scenario": Case(
        "frontier {fit} --scenario s.toml -o out.json",
        ("s.toml", "no budget"),
        (("s.toml", SCENARIO),),
        "out.json",
    ),
}

SCENARIOS = {
    "unknown key": _scenario(BUDGET + "speed = 3\n", "speed is unknown"),
    "no budget": _scenario(SCENARIO, "no budget"),
    "negative budget": _scenario(SCENARIO + "compute_budget = -1e22\n", "compute_budget is -1e+22"),
    "zero budget": _scenario(SCENARIO + "compute_budget = 0\n", "compute_budget is 0"),
    "money without prices": _scenario(MONEY, "money_budget needs [compute]", "utilisation"),
    "negative price": _scenario(
        MONEY + PRICES.replace("2 USD", "-2 USD"), "compute.price is '-2 USD/hour'"
    ),
    "unknown unit": _scenario(MONEY + PRICES.replace("TFLOP/s", "Mparsnip"), "'Mparsnip'"),
    "another dimension": _scenario(
        MONEY + PRICES.replace("TFLOP/s", "weeks"), "weeks", "FLOP/second"
    ),
    "two currencies": _scenario(
        MONEY + PRICES.replace("2 USD", "2 EUR"), "USD", "EUR", "one currency"
    ),
    "more than all of a device": _scenario(
        MONEY + PRICES.replace("0.4", "1.4"), "compute.utilisation is 1.4"
    ),
    "a distribution upside down": _scenario(
        MONEY + PRICES.replace("0.4", "{ q05 = 0.5, q95 = 0.3 }"), "compute.utilisation has"
    ),
    "half a distribution": _scenario(
        MONEY + PRICES.replace("0.4", "{ low = 0.5 }"), "utilisation", "likely"
    ),
    "inference without tokens": _scenario(
        BUDGET + "[inference]\nprompt_utilisation = 0.2\n",
        "inference has no tokens",
        "prompt_tokens",
    ),
    "serving takes it all": _scenario(
        BUDGET + '[inference]\noutput_tokens = "1e30 token"\n[limits]\nmin_params = 1e8\n',
        "1e+22 FLOP leave no tokens to train on",
        "serving takes it all",
    ),
    "time without devices": _scenario(
        SCENARIO + 'time_budget = "3 weeks"\n' + PRICES, "time_budget needs [compute]", "devices"
    ),
    "a power as a unit": _scenario(SCENARIO + 'compute_budget = "10**10**10 FLOP"\n', "is no unit"),
    "epochs under a law of fresh tokens": _scenario(
        BUDGET + "[limits]\nmax_epochs = 4\n", "max_epochs is 4", "data-constrained"
    ),
    "missing without a target": _scenario(BUDGET + 'risk = "miss"\n', "'miss' needs a target"),
    "budget of another unit": _scenario(
        SCENARIO + 'compute_budget = "5 EUR"\n', "compute_budget is '5 EUR'", "FLOP"
    ),
    "budget is true": _scenario(SCENARIO + "compute_budget = true\n", "compute_budget is True"),
    "unknown measure": _scenario(BUDGET + 'risk = "median"\n', "'median'", "cvar"),
    "level 2": _scenario(BUDGET + '[risk]\nmeasure = "cvar"\nlevel = 2\n', "risk.level is 2"),
    "level in words": _scenario(BUDGET + '[risk]\nlevel = "high"\n', "risk.level is 'high'"),
    "risk is a number": _scenario(BUDGET + "risk = 5\n", "risk is 5"),
    "limits is text": _scenario(BUDGET + 'limits = "x"\n', "limits is 'x'"),
    "limits contradict": _scenario(
        BUDGET + "[limits]\nmin_params = 1e9\nmax_params = 1e8\n",
        "limits.min_params is 1e+09",
        "max_params",
    ),
    "limits leave nothing": _scenario(
        BUDGET + "[limits]\nmin_params = 1e12\nmin_tokens = 1e14\n", "1e+22", "limits"
    ),
    "unknown limit": _scenario(BUDGET + "[limits]\nmax_gpus = 8\n", "limits.max_gpus is unknown"),
    "family is a number": _scenario("family = 3\ncompute_budget = 1e22\n", "family is 3"),
    "family not said": _scenario("compute_budget = 1e22\n", "'web'"),
    "target": _scenario(BUDGET.replace("\n", "\ntarget_loss = 0\n", 1), "target_loss is 0"),
    "not TOML": _scenario("budget: 1e22\n", "TOML"),
    "not UTF-8": _scenario(b'family = "w\xe9b"\n', "TOML"),
    "no such file": Case(
        "allocate {fit} --scenario no.toml -o out.json", ("no.toml",), (), "out.json"
    ),
    "a folder": Case(
        "allocate {fit} --scenario . -o out.json", ("cannot read .", "directory"), (), "out.json"
    ),
}

PLANS = {
    "not JSON": _plan("no", "not JSON"),
    "a list": _plan("[1]", "not a plan"),
    "another schema": _plan('{"schema": "other/1"}', "'other/1'"),
    "half a plan": _plan('{"schema": "bayes_scaling.plan/1"}', "not a whole plan", "required"),
    "no such plan": Case("report {fit} no.json -o out.html", ("no.json",), (), "out.html"),
    "suffix": Case("report {fit} -o out.pdf", ("out.pdf", ".html"), (), "out.pdf"),
}

EXPORTS = {
    "a file in the place of the folder": Case(
        "export {fit} -o out", ("cannot make the folder out", "exist"), (), "out"
    ),
    "a store that is there": Case(
        "export {fit} -o out.zarr", ("is there already",), (), "out.zarr"
    ),
    "forecasts in a store": Case(
        "export {fit} -o new.zarr --at configs.csv",
        ("--at is for tables", "new.zarr"),
        (("configs.csv", GOOD_CONFIGS),),
        "out",
    ),
    "a format of a store": Case(
        "export {fit} -o new.zarr/ --format parquet", ("--format is for tables",), (), "out"
    ),
    "a plan in a store": Case(
        "export {fit} plan.json -o new.zarr", ("holds the fit alone", "plan.json"), (), "out"
    ),
    "no experiment": Case(
        "export {fit} -o mlflow:http://127.0.0.1:1", ("mlflow:URI#EXPERIMENT",), (), "out"
    ),
    "no such plan": Case("export {fit} no.json -o new", ("no.json",), (), "out"),
    "a point without tokens": Case(
        "export {fit} --at configs.csv -o new",
        ("configs.csv", "tokens"),
        (("configs.csv", "family,params\nweb,1e9\n"),),
        "out",
    ),
}

CASES = {
    f"{kind}: {name}": case
    for kind, cases in {
        "table": TABLES,
        "option": OPTIONS,
        "forecast": FORECASTS,
        "scenario": SCENARIOS,
        "decision": DECISIONS,
        "plan": PLANS,
        "export": EXPORTS,
    }.items()
    for name, case in cases.items()
}


def _prepare(case, folder):
    (folder / case.output).write_bytes(OLD)
    for file, content in case.files:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return snapshot(folder)


@pytest.fixture(scope="module")
def results(cli, fit_path, tmp_path_factory):
    """What each command said, and its folder before and after."""
    folders = {name: tmp_path_factory.mktemp("case") for name in CASES}
    before = {name: _prepare(case, folders[name]) for name, case in CASES.items()}
    jobs = {
        name: ([word.format(fit=fit_path) for word in case.words.split()], folders[name])
        for name, case in CASES.items()
    }
    done = cli.in_forks(jobs)
    return {name: (done[name], before[name], snapshot(folders[name])) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_refused(name, results):
    done, before, after = results[name]
    assert_refused(done, *CASES[name].said)
    assert done.out == ""
    assert after == before


@pytest.mark.parametrize(
    "name",
    [
        "table: text in a number",
        "option: backtest of few runs",
        "forecast: level above 1",
        "scenario: level 2",
        "plan: half a plan",
    ],
)
def test_the_installed_command_agrees(name, results, cli, fit_path, tmp_path):
    before = _prepare(CASES[name], tmp_path)
    words = [word.format(fit=fit_path) for word in CASES[name].words.split()]
    assert cli(*words, cwd=tmp_path) == results[name][0]
    assert snapshot(tmp_path) == before


def test_no_output_and_nothing_beside_it(cli, fit_path, tmp_path):
    (tmp_path / "zero.csv").write_text(
        _configs(
            "web,0,2e10",
        ),
        encoding="utf-8",
    )
    (tmp_path / "good.csv").write_text(GOOD_CONFIGS, encoding="utf-8")
    before = snapshot(tmp_path)
    lines = (
        f"predict {fit_path} --at zero.csv -o out.csv",
        f"predict {fit_path} --at good.csv -o out.csv --quantiles 2",
        f"predict {fit_path} --at good.csv -o out.txt",
        "fit good.csv -o out.nc",
    )
    jobs = {line: (line.split(), tmp_path) for line in lines}
    for done in cli.in_forks(jobs).values():
        assert_refused(done)
    assert snapshot(tmp_path) == before


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory):
    plan = allocate(handmade(), Scenario(compute_budget=1e21, family="web"))
    return plan.save(tmp_path_factory.mktemp("plan") / "plan.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"law": "product"}, ("'product'", "'chinchilla'")),
        ({"recommended": {"params": "many"}}, ("at recommended",)),
        ({"loss": {"mean": "low"}}, ("at loss",)),
    ],
)
def test_plans_that_do_not_go_with_the_fit(cli, fit_path, tmp_path, *, plan_text, change, said):
    plan = json.loads(plan_text)
    for name, value in change.items():
        plan[name] = plan[name] | value if isinstance(value, dict) else value
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    jobs = {"report": (["report", str(fit_path), "plan.json", "-o", "out.html"], tmp_path)}
    done = cli.in_forks(jobs)["report"]
    assert_refused(done, "plan.json", *said)
    assert not (tmp_path / "out.html").exists()
