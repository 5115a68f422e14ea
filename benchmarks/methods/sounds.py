"""The input of MLPerf Tiny's anomaly detector, of other sounds: five frames of 128 log mel bands, 640 numbers.

Data: the folder `wakewords_picovoice`, sound files at 16 kHz. The machine sounds that the detector is meant for are not
needed: what is compared is how well smaller networks rebuild what the trained one rebuilds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from benchmarks.models import autoencoder
from benchmarks.tasks.mfcc import Mfcc
from benchmarks.tasks.task import Standard, data_set
from pintsize.errors import MissingExtra

FOLDER = "wakewords_picovoice"
MELS = Mfcc(rate_hz=16000, window_samples=1024, hop_samples=512, fft_samples=1024, bands=128, low_hz=0.0,
            high_hz=8000.0, floor=1e-7)  # fmt: skip
FRAMES, EVERY = 5, 3
TRAINING_FILES, TEST_FILES = 450, 150
EPOCHS = 25


def load(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """(training, test), each float32 (n, 640), standardized on the training part. Raises DataError, MissingExtra."""
    files = sorted(data_set(root, FOLDER).glob("*.flac"))
    order = np.random.default_rng(0).permutation(len(files))[: TRAINING_FILES + TEST_FILES]
    rows = [_rows(files[i]) for i in order]
    train, test = np.concatenate(rows[:TRAINING_FILES]), np.concatenate(rows[TRAINING_FILES:])
    standard = Standard.of(train, (0,))
    return standard(train), standard(test)


def _rows(path: Path) -> np.ndarray:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtra("soundfile", "audio") from error
    sound, _ = soundfile.read(path, dtype="float32")
    windows = sliding_window_view(sound, MELS.window_samples)[:: MELS.hop_samples]
    power = np.abs(np.fft.rfft(windows * np.hanning(MELS.window_samples))) ** 2
    bands = np.log(power @ MELS.filters().T + MELS.floor)  # (frames, 128)
    return (
        sliding_window_view(bands, FRAMES, 0).transpose(0, 2, 1).reshape(-1, 640)[::EVERY].astype(np.float32)
    )


def train(x: np.ndarray, seed: int = 0) -> nn.Module:
    """MLPerf Tiny's autoencoder, trained to rebuild x."""
    torch.manual_seed(seed)
    model, inputs = autoencoder.make(), torch.from_numpy(x)
    generator = torch.Generator().manual_seed(seed)
    steps = len(x) // 64
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, EPOCHS * steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x), generator=generator)[: steps * 64].split(64):
            loss = (model(inputs[batch]) - inputs[batch]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
    return model.eval()
