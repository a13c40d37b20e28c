"""What of a logged curve is not its trend: outliers, spikes, dips, level shifts, divergence."""

from bayes_scaling.curves.cleaning.anomalies import Cleaned, Excursion, cleaned
from bayes_scaling.curves.cleaning.finished_curves import finished_runs

__all__ = ["Cleaned", "Excursion", "cleaned", "finished_runs"]
