"""Speech of a synthesizer, for training alone: espeak-ng's formant voices, where it is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.clip import RATE_HZ
from pintsize.errors import ToolError
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.resample import Resampler, ratio

PROGRAM = "espeak-ng"
VOICES = ("en-us+m3", "en-gb+f2", "en-us+f4", "en-gb+m7", "en-029+m1", "en-us+f1")
WORDS_PER_MINUTE = (130, 210)
PITCHES = (25, 75)
_LONGEST_S = 20.0


def can_speak() -> bool:
    """Whether the synthesizer is installed."""
    return shutil.which(PROGRAM) is not None


def spoken(text: str, voice: str, words_per_minute: int, pitch: int) -> NDArray[np.float32]:
    """The text as speech, float32 (n,) mono at 16 kHz. pitch: 0 … 99. Raises ToolError where it cannot be said."""
    command = [PROGRAM, "--stdout", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "--", text]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_LONGEST_S)
        with wave.open(io.BytesIO(done.stdout)) as file:
            rate_hz, content = file.getframerate(), file.readframes(file.getnframes())
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
        raise ToolError(f"{PROGRAM} did not say {text!r}: {error}") from error
    samples = np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.float32) / INT16_FULL_SCALE
    resampler = Resampler(ratio(rate_hz, RATE_HZ), 1)
    parts = [resampler.push(samples[:, None]), resampler.finish()]
    return np.concatenate(parts)[:, 0].astype(np.float32)


def said_by_many(texts: Sequence[str], seed: int, times: int = 1) -> list[NDArray[np.float32]]:
    """Every text `times` times, each time by another voice, pace and pitch. Raises ToolError as `spoken`."""
    random = np.random.default_rng(seed)
    return [
        spoken(text, VOICES[int(random.integers(len(VOICES)))], int(random.integers(*WORDS_PER_MINUTE)),
               int(random.integers(*PITCHES)))
        for text in texts
        for _ in range(times)
    ]  # fmt: skip
