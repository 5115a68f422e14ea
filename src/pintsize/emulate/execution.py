"""What a run on a core gave: the outputs and what was counted on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Execution:
    """Outputs of every input, and the counts of one ``model_run`` call on the first of them.

    Where nothing was counted (``count=False``, the host) ``instructions`` and ``stack_bytes`` are None
    and the maps are empty. The inputs run in order after a single ``model_init``, so a model with
    state sees them as one sequence.

    Args:
        outputs: int8, (inputs, output bytes).
        instructions: instructions executed from the entry of ``model_run`` until it has returned;
            one whose condition fails inside an IT block counts too.
        by_layer: instructions for each layer's function with whatever it called, in layer order, and the
            rest under the name of the run function; sums exactly to `instructions`.
        layer_mnemonics: instructions by mnemonic for each key of `by_layer`.
        mnemonics: instructions by mnemonic; sums exactly to `instructions`. Encodings that the
            disassembler does not know (Helium) stand under ``"other"``.
        taken_branches: how often execution went on elsewhere than at the next address: branches
            taken, calls and returns, the return of ``model_run`` included.
        stack_bytes: how far below its value at the call the stack was written, rounded up to 4.
    """

    outputs: np.ndarray
    instructions: int | None = None
    by_layer: Mapping[str, int] = field(default_factory=dict)
    mnemonics: Mapping[str, int] = field(default_factory=dict)
    layer_mnemonics: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    taken_branches: int | None = None
    stack_bytes: int | None = None
