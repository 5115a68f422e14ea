"""QuantizeLinear and DequantizeLinear of ONNX: where they put each tensor of the draft.

The Graph has no such nodes: a tensor's grid is in its type. uint8 codes become int8 ones on the same grid, the
zero point 128 lower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.ops import AveragePool2d, Mean, Requantize
from pintsize.read.draft import Draft, Value
from pintsize.read.onnx_call import Known, OnnxCall, WeightGrid
from pintsize.read.onnx_cast import REAL, grid_of_numbers, keeps_codes

#: int8's and uint8's names in numpy, and what is added to make them int8
ACTIVATION_CODES = {"int8": 0, "uint8": -128}
WEIGHT_CODES = ("int8", "uint8", "int16", "uint16", "int32")
GRID_TOLERANCE = 1e-6
FLOAT_SCALE_MIN, FLOAT_SCALE_MAX = 1e-30, 1e30

Grid = tuple[float, int]


@dataclass(frozen=True)
class Coded:
    """A tensor between its QuantizeLinear and DequantizeLinear. `grid` is None for an input given in codes.

    unsigned: are the file's codes uint8?
    """

    value: Value
    grid: Grid | None
    unsigned: bool


class Quantization:
    """Grids of the draft's tensors; what still has to be proven of them."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.explicit: dict[str, str] = {}  # tensor → the node that quantizes it
        self.bounds: dict[str, tuple[float, float]] = {}  # tensor → what a Clip behind it allows

    def quantize(self, call: OnnxCall) -> Coded | Known:
        """QuantizeLinear, of a tensor or of constants."""
        given = call.given(0)
        if isinstance(given, Known):
            return Known(call.name, _codes_of(call, given.data))
        x, grid = call.value(), activation_grid(call)
        self._prove_bounds(x.tensor, grid)
        value = self._on_grid(call, x, grid)
        self.explicit[value.tensor] = call.source
        return Coded(value, grid, _zero_points(call)[0] == "uint8")

    def dequantize(self, call: OnnxCall, coded: Coded) -> Value:
        """DequantizeLinear of a tensor."""
        grid = activation_grid(call)
        if coded.grid is None:
            self._settle(coded.value.tensor, grid)
        elif not same_grid(coded.grid, grid):
            raise UnsupportedOp(
                f"it reads scale and zero point {grid} where {coded.grid} was written: they must be the same"
            )
        return coded.value

    def cast(self, call: OnnxCall, coded: Coded) -> Coded | Value:
        """Cast of codes: to their own kind, or to real numbers where they stand for themselves."""
        kind, numbers = call.integer("to", 1), grid_of_numbers(coded.unsigned)
        if keeps_codes(kind, coded.unsigned):
            return coded
        if kind not in REAL:
            raise UnsupportedOp(
                "it casts codes to another kind of whole numbers: only real ones are supported"
            )
        if coded.grid is None:
            self._settle(coded.value.tensor, numbers)
        elif not same_grid(coded.grid, numbers):
            raise UnsupportedOp(
                "it takes codes for numbers, which leaves out their scale and zero point: put a DequantizeLinear there"
            )
        return coded.value

    def grid(self, tensor: str) -> Grid | None:
        """Scale and zero point that the tensor has, or must have by the op that makes it; None while it is open."""
        kind = self.draft.tensors[tensor].type
        if kind.is_quantized:
            return kind.scale[0], kind.zero_point
        node = next((n for n in self.draft.nodes if n.output == tensor), None)
        if node is None:
            return None
        if node.op.ties_types and len(node.inputs) == 1:
            return self.grid(node.inputs[0])
        return node.op.fixed_output()

    def _on_grid(self, call: OnnxCall, x: Value, grid: Grid) -> Value:
        natural = self.grid(x.tensor)
        if natural is None or same_grid(natural, grid):
            self._settle(x.tensor, grid)
            return x
        if self._became_mean(x.tensor):
            self._settle(x.tensor, grid)
            return x
        self._settle(x.tensor, natural)
        moved = Value(call.call().beside(Requantize(), x.tensor), x.shape, x.layout)
        self._settle(moved.tensor, grid)
        return moved

    def _became_mean(self, tensor: str) -> bool:
        """A pool over a whole image as a mean, which rounds once where the grids differ."""
        for i, node in enumerate(self.draft.nodes):
            if node.output == tensor and isinstance(node.op, AveragePool2d) and not any(node.op.padding):
                shape = self.draft.shape(node.inputs[0])
                if node.op.kernel == shape[:2]:
                    self.draft.nodes[i] = replace(node, op=Mean((0, 1), True))
                    return True
        return False

    def _settle(self, tensor: str, grid: Grid) -> None:
        """Gives the tensor this grid, and those before it that must share it."""
        known = self.draft.tensors[tensor]
        if known.type.is_quantized:
            return
        kind = replace(known.type, dtype="int8", scale=(grid[0],), zero_point=grid[1])
        self.draft.tensors[tensor] = replace(known, type=kind)
        node = next((n for n in self.draft.nodes if n.output == tensor), None)
        if node is not None and node.op.ties_types and len(node.inputs) == 1:
            self._settle(node.inputs[0], grid)

    def _prove_bounds(self, tensor: str, grid: Grid) -> None:
        """A Clip before a QuantizeLinear is dropped where the codes cannot leave its bounds anyway."""
        low, high = self.bounds.pop(tensor, (-np.inf, np.inf))
        scale, zero_point = grid
        if (-128 - zero_point) * scale < low - scale / 2 or (127 - zero_point) * scale > high + scale / 2:
            raise UnsupportedOp(
                f"it quantizes what a Clip bounds to ({low}, {high}) to a wider range: only ReLU, ReLU6 and bounds "
                "that the range says already are supported"
            )


