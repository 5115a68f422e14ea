"""What nodes mean: one op, one file. The registry is this dict and nothing else."""

from __future__ import annotations

from pintsize.graph import Op
from pintsize.ops.abs import Abs
from pintsize.ops.add import Add
from pintsize.ops.argmax import Argmax
from pintsize.ops.average_pool2d import AveragePool2d
from pintsize.ops.batch_norm import BatchNorm
from pintsize.ops.biquad import Biquad
from pintsize.ops.concat import Concat
from pintsize.ops.conv2d import Conv2d
from pintsize.ops.depthwise_conv2d import DepthwiseConv2d
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.elu import Elu
from pintsize.ops.embedding import Embedding
from pintsize.ops.exp import Exp
from pintsize.ops.gather import Gather
from pintsize.ops.gelu import Gelu
from pintsize.ops.gru import Gru
from pintsize.ops.hard_sigmoid import HardSigmoid
from pintsize.ops.hard_swish import HardSwish
from pintsize.ops.layer_norm import LayerNorm
from pintsize.ops.leaky_relu import LeakyRelu
from pintsize.ops.linear import Linear
from pintsize.ops.log_mel import LogMel
from pintsize.ops.log_softmax import LogSoftmax
from pintsize.ops.lstm import Lstm
from pintsize.ops.matmul import Matmul
from pintsize.ops.max_pool2d import MaxPool2d
from pintsize.ops.maximum import Maximum
from pintsize.ops.mean import Mean
from pintsize.ops.minimum import Minimum
from pintsize.ops.mul import Mul
from pintsize.ops.neg import Neg
from pintsize.ops.pad import Pad
from pintsize.ops.prelu import Prelu
from pintsize.ops.relu import Relu
from pintsize.ops.relu6 import Relu6
from pintsize.ops.requantize import Requantize
from pintsize.ops.resample import Resample
from pintsize.ops.reshape import Reshape
from pintsize.ops.resize_bilinear import ResizeBilinear
from pintsize.ops.resize_nearest import ResizeNearest
from pintsize.ops.rsqrt import Rsqrt
from pintsize.ops.running_average import RunningAverage
from pintsize.ops.sigmoid import Sigmoid
from pintsize.ops.slice import Slice
from pintsize.ops.slide import Slide
from pintsize.ops.softmax import Softmax
from pintsize.ops.sqrt import Sqrt
from pintsize.ops.square import Square
from pintsize.ops.sub import Sub
from pintsize.ops.sum import Sum
from pintsize.ops.svdf import Svdf
from pintsize.ops.tanh import Tanh
from pintsize.ops.tile import Tile
from pintsize.ops.transpose import Transpose
from pintsize.ops.transpose_conv2d import TransposeConv2d
from pintsize.ops.z_score import ZScore

OPS: dict[str, type[Op]] = {
    op.name: op
    for op in (
        Abs, Add, Argmax, AveragePool2d, BatchNorm, Biquad, Concat, Conv2d, DepthwiseConv2d, Elu, Embedding, Exp,
        Gather, Gelu, Gru, HardSigmoid, HardSwish, LayerNorm, LeakyRelu, Linear, LogMel, LogSoftmax, Lstm, Matmul,
        MaxPool2d, Maximum, Mean, Minimum, Mul, Neg, Pad, Prelu, Relu, Relu6, Requantize, Resample, Reshape,
        ResizeBilinear, ResizeNearest, Rsqrt, RunningAverage, Sigmoid, Slice, Slide, Softmax, Sqrt, Square, Sub,
        Sum, Svdf, Tanh, Tile, Transpose, TransposeConv2d, ZScore,
    )
}  # fmt: skip

__all__ = ["OPS", "Abs", "Add", "Argmax", "AveragePool2d", "BatchNorm", "Biquad", "Concat", "Conv2d",
           "DepthwiseConv2d", "Elementwise", "Elu", "Embedding", "Exp", "Gather", "Gelu", "Gru", "HardSigmoid",
           "HardSwish", "LayerNorm", "LeakyRelu", "Linear", "LogMel", "LogSoftmax", "Lstm", "Matmul", "MaxPool2d",
           "Maximum", "Mean", "Minimum", "Mul", "Neg", "Pad", "Prelu", "Relu", "Relu6", "Requantize",
           "Resample", "Reshape", "ResizeBilinear", "ResizeNearest", "Rsqrt", "RunningAverage", "Sigmoid", "Slice",
           "Slide", "Softmax", "Sqrt", "Square", "Sub", "Sum", "Svdf", "Tanh", "Tile", "Transpose", "TransposeConv2d",
           "ZScore"]  # fmt: skip
