"""One training run: data order, optimiser, evaluation, checkpoints and the finished record."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import corpora
import jax
import jax.numpy as jnp
import numpy as np
from design import (
    BATCH,
    BATCH_TOKENS,
    CHUNK_STEPS,
    CONTEXT,
    Run,
    Shape,
    evaluation_steps,
    learning_rate,
)
from model import Params, byte_losses, init_params, matmul_flops

if TYPE_CHECKING:
    from pathlib import Path

BETA1, BETA2, EPS = 0.9, 0.95, 1e-8
CLIP = 1.0
LOSS_WINDOW = 256  # steps that a curve's training loss is the mean of, at the most
EVAL_BATCH = 16
PROBE_CHUNKS = 128  # validation chunks behind the curve's points before the last one

type State = tuple[Params, Params, Params]


@dataclass
class Progress:
    """Where a run stands: optimiser state, steps done, the curve so far and the seconds spent."""

    state: State
    step: int
    curve: list[dict[str, float]]
    seconds: float


def n_chunks(text: bytes) -> int:
    """Return how many chunks a text is cut into: each predicts CONTEXT bytes from those before."""
    return (len(text) - 1) // CONTEXT


def gather(text: np.ndarray, chunks: np.ndarray) -> np.ndarray:
    """Cut the chunks with the given numbers out of a text: (..., CONTEXT + 1) bytes."""
    return text[chunks[..., None] * CONTEXT + np.arange(CONTEXT + 1)]


@lru_cache(maxsize=4)
def epoch_order(total: int, unique: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which an epoch visits the chunks that a run may see.

    The first epoch visits the first `unique` of all chunks, shuffled, so a run on little text
    and one on all of it begin alike; later epochs shuffle those again.
    """
    order = np.random.default_rng([seed, 0]).permutation(total)[:unique]
    if epoch == 0:
        return order
    return np.random.default_rng([seed, epoch]).permutation(order)


def training_chunks(total: int, unique: int, seed: int, start: int, count: int) -> np.ndarray:
    """Return which chunks are drawn at positions `start` and on.

    The answer depends on the seed and the position alone, so a resumed run sees the same data.

    Parameters
    ----------
    total
        Chunks in the training text.
    unique
        How many of them the run may see.
    seed
        The run's seed.
    start, count
        First position, number of positions.
    """
    positions = np.arange(start, start + count)
    drawn = np.empty(count, np.int64)
    for epoch in np.unique(positions // unique):
        here = positions // unique == epoch
        drawn[here] = epoch_order(total, unique, seed, int(epoch))[positions[here] % unique]
    return drawn


@jax.jit
def train_chunk(
    state: State, first: jax.Array, rates: jax.Array, data: jax.Array
) -> tuple[State, jax.Array]:
    """Take CHUNK_STEPS steps of Adam with the gradient's global norm clipped.

    Parameters
    ----------
    state
        Parameters and the two moments.
    first
        Number of steps taken before.
    rates
        Learning rate of each step.
    data
        Bytes of each step, (CHUNK_STEPS, BATCH, CONTEXT + 1).

    Returns
    -------
    tuple
        The new state and each step's loss.
    """

    def step(state: State, batch: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[State, Any]:
        params, mean, square = state
        count, rate, chunks = batch
        loss, grads = jax.value_and_grad(lambda p: byte_losses(p, chunks).mean())(params)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(grads)))
        scale = jnp.minimum(1.0, CLIP / norm)
        mean = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * scale * g, mean, grads)
        square = jax.tree.map(
            lambda s, g: BETA2 * s + (1 - BETA2) * (scale * g) ** 2, square, grads
        )
        fix1, fix2 = 1 - BETA1**count, 1 - BETA2**count
        params = jax.tree.map(
            lambda p, m, s: p - rate * (m / fix1) / (jnp.sqrt(s / fix2) + EPS),
            params,
            mean,
            square,
        )
        return (params, mean, square), loss

    counts = first + 1.0 + jnp.arange(CHUNK_STEPS)
    return jax.lax.scan(step, state, (counts, rates, data))


@jax.jit
def chunk_losses(params: Params, chunks: jax.Array) -> jax.Array:
    """Return each chunk's mean loss."""
    return byte_losses(params, chunks).mean(axis=1)


