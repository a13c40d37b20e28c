"""Which column or tag of a log is the loss, the step, the run, the learning rate, the clock."""

import re
from collections.abc import Sequence

from bayes_scaling.curves.curve import Axis
from bayes_scaling.curves.importers.import_options import given, listed
from bayes_scaling.errors import DataError
from bayes_scaling.runs.columns import column, normalise
from bayes_scaling.runs.reading.raw_table import show

__all__ = ["axis_of", "clock", "is_loss", "pick_lr", "pick_metric", "pick_t"]

_HELD_OUT = frozenset(
    {"val", "valid", "validation", "eval", "evaluation", "test", "heldout", "dev"}
)
_TRAINING = frozenset({"train", "training"})
_LOSS = re.compile(r"loss|nll|crossentropy|xent")
# Words of names that hold "loss" and are not the loss of a language model.
_OTHER = frozenset(
    {
        *("z", "aux", "auxiliary", "balance", "balancing", "router", "moe", "kl", "grad"),
        *("gradient", "scale", "weight", "weights", "fraction", "spike", "seconds", "time"),
        *("std", "stderr", "sem", "se", "var", "variance", "min", "max", "best"),
    }
)
# Of metrics that rise as a model gets better.
_RISES = frozenset({"acc", "accuracy", "accuracies", "f1", "bleu", "rouge", "precision", "recall"})

_STEPS = (
    *("globalstep", "trainstep", "trainingstep", "optimizerstep", "step", "steps", "nsteps"),
    *("numsteps", "iteration", "iterations", "iter", "iters", "update", "updates", "numupdates"),
)
_TOKENS = (
    *("tokens", "tokensseen", "seentokens", "numinputtokensseen", "consumedtokens"),
    *("tokensprocessed", *(normalise(alias) for alias in column("tokens").aliases)),
)
_RATES = ("lr", "learningrate")
_CLOCKS = (
    *("seconds", "elapsedseconds", "elapsed", "elapsedtime", "runtime", "walltime"),
    *("wallclock", "timestamp", "time", "relativetime(wall)", "relativetime(process)"),
)


def pick_metric(
    asked: str | None, names: Sequence[str], source: str, word: str, notes: list[str]
) -> str:
    """The name of the loss: held out rather than of training, if it has to be guessed.

    Parameters
    ----------
    asked : str or None
        What the caller gave.
    names : sequence of str
        Columns or tags of the source.
    source, word : str
        What to call the source, and a name in it ("column", "tag", "metric"), in messages.
    notes : list of str
        Gets a line when one of several was taken.

    Raises
    ------
    DataError
        If there is none, or none stands out.
    """
    if asked is not None:
        chosen = given("metric", asked, names, source, word)
        other = sorted(_words(chosen) & _RISES)
        if other and not _LOSS.search(normalise(chosen)):
            raise DataError(
                f"metric={chosen!r} of {source} is by its name no loss ({other[0]!r} rises as a "
                f"model gets better); give metric= (on the shell --metric) a {word} that holds a "
                f"loss, of {listed(names)}"
            )
        return chosen
    able = [name for name in names if is_loss(name)]
    tiers: dict[int, list[str]] = {}
    for name in able:
        tiers.setdefault(_tier(name), []).append(name)
    if not tiers:
        raise DataError(
            f"{source} has no {word} that is named as a loss; give metric= one of its {word}s, "
            f"{listed(names)}"
        )
    first = tiers[min(tiers)]
    plain = [name for name in first if _words(name) - _HELD_OUT - _TRAINING == {"loss"}]
    # Beside a loss per token, one called "loss" may well be a sum over tokens.
    per_token = any({"token", "tokens"} & _words(name) for name in first)
    sure = first if len(first) == 1 else [] if per_token else plain
    if len(sure) != 1:
        raise DataError(
            f"{source} has {len(first)} {word}s that can be the loss, {listed(first)}; give "
            f"metric= one of its {word}s, {listed(names)}"
        )
    _note_choice("metric", sure[0], able, notes)
    return sure[0]


def pick_t(
    asked: str | None, names: Sequence[str], source: str, word: str, notes: list[str]
) -> str:
    """The name of the steps, else of the tokens; parameters and errors as `pick_metric`."""
    if asked is not None:
        return given("t", asked, names, source, word)
    able = _ranked(names, (*_STEPS, *_TOKENS))
    if "step" in able:  # spelt so, before "_step", which Weights & Biases counts on its own
        able = ["step", *(name for name in able if name != "step")]
    if not able:
        raise DataError(
            f"{source} has no {word} that is named as steps or tokens; give t= one of its "
            f"{word}s, {listed(names)}"
        )
    alike = [name for name in able if _leaf(name) == _leaf(able[0]) and able[0] != "step"]
    if len(alike) > 1:
        raise DataError(
            f"{source} has {len(alike)} {word}s that can be the step, {listed(alike)}; give t= "
            f"one of its {word}s, {listed(names)}"
        )
    _note_choice("t", able[0], able, notes)
    return able[0]


def pick_lr(
    asked: str | None, names: Sequence[str], source: str, word: str, notes: list[str]
) -> str | None:
    """The name of the learning rate, where there is one; parameters as `pick_metric`.

    Raises
    ------
    DataError
        If the one that was given is absent.
    """
    if asked is not None:
        return given("lr", asked, names, source, word)
    able = [name for name in names if _leaf(name) in _RATES]
    whole = [name for name in able if normalise(name) in _RATES]
    if len(able) > 1 and len(whole) != 1:
        notes.append(f"no learning rate was read: {listed(able)} can be it; give lr=")
        return None
    chosen = next(iter(whole or able), None)
    if chosen is not None:
        _note_choice("lr", chosen, able, notes)
    return chosen


def clock(names: Sequence[str]) -> str | None:
    """The name of the time, where there is one."""
    return next(iter(_ranked(names, _CLOCKS)), None)


def axis_of(t: str, notes: list[str]) -> Axis:
    """What the column ``t`` counts, by its name."""
    if _leaf(t) in _TOKENS or {"token", "tokens"} & _words(t):
        return "tokens"
    if _leaf(t) not in _STEPS and "step" not in _words(t):
        notes.append(f"t={show(t)} was taken as steps")
    return "step"


def _note_choice(keyword: str, chosen: str, able: Sequence[str], notes: list[str]) -> None:
    others = [name for name in able if name != chosen]
    if others:
        notes.append(
            f"{keyword}={show(chosen)} was taken, and not {listed(others)}; {keyword}= says which"
        )


def _ranked(names: Sequence[str], legal: Sequence[str]) -> list[str]:
    rank = {name: place for place, name in reversed(list(enumerate(legal)))}
    return sorted((name for name in names if _leaf(name) in rank), key=lambda n: rank[_leaf(n)])


def _leaf(name: str) -> str:
    return normalise(name.rsplit("/", 1)[-1])


def _words(name: str) -> frozenset[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return frozenset(re.findall(r"[a-z]+|\d+", apart.lower()))


def is_loss(name: str) -> bool:
    """Whether a name is that of a loss of a language model."""
    return bool(_LOSS.search(normalise(name))) and not _words(name) & _OTHER


def _tier(name: str) -> int:
    words = _words(name)
    return 0 if words & _HELD_OUT else 2 if words & _TRAINING else 1
