"""A small decoder-only byte-level transformer in JAX.

Pre-norm blocks, rotary positions, a GELU MLP four times as wide as the model, tied embeddings
and no biases.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from design import VOCAB, Shape

type Params = dict[str, Any]


def init_params(shape: Shape, seed: int) -> Params:
    """Draw the initial parameters with NumPy, so that they do not hang on JAX's generators."""
    rng = np.random.default_rng([seed, shape.n_layer, shape.d_model])
    d, n = shape.d_model, shape.n_layer

    def normal(*size: int, std: float) -> np.ndarray:
        return (std * rng.standard_normal(size)).astype(np.float32)

    def ones(*size: int) -> np.ndarray:
        return np.ones(size, np.float32)

    out_std = (d * 2 * n) ** -0.5  # keeps the residual stream's variance near one at any depth
    blocks = [
        {
            "norm_attn": ones(d),
            "qkv": normal(d, 3 * d, std=d**-0.5),
            "proj": normal(d, d, std=out_std),
            "norm_mlp": ones(d),
            "up": normal(d, 4 * d, std=d**-0.5),
            "down": normal(4 * d, d, std=out_std / 2),
        }
        for _ in range(n)
    ]
    return {"embed": normal(VOCAB, d, std=d**-0.5), "blocks": blocks, "norm": ones(d)}


def _norm(x: jax.Array, gain: jax.Array) -> jax.Array:
    """Root-mean-square norm."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * gain


def _rotary(x: jax.Array) -> jax.Array:
    """Rotate pairs of features by an angle that grows with the position; x is (B, H, T, K)."""
    t, k = x.shape[-2:]
    freq = 10_000.0 ** (-np.arange(0, k, 2) / k)
    angle = np.arange(t)[:, None] * freq[None, :]
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    a, b = x[..., : k // 2], x[..., k // 2 :]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _attention(x: jax.Array, block: Params) -> jax.Array:
    """Causal multi-head self-attention over (B, T, d)."""
    b, t, d = x.shape
    heads = Shape(1, d).heads
    qkv = (x.reshape(b * t, d) @ block["qkv"]).reshape(b, t, 3, heads, d // heads)
    q, k, v = (qkv[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    scores = jnp.einsum("bhqk,bhsk->bhqs", _rotary(q), _rotary(k)) * (d // heads) ** -0.5
    mask = np.tril(np.ones((t, t), bool))
    weights = jax.nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
    mixed = jnp.einsum("bhqs,bhsk->bhqk", weights, v)
    return (mixed.transpose(0, 2, 1, 3).reshape(b * t, d) @ block["proj"]).reshape(b, t, d)


def byte_losses(params: Params, chunks: jax.Array) -> jax.Array:
    """Negative log likelihood of every predicted byte, in nats.

    Parameters
    ----------
    params
        The model's parameters.
    chunks
        Bytes, (batch, CONTEXT + 1): each one but the first is predicted from those before it.

    Returns
    -------
    jax.Array
        Losses, (batch, CONTEXT).
    """
    tokens = chunks.astype(jnp.int32)
    b, t, d = *tokens[:, 1:].shape, params["embed"].shape[1]
    # The tied embedding suits the output's scale; the residual stream must start near one, or
    # the first block's output drowns the byte's identity and learning stalls at unigrams.
    x = params["embed"][tokens[:, :-1]] * d**0.5
    for block in params["blocks"]:
        x = x + _attention(_norm(x, block["norm_attn"]), block)
        hidden = jax.nn.gelu(_norm(x, block["norm_mlp"]).reshape(b * t, d) @ block["up"])
        x = x + (hidden @ block["down"]).reshape(b, t, d)
    logits = _norm(x, params["norm"]).reshape(b * t, d) @ params["embed"].T
    target = tokens[:, 1:].reshape(b * t)
    picked = jnp.take_along_axis(logits, target[:, None], axis=-1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=-1) - picked).reshape(b, t)


def matmul_flops(jaxpr: Any) -> int:
    """Count the operations of every matrix product in a traced program, two per multiply-add.

    Parameters
    ----------
    jaxpr
        What `jax.make_jaxpr` returns, without loops.
    """
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            inner = int(np.prod([left[axis] for axis in contracted]))
            total += 2 * inner * int(np.prod(equation.outvars[0].aval.shape))
        for value in equation.params.values():
            inner_program = getattr(value, "jaxpr", value)
            if hasattr(inner_program, "eqns"):
                total += matmul_flops(inner_program)
    return total
