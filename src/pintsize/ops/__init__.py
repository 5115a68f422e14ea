"""What nodes mean: one op, one file. The registry is this dict and nothing else."""

from __future__ import annotations

from pintsize.graph import Op
from pintsize.ops.add import Add
from pintsize.ops.average_pool2d import AveragePool2d
from pintsize.ops.batch_norm import BatchNorm
from pintsize.ops.concat import Concat
from pintsize.ops.conv2d import Conv2d
from pintsize.ops.depthwise_conv2d import DepthwiseConv2d
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.hard_swish import HardSwish
from pintsize.ops.leaky_relu import LeakyRelu
from pintsize.ops.linear import Linear
from pintsize.ops.max_pool2d import MaxPool2d
from pintsize.ops.mul import Mul
from pintsize.ops.pad import Pad
from pintsize.ops.relu import Relu
from pintsize.ops.relu6 import Relu6
from pintsize.ops.reshape import Reshape
from pintsize.ops.sigmoid import Sigmoid
from pintsize.ops.softmax import Softmax
from pintsize.ops.tanh import Tanh
from pintsize.ops.transpose import Transpose

OPS: dict[str, type[Op]] = {
    op.name: op
    for op in (
        Add, AveragePool2d, BatchNorm, Concat, Conv2d, DepthwiseConv2d, HardSwish, LeakyRelu, Linear, MaxPool2d,
        Mul, Pad, Relu, Relu6, Reshape, Sigmoid, Softmax, Tanh, Transpose,
    )
}  # fmt: skip

__all__ = ["OPS", "Add", "AveragePool2d", "BatchNorm", "Concat", "Conv2d", "DepthwiseConv2d", "Elementwise",
           "HardSwish", "LeakyRelu", "Linear", "MaxPool2d", "Mul", "Pad", "Relu", "Relu6", "Reshape", "Sigmoid",
           "Softmax", "Tanh", "Transpose"]  # fmt: skip
