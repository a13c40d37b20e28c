"""The columns of a table of runs, and finding them in a source by their names and aliases."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bayes_scaling.errors import DataError
from bayes_scaling.runs.input_columns import INPUTS, Column
from bayes_scaling.runs.loss_names import instead_of_loss, is_held_out_loss

__all__ = ["COLUMNS", "Column", "column", "listing", "normalise", "require", "resolve"]


def _inputs(*names: str) -> Iterable[Column]:
    return (INPUTS[name] for name in names)


COLUMNS: tuple[Column, ...] = (
    Column("run", "", "label of the run", ("run_id", "run_name", "name", "id"), "text"),
    Column(
        "family",
        "",
        "the grouping: corpus, architecture or recipe",
        ("group", "corpus", "model_family"),
        "text",
    ),
    Column("role", "", "'fit', or 'target' for a run that is only scored", (), "text"),
    *_inputs("params", "params_nonemb", "tokens", "unique_tokens", "flops"),
    Column(
        "loss",
        "nats/token, or as loss_unit says",
        "held-out loss at the end of the run",
        (
            *("L", "val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss"),
            *("final_loss", "final_val_loss", "heldout_loss"),
            *("bpb", "bits_per_byte", "bpc", "bits_per_char"),
        ),
    ),
    Column(
        "loss_se",
        "unit of the loss",
        "standard error of the loss; blank: not stated",
        ("loss_stderr", "loss_std_error", "loss_standard_error", "loss_sem", "stderr"),
    ),
    Column("loss_unit", "", "unit of the loss", ("loss_units", "unit_of_loss"), "text"),
    Column(
        "tokenizer",
        "",
        "tokenizer behind a loss per token",
        ("tokenizer_name", "vocabulary"),
        "text",
    ),
    *_inputs("step", "batch_tokens"),
    Column(
        "time",
        "date, or any number that grows",
        "when the run was made",
        ("date", "timestamp", "created_at", "finished_at"),
        "text",
    ),
    Column("seed", "", "random seed of the run", ("random_seed",)),
    *_inputs("n_layer", "d_model", "aspect_ratio"),
    Column(
        "lr_schedule",
        "",
        "learning-rate schedule, free text",
        ("learning_rate_schedule", "lr_scheduler"),
        "text",
    ),
    Column(
        "cooldown",
        "",
        "whether the learning rate was decayed when the loss was read",
        ("cooled", "cooled_down", "decayed", "annealed"),
        "yes/no",
    ),
    Column("params_derived", "", "whether params was derived from C = 6·N·D", (), "yes/no"),
    Column("tokens_derived", "", "whether tokens was derived from C = 6·N·D", (), "yes/no"),
    Column("flops_derived", "", "whether flops was derived as C = 6·N·D", (), "yes/no"),
)
"""The canonical columns of a table of runs, in their order."""

_BY_NAME = {entry.name: entry for entry in COLUMNS}
_SHOWN = 30


def column(name: str) -> Column:
    """Return the canonical column called ``name``."""
    try:
        return _BY_NAME[name]
    except KeyError:
        legal = ", ".join(_BY_NAME)
        raise DataError(
            f"{name!r} is not a canonical column; these are: {legal}; what a law reads beside "
            "them is found by the name and the aliases of its Input"
        ) from None


def normalise(name: str) -> str:
    """Fold case and drop spaces, ``_``, ``-``, ``/`` and ``.``, for comparing column names."""
    return "".join(ch for ch in name.casefold() if ch not in "_-/." and not ch.isspace())


def listing(names: Sequence[str]) -> str:
    """Write column names for an error message, shortened when there are many."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    extra = len(names) - _SHOWN
    return shown + (f" and {extra} more" if extra > 0 else "")


def resolve(
    names: Sequence[str],
    explicit: Mapping[str, str] | None,
    source: str,
    wanted: Iterable[Column] = COLUMNS,
    *,
    same: Callable[[str, str], bool] = lambda _first, _second: False,
) -> dict[str, str]:
    """Find which source column holds each canonical column.

    An explicit entry of ``explicit`` wins, then the canonical name itself, then a single alias. Two
    columns of numbers that can both be one canonical column must be the same numbers.

    Parameters
    ----------
    names : sequence of str
        Columns of the source, in order.
    explicit : mapping of str to str or None
        Canonical name to source column, as ``--column canonical=source`` states it.
    source : str
        What to call the source in messages.
    wanted : iterable of Column
        The canonical columns looked for.
    same : callable
        Whether two columns of the source hold the same numbers.

    Returns
    -------
    dict of str to str
        Canonical name to source column, for those found.
    """
    found: dict[str, str] = {}
    for canonical, name in (explicit or {}).items():
        column(canonical)
        if name not in names:
            raise DataError(
                f"{source} has no column {name!r}, which was given for {canonical!r}; "
                f"its columns are {listing(names)}"
            )
        found[canonical] = name
    free = [name for name in names if name not in found.values()]
    for entry in wanted:
        if entry.name not in found:
            match = _match(entry, free, source, same)
            if match is not None:
                found[entry.name] = match
    return {entry.name: found[entry.name] for entry in wanted if entry.name in found}


# A table that this package wrote: what each column is has been decided.
_OURS = "flops_derived"


def _match(
    entry: Column, names: Sequence[str], source: str, same: Callable[[str, str], bool]
) -> str | None:
    own = normalise(entry.name)
    accepted = {normalise(alias) for alias in entry.aliases}
    exact = [entry.name] if entry.name in names else []
    hits = exact + [n for n in names if normalise(n) == own and n not in exact]
    if exact and (entry.kind != "number" or _OURS in names):
        return entry.name
    if not hits or entry.kind == "number":
        hits += [name for name in names if normalise(name) in accepted]
    if entry.name == "loss" and hits:
        hits += [name for name in names if name not in hits and is_held_out_loss(name)]
    different = [name for name in hits[1:] if not same(hits[0], name)]
    if different:
        options = " or ".join(f"--column {entry.name}={name!r}" for name in (hits[0], different[0]))
        advice = (
            f"choose one with {options} (in Python columns={{{entry.name!r}: {different[0]!r}}})"
        )
        if entry.name not in _BY_NAME:
            advice = "leave all but one of them out of the table, or rename them"
        raise DataError(
            f"{source}: columns {listing([hits[0], *different])} can both be {entry.name!r} and "
            f"differ; {advice}"
        )
    return hits[0] if hits else None


def require(found: Mapping[str, str], names: Sequence[str], source: str, *, loss: bool) -> None:
    """Check that ``found`` holds the loss (when ``loss``) and two of params, tokens and flops."""
    if loss and "loss" not in found:
        advice = instead_of_loss(names) or "name one with --column loss=NAME, or add it"
        raise DataError(
            f"{source} has no column for loss (accepted: {_accepted('loss')}); its columns are "
            f"{listing(names)}, so {advice}"
        )
    missing = [name for name in ("params", "tokens", "flops") if name not in found]
    if len(missing) > 1:
        accepted = "; ".join(f"{name}: {_accepted(name)}" for name in missing)
        raise DataError(
            f"{source} needs two of params, tokens and flops but has no column for "
            f"{' or '.join(missing)} (accepted for {accepted}); its columns are {listing(names)}, "
            f"so name one with --column {missing[0]}=NAME, or add it"
        )


def _accepted(name: str) -> str:
    return ", ".join((name, *_BY_NAME[name].aliases))
