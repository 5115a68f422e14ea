"""Damaged .tflite files are read or refused with a ModelError: none crashes, hangs or asks for much memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import numpy as np
import pytest

from pintsize.errors import ModelError
from pintsize.graph import Graph
from pintsize.read.tflite import read_tflite
from pintsize.read.tflite_ops import READS
from pintsize.write.tflite import drafted, write_tflite
from pintsize.write.tflite.flat import FlatOperator, flatbuffer
from tests.examples import example_graph, example_integers, examples

pytest.importorskip("tflite", reason="needs the tflite schema bindings")

SEEDS = (
    "conv2d_1", "depthwise_conv2d_0", "linear_1", "add_1", "mul_0", "concat_0", "softmax_0", "average_pool2d_0",
    "max_pool2d_0", "reshape_1", "transpose_0", "pad_1", "pad_2", "mean_2", "slice_1", "gather_0", "lstm_0",
    "transpose_conv2d_1", "resize_bilinear_0", "matmul_0", "prelu_0", "leaky_relu_0", "argmax_0",
)  # fmt: skip
#: attributes stored in a byte
ENUMS = ("Padding", "FusedActivationFunction", "OutputType", "Mode")
LARGEST_BYTES = 2 << 30
LONGEST_S = 10.0


Absurd = Callable[[np.random.Generator], Any]


def graphs() -> list[Graph]:
    """Small graphs with every kind of attribute, of integers and of real numbers."""
    found = {name: example for name, example in examples().items() if name in SEEDS}
    assert set(found) == set(SEEDS)
    return [make(e) for e in found.values() for make in (example_integers, example_graph)]


def odd_number(rng: np.random.Generator) -> int:
    return int(rng.choice([-1, 0, 1, 2, 3, 7, 255, 4096, 2**14, 2**20, 2**28, 2**31 - 1, -(2**31)]))


def mutated_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """The file with flipped bits, odd numbers, or parts that are gone, doubled or swapped."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 3))):
        at, size = int(rng.integers(len(changed))), int(rng.integers(1, 16))
        word = at - at % 4
        match int(rng.integers(12)):
            case 0 | 1 | 2:
                changed[at] ^= 1 << int(rng.integers(8))
            case 3 | 4:
                changed[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
            case 5 | 6:
                changed[word : word + 4] = odd_number(rng).to_bytes(4, "little", signed=True)
            case 7 | 8:
                near = int.from_bytes(changed[word : word + 4], "little") + int(rng.integers(-8, 9))
                changed[word : word + 4] = (near % 2**32).to_bytes(4, "little")
            case 9:
                del changed[at : at + size]
            case 10:
                changed[at:at] = changed[at : at + size]
            case _:
                del changed[at:]
        if len(changed) < 16:
            break
    return bytes(changed)


ODD_SCALES = [0.0, 1e-30, 0.1, 1e30, np.inf, np.nan, -1.0]
#: a tensor's field → what it may become
TENSOR_FIELDS: dict[str, Absurd] = {
    "shape": lambda rng: tuple(odd_number(rng) for _ in range(int(rng.integers(0, 7)))),
    "dtype": lambda rng: str(rng.choice(["INT8", "INT16", "INT32", "FLOAT32", "UINT8", "INT4", "BOOL", "STRING"])),
    "scales": lambda rng: tuple(rng.choice(ODD_SCALES, int(rng.integers(0, 4))).tolist()),
    "zero_point": lambda rng: int(rng.choice([-(2**40), -129, -128, 0, 127, 128, 2**40])),
    "axis": odd_number,
    "data": lambda rng: rng.bytes(int(rng.integers(0, 40))),
}  # fmt: skip


def mutated_data(graph: Graph, rng: np.random.Generator) -> bytes:
    """A whole flatbuffer in which one tensor or operator says something else."""
    draft = drafted(graph)
    tensors, operators = list(draft.tensors), list(draft.operators)
    if rng.random() < 0.5:
        at, name = int(rng.integers(len(tensors))), str(rng.choice(list(TENSOR_FIELDS)))
        change: dict[str, Any] = {name: TENSOR_FIELDS[name](rng)}
        if name == "shape" and tensors[at].data is None and rng.random() < 0.5:
            change["shape"] = (1, *rng.permutation(tensors[at].shape[1:]).tolist())
        tensors[at] = replace(tensors[at], **change)
    else:
        at = int(rng.integers(len(operators)))
        operators[at] = absurd_operator(operators[at], len(tensors), rng)
    ends = [[draft.activation(n) for n in names] for names in (graph.inputs, graph.outputs)]
    return flatbuffer(tensors, operators, *ends, "mutated")


def absurd_operator(operator: FlatOperator, tensors: int, rng: np.random.Generator) -> FlatOperator:
    inputs = list(operator.inputs)
    match int(rng.integers(4)):
        case 0:
            inputs[int(rng.integers(len(inputs)))] = int(rng.integers(-1, tensors))
            return replace(operator, inputs=tuple(inputs))
        case 1:
            return replace(operator, inputs=tuple(inputs[: int(rng.integers(len(inputs) + 1))]))
        case 2:
            return replace(operator, code=str(rng.choice(sorted(READS))))
        case _:
            numbers = {
                k: v for k, v in operator.attributes.items() if isinstance(v, int) and not isinstance(v, bool)
            }
            changed = {k: odd_number(rng) % 128 if k in ENUMS else odd_number(rng) for k in numbers}
            return replace(operator, attributes={**operator.attributes, **changed})


def assert_read_or_refused(files: Iterator[bytes], count: int) -> None:
    """Every file gives a Graph or a ModelError, in bounded time and memory; some of both."""
    outcomes = {"read": 0, "refused": 0}
    for number, data in enumerate(islice(files, count)):
        began = time.process_time()
        try:
            read_tflite(data)
            outcomes["read"] += 1
        except ModelError:
            outcomes["refused"] += 1
        assert time.process_time() - began < LONGEST_S, f"file {number}"
    assert min(outcomes.values()) > count // 50
    if sys.platform == "linux":
        import resource

        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < LARGEST_BYTES


def damaged(seed: int) -> Iterator[bytes]:
    rng, files = np.random.default_rng(seed), [write_tflite(g) for g in graphs()]
    for data in cycle(files):
        yield mutated_bytes(data, rng)


def absurd(seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for graph in cycle(graphs()):
        yield mutated_data(graph, rng)


@pytest.mark.parametrize("kind", [damaged, absurd])
def test_mutated_files(kind: Callable[[int], Iterator[bytes]]) -> None:
    assert_read_or_refused(kind(0), 300)


@pytest.mark.long
@pytest.mark.parametrize("kind", [damaged, absurd])
def test_thousands_of_mutated_files(kind: Callable[[int], Iterator[bytes]]) -> None:
    assert_read_or_refused(kind(1), 2500)


def test_every_truncation() -> None:
    data = write_tflite(graphs()[0])
    for length in range(0, len(data), 7):
        with pytest.raises(ModelError):
            read_tflite(data[:length])
