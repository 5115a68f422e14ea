"""What is read from .tflite: the schema's operator → the function that reads it."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.ops import (
    Abs,
    Exp,
    HardSwish,
    LogSoftmax,
    Maximum,
    Minimum,
    Neg,
    Relu,
    Rsqrt,
    Sigmoid,
    Sqrt,
    Square,
    Tanh,
)
from pintsize.read import tflite_arithmetic as arithmetic
from pintsize.read import tflite_cast as conversions
from pintsize.read import tflite_layers as layers
from pintsize.read import tflite_parts as parts
from pintsize.read import tflite_pools as pools
from pintsize.read import tflite_recurrent as recurrent
from pintsize.read import tflite_shapes as shapes
from pintsize.read.tflite_arithmetic import elementwise
from pintsize.read.tflite_draft import Call

READS: dict[str, Callable[[Call], None]] = {
    "ABS": elementwise(Abs()),
    "ADD": arithmetic.add,
    "ARG_MAX": arithmetic.argmax,
    "AVERAGE_POOL_2D": pools.average_pool2d,
    "BATCH_MATMUL": arithmetic.matmul,
    "CAST": conversions.cast,
    "CONCATENATION": shapes.concatenation,
    "CONV_2D": layers.conv2d,
    "DEPTHWISE_CONV_2D": layers.depthwise_conv2d,
    "DEPTH_TO_SPACE": shapes.depth_to_space,
    "DEQUANTIZE": conversions.dequantize,
    "DIV": arithmetic.div,
    "ELU": arithmetic.elu,
    "EXP": elementwise(Exp()),
    "EXPAND_DIMS": shapes.expand_dims,
    "FULLY_CONNECTED": layers.linear,
    "GATHER": parts.gather,
    "GELU": arithmetic.gelu,
    "HARD_SWISH": elementwise(HardSwish()),
    "LEAKY_RELU": arithmetic.leaky_relu,
    "LOG_SOFTMAX": elementwise(LogSoftmax()),
    "LOGISTIC": elementwise(Sigmoid()),
    "MAXIMUM": arithmetic.extremum(Maximum()),
    "MAX_POOL_2D": pools.max_pool2d,
    "MEAN": pools.mean,
    "MINIMUM": arithmetic.extremum(Minimum()),
    "MIRROR_PAD": shapes.mirror_pad,
    "MUL": arithmetic.mul,
    "NEG": elementwise(Neg()),
    "PACK": shapes.pack,
    "PAD": shapes.pad,
    "PADV2": shapes.pad_with_value,
    "PRELU": arithmetic.prelu,
    "QUANTIZE": conversions.quantize,
    "REDUCE_MAX": pools.maximum_over,
    "RELU": elementwise(Relu()),
    "RELU6": arithmetic.relu6,
    "RESHAPE": shapes.reshape,
    "RESIZE_BILINEAR": pools.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": pools.resize_nearest,
    "RSQRT": elementwise(Rsqrt()),
    "SLICE": parts.cut,
    "SOFTMAX": arithmetic.softmax,
    "SPACE_TO_DEPTH": shapes.space_to_depth,
    "SPLIT": parts.split,
    "SPLIT_V": parts.split_v,
    "SQRT": elementwise(Sqrt()),
    "SQUARE": elementwise(Square()),
    "SQUARED_DIFFERENCE": arithmetic.squared_difference,
    "SQUEEZE": shapes.squeeze,
    "STRIDED_SLICE": parts.strided_slice,
    "SUB": arithmetic.sub,
    "SUM": pools.total,
    "SVDF": recurrent.svdf,
    "TANH": elementwise(Tanh()),
    "TILE": shapes.tile,
    "TRANSPOSE": shapes.transpose,
    "TRANSPOSE_CONV": layers.transpose_conv2d,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    "UNPACK": parts.unpack,
}
