"""Every method on every case, scored and written down as it is done."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.errors import BayesScalingError
from bayes_scaling.forecast.evaluation.scoring import COVERAGES, score_draws
from benchmarks.extrapolation.cases import Case
from benchmarks.extrapolation.method import Context, Floats, Method, NotApplicable
from benchmarks.extrapolation.populations import foreign
from benchmarks.extrapolation.results import SCORES, append, resume

SIZES = ["family", "params", "tokens", "flops"]
NAMED = {
    "log_error": "error",
    "interval_score": "interval",
    **{f"inside_{percent}": f"in_{percent}" for percent in COVERAGES},
}


def run(
    todo: Sequence[Case],
    methods: Mapping[str, Method],
    out: Path,
    *,
    part: tuple[int, int] = (1, 1),
    draws: int = 1000,
) -> None:
    """Score methods on cases that the file lacks.

    Parameters
    ----------
    todo : sequence of Case
        Cases.
    methods : mapping of str to Method
        Methods by name.
    out : path
        The file; what it holds is not done again.
    part : (int, int)
        Do the first, second … of so many parts of the cases.
    draws : int
        Draws a chain of samplers.
    """
    number, parts = part
    done = resume(out)
    # Neighbouring cases are of one root, and so share what was learned without it.
    first, last = (len(todo) * k // parts for k in (number - 1, number))
    for case in todo[first:last]:
        for name, method in methods.items():
            families = " ".join(case.families)
            if (case.root, case.ratio, case.sample, families, name) in done:
                continue
            table = pd.concat(_parts(case, method, draws), ignore_index=True)
            job = {"method": name, "families": families, "row": table.index, "rows": len(table)}
            append(out, table.assign(**job))
            held = table["in_90"].mean()
            sys.stderr.write(
                f"{case.root} {case.ratio:g}x {name}: {held:.2f} of {len(table)} runs, "
                f"{table['seconds'].iloc[0]:.1f} s\n"
            )


def _parts(case: Case, method: Method, draws: int) -> Iterator[pd.DataFrame]:
    """Scores of the families that a method takes together."""
    if not method.each_family:
        yield score(case, method, draws)
        return
    for family in case.families:
        small, large = case.part(family)
        yield score(Case(case.root, case.ratio, small, large, case.sample), method, draws)


def score(case: Case, method: Method, draws: int = 1000) -> pd.DataFrame:
    """Forecast and score one case; where the method cannot, say why.

    Returns
    -------
    pandas.DataFrame
        A row for each run above, columns as of the file.
    """
    large = case.large
    table = large[["family", "run", "flops", "loss"]].assign(
        root=case.root,
        ratio=case.ratio,
        sample=case.sample,
        distance=case.distances(),
        fitted=large["family"].map(case.small["family"].value_counts()),
    )
    context = Context(foreign(case.root), draws, max(case.sample, 0))
    begun = time.perf_counter()
    try:
        logs = method.forecast(case.small, large[SIZES], context)
        scores = _scores(logs, large["loss"].to_numpy())
    except (NotApplicable, BayesScalingError) as stated:
        scores = pd.DataFrame({"reason": " ".join(str(stated).split())}, index=large.index)
    quality = {"seconds": time.perf_counter() - begun, **context.quality}
    scores = scores.reindex(columns=["q05", "q50", "q95", *SCORES, "reason"])
    return table.join(scores).assign(**quality)


def _scores(logs: Floats, observed: Floats) -> pd.DataFrame:
    with np.errstate(over="ignore"):
        losses = np.exp(logs)
    if not np.isfinite(losses).all():
        raise NotApplicable("some forecast losses are not finite")
    scored = score_draws(losses, observed).rename(columns=NAMED)
    inside = {name: scored[name].astype(float) for name in scored if name.startswith("in_")}
    return scored.assign(**inside)
