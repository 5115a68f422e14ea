"""What a finished folder says about itself: manifest.json, and the golden vectors beside it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from pintsize.graph import Graph
from pintsize.ops.embedding import ids_read
from pintsize.ops.signal import rate_read
from pintsize.version import VERSION

FORMAT = 1


def manifest(
    graph: Graph,
    device: Mapping[str, Any],
    metrics: Mapping[str, Any],
    files: Mapping[str, bytes],
    **more: Any,
) -> bytes:
    """manifest.json of these files. device: has name and core; metrics: figure → value; more: further entries."""
    document = {
        "format": FORMAT,
        "name": graph.name,
        "pintsize_version": VERSION,
        "device": device["name"],
        "core": device["core"],
        "input": _interface(graph, graph.inputs[0]),
        "output": _interface(graph, graph.outputs[0]),
        "labels": list(graph.labels),
        "metrics": dict(metrics),
        **({"stateful": True} if graph.states else {}),
        **more,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def golden_file(inputs: np.ndarray, outputs: np.ndarray) -> bytes:
    """golden.npz: the integers that every build must compute."""
    stream = io.BytesIO()
    np.savez(stream, inputs=inputs, outputs=outputs)
    return stream.getvalue()


def _interface(graph: Graph, name: str) -> dict[str, Any]:
    """ids: how many there are, where the tensor holds token ids and no numbers; rate_hz: of samples, where it is
    known.
    """
    kind = graph.type(name)
    ids = ids_read(graph) if name in graph.inputs else 0
    rate_hz = rate_read(graph) if name in graph.inputs else 0.0
    return {
        "shape": list(kind.shape),
        "dtype": kind.dtype,
        "scale": kind.scale[0],
        "zero_point": kind.zero_point,
        **({"ids": ids} if ids else {}),
        **({"rate_hz": rate_hz} if rate_hz else {}),
    }
