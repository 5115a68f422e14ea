"""A Graph as an ExecuTorch program (.pte), lowered by ExecuTorch's own exporter, with XNNPACK for what it takes.

The program takes and gives real numbers, (1, *shape), channels last as in the Graph. An integer Graph becomes float ops
between dequantize and quantize ops on the Graph's own grids, the form in which XNNPACK finds its int8 kernels. It
requantizes in floating point, so outputs may differ from the Graph's integers by a step here and there. What XNNPACK
does not take, recurrent layers among it, runs on ExecuTorch's portable kernels in real numbers. Weights narrower than
8 bits take 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from pintsize.errors import MissingExtra
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.ops import Add, AveragePool2d, Conv2d, DepthwiseConv2d, Elementwise, Linear, MaxPool2d, Mul
from pintsize.ops.activation import Activation
from pintsize.silence import silent

#: code type → its torch type and least and largest code
CODES = {"int8": (torch.int8, -128, 127), "int16": (torch.int16, -32768, 32767)}
#: weights are int8 in the program, whatever their width
WEIGHT_CODES = (-127, 127, torch.int8)


def write_executorch(graph: Graph) -> bytes:
    """A Graph, of integers or of real numbers, as the content of a .pte file.

    Raises MissingExtra when ExecuTorch is not installed.
    """
    with silent():  # exporters log and warn about themselves
        try:
            import executorch.kernels.quantized  # type: ignore[import-not-found]  # noqa: F401  its ops register themselves
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # type: ignore[import-not-found]
                XnnpackPartitioner,
            )
            from executorch.exir import to_edge_transform_and_lower  # type: ignore[import-not-found]
        except ModuleNotFoundError as error:
            raise MissingExtra("executorch", "executorch") from error
        example = torch.zeros(1, *graph.type(graph.inputs[0]).shape)
        with torch.no_grad():
            exported = torch.export.export(Program(graph).eval(), (example,))
            edge = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
            return bytes(edge.to_executorch().buffer)


class Program(nn.Module):
    """The Graph in torch ops that ExecuTorch knows. Images lie channels first within, where its kernels want them.

    Values are codes in an integer Graph, so that every reader dequantizes its own.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self._keys: dict[str, str] = {}
        for node in graph.nodes:
            for name in graph.constants(node):
                self._store(node, graph.tensors[name])

    def _store(self, node: Node, constant: Tensor) -> None:
        data, kind = constant.data, constant.type
        assert data is not None
        key = self._keys[constant.name] = f"c{len(self._keys)}"
        if kind.dtype == "int32":  # exact: XNNPACK divides by the same scales again
            real = (data.astype(np.float64) * np.array(kind.scale, np.float64)).astype(np.float32)
            self.register_buffer(key, torch.from_numpy(real))
            return
        arranged = torch.from_numpy(np.ascontiguousarray(data))
        if arranged.dim() == 4 and isinstance(node.op, Conv2d):
            arranged = arranged.permute(0, 3, 1, 2).contiguous()
        elif isinstance(node.op, DepthwiseConv2d) and arranged.dim() == 3:
            arranged = arranged.permute(2, 0, 1)[:, None].contiguous()
        self.register_buffer(key, arranged)
        if kind.is_quantized and kind.axis is not None:
            self.register_buffer(f"{key}_scale", torch.tensor(kind.scale, dtype=torch.float32))
            self.register_buffer(f"{key}_zero_point", torch.zeros(len(kind.scale), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Real numbers, (1, *shape) → (1, *shape), channels last."""
        graph = self.graph
        first, last = graph.inputs[0], graph.outputs[0]
        values = {first: _to_codes(_held(x, graph.type(first)), graph.type(first))}
        for node in graph.nodes:
            y = self._compute(node, [self._real(node, name, values) for name in node.inputs])
            values[node.output] = _to_codes(y, graph.type(node.output))
        return _channels_last(_to_real(values[last], graph.type(last)), graph.type(last))

    def _compute(self, node: Node, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """The node's output in real numbers, images channels first."""
        direct = CHANNELS_FIRST.get(type(node.op))
        kinds = [self.graph.type(i) for i in node.inputs]
        y = direct(node.op, inputs, kinds) if direct else None
        if y is not None:
            return y
        if isinstance(node.op, Elementwise):
            return node.op.float_meaning(inputs)
        arranged = [self._as_in_the_graph(node, *i) for i in zip(node.inputs, inputs, strict=True)]
        return _held(node.op.float_meaning(arranged), self.graph.type(node.output))

    def _as_in_the_graph(self, node: Node, name: str, value: torch.Tensor) -> torch.Tensor:
        if name not in self._keys:
            return _channels_last(value, self.graph.type(name))
        if isinstance(node.op, Conv2d) and value.dim() == 4:
            return value.permute(0, 2, 3, 1)
        if isinstance(node.op, DepthwiseConv2d) and value.dim() == 4:
            return value[:, 0].permute(1, 2, 0)
        return value[None] if node.op.operands else value

    def _real(self, node: Node, name: str, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        if name in values:
            return _to_real(values[name], self.graph.type(name))
        kind, key = self.graph.type(name), self._keys[name]
        value = getattr(self, key)
        if kind.dtype in ("int32", "float32"):
            return value
        if kind.axis is None:
            return _to_real(value, kind)
        axis = 0 if isinstance(node.op, DepthwiseConv2d) else kind.axis
        scale, zero_point = getattr(self, f"{key}_scale"), getattr(self, f"{key}_zero_point")
        decomposed = torch.ops.quantized_decomposed
        return decomposed.dequantize_per_channel.default(value, scale, zero_point, axis, *WEIGHT_CODES)


def _held(x: torch.Tensor, kind: TensorType) -> torch.Tensor:
    return x.permute(0, 3, 1, 2) if len(kind.shape) == 3 else x


def _channels_last(x: torch.Tensor, kind: TensorType) -> torch.Tensor:
    return x.permute(0, 2, 3, 1) if len(kind.shape) == 3 else x


def _to_codes(x: torch.Tensor, kind: TensorType) -> torch.Tensor:
    """Real numbers as codes on their grid; as they are in a float Graph."""
    if not kind.is_quantized:
        return x
    dtype, low, high = CODES[kind.dtype]
    grid = (kind.scale[0], kind.zero_point, low, high, dtype)
    return torch.ops.quantized_decomposed.quantize_per_tensor.default(x, *grid)


def _to_real(codes: torch.Tensor, kind: TensorType) -> torch.Tensor:
    if not kind.is_quantized:
        return codes
    dtype, low, high = CODES["int16" if kind.dtype == "int16" else "int8"]
    grid = (kind.scale[0], kind.zero_point, low, high, dtype)
    return torch.ops.quantized_decomposed.dequantize_per_tensor.default(codes, *grid)


def _activated(y: torch.Tensor, activation: Activation) -> torch.Tensor:
    if activation == "none":
        return y
    return F.relu(y) if activation == "relu" else F.hardtanh(y, 0.0, 6.0)


Kinds = Sequence[TensorType]
#: op, inputs in real numbers with images channels first, their types → the output, or None where it is not that simple
Direct = Callable[[Any, Sequence[torch.Tensor], Kinds], torch.Tensor | None]


def _symmetric(padding: tuple[int, int, int, int]) -> tuple[int, int] | None:
    top, bottom, left, right = padding
    return (top, left) if (top, left) == (bottom, right) else None


def _convolution(op: Conv2d | DepthwiseConv2d, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor:
    x, w, b = inputs
    padding = _symmetric(op.padding)
    if padding is None:
        top, bottom, left, right = op.padding
        x, padding = _to_real(_to_codes(F.pad(x, (left, right, top, bottom)), kinds[0]), kinds[0]), (0, 0)
    groups = x.shape[1] if isinstance(op, DepthwiseConv2d) else 1
    return _activated(F.conv2d(x, w, b, op.stride, padding, op.dilation, groups), op.activation)


def _linear(op: Linear, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor | None:
    return _activated(F.linear(*inputs), op.activation) if len(kinds[0].shape) < 3 else None


def _add(op: Add, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor | None:
    a, b = inputs
    return _activated(a + b, op.activation) if a.shape == b.shape else None


def _mul(op: Mul, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor | None:
    a, b = inputs
    return _activated(a * b, op.activation) if a.shape == b.shape else None


def _max_pool(op: MaxPool2d, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor | None:
    padding = _symmetric(op.padding)
    if padding is None or any(2 * p > k for p, k in zip(padding, op.kernel, strict=True)):
        return None
    return F.max_pool2d(inputs[0], op.kernel, op.stride, padding, op.dilation)


def _average_pool(op: AveragePool2d, inputs: Sequence[torch.Tensor], kinds: Kinds) -> torch.Tensor | None:
    padding = _symmetric(op.padding)
    if padding is None or any(2 * p > k for p, k in zip(padding, op.kernel, strict=True)):
        return None
    if op.kernel == tuple(inputs[0].shape[2:]) and padding == (0, 0):
        return inputs[0].mean((2, 3), keepdim=True)
    return F.avg_pool2d(inputs[0], op.kernel, op.stride, padding, count_include_pad=False)


CHANNELS_FIRST: Mapping[type, Direct] = {
    Conv2d: _convolution, DepthwiseConv2d: _convolution, Linear: _linear, Add: _add, Mul: _mul,
    MaxPool2d: _max_pool, AveragePool2d: _average_pool,
}  # fmt: skip
