"""Video files through OpenCV: a block is one picture. A camera's kind (the newest wins), yet a file drops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pintsize.errors import DataError
from pintsize.stream.block import Block
from pintsize.stream.sources.described import Described, Description, own_rate_hz, shown
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import cut_short

#: containers only estimate how many pictures they hold
_MISSED_SHARE, _MISSED_LEAST = 0.02, 3


class VideoFile(Described):
    """Pictures (1, height, width, 3) uint8, RGB, at the times that the file gives them."""

    def __init__(self, description: Description, capture: Any, time_at: int, pictures: int) -> None:
        super().__init__(description)
        self._capture = capture
        self._time_at = time_at
        self._pictures = pictures

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost where the file ends well before it should."""
        index, last_s = 0, -1.0
        while True:
            there, picture = self._capture.read()
            if not there:
                break
            start_s = self._capture.get(self._time_at) / 1000
            if start_s <= last_s:  # some containers give no times
                start_s = last_s + 1 / self.rate_hz
            last_s = start_s
            yield Block(picture[None, :, :, ::-1], start_s, self.rate_hz, 0.0, index)
            index += 1
        if self._pictures - index > max(_MISSED_LEAST, _MISSED_SHARE * self._pictures):
            raise cut_short(self.name, index, self._pictures)

    def close(self) -> None:
        self._capture.release()


def open_video(path: Path, options: SourceOptions) -> VideoFile:
    """Raises DataError for what OpenCV does not read and for a rate or channels asked of pictures."""
    where = shown(path)
    cv2 = library("cv2")
    if options.rate_hz is not None or options.channels != "all" or options.scale != "source":
        raise DataError(f"{where} is video: its rate, channels and scale are not converted")
    capture = cv2.VideoCapture(str(path))
    rate_hz = float(capture.get(cv2.CAP_PROP_FPS)) if capture.isOpened() else 0.0
    if not rate_hz > 0:
        capture.release()
        raise DataError(f"{where} cannot be read as video")
    rate_hz = own_rate_hz(rate_hz, options, where)
    description = Description(where, rate_hz, ("red", "green", "blue"), 255.0, (0.0, 255.0), lossless=False)
    pictures = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return VideoFile(description, capture, cv2.CAP_PROP_POS_MSEC, pictures)
