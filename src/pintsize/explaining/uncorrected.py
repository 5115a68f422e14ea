"""The biases of a network before they were corrected for the rounding of its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pintsize.compress.quantize import correct_biases
from pintsize.explaining.mixture import constants_of
from pintsize.explaining.observed import observe
from pintsize.graph import Graph

ROUNDS = 8
#: biases that move less are settled
SETTLED = 1e-4


def without_correction(annotated: Graph, calibration: np.ndarray) -> Graph:
    """The annotated Graph with every `correct_biases` undone, over samples (n, *input shape).

    What was added to a layer follows from the mean of its input before anything was added; each round knows it for
    one more layer.
    """
    plain = annotated
    for _ in range(ROUNDS):
        means = {name: seen.channel_mean for name, seen in observe(plain, calibration).items()}
        before, plain = plain, _less(annotated, correct_biases(annotated, means))
        if _largest_move(before, plain) < SETTLED:
            break
    return plain


def _less(annotated: Graph, corrected: Graph) -> Graph:
    """The annotated biases less what correcting them adds."""
    names = [n for n in constants_of(annotated) if annotated.type(n).dtype == "int32"]
    moved = {n: 2 * annotated.constant(n) - corrected.constant(n) for n in names}
    return annotated.with_tensors(*(replace(annotated.tensors[n], data=d) for n, d in moved.items()))


def _largest_move(before: Graph, after: Graph) -> float:
    moves = [np.abs(before.constant(n) - after.constant(n)).max(initial=0.0) for n in constants_of(after)]
    return float(max(moves, default=0.0))
