"""Training curves from the logs that training leaves behind."""

from bayes_scaling.curves.importers.import_curves import load_curves
from bayes_scaling.curves.importers.import_options import FORMATS

__all__ = ["FORMATS", "load_curves"]
