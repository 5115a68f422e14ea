"""How much each channel matters, by several criteria; all give one number per channel identity, larger matters more.

l1, l2      norms of the weights that make the channel (scaled by the batch-norm behind it where there is one)
taylor      |Σ activation · gradient|, the first-order change of the loss (Molchanov et al., 2019)
fisher      ½ Σ (Σ activation · gradient)², its second-order estimate (Theis et al., 2018)
activation  mean magnitude of the channel's activations
random      a baseline that is hard to beat once the widths are fixed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.compress.channels import ChannelMap
from pintsize.errors import UserError
from pintsize.graph import Graph, Node
from pintsize.module import GraphModule
from pintsize.ops import BatchNorm

#: ops that mix their channels into new ones, output channels first in the weights
MAKERS = ("conv2d", "transpose_conv2d", "linear", "embedding", "lstm", "gru", "svdf")

Criterion = Literal["l1", "l2", "taylor", "fisher", "activation", "random"]


@dataclass(frozen=True)
class Examples:
    """x (n, *input shape, channels last) float32; y (n,) class numbers, or None: the model's own answers stand in."""

    x: np.ndarray
    y: np.ndarray | None = None


Scores = dict[int, float]


def _norm(order: int) -> Callable[[Graph, ChannelMap, Examples | None, int], Scores]:
    def score(graph: Graph, flow: ChannelMap, examples: Examples | None, seed: int) -> Scores:
        scores = dict.fromkeys(_identities(flow), 0.0)
        for node in graph.nodes:
            if not _makes_channels(node, flow):
                continue
            weight = graph.constant(node.inputs[1])
            gain = _gain(graph, node)
            rows = np.abs(weight.reshape(len(weight), -1).astype(np.float64))
            rows *= np.repeat(gain, len(weight) // len(gain))[:, None]  # several rows per output: svdf
            norms = rows.mean(1) if order == 1 else np.sqrt((rows**2).mean(1))
            norms = norms / max(norms.mean(), 1e-12)
            for identity, value in zip(flow.slices[node.inputs[1], 0].tolist(), norms.tolist(), strict=True):
                scores[identity] += value
        return scores

    return score


def _makes_channels(node: Node, flow: ChannelMap) -> bool:
    return node.op.name in MAKERS and (node.inputs[1], 0) in flow.slices


def _gain(graph: Graph, node: Node) -> np.ndarray:
    """What the batch-norm behind a layer multiplies each channel by."""
    consumers = graph.consumers(node.output)
    if len(consumers) != 1 or not isinstance(consumers[0].op, BatchNorm):
        return np.ones(graph.type(node.output).shape[-1])
    gain, variance = (graph.constant(consumers[0].inputs[i]).astype(np.float64) for i in (1, 4))
    return np.abs(gain) / np.sqrt(variance + consumers[0].op.epsilon)


def _identities(flow: ChannelMap) -> list[int]:
    return [c for g in flow.groups for c in g.channels] + sorted(
        {int(i) for ids in flow.slices.values() for i in ids}
    )


def _random(graph: Graph, flow: ChannelMap, examples: Examples | None, seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    return {identity: float(rng.random()) for identity in _identities(flow)}


Reduce = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _from_data(reduce: Reduce) -> Callable[[Graph, ChannelMap, Examples | None, int], Scores]:
    """Sums reduce(activation, gradient) (n, …, C) → (C,) over the outputs of the layers that make channels."""

    def score(graph: Graph, flow: ChannelMap, examples: Examples | None, seed: int) -> Scores:
        if examples is None or len(examples.x) == 0:
            raise UserError("this criterion looks at data: give examples, or rank by l1, l2 or random")
        scores = dict.fromkeys(_identities(flow), 0.0)
        for name, total in _accumulate(graph, examples, reduce).items():
            total = total / max(float(total.mean()), 1e-20)
            for identity, value in zip(flow.tensors[name].tolist(), total.tolist(), strict=True):
                scores[identity] += value
        return scores

    return score


def _accumulate(graph: Graph, examples: Examples, reduce: Reduce, batch: int = 64) -> dict[str, torch.Tensor]:
    points = {n.output for n in graph.nodes if n.op.name in MAKERS and n.output not in graph.outputs}
    module = GraphModule(graph).eval()
    totals: dict[str, torch.Tensor] = {}
    for start in range(0, len(examples.x), batch):
        seen: dict[str, torch.Tensor] = {}

        def observe(name: str, value: torch.Tensor, seen: dict[str, torch.Tensor] = seen) -> None:
            if name in points:
                value.retain_grad()
                seen[name] = value

        module.observe = observe
        logits = module(torch.from_numpy(examples.x[start : start + batch]))
        _loss(logits, examples, start).backward()
        for name, value in seen.items():
            assert value.grad is not None
            totals[name] = totals.get(name, torch.zeros(value.shape[-1])) + reduce(value.detach(), value.grad)
    return totals


def _loss(outputs: torch.Tensor, examples: Examples, start: int) -> torch.Tensor:
    flat = outputs.flatten(1)
    if examples.y is not None:
        return F.cross_entropy(flat, torch.from_numpy(examples.y[start : start + len(flat)]), reduction="sum")
    return F.cross_entropy(flat, flat.detach().argmax(1), reduction="sum")


def _per_sample(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """(n, …, C) → Σ over positions: (n, C)."""
    return (activation * gradient).flatten(1, -2).sum(1) if activation.dim() > 2 else activation * gradient


def _taylor(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return _per_sample(activation, gradient).abs().sum(0)


def _fisher(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return 0.5 * _per_sample(activation, gradient).square().sum(0)


def _magnitude(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return activation.abs().flatten(0, -2).sum(0)


CRITERIA: dict[str, Callable[[Graph, ChannelMap, Examples | None, int], Scores]] = {
    "l1": _norm(1),
    "l2": _norm(2),
    "taylor": _from_data(_taylor),
    "fisher": _from_data(_fisher),
    "activation": _from_data(_magnitude),
    "random": _random,
}
