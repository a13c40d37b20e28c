"""Logs that keep every tag of a run on its own, by step: TensorBoard and MLflow."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayes_scaling.curves.importers.log_source import Names, Roles
from bayes_scaling.curves.importers.tracks import Floats, Track, aligned, counted
from bayes_scaling.errors import DataError

__all__ = ["Series", "TaggedSeries"]


@dataclass(frozen=True, slots=True)
class Series:
    """One tag of one run: steps, values and seconds since 1970, as they were logged."""

    step: Floats
    value: Floats
    seconds: Floats

    def by_time(self) -> "Series":
        """Sort by time, and count the points as steps."""
        order = np.argsort(self.seconds, kind="stable")
        return Series(counted(len(order)), self.value[order], self.seconds[order])


class TaggedSeries(ABC):
    """Log whose runs hold a series for each tag.

    Attributes
    ----------
    source, word : str
        Names of the log and of a tag in messages.
    tags : mapping of str to sequence of str
        Tags of every run.
    """

    source: str
    word: str
    tags: Mapping[str, Sequence[str]]

    @abstractmethod
    def series(self, run: str, tag: str) -> Series:
        """Read one tag of a run that has it."""

    def names(self) -> Names:
        """Return all tags of all runs; every value has a step of its own."""
        tags = list(dict.fromkeys(tag for of_run in self.tags.values() for tag in of_run))
        own_runs = "keeps its runs apart by itself"
        return Names(self.source, self.word, tags, ("step",), own_runs)

    def tracks(self, roles: Roles) -> Iterator[Track]:
        """Read the points of every run that has the loss, and name those that have not."""
        for run, tags in self.tags.items():
            if roles.metric in tags:
                yield self._track(run, tags, roles)
            else:
                yield Track(run, np.empty(0), np.empty(0))

    def _track(self, run: str, tags: Sequence[str], roles: Roles) -> Track:
        loss = self.series(run, roles.metric)
        rate = self.series(run, roles.lr) if roles.lr is not None and roles.lr in tags else None
        if roles.t is None:
            loss = loss.by_time()
            # Steps say nothing here, so a rate belongs to the loss that was logged at its time.
            lr = None if rate is None else aligned(rate.seconds, rate.value, loss.seconds)
            return Track(run, loss.step, loss.value, lr, loss.seconds)
        at = loss.step
        if roles.t in tags and roles.t != "step":
            position = self.series(run, roles.t)
            at = aligned(position.step, position.value, loss.step)
        elif roles.t != "step":
            raise DataError(f"{self.source} has no {roles.t!r} for run {run!r}, which t= asks for")
        lr = None if rate is None else aligned(rate.step, rate.value, loss.step)
        return Track(run, at, loss.value, lr, loss.seconds)
