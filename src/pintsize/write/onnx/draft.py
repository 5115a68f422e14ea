"""An ONNX graph while it is being written: nodes and initializers one by one, quantized where the Graph is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pintsize.arithmetic import half_away
from pintsize.graph import Graph, Node, Tensor
from pintsize.write.onnx.layout import TO_FIRST, TO_LAST, Form, Place, order_matters

#: on the same grid: int8 code q is uint8 code q + 128, which ONNX Runtime's x86 kernels take
UINT8_OFFSET = 128
CODE_MIN, CODE_MAX = -128, 127


class Draft:
    """What is written so far. A tensor is read in real numbers, behind a DequantizeLinear of its own."""

    def __init__(self, graph: Graph) -> None:
        from onnx import helper, numpy_helper

        self._make_node, self._from_array = helper.make_node, numpy_helper.from_array
        self.graph = graph
        self.quantized = graph.type(graph.inputs[0]).is_quantized
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._names: set[str] = {*graph.inputs, *graph.outputs}
        self._places: dict[str, list[Place]] = {}
        self._constants: dict[tuple[str, bytes, tuple[int, ...]], str] = {}

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken already."""
        candidate, number = name, 1
        while candidate in self._names:
            number += 1
            candidate = f"{name}_{number}"
        self._names.add(candidate)
        return candidate

    def add(self, op: str, inputs: Sequence[str], name: str, output: str = "", **attributes: Any) -> str:
        """Adds a node; the name of its output."""
        output = output or self.unique(name)
        self.nodes.append(self._make_node(op, list(inputs), [output], name=f"{output}:{op}", **attributes))
        return output

    def constant(self, name: str, data: np.ndarray) -> str:
        """Adds an initializer; the same numbers under the same name are stored once."""
        data = np.array(data, order="C")  # not ascontiguousarray, which gives a scalar an axis
        key = (name, data.tobytes(), data.shape)
        if key not in self._constants:
            self._constants[key] = self.unique(name)
            self.initializers.append(self._from_array(data, self._constants[key]))
        return self._constants[key]

    def integers(self, *numbers: int) -> str:
        """A constant list of whole numbers, such as a shape."""
        return self.constant("shape_" + "_".join(map(str, numbers)), np.array(numbers, np.int64))

    # --- activations

    def begin(self, name: str, form: Form) -> None:
        """The model's input, in real numbers."""
        self.put(name, name, form)

    def put(self, tensor: str, real: str, form: Form, image: tuple[int, ...] = ()) -> None:
        """The tensor is what `real` computes, quantized to its grid."""
        name = self._quantize(tensor, real) if self.quantized else real
        self._places.setdefault(tensor, []).append(Place(name, form, image))

    def form(self, tensor: str) -> Form:
        """The form that the tensor came in."""
        return self._places[tensor][0].form

    def image(self, tensor: str) -> tuple[int, ...]:
        return self._places[tensor][0].image

    def real(self, tensor: str, form: Form, reader: str, output: str = "") -> str:
        """The tensor in real numbers in this form, for one reader; `output` names what a DequantizeLinear gives it."""
        place = next((p for p in self._places[tensor] if p.form == form), None)
        if place is None:
            self._convert(tensor, form)
            place = self._places[tensor][-1]
        return self._dequantize(tensor, place.name, reader, output) if self.quantized else place.name

    def _convert(self, tensor: str, form: Form) -> None:
        """Puts the tensor down a second time, in another form."""
        origin = self._places[tensor][0]
        name = f"{tensor}:{form}"
        real = self.real(tensor, origin.form, name)
        shape = self.graph.type(tensor).shape
        if origin.form == "flat":
            height, width, channels = origin.image
            image = self.add("Reshape", [real, self.integers(0, channels, height, width)], f"{name}:image")
            moved = self.add("Transpose", [image], f"{name}:moved", perm=TO_LAST)
            converted = self.add("Reshape", [moved, self.integers(0, *shape)], name)
        elif order_matters(shape):
            converted = self.add("Transpose", [real], name, perm=TO_FIRST if form == "first" else TO_LAST)
        else:
            height, width, channels = shape
            target = (0, channels, height, width) if form == "first" else (0, *shape)
            converted = self.add("Reshape", [real, self.integers(*target)], name)
        self.put(tensor, converted, form)

    def grid(self, tensor: str) -> tuple[str, str]:
        """Initializers of an activation's scale and uint8 zero point."""
        kind = self.graph.type(tensor)
        scale = self.constant(f"{tensor}:scale", np.array(kind.scale[0], np.float32))
        zero = self.constant(f"{tensor}:zero_point", np.array(kind.zero_point + UINT8_OFFSET, np.uint8))
        return scale, zero

    def _quantize(self, tensor: str, real: str) -> str:
        return self.add("QuantizeLinear", [real, *self.grid(tensor)], f"{tensor}:codes")

    def _dequantize(self, tensor: str, codes: str, reader: str, output: str = "") -> str:
        return self.add("DequantizeLinear", [codes, *self.grid(tensor)], f"{tensor}:to:{reader}", output)

    def same_codes(self, tensor: str, real: str, name: str) -> str:
        """The real numbers through codes on the tensor's grid: what stands before and behind fuses by itself."""
        if not self.quantized:
            return real
        codes = self.add("QuantizeLinear", [real, *self.grid(tensor)], f"{name}:codes")
        return self.add("DequantizeLinear", [codes, *self.grid(tensor)], f"{name}:decoded")

    def finish(self, tensor: str, form: Form) -> None:
        """The model's output, in real numbers, under the Graph's name."""
        real = self.real(tensor, form, "output", tensor)
        if real != tensor:
            self.add("Identity", [real], f"{tensor}:output", tensor)

    # --- weights

    def weight(self, node: Node, index: int, data: np.ndarray, axis: int) -> str:
        """A node's constant input in real numbers, rearranged to `data` with its output channels along `axis`."""
        tensor = self.graph.tensors[node.inputs[index]]
        if not self.quantized:
            return self.constant(tensor.name, data.astype(np.float32))
        codes = self.constant(tensor.name, data.astype(np.int32 if tensor.type.dtype == "int32" else np.int8))
        scale = self.constant(f"{tensor.name}:scale", self._scales(node, tensor, data.shape[axis]))
        zeros = np.zeros(data.shape[axis], np.int32 if tensor.type.dtype == "int32" else np.int8)
        zero = self.constant(f"{tensor.name}:zero_point", zeros)
        return self.add("DequantizeLinear", [codes, scale, zero], f"{tensor.name}:real", axis=axis)

    def by_slices(self, node: Node, index: int, data: np.ndarray, order: Sequence[int]) -> str:
        """A constant input whose own scales belong to the slices of `data`, which are in another order."""
        tensor = self.graph.tensors[node.inputs[index]]
        if not self.quantized:
            return self.constant(tensor.name, data.astype(np.float32))
        kind = np.int32 if tensor.type.dtype == "int32" else np.int8
        scale = self.constant(f"{tensor.name}:scale", np.array(tensor.type.scale, np.float32)[list(order)])
        inputs = [self.constant(tensor.name, data.astype(kind)), scale]
        inputs.append(self.constant(f"{tensor.name}:zero_point", np.zeros(len(order), kind)))
        return self.add("DequantizeLinear", inputs, f"{tensor.name}:real", axis=0)

    def operand(self, tensor: str, data: np.ndarray) -> str:
        """A constant that stands where an activation could, in real numbers, rearranged to `data`."""
        if not self.quantized:
            return self.constant(tensor, data.astype(np.float32))
        codes = self.constant(tensor, (data.astype(np.int16) + UINT8_OFFSET).astype(np.uint8))
        return self._dequantize(tensor, codes, "operand")

    def _scales(self, node: Node, tensor: Tensor, count: int) -> np.ndarray:
        """One per output channel; a bias's are exactly the product that ONNX Runtime checks it against."""
        if tensor.type.dtype != "int32":
            return np.broadcast_to(np.array(tensor.type.scale, np.float32), (count,)).copy()
        weight = np.array(self.graph.type(node.inputs[1]).scale, np.float32)
        product = weight * np.float32(node.op.weighed_scale or self.graph.type(node.inputs[0]).scale[0])
        return np.broadcast_to(product, (count,)).astype(np.float32)

    # --- fused activations

    def bounded(self, node: Node, real: str, form: Form, image: tuple[int, ...] = ()) -> None:
        """The node's output with its fused ReLU or ReLU6, which is left out where the grid ends there anyway."""
        activation = getattr(node.op, "activation", "none")
        if activation == "none":
            self.put(node.output, real, form, image)
        elif not self.quantized:
            self.put(
                node.output, self._clip(node, real, 0.0, 6.0 if activation == "relu6" else None), form, image
            )
        else:
            self._bounded_codes(node, real, form, image)

    def _bounded_codes(self, node: Node, real: str, form: Form, image: tuple[int, ...]) -> None:
        """Quantized first, so that the op itself fuses, then clipped at whole codes."""
        kind = self.graph.type(node.output)
        scale, zero_point = kind.scale[0], kind.zero_point
        high = CODE_MAX
        if node.op.activation == "relu6":  # type: ignore[attr-defined]
            high = min(CODE_MAX, zero_point + int(half_away(6.0 / np.float64(np.float32(scale)))))
        if max(CODE_MIN, zero_point) == CODE_MIN and high == CODE_MAX:
            self.put(node.output, real, form, image)
            return
        codes = self._quantize(node.output, real)
        back = self._dequantize(node.output, codes, f"{node.name}:bounds")
        top = None if high == CODE_MAX else (high - zero_point) * scale
        self.put(node.output, self._clip(node, back, 0.0, top), form, image)

    def _clip(self, node: Node, real: str, low: float, high: float | None) -> str:
        if high is None:
            return self.add("Relu", [real], f"{node.name}:relu")
        bounds = [self.constant(f"bound_{b}", np.array(b, np.float32)) for b in (low, high)]
        return self.add("Clip", [real, *bounds], f"{node.name}:clip")
