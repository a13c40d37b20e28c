"""Names of columns that hold something else than a loss in nats per token."""

import re
from collections.abc import Iterator, Sequence

from bayes_scaling.runs.finding import Finding

__all__ = ["instead_of_loss", "is_held_out_loss", "loss_name"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_METRICS = frozenset(
    {"acc", "accuracy", "accuracies", "auc", "auroc", "bleu", "cer", "elo", "em", "err", "error"}
    | {"f1", "mae", "mse", "rmse", "pass", "precision", "recall", "reward", "rouge", "score"}
    | {"scores", "top1", "top5", "wer", "winrate"}
)
_PERPLEXITY = frozenset({"ppl", "perplexity", "ppls", "perplexities"})
# The logarithm of a perplexity is a loss.
_LOGS = frozenset({"log", "ln", "logppl"})
_BITS = frozenset({"bpb", "bpc", "bpt", "bits", "bit"})
_LOSSES = frozenset({"loss", "losses", "nll", "ce", "xent", "entropy", "nats", "nat", "stderr"})


_HELD_OUT = frozenset({"val", "valid", "validation", "eval", "dev", "test", "heldout", "held"})
_SPREADS = frozenset({"se", "sd", "std", "stderr", "sem", "var", "error", "unit", "units", "min"})


def _words(name: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(name)} | set(_BETWEEN.split(name.casefold()))


def loss_name(name: str, *, unit_stated: bool) -> Iterator[Finding]:
    """Find a loss whose column is named after something else.

    Parameters
    ----------
    name : str
        Column of the source that holds the loss.
    unit_stated : bool
        Whether the table or the caller states the unit of the loss.
    """
    words = _words(name)
    if words & _LOSSES or words & _LOGS:
        return
    if words & _PERPLEXITY:
        text = "perplexities; write their natural logarithms, which are losses in nats per token"
    elif words & _METRICS:
        text = "a metric and not after a cross-entropy; give the held-out loss in nats per token"
    elif words & _BITS and not unit_stated:
        text = (
            "bits, as nats per token; state its unit with --loss-unit, such as bits/byte, in "
            "Python loss_unit='bits/byte'"
        )
    else:
        return
    sentence = f"the loss is read from column {name!r}, which is named after {text}"
    yield Finding(-1, "loss-name", "error", "loss", sentence)


def is_held_out_loss(name: str) -> bool:
    """Return whether a column is named after a loss on held-out text."""
    words = _words(name)
    return bool(words & _LOSSES and words & _HELD_OUT and not words & _SPREADS)


def instead_of_loss(names: Sequence[str]) -> str | None:
    """Suggest what to do where no column is a loss, but one is named after a function of one."""
    for name in names:
        words = _words(name)
        if words & _LOSSES or words & _LOGS:
            continue
        if words & _PERPLEXITY:
            return f"write the natural logarithms of {name!r} in a column loss"
        if words & _BITS:
            return (
                f"if {name!r} is the loss write --column loss={name} --loss-unit bits/byte (or "
                f"bits/token), in Python columns={{'loss': {name!r}}}, loss_unit='bits/byte'"
            )
    for name in names:
        if _words(name) & _METRICS:
            return (
                f"{name!r} is named after a metric and not after a cross-entropy, so add the "
                "held-out loss in nats per token"
            )
    return None
