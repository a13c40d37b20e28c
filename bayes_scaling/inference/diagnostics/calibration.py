"""Ranks of true values among posterior draws: the result of simulation-based calibration."""

from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
import xarray as xr
from msgspec.structs import force_setattr

from bayes_scaling.core.record_tables import to_table
from bayes_scaling.core.records import Record, about
from bayes_scaling.core.result import Result

__all__ = ["Calibration", "RankTest"]

_SUSPECT = 0.01


class RankTest(Record, frozen=True, kw_only=True):
    """Test of uniformity of the ranks of one quantity."""

    quantity: Annotated[str, about("Parameter and family.")]
    p: Annotated[float, about("p-value of uniform ranks.", "probability", ge=0, le=1)]
    mean: Annotated[float, about("Mean rank; a half is calibrated.", "probability", ge=0, le=1)]
    spread: Annotated[float, about("Standard deviation over that of a uniform.", "ratio")]


class Calibration(Result, frozen=True, kw_only=True, dict=True, tag="bayes_scaling.sbc/2"):
    """Ranks of true values among posterior draws, as `sbc` writes them."""

    kind: Annotated[Literal["prior", "posterior"], about("What true values were drawn from.")]
    replications: Annotated[int, about("Simulated and fitted tables of runs.", ge=1)]
    not_converged: Annotated[
        int, about("Of them, those with an R-hat above 1.03 or divergences.", ge=0)
    ]
    p: Annotated[
        float, about("Least p-value, times the number of quantities.", "probability", ge=0, le=1)
    ]
    verdict: Annotated[str, about("One sentence.")]
    quantities: Annotated[tuple[RankTest, ...], about("One row a quantity.")]
    ranks: Annotated[
        dict[str, tuple[Annotated[float, about("Rank.", ge=0, le=1)], ...]],
        about("By quantity, the fraction of posterior draws below each true value.", "probability"),
    ]

    @classmethod
    def of(
        cls, ranks: xr.Dataset, kind: Literal["prior", "posterior"], not_converged: int = 0
    ) -> Self:
        """Test ranks for uniformity.

        Parameters
        ----------
        ranks : xarray.Dataset
            By parameter, the fraction of posterior draws below the true value, dims (sample) or
            (sample, family).
        kind : {"prior", "posterior"}
            What true values were drawn from.
        not_converged : int
            Replications whose chains did not converge.
        """
        by_label = _by_label(ranks)
        tests = tuple(_test(label, values) for label, values in by_label.items())
        worst = min(tests, key=lambda test: test.p)
        p, replications = min(1.0, worst.p * len(tests)), int(ranks.sizes["sample"])
        made = cls(
            kind=kind,
            replications=replications,
            not_converged=not_converged,
            p=p,
            verdict=_verdict(worst, p, len(tests), replications, not_converged),
            quantities=tests,
            ranks={label: tuple(values.values.tolist()) for label, values in by_label.items()},
        )
        force_setattr(made, "dt", xr.DataTree.from_dict({"prior_sbc": ranks}))
        return made

    @cached_property
    def dt(self) -> xr.DataTree:
        """Ranks by quantity, group ``prior_sbc``, as ``az.plot_ecdf_pit`` reads them."""
        ranks = xr.Dataset({label: ("sample", [*values]) for label, values in self.ranks.items()})
        return xr.DataTree.from_dict({"prior_sbc": ranks})

    def table(self) -> pd.DataFrame:
        """Return the test of uniformity of every quantity.

        Returns
        -------
        pandas.DataFrame
            Index: quantity. ``p`` (of uniform ranks, ``pot_c`` of arviz-stats), ``mean`` (a half;
            below it posteriors lie too high) and ``spread`` (sd of ranks over that of a uniform;
            above 1 posteriors are too narrow).
        """
        return to_table(self.quantities, RankTest).set_index("quantity")

    def __str__(self) -> str:
        table = self.table().sort_values("p").to_string(float_format="{:.3g}".format)
        return f"{table}\n{self.verdict}"


def _test(label: str, ranks: xr.DataArray) -> RankTest:
    # Its import gives arrays their accessor.
    import arviz_stats  # noqa: F401

    p, _, _ = ranks.azstats.uniformity_test(dim="sample")
    spread = float(ranks.std()) * np.sqrt(12.0)
    return RankTest(quantity=label, p=float(p), mean=float(ranks.mean()), spread=float(spread))


def _verdict(worst: RankTest, p: float, tests: int, replications: int, not_converged: int) -> str:
    text = (
        f"In {replications} simulated tables the true values rank as they should among posterior "
        f"draws (least p of {tests} quantities, corrected for their number: {p:.2g}, "
        f"{worst.quantity})."
    )
    if p < _SUSPECT:
        lies = "too narrow" if worst.spread > 1 else "too wide"
        text = (
            f"In {replications} simulated tables the true values of {worst.quantity} do not rank "
            f"as they should among posterior draws (p = {p:.2g} after correction): mean rank "
            f"{worst.mean:.2f} instead of 0.50, posteriors {lies} by a factor of "
            f"{worst.spread:.2f}. Do not trust intervals of this model."
        )
    return text + (f" {not_converged} of them did not converge." if not_converged else "")


def _by_label(ranks: xr.Dataset) -> dict[str, xr.DataArray]:
    found: dict[str, xr.DataArray] = {}
    for name, value in ranks.items():
        if "family" not in value.dims:
            found[str(name)] = value
            continue
        for family in value["family"].values:
            found[f"{name}[{family}]"] = value.sel(family=family, drop=True)
    return found
