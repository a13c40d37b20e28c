"""A parameter of a law, and its prior."""

import math
from dataclasses import dataclass

import numpy as np

from bayes_scaling.core.old_names import old_names
from bayes_scaling.errors import LawError

__all__ = ["Parameter", "Prior"]


@dataclass(frozen=True)
class Prior:
    """A log-normal prior for a positive parameter, and for how much families differ in it.

    Parameters
    ----------
    median : float
        Median over families, in the parameter's unit.
    sd : float
        Standard deviation of the log of the population median: 0.5 is "within a factor of 2.7
        either way, with 95% probability".
    spread : float
        Median of the between-family standard deviation of the log.

    Raises
    ------
    LawError
        If a number is not finite and positive.
    """

    median: float
    sd: float
    spread: float

    def __post_init__(self) -> None:
        for name in ("median", "sd", "spread"):
            stated = getattr(self, name)
            value = stated.item() if isinstance(stated, np.number) else stated
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value > 0):
                raise LawError(f"prior {name} is {stated!r}, a finite number above 0 is needed")
            object.__setattr__(self, name, value)


@old_names(loose="noncentred")
@dataclass(frozen=True)
class Parameter:
    """A positive parameter of a law.

    Parameters
    ----------
    name : str
        Its name in results.
    prior : Prior
        The default prior.
    unit : str
        Unit of the parameter.
    meaning : str
        What it is, in one clause.
    reason : str
        Why the prior is what it is.
    of_loss : bool
        Whether ``prior.median`` counts in units of the typical loss of the table (its geometric
        mean), so that the prior holds for every tokenizer.
    noncentred : bool
        Whether to sample it in the non-centred parametrisation, as a standardised deviation from
        the population: for parameters that the runs of one family hardly inform.
        :attr:`Law.coordinates` must leave it as it is.
    """

    name: str
    prior: Prior
    unit: str
    meaning: str
    reason: str
    of_loss: bool = False
    noncentred: bool = False

    def __post_init__(self) -> None:
        # A name is a variable of the posterior, and a group of a file ends at a slash.
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise LawError(
                f"a parameter is named {self.name!r}; letters, digits and underscores are needed, "
                "like 'alpha_N'"
            )
        if not isinstance(self.prior, Prior):
            raise LawError(
                f"the prior of parameter {self.name!r} is {self.prior!r}; write "
                "Prior(median, sd, spread)"
            )
