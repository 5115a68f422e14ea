"""Products of matrices, attention and layer norm of torch."""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.ops import LayerNorm, Linear, Matmul, Softmax, Transpose
from pintsize.read.draft import Call, Constant, Value
from pintsize.read.layout import Layout


def layer_norm(call: Call) -> Value:
    """aten.layer_norm: over the last axes of torch, as one."""
    x = call.arranged(call.value("input"), Layout.PLAIN)
    axes = len(call.arguments["normalized_shape"])
    if axes > x.rank:
        raise UnsupportedOp("it mixes the inputs of a batch: each input must be computed by itself")
    count = prod(x.shape[-axes:])
    gain, bias = (
        _flat(call.weights_or(name, np.full(count, default)))
        for name, default in (("weight", 1), ("bias", 0))
    )
    rows = x.tensor if axes == 1 else call.reshaped(x.tensor, (*x.shape[:-axes], count))
    op = LayerNorm(float(call.arguments["eps"]))
    tensor = call.emit(op, rows, call.constant(gain), call.constant(bias))
    return call.result(tensor, Layout.PLAIN)


def _flat(named: tuple[str, np.ndarray]) -> tuple[str, np.ndarray]:
    return named[0], named[1].reshape(-1)


def matmul(call: Call) -> Value:
    """aten.matmul, aten.bmm, aten.mm, of two tensors or with a constant matrix on either side."""
    names = ("self", "other") if "other" in call.arguments else ("self", "mat2")
    a, b = (call.arguments[name] for name in names)
    if isinstance(b, Constant):
        return _times_constant(call, call.value(names[0]), names[1])
    if isinstance(a, Constant):
        return _constant_times(call, call.value(names[1]), names[0])
    if a.rank != b.rank or a.rank < 2:
        raise UnsupportedOp(
            f"shapes {a.shape} and {b.shape}, batch left out, must be matrices with the same number of axes"
        )
    return call.result(_product(call, a, b), Layout.PLAIN)


def _product(call: Call, a: Value, b: Value) -> str:
    (left, transposed_a), (right, transposed_b) = _as_it_lies(call, a), _as_it_lies(call, b)
    return call.emit(Matmul(transposed_a, transposed_b), left, right)


def _as_it_lies(call: Call, value: Value) -> tuple[str, bool]:
    """A tensor that holds the matrices of a value, and whether it holds them transposed: nothing moves for that."""
    if value.layout is Layout.SIGNAL:
        return call.reshaped(value.tensor, value.shape[::-1]), True
    tensor = call.arranged(value, Layout.PLAIN).tensor
    made = next((n for n in call.draft.nodes if n.output == tensor), None)
    if made is not None and isinstance(made.op, Transpose):
        *before, rows, columns = made.op.axes
        if (*before, columns, rows) == tuple(range(value.rank)):
            return made.inputs[0], True
    return tensor, False


def _times_constant(call: Call, x: Value, name: str) -> Value:
    named, matrix = call.weights(name)  # (K, N), or (K,)
    if matrix.ndim > 2 or (matrix.ndim == 1 and x.rank < 1):
        raise UnsupportedOp("a constant factor must be one matrix")
    columns = matrix.T if matrix.ndim == 2 else matrix[np.newaxis]
    x = call.arranged(x, Layout.PLAIN)
    return call.result(_linear(call, x.tensor, (named, columns)), Layout.PLAIN)


def _constant_times(call: Call, x: Value, name: str) -> Value:
    named, matrix = call.weights(name)  # (M, K)
    if matrix.ndim != 2 or x.rank < 2:
        raise UnsupportedOp("a constant factor must be one matrix, and the other at least one for each input")
    if x.rank == 2:
        x = call.arranged(x, Layout.SIGNAL)
        return call.result(_linear(call, x.tensor, (named, matrix)), Layout.SIGNAL)
    swap = (*range(x.rank - 2), x.rank - 1, x.rank - 2)
    turned = call.permuted(call.arranged(x, Layout.PLAIN).tensor, swap)
    made = _linear(call, turned, (named, matrix))
    return call.result(call.permuted(made, swap), Layout.PLAIN)


def _linear(call: Call, x: str, weight: tuple[str, np.ndarray]) -> str:
    bias = f"{call.name}.bias", np.zeros(len(weight[1]))
    return call.emit(Linear(), x, call.constant(weight), call.constant(bias))


def attention(call: Call) -> Value:
    """aten.scaled_dot_product_attention: softmax(query · keyᵀ · scale) · value."""
    refused = {"attn_mask": None, "dropout_p": 0.0, "is_causal": False, "enable_gqa": False}
    for name, allowed in refused.items():
        if call.arguments[name] != allowed:
            raise UnsupportedOp(f"{name} is not supported: leave it at {allowed}")
    query, key, value = (call.value(n) for n in ("query", "key", "value"))
    if query.rank < 2:
        raise UnsupportedOp(
            "it mixes the inputs of a batch: query, key and value must be matrices for each input"
        )
    scale = call.arguments["scale"]
    beta = 1 / sqrt(query.shape[-1]) if scale is None else float(scale)
    if beta <= 0:
        raise UnsupportedOp(f"scale {beta} must be positive")
    (q, turned_q), (k, turned_k) = _as_it_lies(call, query), _as_it_lies(call, key)
    v, turned_v = _as_it_lies(call, value)
    scores = call.beside(Matmul(turned_q, not turned_k), q, k)
    weights = call.beside(Softmax(beta), scores)
    return call.result(call.emit(Matmul(False, turned_v), weights, v), Layout.PLAIN)
