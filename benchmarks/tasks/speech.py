"""Spoken digits: DS-CNN on cepstral coefficients of one second at 8 kHz.

Data: the Free Spoken Digit Dataset (Jackson et al.), a folder of `<digit>_<speaker>_<take>.flac` and
`labels.csv` (file, label, speaker, index, split). Speakers of the split "train" give the training
takes, the validation takes and the test "seen"; the speaker of the split "val" is heard by nobody and
gives the test "speaker".
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.models import ds_cnn
from benchmarks.tasks.mfcc import Mfcc
from benchmarks.tasks.task import Schedule, Standard, Task, data_set
from pintsize.errors import DataError, MissingExtra

FOLDER = "speech_digits_fsdd"
LABELS = tuple(str(digit) for digit in range(10))
#: a take belongs to the test or to validation by its number modulo this
TAKES, TEST_TAKE, VAL_TAKE = 5, 0, 2
#: how many varied copies of each training take join it
COPIES = 6
LENGTH = 8000


@dataclass(frozen=True)
class Clip:
    sound: np.ndarray
    label: int
    speaker: str
    take: int
    split: str


def load(root: Path) -> Task:
    """Features of all clips; training takes come with `COPIES` varied copies each, after the originals.

    Raises:
        DataError: the folder lacks the data set, or a clip cannot be read.
        MissingExtra: soundfile is not installed.
    """
    clips = read_clips(data_set(root, FOLDER))
    seen = [c for c in clips if c.split == "train"]
    train = [c for c in seen if c.take % TAKES not in (TEST_TAKE, VAL_TAKE)]
    val = [c for c in seen if c.take % TAKES == VAL_TAKE]
    test = [c for c in seen if c.take % TAKES == TEST_TAKE]
    other = [c for c in clips if c.split == "val"]
    features = Mfcc()
    x_train = features(training_sounds(train, np.random.default_rng(0)))
    standard = Standard.of(x_train, (0, 1, 2))
    y_train = labels_of(train)

    def held_back(part: list[Clip]) -> tuple[np.ndarray, np.ndarray]:
        return standard(features(np.stack([place(c.sound) for c in part]))), labels_of(part)

    x_val, y_val = held_back(val)
    return Task(
        name="speech",
        labels=LABELS,
        x_train=standard(x_train),
        y_train=np.tile(y_train, 1 + COPIES),
        x_val=x_val,
        y_val=y_val,
        tests={"seen": held_back(test), "speaker": held_back(other)},
        make_teacher=lambda: ds_cnn.make(len(LABELS)),
        augment=mask_and_shift,
        schedule=Schedule(epochs=12),
    )


def read_clips(folder: Path) -> list[Clip]:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtra("soundfile", "audio") from error
    table = folder / "labels.csv"
    try:
        rows = list(csv.DictReader(table.read_text().splitlines()))
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error}") from error
    clips = []
    for row in rows:
        try:
            sound, _ = soundfile.read(folder / row["file"], dtype="float32")
        except (OSError, soundfile.LibsndfileError) as error:
            raise DataError(f"{folder / row['file']} is not a sound file: {error}") from error
        clips.append(Clip(sound, int(row["label"]), row["speaker"], int(row["index"]), row["split"]))
    return clips


def labels_of(clips: list[Clip]) -> np.ndarray:
    return np.array([c.label for c in clips], np.int64)


def place(sound: np.ndarray, shift: int = 0) -> np.ndarray:
    """Exactly one second: loudness evened out, silence cut off, the rest in the middle.

    The blocks within 35 dB of the loudest are kept, from the first to the last of them.
    """
    blocks = sound[: len(sound) // 80 * 80].reshape(-1, 80)
    energy = np.convolve((blocks**2).mean(1), np.ones(3) / 3, "same")
    loud = np.flatnonzero(energy > energy.max() * 10**-3.5)
    sound = sound[loud[0] * 80 : (loud[-1] + 1) * 80][:LENGTH]
    sound = sound * (0.1 / np.sqrt((sound**2).mean() + 1e-9))
    start = int(np.clip((LENGTH - len(sound)) // 2 + shift, 0, LENGTH - len(sound)))
    return np.pad(sound, (start, LENGTH - len(sound) - start)).astype(np.float32)


def training_sounds(clips: list[Clip], random: np.random.Generator) -> np.ndarray:
    """The clips in order, then `COPIES` times the clips in order, each varied."""
    originals = [place(c.sound) for c in clips]
    copies = [vary(c.sound, random) for _ in range(COPIES) for c in clips]
    return np.stack(originals + copies)


def vary(sound: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As another voice, microphone and room might give it: pitch and pace, timbre, noise, place."""
    pace = np.exp(random.uniform(-0.22, 0.22))
    at = np.arange(0, len(sound) - 1, pace)
    sound = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
    tilt = random.uniform(-0.6, 0.6)
    sound = sound - tilt * np.concatenate([sound[:1], sound[:-1]])
    placed = place(sound, int(random.integers(-800, 801)))
    noise_rms = 10 ** random.uniform(-4.0, -2.0)
    return placed + noise_rms * random.standard_normal(LENGTH).astype(np.float32)


def mask_and_shift(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Moves every clip by up to three frames and hides up to six frames of it."""
    batch, _, frames, _ = x.shape
    shift = torch.randint(-3, 4, (batch, 1), generator=generator)
    rows = (torch.arange(frames) + shift).clamp(0, frames - 1)  # (batch, frames)
    x = x[torch.arange(batch)[:, None], :, rows].transpose(1, 2)
    start = torch.randint(0, frames, (batch, 1), generator=generator)
    width = torch.randint(0, 7, (batch, 1), generator=generator)
    position = torch.arange(frames)
    hidden = (position >= start) & (position < start + width)  # (batch, frames)
    return x.masked_fill(hidden[:, None, :, None], 0.0)
