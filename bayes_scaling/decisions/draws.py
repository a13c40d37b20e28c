"""The posterior draws of one family, ready for search."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.decisions.counting import Counting, counting_of
from bayes_scaling.decisions.family import runs_of
from bayes_scaling.decisions.optimum import log_loss_at
from bayes_scaling.forecast.families import values_of
from bayes_scaling.forecast.model_error import ModelError, model_error
from bayes_scaling.forecast.run_draws import own_errors, run_noise
from bayes_scaling.inference import Fit
from bayes_scaling.model import ReferenceFrame, Spec, Typical, typical

__all__ = ["Draws", "draws_of"]

Floats = NDArray[np.float64]

_FEW = 1000


@dataclass(frozen=True)
class Draws:
    """One family's law, noise and error, dims (sample,).

    Attributes
    ----------
    spec : Spec
        The model.
    frame : ReferenceFrame
        Its reference point.
    family : str
        Whose draws.
    values : dict of str to (sample,) array
        Parameters of the law at the reference point.
    sigma : (sample,) array
        Scale of the noise, log loss.
    noise : (sample,) array
        Log-loss noise of one run: the same luck wherever it is made.
    usual : Typical
        Batch and shape, where the law reads them.
    error : ModelError or None
        Of the law beyond the data.
    own_error : (sample,) array
        What the error has that is a run's own, standard normal.
    counting : Counting
        How the family's runs count the parameters of a shape.
    """

    spec: Spec
    frame: ReferenceFrame
    family: str
    values: dict[str, Floats]
    sigma: Floats
    noise: Floats
    usual: Typical
    error: ModelError | None
    own_error: Floats
    counting: Counting

    def log_curve(
        self,
        log_params: Floats,
        log_tokens: Floats,
        log_unique: Floats | None = None,
        log_aspect: Floats | float | None = None,
    ) -> Floats:
        """Log of the expected loss, dims (..., sample) as the sizes.

        Without an aspect ratio, d_model / n_layer, shapes are what the law holds best in each draw,
        or else what is usual.
        """
        return log_loss_at(
            self.spec,
            self.frame,
            self.values,
            log_params,
            log_tokens,
            log_unique=log_unique,
            usual=self.usual,
            stated=None if log_aspect is None else self._shape(log_params, log_aspect),
        )

    def _shape(self, log_params: Floats, log_aspect: Floats | float) -> dict[str, Floats]:
        """Logs of what there is to say of a shape."""
        n_layer, d_model = self.counting.shape(np.exp(log_params), np.exp(log_aspect))
        return {
            "aspect_ratio": log_aspect * np.ones_like(log_params),
            "n_layer": np.log(n_layer),
            "d_model": np.log(d_model),
        }

    def loss_run(
        self,
        log_params: ArrayLike,
        log_tokens: ArrayLike,
        log_unique: ArrayLike,
        log_aspect: ArrayLike | None = None,
    ) -> Floats:
        """Loss of one run at each size.

        Parameters
        ----------
        log_params, log_tokens, log_unique : float or (...) array
            Natural logs of N, D and the unique tokens.
        log_aspect : float or (...) array, optional
            Log of each one's aspect ratio, as in :meth:`log_curve`.

        Returns
        -------
        (..., sample) array
        """
        size, data, unique = (
            np.asarray(value, dtype=np.float64)[..., None]
            for value in (log_params, log_tokens, log_unique)
        )
        aspect = None if log_aspect is None else np.asarray(log_aspect, np.float64)[..., None]
        losses: Floats = np.exp(
            self.log_curve(size, data, unique, aspect) + self.luck(log_params, log_tokens)
        )
        return losses

    def luck(self, log_params: ArrayLike, log_tokens: ArrayLike) -> Floats:
        """Noise of one run and error of the law, log loss, dims (..., sample)."""
        if self.error is None:
            return self.noise
        size, data = (
            np.asarray(value, dtype=np.float64)[..., None] for value in (log_params, log_tokens)
        )
        distance = self.error.extent.distance(size, data, math.log(6.0) + size + data)
        luck: Floats = self.noise + self.error.at_one(distance, self.own_error)
        return luck

    @cached_property
    def few(self) -> "Draws":
        """About a thousand of the draws, for searches along a flat risk."""
        return self.thinned(max(self.noise.size // _FEW, 1))

    def thinned(self, step: int) -> "Draws":
        """One in so many draws."""
        error = self.error
        if error is not None:
            flat = error.scale.stack(sample=("chain", "draw"))[::step].drop_vars(
                ["sample", "chain", "draw"]
            )
            scale = flat.expand_dims(chain=[0]).rename(sample="draw")
            error = replace(error, scale=scale, common=error.common.reshape(1, -1)[:, ::step])
        return replace(
            self,
            values={name: value[::step] for name, value in self.values.items()},
            sigma=self.sigma[::step],
            noise=self.noise[::step],
            error=error,
            own_error=self.own_error[::step],
        )


def draws_of(fit: Fit, family: str, seed: int) -> Draws:
    """The draws of a family, seen or not.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        Its name.
    seed : int
        Seed of run noise and of an unseen family: with that of a forecast, a plan has its draws.
    """
    spec = fit.spec
    draws = values_of(fit, family, seed)
    sigma = draws[spec.noise_parameter.name]
    noise = run_noise(fit, family, sigma, seed)
    return Draws(
        spec=spec,
        frame=fit.frame,
        family=family,
        values={name: draws[name].values.ravel() for name in spec.law.names},
        sigma=sigma.values.ravel(),
        noise=noise.values.ravel(),
        usual=typical(spec.law, fit.runs, family),
        error=model_error(fit, family, seed) if spec.discrepancy else None,
        own_error=own_errors(family, noise.shape[:2], seed).ravel(),
        counting=counting_of(runs_of(fit, family)),
    )
