"""What the command costs before it works, and its plain answers."""

import resource
import subprocess
import sys

import pytest

from bayes_scaling import laws
from bayes_scaling.decisions import EXAMPLE
from tests.cli.conftest import COMMAND, assert_refused

HEAVY = ("pymc", "pytensor", "nutpie", "arviz", "matplotlib", "pandas")
COMMANDS = (
    *("demo", "fit", "predict", "diagnose", "sbc", "backtest", "compare", "allocate", "frontier"),
    *("marginal", "monitor", "next-runs", "shape", "scenario", "report", "laws", "watch", "schema"),
    "datasets",
)


def _cpu_seconds(env):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "--help"], env=env, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def test_help_is_quick(cli):
    # Processor time and not the clock's: a busy machine makes others wait, not us work.
    assert min(_cpu_seconds(cli.env) for _ in range(5)) < 0.5


@pytest.mark.parametrize(
    "code",
    [
        "import bayes_scaling",
        "import bayes_scaling; dir(bayes_scaling)",
        "from bayes_scaling.cli import cli; cli(['--help'], standalone_mode=False)",
        "from bayes_scaling.cli import cli; cli(['fit', '--help'], standalone_mode=False)",
    ],
)
def test_no_sampler_is_imported_before_it_is_needed(code, cli, tmp_path):
    code += f"; import sys; print('loaded:', *sorted(set({HEAVY}) & set(sys.modules)))"
    done = cli.execute([sys.executable, "-c", code], tmp_path)
    assert done.out.splitlines()[-1] == "loaded:", done


LOADED = "; import sys; print('loaded:', *sorted(set(NAMES) & set(sys.modules)), file=sys.stderr)"


@pytest.mark.parametrize(
    "words",
    [
        "predict fit.nc --at at.csv -o out.csv",
        "allocate fit.nc --scenario s.toml -o out.json",
        "marginal fit.nc --params 1e9 --tokens 2e10 --family web -o out.json",
        "frontier fit.nc --scenario s.toml --points 2 -o out.json",
    ],
)
def test_quick_commands_import_little(words, cli, two_families, tmp_path):
    two_families.save(tmp_path / "fit.nc")
    (tmp_path / "at.csv").write_text("params,tokens,family\n1e9,2e10,web\n")
    (tmp_path / "s.toml").write_text('compute_budget = 1e21\nfamily = "web"\n')
    names = ("arviz", "arviz_stats", "pymc", "nutpie", "numba", "matplotlib", "jinja2", "pint")
    names += ("scipy.stats", "pyarrow.parquet")
    code = f"from bayes_scaling.cli import cli; cli({words.split()}, standalone_mode=False)"
    code += LOADED.replace("NAMES", str(names))
    done = cli.execute([sys.executable, "-c", code], tmp_path)
    assert done.err.splitlines()[-1] == "loaded:", done


def test_help_names_every_command(cli, tmp_path):
    done = cli("--help", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name, cli, tmp_path):
    done = cli.in_forks({name: ([name, "--help"], tmp_path)})[name]
    assert (done.code, done.err) == (0, "")
    assert f"Usage: bayes-scaling {name}" in done.out


def test_version(cli, tmp_path):
    assert "0.1.0" in cli("--version", cwd=tmp_path).out


def test_laws_have_formula_and_reference(cli, tmp_path):
    done = cli("laws", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for law in laws.available().values():
        assert f"{law.name}\n  loss = {law.formula}\n" in done.out
        assert law.reference in done.out


def test_example_of_a_scenario(cli, tmp_path):
    done = cli("scenario", "--example", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, EXAMPLE, "")


def test_no_command_shows_the_help(cli, tmp_path):
    done = cli(cwd=tmp_path)
    assert done.code == 2
    assert "Usage:" in done.out
    assert done.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fitt"], ["'fitt'"]),
        (["fit", "--bogus"], ["--bogus"]),
        (["fit"], ["RUNS"]),
        (["fit", "runs.csv"], ["--output"]),
        (["predict", "fit.nc", "-o", "p.csv"], ["--at"]),
        (["fit", "runs.csv", "-o", "f.nc", "--draws", "many"], ["--draws", "'many'"]),
        (["fit", "runs.csv", "-o", "f.nc", "--seed", "-1"], ["--seed", "-1"]),
        (["predict", "f.nc", "--at", "c.csv", "-o", "p.csv", "--seed", "-1"], ["--seed", "-1"]),
        (["fit", "runs.csv", "-o", "f.nc", "--seed", "9" * 30], ["--seed", "9" * 30]),
        (["allocate", "f.nc", "--scenario", "s.toml", "-o", "p.json", "--seed=-1"], ["--seed"]),
        (["fit", "runs.csv", "more.csv", "-o", "f.nc"], ["more.csv"]),
    ],
)
def test_misspelt(words, said, cli, tmp_path):
    assert_refused(cli.in_forks({"misspelt": (words, tmp_path)})["misspelt"], *said)
    assert not list(tmp_path.iterdir())


def test_standard_output_that_fails(cli, tmp_path):
    def shell(redirection):
        return cli.execute(["sh", "-c", f"{COMMAND} laws {redirection}"], tmp_path)

    closed = shell(">&-")
    assert (closed.code, closed.err) == (0, "")
    full = shell(">/dev/full")
    assert_refused(full, "standard output", "no space left")
    gone = cli.execute(["sh", "-c", f"{COMMAND} laws | true"], tmp_path)
    assert gone.err == ""


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_terminals_that_know_few_letters(encoding, cli, tmp_path):
    env = cli.env | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([COMMAND, "laws"], env=env, cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"chinchilla" in done.stdout
