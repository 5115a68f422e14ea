"""Damaged and hostile ONNX files: each is read, or refused with an error of ours, in little time and memory."""

from __future__ import annotations

import resource
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import ModelError
from pintsize.read.onnx import read_onnx
from tests.onnx_models import build, numbers, onnx, quantized, typed
from tests.read.test_onnx import CASES, W

SECONDS_MAX = 10.0
MEMORY_BYTES_MAX = 2 * 2**30
#: numbers that break what believes them
HOSTILE = (0, 1, -1, 2, 7, 2**16, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62, -(2**63))


@cache
def seeds(folder: Path) -> tuple[bytes, ...]:
    """Small models of all ops, one of them quantized."""
    models = [
        typed(build(nodes, shape, constants, opset)) for nodes, shape, constants, opset in CASES.values()
    ]
    helper = onnx.helper
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["y"]),
    ]
    model = build(nodes, ("n", 4, 8, 6), {"w": W, "v": numbers(30, 3)})
    codes = [quantized(model, numbers(4, 4, 8, 6), folder, signed=s) for s in (False, True)]
    return (*models, *codes * (len(models) // 6))


def flipped(model: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(model)
    for _ in range(int(rng.integers(1, 9))):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return bytes(data)


def cut(model: bytes, rng: np.random.Generator) -> bytes:
    return model[: int(rng.integers(len(model)))]


def spliced(model: bytes, rng: np.random.Generator) -> bytes:
    """A stretch of the file a second time, or left out, or overwritten."""
    start, stop, place = sorted(int(n) for n in rng.integers(len(model), size=3))
    return (model[:place] + model[start:stop] + model[place:], model[:start] + model[stop:],
            model[:start] + bytes(stop - start) + model[stop:])[int(rng.integers(3))]  # fmt: skip


def rewritten(model: bytes, rng: np.random.Generator) -> bytes:
    """Still a well-formed file: sizes, attributes, names or types of one part changed."""
    changed = onnx.load_from_string(model)
    graph = changed.graph
    number = int(rng.choice(np.array(HOSTILE, dtype=object)))
    kind = int(rng.integers(7))
    if kind == 0 and graph.initializer:
        tensor = graph.initializer[int(rng.integers(len(graph.initializer)))]
        tensor.dims[:] = [number] * int(rng.integers(1, 5))
    elif kind == 1:
        dims = graph.input[0].type.tensor_type.shape.dim
        dims[int(rng.integers(len(dims)))].dim_value = number
    elif kind == 2:
        nodes = [n for n in graph.node if n.attribute] or list(graph.node)
        chosen = nodes[int(rng.integers(len(nodes)))]
        for attribute in chosen.attribute:
            attribute.i = number
            attribute.ints[:] = [number if rng.integers(2) else n for n in attribute.ints]
    elif kind == 3:
        chosen = graph.node[int(rng.integers(len(graph.node)))]
        names = [o for n in graph.node for o in n.output] + [t.name for t in graph.initializer]
        if chosen.input:
            chosen.input[int(rng.integers(len(chosen.input)))] = names[int(rng.integers(len(names)))]
    elif kind == 4:
        chosen = graph.node[int(rng.integers(len(graph.node)))]
        others = [n.op_type for nodes, *_ in CASES.values() for n in nodes]
        chosen.op_type = others[int(rng.integers(len(others)))]
    elif kind == 5 and graph.initializer:
        tensor = graph.initializer[int(rng.integers(len(graph.initializer)))]
        tensor.data_type = int(rng.integers(24))
    elif graph.initializer:
        tensor = graph.initializer[int(rng.integers(len(graph.initializer)))]
        whole = np.frombuffer(tensor.raw_data, np.uint8).copy()
        if tensor.data_type == 7 and len(whole):
            whole = np.array([max(min(number, 2**63 - 1), -(2**63))] * (len(whole) // 8), np.int64).view(
                np.uint8
            )
        elif len(whole):
            whole[:] = rng.integers(256, size=len(whole))
        tensor.raw_data = whole.tobytes()
    return changed.SerializeToString()


def assert_survives(count: int, folder: Path, seed: int) -> None:
    """So many damaged files: none crashes, hangs, or takes more memory than is allowed."""
    rng = np.random.default_rng(seed)
    models = seeds(folder)
    refused = 0
    for i in range(count):
        damage = (flipped, cut, spliced, rewritten, rewritten)[i % 5]
        hostile = damage(models[int(rng.integers(len(models)))], rng)
        began = time.process_time()
        try:
            read_onnx(hostile)
        except ModelError:
            refused += 1
        assert time.process_time() - began < SECONDS_MAX, f"file {i} of seed {seed} takes too long"
    assert refused > count / 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MEMORY_BYTES_MAX


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    assert_survives(300, tmp_path, seed=1)


@pytest.mark.long
def test_five_thousand_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    assert_survives(5000, tmp_path, seed=2)
