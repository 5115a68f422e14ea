"""Each op as a call of C kernels with literal arguments.

A `Variant` is a function (graph, node) → Call, or None where it does not apply. `x0`, `x1`, … and `y` stand for the
operands, `scratch` for the layer's own RAM; the emitter gives every layer a function of its own with these parameters.
The portable calls serve every core; an instruction set's own come first where they apply. The registry is
the two dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from pintsize.graph import Graph, Node
from pintsize.write.c.calls import (
    arithmetic,
    embedding,
    int16,
    matrices,
    operands,
    pools,
    recurrent,
    reductions,
    resize,
    selection,
    shapes,
    signals,
    stream,
    transposed,
    weighted,
    wide,
)
from pintsize.write.c.calls.call import Call, Constant, Invocation
from pintsize.write.c.calls.dsp import DSP
from pintsize.write.c.calls.helium import HELIUM
from pintsize.write.c.calls.thumb import THUMB

__all__ = ["CALLS", "ISAS", "VARIANTS", "Call", "Constant", "Invocation", "Isa", "call_of", "isa_of"]

#: instruction sets with kernels of their own; "portable" is C99 for anything
Isa = Literal["portable", "thumb", "dsp", "helium", "simd128", "neon", "avx2"]
ISAS: tuple[Isa, ...] = get_args(Isa)

Variant = Callable[[Graph, Node], Call | None]

CALLS: Mapping[str, Callable[[Graph, Node], Call]] = {
    "abs": arithmetic.elementwise, "add": arithmetic.add, "argmax": reductions.argmax,
    "average_pool2d": pools.average_pool2d, "biquad": signals.biquad, "concat": shapes.concat,
    "conv2d": weighted.conv2d,
    "depthwise_conv2d": weighted.depthwise_conv2d, "elu": arithmetic.elementwise, "embedding": embedding.embedding,
    "exp": arithmetic.elementwise,
    "gather": selection.gather, "gelu": arithmetic.elementwise, "gru": recurrent.gru,
    "hard_sigmoid": arithmetic.elementwise, "hard_swish": arithmetic.elementwise,
    "layer_norm": matrices.layer_norm, "leaky_relu": arithmetic.elementwise, "linear": weighted.linear,
    "log_mel": signals.log_mel, "log_softmax": reductions.log_softmax, "lstm": recurrent.lstm,
    "matmul": matrices.matmul,
    "max_pool2d": pools.max_pool2d, "maximum": operands.extremum, "mean": reductions.reduction,
    "minimum": operands.extremum, "mul": arithmetic.mul, "neg": arithmetic.elementwise, "pad": shapes.pad,
    "prelu": operands.prelu, "relu": arithmetic.elementwise, "relu6": arithmetic.elementwise,
    "requantize": arithmetic.elementwise, "resample": signals.resample, "reshape": shapes.reshape,
    "resize_bilinear": resize.bilinear,
    "resize_nearest": resize.nearest, "rsqrt": arithmetic.elementwise,
    "running_average": stream.running_average, "sigmoid": arithmetic.elementwise,
    "slice": selection.slice_, "slide": stream.slide, "softmax": arithmetic.softmax, "sqrt": arithmetic.elementwise,
    "square": arithmetic.elementwise, "sub": arithmetic.add, "sum": reductions.reduction, "svdf": recurrent.svdf,
    "tanh": arithmetic.elementwise, "tile": selection.tile, "transpose": shapes.transpose,
    "transpose_conv2d": transposed.transpose_conv2d, "z_score": signals.z_score,
}  # fmt: skip

VARIANTS: Mapping[Isa, Mapping[str, Variant]] = {
    "dsp": DSP,
    "helium": HELIUM,
    "thumb": THUMB,
    "simd128": wide.variants("simd128"),
    "neon": wide.variants("neon"),
    "avx2": wide.variants("avx2"),
}

_ISA_OF_CORE: Mapping[str, Isa] = {
    "cortex-m0": "thumb", "cortex-m0plus": "thumb", "cortex-m4": "dsp", "cortex-m7": "dsp", "cortex-m33": "dsp",
    "cortex-m55": "helium", "cortex-m85": "helium", "wasm32": "simd128", "arm64": "neon", "cortex-a72": "neon",
    "x86_64": "avx2",
}  # fmt: skip


def isa_of(core: str) -> Isa:
    """The instruction set whose kernels suit a core; portable C for a core that has none of its own."""
    return _ISA_OF_CORE.get(core, "portable")


def call_of(graph: Graph, node: Node, isa: Isa) -> Call:
    """How this layer is computed. Raises KeyError for an op without a kernel."""
    if any(graph.type(n).dtype == "int16" for n in (*graph.activations(node), node.output)):
        return int16.CALLS[node.op.name](graph, node)
    variant = VARIANTS.get(isa, {}).get(node.op.name)
    return (variant(graph, node) if variant else None) or CALLS[node.op.name](graph, node)