def evaluate(params: Params, text: np.ndarray, chunks: np.ndarray) -> np.ndarray:
    """Return the mean loss of each of the numbered chunks of a text."""
    padded = np.resize(chunks, -(-len(chunks) // EVAL_BATCH) * EVAL_BATCH)
    batches = [gather(text, part) for part in padded.reshape(-1, EVAL_BATCH)]
    losses = [np.asarray(chunk_losses(params, batch), np.float64) for batch in batches]
    return np.concatenate(losses)[: len(chunks)]


def check_flops(shape: Shape) -> None:
    """Check the formula for the operations against the traced gradient program."""
    params = init_params(shape, 0)
    chunks = np.zeros((BATCH, CONTEXT + 1), np.uint8)
    program = jax.make_jaxpr(jax.grad(lambda p: byte_losses(p, chunks).mean()))(params)
    counted = matmul_flops(program.jaxpr)
    if counted != shape.flops_per_token * BATCH_TOKENS:
        raise RuntimeError(f"{shape}: counted {counted} operations per step, not the formula's")


def _replace(path: Path, write: Any) -> None:
    """Write beside a file, then rename, so that a killed run leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as handle:
        write(handle)
    beside.replace(path)


def save_checkpoint(path: Path, progress: Progress) -> None:
    """Store a run's progress."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(progress.state)]
    rest = json.dumps([progress.step, progress.curve, progress.seconds])
    arrays = {f"leaf{i}": leaf for i, leaf in enumerate(leaves)}
    _replace(path, partial(np.savez, rest=np.array(rest), **arrays))


def start_or_resume(path: Path, run: Run) -> Progress:
    """Load a run's checkpoint, or begin it."""
    params = init_params(run.shape, run.seed)
    zeros = jax.tree.map(np.zeros_like, params)
    state = (params, zeros, zeros)
    if not path.exists():
        return Progress(state, 0, [], 0.0)
    with np.load(path) as stored:
        leaves = [stored[f"leaf{i}"] for i in range(len(jax.tree.leaves(state)))]
        step, curve, seconds = json.loads(str(stored["rest"]))
    return Progress(jax.tree.unflatten(jax.tree.structure(state), leaves), step, curve, seconds)


def visible_chunks(run: Run, total: int) -> int:
    """Return how many of the training text's chunks a run may see."""
    unique = total if run.unique is None else run.unique // CONTEXT
    if unique > total:
        raise RuntimeError(f"{run.name} wants {unique} chunks of text, there are {total}")
    return unique


def advance(run: Run, progress: Progress, train: np.ndarray, total: int) -> np.ndarray:
    """Take the next CHUNK_STEPS steps, or as many as are left; return their losses.

    A chunk is compiled once, so the last one is as long as the others: steps past the end have
    a rate of zero and leave the parameters as they are.
    """
    steps = range(progress.step, progress.step + CHUNK_STEPS)
    rates = np.float32([learning_rate(step, run.steps, run.lr) for step in steps])
    unique = visible_chunks(run, total)
    drawn = training_chunks(total, unique, run.seed, progress.step * BATCH, CHUNK_STEPS * BATCH)
    data = gather(train, drawn.reshape(CHUNK_STEPS, BATCH))
    progress.state, losses = train_chunk(progress.state, np.float32(progress.step), rates, data)
    taken = min(CHUNK_STEPS, run.steps - progress.step)
    progress.step += taken
    return np.asarray(losses, np.float64)[:taken]


def train_run(run: Run, checkpoint: Path, record: Path, stop_at: int | None = None) -> None:
    """Train one model, or go on where it was stopped, and write its record.

    Parameters
    ----------
    run
        What to train.
    checkpoint
        File for the progress, removed at the end.
    record
        File for the finished run.
    stop_at
        Stop after this many steps, or at the end of the chunk they fall in, to try resuming.
    """
    check_flops(run.shape)
    corpus = corpora.cached(run.family, checkpoint.parent)
    train, val = (np.frombuffer(text, np.uint8) for text in (corpus.train, corpus.val))
    total, val_total = n_chunks(corpus.train), n_chunks(corpus.val)
    probe = np.linspace(0, val_total - 1, PROBE_CHUNKS).astype(np.int64)
    progress = start_or_resume(checkpoint, run)
    began, points = time.perf_counter() - progress.seconds, evaluation_steps(run.steps)
    since: list[float] = []  # a checkpoint is only written where this is empty
    end = run.steps if stop_at is None else min(stop_at, run.steps)
    while progress.step < end:
        losses = advance(run, progress, train, total)
        if not np.isfinite(losses).all():
            raise RuntimeError(f"{run.name} diverged by step {progress.step}")
        since = (since + losses.tolist())[-LOSS_WINDOW:]
        if progress.step not in points:
            continue
        at_end = progress.step == run.steps
        val_losses = evaluate(progress.state[0], val, np.arange(val_total) if at_end else probe)
        progress.curve.append(_curve_point(run, progress.step, since, val_losses))
        progress.seconds = time.perf_counter() - began
        since = []
        if not at_end:
            save_checkpoint(checkpoint, progress)
    if progress.step == run.steps:
        result = _record(run, progress, val_losses, total, corpus.sha256)
        result["probe_loss"] = float(val_losses[probe].mean())
        text = json.dumps(result, indent=1).encode() + b"\n"
        _replace(record, lambda handle: handle.write(text))
        checkpoint.unlink(missing_ok=True)


def _curve_point(run: Run, step: int, losses: list[float], val: np.ndarray) -> dict[str, float]:
    """Return one row of the curve, after `step` steps."""
    return {
        "step": step,
        "tokens": step * BATCH_TOKENS,
        "lr": learning_rate(step - 1, run.steps, run.lr),
        "train_loss": float(np.mean(losses)),
        "train_steps": len(losses),
        "val_loss": float(val.mean()),
        "val_tokens": len(val) * CONTEXT,
    }


def _record(
    run: Run, progress: Progress, val: np.ndarray, total: int, checksum: str
) -> dict[str, Any]:
    """Return the finished run's record."""
    shape = run.shape
    return {
        "run": run.name,
        "family": run.family,
        "role": run.role,
        "params": shape.params,
        "params_nonemb": shape.params_nonemb,
        "tokens": run.tokens,
        "unique_tokens": min(run.tokens, visible_chunks(run, total) * CONTEXT),
        "flops": run.flops,
        "flops_6nd": 6 * shape.params * run.tokens,
        "loss": float(val.mean()),
        "loss_se": float(val.std(ddof=1) / np.sqrt(len(val))),
        "loss_unit": "nats/byte",
        "n_layer": shape.n_layer,
        "d_model": shape.d_model,
        "seed": run.seed,
        "lr": run.lr,
        "lr_schedule": "cosine",
        "cooldown": True,
        "steps": run.steps,
        "batch_tokens": BATCH_TOKENS,
        "wall_s": round(progress.seconds, 2),
        "train_loss": progress.curve[-1]["train_loss"],
        "corpus_sha256": checksum,
        "curve": progress.curve,
    }
