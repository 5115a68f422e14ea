"""Pools of torch, and the reductions that are pools: mean and maximum over spatial axes."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import AveragePool2d, MaxPool2d, Mean, Pad, Sum
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout
from pintsize.read.torch_convolutions import Padding, pair
from pintsize.read.torch_selection import without_axes

Pair = tuple[int, int]
Global = Callable[[Pair], Op]


def max_pool(call: Call) -> Value:
    """aten.max_pool1d, aten.max_pool2d."""
    x = _image(call)
    kernel, stride, given = _window(call, x)
    dilation = pair(call.arguments["dilation"], x.rank, 1)
    reach = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    padding = _with_excess(call, x, reach, stride, given)
    tensor = call.emit(MaxPool2d(kernel, stride, padding, dilation), x.tensor)
    return call.result(tensor, x.layout)


def average_pool(call: Call) -> Value:
    """aten.avg_pool1d, aten.avg_pool2d. Padding that counts becomes a Pad of its own."""
    if call.arguments.get("divisor_override") is not None:
        raise UnsupportedOp("divisor_override is not supported: leave it out and scale by a constant")
    x = _image(call)
    kernel, stride, given = _window(call, x)
    top, bottom, left, right = _with_excess(call, x, kernel, stride, given)
    tensor = x.tensor
    if call.arguments["count_include_pad"] and any(given):
        vertical, horizontal = given
        tensor = call.beside(Pad((vertical, vertical, horizontal, horizontal)), tensor)
        top, bottom, left, right = 0, bottom - vertical, 0, right - horizontal
    tensor = call.emit(AveragePool2d(kernel, stride, (top, bottom, left, right)), tensor)
    return call.result(tensor, x.layout)


def _image(call: Call) -> Value:
    x = call.channels_first(call.value("self"))
    if x.layout is Layout.PLAIN:
        raise UnsupportedOp("pools take a signal (batch, C, L) or an image (batch, C, H, W)")
    return x


def _window(call: Call, x: Value) -> tuple[Pair, Pair, Pair]:
    """Kernel, stride (the kernel's when not given) and padding on each side."""
    arguments = call.arguments
    kernel = pair(arguments["kernel_size"], x.rank, 1)
    stride = pair(arguments["stride"], x.rank, 1) if arguments["stride"] else kernel
    return kernel, stride, pair(arguments["padding"], x.rank, 0)


def _with_excess(call: Call, x: Value, reach: Pair, stride: Pair, padding: Pair) -> Padding:
    """(top, bottom, left, right), enlarged below and to the right by what ceil_mode reaches beyond."""
    height, width, _ = x.layout.graph_shape(x.shape)
    ceil = bool(call.arguments["ceil_mode"])
    bottom = _far_padding(height, reach[0], stride[0], padding[0], ceil)
    right = _far_padding(width, reach[1], stride[1], padding[1], ceil)
    return padding[0], bottom, padding[1], right


def _far_padding(extent: int, reach: int, stride: int, padding: int, ceil: bool) -> int:
    slack = extent + 2 * padding - reach
    steps = -(-slack // stride) if ceil else slack // stride
    # torch drops a last window that would begin in the padding at the far end
    if steps == slack // stride or steps * stride >= extent + padding:
        return padding
    return steps * stride + reach - extent - padding


def adaptive_average_pool(call: Call) -> Value:
    return _adaptive(call, lambda kernel: AveragePool2d(kernel, kernel))


def adaptive_max_pool(call: Call) -> tuple[Value | None, ...]:
    """The values, and None for torch's indices."""
    return _adaptive(call, lambda kernel: MaxPool2d(kernel, kernel)), None


def _adaptive(call: Call, pool: Global) -> Value:
    x = _image(call)
    before, after = x.layout.graph_shape(x.shape), x.layout.graph_shape(call.shape)
    if before[0] % after[0] or before[1] % after[1]:
        raise UnsupportedOp(
            f"adaptive pooling from {x.shape[1:]} to {call.shape[1:]} needs windows of unequal size: "
            "pool to 1, or to sizes that divide the input's"
        )
    tensor = call.emit(pool((before[0] // after[0], before[1] // after[1])), x.tensor)
    return call.result(tensor, x.layout)


def mean(call: Call) -> Value:
    """aten.mean.dim: a pool over spatial axes, a mean over any others."""
    x = call.value("self")
    reduced = {x.layout.graph_axis(axis) for axis in _axes(call.arguments["dim"], x.rank)}
    if len(x.layout.graph_shape(x.shape)) - 1 in reduced or len(x.layout.graph_shape(x.shape)) > 3:
        return _over_axes(call, Mean)
    return _reduction(call, call.arguments["dim"], lambda kernel: AveragePool2d(kernel, kernel))


def total(call: Call) -> Value:
    """aten.sum.dim_IntList."""
    return _over_axes(call, Sum)


def _over_axes(call: Call, kind: type[Mean] | type[Sum]) -> Value:
    x = call.value("self")
    axes = _axes(call.arguments["dim"], x.rank)
    op = kind(tuple(sorted(x.layout.graph_axis(a) for a in axes)), keep=True)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    kept = Value(call.emit(op, x.tensor), shape, x.layout)
    return kept if call.arguments["keepdim"] else without_axes(call, kept, set(axes))


def maximum(call: Call) -> Value:
    """aten.amax."""
    return _reduction(call, call.arguments["dim"], lambda kernel: MaxPool2d(kernel, kernel))


def maximum_with_indices(call: Call) -> tuple[Value | None, ...]:
    """aten.max.dim: the values, and None for torch's indices."""
    return _reduction(call, [call.arguments["dim"]], lambda kernel: MaxPool2d(kernel, kernel)), None


def _reduction(call: Call, dims: list[int] | None, pool: Global) -> Value:
    x = call.value("self")
    reduced = {x.layout.graph_axis(axis) for axis in _axes(dims, x.rank)}
    shape = x.layout.graph_shape(x.shape)
    if len(shape) not in (2, 3) or len(shape) - 1 in reduced:
        raise UnsupportedOp(
            "means and maxima are supported over spatial axes only, not over channels or features"
        )
    kernel = [extent if axis in reduced else 1 for axis, extent in enumerate(shape[:-1])]
    image = call.reshaped(x.tensor, (1, *shape)) if len(shape) == 2 else x.tensor
    tensor = call.emit(pool((kernel[0] if len(kernel) == 2 else 1, kernel[-1])), image)
    layout = x.layout if len(call.shape) == x.rank or x.layout is Layout.PLAIN else _LEFT[len(call.shape)]
    return call.result(tensor, layout)


#: the layout of what is left when spatial axes of an image or a signal are gone
_LEFT = {1: Layout.PLAIN, 2: Layout.SIGNAL}


def _axes(dims: list[int] | None, rank: int) -> list[int]:
    """torch's dims as axes with the batch left out. Raises UnsupportedOp when they include the batch."""
    axes = [(d if d >= 0 else d + rank + 1) - 1 for d in dims or [0]]
    if -1 in axes:
        raise UnsupportedOp("it mixes the inputs of a batch: name the spatial dims to reduce")
    return axes
