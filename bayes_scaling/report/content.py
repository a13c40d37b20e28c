"""The content of a report: one dictionary, from which both JSON and HTML are made."""

from collections.abc import Mapping, Sequence
from typing import Any

from bayes_scaling.core.json_files import plain
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.report.sections.contribution_section import contribution_section
from bayes_scaling.report.sections.forecasts import (
    budgets_section,
    forecasts_section,
    held_out_section,
)
from bayes_scaling.report.sections.headlines import headlines, verdict
from bayes_scaling.report.sections.inputs_section import (
    data_section,
    law_section,
    priors_section,
    provenance_section,
)
from bayes_scaling.report.sections.other_results import at_distance, covered, others_section
from bayes_scaling.report.sections.parameter_section import parameters_section
from bayes_scaling.report.sections.what_would_change import changes
from bayes_scaling.report.study import Study, placed
from bayes_scaling.results.belonging import ResultLike, sorted_out

__all__ = ["SCHEMA", "report_content"]

SCHEMA = "bayes_scaling.report/1"


def report_content(
    fit: Fit,
    results: Sequence[ResultLike | Mapping[str, Any]] = (),
    *,
    title: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Everything a report says, as plain values.

    Parameters
    ----------
    fit : Fit
        The fit.
    results : sequence of Plan, BudgetFrontier, Backtest, … or mapping
        Allocation plans and whatever else was made from it or for it; the content of their files
        will do. See :func:`bayes_scaling.report.load_result` for what there is.
    title : str, optional
        Title of the report.
    seed : int
        Seed of the forecasts' run noise and of unseen families.

    Returns
    -------
    dict
        Keys: schema, title, loss_unit, verdict, headlines, changes ("what would change the
        conclusion"), forecasts, held_out, plans (with ``other_budgets`` and ``tags``), others (by
        kind, each as its own file; next runs are computed for plans without any), data, law,
        priors, prior_contribution (None under weak priors), parameters, diagnostics, provenance.
        Losses are in ``loss_unit``, compute in FLOP.
        Ready for ``json.dumps(..., allow_nan=False)``: what is not finite is None.

    Raises
    ------
    ScenarioError
        If a result is nothing that a report takes, or belongs to another fit.
    """
    check_fit(fit)
    given = sorted_out(results, fit)
    study = Study(fit, plain(fit.diagnose().to_dict()), given.plans, seed)
    content: dict[str, Any] = {
        "data": data_section(study),
        "forecasts": forecasts_section(study),
        "held_out": held_out_section(study),
        "plans": [_with_context(study, plan) for plan in given.plans],
        "others": others_section(study, given.others),
    }
    content["prior_contribution"] = contribution_section(study, content["forecasts"])
    content["backtests"] = covered(content["others"], fit.law.name)
    content["headlines"] = headlines(study, content)
    farthest = max((item["extrapolation"] for item in content["headlines"]), default=0.0)
    content["as_far"] = at_distance(content["others"], fit.law.name, farthest)
    result: dict[str, Any] = plain(
        {
            "schema": SCHEMA,
            "title": title or f"Scaling forecast from {content['data']['source']}",
            "loss_unit": study.loss_unit,
            "verdict": verdict(study, content),
            "headlines": content["headlines"],
            "changes": changes(study, content),
            "forecasts": content["forecasts"],
            "held_out": content["held_out"],
            "plans": content["plans"],
            "others": content["others"],
            "data": content["data"],
            "law": law_section(study),
            "priors": priors_section(study),
            "prior_contribution": content["prior_contribution"],
            "parameters": parameters_section(study),
            "diagnostics": study.diagnosis,
            "provenance": provenance_section(study),
        }
    )
    return result


def _with_context(study: Study, plan: dict[str, Any]) -> dict[str, Any]:
    ratio = plan["recommended"]["tokens_per_param"]
    return plan | {
        "tags": study.tags(placed(plan), ratio),
        "other_budgets": budgets_section(study, plan),
    }
