"""Clips with their words: from a data set's labels.csv, or from a user's folder with one subfolder a word."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.clip import read_clip
from pintsize.errors import DataError

#: of files in a user's folder
SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", ".aif")


@dataclass(frozen=True, eq=False)
class Labelled:
    """A clip, float32 (n,) mono at 16 kHz, and what is known of it.

    label: what is said; split: "train", "val", … as the data set divides it, empty where it does not
    origin: what names the recording, so that two clips of one are never on both sides
    about: the whole row of labels.csv
    """

    clip: NDArray[np.float32]
    label: str
    split: str
    origin: str
    about: Mapping[str, str]


def labelled_clips(folder: Path, label: str = "label") -> list[Labelled]:
    """All clips of a data set's folder, in the order of its labels.csv (file, split and source where it has them).

    label: the column with what is said. Raises DataError for a folder without such a table, and for a clip that cannot
    be read.
    """
    table = folder / "labels.csv"
    try:
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table} cannot be read: {error}") from error
    if not rows or not {"file", label} <= rows[0].keys():
        raise DataError(f"{table} needs the columns file and {label}, and at least one row")
    return [
        Labelled(
            read_clip(folder / row["file"]),
            row[label],
            row.get("split", ""),
            row.get("source", row["file"]),
            row,
        )
        for row in rows
    ]


def labelled_folder(folder: Path) -> list[Labelled]:
    """All clips of `folder/<label>/<file>`, in the order of their names.

    Raises DataError for a folder without labels or a label without clips.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: one with a subfolder of clips for each word is needed")
    inside = sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    if not inside:
        raise DataError(f"{folder} has no subfolders: it must hold one for each word, with its clips inside")
    return [_labelled(file, home) for home in inside for file in _sound_files(home)]


def _sound_files(home: Path) -> list[Path]:
    files = sorted(f for f in home.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        raise DataError(f"{home} has no sound file in it; read are {', '.join(SUFFIXES)}")
    return files


def _labelled(file: Path, home: Path) -> Labelled:
    about = {"file": f"{home.name}/{file.name}", "label": home.name}
    return Labelled(read_clip(file), home.name, "", about["file"], about)
