"""Laws side by side: the result of a comparison."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

import pandas as pd
from msgspec.structs import force_setattr

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.caveat import Caveat, deprecated_texts, texts
from bayes_scaling.core.record_tables import to_rows, to_table
from bayes_scaling.core.records import Record, about
from bayes_scaling.core.result import Result
from bayes_scaling.errors import FitError
from bayes_scaling.forecast.evaluation.backtest_result import Backtest, Coverage
from bayes_scaling.forecast.evaluation.model_average import ModelAverage
from bayes_scaling.inference import Fit

__all__ = ["ComparedFit", "Comparison"]

_HELD_OUT = ("log_score", "crps", "coverage_90", "bias", "weight_held_out")
"""Columns that held-out runs give."""


class ComparedFit(Record, frozen=True, kw_only=True):
    """How well one fit predicts the runs it was fitted to, and forecasts larger ones."""

    name: Annotated[str, about("Name of the fit.")]
    elpd: Annotated[float, about("PSIS-LOO of the loss; higher is better.", "log density")]
    se: Annotated[float, about("Standard error of elpd.", "log density")]
    elpd_diff: Annotated[float, about("elpd against the best.", "log density")]
    dse: Annotated[float, about("Standard error of elpd_diff.", "log density")]
    p: Annotated[float, about("Effective number of parameters.")]
    pareto_k_high: Annotated[int, about("Runs whose Pareto k makes elpd unreliable.", ge=0)]
    weight_loo: Annotated[float, about("Stacking weight by PSIS-LOO.", "1", ge=0, le=1)]
    r_hat: Annotated[float | None, about("Worst R-hat of the fit.")]
    divergences: Annotated[int, about("Draws that diverged.", ge=0)]
    log_score: Annotated[float | None, about("Mean of held-out runs.", "log density")] = None
    crps: Annotated[float | None, about("Mean CRPS of held-out runs.", "log loss")] = None
    coverage_90: Annotated[float, Coverage] | None = None
    bias: Annotated[float | None, about("Mean log(median / loss), held out.", "log loss")] = None
    weight_held_out: Annotated[float, about("Stacking weight.", "1", ge=0, le=1)] | None = None


class Comparison(Result, frozen=True, kw_only=True, dict=True, tag="bayes_scaling.comparison/2"):
    """Fits of the same losses, compared, the best first, as `compare` writes them.

    Attributes
    ----------
    fits : dict of str to Fit
        By name; empty in a comparison that was read from a file.
    """

    loss_unit: Annotated[str, about("Unit of every loss.")]
    runs_hash: Annotated[str, about("SHA-256 (hex) of the runs.")]
    laws: Annotated[tuple[ComparedFit, ...], about("The best first.", min_length=2)]
    caveats: Annotated[tuple[Caveat, ...], about("What to make of it, and what makes it doubtful.")]
    held_out: Annotated[
        Backtest | None, about("Scores of held-out runs; null where none were held out.")
    ]

    messages = deprecated_texts("messages")

    @classmethod
    def of(
        cls,
        fits: Mapping[str, Fit],
        table: pd.DataFrame,
        caveats: Iterable[Caveat],
        held_out: Backtest | None,
    ) -> Self:
        """Make a comparison from fits, the best first, and the table of their scores."""
        first = next(iter(fits.values()))
        made = cls(
            loss_unit=first.loss_unit(),
            runs_hash=str(first.dt.attrs["runs_hash"]),
            laws=to_rows(table.reset_index(), ComparedFit),
            caveats=tuple(caveats),
            held_out=held_out,
        )
        force_setattr(made, "fits", dict(fits))
        return made

    @cached_property
    def fits(self) -> dict[str, Fit]:
        """Fits by name."""
        return {}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Scores by fit.

        Index: name, best first. ``elpd`` (PSIS-LOO of the loss), ``se``, ``elpd_diff`` and ``dse``
        (against the best), ``p`` (effective parameters), ``pareto_k_high`` (runs whose Pareto k
        makes elpd unreliable), ``weight_loo`` (stacking), ``r_hat`` (the worst) and
        ``divergences`` of the fit; with held-out runs also ``log_score``, ``crps``,
        ``coverage_90`` and ``bias`` of the runs of largest compute, families of equal weight, and
        ``weight_held_out`` (stacking on them).
        """
        table = to_table(self.laws, ComparedFit).set_index("name")
        return table if self.held_out else table.drop(columns=[*_HELD_OUT])

    def average(self, by: Literal["held_out", "loo"] = "held_out") -> ModelAverage:
        """Return the fits averaged by their stacking weights.

        Parameters
        ----------
        by : {"held_out", "loo"}
            Which weights: those that forecast larger runs best, or those that fit best.

        Raises
        ------
        FitError
            If there are no such weights, or the comparison was read from a file.
        """
        column = f"weight_{by}"
        if column not in self.table:
            have = [name for name in self.table if str(name).startswith("weight_")]
            raise FitError(
                f"by is {shown(by)}, and there is no weight of that kind; this comparison has "
                f"{', '.join(map(str, have))}; average().predict(...) takes the configurations"
            )
        if not self.fits:
            raise FitError(
                "fits is empty in a comparison from a file; give fits and weights to "
                "bayes_scaling.forecast.ModelAverage"
            )
        return ModelAverage(self.fits, {str(k): float(v) for k, v in self.table[column].items()})

    def __str__(self) -> str:
        table = self.table.to_string(float_format="{:.3g}".format)
        return "\n".join([table, *texts(self.caveats)])
