"""Operators that move numbers and keep them: RESHAPE, TRANSPOSE, PAD, CONCATENATION …"""

from __future__ import annotations

from math import prod

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.ops import Concat, Pad, Tile, Transpose
from pintsize.ops.pad import PadMode
from pintsize.read.tflite_activation import activation_of
from pintsize.read.tflite_draft import Call, without_batch
from pintsize.read.tflite_layers import EXTENTS_MAX, image_shape

#: of MirrorPadMode
MIRRORS: dict[int, PadMode] = {0: "reflect", 1: "symmetric"}


def reshape(call: Call) -> None:
    x = call.activation()
    call.same_numbers(x, call.out_shape() or _target(call, x))


def _target(call: Call, x: str) -> tuple[int, ...]:
    """The shape asked for, where the chosen input shape decides: one extent may be -1."""
    target = call.whole_numbers(1) if call.has(1) else call.operator.options.vector("NewShape")
    elements = call.draft.type(x).elements
    known = prod(n for n in target if n != -1)
    if target.count(-1) > 1 or known <= 0 or elements % known:
        raise ModelError(f"{call.place}: {elements} numbers do not fit the shape {target}")
    return tuple(elements // known if n == -1 else n for n in target)


def squeeze(call: Call) -> None:
    x, before = call.activation(), call.full_shape()
    axes = [a % len(before) for a in call.operator.options.vector("SqueezeDims")] if before else []
    drop = axes or [i for i, n in enumerate(before) if n == 1]
    call.same_numbers(x, tuple(n for i, n in enumerate(before) if i not in drop))


def expand_dims(call: Call) -> None:
    x, before = call.activation(), call.full_shape()
    axis = call.one_axis(call.whole_number(1), len(before) + 1)
    call.same_numbers(x, (*before[:axis], 1, *before[axis:]))


def transpose(call: Call) -> None:
    """Axes of extent one may move without a number moving."""
    x, before, order = call.activation(), call.full_shape(), call.whole_numbers(1)
    order = tuple(a % max(1, len(before)) for a in order)
    if sorted(order) != list(range(len(before))):
        raise ModelError(f"{call.place}: {order} is no order of the axes of {before}")
    after = tuple(before[a] for a in order)
    moving = [a for a in order if before[a] != 1]
    if moving == sorted(moving):
        call.same_numbers(x, after)
        return
    call.require_same_grid(x)
    rank = len(without_batch(before))
    if order[0] == 0 and rank == len(before) - 1:
        call.emit(Transpose(tuple(a - 1 for a in order[1:])), x)
        return
    long = tuple(n for n in before if n != 1)
    axes = tuple(sorted(moving).index(a) for a in moving)
    moved = call.beside(Transpose(axes), call.reshaped(x, long))
    call.same_numbers(moved, after)


def pad(call: Call) -> None:
    _pad(call, 0.0, "constant")


def pad_with_value(call: Call) -> None:
    """PADV2: the value is one number, on the input's grid where that is quantized."""
    kind, value = call.draft.type(call.activation()), call.numbers(2)
    if value.size != 1:
        raise ModelError(f"{call.place}: a value of {value.size} numbers")
    number = float(value.reshape(-1)[0])
    _pad(call, (number - kind.zero_point) * kind.scale[0] if kind.is_quantized else number, "constant")


def mirror_pad(call: Call) -> None:
    mode = call.option("Mode")
    if mode not in MIRRORS:
        raise ModelError(f"{call.place}: an unknown mode {mode}")
    _pad(call, 0.0, MIRRORS[mode])


def _pad(call: Call, value: float, mode: PadMode) -> None:
    full, amounts = call.full_shape(), call.whole_numbers(1)
    if len(amounts) != 2 * len(full) or not all(0 <= a <= EXTENTS_MAX for a in amounts):
        raise ModelError(f"{call.place}: paddings {amounts} for {full}; 0 to {EXTENTS_MAX} each are allowed")
    after = tuple(n + sum(amounts[2 * i : 2 * i + 2]) for i, n in enumerate(full))
    x, left_out = call.along(call.activation(), full, [0] if any(amounts[:2]) else [])
    call.emit(Pad(amounts[2 * left_out :], mode, value), x, full=after)


def concatenation(call: Call) -> None:
    if activation_of(call) != "none":
        raise UnsupportedOp("a fused activation; none is read")
    shapes = [call.full_shape(i) for i in range(len(call.operator.inputs))]
    axis = call.one_axis(call.option("Axis"), len(shapes[0]))
    join(call, [call.operand(i) for i in range(len(shapes))], shapes, axis)


def pack(call: Call) -> None:
    """Tensors side by side along a new axis."""
    before = call.full_shape()
    axis = call.one_axis(call.option("Axis"), len(before) + 1)
    shape = (*before[:axis], 1, *before[axis:])
    names = [
        call.reshaped(call.activation(i), without_batch(shape)) for i in range(len(call.operator.inputs))
    ]
    join(call, names, [shape] * len(names), axis)


def join(call: Call, names: list[str], shapes: list[tuple[int, ...]], axis: int) -> None:
    """Codes are copied, so all must be on the output's grid. One that has a batch of more than 1 decides for all."""
    for name in names:
        call.require_same_grid(name)
    if any(len(s) != len(shapes[0]) for s in shapes):
        raise ModelError(f"{call.place}: shapes {shapes} differ in rank")
    along = [0] if axis == 0 or any(s[0] != 1 for s in shapes) else []
    parts = [call.along(name, shape, along) for name, shape in zip(names, shapes, strict=True)]
    after = (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
    call.emit(Concat(axis - parts[0][1]), *(name for name, _ in parts), full=after)


def tile(call: Call) -> None:
    full, repeats = call.full_shape(), call.whole_numbers(1)
    if len(repeats) != len(full) or not all(1 <= r <= EXTENTS_MAX for r in repeats):
        raise ModelError(f"{call.place}: repeats {repeats} of {full}")
    x, left_out = call.along(call.activation(), full, [0] if repeats[0] > 1 else [])
    after = tuple(n * r for n, r in zip(full, repeats, strict=True))
    call.emit(Tile(repeats[left_out:]), x, full=after)


def space_to_depth(call: Call) -> None:
    """Blocks of pixels become channels."""
    x, size = call.activation(), _block(call)
    height, width, channels = image_shape(call, x)
    if height % size or width % size:
        raise ModelError(f"{call.place}: {height} × {width} in blocks of {size}")
    rows, columns = height // size, width // size
    split = call.reshaped(x, (rows, size, columns, size * channels))
    moved = call.beside(Transpose((0, 2, 1, 3)), split)
    call.same_numbers(moved, (1, rows, columns, size * size * channels))


def depth_to_space(call: Call) -> None:
    """Channels become blocks of pixels."""
    x, size = call.activation(), _block(call)
    height, width, channels = image_shape(call, x)
    if channels % (size * size):
        raise ModelError(f"{call.place}: {channels} channels in blocks of {size}")
    part = channels // (size * size)
    split = call.reshaped(x, (height, width, size, size * part))
    moved = call.beside(Transpose((0, 2, 1, 3)), split)
    call.same_numbers(moved, (1, height * size, width * size, part))


def _block(call: Call) -> int:
    size = call.option("BlockSize")
    if not 1 <= size <= EXTENTS_MAX:
        raise ModelError(f"{call.place}: blocks of {size}")
    return size
