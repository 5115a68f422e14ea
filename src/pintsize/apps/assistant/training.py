"""Own wake words and orders from a folder of labelled clips.

my_recordings/wake/<word>/*.wav          what wakes it; wake/other/ may hold other speech
my_recordings/orders/<order>/*.wav       what is ordered
my_recordings/<word>/*.wav               without these two folders: wake words alone
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pintsize.apps.application import Said, nobody
from pintsize.errors import DataError

#: the folders that are looked for, and the pieces that are trained from them
OWN = ("wake", "orders")


def train_own(clips: Path, out: Path, seed: int = 0, said: Said = nobody) -> None:
    """Writes `out/wake` and `out/orders`, whatever there are clips for. The same clips and seed give the same bytes.

    Raises DataError for a folder without clips and for clips that cannot be used, before anything is trained.
    """
    found = folders_of(clips)
    for folder in found.values():
        _require_labels(folder)
    for piece, folder in found.items():
        said(f"training {piece} from {folder}")
        training = import_module(f"pintsize.apps.assistant.{piece}.training")
        training.train_own(folder, out / piece, seed=seed, watch=said)


def folders_of(clips: Path) -> dict[str, Path]:
    """Piece → its folder of clips. Raises DataError where there is none."""
    if not clips.is_dir():
        raise DataError(f"{clips} is no folder: one with a subfolder of clips for each word is needed")
    found = {piece: clips / piece for piece in OWN if (clips / piece).is_dir()}
    if found:
        return found
    if not _subfolders(clips):
        raise DataError(
            f"{clips} has no subfolders: it must hold wake/<word>/ and orders/<order>/, or one folder for each wake "
            "word, with the clips inside"
        )
    return {"wake": clips}


def _require_labels(folder: Path) -> None:
    """A name that cannot be printed, sent or told apart from another is refused."""
    seen: dict[str, str] = {}
    for inside in _subfolders(folder):
        name = inside.name
        if not name.isprintable() or not name.strip() or "\ufffd" in name or _broken(name):
            raise DataError(f"{folder} has a subfolder {name!r}: a label must be printable text")
        other = seen.setdefault(name.strip().casefold(), name)
        if other != name:
            raise DataError(f"{folder}: the labels {other!r} and {name!r} differ only in case or spaces")
    if not seen:
        raise DataError(f"{folder} has no subfolders: it must hold one for each label, with its clips inside")


def _subfolders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def _broken(name: str) -> bool:
    """Whether it has bytes that are no UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
