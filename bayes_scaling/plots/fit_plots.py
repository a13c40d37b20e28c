"""Figures of a fit: exponents against their priors, residuals, calibration."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.residuals import replicates
from bayes_scaling.plots import style
from bayes_scaling.plots.number_format import axis_power, plain_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_exponents", "plot_predictive", "plot_prior_predictive", "plot_residuals"]

COLOURS = style.COLOURS
_SHOWN = ("alpha_N", "alpha_D", "alpha_C", "floor")


@style.styled
def plot_exponents(fit: Fit) -> "Figure":
    """Plot a forest of exponents and floor by family: posterior over prior, 50% and 90% intervals.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each of alpha_N, alpha_D, alpha_C and floor that the law has.

    Examples
    --------
    >>> figure = bs.plots.plot_exponents(bs.load_fit("fit.nc"))
    >>> len(figure.axes) > 1
    True
    """
    posterior, prior = fit.posterior, fit.dt["prior"].to_dataset()
    names = [name for name in _SHOWN if name in posterior]
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    lines = len(fit.families) + (f"{names[0]}_population" in posterior)
    height = rows * (0.75 + 0.28 * lines)
    figure = style.new_figure(5.4, height + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    for name, axes in zip(names, grid, strict=False):
        _forest(axes, name, posterior, prior, fit.families)
        unit = fit.loss_unit() if name == "floor" else "exponent"
        axes.set_title(f"{name} ({unit})")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _forest(
    axes: "Axes", name: str, posterior: xr.Dataset, prior: xr.Dataset, families: tuple[str, ...]
) -> None:
    population = f"{name}_population"
    rows = [(style.label(f, 24), posterior[name].sel(family=f)) for f in families]
    before = [prior[name].sel(family=f) for f in families]
    if population in posterior:
        rows.append(("median of families", posterior[population]))
        before.append(prior[population])
    at, blue = np.arange(len(rows)), COLOURS["forecast"]
    low, high = np.quantile(before, [0.05, 0.95], axis=(1, 2))
    q05, q25, q50, q75, q95 = np.quantile(
        [after for _, after in rows], [0.05, 0.25, 0.5, 0.75, 0.95], axis=(1, 2)
    )
    axes.hlines(at, low, high, color=COLOURS["prior"], lw=7, alpha=0.35, label="prior, 90%")
    axes.hlines(at, q05, q95, color=blue, lw=1.6, label="posterior, 90%")
    axes.hlines(at, q25, q75, color=blue, lw=4, label="posterior, 50%")
    axes.plot(q50, at, "o", color="white", mec=blue, ms=4.5)
    style.log_axis(axes.xaxis, plain_number, (1.0, 2.0, 5.0))
    axes.set_yticks(range(len(rows)), [text for text, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)


@style.styled
def plot_residuals(fit: Fit) -> "Figure":
    """Plot residuals in percent of the predicted loss against compute, by family.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    matplotlib.figure.Figure
        Above zero: the run came out worse than the fit says.

    Examples
    --------
    >>> figure = bs.plots.plot_residuals(bs.load_fit("fit.nc"))
    >>> figure.axes[0].get_xscale()
    'log'
    """
    runs = fit.runs
    middle = np.median(replicates(fit), axis=1)
    percent = 100.0 * (runs["loss"].to_numpy() / middle - 1.0)
    figure = style.new_figure()
    axes = figure.subplots()
    axes.axhline(0, color=COLOURS["limit"], lw=1)
    handles: list[Any] = []
    for place, family in enumerate(fit.families):
        rows = (runs["family"] == family).to_numpy()
        coloured = place < len(style.CYCLE)
        (line,) = axes.plot(
            runs.loc[rows, "flops"],
            percent[rows],
            style.MARKERS[place] if coloured else ".",
            color=style.CYCLE[place] if coloured else COLOURS["prior"],
            ms=4,
            alpha=0.7,
            mew=0,
            rasterized=style.many(len(runs)),
        )
        handles.append(line)
    style.log_axis(axes.xaxis, axis_power)
    axes.set_xlabel("training compute C (FLOP)")
    axes.set_ylabel("observed over predicted loss − 1 (%)")
    if len(fit.families) > 1:
        shown = handles[: len(style.CYCLE) + 1]
        labels = [style.label(name, 24) for name in fit.families[: len(style.CYCLE)]]
        labels += ["other families"] * (len(shown) - len(labels))
        figure.legend(shown, labels, loc="outside lower center", ncols=3)
    return figure


@style.styled
def plot_predictive(fit: Fit) -> "Figure":
    """Plot calibration on the fitted runs: PIT values, and coverage of intervals.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    matplotlib.figure.Figure
        Left: histogram of the share of replicated losses below the observed one, uniform where the
        model is right. Right: share of runs inside their central intervals against the share
        promised. Bands hold 90% of what chance gives.

    Examples
    --------
    >>> len(bs.plots.plot_predictive(bs.load_fit("fit.nc")).axes)
    2
    """
    observed = fit.dt["observed_data"]["loss"].to_numpy()
    pit = (replicates(fit) < observed[:, None]).mean(axis=1)
    figure = style.new_figure(5.4, 2.9)
    left, right = figure.subplots(1, 2)
    _histogram(left, pit)
    _coverage(right, pit)
    return figure


def _histogram(axes: "Axes", pit: NDArray[np.float64]) -> None:
    bins = int(np.clip(len(pit) // 8, 4, 20))
    low, high = (float(_binomial(q, len(pit), 1 / bins)) for q in (0.05, 0.95))
    axes.axhspan(low, high, color=COLOURS["prior"], alpha=0.3, lw=0)
    axes.hist(pit, bins=bins, range=(0, 1), color=COLOURS["forecast"], rwidth=0.9, alpha=0.85)
    axes.axhline(len(pit) / bins, color=COLOURS["limit"], lw=1)
    axes.set_xlabel("where the run falls in its forecast")
    axes.set_ylabel("runs")
    axes.locator_params(axis="y", integer=True)
    axes.set_title("PIT values")


def _binomial(q: float, n: int, p: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantile of a binomial distribution, as scipy.stats has it."""
    above = np.ceil(special.bdtrik(q, n, p))
    below = np.maximum(above - 1.0, 0.0)
    return np.where(special.bdtr(below, n, p) >= q, below, above)


