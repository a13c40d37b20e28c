"""Bayesian neural scaling laws: fit small runs, forecast large ones, decide under risk.

Public names are imported when first used, so importing the package costs little.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
