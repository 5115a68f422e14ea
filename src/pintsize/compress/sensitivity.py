"""What narrower weights cost each layer, and the order in which to narrow them.

The price of a layer at so many bits is what the whole network's answers lose when that layer's weights alone have them:
KL(float ‖ network) in nats for classes, the share of the outputs' variance for values. The weights are rounded
adaptively, as they will be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.arithmetic import WEIGHT_MAX
from pintsize.compress.adaptive_rounding import PATCHES, Fit, adaptive_codes
from pintsize.compress.lesson import Goal
from pintsize.compress.patches import MATRICES, as_matrix, from_matrix, patches
from pintsize.compress.quantize import Bits, output_axis
from pintsize.compress.weight_scales import LEAST_WEIGHT_SCALE, weight_scales
from pintsize.graph import Graph, Node, Tensor
from pintsize.module import run_float

#: samples that prices are measured on
PRICED_SAMPLES = 256
NARROWER: Mapping[Bits, Bits] = {8: 4, 4: 2}

#: (layer, bits) → what it costs, or the bytes it takes
PerWidth = Mapping[tuple[str, Bits], float]


def bit_prices(
    graph: Graph, samples: np.ndarray, goal: Goal, on_layer: Callable[[int, int], None] | None = None
) -> dict[tuple[str, Bits], float]:
    """(layer, bits) → price, for the layers of a folded float Graph whose rounding adapts; 8 bits cost nothing.

    samples: (n, *input shape), channels last. on_layer: called with (layers done, layers in all).
    """
    x = torch.from_numpy(np.ascontiguousarray(samples[:PRICED_SAMPLES]))
    layers = [n for n in graph.nodes if isinstance(n.op, MATRICES)]
    found: dict[tuple[str, Bits], float] = {}
    with torch.no_grad():
        seen: dict[str, torch.Tensor] = {}
        needed = {n.inputs[0] for n in layers}
        wanted = run_float(graph, x, lambda name, value: seen.update({name: value} if name in needed else {}))
        for done, node in enumerate(layers, 1):
            found[node.name, 8] = 0.0
            for bits, weight in _narrowed(graph, node, seen[node.inputs[0]]).items():
                found[node.name, bits] = _lost(run_float(graph.with_tensors(weight), x), wanted, goal)
            if on_layer:
                on_layer(done, len(layers))
    return found


def _narrowed(graph: Graph, node: Node, x: torch.Tensor) -> dict[Bits, Tensor]:
    """The layer's weight, rounded to each narrower width."""
    weight = graph.tensors[node.inputs[1]]
    assert weight.data is not None
    matrix = as_matrix(node.op, weight.data)
    (seen,) = patches(node.op, weight.type.shape, [x], PATCHES)
    fit = Fit.of(seen, seen, matrix)
    rounded: dict[Bits, Tensor] = {}
    for bits in NARROWER.values():
        scales = weight_scales(weight.data, output_axis(weight), bits)
        scale = torch.from_numpy(scales.astype(np.float32)).reshape(*matrix.shape[:2], 1)
        least = torch.full_like(scale, LEAST_WEIGHT_SCALE)
        codes, scale = adaptive_codes(fit, matrix, scale, WEIGHT_MAX[bits], least)
        rounded[bits] = replace(weight, data=from_matrix(node.op, codes * scale, weight.type.shape))
    return rounded


def _lost(outputs: torch.Tensor, wanted: torch.Tensor, goal: Goal) -> float:
    found, right = outputs.flatten(1), wanted.flatten(1)
    if goal == "values":
        return float((found - right).square().mean() / right.var().clamp(min=1e-12))
    lost = F.kl_div(F.log_softmax(found, 1), F.log_softmax(right, 1), log_target=True, reduction="batchmean")
    return max(float(lost), 0.0)  # below it is rounding


def narrowing_steps(prices: PerWidth, sizes: PerWidth) -> Sequence[dict[str, Bits]]:
    """Widths of all layers, from 8 bits everywhere to the narrowest: a knapsack filled greedily.

    Each is the one before with that layer narrowed which costs least per byte it saves. sizes: the bytes of each
    layer's constants as they are written, by width.
    """
    current: dict[str, Bits] = {name: 8 for name, bits in prices if bits == 8}
    steps = [dict(current)]
    while True:
        moves = [(prices[n, NARROWER[b]] - prices[n, b], sizes[n, b] - sizes[n, NARROWER[b]], n)
                 for n, b in current.items() if b in NARROWER]  # fmt: skip
        worth = [(max(cost, 0.0) / saved, name) for cost, saved, name in moves if saved > 0]
        if not worth:
            return steps
        name = min(worth)[1]
        current[name] = NARROWER[current[name]]
        steps.append(dict(current))
