"""Figures of the sampler: chains that should agree, energies that should match."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.inference import Fit
from bayes_scaling.inference.convergence import energy_fraction
from bayes_scaling.inference.diagnostics.checks import BFMI_MIN, energies
from bayes_scaling.plots import style
from bayes_scaling.plots.chain_agreement import chain_ranks, smoothed
from bayes_scaling.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_energy", "plot_ranks", "plot_trace"]

Floats = NDArray[np.float64]

_COLUMNS = 3
_LEVEL = 0.01
"""Level of the test that chains agree."""


@style.styled
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
    tree = _tree(fit, parameters, families)
    shown = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
    drawn = [panel for name in shown.data_vars for panel in _by_family(shown[name])]
    figure, panels = style.panels(len(drawn), columns=_COLUMNS, height=1.7)
    found = [chain_ranks(values, _LEVEL) for _, values in drawn]
    least = 1.3 * np.sqrt(np.log(2.0 / _LEVEL) / (2.0 * shown.sizes["draw"]))
    height = max(least, *(float(np.abs(ranks.excess).max()) for ranks in found))
    for (title, _), ranks, axes in zip(drawn, found, panels, strict=True):
        for chain, excess in enumerate(ranks.excess):
            colour = style.CYCLE[chain % len(style.CYCLE)]
            axes.plot(ranks.at, excess, color=colour, lw=1.0)
            marked = ranks.suspicious[chain]
            if marked.any():
                axes.plot(ranks.at[marked], excess[marked], ".", color="black", ms=3)
        axes.set(title=title, xlabel="Fractional ranks", ylim=(-height, height))
        axes.set_yticks([])
        words = f"p={ranks.p_value:.2f}(α={_LEVEL:.2f})"
        axes.annotate(
            words, (0.0, 0.6 * height), xytext=(0, 0), textcoords="offset points", fontsize=8,
            color="black",
        )  # fmt: skip
    return figure


def _by_family(values: xr.DataArray) -> list[tuple[str, Floats]]:
    """Draws of a parameter with a title: for each family where there are several."""
    name = str(values.name)
    if "family" not in values.dims:
        return [(name, values.to_numpy())]
    return [
        (f"{name}\n{family}", values.sel(family=family).to_numpy())
        for family in values["family"].to_numpy()
    ]


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


@style.styled
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
    parts = energies(fit.dt)
    figure = style.new_figure(6.4, 3.0)
    left, right = figure.subplots(1, 2, width_ratios=[1, 3])
    fractions = np.min([energy_fraction(energy) for energy in parts], axis=0)
    left.plot(fractions, np.arange(len(fractions)), "o", color=COLOURS["limit"], ms=4.5)
    left.axvline(BFMI_MIN, color=COLOURS["prior"], ls="--", lw=1.2)
    left.set(title="BFMI", ylabel="chain")
    left.set_yticks(np.arange(len(fractions)))
    shown = {
        "marginal": np.concatenate([(energy - energy.mean()).ravel() for energy in parts]),
        "transition": np.concatenate([np.diff(energy).ravel() for energy in parts]),
    }
    for (name, values), colour in zip(shown.items(), style.CYCLE, strict=False):
        at, density = smoothed(values)
        right.fill_between(at, 0.0 * density, density, color=colour, alpha=0.3, lw=0)
        right.plot(at, density, color=colour, lw=1.5, label=name)
    right.set(title="Energy", ylim=(0, None))
    right.set_yticks([])
    right.legend()
    return figure


def _tree(
    fit: Fit, parameters: Sequence[str] | None, families: Sequence[str] | None
) -> xr.DataTree:
    names = list(fit.default_law.names if parameters is None else parameters)
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
