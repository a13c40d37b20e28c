# /// script
# requires-python = "==3.13.0"
# dependencies = [
#   "jax==0.12.0.1", "numpy==2.5.5", "pandas==3.1.1", "pyarrow==26.0.1",
#   # Read for the corpora; so are numpy, pandas and pyarrow.
#   "cmeel-eigen==3.4.1", "nanobind==3.1.0", "networkx==3.6.1", "pybind11==3.1.0",
#   "scipy==1.18.1", "sympy==1.14.0",
# ]
# ///
"""Rebuild the corpora, train the sweep's byte-level models and write the tables.

Run ``uv run data/byte_lm/train.py --help`` for the commands.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import corpora
import design
import pandas as pd
import summary
import tables

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"


def pin(cores: multiprocessing.Queue) -> None:
    """Keep a worker on one core: two runs side by side then do not slow each other."""
    core = cores.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def work_on(run: design.Run, records: Path) -> tuple[str, float]:
    """Train one run in a worker; return its name and the seconds it took here."""
    from trainer import train_run  # here, as only the workers need JAX

    began = time.perf_counter()
    train_run(run, WORK / f"{run.name}.npz", records / f"{run.name}.json")
    return run.name, time.perf_counter() - began


def train_all(runs: list[design.Run], records: Path, workers: int) -> None:
    """Train the runs that have no record yet, in the order given, one per core at a time."""
    todo = [run for run in runs if not (records / f"{run.name}.json").exists()]
    print(f"{len(runs) - len(todo)} runs finished before, {len(todo)} to do", flush=True)
    for family in sorted({run.family for run in todo}):
        corpora.cached(family, WORK)  # once, before the workers need it
    # Read when a worker imports JAX: one thread each, on the CPU.
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    context = multiprocessing.get_context("spawn")
    cores = context.Queue()
    for worker in range(workers):
        cores.put(worker % (os.cpu_count() or 1))
    began = time.perf_counter()
    with ProcessPoolExecutor(workers, context, initializer=pin, initargs=(cores,)) as pool:
        done = pool.map(work_on, todo, [records] * len(todo))
        for count, (name, seconds) in enumerate(done, 1):
            minutes = (time.perf_counter() - began) / 60
            print(f"[{minutes:5.1f} min] {count}/{len(todo)} {name}: {seconds:.0f} s", flush=True)


def command_corpora() -> None:
    """Build every corpus afresh and print its size and checksum."""
    for name, family in corpora.FAMILIES.items():
        built = corpora.build(name, verify=False)
        same = "as pinned" if built.sha256 == family.sha256 else "NOT AS PINNED"
        print(
            f"{name}: training {len(built.train)} bytes in {built.n_train_docs} documents, "
            f"validation {len(built.val)} bytes in {built.n_val_docs}, "
            f"sha256 {built.sha256} ({same})"
        )
        print(f"  validation lines also in training: {corpora.shared_lines(built):.1%}")


def command_search(workers: int) -> None:
    """Run the learning-rate search and write its table."""
    records = WORK / "search"
    train_all(design.lr_search(), records, workers)
    found = tables.write_search(HERE, records)
    cells = ["steps", "n_layer", "d_model"]
    print(found.pivot_table(index=cells, columns="lr", values="loss").round(4).to_string())


def command_train(families: tuple[str, ...], roles: tuple[str, ...], workers: int) -> None:
    """Train the sweep, or a part of it, and write the tables."""
    train_all(design.sweep(families, roles), HERE / "records", workers)
    summary.show(tables.write_tables(HERE), HERE)


def command_retrain(name: str, record: Path, interrupt: int | None) -> None:
    """Train one run of the sweep again, from scratch, and write its record elsewhere.

    With `interrupt` it is stopped after that many steps, and goes on from its checkpoint.
    """
    named = {run.name: run for run in design.sweep()}
    if name not in named:
        raise SystemExit(f"{name!r} is not a run of the sweep; the runs are in runs.csv")
    os.environ["JAX_PLATFORMS"] = "cpu"  # read when JAX is imported
    from trainer import train_run

    checkpoint = WORK / f"again-{name}.npz"
    checkpoint.unlink(missing_ok=True)
    if interrupt is not None:
        train_run(named[name], checkpoint, record, stop_at=interrupt)
    train_run(named[name], checkpoint, record)
    again = json.loads(record.read_text())["loss"]
    published = json.loads((HERE / "records" / f"{name}.json").read_text())["loss"]
    print(f"{name}: {again:.6f}, published {published:.6f}")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("corpora", help="build the corpora and print their checksums")
    search = commands.add_parser("search", help="search for the learning rate of each width")
    train = commands.add_parser("train", help="train the runs that have no record yet")
    train.add_argument("--family", choices=design.FAMILIES, action="append")
    train.add_argument("--role", choices=tuple(design.STUDIES), action="append")
    for parallel in (search, train):
        parallel.add_argument("--workers", type=int, default=2, help="runs at a time, one per core")
    again = commands.add_parser("retrain", help="train one run again, beside the published record")
    again.add_argument("run")
    again.add_argument("record", type=Path, help="file for the new record")
    again.add_argument("--interrupt", type=int, help="stop after so many steps, then go on")
    commands.add_parser("table", help="rebuild runs.csv and curves.parquet from the records")
    commands.add_parser("summary", help="print the figures quoted in the README")
    options = parser.parse_args()
    if options.command == "corpora":
        command_corpora()
    elif options.command == "search":
        command_search(options.workers)
    elif options.command == "train":
        families = tuple(options.family or design.FAMILIES)
        command_train(families, tuple(options.role or design.STUDIES), options.workers)
    elif options.command == "retrain":
        command_retrain(options.run, options.record, options.interrupt)
    elif options.command == "table":
        summary.show(tables.write_tables(HERE), HERE)
    else:
        summary.show(pd.read_csv(HERE / "runs.csv"), HERE)


if __name__ == "__main__":
    main()
