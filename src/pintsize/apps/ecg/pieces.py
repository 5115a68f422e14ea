"""The models that the application is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pintsize.apps.ecg.beats import BeatModel, load_beats
from pintsize.apps.ecg.classes import BeatClassifier, load_classes
from pintsize.errors import UserError

PIECES = ("beats", "classes")
#: the weights that come with pintsize
SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Pieces:
    """beats: always runs; classes: asked for each beat."""

    beats: BeatModel
    classes: BeatClassifier


def load_pieces(weights: Path | None = None) -> Pieces:
    """The shipped pieces, each replaced by the user's own where `weights` has a folder of its name.

    Raises UserError for a folder that is none, VerificationError for one that was changed.
    """
    return Pieces(load_beats(own(weights, "beats")), load_classes(own(weights, "classes")))


def own(weights: Path | None, piece: str) -> Path | None:
    """The folder of the user's own piece, None where the shipped one is to be taken.

    Raises UserError for a folder with no piece in it.
    """
    if weights is None:
        return None
    if not any((weights / name).is_dir() for name in PIECES):
        raise UserError(f"{weights} holds no models of this application: it has folders beats and classes")
    return weights / piece if (weights / piece).is_dir() else None


def folder_of(weights: Path | None, piece: str) -> Path:
    """Where a piece's artifact lies, the user's own or the shipped one."""
    return own(weights, piece) or SHIPPED / piece