def _coverage(axes: "Axes", pit: NDArray[np.float64]) -> None:
    promised = np.linspace(0.02, 0.98, 49)
    found = (np.abs(pit[:, None] - 0.5) <= promised / 2).mean(axis=0)
    low, high = (_binomial(q, len(pit), promised) / len(pit) for q in (0.05, 0.95))
    axes.fill_between(promised, low, high, color=COLOURS["prior"], alpha=0.3, lw=0)
    axes.plot([0, 1], [0, 1], color=COLOURS["limit"], lw=1)
    axes.plot(promised, found, color=COLOURS["forecast"], lw=1.8)
    axes.set_xlabel("probability of the interval")
    axes.set_ylabel("runs inside")
    axes.set_title("Coverage")


@style.styled
def plot_prior_predictive(fit: Fit) -> "Figure":
    """Plot the prior predictive distribution of the fitted runs, and their losses.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    matplotlib.figure.Figure
        Against compute: 50% and 90% prior predictive intervals of every run, and observed losses.

    Examples
    --------
    >>> len(bs.plots.plot_prior_predictive(bs.load_fit("fit.nc")).axes) > 0
    True
    """
    prior = fit.dt["prior_predictive"]["loss"].stack(sample=("chain", "draw"))
    order = np.argsort(fit.runs["flops"].to_numpy())
    flops = fit.runs["flops"].to_numpy()[order]
    levels = prior.quantile([0.05, 0.25, 0.75, 0.95], "sample").to_numpy()[:, order]
    figure = style.new_figure(5.4, 2.9)
    axes = figure.subplots()
    for low, high, label in ((0, 3, "prior, 90%"), (1, 2, "prior, 50%")):
        axes.vlines(
            flops, levels[low], levels[high], color=COLOURS["prior"], alpha=0.5, lw=2 + 2 * low,
            label=label,
        )  # fmt: skip
    observed = fit.runs["loss"].to_numpy()[order]
    axes.plot(flops, observed, ".", color=COLOURS["forecast"], label="observed")
    style.log_axis(axes.xaxis, axis_power)
    style.log_axis(axes.yaxis, plain_number, (1.0, 2.0, 3.0, 5.0))
    axes.set_xlabel("training compute C (FLOP)")
    axes.set_ylabel(f"loss ({fit.loss_unit()})")
    figure.legend(loc="outside lower center", ncols=3)
    return figure
