"""A point of the search space: what is left of the teacher."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pintsize.compress.blocks import Drop
from pintsize.compress.quantize import ActivationBits, Bits


@dataclass(frozen=True)
class Candidate:
    """The fraction of channels that stays, the bits of the weights, and the branches that go.

    layer_widths, layer_bits: (layer, its own fraction or bits); width and bits are then those of the whole, roughly.
    dropped: branches of residual adds (blocks.py). title: what to call it; else its width and bits.
    """

    width: float
    bits: Bits
    layer_widths: tuple[tuple[str, float], ...] = ()
    layer_bits: tuple[tuple[str, Bits], ...] = ()
    title: str = ""
    dropped: tuple[Drop, ...] = ()
    activation_bits: ActivationBits = 8

    @property
    def name(self) -> str:
        return self.title or f"width {self.width:g}, {self.bits} bit"

    @property
    def key(self) -> str:
        """A name that no other candidate has, whatever the budget it was made for."""
        return f"{self.name} {hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"
