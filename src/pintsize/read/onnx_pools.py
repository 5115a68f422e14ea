"""ONNX's pools, and reductions, which are pools over the spatial axes."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import AveragePool2d, MaxPool2d, Mean, Pad, Sum
from pintsize.read import torch_shapes
from pintsize.read.draft import Value
from pintsize.read.onnx_call import OnnxCall, axis_of
from pintsize.read.onnx_weighted import Padding, Pair, as_pair, image_of, padding_of, reach_of, steps


def max_pool(call: OnnxCall) -> tuple[Value | None, ...]:
    """MaxPool: the values, and None for the indices."""
    if call.integer("storage_order", 0):
        raise UnsupportedOp("storage_order is not supported")
    x = image_of(call)
    dilation = steps(call, "dilations", x.rank - 1)
    kernel, stride, padding = _window(call, x, dilation)
    padding = _with_excess(call, x, reach_of(kernel, dilation), stride, padding)
    op = MaxPool2d(kernel, stride, padding, dilation)
    return call.natural(call.call().emit(op, x.tensor), x.layout), None


def average_pool(call: OnnxCall) -> Value:
    """AveragePool. Padding that counts becomes a Pad of its own."""
    x = image_of(call)
    if steps(call, "dilations", x.rank - 1) != (1, 1):
        raise UnsupportedOp("dilations are not supported: use a depthwise convolution")
    kernel, stride, given = _window(call, x, (1, 1))
    padding, tensor = _with_excess(call, x, kernel, stride, given), x.tensor
    if call.integer("count_include_pad", 0) and any(given):
        tensor = call.call().beside(Pad(given), tensor)
        padding = (0, padding[1] - given[1], 0, padding[3] - given[3])
    tensor = call.call().emit(AveragePool2d(kernel, stride, padding), tensor)
    return call.natural(tensor, x.layout)


def _window(call: OnnxCall, x: Value, dilation: Pair) -> tuple[Pair, Pair, Padding]:
    """Kernel, stride, padding. Raises UnsupportedOp where a window could lie in the padding alone."""
    spatial = x.rank - 1
    kernel = as_pair(call.extents("kernel_shape", [0] * spatial), 1)
    stride = steps(call, "strides", spatial)
    height, width, _ = x.layout.graph_shape(x.shape)
    reach = reach_of(kernel, dilation)
    padding = padding_of(call, (height, width), reach, stride, spatial)
    if min(kernel) < 1 or max(padding[:2]) >= reach[0] or max(padding[2:]) >= reach[1]:
        raise UnsupportedOp(
            f"kernel_shape={kernel} with pads {padding}: pads must be smaller than the kernel"
        )
    return kernel, stride, padding


def _with_excess(call: OnnxCall, x: Value, reach: Pair, stride: Pair, padding: Padding) -> Padding:
    """The padding, enlarged below and to the right by what ceil_mode reaches beyond."""
    if not call.integer("ceil_mode", 0):
        return padding
    height, width, _ = x.layout.graph_shape(x.shape)
    top, bottom, left, right = padding
    return (
        top, _far(height, reach[0], stride[0], top, bottom),
        left, _far(width, reach[1], stride[1], left, right),
    )  # fmt: skip


def _far(extent: int, reach: int, stride: int, before: int, after: int) -> int:
    slack = extent + before + after - reach
    count = -(-slack // stride)
    # a last window that would begin in the padding at the far end is dropped
    if count == slack // stride or count * stride >= extent + before:
        return after
    return count * stride + reach - extent - before


def global_average_pool(call: OnnxCall) -> Value:
    """GlobalAveragePool."""
    return _global(call, lambda kernel: AveragePool2d(kernel, kernel))


def global_max_pool(call: OnnxCall) -> Value:
    """GlobalMaxPool."""
    return _global(call, lambda kernel: MaxPool2d(kernel, kernel))


def _global(call: OnnxCall, pool: Callable[[Pair], Op]) -> Value:
    x = image_of(call)
    height, width, _ = x.layout.graph_shape(x.shape)
    return call.natural(call.call().emit(pool((height, width)), x.tensor), x.layout)


def reduced_axes(call: OnnxCall, x: Value) -> list[int]:
    """The axes that a reduction names, the batch counted. Raises UnsupportedOp where the batch is among them."""
    axes = call.integers(1, "axes")
    if not axes:
        raise UnsupportedOp("it mixes the inputs of a batch: name the axes to reduce")
    return sorted({axis_of(a, x.rank) for a in axes})


def reduced_shape(call: OnnxCall, x: Value, axes: list[int]) -> tuple[int, ...]:
    """The output's shape, batch left out."""
    if call.integer("keepdims", 1):
        return tuple(1 if i in axes else n for i, n in enumerate(x.shape, 1))
    return tuple(n for i, n in enumerate(x.shape, 1) if i not in axes)


def reduce_mean(call: OnnxCall) -> Value:
    """ReduceMean: over the whole of spatial axes a pool, which stays on its grid; else a mean on a grid of its own."""
    x = call.value()
    axes = reduced_axes(call, x)
    kernel = _spatial(x, axes)
    if kernel is None or call.bounds is not None:
        return reduced(call, Mean)
    return _pooled(call, x, axes, AveragePool2d(kernel, kernel))


def reduce_max(call: OnnxCall) -> Value:
    """ReduceMax over spatial axes."""
    x = call.value()
    axes = reduced_axes(call, x)
    kernel = _spatial(x, axes)
    if kernel is None:
        raise UnsupportedOp("maxima are supported over spatial axes only, not over channels or features")
    return _pooled(call, x, axes, MaxPool2d(kernel, kernel))


def reduced(call: OnnxCall, op: type[Mean] | type[Sum]) -> Value:
    """ReduceMean and ReduceSum over any axes but the batch."""
    x = call.value()
    axes = reduced_axes(call, x)
    ordered = tuple(sorted(x.layout.graph_axis(a - 1) for a in axes))
    return _left(call, x, axes, call.natural(call.call().emit(op(ordered, True), x.tensor), x.layout))


def _spatial(x: Value, axes: list[int]) -> Pair | None:
    """The window over these axes (the batch counted); None where channels are among them, or it is no image."""
    shape = x.layout.graph_shape(x.shape)
    ordered = {x.layout.graph_axis(a - 1) for a in axes}
    if len(shape) not in (2, 3) or len(shape) - 1 in ordered:
        return None
    kernel = [n if i in ordered else 1 for i, n in enumerate(shape[:-1])]
    return (kernel[0] if len(kernel) == 2 else 1), kernel[-1]


def _pooled(call: OnnxCall, x: Value, axes: list[int], op: AveragePool2d | MaxPool2d) -> Value:
    work, shape = call.call(), x.layout.graph_shape(x.shape)
    image = work.reshaped(x.tensor, (1, *shape)) if len(shape) == 2 else x.tensor
    tensor = work.emit(op, image)
    kept = work.reshaped(tensor, work.draft.shape(tensor)[1:]) if len(shape) == 2 else tensor
    return _left(call, x, axes, call.natural(kept, x.layout))


def _left(call: OnnxCall, x: Value, axes: list[int], y: Value) -> Value:
    """What is left when the reduced axes, now of length one, go where they must."""
    shape = reduced_shape(call, x, axes)
    return y if shape == y.shape else torch_shapes.reshape(call.call(shape, self=y))
