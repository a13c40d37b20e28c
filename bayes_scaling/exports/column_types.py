"""What the columns of exported tables mean."""

from collections.abc import Mapping

from bayes_scaling.runs import INPUTS

__all__ = ["MEANINGS", "meaning"]

MEANINGS: Mapping[str, str] = {
    "alpha_C": "exponent in compute along the compute-optimal frontier",
    "budget_flops": "compute that the plan was given, FLOP",
    "chain": "chain of the sampler",
    "code": "kind of the flag",
    "column": "column of the runs that the flag is about",
    "contraction": "1 - posterior over prior variance of the log of the parameter",
    "discrepancy": "error of the law at e times the largest fitted compute, share of the loss",
    "draw": "draw within the chain",
    "ess_bulk": "effective number of draws, bulk",
    "ess_tail": "effective number of draws, tails",
    "extrapolation": "log10 of compute over that of the family's largest fitted run",
    "family": "family of runs: corpus, architecture, recipe",
    "family_seen": "whether the family is in the fit",
    "flags": "codes of the flags of the run, with semicolons",
    "flops": "training compute, FLOP",
    "inside_90": "whether the loss lies in its predicted 90% interval",
    "loss": "observed loss",
    "mean": "mean",
    "median": "median",
    "message": "the flag in words",
    "multiple": "compute over that of the family's largest fitted run",
    "parameter": "name, with the family in brackets where it has one of its own",
    "params": "parameters, N",
    "params_exponent": "growth of the compute-optimal size with compute, d log N* / d log C",
    "path": "where the forecasts lie: along the compute-optimal frontier, or at usual ratios",
    "probability_of_target": "probability that one run reaches the target loss",
    "r_hat": "rank-normalised R-hat",
    "role": "fit, or target for a run kept out of the fit",
    "row": "row of the table of runs, from 0; -1 for the table",
    "run": "name of the run",
    "sd": "standard deviation",
    "severity": "note, warning or error",
    "sigma": "scale of the noise of log loss",
    "source": "what the posterior rests on: data, or mostly prior",
    "status": "ok, or what is wrong with its convergence",
    "tags": "what makes the number less sure, with semicolons",
    "target_loss": "loss that the plan is to reach",
    "tokens": "training tokens, D",
    "tokens_per_param": "tokens per parameter",
}


def meaning(column: str) -> str:
    """What a column means; quantiles by their level, others by the table above.

    Examples
    --------
    >>> meaning("predicted_q05"), meaning("q97.5")
    ('5% quantile of the predicted loss', '97.5% quantile')
    """
    stem = column.removeprefix("predicted_")
    if stem[:1] == "q" and stem[1:].replace(".", "", 1).isdigit():
        level = f"{float(stem[1:]):g}% quantile"
        return level if stem == column else f"{level} of the predicted loss"
    entry = INPUTS.get(column)
    described = f"{entry.meaning.partition(';')[0]}, {entry.unit}" if entry else ""
    return MEANINGS.get(column, described)
