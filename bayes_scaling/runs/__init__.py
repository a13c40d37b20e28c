"""The table of runs: columns, units, loading, quality flags and bundled data sets."""

from bayes_scaling.runs import datasets
from bayes_scaling.runs.columns import COLUMNS, Column
from bayes_scaling.runs.configs import Configs, load_configs
from bayes_scaling.runs.flags import ACCEPTABLE, CODES, Flag
from bayes_scaling.runs.input_columns import INPUTS, Input
from bayes_scaling.runs.load_runs_table import load_runs
from bayes_scaling.runs.separation import Identifiability, identifiability
from bayes_scaling.runs.table import Runs

__all__ = [
    "ACCEPTABLE",
    "CODES",
    "COLUMNS",
    "INPUTS",
    "Column",
    "Configs",
    "Flag",
    "Identifiability",
    "Input",
    "Runs",
    "datasets",
    "identifiability",
    "load_configs",
    "load_runs",
]
