"""Fits of a backtest, in sequence or by an executor."""

import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass

from bayes_scaling.core.progress import OTHER, Progress
from bayes_scaling.forecast.evaluation.backtest_result import FitQuality
from bayes_scaling.forecast.evaluation.checkpoint import Checkpoint, Result, key_of
from bayes_scaling.forecast.evaluation.outcomes import score_rows
from bayes_scaling.forecast.evaluation.thresholds import Division
from bayes_scaling.inference import Fit, Procedure
from bayes_scaling.laws.signature import difference
from bayes_scaling.model.spec_json import write_spec
from bayes_scaling.runs import Runs

__all__ = ["Job", "results_of"]


@dataclass(frozen=True)
class Job:
    """One law fitted below one threshold."""

    procedure: Procedure
    ratio: float
    table: Runs
    division: Division

    def key(self) -> str:
        """Hash of what the result depends on: the model, its priors, and the fitted runs."""
        small = self.division.small
        model = write_spec(*self.procedure.specify(small))
        settings = self.procedure.settings.to_dict()
        return key_of(model, settings, self.ratio, self.table.hash, small.index.tolist())

    def __str__(self) -> str:
        return f"{self.procedure.law.name} below 1/{self.ratio:g}"


type Keyed = tuple[str, Job]


def results_of(
    jobs: list[Job],
    executor: Executor | None,
    kept: Checkpoint,
    progress: Progress,
) -> list[Result]:
    """Run jobs that the checkpoint has no result of; return all results in order."""
    keys = [job.key() for job in jobs]
    found: dict[str, Result] = {k: kept.results[k] for k in keys if k in kept.results}
    left = [(key, job) for key, job in zip(keys, jobs, strict=True) if key not in found]
    if found:
        progress.say(f"{len(found)} of {len(jobs)} fits taken from the checkpoint")
    run = _beside(left, executor, progress) if executor else _in_turn(left, progress)
    with progress.stage(OTHER, "fitting smaller runs", len(left), "fits") as stage:
        for key, result in run:
            found[key] = result
            kept.add(key, *result)
            stage.advance()
    return [found[key] for key in keys]


def _in_turn(left: list[Keyed], progress: Progress) -> Iterator[tuple[str, Result]]:
    for key, job in left:
        fitted_rows = job.table.select(job.table.table.index.isin(job.division.small.index))
        fitted = job.procedure.run(fitted_rows, progress)
        yield key, _scored(job, fitted)


def _beside(
    left: list[Keyed], executor: Executor, progress: Progress
) -> Iterator[tuple[str, Result]]:
    """Results of jobs by an executor, and in this process of those that cannot be sent there.

    They are sent at once, before a bar is shown: its thread must not be there when processes fork.
    """
    names = list(dict.fromkeys(job.procedure.law.name for _, job in left))
    groups = [[pair for pair in left if pair[1].procedure.law.name == name] for name in names]
    if len(groups) == 1:
        groups = [[pair] for pair in left]
    waiting: dict[Future[list[tuple[str, Result]] | None], list[Keyed]] = {}
    here = []
    for group in groups:
        payload = _pickled(group)
        if payload is None:
            here.append(group)
        else:
            fingerprint = group[0][1].procedure.law.fingerprint
            waiting[executor.submit(_remote, payload, fingerprint)] = group
    return _collected(waiting, here, progress)


def _collected(
    waiting: Mapping[Future[list[tuple[str, Result]] | None], list[Keyed]],
    here: list[list[Keyed]],
    progress: Progress,
) -> Iterator[tuple[str, Result]]:
    for group in here:
        yield from _after_all(group, progress)
    for future in as_completed(waiting):
        results = future.result()
        yield from _after_all(waiting[future], progress) if results is None else results


def _after_all(group: list[Keyed], progress: Progress) -> Iterator[tuple[str, Result]]:
    name = group[0][1].procedure.law.name
    progress.say(f"law {name!r} cannot be imported by another process, so it is fitted in this one")
    return _in_turn(group, progress)


def _pickled(group: list[Keyed]) -> bytes | None:
    """Jobs for another process; None where a law holds functions that no module has."""
    try:
        return pickle.dumps(group)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def _remote(payload: bytes, expected: Mapping[str, list[float]]) -> list[tuple[str, Result]] | None:
    """Results of jobs; None where their law is not here, or another one.

    Functions are pickled by name: one of a notebook is not in a new process, and one that was
    edited since a process began is another there.
    """
    try:
        group: list[Keyed] = pickle.loads(payload)  # noqa: S301, made by this program
    except (AttributeError, ImportError, pickle.UnpicklingError):
        return None
    if difference(group[0][1].procedure.law.fingerprint, expected) is not None:
        return None
    return list(_in_turn(group, Progress()))


def _scored(job: Job, fitted: Fit) -> Result:
    scored = score_rows(fitted, job.division.large, job.procedure.settings.seed)
    counts = job.division.small["family"].value_counts()
    scored.insert(0, "law", job.procedure.law.name)
    scored.insert(1, "ratio", job.ratio)
    scored["fitted"] = scored["family"].map(counts)
    diagnosis = fitted.summary()
    quality = FitQuality(
        law=job.procedure.law.name,
        ratio=job.ratio,
        r_hat=float(diagnosis["r_hat"].max()),
        ess=float(diagnosis["ess_bulk"].min()),
        divergences=int(fitted.dt["sample_stats"]["diverging"].sum()),
    )
    return scored, quality
