"""Optimal stopping of a run by its curve: the expected utility of running on."""

from bayes_scaling.curves.stopping.monitor import Verdict, judge, monitor
from bayes_scaling.curves.stopping.utility import Stakes
from bayes_scaling.curves.stopping.watching import Watch, watch

__all__ = ["Stakes", "Verdict", "Watch", "judge", "monitor", "watch"]
