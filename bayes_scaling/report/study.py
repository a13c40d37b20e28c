"""What every section of a report looks at: the fit, its diagnosis, the plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from bayes_scaling.forecast.extrapolation import Reach, extent_of, reach_of
from bayes_scaling.inference import Fit
from bayes_scaling.model import Extent
from bayes_scaling.plots.number_format import count, joined
from bayes_scaling.runs.loss_units import plausible

__all__ = ["Study", "placed"]

_OFF_RATIO = 1.25
_NAMED = 2


@dataclass(frozen=True, eq=False)
class Study:
    """A fit under report.

    Attributes
    ----------
    fit : Fit
        The fit.
    diagnosis : dict
        ``fit.diagnose().to_dict()``.
    plans : tuple of dict
        Plans of this fit, as plain values.
    seed : int
        Seed of forecasts.
    """

    fit: Fit
    diagnosis: dict[str, Any]
    plans: tuple[dict[str, Any], ...]
    seed: int

    @property
    def loss_unit(self) -> str:
        """Unit of the losses."""
        return self.fit.loss_unit()

    @property
    def failed(self) -> bool:
        """Whether a check says that the numbers should not be used."""
        return bool(self.diagnosis["status"] == "fail")

    @cached_property
    def by_parameter(self) -> dict[str, dict[str, Any]]:
        """Rows of the diagnosis by ``name[family]`` or ``name``."""
        return {row["parameter"]: row for row in self.diagnosis["parameters"]}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The fitted runs."""
        return self.fit.runs

    def of_family(self, family: str) -> pd.DataFrame:
        """The fitted runs of a family; all of them if it was not fitted."""
        if family not in self.fit.families:
            return self.runs
        return self.runs[self.runs["family"] == family]

    def checked(self, name: str, family: str | None) -> dict[str, Any]:
        """The diagnosis of one parameter, empty where there is none."""
        return self.by_parameter.get(name if family is None else f"{name}[{family}]", {})

    def led_by_prior(self, family: str) -> list[str]:
        """Parameters of the law, in a family, on which the prior has a say."""
        seen = family in self.fit.families
        led = []
        for name in self.fit.law.names:
            row = self.checked(name, family) if seen else self.checked(f"{name}_population", None)
            if row.get("source", "data") != "data":
                led.append(name)
        return led

    def reach(self, point: Mapping[str, Any]) -> Reach:
        """How far a point with family, params, tokens and flops lies outside the runs."""
        family = str(point["family"])
        if family not in self._extents:
            self._extents[family] = extent_of(self.fit, family)
        return reach_of(self._extents[family], point)

    @cached_property
    def _extents(self) -> dict[str, Extent]:
        return {}

    def tags(self, point: Mapping[str, Any], ratio: float | None = None) -> list[str]:
        """What must stand beside a forecast number, in a few words each.

        Parameters
        ----------
        point : mapping
            family, params, tokens and flops of the forecast, and its median loss ``q50``.
        ratio : float, optional
            Tokens per parameter of the forecast.
        """
        tags = ["from a fit that failed its checks"] if self.failed else []
        family, reach = str(point["family"]), self.reach(point)
        if family not in self.fit.families:
            tags.append("family not in the fit")
        if reach.outside:
            tags.append(reach.tag)
        if point["q50"] > plausible(self.fit.loss_unit(family))[1]:
            tags.append("worse than guessing")
        led = self.led_by_prior(family)
        if led:
            named = joined(led) if len(led) <= _NAMED else f"{len(led)} parameters"
            tags.append(f"leans on the prior of {named}")
        runs = self.of_family(family)
        ratios = runs["tokens"] / runs["params"]
        low, high = float(ratios.min()), float(ratios.max())
        if ratio is not None and not low / _OFF_RATIO <= ratio <= high * _OFF_RATIO:
            tags.append(
                f"{count(ratio)} tokens per parameter; runs had {count(low)} to {count(high)}"
            )
        return tags


def placed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Where a plan lies, and its median loss."""
    params, tokens = (float(plan["recommended"][name]) for name in ("params", "tokens"))
    return {
        "family": plan["family"],
        "params": params,
        "tokens": tokens,
        "flops": 6.0 * params * tokens,
        "q50": plan["loss"]["q50"],
    }
