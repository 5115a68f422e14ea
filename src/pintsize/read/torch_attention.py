"""nn.MultiheadAttention, which torch writes out as some 25 ops that move the batch about: read as a whole.

Queries, keys and values are three linear layers and heads are an axis of their own:

    (T, E) → linear → (T, heads, d) → (heads, T, d);  softmax(q · kᵀ / √d) · v → (T, heads, d) → (T, E) → linear
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import fx

from pintsize.errors import UnsupportedOp
from pintsize.ops import Linear, Matmul, Reshape, Softmax, Transpose
from pintsize.read.aliasing import op_name
from pintsize.read.draft import Call, Constant, Value
from pintsize.read.layout import Layout

KIND = "torch.nn.modules.activation.MultiheadAttention"
PLAIN = (
    "only plain self-attention is supported: one input for query, key and value, batch_first=True, no masks"
)
#: what plain self-attention is written out as
WRITTEN = frozenset(
    {"bmm", "contiguous", "linear", "mean", "mul", "permute", "reshape", "scaled_dot_product_attention", "select",
     "softmax", "squeeze", "transpose", "unflatten", "unsqueeze", "view", "_assert_tensor_metadata"}
)  # fmt: skip
WEIGHTS = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")


@dataclass(frozen=True)
class WholeAttention:
    """One call of an nn.MultiheadAttention. `last`: the node of its output; `outside`: the tensors that it reads."""

    nodes: tuple[fx.Node, ...]
    last: fx.Node
    outside: tuple[fx.Node, ...]

    def arguments(self, values: Mapping[fx.Node, Any]) -> dict[str, Any]:
        """Its input `x`, its weights by their names, `heads` and `d`. Raises UnsupportedOp for what is not plain."""
        given = [values.get(n) for n in self.outside]
        tensors = [v for v in given if isinstance(v, Value)]
        weights = {_weight(v): v for v in given if isinstance(v, Constant)}
        others = any(op_name(n) not in WRITTEN for n in self.nodes)
        batch_first = op_name(self.last) == "transpose"  # it goes back behind the batch
        plain = len(tensors) == 1 and "" not in weights and "in_proj_weight" in weights and batch_first
        if not plain or others or self._is_masked():
            raise UnsupportedOp(PLAIN)
        inner = [n for n in self.nodes if n is not self.last]
        if any(u not in self.nodes for n in inner for u in n.users):
            raise UnsupportedOp("its attention weights are read too: leave them out, with need_weights=False")
        size = next(n.meta["val"].shape[-1] for n in self.nodes if op_name(n) == "view")
        return {"x": tensors[0], "d": int(size), **{name: weights.get(name) for name in WEIGHTS}}

    def _is_masked(self) -> bool:
        attends = next((n for n in self.nodes if op_name(n) == "scaled_dot_product_attention"), None)
        return attends is not None and (len(attends.args) > 3 or bool(attends.kwargs))


def _weight(constant: Constant) -> str:
    return next((name for name in WEIGHTS if constant.name == name or constant.name.endswith("." + name)), "")


def whole_attentions(graph: fx.Graph) -> dict[fx.Node, WholeAttention]:
    """Each call by the node of its output."""
    calls: dict[str, list[fx.Node]] = {}
    for node in graph.nodes:
        stack = list((node.meta.get("nn_module_stack") or {}).items())
        if node.op == "call_function" and _is_tensor(node) and stack and _kind(stack[-1][1][1]) == KIND:
            calls.setdefault(stack[-1][0], []).append(node)
    found = [_whole(tuple(nodes)) for nodes in calls.values()]
    return {whole.last: whole for whole in found if whole}


def _is_tensor(node: fx.Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)


def _kind(given: Any) -> str:
    return given if isinstance(given, str) else f"{given.__module__}.{given.__qualname__}"


def _whole(nodes: tuple[fx.Node, ...]) -> WholeAttention | None:
    inside: Set[fx.Node] = set(nodes)
    ends = [n for n in nodes if not inside.issuperset(n.users)]
    outside = dict.fromkeys(i for n in nodes for i in n.all_input_nodes if i not in inside)
    if not ends:
        return None
    last = next((n for n in reversed(ends) if len(n.meta["val"].shape) == 3 and _is_output(n)), ends[-1])
    return WholeAttention(nodes, last, tuple(outside))


def _is_output(node: fx.Node) -> bool:
    """The attended values go through the output layer; the weights do not."""
    while op_name(node) in ("transpose", "view"):
        node = node.all_input_nodes[0]
    return op_name(node) == "linear"


def multihead_attention(call: Call) -> Value:
    """Arguments as `WholeAttention.arguments` gives them."""
    x = call.arranged(call.value("x"), Layout.PLAIN)
    if x.rank != 2:
        raise UnsupportedOp("its input must be (batch, steps, features)")
    d = call.arguments["d"]
    named, packed = call.weights("in_proj_weight")  # (3 E, E): queries, keys, values
    width = packed.shape[1]
    bias_name, bias = call.weights_or("in_proj_bias", np.zeros(3 * width))
    parts = zip("qkv", np.split(packed, 3), np.split(bias, 3), strict=True)
    q, k, v = (
        _heads(call, x.tensor, p, (f"{named}.{p}", w), (f"{bias_name}.{p}", b), d) for p, w, b in parts
    )
    scores = call.beside(Matmul(transposed_b=True), q, k)
    attended = call.beside(Matmul(), call.beside(Softmax(1 / sqrt(d)), scores), v)  # (heads, T, d)
    together = call.beside(Reshape((x.shape[0], -1)), call.beside(Transpose((1, 0, 2)), attended))
    weight, last_bias = call.weights("out_proj.weight"), call.weights_or("out_proj.bias", np.zeros(width))
    return call.result(
        call.emit(Linear(), together, call.constant(weight), call.constant(last_bias)), Layout.PLAIN
    )


def _heads(
    call: Call, x: str, part: str, weight: tuple[str, np.ndarray], bias: tuple[str, np.ndarray], d: int
) -> str:
    """(T, E) → (heads, T, d)."""
    inputs = (x, call.constant(weight), call.constant(bias))
    made = call.draft.add(Linear(), inputs, f"{call.name}.{part}", call.source)
    steps = call.draft.shape(made)[0]
    return call.beside(Transpose((1, 0, 2)), call.beside(Reshape((steps, -1, d)), made))
