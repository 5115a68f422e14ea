"""Weights of 8 bits as words of 16, which the DSP kernels multiply as they are: faster, for twice the flash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pintsize.write.c.calls.call import Call, Constant
from pintsize.write.c.calls.dsp_numbers import unpacked

#: kernels whose first literal is the width of the weights
KERNELS = ("dsp_pointwise", "dsp_some_outputs", "dsp_ring_window", "dsp_window", "dsp_linear")
#: flash of the products with wide weights themselves, and of a kernel that is there for both widths, with room for
#: what compilers differ by
PRODUCTS_BYTES = 2048
KERNEL_BYTES = 1024


def widened(calls: Sequence[Call], spare_flash_bytes: int) -> list[Call]:
    """The calls, as many of them with wide weights as fit: first those that use each weight most often."""
    found = list(calls)
    spare = spare_flash_bytes - PRODUCTS_BYTES
    kernels: set[str] = set()
    candidates = [i for i, call in enumerate(calls) if _is_candidate(call)]
    for i in sorted(candidates, key=lambda i: -_pixels(calls[i])):
        kernel = calls[i].invocations[0].function
        taken = _constant(calls[i], "weight").bytes + (0 if kernel in kernels else KERNEL_BYTES)
        if taken <= spare:
            spare -= taken
            kernels.add(kernel)
            found[i] = _wide(calls[i])
    return found


def _is_candidate(call: Call) -> bool:
    return (
        bool(call.invocations)
        and call.invocations[0].function in KERNELS
        and call.invocations[0].literals[0] == 8
    )


def _constant(call: Call, name: str) -> Constant:
    return next(c for c in call.constants if c.name == name)


def _pixels(call: Call) -> int:
    return unpacked(_constant(call, "shape").data)[1]


def _wide(call: Call) -> Call:
    first, *others = call.invocations
    weight = _constant(call, "weight")
    fours = weight.data.view(np.int8).reshape(-1, 4).astype(np.int16)
    words = np.ascontiguousarray(fours[:, [0, 2, 1, 3]]).view(np.int32).reshape(-1)
    constants = tuple(replace(c, data=words) if c is weight else c for c in call.constants)
    return replace(
        call,
        invocations=(replace(first, literals=(16, *first.literals[1:])), *others),
        constants=constants,
    )
