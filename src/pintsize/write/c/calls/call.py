"""What a layer of the C program does: kernel calls with literal arguments, constants, and what memory it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pintsize.passes.plan_memory import Needs

BYTES = {"int8_t": 1, "int16_t": 2, "int32_t": 4}


@dataclass(frozen=True)
class Constant:
    """An array in flash: `ctype name[] = {data}`, aligned to 4 bytes; the layer's number becomes part of the name."""

    name: str
    ctype: str
    data: np.ndarray

    @property
    def bytes(self) -> int:
        return self.data.size * BYTES[self.ctype]


@dataclass(frozen=True)
class Invocation:
    """One call of a C function: pointers (`x0`, `y`, `y + 8`, `scratch`, or a constant as `{name}`),
    then literal numbers.
    """

    function: str
    pointers: tuple[str, ...]
    literals: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """What a layer does: invocations in order, the constants and the kernel files that they need.

    kernels: names below ``kernels/`` without ".c" ("conv2d", "dsp/conv2d"); needs: scratch and overlaps in RAM.
    """

    invocations: tuple[Invocation, ...]
    constants: tuple[Constant, ...]
    kernels: tuple[str, ...]
    needs: Needs = field(default_factory=Needs)


def c_call(function: str, *arguments: str | int) -> Invocation:
    """Pointers first, as the kernels take them."""
    pointers = tuple(a for a in arguments if isinstance(a, str))
    return Invocation(function, pointers, tuple(int(a) for a in arguments[len(pointers) :]))
