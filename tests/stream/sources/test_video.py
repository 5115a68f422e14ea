"""Video files through OpenCV: every picture, in RGB, at its time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError, SourceLost
from pintsize.stream.health import monitor_of
from pintsize.stream.sources import SourceOptions, open_source

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed (extra video)")


def write_video(path: Path, pictures: int = 30) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48))
    for at in range(pictures):
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:, :, 2] = 200  # red, in OpenCV's order
        picture[:, : at + 1, 1] = 100
        writer.write(picture)
    writer.release()


def test_every_picture_in_order(tmp_path: Path) -> None:
    write_video(tmp_path / "drive.avi")
    with open_source(str(tmp_path / "drive.avi")) as source:
        monitor = monitor_of(source)
        blocks = list(source.blocks())
    assert (source.rate_hz, source.channels, source.full_scale, source.lossless) == (10.0, 3, 255.0, False)
    assert [block.samples.shape for block in blocks] == [(1, 48, 64, 3)] * 30
    assert np.allclose([block.start_s for block in blocks], np.arange(30) / 10)
    assert blocks[0].samples[0, 0, 60].argmax() == 0
    assert all(monitor.see(block).ok for block in blocks)


def test_what_pictures_are_not_converted_to(tmp_path: Path) -> None:
    write_video(tmp_path / "drive.avi")
    with pytest.raises(DataError, match="is video"):
        open_source(str(tmp_path / "drive.avi"), SourceOptions(rate_hz=5.0))


def test_what_is_no_video_and_what_is_cut_short(tmp_path: Path) -> None:
    write_video(tmp_path / "drive.avi")
    content = (tmp_path / "drive.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    with open_source(str(tmp_path / "cut.avi")) as source, pytest.raises(SourceLost, match="cut short"):
        list(source.blocks())
    (tmp_path / "none.mp4").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as video"):
        open_source(str(tmp_path / "none.mp4"))
