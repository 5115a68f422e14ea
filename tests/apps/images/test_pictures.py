"""Picture files come in upright, in 8 bits and in three channels, or not at all and with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pintsize.apps.images.pictures import grey_of, picture_files, read_picture, resized, square
from pintsize.errors import DataError
from tests.apps.images.drawing import saved, smooth

#: of EXIF, "Orientation"
ORIENTATION = 0x0112


def test_grey_pictures_have_three_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(tmp_path / "ramp.png")
    found = read_picture(tmp_path / "ramp.png")
    assert found.grey
    assert found.pixels.shape == (16, 16, 3)
    assert found.pixels[0, 5].tolist() == [5, 5, 5]


def test_a_turn_that_the_file_notes_is_undone(tmp_path: Path) -> None:
    pixels = smooth(16)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was turned: the file's left is up
    Image.fromarray(np.rot90(pixels).copy()).save(tmp_path / "turned.png", exif=exif)
    assert (read_picture(tmp_path / "turned.png").pixels == pixels).all()


def test_16_bits_are_brought_to_8_by_their_range(tmp_path: Path) -> None:
    wide = np.linspace(1000, 5000, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    found = read_picture(tmp_path / "wide.png")
    assert found.grey
    assert (found.pixels.min(), found.pixels.max()) == (0, 255)
    assert (np.diff(found.pixels[..., 0].reshape(-1).astype(int)) >= 0).all()


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:8, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    found = read_picture(tmp_path / "half.png").pixels
    assert (found[:8] == 0).all()
    assert (found[8:] == 255).all()


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\xff\xd8\xff\xe0 cut off"])
def test_a_damaged_file_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.jpg cannot be read as a picture"):
        read_picture(tmp_path / "broken.jpg")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved(smooth(64), tmp_path / "cut.png")
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match="cannot be read"):
        read_picture(path)


def test_a_tiny_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="5×5 pixels: at least 8"):
        read_picture(saved(smooth(16)[:5, :5].copy(), tmp_path / "tiny.png"))


def test_odd_names_and_folders_within_folders_are_found_in_order(tmp_path: Path) -> None:
    for name in ("b [1] ü.PNG", "a 'x'.jpg", "in/c;d.jpeg", ".hidden.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("no picture")
        else:
            Image.fromarray(smooth(16)).save(path)
    assert [p.name for p in picture_files(tmp_path)] == ["a 'x'.jpg", "b [1] ü.PNG", "c;d.jpeg"]


def test_an_empty_folder_and_no_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture in it"):
        picture_files(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        picture_files(tmp_path / "gone")


def test_smaller_pixels_are_means() -> None:
    pixels = np.array([[0, 100], [100, 200]], np.uint8)
    assert resized(np.kron(pixels, np.ones((2, 2), np.uint8)), 2, 2).tolist() == pixels.tolist()
    assert resized(pixels, 1, 1).tolist() == [[100]]


def test_the_square_is_the_middle() -> None:
    wide = np.repeat(np.arange(7, dtype=np.uint8)[None, :, None], 3, axis=0).repeat(3, axis=2)
    assert square(wide)[0, :, 0].tolist() == [2, 3, 4]


def test_grey_is_luminance_rounded() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)
    assert grey_of(pixels).tolist() == [[76, 150, 29, 9]]
