"""Parameter counts from depth and width, as a table of runs counts them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.laws.depth_width import matrix_params, shape_of

__all__ = ["Counting", "counting_of"]

Floats = NDArray[np.float64]

_ROUNDS = 20


@dataclass(frozen=True)
class Counting:
    """N = ratio · 12·n_layer·d_model² + per_width · d_model.

    Matrices alone are counted as 12·n_layer·d_model² (Kaplan et al. 2020, Table 1). Where runs
    count embeddings as well, these grow with the width alone, by the tokens in the vocabulary.

    Attributes
    ----------
    ratio : float
        Weight of the parameters in matrices.
    per_width : float
        Parameters per unit of d_model.
    """

    ratio: float = 1.0
    per_width: float = 0.0

    def params(self, n_layer: Any, d_model: Any) -> Any:
        """Parameters of a shape."""
        return self.ratio * matrix_params(n_layer, d_model) + self.per_width * d_model

    def width(self, params: float, n_layer: float) -> float:
        """The d_model, not rounded, with which so many layers have so many parameters."""
        square = 12.0 * self.ratio * n_layer
        root = math.sqrt(self.per_width**2 + 4.0 * square * params)
        # Free of cancellation where embeddings are most of it.
        return 2.0 * params / (self.per_width + root)

    def shape(self, params: Any, aspect_ratio: Any) -> tuple[Floats, Floats]:
        """Depth and width, not rounded, of so many parameters at an aspect ratio."""
        _, d_model = shape_of(params / self.ratio, aspect_ratio)
        # N is a cubic of the width. Newton's steps come down to its root from the width that has
        # it all in matrices, which is too large.
        for _ in range(_ROUNDS if self.per_width else 0):
            cubic = 12.0 * self.ratio * d_model**2 / aspect_ratio
            excess = d_model * (cubic + self.per_width) - params
            d_model = d_model - excess / (3.0 * cubic + self.per_width)
        return d_model / aspect_ratio, d_model


def counting_of(rows: pd.DataFrame) -> Counting:
    """Estimate how runs count parameters: the simplest of two ways that fits them.

    Parameters
    ----------
    rows : pandas.DataFrame
        Runs with params, and n_layer and d_model where they are known.
    """
    if not {"n_layer", "d_model"} <= set(rows.columns):
        return Counting()
    matrices = matrix_params(rows["n_layer"], rows["d_model"])
    excess = (rows["params"] - matrices) / rows["d_model"]
    ratio = Counting(ratio=float(np.exp(np.log(rows["params"] / matrices).mean())))
    ways = [ratio]
    if float(excess.median()) > 0:
        ways.append(Counting(per_width=float(excess.median())))

    def off(way: Counting) -> float:
        counted = way.params(rows["n_layer"], rows["d_model"])
        return float((np.log(rows["params"] / counted) ** 2).sum())

    return min(ways, key=off)
