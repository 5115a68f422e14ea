"""`pintsize convert`: a model from one format to another, run in the other format's own runtime and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pintsize.errors import OutputError, VerificationError
from pintsize.folder import write_file, write_folder
from pintsize.graph import Graph
from pintsize.manifest import FORMAT
from pintsize.module import run_float, run_integers
from pintsize.read.model_file import read_model
from pintsize.runtimes import Runtime, runtimes_for
from pintsize.verify import random_codes
from pintsize.write.executorch import write_executorch
from pintsize.write.onnx import write_onnx
from pintsize.write.saved import graph_files
from pintsize.write.tflite import write_tflite

#: random inputs that the written file and the Graph are both run on
INPUTS = 64
#: real numbers may differ by this share of the outputs' largest
FLOAT_TOLERANCE = 1e-4

WRITERS: dict[str, Callable[[Graph], bytes]] = {
    ".tflite": write_tflite,
    ".onnx": write_onnx,
    ".pte": write_executorch,
}


@dataclass(frozen=True)
class Agreement:
    """How a runtime's outputs compare with the Graph's.

    rate: share of outputs that differ; largest: the largest difference, in steps of the output's grid (for real numbers
    as a share of the largest output); same_answer: share of inputs with the same largest output.
    """

    runtime: str
    inputs: int
    rate: float
    largest: float
    same_answer: float

    @property
    def equal(self) -> bool:
        return self.rate == 0.0


@dataclass(frozen=True)
class Conversion:
    """A written file and how the runtimes that are installed here compute it; missing: those that are not."""

    path: Path
    bytes: int
    agreements: tuple[Agreement, ...]
    missing: tuple[str, ...]


def convert(
    source: str | Path | Graph, target: str | Path, shape: tuple[int, ...] | None = None
) -> Conversion:
    """Reads a model, writes it in the format that the target's name ends in, and runs what was written.

    target: .tflite, .onnx, .pte, or a folder without a suffix for pintsize's own format. Raises OutputError for another
    ending, VerificationError when a runtime that must be equal is not; the target is then not written.
    """
    path = Path(target)
    graph = source if isinstance(source, Graph) else read_model(Path(source), shape)
    if not path.suffix:
        files = graph_files(graph)
        marker = {"manifest.json": f'{{"format": {FORMAT}, "name": "{graph.name}"}}\n'.encode()}
        write_folder({**files, **marker}, path)
        return Conversion(path, sum(map(len, files.values())), (), ())
    if path.suffix not in WRITERS:
        raise OutputError(f"{path}: the name must end in {' or '.join(WRITERS)}, or be a folder")
    if graph.states:
        raise OutputError(
            f"{graph.name} runs in steps and remembers: no {path.suffix} file does; a folder does"
        )
    content = WRITERS[path.suffix](graph)
    here, missing = runtimes_for(path.suffix, graph)
    agreements = tuple(compare(graph, content, runtime) for runtime in here)
    for found in agreements:
        _refuse_difference(graph, found, here)
    write_file(path, content)
    return Conversion(path, len(content), agreements, missing)


def compare(graph: Graph, content: bytes, runtime: Runtime) -> Agreement:
    """Runs random inputs through the Graph and through the file in a runtime."""
    if graph.type(graph.inputs[0]).is_quantized:
        x = random_codes(graph, INPUTS)
        wanted = run_integers(graph, x).astype(np.int64)
        scale = 1.0
    else:
        x = (
            np.random.default_rng(0)
            .normal(0, 1, (INPUTS, *graph.type(graph.inputs[0]).shape))
            .astype(np.float32)
        )
        with torch.no_grad():
            wanted = run_float(graph, torch.from_numpy(x)).numpy().astype(np.float64)
        scale = max(float(np.abs(wanted).max()), 1e-12)
    found = runtime.run(content, graph, x).reshape(wanted.shape)
    difference = np.abs(found - wanted) / scale
    tolerance = 0.0 if scale == 1.0 and wanted.dtype == np.int64 else FLOAT_TOLERANCE
    flat = wanted.reshape(INPUTS, -1).argmax(1) == found.reshape(INPUTS, -1).argmax(1)
    return Agreement(
        runtime.name,
        INPUTS,
        float((difference > tolerance).mean()),
        float(difference.max()),
        float(flat.mean()),
    )


def _refuse_difference(graph: Graph, found: Agreement, here: tuple[Runtime, ...]) -> None:
    exact = next(r for r in here if r.name == found.runtime).exact
    if exact and not found.equal:
        raise VerificationError(
            f"{found.runtime} computes other numbers for {graph.name}: {found.rate:.2%} of the outputs differ, by "
            f"{found.largest:g} at most"
        )
