"""A fit, its report and plans as a run on an MLflow server (the extra ``mlflow``)."""

import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bayes_scaling.core.files import short_names, write_bytes
from bayes_scaling.core.mlflow_client import client_of, in_words
from bayes_scaling.errors import DataError
from bayes_scaling.inference import Fit
from bayes_scaling.report import render_html, report_content
from bayes_scaling.report.content_records import ReportContent
from bayes_scaling.report.markdown import render_markdown
from bayes_scaling.results.belonging import ResultLike

__all__ = ["log_to_mlflow"]

_LONGEST_VALUE = 500
_LONGEST_NOTE = 5000
_BATCH = 1000
"""Limits of MLflow servers, old ones included: letters of a parameter, of a tag; metrics a call."""
_LEGAL = r"\w.-"
"""Characters that names of metrics may hold, but for slash, space and colon."""
_OF_PLAN = ("params", "tokens", "flops", "tokens_per_param")


def log_to_mlflow(
    fit: Fit,
    *results: ResultLike,
    uri: str | None = None,
    experiment: str | None = None,
    run_id: str | None = None,
    title: str | None = None,
    seed: int = 0,
) -> str:
    """Log a fit, its diagnostics, report and plans to MLflow.

    Parameters (law, sampler, hash of the runs), metrics (R-hat, effective draws, divergences,
    elpd, coverage of held-out runs, medians of exponents, what each plan chooses and expects),
    tags (verdict; the summary as the run's description) and artifacts (``fit.nc``,
    ``report.html``, ``report.json``, ``summary.md``).

    Parameters
    ----------
    fit : Fit
        The fit.
    *results : Plan, BudgetFrontier, Backtest, … or mapping
        What its report is to hold: see :func:`bayes_scaling.load_result`.
    uri : str, optional
        Where MLflow keeps its runs. What MLflow itself is set to without.
    experiment : str, optional
        Name of the experiment, made if missing. Without, MLflow's active one, or "Default" where
        ``uri`` is given.
    run_id : str, optional
        A run to add to, which is left open. Without, the active run (of ``mlflow.start_run``) if
        there is one and neither ``uri`` nor ``experiment`` is given, else a new run.
    title : str, optional
        Title of the report and name of a new run.
    seed : int
        Seed of forecasts.

    Returns
    -------
    str
        Id of the run.

    Raises
    ------
    FileError
        If the extra is missing, or the server refuses or does not answer.
    ScenarioError
        If a result belongs to another fit.
    DataError
        If both ``experiment`` and ``run_id`` are given.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> bs.log_to_mlflow(fit, experiment="scaling")  # doctest: +SKIP
    """
    if experiment is not None and run_id is not None:
        raise DataError(f"run_id {run_id!r} has its experiment already: leave experiment out")
    # Made first: what is wrong with a plan must not leave half a run behind.
    content = report_content(fit, results, title=title, seed=seed)
    with in_words(uri or "its usual address", "take the fit"):
        client = client_of(uri)
        if run_id is None and uri is None and experiment is None:
            run_id = _active()
        named = experiment or (None if uri is None else "Default")
        with _run(client, named, run_id, content.title) as target:
            _log(client, target, fit, content)
            return target


def _active() -> str | None:
    import mlflow

    run = mlflow.active_run()
    return None if run is None else str(run.info.run_id)


@contextmanager
def _run(client: Any, experiment: str | None, run_id: str | None, name: str) -> Iterator[str]:
    """The id of the run to log to; a new one is ended, as failed where that is so."""
    if run_id is not None:
        yield run_id
        return
    if experiment is None:
        import mlflow

        with mlflow.start_run(run_name=name) as run:
            yield str(run.info.run_id)
        return
    new = str(client.create_run(_experiment(client, experiment), run_name=name).info.run_id)
    status = "FAILED"
    try:
        yield new
        status = "FINISHED"
    finally:
        client.set_terminated(new, status)


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _log(client: Any, run_id: str, fit: Fit, content: ReportContent) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    summary = render_markdown(content)
    tags = {
        "bayes_scaling.verdict": content.verdict.label,
        "bayes_scaling.version": content.provenance.versions["bayes-scaling"],
        "mlflow.note.content": _cut(summary, _LONGEST_NOTE),
    }
    metrics = [Metric(name, value, now, 0) for name, value in _metrics(content).items()]
    params = [Param(name, _cut(value, _LONGEST_VALUE)) for name, value in _params(content).items()]
    labels = [RunTag(name, value) for name, value in tags.items()]
    client.log_batch(run_id, metrics[:_BATCH], params, labels)
    for first in range(_BATCH, len(metrics), _BATCH):
        client.log_batch(run_id, metrics[first : first + _BATCH])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        fit.save(out / "fit.nc")
        write_bytes(out / "report.html", render_html(content, fit))
        content.save(out / "report.json")
        write_bytes(out / "summary.md", summary)
        client.log_artifacts(run_id, os.fspath(out))


def _params(content: ReportContent) -> dict[str, str]:
    made, data = content.provenance, content.data
    return {
        "law": content.law.name,
        "noise": content.law.noise,
        "source": made.source,
        "runs_hash": made.runs_hash,
        "runs": str(data.runs),
        "held_out": str(data.held_out),
        "families": ", ".join(line.family for line in data.families),
        "loss_unit": content.loss_unit,
        "params_column": data.params_column,
        "seed": str(made.seed),
        **{name: str(made.sampler[name]) for name in ("draws", "tune", "chains")},
    }


def _metrics(content: ReportContent) -> dict[str, float]:
    """Numbers by name; what is missing or not finite is left out."""
    checks = {check.name: check.value for check in content.diagnostics.checks}
    names = ("divergences", "R-hat", "effective draws", "E-BFMI")
    found = {f"diagnostics/{name}": checks.get(name) for name in names}
    loo, held_out = content.diagnostics.loo, content.held_out
    found |= {f"loo/{name}": getattr(loo, name) for name in ("elpd", "se", "pareto_k_max")}
    found |= {
        f"held_out/{name}": getattr(held_out, name) for name in ("known", "inside_90", "bias")
    }
    short = short_names((line.family for line in content.data.families), _LEGAL)
    for row in content.parameters:
        if row.family in short:
            found[f"{row.name}/{short[row.family]}"] = row.q50
    named = [f"{place}-{plan.family}" for place, plan in enumerate(content.plans, 1)]
    planned = short_names(named, _LEGAL)
    for stem, plan in zip(planned.values(), content.plans, strict=True):
        found |= {f"plan/{stem}/{name}": getattr(plan.recommended, name) for name in _OF_PLAN}
        found |= {f"plan/{stem}/loss_{name}": value for name, value in plan.loss.to_dict().items()}
        found[f"plan/{stem}/probability_of_target"] = plan.probability_of_target
    return {
        name: float(value)
        for name, value in found.items()
        if value is not None and math.isfinite(value)
    }


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
