"""The posterior predictive of new runs of a family, which everything downstream reads."""

from bayes_scaling.posterior.counting import Counting
from bayes_scaling.posterior.family_posterior import (
    FamilyPosterior,
    family_posterior,
    log_inputs,
    runs_of,
)

__all__ = ["Counting", "FamilyPosterior", "family_posterior", "log_inputs", "runs_of"]
