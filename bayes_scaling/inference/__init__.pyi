from .fit_result import Fit, load_fit
from .fitting import Procedure, build_model, fit

__all__ = ["Fit", "Procedure", "build_model", "fit", "load_fit"]
