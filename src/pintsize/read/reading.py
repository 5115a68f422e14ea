"""What readers of files and of torch models give: a Graph, and how the model's own axes lie in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.graph import Graph
from pintsize.read.layout import Layout


@dataclass(frozen=True)
class Reading:
    """A Graph, and how torch's input and output lie in it."""

    graph: Graph
    input_layout: Layout
    output_layout: Layout

    def arrange(self, x: np.ndarray) -> np.ndarray:
        """x (n, *shape) as the torch model takes it → as the Graph takes it: float32, channels last."""
        return self.input_layout.arrange(x)

    def restore(self, y: np.ndarray) -> np.ndarray:
        """The Graph's output (n, *shape) → in torch's order."""
        return self.output_layout.restore(y)
