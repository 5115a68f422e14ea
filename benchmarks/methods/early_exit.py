"""Early exits: a head after each block answers where it is sure, against a narrower network of as many instructions.

A head is a linear layer on the block's mean activations, trained on the labels while the network stays as it is. The
threshold is the lowest at which validation loses nothing. Instructions are those of the int8 network on a Cortex-M4,
counted layer by layer; a head costs what the network's own last layers do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.methods.distil import Answered, distil, pooled
from benchmarks.methods.factorization import DEVICE
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph
from pintsize.measure import footprint
from pintsize.ops import Conv2d
from pintsize.passes.simplify import fold
from pintsize.verify import float_outputs, input_codes
from pintsize.write.c import write
from pintsize.write.c.calls import isa_of

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 1.1)
HEAD_STEPS, HEAD_BATCH = 400, 512

#: features (n, channels) → confidence (n,), class (n,)
Head = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Exit:
    """A network that may stop after a block. share: of the samples that leave there; mean_instructions: of one run."""

    width: float
    after: str
    part: str
    threshold: float
    share: float
    accuracy: float
    accuracy_of_whole: float
    instructions: int
    mean_instructions: int


def compare(lesson: Answered, widths: list[float], steps: int) -> list[Exit]:
    """Every exit of the network at every width, on every held-out part."""
    found: list[Exit] = []
    for width in widths:
        narrow = lesson.graph if width == 1.0 else distil(Prune(width)(lesson.graph), lesson, steps)
        found += _exits(lesson, fold(narrow), width)
    return found


def _exits(lesson: Answered, graph: Graph, width: float) -> list[Exit]:
    blocks = [n.output for n in graph.nodes if isinstance(n.op, Conv2d)][:-1]
    counted = _instructions(graph, lesson.x_train)
    total = sum(counted)
    position = {node.output: i for i, node in enumerate(graph.nodes)}
    last = position[next(n.output for n in reversed(graph.nodes) if isinstance(n.op, Conv2d))]
    head = sum(counted[last + 1 :])
    trained = pooled(graph, lesson.x_train, blocks)
    held = {part: pooled(graph, x, blocks) for part, (x, _) in lesson.held_out.items()}
    whole = {part: float_outputs(graph, x).argmax(1) for part, (x, _) in lesson.held_out.items()}
    found: list[Exit] = []
    for block in blocks:
        answer = _head(trained[block], lesson.y_train)
        sure = {part: answer(held[part][block]) for part in held}
        threshold = _threshold(*sure["validation"], whole["validation"], lesson.held_out["validation"][1])
        early = sum(counted[: position[block] + 1]) + head
        for part, (confidence, guess) in sure.items():
            leaves, y = confidence >= threshold, lesson.held_out[part][1]
            share = float(leaves.mean())
            mean = early + (1 - share) * (total - early + head)
            accuracy = float((np.where(leaves, guess, whole[part]) == y).mean())
            of_whole = float((whole[part] == y).mean())
            found.append(Exit(width, block, part, threshold, share, accuracy, of_whole, total, round(mean)))
            print(found[-1], flush=True)
    return found


def _threshold(confidence: np.ndarray, guess: np.ndarray, whole: np.ndarray, y: np.ndarray) -> float:
    """The lowest at which no more answers are wrong than without the exit."""
    right = (whole == y).sum()
    return next(t for t in THRESHOLDS if (np.where(confidence >= t, guess, whole) == y).sum() >= right)


def _instructions(graph: Graph, x: np.ndarray) -> list[int]:
    """Of every node, on the M4."""
    integers = Quantize()(graph, x[:: max(1, len(x) // 256)])
    taken = footprint(write(integers, isa=isa_of(DEVICE.core)), DEVICE, input_codes(integers, x[:1]))
    layers = {
        int(name.split("_")[1]): n for name, n in (taken.by_layer or {}).items() if name.startswith("layer_")
    }
    return [layers.get(i, 0) for i in range(len(graph.nodes))]


def _head(features: np.ndarray, y: np.ndarray) -> Head:
    """Trains a linear layer."""
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    torch.manual_seed(0)
    layer = torch.nn.Linear(features.shape[1], int(y.max()) + 1)
    x, labels = torch.from_numpy((features - mean) / deviation), torch.from_numpy(y)
    optimizer = torch.optim.Adam(layer.parameters(), 0.02)
    for step in range(HEAD_STEPS):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / HEAD_STEPS)
        index = torch.randint(len(x), (HEAD_BATCH,))
        loss = F.cross_entropy(layer(x[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def answer(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            shares = layer(torch.from_numpy((features - mean) / deviation)).softmax(1)
        return shares.amax(1).numpy(), shares.argmax(1).numpy()

    return answer
