"""The result of fitting a law to a table of runs."""

import json
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from bayes_scaling.core.arguments import is_number, needs, shown
from bayes_scaling.core.caveat import Caveat, deprecated_texts, texts
from bayes_scaling.core.display import html_list, html_table
from bayes_scaling.core.files import path_of
from bayes_scaling.core.old_names import old_names
from bayes_scaling.core.progress import Seconds
from bayes_scaling.errors import FitError, LawError
from bayes_scaling.inference.storage import fit_file
from bayes_scaling.laws import Law, get
from bayes_scaling.model import ReferenceFrame, Spec
from bayes_scaling.model.spec_json import read_spec

if TYPE_CHECKING:
    from bayes_scaling.forecast.forecast_result import Forecast
    from bayes_scaling.inference.diagnostics.calibration import Calibration
    from bayes_scaling.inference.diagnostics.diagnosis import Diagnosis

__all__ = ["Fit", "check_fit", "load_fit"]


@old_names(given="own_law", law_as_given="default_law")
@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A posterior, with everything that made it.

    Attributes
    ----------
    dt : xarray.DataTree
        ArviZ groups; parameters have dims (chain, draw, family), losses (chain, draw, run).
    own_law : Law or None
        The law that was fitted, where it is not registered under its name.
    """

    dt: xr.DataTree
    own_law: Law | None = None

    @cached_property
    def _stated(self) -> tuple[Spec, ReferenceFrame]:
        return read_spec(self.dt.attrs["spec"], self.own_law)

    @property
    def spec(self) -> Spec:
        """The model: law, priors, pooling, noise."""
        return self._stated[0]

    @property
    def frame(self) -> ReferenceFrame:
        """Reference point and typical loss of the runs, in which parameters are stated."""
        return self._stated[1]

    @property
    def law(self) -> Law:
        """The law, with the priors that were in force."""
        return self.spec.law

    @property
    def default_law(self) -> Law:
        """The law with its default priors, before any that were learned or replaced."""
        return self.own_law or get(self.law.name)

    @property
    def families(self) -> tuple[str, ...]:
        """The fitted families."""
        return self.spec.families

    @property
    def count(self) -> str:
        """Which parameters N counts: "params" (all) or "params_nonemb" (without embeddings)."""
        return str(self.dt.attrs["count"])

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the parameters at the reference point."""
        return self.dt["posterior"].to_dataset()

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveats of the data and the design."""
        return tuple(map(Caveat.from_dict, json.loads(self.dt.attrs["caveats"])))

    warnings = deprecated_texts("warnings")

    @property
    def seconds(self) -> tuple[Seconds, ...]:
        """Wall-clock time of the stages of the fit; none for a file of an earlier version."""
        return tuple(map(Seconds.from_dict, json.loads(self.dt.attrs.get("seconds", "[]"))))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The fitted runs: params, tokens, flops, family, run, loss and its unit."""
        constants = self.dt["constant_data"].to_dataset()
        by_run = [str(name) for name, value in constants.items() if value.dims == ("run",)]
        table = constants[by_run].to_dataframe()[by_run]
        table["loss"] = self.dt["observed_data"]["loss"].to_numpy()
        return table.reset_index()

    @cached_property
    def _runs_by_family(self) -> dict[str, pd.DataFrame]:
        return {str(name): rows for name, rows in self.runs.groupby("family", sort=False)}

    def runs_of(self, family: str) -> pd.DataFrame:
        """Return the fitted runs of a family, as rows of :attr:`runs`.

        Parameters
        ----------
        family : str
            Of one that was not fitted there are none.
        """
        return self._runs_by_family.get(family, self.runs.iloc[:0])

    def loss_unit(self, family: str | None = None) -> str:
        """Unit of the losses of a family, or of all: "mixed" where families differ.

        Parameters
        ----------
        family : str, optional
            One that was not fitted has the unit of all.
        """
        everywhere = str(self.dt.attrs["loss_unit"])
        if everywhere != "mixed" or family not in self.families or "loss_unit" not in self.runs:
            return everywhere
        return str(self.runs_of(family)["loss_unit"].iloc[0])

    @cached_property
    def targets(self) -> pd.DataFrame:
        """Runs marked ``role = target``: not fitted, kept to judge forecasts."""
        table: pd.DataFrame = self.dt["held_out"].to_dataset().to_dataframe()
        return table.reset_index(drop=True)

    def summary(self, ci_prob: float = 0.9) -> pd.DataFrame:
        """Summarise the posterior of every parameter, with its diagnostics.

        Parameters
        ----------
        ci_prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        pandas.DataFrame
            One row a parameter: mean, sd, median, interval, ess_bulk, ess_tail, r_hat,
            ``contraction`` (1 - posterior over prior variance of its log), ``source`` ("data", or
            "mostly prior" where that is below 0.5) and ``status`` ("ok", or what is wrong).

        Raises
        ------
        FitError
            If the probability is not between 0 and 1.
        """
        from bayes_scaling.inference.diagnostics.parameter_table import parameter_table

        if not (is_number(ci_prob) and 0 < ci_prob < 1):
            raise FitError(f"ci_prob is {shown(ci_prob)}, a number between 0 and 1 is needed")
        return parameter_table(self.dt, ci_prob)

    def correlations(self) -> pd.DataFrame:
        """Compute posterior correlations of the law's parameters, the strongest first.

        Returns
        -------
        pandas.DataFrame
            Columns family, first, second, correlation (of the logs of the two parameters).
        """
        from bayes_scaling.inference.diagnostics.information import correlations

        return correlations(self.dt, self.default_law.names)

    def prior_contribution(self) -> pd.DataFrame:
        """Compute what a learned prior contributes to each parameter of the law.

        Returns
        -------
        pandas.DataFrame
            See :func:`bayes_scaling.inference.diagnostics.prior_contribution.contribution`: prior,
            the estimate under weak priors, and posterior.
        """
        from bayes_scaling.inference.diagnostics.prior_contribution import contribution, weak_fits

        return contribution(self, weak_fits(self))

    def diagnose(self) -> "Diagnosis":
        """Diagnose convergence, fit and prior sensitivity, with a verdict and remedies."""
        from bayes_scaling.inference.diagnostics.diagnosis import diagnose

        return diagnose(self)

    def calibrate(self, **options: Any) -> "Calibration":
        """Check the calibration of parameter intervals on simulated runs.

        See :func:`bayes_scaling.inference.diagnostics.sbc.posterior_sbc`.
        """
        from bayes_scaling.inference.diagnostics.sbc import posterior_sbc

        return posterior_sbc(self, **options)

    def predict(self, configs: Any = None, **where: Any) -> "Forecast":
        """Forecast losses; see :func:`bayes_scaling.forecast.predict`."""
        from bayes_scaling.forecast.prediction import predict

        return predict(self, configs, **where)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the fit as NetCDF, whole or not at all.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        return fit_file.save(self.dt, path)

    def __repr__(self) -> str:
        sizes = self.dt["posterior"].sizes
        return (
            f"<Fit of {self.law.name!r} to {len(self.runs)} runs, {len(self.families)} "
            f"families, N = {self.count}: {sizes['chain']} chains of {sizes['draw']} draws>"
        )

    def _repr_html_(self) -> str:
        import html

        head = html.escape(repr(self))
        return f"<p>{head}</p>{html_table(self.summary())}{html_list(texts(self.caveats))}"


def check_fit(fit: object) -> None:
    """Refuse what is not a fit."""
    wanted = 'a Fit is needed, from bayes_scaling.fit(...) or bayes_scaling.load_fit("fit.nc")'
    needs(fit, Fit, "fit", wanted, FitError)


def load_fit(path: str | PathLike[str], law: Law | None = None) -> Fit:
    """Load a fit from a file that :meth:`Fit.save` wrote.

    Parameters
    ----------
    path : path
        The file.
    law : Law, optional
        The law that was fitted, which is checked against the file; by default the registered law
        of its name.

    Raises
    ------
    FileError
        If the file cannot be read, is truncated, or is not a fit, or is of a law that is not
        registered or has other expressions here.
    LawError
        If the law given is not a Law.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> fit.families
    ('web', 'code')
    """
    if law is not None:
        needs(law, Law, "law", "a bayes_scaling.laws.Law is needed", LawError)
    return Fit(fit_file.load(path_of(path, "read"), law), law)
