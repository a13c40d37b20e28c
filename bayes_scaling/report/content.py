"""The content of a report: one dictionary, from which both JSON and HTML are made."""

from collections.abc import Mapping, Sequence
from typing import Any

from bayes_scaling.inference import Fit
from bayes_scaling.report._change import changes
from bayes_scaling.report._contribution import contribution_section
from bayes_scaling.report._forecasts import budgets_section, forecasts_section, held_out_section
from bayes_scaling.report._headline import headlines, verdict
from bayes_scaling.report._parameters import parameters_section
from bayes_scaling.report._plain import plain
from bayes_scaling.report._plans import PlanLike, checked
from bayes_scaling.report._sections import (
    data_section,
    law_section,
    priors_section,
    provenance_section,
)
from bayes_scaling.report._study import Study

__all__ = ["SCHEMA", "report_content"]

SCHEMA = "bayes_scaling.report/1"


def report_content(
    fit: Fit,
    plans: Sequence[PlanLike | Mapping[str, Any]] = (),
    *,
    title: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Everything a report says, as plain values.

    Parameters
    ----------
    fit : Fit
        The fit.
    plans : sequence of Plan or mapping
        Allocation plans made from it; the content of their files will do.
    title : str, optional
        Title of the report.
    seed : int
        Seed of the forecasts' run noise and of unseen families.

    Returns
    -------
    dict
        Keys: schema, title, loss_unit, verdict, headlines, changes ("what would change the
        conclusion"), forecasts, held_out, plans (with ``other_budgets`` and ``tags``), data, law,
        priors, prior_contribution (None under weak priors), parameters, diagnostics, provenance.
        Losses are in ``loss_unit``, compute in FLOP.
        Ready for ``json.dumps(..., allow_nan=False)``: what is not finite is None.

    Raises
    ------
    ScenarioError
        If a plan is not one, or belongs to another fit.
    """
    given = tuple(checked(plan, fit) for plan in plans)
    study = Study(fit, plain(fit.diagnose().to_dict()), given, seed)
    content: dict[str, Any] = {
        "data": data_section(study),
        "forecasts": forecasts_section(study),
        "held_out": held_out_section(study),
        "plans": [_with_context(study, plan) for plan in given],
    }
    content["prior_contribution"] = contribution_section(study, content["forecasts"])
    content["headlines"] = headlines(study, content)
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
        "tags": study.tags(plan["family"], plan["extrapolation"], ratio),
        "other_budgets": budgets_section(study, plan),
    }
