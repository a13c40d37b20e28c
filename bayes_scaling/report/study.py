"""What every section of a report looks at: the fit, its diagnosis, the plans."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import pandas as pd

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.decisions import Plan
from bayes_scaling.forecast.extrapolation import Reach, extent_of, reach_of
from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.diagnosis import Diagnosis, ParameterCheck
from bayes_scaling.model import Extent
from bayes_scaling.plots.number_format import count, joined
from bayes_scaling.runs.loss_units import plausible

__all__ = ["FAILED", "Located", "Place", "Study", "place_of"]

_OFF_RATIO = 1.25
_NAMED = 2
FAILED = Caveat(code="failed-fit", severity="error", text="from a fit that failed its checks")
"""What stands beside every number of a fit that failed."""


class Located(Protocol):
    """A configuration of a family."""

    @property
    def family(self) -> str:
        """Name of the family."""
        ...

    @property
    def params(self) -> float:
        """Model size N."""
        ...

    @property
    def tokens(self) -> float:
        """Training tokens D."""
        ...

    @property
    def flops(self) -> float:
        """Training compute, FLOP."""
        ...


@dataclass(frozen=True)
class Place:
    """A configuration of a family."""

    family: str
    params: float
    tokens: float
    flops: float


@dataclass(frozen=True, eq=False)
class Study:
    """A fit under report.

    Attributes
    ----------
    fit : Fit
        The fit.
    diagnosis : Diagnosis
        Its diagnosis.
    plans : tuple of Plan
        Plans made from it.
    seed : int
        Seed of forecasts.
    """

    fit: Fit
    diagnosis: Diagnosis
    plans: tuple[Plan, ...]
    seed: int

    @property
    def loss_unit(self) -> str:
        """Unit of the losses."""
        return self.fit.loss_unit()

    @property
    def failed(self) -> bool:
        """Whether a check says that the numbers should not be used."""
        return self.diagnosis.status == "fail"

    @cached_property
    def _checks(self) -> dict[str, ParameterCheck]:
        return {row.parameter: row for row in self.diagnosis.parameter_checks}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The fitted runs."""
        return self.fit.runs

    def of_family(self, family: str) -> pd.DataFrame:
        """Return the fitted runs of a family; all of them if it was not fitted."""
        if family not in self.fit.families:
            return self.runs
        return self.runs[self.runs["family"] == family]

    def check_of(self, name: str, family: str | None) -> ParameterCheck | None:
        """Return the check of one parameter; None where there is none."""
        return self._checks.get(name if family is None else f"{name}[{family}]")

    def led_by_prior(self, family: str) -> list[str]:
        """Return the parameters of the law, in a family, that the prior decides in part."""
        seen = family in self.fit.families
        rows = {
            name: self.check_of(name, family) if seen else self.check_of(f"{name}_population", None)
            for name in self.fit.default_law.names
        }
        return [name for name, row in rows.items() if row is not None and row.source != "data"]

    def reach(self, point: Located) -> Reach:
        """Return how far a configuration lies outside the runs of its family."""
        if point.family not in self._extents:
            self._extents[point.family] = extent_of(self.fit, point.family)
        sizes = {"params": point.params, "tokens": point.tokens, "flops": point.flops}
        return reach_of(self._extents[point.family], sizes)

    @cached_property
    def _extents(self) -> dict[str, Extent]:
        return {}

    def tags(self, point: Located, median: float, ratio: float | None = None) -> list[Caveat]:
        """Return what must stand beside a forecast, in a few words each."""
        family, reach = point.family, self.reach(point)
        tags = [FAILED] if self.failed else []
        if family not in self.fit.families:
            tags.append(_tag("unseen-family", "family not in the fit"))
        if reach.outside:
            code = "extrapolation" if reach.is_above else "extrapolation-below"
            tags.append(_tag(code, reach.tag))
        if median > plausible(self.fit.loss_unit(family))[1]:
            tags.append(_tag("loss-above-guessing", "worse than guessing"))
        led = self.led_by_prior(family)
        if led:
            named = joined(led) if len(led) <= _NAMED else f"{len(led)} parameters"
            tags.append(_tag("prior-led", f"leans on the prior of {named}"))
        runs = self.of_family(family)
        ratios = runs["tokens"] / runs["params"]
        low, high = float(ratios.min()), float(ratios.max())
        if ratio is not None and not low / _OFF_RATIO <= ratio <= high * _OFF_RATIO:
            text = f"{count(ratio)} tokens per parameter; runs had {count(low)} to {count(high)}"
            tags.append(_tag("ratio-outside-runs", text))
        return tags


def _tag(code: str, text: str) -> Caveat:
    return Caveat(code=code, severity="warning", text=text)


def place_of(plan: Plan) -> Place:
    """Return where a plan lies."""
    params, tokens = plan.recommended.params, plan.recommended.tokens
    return Place(plan.family, params, tokens, 6.0 * params * tokens)
