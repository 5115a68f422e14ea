"""Own wake words and orders from a folder of labelled clips.

my_recordings/wake/<word>/*.wav          what wakes it; wake/other/ may hold other speech
my_recordings/orders/<order>/*.wav       what is ordered
my_recordings/<word>/*.wav               without these two folders: wake words alone
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pintsize.apps.application import Said, nobody
from pintsize.errors import DataError
from pintsize.folder import check_writable, write_folder

#: the folders that are looked for, and the pieces that are trained from them
OWN = ("wake", "orders")
#: estimated, of one core of a laptop
MINUTES: Mapping[str, int] = {"wake": 4, "orders": 2}


def train_own(clips: Path, out: Path, seed: int = 0, said: Said = nobody) -> None:
    """Writes `out/wake` and `out/orders`, whatever there are clips for. The same clips and seed give the same bytes.

    They are written when all of them are trained: if that is interrupted, `out` stays as it was.

    Raises DataError for a folder without clips and for clips that cannot be used, before anything is trained;
    OutputError where `out` cannot be written.
    """
    found = folders_of(clips)
    for folder in found.values():
        _require_labels(folder)
    for piece, folder in found.items():
        _training_of(piece).require_usable(folder)
    minutes = sum(MINUTES[piece] for piece in found)
    said(
        f"{' and '.join(found)}: about {minutes} minutes on one core of a laptop (estimated). Stopping writes nothing"
    )
    with _place_in(out, found), TemporaryDirectory() as made:
        told = [_trained(piece, folder, Path(made) / piece, seed, said) for piece, folder in found.items()]
        for piece in found:
            files = {file.name: file.read_bytes() for file in sorted((Path(made) / piece).iterdir())}
            write_folder(files, out / piece)
    for line in told:
        said(line)


@contextmanager
def _place_in(out: Path, pieces: Iterable[str]) -> Iterator[None]:
    """Known before hours of work: that it can be written. A folder with nothing in it is not left behind."""
    try:
        for piece in pieces:
            check_writable(out / piece)
        yield
    finally:
        with suppress(OSError):
            out.rmdir()


def _training_of(piece: str) -> Any:
    return import_module(f"pintsize.apps.assistant.{piece}.training")


def _trained(piece: str, folder: Path, made: Path, seed: int, said: Said) -> str:
    """Trains a piece into the folder `made`. Gives how good it is."""
    said(f"{piece}: from {folder}")
    figures = _training_of(piece).train_own(
        folder, made, seed=seed, watch=lambda line: said(f"{piece}: {line}")
    )
    return f"{piece}: {_HOW_GOOD[piece](figures)}"


def _how_good_words(figures: Mapping[str, Any]) -> str:
    heard, false = 1.0 - figures["validation_false_reject"], figures["validation_false_accepts_per_hour"]
    return (
        f"of the clips held back {heard:.0%} wake it, and {false:.1f} times an hour each word is heard falsely. The "
        "levels were chosen on these clips: expect a little less of new ones"
    )


def _how_good_orders(figures: Mapping[str, Any]) -> str:
    right = figures["accuracy_on_varied_copies_held_back"]
    return f"of varied copies of the clips held back {right:.0%} are understood rightly"


_HOW_GOOD = {"wake": _how_good_words, "orders": _how_good_orders}


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
