"""The sizes of the model: how much of the sound it looks at, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from pintsize import Graph, frontend
from pintsize.apps.sounds import RATE_HZ

WINDOW_S, FRAME_S, MELS, FFT = 0.032, 0.020, 40, 512


@dataclass(frozen=True)
class Shape:
    """width: channels; kernel: of the depthwise convolutions; dilations: one per block.

    stem: frames that the first layer sees
    stride: frames between two answers, which is the hop of the stream.
    """

    width: int = 62
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 1, 2, 2, 1)
    stem: int = 5
    stride: int = 2

    @property
    def frames(self) -> int:
        """That an answer depends on."""
        return self.stem + self.stride * (self.kernel - 1) * sum(self.dilations)

    @property
    def window_s(self) -> float:
        return (self.frames - 1) * FRAME_S + WINDOW_S

    @property
    def hop_samples(self) -> int:
        return round(self.stride * FRAME_S * RATE_HZ)

    def answers(self, frames: int) -> int:
        """How many answers so many frames give."""
        return max(0, (frames - self.frames) // self.stride + 1)

    def answered_s(self, answer: int) -> float:
        """When the sound ends that an answer depends on."""
        return (answer * self.stride + self.frames - 1) * FRAME_S + WINDOW_S


def front_end(seconds: float) -> Graph:
    """The front-end of so many seconds of int16 samples, in the device's integers."""
    return frontend.log_mel(RATE_HZ, seconds, window_s=WINDOW_S, hop_s=FRAME_S, mels=MELS, fft=FFT)
