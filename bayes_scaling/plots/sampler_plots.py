"""Figures of the sampler, by ArviZ: chains that should agree, energies that should match."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_energy", "plot_ranks", "plot_trace"]


def plot_ranks(
    fit: Fit, parameters: Sequence[str] | None = None, *, families: Sequence[str] | None = None
) -> "Figure":
    """Plot rank ECDF differences of each chain, flat where chains agree (Vehtari et al. 2021).

    Parameters
    ----------
    fit : Fit
        The fit.
    parameters : sequence of str, optional
        Names of parameters; those of the law by default.
    families : sequence of str, optional
        Families to show; all by default.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If a parameter or family is unknown.

    Examples
    --------
    >>> figure = bs.plots.plot_ranks(bs.load_fit("fit.nc"), ["floor"], families=["web"])
    >>> len(figure.axes) > 0
    True
    """
    import arviz_plots as azp

    tree = _tree(fit, parameters, families)
    shown = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
    figure = _arviz(azp.plot_rank, tree, col_wrap=3)
    panels = sum(math.prod(variable.shape[2:]) for variable in shown.data_vars.values())
    figure.set_size_inches(6.4, 1.7 * -(-panels // 3))
    return figure


def plot_trace(
    fit: Fit, parameters: Sequence[str] | None = None, *, families: Sequence[str] | None = None
) -> "Figure":
    """Plot density and trace of each chain.

    Parameters
    ----------
    fit, parameters, families
        As :func:`plot_ranks`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If a parameter or family is unknown.

    Examples
    --------
    >>> figure = bs.plots.plot_trace(bs.load_fit("fit.nc"), ["floor"], families=["web"])
    >>> len(figure.axes) > 0
    True
    """
    import arviz_plots as azp

    return _arviz(azp.plot_trace_dist, _tree(fit, parameters, families), compact=False)


def plot_energy(fit: Fit) -> "Figure":
    """Plot marginal energies against energy transitions (Betancourt 2016).

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> len(bs.plots.plot_energy(bs.load_fit("fit.nc")).axes) > 0
    True
    """
    import arviz_plots as azp

    figure = _arviz(azp.plot_energy, fit.dt)
    figure.set_size_inches(6.4, 3.0)
    return figure


def _tree(
    fit: Fit, parameters: Sequence[str] | None, families: Sequence[str] | None
) -> xr.DataTree:
    names = list(fit.law.names if parameters is None else parameters)
    chosen = list(fit.families if families is None else families)
    posterior = fit.posterior
    unknown = [name for name in names if name not in posterior]
    unknown += [name for name in chosen if name not in fit.families]
    if unknown:
        raise DataError(
            f"the fit has no parameter or family {unknown[0]!r}; it has "
            f"{', '.join(map(str, posterior.data_vars))} and {', '.join(map(repr, fit.families))}"
        )
    shown = posterior[names].sel(family=chosen)
    if len(fit.families) == 1:
        shown = shown.squeeze("family", drop=True)
    else:
        # ArviZ writes these names into titles, where matplotlib would read dollars as mathematics.
        shown = shown.assign_coords(family=[style.label(name, 10**6) for name in chosen])
    return xr.DataTree.from_dict({"posterior": shown, "sample_stats": fit.dt["sample_stats"]})


def _arviz(plot: Any, tree: xr.DataTree, **settings: Any) -> "Figure":
    """The figure of an ArviZ plot, taken back from pyplot."""
    from matplotlib import pyplot as plt

    collection = plot(tree, backend="matplotlib", **settings)
    figure: Figure = collection.viz["figure"].item()
    figure.set_layout_engine("constrained")
    for line in (line for axes in figure.axes for line in axes.lines):
        line.set_rasterized(style.many(4 * np.size(line.get_xdata())))
    # ArviZ makes figures by pyplot, which would keep, and show, them all.
    plt.close(figure)
    return figure
