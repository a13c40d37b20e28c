"""From sampled draws to the DataTree of a fit, group by group."""

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.laws import Law
from bayes_scaling.model import hierarchy
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.run_blocks import run_blocks
from bayes_scaling.model.run_noise import bounded, standard_draws
from bayes_scaling.model.spec import Spec
from bayes_scaling.model.spec_json import write_spec
from bayes_scaling.runs import INPUTS, Runs

if TYPE_CHECKING:
    from bayes_scaling.inference.compiled import Sampled
    from bayes_scaling.inference.settings import SamplerSettings

__all__ = [
    "OF_TEXT",
    "SCHEMA",
    "VERSION_1",
    "assemble",
    "every",
    "run_columns",
    "thinned_alike",
    "with_derived",
]

SCHEMA, VERSION_1 = "bayes_scaling.fit/2", "bayes_scaling.fit/1"
MOST_BY_RUN = 40_000_000
"""Values of a group by run; of larger tables it keeps evenly spaced draws."""
_PRIOR_DRAWS = 1000
_LIBRARIES = ("bayes-scaling", "pymc", "nutpie", "arviz", "numpy", "xarray")
OF_TEXT = ("family", "run", "loss_unit")


def run_columns(law: Law) -> tuple[str, ...]:
    """Columns of the runs that a fit of a law keeps, where the table has them."""
    return (*INPUTS, *(entry.name for entry in law.own_inputs), "loss_se", *OF_TEXT)


