"""Runs and trains a Graph with torch: in real numbers, or in the device's integers.

`run_float` and `run_integers` evaluate a Graph as it is. `GraphModule` trains one: a float Graph in float
arithmetic, an annotated Graph in integer arithmetic, where the forward pass computes the very integers that the
written program computes and the gradients pass straight through the rounding. Weights, biases and scales
learn (LSQ: Esser et al., "Learned Step Size Quantization", 2020); scales as logarithms, so that a step of the
optimizer is a relative one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from pintsize.arithmetic import (
    Grid,
    Quantized,
    brief_scales,
    quantize_activation,
    quantize_bias,
    quantize_weight,
    straight_through,
)
from pintsize.graph import BITS, Graph, Node, Tensor
from pintsize.integers import frozen, grid_of, inputs_of, run_integers, scale_of
from pintsize.ops import BatchNorm
from pintsize.ops.recurrent import Recurrent

__all__ = ["GraphModule", "float_step", "integer_step", "run_float", "run_integers", "tied_groups"]

#: no scale learns its way below this
LEAST_SCALE = 1e-8


def run_float(
    graph: Graph, x: torch.Tensor, observe: Callable[[str, torch.Tensor], None] | None = None
) -> torch.Tensor:
    """A float Graph's output for inputs x (n, *input shape, channels last).

    `observe` is called with the name and value of the input and of every node's output.
    """
    values = {
        t.name: torch.from_numpy(np.ascontiguousarray(t.data))
        for t in graph.tensors.values()
        if t.is_constant
    }
    values[graph.inputs[0]] = x
    if observe:
        observe(graph.inputs[0], x)
    for node in graph.nodes:
        values[node.output] = node.op.float_meaning(_real_inputs(graph, node, values))
        if observe:
            observe(node.output, values[node.output])
    return values[graph.outputs[0]]


def float_step(graph: Graph, node: Node, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """What one node of a float or annotated Graph computes in real numbers, from the values of its activations."""
    constants = {c: torch.from_numpy(np.ascontiguousarray(graph.constant(c))) for c in graph.constants(node)}
    return node.op.float_meaning(_real_inputs(graph, node, {**values, **constants}))


def integer_step(graph: Graph, node: Node, values: Mapping[str, Quantized]) -> Quantized:
    """What one node of an integer Graph computes, from the values of its activations."""
    constants = {c: frozen(graph.tensors[c]) for c in graph.constants(node)}
    grid = grid_of(graph.tensors[node.output])
    return grid.codes(node.op.integer_meaning(inputs_of(graph, node, {**values, **constants}), grid))


def _real_inputs(graph: Graph, node: Node, values: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """What the node computes from; operands that are constants get a batch axis of 1."""
    operands = graph.constants(node) if node.op.operands else ()
    return [values[i][None] if i in operands else values[i] for i in node.inputs]


def tied_groups(graph: Graph) -> dict[str, str]:
    """Activation tensor → the representative of those that share its scale and zero point.

    A constant operand of a node that ties its types is among them.
    """
    tied = {c for n in graph.nodes if n.op.ties_types and n.op.operands for c in graph.constants(n)}
    leader = {t.name: t.name for t in graph.tensors.values() if not t.is_constant or t.name in tied}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for node in graph.nodes:
        if node.op.ties_types:
            for name in graph.activations(node):
                if len(node.inputs) == 1 or not _is_fixed(graph, name):
                    leader[find(node.output)] = find(name)
            for name in set(graph.constants(node)) & tied:
                leader[name] = find(node.output)
    return {name: find(name) for name in leader}


def _is_fixed(graph: Graph, name: str) -> bool:
    """Does the specification fix this tensor's grid (a sigmoid, perhaps behind a reshape or a pool)?"""
    producer = graph.producer(name)
    if producer is None:
        return False
    if producer.op.ties_types and len(producer.inputs) == 1:
        return _is_fixed(graph, producer.inputs[0])
    return producer.op.fixed_output() is not None


