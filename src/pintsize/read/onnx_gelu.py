"""GELU as exporters write it before opset 20, where ONNX has no op for it.

x / √2 → Erf → + 1 → · x → · ½, the products in any order
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from pintsize.read.onnx_neighbours import Neighbours

if TYPE_CHECKING:
    from onnx import NodeProto

TOLERANCE = 1e-3
#: behind the sum
PRODUCTS_MAX = 3


def gelu(found: Neighbours, erf: NodeProto) -> tuple[NodeProto, NodeProto] | None:
    """The last node of the GELU around an Erf, and the Gelu in place of it; None where there is none."""
    ends = _ends(found, erf)
    if ends is None:
        return None
    x, last = ends
    whole = type(last)()
    whole.CopyFrom(last)
    whole.op_type = "Gelu"
    whole.input[:] = [x]
    return last, whole


def _ends(found: Neighbours, erf: NodeProto) -> tuple[str, NodeProto] | None:
    """(x, the last node) of the GELU around an Erf; None where it is none."""
    before = found.made.get(erf.input[0]) if erf.input else None
    scaled = None if before is None else found.factor(before)
    if scaled is None or abs(scaled[1] - 1 / sqrt(2)) > TOLERANCE:
        return None
    x, total = scaled[0], found.after(erf.output[0], "Add")
    if total is None or 1.0 not in [found.numbers.get(i) for i in total.input]:
        return None
    factor, has_x, node = 1.0, False, total
    for _ in range(PRODUCTS_MAX):
        following = found.after(node.output[0], "Mul")
        other = None if following is None else _other(found, following, node.output[0], x)
        if following is None or other is None or (has_x and other[1]):
            return None
        factor, has_x, node = factor * other[0], has_x or other[1], following
        if has_x and abs(factor - 0.5) < TOLERANCE:
            return x, node
    return None


def _other(found: Neighbours, product: NodeProto, one: str, x: str) -> tuple[float, bool] | None:
    """(factor, is x in it) of what else a product multiplies; None where it is neither x nor a number."""
    other = next((i for i in product.input if i != one), "")
    if other == x:
        return 1.0, True
    if other in found.numbers:
        return found.numbers[other], False
    maker = found.made.get(other)
    scaled = None if maker is None else found.factor(maker)
    return (scaled[1], True) if scaled is not None and scaled[0] == x else None