def same_grid(a: Grid, b: Grid) -> bool:
    return a[1] == b[1] and abs(a[0] - b[0]) <= GRID_TOLERANCE * abs(b[0])


def activation_grid(call: OnnxCall) -> Grid:
    """Scale and int8 zero point from a node's inputs. Raises UnsupportedOp for other kinds of codes."""
    scale = _scales(call)
    kind, zero_points = _zero_points(call)
    if kind not in ACTIVATION_CODES:
        raise UnsupportedOp(f"activations are int8 or uint8, not {kind}")
    if scale.size != 1 or zero_points.size != 1:
        raise UnsupportedOp("an activation has one scale and zero point for all its channels")
    return float(scale[0]), int(zero_points[0]) + ACTIVATION_CODES[kind]


def _scales(call: OnnxCall) -> np.ndarray:
    scale = call.known(1).data
    if scale.ndim > 1 or not np.issubdtype(scale.dtype, np.floating):
        raise UnsupportedOp(f"scales of shape {scale.shape}: one number, or one per channel, is supported")
    scale = scale.astype(np.float32).reshape(-1)
    if not np.all((scale > FLOAT_SCALE_MIN) & (scale < FLOAT_SCALE_MAX)):
        raise UnsupportedOp("its scale must be positive and finite")
    return scale


#: ONNX's data types of codes, as QuantizeLinear's output_dtype names them
OUTPUT_TYPES = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 21: "uint4", 22: "int4"}


def _zero_points(call: OnnxCall) -> tuple[str, np.ndarray]:
    """Kind of the codes, and the zero points: 0, of uint8, where the node gives none."""
    if call.given(2) is not None:
        data = call.known(2).data
        return str(data.dtype), data.astype(np.int64).reshape(-1)
    kind = OUTPUT_TYPES.get(call.integer("output_dtype", 0), "uint8")
    first = call.given(0)
    if call.op == "DequantizeLinear" and isinstance(first, Known):
        kind = str(first.data.dtype)
    return kind, np.zeros(1, np.int64)


def _spread(call: OnnxCall, numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One number per slice along the node's axis, in a shape that broadcasts."""
    if numbers.size == 1:
        return numbers.reshape(())
    axis = call.integer("axis", 1)
    if not -len(shape) <= axis < len(shape) or shape[axis] != numbers.size or call.integer("block_size", 0):
        raise UnsupportedOp(f"{numbers.size} scales along axis {axis} do not fit constants of shape {shape}")
    ones = [1] * len(shape)
    ones[axis] = -1
    return numbers.reshape(ones)


def _codes_of(call: OnnxCall, real: np.ndarray) -> np.ndarray:
    """Constants quantized by the model itself: to nearest, halves to even."""
    kind, zero_points = _zero_points(call)
    if kind not in ("int8", "uint8"):
        raise UnsupportedOp(f"constants are quantized to int8 or uint8, not to {kind}")
    if not np.isfinite(real).all():
        raise UnsupportedOp("it quantizes NaN or infinity")
    limits = np.iinfo(kind)
    steps = np.rint(real.astype(np.float64) / _spread(call, _scales(call), real.shape))
    return np.clip(steps + _spread(call, zero_points, real.shape), limits.min, limits.max).astype(kind)


def dequantized(call: OnnxCall) -> Known:
    """DequantizeLinear of constants: real numbers that remember their codes."""
    given = call.known(0)
    if str(given.data.dtype) not in WEIGHT_CODES:
        raise UnsupportedOp(f"it dequantizes {given.data.dtype}: whole numbers are needed")
    scale, (_, zero_points) = _scales(call), _zero_points(call)
    codes = given.data.astype(np.int64) - _spread(call, zero_points, given.data.shape)
    real = codes * _spread(call, scale, given.data.shape).astype(np.float64)
    return Known(given.name, real, WeightGrid(codes, scale))
