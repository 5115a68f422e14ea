"""One ONNX node as a reading function sees it: inputs that depend on the model's input, known ones, attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pintsize.errors import UnsupportedOp
from pintsize.read.draft import Call, Constant, Draft, Value
from pintsize.read.layout import Layout

#: of kernels, strides, paddings and dilations
EXTENT_MAX = 2**14
#: of shapes, axes, sizes of parts
LIST_MAX = 1024


@dataclass(frozen=True, eq=False)
class WeightGrid:
    """Where dequantized numbers come from: codes less their zero point, and one scale, or one per channel."""

    codes: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class Known:
    """Numbers that do not depend on the model's input, with all their axes."""

    name: str
    data: np.ndarray
    grid: WeightGrid | None = None


Argument = Value | Known | None


@dataclass(frozen=True, eq=False)
class OnnxCall:
    """inputs: None where one was left out. attributes: as Python's numbers, lists, bytes and arrays."""

    draft: Draft
    op: str
    name: str
    source: str
    opset: int
    inputs: Sequence[Argument]
    attributes: Mapping[str, Any]
    outputs: int = 1
    #: tensor → bounds that its QuantizeLinear must say; None where the model is not quantized
    bounds: dict[str, tuple[float, float]] | None = None

    def given(self, index: int) -> Argument:
        """An input, None where the node has none there."""
        return self.inputs[index] if index < len(self.inputs) else None

    def value(self, index: int = 0) -> Value:
        """An input that must depend on the model's input."""
        found = self.given(index)
        if not isinstance(found, Value):
            raise UnsupportedOp(f"its input {index} must be computed from the model's input")
        return found

    def known(self, index: int) -> Known:
        """An input that must be constant."""
        found = self.given(index)
        if not isinstance(found, Known):
            raise UnsupportedOp(f"its input {index} must be a constant, not computed from the model's input")
        return found

    def weights(self, index: int) -> tuple[str, np.ndarray]:
        """Name and numbers (float64) of a constant input."""
        found = self.known(index)
        return found.name, found.data.astype(np.float64)

    def weights_or(self, index: int, word: str, default: np.ndarray) -> tuple[str, np.ndarray]:
        """As `weights`; the default, under a name of its own, where the input was left out."""
        return (f"{self.name}.{word}", default) if self.given(index) is None else self.weights(index)

    def integers(self, index: int, attribute: str = "") -> list[int] | None:
        """A list of whole numbers given as a constant input, or as an attribute in older opsets."""
        if self.given(index) is not None:
            data = self.known(index).data.reshape(-1)
            if data.size > LIST_MAX:
                raise UnsupportedOp(f"its input {index} is a list of {data.size} numbers: too long")
            return [int(n) for n in data]
        found = self.attributes.get(attribute)
        return None if found is None else [int(n) for n in found]

    def number(self, attribute: str, default: float) -> float:
        return float(self.attributes.get(attribute, default))

    def integer(self, attribute: str, default: int) -> int:
        return int(self.attributes.get(attribute, default))

    def word(self, attribute: str, default: str) -> str:
        return bytes(self.attributes.get(attribute, default.encode())).decode("utf-8", "replace")

    def extents(self, attribute: str, default: Sequence[int]) -> list[int]:
        """Kernel, stride, dilation or padding: whole numbers that are not negative."""
        found = [int(n) for n in self.attributes.get(attribute, default)]
        if len(found) != len(default) or not all(0 <= n <= EXTENT_MAX for n in found):
            raise UnsupportedOp(
                f"{attribute}={found[:8]}: {len(default)} numbers from 0 to {EXTENT_MAX} are allowed"
            )
        return found

    def call(self, shape: tuple[int, ...] = (), /, **arguments: Any) -> Call:
        """As the functions take it that read torch's ops: arguments by torch's names, the output's shape."""
        bound = {name: _for_torch(argument) for name, argument in arguments.items()}
        return Call(self.draft, self.name, self.source, bound, shape)

    def named(self, suffix: str) -> OnnxCall:
        """The same call for a part of the work, under a name of its own."""
        return replace(self, name=f"{self.name}.{suffix}")

    def natural(self, tensor: str, layout: Layout) -> Value:
        """A tensor of the Graph under the shape that ONNX gives it in this layout."""
        return Value(tensor, user_shape(layout, self.draft.shape(tensor)), layout)


def user_shape(layout: Layout, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The user's shape of a Graph's: the inverse of `Layout.graph_shape`."""
    if layout is Layout.IMAGE:
        height, width, channels = shape
        return channels, height, width
    if layout is Layout.SIGNAL:
        _, length, channels = shape
        return channels, length
    return shape


def _for_torch(argument: Any) -> Any:
    if isinstance(argument, Known):
        return Constant(argument.name, torch.from_numpy(np.array(argument.data, np.float64)))
    if isinstance(argument, list):
        return [_for_torch(a) for a in argument]
    return argument


def axis_of(axis: int, rank: int) -> int:
    """ONNX's axis (batch counted, maybe negative) of a tensor with `rank` axes, the batch not counted → with the
    batch counted, never negative. Raises UnsupportedOp for the batch."""
    if not -rank - 1 <= axis <= rank:
        raise UnsupportedOp(f"axis {axis} does not exist: there are {rank + 1}")
    found = axis % (rank + 1)
    if found == 0:
        raise UnsupportedOp("it works along the batch: each input must be computed by itself")
    return found