def assemble(
    *,
    spec: Spec,
    frame: ReferenceFrame,
    design: Design,
    sampled: "Sampled",
    settings: "SamplerSettings",
    runs: Runs,
    caveats: tuple[Caveat, ...],
) -> xr.DataTree:
    """Assemble the DataTree of a fit.

    Groups: ``posterior`` and ``prior`` (parameters at the reference point, see
    :func:`bayes_scaling.model.hierarchy.named`), ``posterior_predictive`` and
    ``prior_predictive`` (``loss`` of a repeated run), ``log_likelihood`` (of the loss, so
    that laws with likelihoods on other scales compare), ``log_prior`` (by free variable),
    ``observed_data``, ``constant_data``, ``held_out`` (target rows), ``flags``, ``sample_stats``.
    Groups by run of very large tables keep one draw in so many, the attribute ``thin``.

    Parameters
    ----------
    spec, frame, design, sampled, settings, runs
        What was fitted, and how.
    caveats : tuple of Caveat
        Caveats of the data and the design, stored with the fit.
    """
    rng = generator(Stream.FIT_GROUPS, settings.seed)
    posterior = with_derived(spec, hierarchy.named(spec, frame, sampled.draws))
    prior = with_derived(spec, hierarchy.prior_draws(spec, frame, _PRIOR_DRAWS, rng))
    if spec.discrepancy:
        posterior["discrepancy"] = _scales(spec, posterior, rng)
        prior["discrepancy"] = _scales(spec, prior, rng)
    some = _kept(posterior, len(design.run))
    # Density of the loss and not of its log: the Jacobian is 1 / loss.
    log_likelihood = hierarchy.log_likelihood(spec, design, some) - design.log_loss
    rows = runs.fit_rows()
    groups = {
        "posterior": posterior,
        "prior": prior,
        "posterior_predictive": _predictive(spec, design, some, rng),
        "prior_predictive": _predictive(spec, design, _kept(prior, len(design.run)), rng),
        "log_likelihood": xr.Dataset({"loss": log_likelihood}, attrs=some.attrs),
        "log_prior": hierarchy.log_prior(spec, frame, sampled.draws, sampled.components),
        "observed_data": xr.Dataset(
            {"loss": ("run", np.exp(design.log_loss))}, coords={"run": list(design.run)}
        ),
        "constant_data": _constants(spec, frame, design, rows),
        "held_out": _columns(runs.targets(), (*run_columns(spec.law), "loss"), "target"),
        "flags": _flags(runs),
        "sample_stats": _numeric(sampled.stats),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = _attributes(spec, frame, sampled, settings, runs) | {
        "caveats": json.dumps([caveat.to_dict() for caveat in caveats])
    }
    return tree


def _scales(spec: Spec, draws: xr.Dataset, rng: np.random.Generator) -> xr.DataArray:
    """Scale of each family's discrepancy at e times the compute, log loss."""
    known = spec.discrepancy
    if known is None:
        raise ValueError("the specification has no discrepancy")
    sigma = draws[spec.noise_parameter.name].transpose("chain", "draw", "family")
    # By family, so that one family's draws do not depend on how many others there are.
    z = [rng.normal(size=sigma.shape[:2]) for _ in spec.families]
    log_scale = known.log_scale(np.log(sigma.values)) + known.spread * np.stack(z, axis=-1)
    return sigma.copy(data=np.exp(log_scale))


def with_derived(spec: Spec, draws: xr.Dataset) -> xr.Dataset:
    """Add the exponents that follow from others, draw by draw."""
    values = {name: draws[name] for name in spec.law.names}
    derived = {}
    if spec.law.closed_forms.frontier and "alpha_C" not in spec.law.names:
        derived["alpha_C"] = spec.law.closed_forms.frontier(values)
    if spec.law.closed_forms.params_exponent:
        derived["params_exponent"] = spec.law.closed_forms.params_exponent(values)
    return draws.assign(derived)


def _predictive(
    spec: Spec, design: Design, draws: xr.Dataset, rng: np.random.Generator
) -> xr.Dataset:
    sizes = (draws.sizes["chain"], draws.sizes["draw"], len(design.run))
    nu = draws["nu"].values[..., None] if spec.noise == "student-t" else None
    noise = standard_draws(spec.noise, nu, sizes, rng).reshape(-1, sizes[2])
    # A replicate needs no more digits than a loss is logged with; wide priors may leave its range.
    most = float(np.finfo(np.float32).max)
    losses = np.empty(noise.shape, dtype=np.float32)
    for block in run_blocks(spec, design, draws):
        again = np.exp(block.mean + bounded(block.scale * noise[block.place]))
        losses[block.place] = np.minimum(again, most)
    coords = {"chain": draws["chain"], "draw": draws["draw"], "run": list(design.run)}
    loss = (("chain", "draw", "run"), losses.reshape(sizes))
    return xr.Dataset({"loss": loss}, coords, draws.attrs)


def _kept(draws: xr.Dataset, runs: int) -> xr.Dataset:
    """Evenly spaced draws, where one value for each draw and run would be too many."""
    values = draws.sizes["chain"] * draws.sizes["draw"] * runs
    thin = min(-(-values // MOST_BY_RUN), draws.sizes["draw"])
    return draws if thin == 1 else every(thin, draws).assign_attrs(thin=thin)


def every(thin: int, draws: xr.Dataset) -> xr.Dataset:
    """Return one draw of each chain in so many."""
    return draws.isel(draw=slice(thin - 1, None, thin))


def thinned_alike(dt: xr.DataTree) -> xr.DataTree:
    """Return a fit's tree with no more draws of the parameters than of the likelihoods of runs.

    For what weighs the one by the other; of most fits it is the tree itself.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    """
    thin = int(dt["log_likelihood"].attrs.get("thin", 1))
    if thin == 1:
        return dt
    groups = {name: node.to_dataset() for name, node in dt.children.items()}
    names = ["posterior", "log_prior"]
    if groups["sample_stats"].sizes["draw"] == groups["posterior"].sizes["draw"]:
        names.append("sample_stats")
    groups |= {name: every(thin, groups[name]) for name in names}
    return xr.DataTree.from_dict(groups)


def _constants(spec: Spec, frame: ReferenceFrame, design: Design, rows: pd.DataFrame) -> xr.Dataset:
    data = _columns(rows, run_columns(spec.law), "run").drop_vars("run", errors="ignore")
    data = data.assign_coords(run=list(design.run), family_name=list(spec.families))
    for name in spec.law.inputs:
        data[f"reference_{name}"] = np.exp(frame.reference[name])
        data[f"centre_{name}"] = "family_name", np.exp(np.asarray(frame.centres[name]))
    return data


def _columns(table: pd.DataFrame, names: tuple[str, ...], dim: str) -> xr.Dataset:
    return xr.Dataset(
        {
            name: (
                dim,
                _texts(table[name]) if name in OF_TEXT else table[name].to_numpy(),
            )
            for name in names
            if name in table
        }
    )


def _flags(runs: Runs) -> xr.Dataset:
    table = runs.flag_table()
    return xr.Dataset(
        {
            str(name): ("flag", table[name].to_numpy() if name == "row" else _texts(table[name]))
            for name in table.columns
        }
    )


def _texts(column: "pd.Series[Any]") -> NDArray[np.str_]:
    # Pandas' own string type has no counterpart in NetCDF.
    return np.array(["" if value is None else str(value) for value in column], dtype=np.str_)


def _attributes(
    spec: Spec, frame: ReferenceFrame, sampled: "Sampled", settings: "SamplerSettings", runs: Runs
) -> dict[str, str | int | float]:
    versions = {name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()}
    return {
        "schema": SCHEMA,
        "law": spec.law.name,
        "spec": write_spec(spec, frame),
        "runs_hash": runs.hash,
        "source": runs.source,
        "count": runs.count,
        "loss_unit": runs.loss_unit,
        "excluded": json.dumps(dict(runs.excluded)),
        "seed": int(settings.seed),
        "sampler": json.dumps(settings.to_dict() | {"thin": sampled.thin}),
        "compile_seconds": round(sampled.compile_seconds, 3),
        "sample_seconds": round(sampled.sample_seconds, 3),
        "versions": json.dumps(versions),
        "inference_library": "nutpie",
    }


def _numeric(stats: xr.Dataset) -> xr.Dataset:
    # Divergence messages are objects, which NetCDF cannot hold without pickling.
    return stats[[name for name, value in stats.items() if value.dtype.kind in "biuf"]]
