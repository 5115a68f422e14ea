"""Empirical bias correction: each output channel's mean on the samples is what it is in the float network.

Source: Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019, appendix D.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pintsize.compress.quantize import real_weight
from pintsize.graph import Graph, Node, Tensor
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d

#: samples that are convolved at once
AT_ONCE = 128


def corrected_bias(annotated: Graph, node: Node, wanted: torch.Tensor, x: torch.Tensor) -> Tensor:
    """The layer's bias with which its outputs, before the activation, have the wanted mean per channel.

    wanted: (O,) means of the float network; x: the real values of the layer's integer inputs.
    """
    weight, bias = (annotated.tensors[c] for c in node.inputs[1:3])
    assert bias.data is not None
    have = mean_output(node, x, real_weight(weight), bias.data)
    return replace(bias, data=(bias.data + (wanted - have).numpy()).astype(np.float32))


def mean_output(node: Node, x: torch.Tensor, weight: np.ndarray, bias: np.ndarray) -> torch.Tensor:
    """(O,) means, over samples and positions, of what the layer computes before its activation."""
    assert isinstance(node.op, Conv2d | DepthwiseConv2d | Linear | TransposeConv2d)
    op = replace(node.op, activation="none")
    constants = [torch.from_numpy(np.ascontiguousarray(c)) for c in (weight, bias)]
    total = torch.zeros(len(bias), dtype=torch.float64)
    for part in x.split(AT_ONCE):
        y = op.float_meaning([part, *constants])
        total += y.reshape(-1, len(bias)).mean(0, dtype=torch.float64) * len(part)
    return total / len(x)
