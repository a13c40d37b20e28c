"""A callback of Hugging Face's Trainer (the extra ``huggingface``)."""

from typing import Any, override

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise ImportError(
        "the callback of Hugging Face's Trainer needs an extra: pip install "
        "'bayes_scaling[huggingface]'"
    ) from error

from bayes_scaling.curves.callbacks.recorder import Recorder
from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.curves.stopping.verdict import Verdict

__all__ = ["StopCallback"]


class StopCallback(TrainerCallback):
    """Stop a run of Trainer when the rest of it is not worth its cost, or it has diverged.

    A run resumed from a checkpoint is judged with what it had logged before.

    Trainer replaces a training loss that is no number by a mean of those before it, or by 0, and
    leaves such batches out of the evaluation, unless ``logging_nan_inf_filter=False``: without
    that, such a divergence cannot be seen.

    In a distributed run process zero alone judges: losses that Trainer logs are means over all
    processes. The others wait for its answer at each logged loss, so all stop at the same step;
    they have no verdict and ``callback`` is not called there. This goes by ``torch.distributed``;
    where processes are joined by something else (XLA) only process zero would stop, so do not
    use it there. Each process must log the loss, as Trainer does.

    Parameters
    ----------
    metric : str, optional
        Loss to judge by; "eval_loss" if the trainer evaluates, else "loss". With several
        evaluation sets it is "eval_NAME_loss".
    **rule
        As for :class:`~bayes_scaling.curves.callbacks.rule.Rule`: ``end``, ``every``, ``patience``,
        ``callback``, ``utility``, ``reference``, ``seed``, ``laws``, ``schedule``, ``population``
        and ``particles``. The planned end is ``max_steps`` of
        the trainer's state by default.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    """

    def __init__(self, *, metric: str | None = None, **rule: Any) -> None:
        self._rule = Rule(**rule)
        self._metric = metric
        self._recorder: Recorder | None = None
        self._training = self._evaluated = False
        self._lr: float | None = None

    @property
    def verdict(self) -> Verdict | None:
        """Last verdict; None before there are four points."""
        return self._recorder.verdict if self._recorder else None

    @override
    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin a curve, with what a resumed run had logged."""
        evaluates = args.eval_strategy != "no"
        metric = self._metric or ("eval_loss" if evaluates else "loss")
        self._lr, before = None, []
        for row in state.log_history:
            self._lr = row.get("learning_rate", self._lr)
            if metric in row:
                before.append((row["step"], row[metric], self._lr))
        self._recorder = Recorder(self._rule, state.max_steps, metric, before)
        self._training, self._evaluated = True, False

    @override
    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Take a point, and stop if the rule says so."""
        recorder, found = self._recorder, logs or {}
        # Evaluation outside of training, of another data set as like as not, is no point.
        if recorder is None or not self._training:
            return
        # Evaluation logs no rate: that of the last training loss holds.
        self._lr = found.get("learning_rate", self._lr)
        if recorder.metric not in found:
            # By the next training loss all evaluation sets are through.
            if self._evaluated and "loss" in found:
                self._expect(state)
            return
        stop = False
        if state.is_world_process_zero:
            stop = recorder.seen(state.global_step, float(found[recorder.metric]), self._lr)
        if _agreed(stop):
            control.should_training_stop = True

    @override
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember that there was an evaluation."""
        self._evaluated = True

    @override
    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the curve."""
        self._training = False
        self._expect(state)

    def _expect(self, state: Any) -> None:
        """Warn if there should be a point by now, and there is none."""
        recorder = self._recorder
        if recorder and state.is_world_process_zero and not (recorder.points or recorder.verdict):
            recorder.missing({name for row in state.log_history for name in row})


def _agreed(stop: bool) -> bool:
    """Return the decision of process zero, in all processes."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return stop
    decision = [stop]
    dist.broadcast_object_list(decision, src=0)
    return decision[0]
