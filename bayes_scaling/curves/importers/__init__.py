"""Training curves from the logs that training leaves behind."""

from bayes_scaling.curves.importers.loading import FORMATS, load_curves

__all__ = ["FORMATS", "load_curves"]
