"""Resizing and padding in torch."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.errors import UnsupportedOp
from pintsize.ops import Gather, Pad, ResizeBilinear, ResizeNearest
from pintsize.ops.pad import PadMode
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout

MODES: dict[str, PadMode] = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def nearest(call: Call) -> Value:
    """aten.upsample_nearest1d, aten.upsample_nearest2d."""
    return _nearest(call, exact=False)


def nearest_exact(call: Call) -> Value:
    """aten._upsample_nearest_exact1d, aten._upsample_nearest_exact2d."""
    return _nearest(call, exact=True)


def _nearest(call: Call, exact: bool) -> Value:
    x, size = _image(call)
    height, width, _ = x.layout.graph_shape(x.shape)
    op = ResizeNearest(size, half_pixel_centers=exact)
    wanted = [_sources(call, n, axis, exact) for axis, n in enumerate((height, width))]
    if wanted == [op.sources(height, size[0]), op.sources(width, size[1])]:
        return Value(call.emit(op, x.tensor), call.shape, x.layout)
    tensor = call.emit(Gather(tuple(wanted[0]), 0), x.tensor)  # a factor that is not out / in
    return Value(call.emit(Gather(tuple(wanted[1]), 1), tensor), call.shape, x.layout)


def _sources(call: Call, extent: int, axis: int, exact: bool) -> list[int]:
    """Per output pixel the input pixel, by torch itself."""
    size, factor = _wanted(call, axis)
    ramp = torch.arange(float(extent))[None, None]
    mode = "nearest-exact" if exact else "nearest"
    if factor is None:
        return F.interpolate(ramp, size=size, mode=mode).long().reshape(-1).tolist()
    return F.interpolate(ramp, scale_factor=factor, mode=mode).long().reshape(-1).tolist()


def _wanted(call: Call, axis: int) -> tuple[int, float | None]:
    """(size, factor) along the Graph's height or width; the factor where torch goes by it."""
    layout = Layout.IMAGE if len(call.shape) == 3 else Layout.SIGNAL
    size = layout.graph_shape(call.shape)[axis]
    factors = call.arguments.get("scale_factors")
    if not factors:
        return size, None
    given = [1.0, *factors] if len(factors) == 1 else list(factors)
    return size, float(given[axis])


def linear(call: Call) -> Value:
    """aten.upsample_linear1d, aten.upsample_bilinear2d."""
    x, size = _image(call)
    for axis, extent in enumerate(x.layout.graph_shape(x.shape)[:2]):
        wanted, factor = _wanted(call, axis)
        if (
            factor is not None
            and not call.arguments["align_corners"]
            and abs(extent * factor - wanted) > 1e-6
        ):
            raise UnsupportedOp(
                f"a factor of {factor} for {extent} pixels is not whole: give the size instead"
            )
    corners = bool(call.arguments["align_corners"])
    op = ResizeBilinear(size, align_corners=corners, half_pixel_centers=not corners)
    return Value(call.emit(op, x.tensor), call.shape, x.layout)


def _image(call: Call) -> tuple[Value, tuple[int, int]]:
    name = "input" if "input" in call.arguments else "self"
    x = call.channels_first(call.value(name))
    if x.layout is Layout.PLAIN:
        raise UnsupportedOp("resizing takes a signal (batch, C, L) or an image (batch, C, H, W)")
    height, width, _ = x.layout.graph_shape(call.shape)
    return x, (height, width)


def pad(call: Call) -> Value:
    """aten.pad."""
    x, mode = call.value("self"), str(call.arguments["mode"])
    given = [int(n) for n in call.arguments["pad"]]
    if mode not in MODES:
        raise UnsupportedOp(f"padding mode '{mode}': {', '.join(MODES)} are supported")
    if not any(given):
        return x
    if len(given) > 2 * x.rank or min(given) < 0:
        raise UnsupportedOp(f"padding by {given}: the batch stays as it is, and cropping is done by a slice")
    if not any(given[2 * (x.rank - 1) :]):
        x = call.channels_first(x)  # as a convolution behind it wants it
    pairs = dict.fromkeys(range(len(x.layout.graph_shape(x.shape))), (0, 0))
    for back, pair in enumerate(np.array(given).reshape(-1, 2).tolist()):
        pairs[x.layout.graph_axis(x.rank - 1 - back)] = (pair[0], pair[1])
    around = [n for pair in pairs.values() for n in pair]
    while len(around) > 4 and not any(around[-2:]):
        around = around[:-2]
    op = Pad(tuple(around), MODES[mode], float(call.arguments["value"] or 0.0))
    return Value(call.emit(op, x.tensor), call.shape, x.layout)
