"""Optimal stopping of a run by its curve: the expected utility of running on."""

from bayes_scaling.curves.stopping.monitor import judge, monitor
from bayes_scaling.curves.stopping.utility import Stakes, Utility
from bayes_scaling.curves.stopping.verdict import Verdict
from bayes_scaling.curves.stopping.watching import Watch, watch

__all__ = ["Stakes", "Utility", "Verdict", "Watch", "judge", "monitor", "watch"]
