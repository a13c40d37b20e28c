"""A callback of Lightning's Trainer (the extra ``lightning``)."""

from typing import Any, override

try:
    from lightning.pytorch import Callback
except ImportError:
    # The older package of the same trainer; its hooks are the same.
    try:
        from pytorch_lightning import Callback
    except ImportError as error:
        raise ImportError(
            "the callback of Lightning's Trainer needs an extra: pip install "
            "'bayes_scaling[lightning]'"
        ) from error

from bayes_scaling.curves.callbacks.recorder import Point, Recorder
from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.curves.stopping.verdict import Verdict

__all__ = ["StopCallback"]


class StopCallback(Callback):
    """Stop a run of Trainer when the rest of it is not worth its cost, or it has diverged.

    A loss of training steps is taken every ``log_every_n_steps`` of the trainer; one of
    validation, or of a whole epoch, whenever it comes. The curve is kept in checkpoints, so a
    resumed run is judged with what it had logged before. ``min_steps`` and ``min_epochs`` of the
    trainer hold.

    In a distributed run process zero alone judges, and the others wait for its answer at each
    logged loss, so all stop at the same step; they have no verdict and ``callback`` is not called
    there. It judges by the loss that it holds: log with ``sync_dist=True``, or that is the loss
    of its own part of the data. Each process must log it, so not with ``rank_zero_only=True``.

    Parameters
    ----------
    metric : str
        Name under which the module logs its loss, such as "val_loss".
    **rule
        As for :class:`~bayes_scaling.curves.callbacks.rule.Rule`: ``end``, ``every``, ``patience``,
        ``callback``, ``utility``, ``reference``, ``seed``, ``laws``, ``schedule``, ``population``
        and ``particles``. The planned end is by default
        the trainer's ``estimated_stepping_batches``, or ``max_steps``.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    """

    def __init__(self, metric: str, **rule: Any) -> None:
        self._rule = Rule(**rule)
        self._metric = metric
        self._recorder: Recorder | None = None
        self._before: list[Point] = []
        # The hook at which the metric is new: the trainer shows its last value at all others.
        self._hook, self._validated = "", False

    @property
    def verdict(self) -> Verdict | None:
        """Last verdict; None before there are four points."""
        return self._recorder.verdict if self._recorder else None

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the curve, for a checkpoint."""
        return {"points": list(self._recorder.points) if self._recorder else self._before}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the curve of a checkpoint."""
        self._before = [(t, loss, lr) for t, loss, lr in state_dict["points"]]

    @override
    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin a curve, with what a resumed run had logged."""
        # Read only where it is needed: with some settings the trainer cannot tell.
        planned = self._rule.end or trainer.estimated_stepping_batches
        planned = planned if planned > 0 else trainer.max_steps
        self._recorder = Recorder(self._rule, planned, self._metric, self._before)
        self._before, self._hook, self._validated = [], "", False

    @override
    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take a point of training, where the trainer logs one."""
        if trainer.global_step % max(trainer.log_every_n_steps, 1) == 0:
            self._take("batch", trainer)
        elif not self._hook and self._metric in trainer.callback_metrics:
            self._hook = "batch"

    @override
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take a point of validation."""
        self._take("validation", trainer)
        self._validated = not trainer.sanity_checking

    @override
    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take a point of a whole epoch."""
        self._take("epoch", trainer)
        # All that a module logs has come once, unless validation is still to come.
        due = self._validated or not trainer.enable_validation
        if due and not self._hook and self._recorder and trainer.is_global_zero:
            self._recorder.missing(trainer.callback_metrics)

    def _take(self, hook: str, trainer: Any) -> None:
        """Take the loss if it is new here, and stop if the rule says so."""
        recorder, found = self._recorder, trainer.callback_metrics
        if recorder is None or trainer.sanity_checking or self._metric not in found:
            return
        self._hook = self._hook or hook
        if self._hook != hook:
            return
        stop = False
        if trainer.is_global_zero:
            first = trainer.optimizers[0].param_groups[0] if trainer.optimizers else {}
            lr = float(first["lr"]) if "lr" in first else None
            stop = recorder.seen(trainer.global_step, float(found[self._metric]), lr)
        if trainer.strategy.reduce_boolean_decision(stop, all=False):
            trainer.should_stop = True
