"""Training curves from the logs that training leaves behind."""

from bayes_scaling.curves.importers.import_curves import FORMATS, load_curves

__all__ = ["FORMATS", "load_curves"]
