"""The benchmark of seconds: what it measures of a process, and what it makes of samples."""

import importlib
import json
import sys
from pathlib import Path

import pytest

import bayes_scaling as bs

BENCHMARKS = Path(bs.__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def latency():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("latency")


@pytest.fixture
def checkout(latency, tmp_path):
    """One whose command is a script of its arguments."""
    program = tmp_path / ".venv/bin/bayes-scaling"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -c "$@"\n', "utf-8")
    program.chmod(0o755)
    (tmp_path / "work/jobs").mkdir(parents=True)
    return latency.Checkout("present", tmp_path, tmp_path / "work")


def test_a_process_is_measured(latency, checkout):
    job = latency.Job(
        "job", "", ("a = b'1' * 200_000_000\nwhile __import__('time').process_time() < 0.3: pass",)
    )
    sample = latency.measure(checkout, job, 60.0)
    assert sample.failure == ""
    assert 0.3 <= sample.cpu < 3.0
    assert sample.seconds > 0.3
    # A child counts the pages of the process it was forked from, so there is no upper limit here.
    assert sample.memory > 200


def test_one_that_takes_too_long_is_ended_and_one_that_fails_says_why(latency, checkout):
    endless = latency.Job("job", "", ("while True: pass",))
    assert latency.measure(checkout, endless, 0.5).failure == "> 0.5 s"
    wrong = latency.Job("job", "", ("raise SystemExit('no such fit')",))
    assert latency.measure(checkout, wrong, 60.0).failure == "no such fit"


def test_samples_are_kept_and_medians_shown(latency, tmp_path):
    results = latency.Results(tmp_path / "r.json", {"present": "a", "other": "b"})
    sample, page = latency.measure.__globals__["Sample"], latency.latency_page
    job = latency.JOBS["fit"]
    for seconds in (3.0, 1.0, 2.0):
        results.add(job, "present", sample(seconds, 2 * seconds, 100.0, "", 1.0, 500.0, 0.0))
        results.add(job, "other", sample(4 * seconds, 4 * seconds, 100.0))
    again = latency.Results.read(results.path)
    assert again == results
    row = page.table(again).splitlines()[2]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "2 (4)"
    assert cells[-1] == "0.25 (0.50)"
    assert latency.pending(job, [latency.Checkout("present", tmp_path, tmp_path)], again, 3) == []
    results.add(job, "other", sample(600.0, 600.0, 100.0, "> 600 s"))
    assert page.table(results).splitlines()[2].split("|")[-2].strip() == "< 0.00"
    assert json.loads(results.path.read_text("utf-8"))["commits"] == {"present": "a", "other": "b"}


def test_every_job_has_what_it_reads(latency):
    tables = set(latency.latency_tables.SOURCES) | {"grid.csv", "few.csv"}
    assert {job.needs for job in latency.JOBS.values() if job.needs} <= tables
    assert {job.kind for job in latency.JOBS.values()} == set(latency.GROUPS)
