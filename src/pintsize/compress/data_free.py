"""Samples out of nothing: inputs that make the batch norms of a network see what they saw in training.

A batch norm remembers the mean and variance of its input over the training data. Noise that is optimized until every
batch norm meets its own again is close enough to data for ranges to be read off it, where there is no data at all.
Source: Cai et al., "ZeroQ: A Novel Zero Shot Quantization Framework", 2020.
"""

from __future__ import annotations

import numpy as np
import torch

from pintsize.errors import DataError, UserError
from pintsize.graph import Graph, Node
from pintsize.module import run_float
from pintsize.ops import BatchNorm
from pintsize.ops.embedding import ids_read

#: samples optimized together: their statistics are those of a batch
BATCH = 64
STEPS = 200
RATE = 0.1


def synthesize(graph: Graph, n: int, seed: int = 0, steps: int = STEPS) -> np.ndarray:
    """n samples (n, *input shape), channels last, for a float Graph whose batch norms are not folded yet.

    Raises DataError where it has no batch norm or reads token ids, UserError where n is below 2.
    """
    if n < 2:
        raise UserError(f"at least 2 samples are needed for statistics, not {n}")
    norms = [node for node in graph.nodes if isinstance(node.op, BatchNorm)]
    if not norms:
        raise DataError(
            "the model has no batch norms left that remember its training data: give some samples to calibrate with "
            "(32 are enough, labels are not needed)"
        )
    if ids_read(graph):
        raise DataError("token ids cannot be made from batch norms: give some samples to calibrate with")
    generator = torch.Generator().manual_seed(seed)
    shape = graph.type(graph.inputs[0]).shape
    parts = np.array_split(np.arange(n), max(1, n // BATCH))
    made = [
        _optimized(graph, norms, torch.randn((len(p), *shape), generator=generator), steps) for p in parts
    ]
    return np.concatenate(made)


def _optimized(graph: Graph, norms: list[Node], x: torch.Tensor, steps: int) -> np.ndarray:
    x.requires_grad_(True)
    optimizer = torch.optim.Adam([x], RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for _ in range(steps):
        optimizer.zero_grad()
        mismatch(graph, norms, x).backward()
        optimizer.step()
        schedule.step()
    return x.detach().numpy().copy()


def mismatch(graph: Graph, norms: list[Node], x: torch.Tensor) -> torch.Tensor:
    """How far the inputs of the batch norms are from the mean and deviation that they remember, in deviations."""
    seen: dict[str, torch.Tensor] = {}
    run_float(graph, x, seen.__setitem__)
    distances: list[torch.Tensor] = []
    for node in norms:
        mean, variance = (torch.from_numpy(np.ascontiguousarray(graph.constant(c))) for c in node.inputs[3:5])
        deviation = (variance + getattr(node.op, "epsilon", 0.0)).sqrt()
        flat = seen[node.inputs[0]].reshape(-1, len(mean))
        distances.append(((flat.mean(0) - mean) / deviation).square().mean())
        distances.append((flat.std(0) / deviation - 1.0).square().mean())
    return torch.stack(distances).mean()
