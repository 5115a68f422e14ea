"""Quantization without training, from tens to hundreds of samples: every layer is fitted to the float network's.

Equalize, calibrate the ranges, then layer by layer: round adaptively, correct the bias. Takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from pintsize.compress.adaptive_rounding import round_adaptively
from pintsize.compress.bias_correction import corrected_bias, mean_output
from pintsize.compress.calibrate import Calibration
from pintsize.compress.equalize import equalize
from pintsize.compress.layer_by_layer import layer_by_layer
from pintsize.compress.patches import MATRICES
from pintsize.compress.quantize import ActivationBits, Bits, Quantize, freeze, own_constants
from pintsize.graph import Graph, Node, Tensor
from pintsize.spec import check


@dataclass(frozen=True)
class PostTraining:
    """How to quantize without training; weight_bits, layer_bits, calibration and activation_bits as in `Quantize`."""

    weight_bits: Bits = 8
    layer_bits: Mapping[str, Bits] = field(default_factory=dict)
    calibration: Calibration = "mse"
    equalize_layers: bool = True
    adapt_rounding: bool = True
    correct_biases: bool = True
    activation_bits: ActivationBits = 8

    def __post_init__(self) -> None:
        self._start()  # refuses what it cannot do

    def __call__(self, graph: Graph, samples: np.ndarray) -> Graph:
        """A folded float Graph and samples (n, *input shape), channels last → the integer Graph."""
        return freeze(self.annotate(graph, samples))

    def annotate(
        self, graph: Graph, samples: np.ndarray, on_layer: Callable[[int, int], None] | None = None
    ) -> Graph:
        """The Graph with every tensor's grid in its type, and constants that lie on their grids.

        on_layer: called with (layers done, layers in all). Raises UserError as `Quantize.annotate` does.
        """
        check(graph, "folded")
        start = own_constants(graph)
        start = equalize(start, samples) if self.equalize_layers else start
        annotated = self._start().annotate(start, samples)
        return layer_by_layer(annotated, samples, self._mended, on_layer)

    def _start(self) -> Quantize:
        """Grids, with constants as the float network has them."""
        return Quantize(
            self.weight_bits, self.layer_bits, self.calibration, False, False, self.activation_bits
        )

    def _mended(self, annotated: Graph, node: Node, x: torch.Tensor, x_integer: torch.Tensor) -> list[Tensor]:
        mended: list[Tensor] = []
        if self.adapt_rounding and isinstance(node.op, MATRICES):
            mended = round_adaptively(annotated, node, x, x_integer)
        if self.correct_biases:
            wanted = mean_output(node, x, *(annotated.constant(c) for c in node.inputs[1:3]))
            rounded = annotated.with_tensors(*mended)
            mended = [*mended[:1], corrected_bias(rounded, node, wanted, x_integer)]
        return mended
