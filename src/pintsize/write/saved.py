"""A Graph as two files: `graph.json` (types, nodes, states) and `weights.npz` (constants, and what states begin with).

Read back by `read/saved.py`. A Graph without states is written as it was before there were any.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from pintsize.graph import Graph, Tensor

FORMAT = 1


def graph_files(graph: Graph) -> dict[str, bytes]:
    """File name → content; the same Graph gives the same bytes."""
    constants = {t.name: f"c{i}" for i, t in enumerate(t for t in graph.tensors.values() if t.is_constant)}
    document = {
        "format": FORMAT,
        "name": graph.name,
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "labels": graph.labels,
        "tensors": [_tensor(t, constants.get(t.name)) for t in graph.tensors.values()],
        "nodes": [
            {"name": n.name, "op": n.op.name, "attributes": asdict(n.op), "inputs": n.inputs, "output": n.output,  # type: ignore[call-overload]
             "source": n.source, **({"carried": n.carried} if n.carried else {})}
            for n in graph.nodes
        ],
    }  # fmt: skip
    arrays = {key: graph.constant(name) for name, key in constants.items()}
    if graph.states:
        document["states"] = [
            {"tensor": s.tensor, "next": s.next, "initial": f"s{i}"} for i, s in enumerate(graph.states)
        ]
        arrays |= {f"s{i}": s.initial for i, s in enumerate(graph.states)}
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return {"graph.json": (json.dumps(document, indent=1) + "\n").encode(), "weights.npz": stream.getvalue()}


def _tensor(tensor: Tensor, constant: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {"name": tensor.name, "shape": tensor.type.shape, "dtype": tensor.type.dtype}
    if tensor.type.is_quantized:
        described |= {
            "scale": tensor.type.scale,
            "zero_point": tensor.type.zero_point,
            "axis": tensor.type.axis,
        }
    return described | ({"constant": constant} if constant else {})
