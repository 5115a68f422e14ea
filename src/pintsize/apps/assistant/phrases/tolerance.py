"""How readily a classifier takes what it hears for no phrase at all.

Speakers that training did not hear are less like its few speakers than like the many of other speech, so `other` takes
their phrases too. Its logit is lowered as far as speech that is none is still refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pintsize import Graph
from pintsize.errors import UserError
from pintsize.integers import run_integers
from pintsize.stream.decision import Calibration

#: of other speech, this share must be refused
REFUSED = 0.95
STEP, MOST = 0.25, 8.0


def tolerant(
    graph: Graph, others: NDArray[np.int16], label: int, calibration: Calibration, least: float
) -> Graph:
    """The graph with the bias of output `label` as low as others (n, window) allow; unchanged where none does."""
    output = graph.type(graph.outputs[0])
    codes = run_integers(graph, others).reshape(len(others), -1)
    logits = (codes.astype(np.float64) - output.zero_point) * output.scale[0]
    fitting = [
        by for by in np.arange(0.0, MOST + STEP, STEP) if _refused(logits, label, by, calibration, least)
    ]
    return lowered(graph, label, max(fitting, default=0.0))


def _refused(
    logits: NDArray[np.float64], label: int, by: float, calibration: Calibration, least: float
) -> bool:
    """Are enough of the others not told once the label's logit is lower?"""
    less = logits.copy()
    less[:, label] -= by
    found = calibration.probabilities(less)
    told = (found.argmax(1) != label) & (found.max(1) >= least)
    return 1.0 - float(told.mean()) >= REFUSED


def lowered(graph: Graph, label: int, by: float) -> Graph:
    """The graph whose last linear layer gives so much less for one output. Raises UserError where it ends otherwise."""
    last = graph.nodes[-1]
    if last.op.name != "linear" or len(last.inputs) < 3:
        raise UserError(f"{graph.name} ends with {last.op.name}, not with a linear layer that has a bias")
    name = last.inputs[2]
    bias = graph.tensors[name]
    scales = np.broadcast_to(np.asarray(bias.type.scale), graph.constant(name).shape)
    codes = graph.constant(name).copy()
    codes[label] -= round(by / float(scales[label]))
    return replace(graph, tensors={**graph.tensors, name: replace(bias, data=codes)})
