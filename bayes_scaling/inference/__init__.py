"""Sampling, the fit and its diagnostics.

Names are imported when first used: a command loads what it needs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
