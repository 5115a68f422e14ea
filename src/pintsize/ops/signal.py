"""Signals over time: samples (n,) of one channel, or (n, channels)."""

from __future__ import annotations

from pintsize.graph import Graph, TensorType


def samples_of(name: str, x: TensorType) -> tuple[int, int]:
    """(samples, channels). Raises ValueError for another shape."""
    if len(x.shape) not in (1, 2) or 0 in x.shape:
        raise ValueError(f"{name}: needs samples (n,) or (n, channels), not {x.shape}")
    return x.shape[0], x.shape[1] if len(x.shape) == 2 else 1


def rate_read(graph: Graph) -> float:
    """Samples per second of a Graph's input, as the first op says that knows; 0.0 where none does."""
    for node in graph.nodes:
        rate_hz = getattr(node.op, "rate_hz", 0.0)
        if rate_hz or node.op.name == "resample":
            return rate_hz
    return 0.0
