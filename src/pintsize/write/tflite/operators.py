"""What is written to .tflite: an op's name → the function that writes it."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.write.tflite import layers, numbers, recurrent, shapes
from pintsize.write.tflite.draft import Writing

WRITES: dict[str, Callable[[Writing], None]] = {
    "abs": numbers.absolute,
    "add": numbers.add,
    "argmax": numbers.argmax,
    "average_pool2d": layers.average_pool2d,
    "batch_norm": numbers.batch_norm,
    "concat": shapes.concat,
    "conv2d": layers.conv2d,
    "depthwise_conv2d": layers.depthwise_conv2d,
    "elu": numbers.elu,
    "exp": numbers.exponential,
    "gather": shapes.gather,
    "gelu": numbers.gelu,
    "hard_sigmoid": numbers.hard_sigmoid,
    "hard_swish": numbers.hard_swish,
    "layer_norm": numbers.layer_norm,
    "leaky_relu": numbers.leaky_relu,
    "linear": layers.linear,
    "log_softmax": numbers.log_softmax,
    "lstm": recurrent.lstm,
    "matmul": numbers.matmul,
    "max_pool2d": layers.max_pool2d,
    "maximum": numbers.maximum,
    "mean": numbers.mean,
    "minimum": numbers.minimum,
    "mul": numbers.mul,
    "neg": numbers.negative,
    "pad": shapes.pad,
    "prelu": numbers.prelu,
    "relu": numbers.relu,
    "relu6": numbers.relu6,
    "requantize": shapes.requantize,
    "reshape": shapes.reshape,
    "resize_bilinear": shapes.resize_bilinear,
    "resize_nearest": shapes.resize_nearest,
    "rsqrt": numbers.reciprocal_root,
    "sigmoid": numbers.sigmoid,
    "slice": shapes.cut,
    "softmax": numbers.softmax,
    "sqrt": numbers.square_root,
    "square": numbers.square,
    "sub": numbers.sub,
    "sum": numbers.total,
    "svdf": recurrent.svdf,
    "tanh": numbers.tanh,
    "tile": shapes.tile,
    "transpose": shapes.transpose,
    "transpose_conv2d": layers.transpose_conv2d,
}
