"""The models of pictures, by name: shipped ones, and a user's own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol

from pintsize.apps.images.answer import Answer
from pintsize.apps.images.gate import Gate
from pintsize.apps.images.pictures import Picture
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact
from pintsize.stream.manifest import read_manifest

#: entry of a manifest that says what it is for → module and class
PIECES = {
    "xray": ("pintsize.apps.images.xray.xray", "XRay"),
    "cells": ("pintsize.apps.images.cells.cells", "Cells"),
    "own": ("pintsize.apps.images.own.own", "OwnPictures"),
}
SHIPPED = ("xray", "cells")
#: the weights that come with pintsize
WEIGHTS = Path(__file__).parent / "weights"


class Piece(Protocol):
    """A model that answers a picture."""

    @property
    def artifact(self) -> Artifact: ...
    @property
    def gate(self) -> Gate: ...
    def ask(self, picture: Picture) -> Answer: ...


def folder_of(model: str, weights: Path | None = None) -> Path:
    """Where the artifact lies. Raises UserError for a model that is not known."""
    if weights is not None:
        return weights
    if model not in SHIPPED:
        raise UserError(f"{model!r} is no model; there are {', '.join(SHIPPED)}, or --weights with your own")
    return WEIGHTS / model


def kind_of(folder: Path) -> str:
    """Which piece a folder holds. Raises UserError for another folder."""
    content = read_manifest(folder).content
    for name in PIECES:
        if isinstance(content.get(name), dict):
            return name
    raise UserError(
        f"{folder} holds a model of something else: `pintsize app train images` writes one of pictures"
    )


def load_piece(model: str, weights: Path | None = None) -> Piece:
    """A shipped model, or the one in `weights`.

    Raises UserError for what is none, VerificationError for one that was changed.
    """
    folder = folder_of(model, weights)
    module, name = PIECES[kind_of(folder)]
    return getattr(import_module(module), name).load(folder)
