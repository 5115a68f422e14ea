"""The models that the assistant is made of, and what it asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.understood import Heard, Understood
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact
from pintsize.stream.decision import Detection

Samples = NDArray[np.int16]
#: of every piece on sound; one channel, int16
RATE_HZ = 16_000
PIECES = ("wake", "digits", "orders", "text")
#: the weights that come with pintsize
SHIPPED = Path(__file__).parent / "weights"


class WakePiece(Protocol):
    """words: the labels that wake; the others are told to nobody."""

    @property
    def artifact(self) -> Artifact: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def words(self) -> tuple[str, ...]: ...
    @property
    def hop_samples(self) -> int: ...
    @property
    def detection(self) -> Detection: ...


class DigitPiece(Protocol):
    @property
    def artifact(self) -> Artifact: ...
    def recognise(self, samples: Samples) -> Heard: ...


class OrderPiece(Protocol):
    @property
    def artifact(self) -> Artifact: ...
    def understand(self, samples: Samples) -> Understood: ...


class TextPiece(Protocol):
    def understand(self, text: str) -> Understood: ...


@dataclass(frozen=True)
class Pieces:
    """wake: which word wakes it; digits, orders: what a phrase is looked at by, None leaves it out."""

    wake: WakePiece
    digits: DigitPiece | None
    orders: OrderPiece | None


def load_pieces(weights: Path | None = None) -> Pieces:
    """The shipped pieces, each replaced by the user's own where `weights` has a folder of its name.

    Raises UserError for a folder that is none, VerificationError for one that was changed.
    """
    wake = load_wake(weights)
    from pintsize.apps.assistant.digits import Digits
    from pintsize.apps.assistant.orders import Orders

    return Pieces(wake, Digits.load(own(weights, "digits")), Orders.load(own(weights, "orders")))


def load_wake(weights: Path | None = None) -> WakePiece:
    """The wake words, shipped or the user's own."""
    from pintsize.apps.assistant.wake import WakeWords

    return WakeWords.load(own(weights, "wake"))


def load_understanding(weights: Path | None = None) -> TextPiece:
    """What understands text, shipped or the user's own."""
    from pintsize.apps.assistant.text import Understanding

    return Understanding.load(own(weights, "text"))


def own(weights: Path | None, piece: str) -> Path | None:
    """The folder of the user's own piece, None where the shipped one is to be taken.

    Raises UserError for a folder with no piece in it.
    """
    if weights is None:
        return None
    if not any((weights / name).is_dir() for name in PIECES):
        raise UserError(
            f"{weights} holds no models: `pintsize app train assistant` writes {weights}/wake and more"
        )
    return weights / piece if (weights / piece).is_dir() else None


def folder_of(weights: Path | None, piece: str) -> Path:
    """Where a piece's artifact lies, the user's own or the shipped one."""
    return own(weights, piece) or SHIPPED / piece
