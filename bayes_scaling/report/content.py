"""The content of a report: one record, from which JSON, HTML and Markdown are made."""

from collections.abc import Sequence

from bayes_scaling.decisions import Plan
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.report.content_records import ReportContent
from bayes_scaling.report.sections.contribution_section import contribution_section
from bayes_scaling.report.sections.forecasts import (
    forecasts_section,
    held_out_section,
    reported,
)
from bayes_scaling.report.sections.headlines import headlines
from bayes_scaling.report.sections.inputs_section import (
    data_section,
    law_section,
    priors_section,
    provenance_section,
)
from bayes_scaling.report.sections.other_results import backtests_of, others_section
from bayes_scaling.report.sections.parameter_section import parameters_section
from bayes_scaling.report.sections.trust import Evidence, trust
from bayes_scaling.report.sections.what_would_change import changes
from bayes_scaling.report.study import Study
from bayes_scaling.results.belonging import ResultLike, belonging, of_kind

__all__ = ["report_content"]


def report_content(
    fit: Fit,
    results: Sequence[ResultLike] = (),
    *,
    title: str | None = None,
    seed: int = 0,
) -> ReportContent:
    """Gather the content of a report.

    Parameters
    ----------
    fit : Fit
        The fit.
    results : sequence of Plan, BudgetFrontier, Backtest, … or mapping
        Plans and whatever else was made from the fit or for it; the content of their files will
        do. See :func:`bayes_scaling.load_result` for what there is.
    title : str, optional
        Title of the report.
    seed : int
        Seed of the forecasts' run noise and of unseen families.

    Returns
    -------
    ReportContent
        Losses are in ``loss_unit``, compute in FLOP. Its ``to_dict()`` is ready for
        ``json.dumps(..., allow_nan=False)``: what is not finite is None.

    Raises
    ------
    ScenarioError
        If a result is nothing that a report takes, or belongs to another fit.

    Examples
    --------
    >>> content = bs.report.report_content(bs.load_fit("fit.nc"))
    >>> content.headlines[0].kind, content.forecasts[0].multiple
    ('forecast', 2.0)
    """
    check_fit(fit)
    found = belonging(results, fit)
    study = Study(fit, fit.diagnose(), tuple(of_kind(found, Plan)), seed)
    data, held_out = data_section(study), held_out_section(study)
    forecasts = forecasts_section(study)
    plans = [reported(study, plan) for plan in study.plans]
    first, others = headlines(study, plans, forecasts), others_section(study, found)
    contribution = contribution_section(study, forecasts)
    return ReportContent(
        title=title or f"Scaling forecast from {data.source}",
        loss_unit=study.loss_unit,
        verdict=trust(study, Evidence(data, first, held_out, backtests_of(others))),
        headlines=first,
        changes=changes(
            study,
            data=data,
            headlines=first,
            plans=plans,
            held_out=held_out,
            contribution=contribution,
        ),
        forecasts=forecasts,
        held_out=held_out,
        plans=plans,
        others=others,
        data=data,
        law=law_section(study),
        priors=priors_section(study),
        prior_contribution=contribution,
        parameters=parameters_section(study),
        diagnostics=study.diagnosis,
        provenance=provenance_section(study),
    )
