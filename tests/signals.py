"""Raw samples that are hard on a front-end, and Graphs of one layer that take them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pintsize.emulate import HostModel, build, core, execute
from pintsize.graph import DType, Graph, Node, Op, Tensor, TensorType
from pintsize.integers import run_integers
from pintsize.spec import check
from pintsize.write.c import write
from pintsize.write.c.calls import Isa
from tests.compiled import host_compiler

DATA = Path(__file__).parents[2] / "shared" / "data"
INT16 = np.iinfo(np.int16)


def piece(op: Op, shape: tuple[int, ...], x: TensorType | None = None, y: TensorType | None = None) -> Graph:
    """A Graph of one layer; int16 samples of ±1 unless said otherwise, and an int8 or tied output."""
    read = TensorType(shape, "int16", (2.0**-15,)) if x is None else x
    made = op.shape([read])
    written = y or TensorType((), "int8", (0.13,), 127)
    if op.ties_types:
        written = read
    tensors = {
        "x": read,
        "y": TensorType(made, written.dtype, written.scale, written.zero_point),
    }
    graph = Graph(
        op.name, {n: Tensor(n, t) for n, t in tensors.items()}, (Node("y", op, ("x",), "y"),), ("x",), ("y",)
    )
    check(graph, "integer")
    return graph


def of(dtype: DType, scale: float, zero_point: int = 0) -> TensorType:
    return TensorType((), dtype, (scale,), zero_point)


def awkward(samples: int, seed: int = 0) -> np.ndarray:
    """int16 (9, samples): noise, quiet, dither, silence, both ends, clipped, full scale, a tone at the highest rate."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples)
    rows = (
        rng.normal(0, 3000, samples), rng.normal(0, 1, samples), rng.normal(0, 0.3, samples), 0 * t,
        INT16.min + 0 * t, INT16.max + 0 * t, 2e5 * np.sin(0.05 * t), np.where(t % 2, INT16.min, INT16.max),
        rng.integers(INT16.min, INT16.max, samples, endpoint=True),
    )  # fmt: skip
    return np.stack([np.clip(np.rint(row), INT16.min, INT16.max) for row in rows]).astype(np.int16)


def on_host(files: Mapping[str, str], graph: Graph, codes: np.ndarray) -> np.ndarray:
    with HostModel(files, compiler=host_compiler(), optimize="-O1") as model:
        found = model.run(as_bytes(codes))
    return of_bytes(found, graph)


def on_cortex_m4(graph: Graph, codes: np.ndarray, isa: Isa = "dsp") -> np.ndarray:
    program = build(write(graph, isa=isa).files, core("cortex-m4"))
    return of_bytes(execute(program, as_bytes(codes), count=False).outputs, graph)


def as_bytes(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes.reshape(len(codes), -1)).view(np.int8)


def of_bytes(found: np.ndarray, graph: Graph) -> np.ndarray:
    """Bytes (n, …) as the output's codes (n, *shape)."""
    kind = graph.type(graph.outputs[0])
    return (
        np.ascontiguousarray(found)
        .view(np.int16 if kind.dtype == "int16" else np.int8)
        .reshape(-1, *kind.shape)
    )


def assert_c_agrees(graph: Graph, codes: np.ndarray, on_core: bool = True) -> None:
    """C on this computer, and on a Cortex-M4, gives the integers of Python."""
    expected = run_integers(graph, codes)
    assert np.array_equal(on_host(write(graph).files, graph, codes), expected)
    if on_core:
        assert np.array_equal(on_cortex_m4(graph, codes), expected)


def speech(samples: int) -> np.ndarray:
    """int16 (samples,) at 16 kHz: real recordings one after another."""
    soundfile = pytest.importorskip("soundfile")
    folder = DATA / "wakewords_picovoice"
    if not folder.is_dir():
        pytest.skip("no ../shared/data/wakewords_picovoice: real recordings are missing")
    with (folder / "labels.csv").open(encoding="utf-8") as table:
        names = [row["file"] for row in csv.DictReader(table)]
    parts: list[np.ndarray] = []
    found = 0
    for name in names:
        parts.append(soundfile.read(folder / name, dtype="int16")[0])
        found += len(parts[-1])
        if found >= samples:
            break
    return np.concatenate(parts)[:samples]


def heartbeats(samples: int) -> np.ndarray:
    """int16 (samples,) at 180 Hz: real electrocardiograms one after another."""
    folder = DATA / "ecg_mitbih"
    if not folder.is_dir():
        pytest.skip("no ../shared/data/ecg_mitbih: real recordings are missing")
    parts: list[np.ndarray] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as record:
            parts.append(record["ecg"].reshape(-1))
        if sum(map(len, parts)) >= samples:
            break
    return np.concatenate(parts)[:samples]
