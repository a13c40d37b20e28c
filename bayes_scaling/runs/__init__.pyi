from . import datasets
from .columns import COLUMNS, Column
from .configs import Configs, load_configs
from .flags import ACCEPTABLE, CODES, Flag
from .input_columns import INPUTS, Input
from .load_runs_table import load_runs
from .separation import Identifiability, identifiability
from .table import Runs

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
