"""Block sparsity against narrower layers of as many bytes: the pointwise convolutions of a DS-CNN, trained alike.

Blocks are of 4 inputs of 2 outputs together, the only ones whose loop on a Cortex-M4 costs little more than a dense one
(loops.py). Bytes are counted: weights of 4 bits, a byte for each block that stays, 8 bytes an output channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.methods.distil import Answered, distil
from pintsize.compress.prune import Prune
from pintsize.graph import Graph, Node
from pintsize.ops import Conv2d

OUTPUTS, INPUTS = 2, 4
BYTES_OF_CHANNEL = 8


@dataclass(frozen=True)
class Network:
    """One network: width of its layers, share of the pointwise weights that stays, bytes, accuracies."""

    width: float
    kept: float
    seed: int
    bytes: int
    macs: int
    accuracies: dict[str, float]


def compare(lesson: Answered, networks: list[tuple[float, float]], seeds: int, steps: int) -> list[Network]:
    """networks: (width, share of blocks that stays)."""
    found: list[Network] = []
    for seed in range(seeds):
        for width, kept in networks:
            graph = Prune(width, alignment=2)(lesson.graph)
            masks = {n.inputs[1]: mask(graph.constant(n.inputs[1]), kept) for n in _pointwise(graph)}
            learnt = distil(graph, lesson, steps, seed, masks if kept < 1.0 else None)
            accuracies = lesson.accuracies(learnt)
            found.append(Network(width, kept, seed, stored_bytes(graph, kept), macs(graph, kept), accuracies))
            print(found[-1], flush=True)
    return found


def mask(weight: np.ndarray, kept: float) -> np.ndarray:
    """1 in the blocks of the largest norm; channels beyond the last whole block go with the blocks before them."""
    outputs, inputs = weight.shape[0], weight.shape[-1]
    rows, columns = outputs // OUTPUTS, inputs // INPUTS
    whole = weight[: rows * OUTPUTS, ..., : columns * INPUTS]
    norms = (whole.reshape(rows, OUTPUTS, columns, INPUTS) ** 2).sum((1, 3))
    stays = norms >= np.sort(norms.reshape(-1))[-max(1, round(norms.size * kept))]
    row, column = np.arange(outputs) // OUTPUTS, np.arange(inputs) // INPUTS
    spread = stays[np.minimum(row, rows - 1)][:, np.minimum(column, columns - 1)]
    return spread.reshape(weight.shape).astype(np.float32)


def stored_bytes(graph: Graph, kept: float) -> int:
    """4 bits a weight; of a sparse layer those that stay, and a byte a block."""
    pointwise = {n.name for n in _pointwise(graph)}
    total = 0.0
    for node in graph.nodes:
        if len(node.inputs) == 3 and not node.op.operands:
            weights, channels = graph.constant(node.inputs[1]).size, len(graph.constant(node.inputs[2]))
            sparse = node.name in pointwise and kept < 1.0
            blocks = weights * kept / (OUTPUTS * INPUTS)
            total += weights * (kept if sparse else 1.0) / 2 + (blocks if sparse else 0.0)
            total += BYTES_OF_CHANNEL * channels
    return round(total)


def macs(graph: Graph, kept: float) -> int:
    pointwise = {n.name for n in _pointwise(graph)}
    return round(sum(graph.cost(n).macs * (kept if n.name in pointwise else 1.0) for n in graph.nodes))


def _pointwise(graph: Graph) -> list[Node]:
    convolutions = [n for n in graph.nodes if isinstance(n.op, Conv2d)]
    return [n for n in convolutions if graph.type(n.inputs[1]).shape[1:3] == (1, 1)]
