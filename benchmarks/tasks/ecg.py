"""Heartbeats of patients never seen in training: a 1-D residual network on one beat and its rhythm.

Data: the MIT-BIH Arrhythmia Database (Moody and Mark, 2001) at 180 Hz, one `<record>.npz` per patient
(ecg in steps of 5 uV, beat_pos, beat_class) and `splits.json`. Classes are those of AAMI EC57 without
Q; training and test patients are those of de Chazal et al., 2004. Some training patients are set aside
for validation.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.models import ecg_net
from benchmarks.tasks.task import Schedule, Standard, Task, data_set
from pintsize.errors import DataError

FOLDER = "ecg_mitbih"
LABELS = ("N", "S", "V", "F")
VAL_RECORDS = (114, 124, 207, 223)
#: rare classes count a little more; by their full rarity they would drown the normal beats in false alarms
CLASS_WEIGHTS = (1.0, 1.5, 1.2, 0.7)
BEFORE, SAMPLES = 56, 128
MILLIVOLT = 0.005
#: the rhythm is judged against this many beats up to and including the present one
HISTORY_BEATS = 32
#: the typical beat is a running mean that moves by this share per beat
TYPICAL_STEP = 1 / 16
SIGNAL_CHANNELS, CHANNELS = 2, 6


@dataclass(frozen=True)
class Record:
    millivolts: np.ndarray
    beat_pos: np.ndarray
    beat_class: np.ndarray


def load(root: Path) -> Task:
    """Beats as (6, 128): the beat, the patient's typical beat, and four constants of the rhythm.

    Raises:
        DataError: the folder lacks the data set, or a record cannot be read.
    """
    folder = data_set(root, FOLDER)
    split = read_split(folder / "splits.json")
    x_train, y_train = beats_of(folder, [r for r in split["train"] if r not in VAL_RECORDS])
    standard = channel_standard(x_train)
    x_val, y_val = beats_of(folder, list(VAL_RECORDS))
    x_test, y_test = beats_of(folder, split["test"])
    return Task(
        name="ecg",
        labels=LABELS,
        x_train=standard(x_train),
        y_train=y_train,
        x_val=standard(x_val),
        y_val=y_val,
        tests={"patients": (standard(x_test), y_test)},
        make_teacher=lambda: ecg_net.make(CHANNELS, SAMPLES, len(LABELS)),
        augment=vary,
        schedule=Schedule(epochs=6, batch_size=128, class_weights=CLASS_WEIGHTS),
    )


def read_split(path: Path) -> dict[str, list[int]]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def read_record(path: Path) -> Record:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Record(arrays["ecg"] * np.float32(MILLIVOLT), arrays["beat_pos"], arrays["beat_class"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a record: {error}") from error


def beats_of(folder: Path, records: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """All beats of these patients that have a neighbour on either side and a class of `LABELS`."""
    parts = [beats(read_record(folder / f"{record}.npz")) for record in records]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def beats(record: Record) -> tuple[np.ndarray, np.ndarray]:
    starts = record.beat_pos - BEFORE
    inside = (starts >= 0) & (starts + SAMPLES <= len(record.millivolts))
    inside[[0, -1]] = False
    windows = sliding_window_view(record.millivolts, SAMPLES)[np.where(inside, starts, 0)]
    windows = windows - np.median(windows, axis=1, keepdims=True)
    constants = np.repeat(rhythm(record.beat_pos)[:, :, None], SAMPLES, axis=2)
    x = np.concatenate([windows[:, None], typical(windows)[:, None], constants], axis=1)
    known = inside & np.isin(record.beat_class, LABELS)
    y = np.array([LABELS.index(c) for c in record.beat_class[known]], np.int64)
    return x[known].astype(np.float32), y


def typical(windows: np.ndarray) -> np.ndarray:
    """The running mean of the beats before each, begun with the mean of the first 32, (beats, samples)."""
    means = np.empty_like(windows)
    mean = windows[:HISTORY_BEATS].mean(0)
    for index, window in enumerate(windows):
        means[index] = mean
        mean = mean + TYPICAL_STEP * (window - mean)
    return means


def rhythm(beat_pos: np.ndarray) -> np.ndarray:
    """Four numbers per beat, all 0 in an even rhythm, (beats, 4).

    The interval before and the one after against the recent mean, the interval before against the
    recent longest tenth (a mean misleads where most beats come early), and how uneven the recent ones are.
    """
    before = np.diff(beat_pos, prepend=beat_pos[0] - (beat_pos[1] - beat_pos[0])).astype(np.float64)
    after = np.append(before[1:], before[-1])
    padded = np.concatenate([np.full(HISTORY_BEATS - 1, np.median(before[:HISTORY_BEATS])), before])
    recent = sliding_window_view(padded, HISTORY_BEATS)
    mean, long = recent.mean(1), np.percentile(recent, 90, axis=1)
    ratios = np.stack([before / mean, after / mean, before / long], axis=1)
    uneven = recent.std(1) / mean
    return np.column_stack([np.log(ratios).clip(-1.5, 1.5), uneven.clip(0, 1)])


def channel_standard(x: np.ndarray) -> Standard:
    """One scale for both signals, so that they stay comparable; one for each constant."""
    each = Standard.of(x, (0, 2))
    signal = Standard.of(x[:, :SIGNAL_CHANNELS], (0, 1, 2))
    mean, deviation = each.mean.copy(), each.deviation.copy()
    mean[:, :SIGNAL_CHANNELS], deviation[:, :SIGNAL_CHANNELS] = signal.mean, signal.deviation
    return Standard(mean, deviation)


def vary(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """As other electrodes and patients might give it: gain, drift, noise, and the beat found a little off."""
    batch, _, samples = x.shape
    signals, constants = x[:, :SIGNAL_CHANNELS], x[:, SIGNAL_CHANNELS:]
    shift = torch.randint(-3, 4, (batch, 1), generator=generator)
    position = (torch.arange(samples) + shift).clamp(0, samples - 1)  # (batch, samples)
    signals = signals.gather(2, position[:, None].expand_as(signals))
    gain = torch.exp(0.25 * torch.randn(batch, 1, 1, generator=generator))
    signals = gain * signals + 0.05 * torch.randn(signals.shape, generator=generator)
    slope = 0.2 * torch.randn(batch, 1, 1, generator=generator) * torch.linspace(-1, 1, samples)
    muscle = F.avg_pool1d(torch.randn(batch, 1, samples, generator=generator), 5, 1, 2)
    loudness = 0.5 * torch.rand(batch, 1, 1, generator=generator)
    beat = signals[:, :1] + slope + loudness * muscle
    constants = constants + 0.1 * torch.randn(batch, constants.shape[1], 1, generator=generator)
    return torch.cat([beat, signals[:, 1:], constants], dim=1)
