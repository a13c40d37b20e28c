"""The posterior of one family: its curve, new runs of it, and their density."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.arguments import check_seed
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.inference import Fit
from bayes_scaling.laws import Law
from bayes_scaling.laws.law_inputs import inputs_at
from bayes_scaling.model import Extent, ReferenceFrame, Spec, hierarchy, typical
from bayes_scaling.model.run_noise import bounded, log_density
from bayes_scaling.posterior.counting import Counting, counting_of
from bayes_scaling.posterior.discrepancy_draws import SIZES, FamilyDiscrepancy, family_discrepancy
from bayes_scaling.posterior.run_numbers import RunNumbers

__all__ = ["FamilyPosterior", "family_posterior", "log_inputs", "runs_of"]

Floats = NDArray[np.float64]
Inputs = Mapping[str, Floats]
"""Natural logs of inputs by name, dims (..., 1) or (..., sample); params, tokens and flops too."""

_FEW = 1000


@dataclass(frozen=True)
class FamilyPosterior:
    """The posterior of one family, fitted or not; draws have the dims (sample,).

    Attributes
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and its reference point.
    family : str
        Name of the family.
    values : mapping of str to (sample,) array
        Parameters of the law at the reference point.
    sigma : (sample,) array
        Scale of the noise, log loss.
    nu : (sample,) array or None
        Degrees of freedom of the noise; None where it is normal.
    discrepancy : FamilyDiscrepancy or None
        Discrepancy of the law beyond the data.
    numbers : RunNumbers
        Random numbers of new runs.
    typical : mapping of str to float
        Typical values of the inputs that are no sizes: ``levels`` of
        :func:`bayes_scaling.laws.law_inputs.inputs_at`.
    counting : Counting
        How the family's runs count the parameters of a shape.
    centres : mapping of str to float
        Middles of the family's runs that the curve of the law reads, over the reference point; of a
        family that was not fitted there are none.
    """

    spec: Spec
    frame: ReferenceFrame
    family: str
    values: Mapping[str, Floats]
    sigma: Floats
    nu: Floats | None
    discrepancy: FamilyDiscrepancy | None
    numbers: RunNumbers
    typical: Mapping[str, float]
    counting: Counting
    centres: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of draws."""
        return self.sigma.size

    def at(
        self,
        log_params: Floats | float,
        log_tokens: Floats | float,
        log_unique: Floats | float | None = None,
        log_aspect: Floats | float | None = None,
    ) -> dict[str, Floats]:
        """Return inputs at N parameters trained on D tokens, C = 6·N·D, others where typical.

        Parameters
        ----------
        log_params, log_tokens : (..., 1 or sample) array or float
            Natural logs of N and D.
        log_unique : array or float, optional
            Natural log of the unique tokens; by default every token is fresh.
        log_aspect : array or float, optional
            Natural log of the aspect ratio, d_model / n_layer. By default the optimum of
            each draw, or else the typical shape.
        """
        x = inputs_at(self.spec.law, log_params, log_tokens, self.typical)
        if log_unique is not None:
            x["unique_tokens"] = log_unique
        if log_aspect is not None:
            n_layer, d_model = self.counting.shape(np.exp(log_params), np.exp(log_aspect))
            x |= {
                "aspect_ratio": log_aspect * np.ones_like(log_params),
                "n_layer": np.log(n_layer),
                "d_model": np.log(d_model),
            }
        return x

    def enlarged(self, x: Inputs, log_factor: float) -> dict[str, Floats]:
        """Return inputs at a multiple of the compute, N and D in the same proportion.

        Others grow with N and D as they do where they are not stated, so that repeats stay as
        often; those that are required, or have a best value, stay as they are.

        Parameters
        ----------
        x : mapping of str to array
            As for :meth:`curve`.
        log_factor : float
            Natural log of the multiple.
        """
        law, size, data = self.spec.law, x["params"], x["tokens"]
        levels = dict.fromkeys(law.inputs, 0.0)
        here = inputs_at(law, size, data, levels)
        there = inputs_at(law, size + 0.5 * log_factor, data + 0.5 * log_factor, levels)
        return {**x, **{name: x[name] + there[name] - here[name] for name in there if name in x}}

    def curve(self, x: Inputs) -> Floats:
        """Log of the expected loss, dims (..., sample).

        Inputs that have a best value take that of each draw where they are missing or NaN.
        """
        law = self.spec.law
        relative = {name: x[name] - self.frame.reference[name] for name in law.inputs if name in x}
        for name, best in law.best.items():
            if name not in relative:
                relative[name] = best(self.values)
            elif np.isnan(relative[name]).any():
                stated = relative[name]
                relative[name] = np.where(np.isnan(stated), best(self.values), stated)
        curve: Floats = law.log_curve(relative, {**self.values, **self.centres})
        return curve

    def deviation(self, x: Inputs, run: int | Sequence[int] = 0) -> Floats:
        """Noise and discrepancy of new runs, log loss, dims (..., sample).

        Parameters
        ----------
        x : mapping of str to array
            As for :meth:`curve`.
        run : int or sequence of int
            Which runs of the family they are: one for all points, or one for each.
        """
        noise = self.noise if run == 0 else _each(self._noise, run)
        return noise + self._errors(x, run)

    def run(self, x: Inputs, run: int | Sequence[int] = 0) -> Floats:
        """Log loss of new runs, dims (..., sample); parameters as of :meth:`deviation`."""
        return self.curve(x) + self.deviation(x, run)

    def loss_run(
        self,
        log_params: ArrayLike,
        log_tokens: ArrayLike,
        log_unique: ArrayLike,
        log_aspect: ArrayLike | None = None,
    ) -> Floats:
        """Loss of the first new run at sizes as of :meth:`at`, dims (...) to (..., sample)."""
        size, data, unique = (
            np.asarray(value, dtype=np.float64)[..., None]
            for value in (log_params, log_tokens, log_unique)
        )
        aspect = None if log_aspect is None else np.asarray(log_aspect, np.float64)[..., None]
        losses: Floats = np.exp(self.run(self.at(size, data, unique, aspect)))
        return losses

    def log_density(
        self,
        x: Inputs,
        log_loss: Floats,
        relative_se: Floats | float = 0.0,
        run: int | Sequence[int] = 0,
    ) -> Floats:
        """Log density of the log loss of new runs in each draw, dims (..., sample).

        The discrepancy has no density of its own: each draw has one of its values.

        Parameters
        ----------
        x, run
            As of :meth:`deviation`.
        log_loss : (..., 1) array
            Observed losses, natural log.
        relative_se : (..., 1) array or float
            Known standard errors of the losses, divided by them.
        """
        scale = np.sqrt(self.sigma**2 + np.square(relative_se))
        error = log_loss - (self.curve(x) + self._errors(x, run))
        density: Floats = log_density(self.spec.noise, self.nu, error, scale)
        return density

    def moments(self, x: Inputs) -> tuple[Floats, Floats]:
        """Mean and sd of the log loss of a new run in each draw, dims (..., sample).

        Of what the runs of the family do not share: noise without its tails, and what the
        discrepancy has that is a run's own.
        """
        mean = self.curve(x)
        if self.discrepancy is None:
            return mean, self.sigma
        distance = self.discrepancy.distance(x)
        mean = mean + self.discrepancy.errors(distance, 0.0)
        return mean, np.hypot(self.sigma, self.discrepancy.own_sd(distance))

    @cached_property
    def noise(self) -> Floats:
        """Noise of the first run, log loss."""
        return self._noise(0)

    @cached_property
    def few(self) -> "FamilyPosterior":
        """About a thousand of the draws, where more decide nothing."""
        return self.thinned(max(self.size // _FEW, 1))

    def thinned(self, step: int) -> "FamilyPosterior":
        """Return every ``step``-th draw."""
        return replace(
            self,
            values={name: value[::step] for name, value in self.values.items()},
            sigma=self.sigma[::step],
            nu=None if self.nu is None else self.nu[::step],
            discrepancy=self.discrepancy and self.discrepancy.thinned(step),
            numbers=self.numbers.thinned(step),
        )

    @cached_property
    def own_error(self) -> Floats:
        """Part of the discrepancy that the first run has to itself, standard normal."""
        return self.numbers.discrepancy_of(0)

    def _noise(self, run: int) -> Floats:
        return bounded(self.sigma * self.numbers.noise_of(run))

    def _errors(self, x: Inputs, run: int | Sequence[int]) -> Floats | float:
        """Errors of the law in new runs, log loss."""
        if self.discrepancy is None:
            return 0.0
        own = self.own_error if run == 0 else _each(self.numbers.discrepancy_of, run)
        return self.discrepancy.errors(self.discrepancy.distance(x), own)


def _each(draw: Callable[[int], Floats], run: int | Sequence[int]) -> Floats:
    """Draws of one run, or of each of several, dims (run, sample)."""
    return draw(run) if isinstance(run, int) else np.stack([draw(number) for number in run])


_KEPT: "WeakKeyDictionary[Fit, dict[tuple[str, int], FamilyPosterior]]" = WeakKeyDictionary()
"""Posteriors that were made last: a report asks for those of a family a dozen times."""
_MOST_KEPT = 8


def family_posterior(fit: Fit, family: str, seed: int) -> FamilyPosterior:
    """Return the posterior of a family, fitted or drawn from the population.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        Name of the family.
    seed : int
        Random seed of new runs, and of a family that was not fitted.
    """
    check_seed(seed)
    kept = _KEPT.setdefault(fit, {})
    if (family, seed) not in kept:
        while len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        kept[family, seed] = _family_posterior(fit, family, seed)
    return kept[family, seed]


def _family_posterior(fit: Fit, family: str, seed: int) -> FamilyPosterior:
    spec, frame, posterior = fit.spec, fit.frame, fit.posterior
    if family in fit.families:
        by_name = hierarchy.family_values(spec, posterior, family)
    else:
        rng = generator(Stream.NEW_FAMILY, seed, family)
        by_name = hierarchy.new_family(spec, frame, posterior, rng)
    values = {
        name: value.transpose("chain", "draw").to_numpy().ravel() for name, value in by_name.items()
    }
    sigma = values[spec.noise_parameter.name]
    nu = posterior["nu"].to_numpy().ravel() if spec.noise == "student-t" else None
    rows = runs_of(fit, family)
    return FamilyPosterior(
        spec=spec,
        frame=frame,
        family=family,
        values={name: values[name] for name in spec.law.names},
        sigma=sigma,
        nu=nu,
        discrepancy=family_discrepancy(fit, family, sigma, Extent.of(rows), seed),
        numbers=RunNumbers(family, seed, sigma.size, spec.noise, nu),
        typical=typical(spec.law, fit.runs, family),
        counting=counting_of(rows),
        centres=_centres(spec, frame, family),
    )


def _centres(spec: Spec, frame: ReferenceFrame, family: str) -> dict[str, float]:
    if family not in spec.families:
        return {}
    place = spec.families.index(family)
    return {name: float(value[place]) for name, value in frame.centre_values(spec.law).items()}


def runs_of(fit: Fit, family: str) -> pd.DataFrame:
    """The fitted runs of a family; all of them if it was not fitted."""
    own = fit.runs_of(family)
    return own if len(own) else fit.runs


def log_inputs(law: Law, table: pd.DataFrame) -> dict[str, Floats]:
    """Natural logs of the inputs at the rows of a table, dims (row, 1)."""
    names = dict.fromkeys((*SIZES, *law.inputs))
    return {name: np.log(table[name].to_numpy(np.float64))[:, None] for name in names}
