"""Reads a folder of labelled audio or images: `<label>/<file>`, or `<part>/<label>/<file>` when divided.

Files are taken in the order of their names, so the arrays are the same on every computer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pintsize.errors import DataError, MissingExtra

AUDIO_SUFFIXES = (".wav", ".flac")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
#: how the folder of a part may be called → the part
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LabelledFiles:
    """The content of the files, one sample a file.

    Args:
        samples: float32 (n, *sample shape), channels first; audio in [-1, 1], images in [0, 1].
        targets: int64 (n,), indices into `labels`.
        labels: the names of the label folders, sorted.
        parts: "train", "validation" or "test" for each sample; empty when the folder is not divided.
    """

    samples: np.ndarray
    targets: np.ndarray
    labels: tuple[str, ...]
    parts: tuple[str, ...]


def read_labelled_files(folder: Path, sample_shape: Shape | None = None) -> LabelledFiles:
    """Everything in the folder.

    Audio becomes mono and is cut, or padded with silence, to the shape's length (the longest clip's without a
    shape); all clips must have one rate. Images become RGB, or grey where the shape has one channel, and are
    resized to the shape (the first image's size without one).

    Raises DataError for an empty folder, files that cannot be read, unknown parts, mixed kinds or rates, and
    shapes that such files cannot have; MissingExtra when the reader is not installed.
    """
    divided = _part_folders(folder)
    found = [
        (file, label, part)
        for part, inside in (divided or {"": folder}).items()
        for file, label in _labelled(inside)
    ]
    labels = tuple(sorted({label for _, label, _ in found}))
    return LabelledFiles(
        samples=_samples([file for file, _, _ in found], sample_shape),
        targets=np.array([labels.index(label) for _, label, _ in found], np.int64),
        labels=labels,
        parts=tuple(part for _, _, part in found) if divided else (),
    )


def _part_folders(folder: Path) -> dict[str, Path]:
    """part → its folder; empty when the folders inside are labels."""
    inside = _subfolders(folder)
    parts = [f for f in inside if f.name.lower() in PART_NAMES and _subfolders(f)]
    if not parts:
        return {}
    unknown = [f.name for f in inside if f not in parts]
    if unknown:
        raise DataError(
            f"{folder} is divided into {', '.join(f.name for f in parts)}, and {unknown[0]} is none of "
            "train, validation (val) and test, or has no label folders in it"
        )
    named: dict[str, Path] = {}
    for part in parts:
        other = named.setdefault(PART_NAMES[part.name.lower()], part)
        if other is not part:
            raise DataError(f"{folder} has two folders for one part: {other.name} and {part.name}")
    return named


def _labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    inside = _subfolders(folder)
    if not inside:
        raise DataError(f"{folder} has no label folders in it: pintsize reads {folder.name}/<label>/<file>")
    for label in inside:
        files = [f for f in sorted(label.iterdir()) if f.suffix.lower() in AUDIO_SUFFIXES + IMAGE_SUFFIXES]
        visible = [f for f in files if not f.name.startswith(".")]
        if not visible:
            raise DataError(f"{label} has no WAV, FLAC, PNG or JPEG file in it")
        yield from ((file, label.name) for file in visible)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def _samples(files: Sequence[Path], sample_shape: Shape | None) -> np.ndarray:
    is_audio = [f.suffix.lower() in AUDIO_SUFFIXES for f in files]
    if all(is_audio):
        return _clips(files, sample_shape)
    if any(is_audio):
        audio, image = files[is_audio.index(True)], files[is_audio.index(False)]
        raise DataError(f"audio and images are mixed: {audio} and {image}")
    return _images(files, sample_shape)


def _clips(files: Sequence[Path], sample_shape: Shape | None) -> np.ndarray:
    """(n, 1, length), or (n, length) when asked for."""
    if sample_shape is not None and (len(sample_shape) not in (1, 2) or sample_shape[:-1] not in ((), (1,))):
        raise DataError(
            f"audio files give (1, length), the model takes {sample_shape}: "
            "compute its features first and save them as an .npz"
        )
    soundfile = _soundfile()
    clips, rates_hz = zip(*(_clip(soundfile, file) for file in files), strict=True)
    for file, rate_hz in zip(files, rates_hz, strict=True):
        if rate_hz != rates_hz[0]:
            raise DataError(
                f"{file} has {rate_hz} samples a second and {files[0]} has {rates_hz[0]}: "
                "bring all to one rate"
            )
    shape = sample_shape or (1, max(len(clip) for clip in clips))
    samples = np.zeros((len(clips), shape[-1]), np.float32)
    for row, clip in zip(samples, clips, strict=True):
        row[: len(clip)] = clip[: len(row)]
    return samples.reshape(len(clips), *shape)


def _clip(soundfile: ModuleType, file: Path) -> tuple[np.ndarray, int]:
    """The mean of the channels, and the rate in Hz."""
    try:
        channels, rate_hz = soundfile.read(str(file), dtype="float32", always_2d=True)  # (length, channels)
    except (soundfile.SoundFileError, MemoryError) as error:  # a spoilt header may promise any length
        raise DataError(f"{file} cannot be read as audio: {error}") from error
    if not len(channels):
        raise DataError(f"{file} is empty: it has no audio in it")
    return channels.mean(axis=1), int(rate_hz)


def _images(files: Sequence[Path], sample_shape: Shape | None) -> np.ndarray:
    """(n, channels, height, width)."""
    pillow = _pillow()
    if sample_shape is None:
        width, height = _with_image(pillow, files[0], lambda image: image.size)
        sample_shape = (3, height, width)
    if len(sample_shape) != 3 or sample_shape[0] not in (1, 3):
        raise DataError(
            f"images give (3, height, width) or (1, height, width), the model takes {sample_shape}"
        )
    channels, height, width = sample_shape

    def pixels(image: Any) -> np.ndarray:
        plain = image.convert("RGB" if channels == 3 else "L")
        resized = plain.resize((width, height), pillow.Resampling.BILINEAR)
        return np.asarray(resized, np.float32).reshape(height, width, channels).transpose(2, 0, 1) / 255

    return np.stack([_with_image(pillow, file, pixels) for file in files])


def _with_image(pillow: ModuleType, file: Path, use: Callable[[Any], Any]) -> Any:
    try:
        with pillow.open(file) as image:
            if image.mode.startswith(("I", "F")):  # converting these to 8 bits would clip, not scale
                raise DataError(f"{file} has more than 8 bits a channel (mode {image.mode}): save it with 8")
            return use(image)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise DataError(f"{file} cannot be read as an image: {error}") from error


def _soundfile() -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the library behind it is missing
        raise MissingExtra("soundfile", "audio") from error
    return soundfile


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("pillow", "images") from error
    return Image
