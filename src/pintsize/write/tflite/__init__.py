"""Writes a Graph as a .tflite file, which TFLite Micro and LiteRT run.

TFLite Micro computes the integers of an integer Graph bit for bit; LiteRT's optimized kernels round in floating point
and differ by a code here and there.
"""

from __future__ import annotations

from pintsize.errors import UnsupportedOp
from pintsize.graph import Graph
from pintsize.write.tflite.draft import Draft, Writing
from pintsize.write.tflite.flat import flatbuffer
from pintsize.write.tflite.operators import WRITES

__all__ = ["WRITES", "drafted", "write_tflite"]


def write_tflite(graph: Graph) -> bytes:
    """The file of an integer or a float Graph; the same Graph gives the same bytes.

    Raises UnsupportedOp, naming every node, for what .tflite cannot say; MissingExtra without the schema's bindings.
    """
    draft = drafted(graph)
    inputs, outputs = ([draft.activation(n) for n in names] for names in (graph.inputs, graph.outputs))
    return flatbuffer(draft.tensors, draft.operators, inputs, outputs, f"pintsize {graph.name}")


def drafted(graph: Graph) -> Draft:
    """The file's tensors and operators, as plain data. Raises UnsupportedOp as `write_tflite` does."""
    draft = Draft(graph)
    draft.activation(graph.inputs[0])
    problems: list[str] = []
    for node in graph.nodes:
        writes = WRITES.get(node.op.name)
        if writes is None:
            problems.append(f"{node.name}: {node.op.name} is not written")
            continue
        try:
            writes(Writing(draft, node))
        except UnsupportedOp as error:
            problems.append(f"{node.name} ({node.op.name}): {error}")
    if problems:
        raise UnsupportedOp(f"{graph.name} cannot be written as .tflite:\n  " + "\n  ".join(problems))
    draft.activation(graph.outputs[0])
    return draft
