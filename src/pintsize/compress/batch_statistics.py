"""Batch norms' statistics measured again, once pruning has changed what comes before them."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.graph import Graph
from pintsize.module import GraphModule
from pintsize.ops import BatchNorm

#: samples at once, and in all
BATCH, SAMPLES = 128, 2048


def reestimate(graph: Graph, x: np.ndarray) -> Graph:
    """A float Graph with the mean and variance that its batch norms see on samples x (n, *input shape).

    Every layer is measured behind the batch norms of its batch, as in training. Without batch norms, or with fewer than
    two samples, the Graph stays as it is.
    """
    if not any(isinstance(n.op, BatchNorm) for n in graph.nodes) or len(x) < 2:
        return graph
    chosen = x[:: max(1, len(x) // SAMPLES)][:SAMPLES]
    module = GraphModule(graph).train()
    parts = [p for p in np.array_split(chosen, -(-len(chosen) // BATCH)) if len(p) > 1]
    with torch.no_grad():
        for seen, part in enumerate(parts):
            module.momentum = 1.0 / (seen + 1)  # together: the mean over all parts
            module(torch.from_numpy(np.ascontiguousarray(part)))
    return module.eval().graph()
