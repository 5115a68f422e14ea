"""Layer normalization as exporters write it before opset 17, where ONNX has no op for it.

d = x - ReduceMean(x);  d / Sqrt(ReduceMean(d ^ 2) + ε) · gain + bias
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pintsize.read.onnx_neighbours import Neighbours

if TYPE_CHECKING:
    from onnx import NodeProto


def layer_norm(found: Neighbours, quotient: NodeProto) -> tuple[NodeProto, NodeProto] | None:
    """The last node of the normalization around a Div, and the LayerNormalization in place of it; None if none."""
    x, epsilon = _normalized(found, quotient) or ("", 0.0)
    product = found.after(quotient.output[0], "Mul") if x else None
    last = None if product is None else found.after(product.output[0], "Add")
    if product is None or last is None:
        return None
    gain, bias = _other(product, quotient.output[0]), _other(last, product.output[0])
    whole = type(last)()
    whole.CopyFrom(last)
    whole.op_type = "LayerNormalization"
    whole.input[:] = [x, gain, bias]
    added = whole.attribute.add()
    added.name, added.f = "epsilon", epsilon
    added.type = added.FLOAT
    return last, whole


def _other(node: NodeProto, one: str) -> str:
    return next((i for i in node.input if i != one), "")


def _normalized(found: Neighbours, quotient: NodeProto) -> tuple[str, float] | None:
    """(x, ε) of what is x less its mean, over its standard deviation."""
    if len(quotient.input) != 2:
        return None
    above, below = quotient.input
    difference, root = found.maker(above, "Sub"), found.maker(below, "Sqrt")
    total = None if root is None else found.maker(root.input[0], "Add")
    if difference is None or total is None or len(difference.input) != 2:
        return None
    x, mean = difference.input
    epsilon = next((found.numbers[i] for i in total.input if i in found.numbers), None)
    variance = next((i for i in total.input if i not in found.numbers), "")
    if epsilon is None or not _is_mean(found, mean, x):
        return None
    square = found.made.get(_mean_of(found, variance))
    if square is None or not _is_square(found, square, above):
        return None
    return x, epsilon


def _mean_of(found: Neighbours, tensor: str) -> str:
    """What a tensor is the mean of, over the last axis; "" where it is none."""
    node = found.maker(tensor, "ReduceMean")
    if node is None:
        return ""
    axes = next((list(a.ints) for a in node.attribute if a.name == "axes"), [])
    keeps = all(a.i == 1 for a in node.attribute if a.name == "keepdims")
    return node.input[0] if axes == [-1] and keeps else ""


def _is_mean(found: Neighbours, tensor: str, of: str) -> bool:
    return of != "" and _mean_of(found, tensor) == of


def _is_square(found: Neighbours, node: NodeProto, of: str) -> bool:
    if node.op_type == "Mul":
        return list(node.input) == [of, of]
    return node.op_type == "Pow" and node.input[0] == of and found.numbers.get(node.input[1]) == 2.0
