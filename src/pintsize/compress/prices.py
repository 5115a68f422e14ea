"""What it costs the teacher's answers, in nats, to lose channels, bits of weights, or a branch.

Channels: ½ mean_n (Σ activation · gradient)² with labels drawn from the teacher's answers (Fisher information, Theis et
al., 2018), which ranks the channels of a group; what a whole group is worth is measured: KL(teacher ‖ network without
the cheaper half of it). Rankings across layers by gradients alone collapse: a sure teacher has none, and layers far
from the answer look free. Bits and branches: KL(teacher ‖ network with that layer rounded, without that branch).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.compress.blocks import Drop, drop_branches, drops
from pintsize.compress.channels import ChannelMap, map_channels
from pintsize.compress.importance import MAKERS
from pintsize.compress.lesson import Goal
from pintsize.compress.outline import Allocation, narrowed_weights, weighted_layers
from pintsize.compress.prune import remove_channels
from pintsize.compress.quantize import Bits
from pintsize.compress.weight_scales import weight_scales
from pintsize.graph import Graph, Tensor
from pintsize.module import GraphModule, run_float
from pintsize.passes.simplify import fold

#: samples that prices are measured on
PRICED_SAMPLES = 512
NARROWER: Mapping[Bits, Bits] = {8: 4, 4: 2}
#: how far the measured worth of a group may move its price from what the gradients say, against the other groups
CORRECTION = 4.0


@dataclass(frozen=True)
class Prices:
    """channels: group's first layer → what its cheapest 0, 1, 2, … cost together; bits: (layer, bits) → cost;
    drops: (add, input that stays) → cost.
    """

    channels: Mapping[str, np.ndarray]
    bits: Mapping[tuple[str, Bits], float]
    drops: Mapping[Drop, float]

    def of(self, allocation: Allocation) -> float:
        """The sum of all that is lost."""
        channels = sum(float(c[len(c) - 1 - allocation.widths[n]]) for n, c in self.channels.items())
        bits = sum(self.bits[layer, b] for layer, b in allocation.bits.items())
        return channels + bits + sum(self.drops[d] for d in allocation.dropped)


@dataclass(frozen=True)
class _Answers:
    """Samples x and what the teacher says to them: log-probabilities, or values and their spread."""

    x: np.ndarray
    wanted: torch.Tensor
    goal: Goal
    spread: float

    @classmethod
    def of(cls, graph: Graph, x: np.ndarray, goal: Goal) -> _Answers:
        with torch.no_grad():
            outputs = run_float(graph, torch.from_numpy(x)).flatten(1)
        spread = float(outputs.var(0).sum()) + 1e-12
        return cls(x, outputs if goal == "values" else F.log_softmax(outputs, 1), goal, spread)

    def lost(self, graph: Graph) -> float:
        """KL in nats a sample, or the squared error over the spread; what is no number counts as lost altogether."""
        with torch.no_grad():
            outputs = run_float(graph, torch.from_numpy(self.x)).flatten(1)
            if self.goal == "values":
                found = float((outputs - self.wanted).square().sum(1).mean()) / self.spread
            else:
                answers = F.log_softmax(outputs, 1)
                found = float(F.kl_div(answers, self.wanted, log_target=True, reduction="batchmean"))
        return max(found, 0.0) if np.isfinite(found) else 1e6


def prices(graph: Graph, x: np.ndarray, seed: int = 0, goal: Goal = "classes") -> Prices:
    """Measures the prices of a float Graph whose output is logits, or values, on samples x (n, *input shape)."""
    flow = map_channels(graph)
    samples = x[:: max(1, len(x) // PRICED_SAMPLES)][:PRICED_SAMPLES]
    folded = fold(graph)
    answers = _Answers.of(folded, samples, goal)
    return Prices(
        _corrected(graph, flow, _channel_prices(graph, flow, answers, seed), answers),
        _bit_prices(folded, answers),
        {drop: answers.lost(drop_branches(graph, [drop])) for drop in drops(graph)},
    )


def _corrected(graph: Graph, flow: ChannelMap, each: np.ndarray, answers: _Answers) -> dict[str, np.ndarray]:
    """Running sums of each group's channel prices, brought nearer to what losing half of the group costs."""
    curves = {g.layers[0]: _running_sums(each[list(g.channels)]) for g in flow.groups}
    every = {int(i) for ids in (*flow.tensors.values(), *flow.slices.values()) for i in ids.reshape(-1)}
    ratios: dict[str, float] = {}
    for group in flow.groups:
        ranked = sorted(group.channels, key=lambda c: (each[c], c))
        half = remove_channels(graph, flow, every - set(ranked[: len(ranked) // 2]))
        told = float(curves[group.layers[0]][len(ranked) // 2])
        ratios[group.layers[0]] = (answers.lost(half) + 1e-6) / (told + 1e-6)
    middle = float(np.median(list(ratios.values()))) if ratios else 1.0
    return {
        name: curve * np.clip(np.sqrt(ratios[name] / middle), 1 / CORRECTION, CORRECTION)
        for name, curve in curves.items()
    }


def _running_sums(costs: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.sort(costs))])


def _channel_prices(
    graph: Graph, flow: ChannelMap, answers: _Answers, seed: int, batch: int = 64
) -> np.ndarray:
    """Price by channel identity."""
    x = answers.x
    points = {n.output for n in graph.nodes if n.op.name in MAKERS and n.output not in graph.outputs}
    points = {name for name in points if name in flow.tensors}
    count = 1 + max(
        (int(ids.max()) for ids in (*flow.tensors.values(), *flow.slices.values()) if ids.size), default=0
    )
    module = GraphModule(graph).eval()
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, dtype=torch.float64)
    for start in range(0, len(x), batch):
        seen: dict[str, torch.Tensor] = {}

        def observe(name: str, value: torch.Tensor, seen: dict[str, torch.Tensor] = seen) -> None:
            if name in points:
                value.retain_grad()
                seen[name] = value

        module.observe = observe
        logits = module(torch.from_numpy(x[start : start + batch])).flatten(1)
        _drawn_loss(logits, answers, generator).backward()
        gates = torch.zeros(len(logits), count, dtype=torch.float64)
        for name, value in seen.items():
            assert value.grad is not None
            moved = (value.detach() * value.grad).unsqueeze(1).flatten(1, -2).sum(1)  # (n, C)
            gates.index_add_(1, torch.from_numpy(flow.tensors[name]), moved.double())
        total += 0.5 * gates.square().sum(0)
    return (total / len(x)).numpy()


def _drawn_loss(outputs: torch.Tensor, answers: _Answers, generator: torch.Generator) -> torch.Tensor:
    """The loss against answers drawn from the teacher's own distribution: its gradients are Fisher's."""
    if answers.goal == "values":
        return (outputs * torch.randn(outputs.shape, generator=generator)).sum() / answers.spread**0.5
    drawn = torch.multinomial(outputs.detach().softmax(1), 1, generator=generator).squeeze(1)
    return F.cross_entropy(outputs, drawn, reduction="sum")


def _bit_prices(graph: Graph, answers: _Answers) -> dict[tuple[str, Bits], float]:
    """(layer, bits) → what rounding its weights to so many bits costs; 8 bits are the start and cost nothing."""
    found: dict[tuple[str, Bits], float] = {}
    for node in weighted_layers(graph):
        found[node.name, 8] = 0.0
        for bits in NARROWER.values():
            weights = narrowed_weights(graph, node).items()
            rounded = graph.with_tensors(*[_rounded(graph.tensors[n], axis, bits) for n, axis in weights])
            found[node.name, bits] = answers.lost(rounded)
    return found


def _rounded(weight: Tensor, axis: int | None, bits: Bits) -> Tensor:
    assert weight.data is not None
    shape = [1] * weight.data.ndim
    shape[axis or 0] = -1
    scale = weight_scales(weight.data, axis, bits).reshape(shape)
    most = 2 ** (bits - 1) - 1
    return replace(
        weight, data=(np.clip(np.rint(weight.data / scale), -most, most) * scale).astype(np.float32)
    )
