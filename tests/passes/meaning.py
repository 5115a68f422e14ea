"""Whether a pass leaves the function as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from pintsize.graph import Graph, Op
from pintsize.module import run_float

Pass = Callable[[Graph], Graph]


def run(graph: Graph) -> np.ndarray:
    x = torch.randn(2, *graph.type(graph.inputs[0]).shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return run_float(graph, x).numpy()


def assert_same_meaning(graph: Graph, apply: Pass) -> Graph:
    """The pass's graph, after a check that it computes what the first one does."""
    before, result = run(graph), apply(graph)
    scale = max(1.0, float(np.abs(before).max()))
    np.testing.assert_allclose(run(result), before, rtol=1e-5, atol=1e-5 * scale)
    assert result.inputs == graph.inputs
    assert result.outputs == graph.outputs
    assert len({n.name for n in result.nodes}) == len(result.nodes)
    return result


def ops(graph: Graph) -> list[type[Op]]:
    return [type(n.op) for n in graph.nodes]
