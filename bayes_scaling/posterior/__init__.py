"""What a fit says about new runs of a family: the one home of the posterior predictive."""

from bayes_scaling.posterior.counting import Counting
from bayes_scaling.posterior.family_posterior import (
    FamilyPosterior,
    family_posterior,
    log_inputs,
    runs_of,
)

__all__ = ["Counting", "FamilyPosterior", "family_posterior", "log_inputs", "runs_of"]
