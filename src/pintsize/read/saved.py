"""Reads a Graph that pintsize saved: `graph.json` and `weights.npz` in a folder."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from pintsize.errors import ModelError
from pintsize.graph import Graph, Node, Op, State, Tensor, TensorType
from pintsize.ops import OPS

FORMAT = 1
FILES = ("graph.json", "weights.npz")
#: what json, zipfile and numpy raise on files that are not what they were
DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, MemoryError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_saved(folder: str | Path) -> Graph:
    """The Graph saved in a folder. Raises ModelError when files are missing, damaged or of another format."""
    try:
        return graph_of({name: (Path(folder) / name).read_bytes() for name in FILES})
    except FileNotFoundError as error:
        raise ModelError(f"{folder} holds no saved graph: {Path(error.filename).name} is missing") from error
    except DAMAGE as error:
        raise ModelError(f"the graph saved in {folder} is damaged: {error}") from error


def graph_of(files: Mapping[str, bytes]) -> Graph:
    """The Graph of what `write/saved.py` made of it: name → content. Raises ModelError, or one of DAMAGE."""
    document = json.loads(files["graph.json"].decode())
    with np.load(io.BytesIO(files["weights.npz"]), allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    return _graph(document, arrays)


def _graph(document: Any, arrays: dict[str, np.ndarray]) -> Graph:
    if not isinstance(document, dict):
        raise ModelError("graph.json holds no graph")
    if document.get("format") != FORMAT:
        raise ModelError(f"this graph has format {document.get('format')}; this version reads {FORMAT}")
    tensors = {t["name"]: _tensor(t, arrays) for t in document["tensors"]}
    nodes = tuple(_node(n) for n in document["nodes"])
    states = (State(s["tensor"], s["next"], arrays[s["initial"]]) for s in document.get("states", ()))
    return Graph(
        document["name"], tensors, nodes, tuple(document["inputs"]), tuple(document["outputs"]),
        tuple(document["labels"]), tuple(states),
    )  # fmt: skip


def _node(described: dict[str, Any]) -> Node:
    op = _op(described["op"], described["attributes"])
    inputs, carried = tuple(described["inputs"]), tuple(described.get("carried", ()))
    return Node(described["name"], op, inputs, described["output"], described["source"], carried)


def _tensor(described: dict[str, Any], arrays: dict[str, np.ndarray]) -> Tensor:
    kind = TensorType(
        tuple(described["shape"]), described["dtype"], tuple(described.get("scale", ())),
        described.get("zero_point", 0), described.get("axis"),
    )  # fmt: skip
    return Tensor(described["name"], kind, arrays[described["constant"]] if "constant" in described else None)


def _op(name: str, attributes: dict[str, Any]) -> Op:
    if name not in OPS:
        raise ModelError(f"the saved graph has an op {name!r}, which this version does not know")
    kind = OPS[name]
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items() if k in known})
