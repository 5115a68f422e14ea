"""Cross-layer equalization: neighbouring layers share out their channels' ranges.

Dividing an output channel by s and multiplying the next layer's input channel by s changes nothing in real numbers
(ReLU lets a positive factor through) but evens out what one scale per tensor must cover.
Source: Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019.

Weights have a scale per output channel here, so what suffers from uneven channels is the activation between the layers.
With samples its own ranges are evened out, not the first weight's; what the next layer multiplies by a weight of its
own channel (depthwise) can be made quite even at no cost. ReLU6 lets a factor through where a channel stays below 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from pintsize.graph import Graph, Node
from pintsize.module import run_float
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d

ROUNDS = 4
LARGEST_STEP = 16.0
LAYERS = (Conv2d, DepthwiseConv2d, Linear, TransposeConv2d)
#: a channel behind a ReLU6 may be scaled up to here: samples do not show the largest number there will be
MOST_BEHIND_RELU6 = 5.5
AT_ONCE = 128


def equalize(graph: Graph, samples: np.ndarray | None = None) -> Graph:
    """The folded float Graph with evener channel ranges and the same meaning (on samples like these, where given).

    samples: (n, *input shape), channels last; without them the first layer's weights tell a channel's range.
    """
    reach = None if samples is None else channel_reach(graph, samples)
    for _ in range(ROUNDS):
        for first, second in _pairs(graph, reach is not None):
            if reach is None:
                step = _step(_weight_reach(graph, first), _weight_need(graph, second))
            else:
                step = _activation_step(graph, first, second, reach[first.output])
                reach = {**reach, first.output: reach[first.output] / step}
            graph = _moved(graph, first, second, step)
    return graph


def channel_reach(graph: Graph, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Output of a layer of weights → the largest magnitude per channel over samples (n, *input shape)."""
    names = {n.output for n in graph.nodes if isinstance(n.op, LAYERS)}
    found: dict[str, np.ndarray] = {}

    def observe(name: str, value: torch.Tensor) -> None:
        if name in names:
            largest = value.abs().reshape(-1, value.shape[-1]).amax(0).numpy()
            found[name] = np.maximum(found.get(name, largest), largest)

    with torch.no_grad():
        for start in range(0, len(samples), AT_ONCE):
            part = np.ascontiguousarray(samples[start : start + AT_ONCE])
            run_float(graph, torch.from_numpy(part), observe)
    return found


def _pairs(graph: Graph, ranges_known: bool) -> Iterator[tuple[Node, Node]]:
    """Layers of weights that feed exactly one other, with nothing between but what lets a factor through."""
    through = ("none", "relu", "relu6") if ranges_known else ("none", "relu")
    for node in graph.nodes:
        consumers = graph.consumers(node.output)
        lonely = len(consumers) == 1 and node.output not in graph.outputs
        layers = isinstance(node.op, LAYERS) and node.op.activation in through
        if lonely and layers and isinstance(consumers[0].op, LAYERS):
            yield node, consumers[0]


def _output_axis(node: Node) -> int:
    return 2 if isinstance(node.op, DepthwiseConv2d) else 0


def _weight_reach(graph: Graph, first: Node) -> np.ndarray:
    """Largest weight per output channel."""
    weight = np.abs(graph.constant(first.inputs[1]))
    return weight.max(tuple(i for i in range(weight.ndim) if i != _output_axis(first)))


def _weight_need(graph: Graph, second: Node) -> np.ndarray:
    """Largest weight per input channel."""
    weight = np.abs(graph.constant(second.inputs[1]))
    width = graph.type(second.inputs[0]).shape[-1]
    return weight.reshape(-1, width, weight.shape[-1] // width).max((0, 2))


def _relative_need(graph: Graph, second: Node) -> np.ndarray:
    """The same, each weight as a share of the largest of its output channel: that one sets the scale."""
    weight = np.abs(graph.constant(second.inputs[1]))
    rows = weight.max(tuple(range(1, weight.ndim)), keepdims=True)
    return (weight / np.maximum(rows, 1e-12)).reshape(-1, weight.shape[-1]).max(0)


def _activation_step(graph: Graph, first: Node, second: Node, reach: np.ndarray) -> np.ndarray:
    if isinstance(second.op, DepthwiseConv2d):
        step = _step(reach**2, np.ones_like(reach))
    else:
        step = _step(reach, _relative_need(graph, second))
    if isinstance(first.op, LAYERS) and first.op.activation == "relu6":
        step = np.where(reach < 6.0, np.maximum(step, reach / MOST_BEHIND_RELU6), np.float32(1.0))
    return step.astype(np.float32)


def _step(reach: np.ndarray, need: np.ndarray) -> np.ndarray:
    """What to divide each channel by: sqrt(reach / need), around 1 in the geometric mean; 1 for dead channels."""
    alive = (reach > 0) & (need > 0)
    step = np.sqrt(np.where(alive, reach, 1.0) / np.where(alive, need, 1.0))
    middle = np.exp(np.log(step).mean(where=alive)) if alive.any() else 1.0
    step = np.clip(step / middle, 1 / LARGEST_STEP, LARGEST_STEP)
    return np.where(alive, step, 1.0).astype(np.float32)


def _moved(graph: Graph, first: Node, second: Node, step: np.ndarray) -> Graph:
    """The graph with the output channels of `first` divided by the step and the inputs of `second` multiplied."""
    weight, bias, after = (graph.constant(n) for n in (*first.inputs[1:3], second.inputs[1]))
    shape = [1] * weight.ndim
    shape[_output_axis(first)] = -1
    new: Mapping[str, np.ndarray] = {
        first.inputs[1]: weight / step.reshape(shape),
        first.inputs[2]: bias / step,
        second.inputs[1]: after * np.repeat(step, after.shape[-1] // len(step)),
    }
    tensors = [replace(graph.tensors[n], data=d.astype(np.float32)) for n, d in new.items()]
    return graph.with_tensors(*tensors)
