"""How long everything takes, this checkout and another one side by side.

    uv run python benchmarks/latency.py [--against CHECKOUT] [--public FOLDER] [--docs]
    uv run python benchmarks/latency.py --jobs fit,predict,laws --repeat 5

Jobs run one after the other, in turn in this checkout and in the other one (which has an
environment ``.venv`` of its own), each in a process of its own. Shown are medians of the
repetitions, of seconds, CPU seconds and peak memory, and of fits the largest R-hat, smallest ESS
and the divergences. A job that exceeds the limit is ended, reported so and not repeated, and one of
more than 100 s is not repeated either. How costs grow with runs, families, laws and draws is
measured in this checkout alone.

Caches are warm, Python's bytecode among them, but for the job "first": a job of less than half a
minute is run once before it counts. Samples are kept in a JSON file as they come: the same command
goes on where an earlier one ended. ``--public`` is the folder of public tables that are no part of
this repository; their jobs are skipped without it. ``--docs`` writes the page and figures of the
documentation from the file, after the jobs; with ``--jobs none`` it does nothing else.
"""

import argparse
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import latency_page
import latency_tables
from latency_jobs import GROUPS, JOBS, Job
from latency_measure import Checkout, Results, environment, measure, middle

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/latency.json"
WORK = ROOT / "build/latency"
BUSY = 0.5
"""Processes that ran in the last minute, beyond which the machine is not quiet."""
WARMED_BELOW = 30.0
"""Seconds of a job below which it is run once before it counts."""
ONCE_ABOVE = 100.0
"""Seconds of a job beyond which it is not repeated."""


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    against: Path | None
    public: Path | None
    jobs: str
    repeat: int
    limit: float
    results: Path
    restart: bool
    docs: bool


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--against", type=Path, help="another checkout, with its own .venv")
    made.add_argument("--public", type=Path, help="folder of the public tables")
    made.add_argument("--jobs", default="all", help="names and groups, with commas")
    made.add_argument("--repeat", type=int, default=3)
    made.add_argument("--limit", type=float, default=600.0, help="seconds that a job may take")
    made.add_argument("--results", type=Path, default=RESULTS)
    made.add_argument("--restart", action="store_true", help="forget samples of other commits")
    made.add_argument("--docs", action="store_true", help="write the documentation's page")
    return made


def chosen(text: str) -> list[Job]:
    """Return the jobs of a list of names and groups."""
    if text == "none":
        return []
    jobs: dict[str, Job] = {}
    for name in text.split(","):
        of_group = {job.name: job for job in JOBS.values() if name in {job.kind, "all"}}
        if name in JOBS:
            of_group = {name: JOBS[name]}
        if not of_group:
            known = ", ".join(("all", "none", *GROUPS, *JOBS))
            raise SystemExit(f"there is no job {name!r}; these are: {known}")
        jobs |= of_group
    return list(jobs.values())


def prepare(checkouts: list[Checkout], public: Path | None) -> None:
    """Write tables, and for each checkout a fit and a plan of it, which also warms its caches."""
    shutil.rmtree(WORK, ignore_errors=True)
    first = checkouts[0].folder / "jobs"
    first.mkdir(parents=True)
    latency_tables.write(first, public)
    for checkout in checkouts:
        if checkout is not checkouts[0]:
            shutil.copytree(first, checkout.folder / "jobs")
        program = checkout.program("bayes-scaling")
        for command in (
            ("fit", "jobs/runs.csv", "-o", "saved.nc"),
            ("allocate", "saved.nc", "--scenario", "jobs/scenario.toml", "-o", "plan.json"),
        ):
            with environment(checkout) as variables:
                subprocess.run(
                    [program, *command],
                    cwd=checkout.folder,
                    env=variables,
                    check=True,
                    capture_output=True,
                )


def pending(job: Job, checkouts: list[Checkout], results: Results, repeat: int) -> list[Checkout]:
    """Return where the runs of a job are still to be made, in turn."""
    left = []
    for repetition in range(repeat):
        for checkout in checkouts if job.kind == "table" else checkouts[:1]:
            known = results.of(job, checkout.name)
            ended = any(one.failure or one.seconds > ONCE_ABOVE for one in known)
            if len(known) <= repetition and not ended:
                left.append(checkout)
    return left


def expected(
    jobs: list[Job], checkouts: list[Checkout], results: Results, before: Results, options: Options
) -> str:
    """Say how long the jobs will take, by samples of before."""
    known, unknown = 0.0, 0
    for job in jobs:
        for checkout in pending(job, checkouts, results, options.repeat):
            sample = middle(before.of(job, checkout.name))
            known += sample.seconds if sample else 0.0
            unknown += sample is None
    more = f", and {unknown} runs never measured, at most {options.limit:g} s each"
    return f"{known / 60:.0f} minutes by earlier measurements{more * bool(unknown)}"


def started(options: Options, checkouts: list[Checkout], before: Results) -> Results:
    """Return the results to go on with: those of the file if they are of the same commits."""
    commits = {one.name: one.commit() for one in checkouts}
    differ = any(before.commits.get(name, commit) != commit for name, commit in commits.items())
    if differ and not options.restart:
        raise SystemExit(
            f"{options.results} is of commits {before.commits}, and these are {commits}; give "
            "--restart to measure all again, or --results FILE"
        )
    machine = {
        "cores": str(os.process_cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    samples = {} if options.restart else before.samples
    known = {} if options.restart else before.commits
    return Results(options.results, known | commits, machine, options.limit, samples)


def carry_out(jobs: list[Job], checkouts: list[Checkout], options: Options) -> None:
    """Measure what is missing, and print it."""
    before = Results.read(options.results)
    results = started(options, checkouts, before)
    print(expected(jobs, checkouts, results, before, options), flush=True)
    if os.getloadavg()[0] > BUSY:
        print(f"the machine is not quiet: {os.getloadavg()[0]:.1f} processes run", flush=True)
    prepare(checkouts, options.public)
    for job in jobs:
        if job.needs and not (checkouts[0].folder / "jobs" / job.needs).exists():
            print(f"{job.name}: skipped, for --public FOLDER has its table", flush=True)
            continue
        cold = set() if job.cold else {one.name for one in checkouts}
        while left := pending(job, checkouts, results, options.repeat):
            checkout = left[0]
            sample = measure(checkout, job, options.limit)
            if checkout.name in cold and sample.seconds < WARMED_BELOW and not sample.failure:
                cold.discard(checkout.name)
                continue
            results.add(job, checkout.name, sample)
            print(f"{job.name}, {checkout.name}: {latency_page.told(sample)}", flush=True)


def main() -> None:
    """Parse, measure, write."""
    options = Options(**vars(parser().parse_args()))
    checkouts = [Checkout("present", ROOT, WORK / "present")]
    if options.against:
        checkouts.append(Checkout("other", options.against.resolve(), WORK / "other"))
    jobs = chosen(options.jobs)
    if jobs:
        carry_out(jobs, checkouts, options)
    results = Results.read(options.results)
    print(latency_page.table(results))
    if options.docs:
        latency_page.write(results, ROOT / "docs")


if __name__ == "__main__":
    main()
