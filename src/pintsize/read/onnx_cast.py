"""Cast of ONNX: the same numbers in another format, where the Graph has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pintsize.errors import UnsupportedOp
from pintsize.ops import Argmax
from pintsize.read.draft import Draft, Value
from pintsize.read.onnx_call import OnnxCall

if TYPE_CHECKING:
    from onnx import GraphProto

#: ONNX's data types: float32, float16, float64, bfloat16
REAL = frozenset({1, 10, 11, 16})
#: all whole numbers but those of 4 bits
WHOLE = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
UINT8, INT8 = 2, 3


def cast(call: OnnxCall) -> Value:
    """Between kinds of real numbers: the Graph has one. Of an index to any numbers."""
    x, kind = call.value(), call.integer("to", 1)
    if kind not in REAL and not (kind in WHOLE and _is_index(call.draft, x.tensor)):
        raise UnsupportedOp(
            "it casts to whole numbers: only real ones are supported, and whole ones of an index"
        )
    return x


def _is_index(draft: Draft, tensor: str) -> bool:
    """Is it what an ArgMax gives, moved perhaps?"""
    node = next((n for n in draft.nodes if n.output == tensor), None)
    if node is None or isinstance(node.op, Argmax):
        return node is not None
    return node.op.ties_types and len(node.inputs) == 1 and _is_index(draft, node.inputs[0])


def keeps_codes(kind: int, unsigned: bool) -> bool:
    """Does a Cast to this kind leave codes what they are?"""
    return kind == (UINT8 if unsigned else INT8)


def grid_of_numbers(unsigned: bool) -> tuple[float, int]:
    """Scale and zero point (of int8 codes) with which codes stand for themselves."""
    return 1.0, -128 if unsigned else 0


def begins_behind_casts(graph: GraphProto, name: str) -> bool:
    """Is an input read by Casts to real numbers alone? They are left to the caller then."""
    readers = [n for n in graph.node if name in n.input]
    return bool(readers) and all(
        n.op_type == "Cast" and any(a.name == "to" and a.i in REAL for a in n.attribute) for n in readers
    )