class GraphModule(nn.Module):
    """A Graph as a torch module. Inputs and outputs are real numbers, (n, *shape), channels last.

    For an annotated Graph `forward` computes in integers; `forward_codes` gives them as they are. What belongs to the
    nodes `frozen` does not learn: their constants, the scales of these, and batch norms' statistics.
    """

    def __init__(self, graph: Graph, momentum: float = 0.1, frozen: Collection[str] = ()) -> None:
        super().__init__()
        self.source = graph
        self.momentum = momentum
        self.integer = graph.type(graph.inputs[0]).is_quantized
        self.observe: Callable[[str, torch.Tensor], None] | None = None
        self._keys = {name: f"t{i}" for i, name in enumerate(graph.tensors)}
        self.values = nn.ParameterDict()
        self.log_scales = nn.ParameterDict()
        self._fixed_scales: dict[str, torch.Tensor] = {}
        self._leaders = tied_groups(graph) if self.integer else {}
        self._frozen = frozenset(frozen)
        fixed = {c for n in graph.nodes if isinstance(n.op, BatchNorm) for c in n.inputs[3:]}
        fixed |= {c for n in graph.nodes if n.name in self._frozen for c in graph.constants(n)}
        for tensor in graph.tensors.values():
            if tensor.data is not None:
                learns = tensor.name not in fixed
                data = torch.from_numpy(tensor.data.astype(np.float32))
                self.values[self._keys[tensor.name]] = nn.Parameter(data, requires_grad=learns)
        if self.integer:
            self._add_scales()

    def _add_scales(self) -> None:
        graph = self.source
        fixed = {self._leaders[graph.inputs[0]]}
        fixed |= {self._leaders[n.output] for n in graph.nodes if n.op.fixed_output() is not None}
        fixed |= {c for n in graph.nodes if n.name in self._frozen for c in graph.constants(n)}
        for tensor in graph.tensors.values():
            name = self._leaders.get(tensor.name, tensor.name)
            if tensor.type.dtype == "int32" or name != tensor.name:
                continue
            if name in fixed:
                self._fixed_scales[name] = scale_of(tensor)
            else:
                self.log_scales[self._keys[name]] = nn.Parameter(scale_of(tensor).log())

    def scale(self, name: str) -> torch.Tensor:
        """The float32 scale of a tensor as it stands now (0-d, or per output channel for weights)."""
        leader = self._leaders.get(name, name)
        if leader in self._fixed_scales:
            return self._fixed_scales[leader]
        scale = self.log_scales[self._keys[leader]].exp().clamp(min=LEAST_SCALE)
        return scale if name in self._leaders else brief_scales(scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Real inputs → real outputs."""
        if not self.integer:
            return self._forward_float(x)
        return self._forward_integer(x).real()

    def forward_codes(self, x: torch.Tensor) -> torch.Tensor:
        """Real inputs → the output's int8 codes (a float tensor of whole numbers)."""
        return self._forward_integer(x).q

    def _forward_float(self, x: torch.Tensor) -> torch.Tensor:
        values: dict[str, torch.Tensor] = {
            n: self.values[k] for n, k in self._keys.items() if k in self.values
        }
        values[self.source.inputs[0]] = x
        for node in self.source.nodes:
            inputs = _real_inputs(self.source, node, values)
            if isinstance(node.op, BatchNorm) and self._takes_statistics(node, node.op):
                y = node.op.training_meaning(inputs, self.momentum)
            else:
                y = node.op.float_meaning(inputs)
            values[node.output] = y
            if self.observe:
                self.observe(node.output, y)
        return values[self.source.outputs[0]]

    def _takes_statistics(self, node: Node, norm: BatchNorm) -> bool:
        """Whether a batch norm is one in training; without ε it stands for x · gain + bias, whatever the batch."""
        return self.training and norm.epsilon > 0 and node.name not in self._frozen

    def _forward_integer(self, x: torch.Tensor) -> Quantized:
        graph = self.source
        kinds = {n: graph.type(n) for n in self._leaders}
        grids = {n: Grid.of(self.scale(n), k.zero_point, k.code_bits) for n, k in kinds.items()}
        first = graph.inputs[0]
        values = {first: grids[first].codes(quantize_activation(x, grids[first]))}
        for node in graph.nodes:
            out = grids[node.output]
            constants = {i: self._constant(node, i, values) for i in graph.constants(node)}
            inputs = inputs_of(graph, node, {**values, **constants})
            codes = self._with_gradient(node, inputs, out)
            values[node.output] = out.codes(codes)
            if self.observe:
                self.observe(node.output, values[node.output].real())
        return values[graph.outputs[0]]

    def _with_gradient(self, node: Node, inputs: list[Quantized], out: Grid) -> torch.Tensor:
        if node.op.integer_gradient or not torch.is_grad_enabled():
            return node.op.integer_meaning(inputs, out)
        with torch.no_grad():
            exact = node.op.integer_meaning(inputs, out)
        smooth = node.op.float_meaning([i.real().float() for i in inputs]) / out.scale + out.zero_point
        return straight_through(exact, smooth.clamp(out.low, out.high))

    def _constant(self, node: Node, name: str, values: dict[str, Quantized]) -> Quantized:
        """A weight or bias as codes, straight-through."""
        real = self.values[self._keys[name]]
        kind = self.source.type(name)
        if node.op.operands:
            grid = Grid.of(self.scale(name).reshape(()), kind.zero_point, kind.code_bits)
            return grid.codes(quantize_activation(real, grid))
        if isinstance(node.op, Recurrent):
            return self._recurrent_constant(node.op, node, name, values[node.inputs[0]])
        if kind.dtype == "int32":
            weighed = values[node.inputs[0]].scale.double()
            scale = self.scale(node.inputs[1]).double() * (node.op.weighed_scale or weighed)
            return Quantized(quantize_bias(real, scale), scale.float())
        scale = self.scale(name)
        shape = [1] * real.dim()
        shape[kind.axis or 0] = -1
        return Quantized(quantize_weight(real, scale.reshape(shape), BITS[kind.dtype]), scale)

    def _recurrent_constant(self, op: Recurrent, node: Node, name: str, x: Quantized) -> Quantized:
        """A weight or bias as codes, its scale in a shape that broadcasts."""
        real, index = self.values[self._keys[name]], node.inputs.index(name)
        if index in op.biases:
            weight = op.biases[index]
            weighed = op.weighed(weight, x.scale.double(), self.scale(node.output).double())
            scale = self.scale(node.inputs[weight]).double() * weighed
            return Quantized(quantize_bias(real, scale), scale.float())
        shape = [1] * real.dim()
        shape[op.weight_axes[index] or 0] = -1
        scale = self.scale(name).reshape(shape)
        return Quantized(quantize_weight(real, scale, BITS[self.source.type(name).dtype]), scale)

    def graph(self) -> Graph:
        """The Graph with what was learned: constants, and scales where it is annotated."""
        learned: list[Tensor] = []
        with torch.no_grad():
            for tensor in self.source.tensors.values():
                key = self._keys[tensor.name]
                data = self.values[key].detach().numpy().copy() if key in self.values else None
                kind = tensor.type
                if self.integer and kind.dtype != "int32":
                    kind = replace(kind, scale=tuple(self.scale(tensor.name).reshape(-1).tolist()))
                learned.append(Tensor(tensor.name, kind, data))
        return self.source.with_tensors(*learned)
