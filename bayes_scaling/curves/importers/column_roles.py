"""Which column or tag of a log is the loss, the step, the run, the learning rate, the clock."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.curve import Axis
from bayes_scaling.curves.importers.import_options import ORDER, ImportKeywords, listed
from bayes_scaling.curves.importers.log_source import Names, Roles
from bayes_scaling.errors import DataError
from bayes_scaling.runs.columns import column, normalise
from bayes_scaling.runs.reading.raw_table import show

__all__ = ["assign", "clock", "is_loss"]

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
_RUNS = tuple(normalise(name) for name in ("run", "run_name", "run_id", *column("run").aliases))
_RATES = ("lr", "learningrate")
_CLOCKS = (
    *("seconds", "elapsedseconds", "elapsed", "elapsedtime", "runtime", "walltime"),
    *("wallclock", "timestamp", "time", "relativetime(wall)", "relativetime(process)"),
)
_COUNTED = (
    "points were counted in the order in which they were logged: one point is one step, of the "
    "planned end too"
)


def assign(names: Names, keywords: ImportKeywords, caveats: Caveats) -> Roles:
    """Assign the names of a log to the roles of loss, position, learning rate and run."""
    if names.own_runs and keywords.get("run") is not None:
        raise DataError(f"{names.source} {names.own_runs}; leave run= out")
    log = _Assignment(names, caveats)
    metric = log.metric(keywords.get("metric"))
    t = log.position(keywords.get("t"), metric)
    lr = log.rate(keywords.get("lr"))
    axis: Axis = "step" if t is None else _axis(t, caveats)
    return Roles(metric, t, lr, None if names.own_runs else log.run(keywords.get("run")), axis)


def clock(names: Sequence[str]) -> str | None:
    """Return the name of the time, where there is one."""
    return next(iter(_ranked(names, _CLOCKS)), None)


def is_loss(name: str) -> bool:
    """Return whether a name is that of a loss of a language model."""
    return bool(_LOSS.search(normalise(name))) and not _words(name) & _OTHER


@dataclass(frozen=True, slots=True)
class _Assignment:
    """Names of a log, with the caveats of their roles."""

    log: Names
    caveats: Caveats

    def metric(self, requested: str | None) -> str:
        """Return the name of the loss; held out rather than of training, if it is inferred."""
        source, word = self.log.source, self.log.word
        if requested is not None:
            chosen = self._named("metric", requested, self.log.names)
            other = sorted(_words(chosen) & _RISES)
            if other and not _LOSS.search(normalise(chosen)):
                raise DataError(
                    f"metric={chosen!r} of {source} is by its name no loss ({other[0]!r} rises as "
                    f"a model gets better); give metric= (on the shell --metric) a {word} that "
                    f"holds a loss, of {listed(self.log.names)}"
                )
            return chosen
        able = [name for name in self.log.names if is_loss(name)]
        if not able:
            raise DataError(
                f"{source} has no {word} that is named as a loss; give metric= one of its {word}s, "
                f"{listed(self.log.names)}"
            )
        tier = min(map(_tier, able))
        first = [name for name in able if _tier(name) == tier]
        plain = [name for name in first if _words(name) - _HELD_OUT - _TRAINING == {"loss"}]
        # Beside a loss per token, one called "loss" may well be a sum over tokens.
        per_token = any({"token", "tokens"} & _words(name) for name in first)
        sure = first if len(first) == 1 else [] if per_token else plain
        if len(sure) != 1:
            raise self._ambiguous("metric", "the loss", first, self.log.names)
        return self._taken("metric", sure[0], able)

    def position(self, requested: str | None, metric: str) -> str | None:
        """Return the name of the steps, else of the tokens; None to count points."""
        names = [*self.log.positions, *(name for name in self.log.names if name != metric)]
        if requested == ORDER and ORDER not in names:
            self.caveats.add("counted-points", _COUNTED)
            return None
        if requested is not None:
            return self._named("t", requested, names)
        able = _ranked(self.log.positions, (*_STEPS, *_TOKENS))
        if able:
            return able[0]
        able = _ranked(names, (*_STEPS, *_TOKENS))
        if "step" in able:  # spelt so, before "_step", which Weights & Biases counts on its own
            able = ["step", *(name for name in able if name != "step")]
        if not able:
            word = self.log.word
            raise DataError(
                f"{self.log.source} has no {word} that is named as steps or tokens; give t= one of "
                f"its {word}s, {listed(names)}"
            )
        same = [name for name in able if _leaf(name) == _leaf(able[0]) and able[0] != "step"]
        if len(same) > 1:
            raise self._ambiguous("t", "the step", same, names)
        return self._taken("t", able[0], able)

    def rate(self, requested: str | None) -> str | None:
        """Return the name of the learning rate, where there is one."""
        if requested is not None:
            return self._named("lr", requested, self.log.names)
        able = [name for name in self.log.names if _leaf(name) in _RATES]
        whole = [name for name in able if normalise(name) in _RATES]
        if len(able) > 1 and len(whole) != 1:
            text = f"no learning rate was read: {listed(able)} can be it; give lr="
            self.caveats.add("ambiguous-name", text, keyword="lr", names=able)
            return None
        return self._taken("lr", (whole or able)[0], able) if able else None

    def run(self, requested: str | None) -> str | None:
        """Return the name of the column that names runs, where there is one."""
        if requested is not None:
            return self._named("run", requested, self.log.names)
        able = [n for key in dict.fromkeys(_RUNS) for n in self.log.names if normalise(n) == key]
        return self._taken("run", able[0], able) if able else None

    def _named(self, keyword: str, name: str, names: Sequence[str]) -> str:
        if name not in names:
            word = self.log.word
            raise DataError(
                f"{self.log.source} has no {word} {name!r}, which {keyword}= names; its {word}s "
                f"are {listed(names)}"
            )
        return name

    def _ambiguous(
        self, keyword: str, role: str, able: Sequence[str], names: Sequence[str]
    ) -> DataError:
        word = self.log.word
        return DataError(
            f"{self.log.source} has {len(able)} {word}s that can be {role}, {listed(able)}; give "
            f"{keyword}= one of its {word}s, {listed(names)}"
        )

    def _taken(self, keyword: str, chosen: str, able: Sequence[str]) -> str:
        others = [name for name in able if name != chosen]
        if others:
            taken = f"{keyword}={show(chosen)} was taken"
            text = f"{taken}, and not {listed(others)}; {keyword}= says which"
            self.caveats.add("inferred-name", text, keyword=keyword, name=chosen, others=others)
        return chosen


def _axis(t: str, caveats: Caveats) -> Axis:
    """Return what a column counts, by its name."""
    if _leaf(t) in _TOKENS or {"token", "tokens"} & _words(t):
        return "tokens"
    if _leaf(t) not in _STEPS and "step" not in _words(t):
        caveats.add("taken-as-steps", f"t={show(t)} was taken as steps", name=t)
    return "step"


def _ranked(names: Sequence[str], legal: Sequence[str]) -> list[str]:
    rank = {name: place for place, name in reversed(list(enumerate(legal)))}
    return sorted((name for name in names if _leaf(name) in rank), key=lambda n: rank[_leaf(n)])


def _leaf(name: str) -> str:
    return normalise(name.rsplit("/", 1)[-1])


def _words(name: str) -> frozenset[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return frozenset(re.findall(r"[a-z]+|\d+", apart.lower()))


def _tier(name: str) -> int:
    words = _words(name)
    return 0 if words & _HELD_OUT else 2 if words & _TRAINING else 1
