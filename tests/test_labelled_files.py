"""Folders of audio and images become arrays of the asked shape, or an error that names the file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from pintsize.errors import DataError, MissingExtra
from pintsize.labelled_files import read_labelled_files


def write_clip(path: Path, samples: np.ndarray, rate_hz: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")


def write_image(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def refusal(folder: Path, sample_shape: tuple[int, ...] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_labelled_files(folder, sample_shape)
    return str(caught.value)


def test_clips_are_padded_and_cut_to_the_length(tmp_path: Path) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.full(3, 0.5))
    write_clip(tmp_path / "yes" / "a.flac", np.full(9, -0.25))
    files = read_labelled_files(tmp_path, (1, 5))
    assert files.labels == ("no", "yes")
    assert files.targets.tolist() == [0, 1]
    assert files.parts == ()
    assert files.samples.shape == (2, 1, 5)
    assert files.samples[0, 0].tolist() == [0.5, 0.5, 0.5, 0, 0]
    assert files.samples[1, 0].tolist() == [-0.25] * 5


def test_clips_without_a_shape_have_the_longest_length(tmp_path: Path) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.zeros(3))
    write_clip(tmp_path / "yes" / "a.wav", np.zeros(9))
    assert read_labelled_files(tmp_path).samples.shape == (2, 1, 9)
    assert read_labelled_files(tmp_path, (9,)).samples.shape == (2, 9)


def test_stereo_becomes_mono(tmp_path: Path) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.array([[0.5, 0.0], [0.25, 0.25]]))
    assert read_labelled_files(tmp_path).samples[0, 0].tolist() == [0.25, 0.25]


def test_two_rates_are_not_mixed(tmp_path: Path) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.zeros(8), 8000)
    write_clip(tmp_path / "no" / "b.wav", np.zeros(8), 16000)
    message = refusal(tmp_path)
    assert "b.wav has 16000" in message
    assert "8000" in message


@pytest.mark.parametrize("shape", [(1, 49, 10), (2, 8000), ()])
def test_audio_is_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.zeros(8))
    assert str(shape) in refusal(tmp_path, shape)


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\x00\x00\x00\x00WAVE"])
def test_audio_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.zeros(8))
    (tmp_path / "no" / "b.wav").write_bytes(content)
    assert "b.wav cannot be read as audio" in refusal(tmp_path)


def test_audio_of_no_length_is_named(tmp_path: Path) -> None:
    write_clip(tmp_path / "no" / "a.wav", np.zeros(0))
    assert "a.wav is empty" in refusal(tmp_path)


def test_images_are_rgb_of_the_first_size(tmp_path: Path) -> None:
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 255
    write_image(tmp_path / "red" / "a.png", red)
    write_image(tmp_path / "red" / "b.png", np.zeros((8, 12, 3), np.uint8))
    samples = read_labelled_files(tmp_path).samples
    assert samples.shape == (2, 3, 4, 6)
    assert samples.dtype == np.float32
    assert samples[0, 0].min() == 1.0
    assert samples[0, 1:].max() == 0.0


def test_images_are_resized_and_turned_grey_to_the_shape(tmp_path: Path) -> None:
    write_image(tmp_path / "x" / "a.png", np.full((4, 6, 3), 51, np.uint8))
    samples = read_labelled_files(tmp_path, (1, 2, 3)).samples
    assert samples.shape == (1, 1, 2, 3)
    assert samples == pytest.approx(0.2)


def test_jpeg_and_transparent_images_are_read(tmp_path: Path) -> None:
    write_image(tmp_path / "x" / "a.JPG", np.full((8, 8, 3), 100, np.uint8))
    write_image(tmp_path / "x" / "b.png", np.full((8, 8, 4), 100, np.uint8))
    assert read_labelled_files(tmp_path).samples == pytest.approx(100 / 255, abs=0.02)


@pytest.mark.parametrize("shape", [(2, 8, 8), (8, 8), (8, 8, 3)])
def test_images_are_grey_or_rgb(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_image(tmp_path / "x" / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert str(shape) in refusal(tmp_path, shape)


def test_sixteen_bits_a_channel_are_not_clipped_in_silence(tmp_path: Path) -> None:
    write_image(tmp_path / "x" / "a.png", np.full((8, 8), 40000, np.uint16))
    assert "more than 8 bits" in refusal(tmp_path)


@pytest.mark.parametrize("kept", [0, 10, 60, 4000])
def test_an_image_that_cannot_be_read_is_named(tmp_path: Path, kept: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    write_image(tmp_path / "x" / "a.png", noise)
    spoilt = tmp_path / "x" / "b.png"
    spoilt.write_bytes((tmp_path / "x" / "a.png").read_bytes()[:kept])
    assert "b.png cannot be read as an image" in refusal(tmp_path)


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for value in (3, 1, 2):
        write_image(tmp_path / "x" / f"{value}.png", np.full((2, 2, 3), value, np.uint8))
    firsts = read_labelled_files(tmp_path).samples[:, 0, 0, 0] * 255
    assert firsts.round().tolist() == [1, 2, 3]


def test_other_files_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    write_image(tmp_path / "x" / "a.png", np.zeros((2, 2, 3), np.uint8))
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "x" / "notes.txt").write_text("about")
    (tmp_path / "x" / "._a.png").write_bytes(b"left by another system")
    (tmp_path / ".cache").mkdir()
    assert len(read_labelled_files(tmp_path).samples) == 1


def test_parts_are_told_from_labels(tmp_path: Path) -> None:
    for part in ("Train", "val", "test"):
        write_image(tmp_path / part / "x" / "a.png", np.zeros((2, 2, 3), np.uint8))
    files = read_labelled_files(tmp_path)
    assert sorted(files.parts) == ["test", "train", "validation"]
    assert files.labels == ("x",)


def test_a_label_may_be_called_test(tmp_path: Path) -> None:
    write_image(tmp_path / "test" / "a.png", np.zeros((2, 2, 3), np.uint8))
    write_image(tmp_path / "real" / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert read_labelled_files(tmp_path).labels == ("real", "test")


def test_a_part_that_is_unknown(tmp_path: Path) -> None:
    for part in ("train", "holdout"):
        write_image(tmp_path / part / "x" / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert "holdout" in refusal(tmp_path)


def test_two_folders_for_one_part(tmp_path: Path) -> None:
    for part in ("val", "validation"):
        write_image(tmp_path / part / "x" / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert "two folders for one part: val and validation" in refusal(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no label folders" in refusal(tmp_path)


def test_files_without_label_folders(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.wav", np.zeros(8))
    assert "<label>/<file>" in refusal(tmp_path)


def test_a_label_without_files(tmp_path: Path) -> None:
    write_clip(tmp_path / "yes" / "a.wav", np.zeros(8))
    (tmp_path / "no").mkdir()
    assert "no has no WAV" in refusal(tmp_path)


def test_audio_and_images_are_not_mixed(tmp_path: Path) -> None:
    write_clip(tmp_path / "x" / "a.wav", np.zeros(8))
    write_image(tmp_path / "x" / "b.png", np.zeros((2, 2, 3), np.uint8))
    message = refusal(tmp_path)
    assert "a.wav" in message
    assert "b.png" in message


@pytest.mark.parametrize(
    ("package", "extra", "file"), [("soundfile", "audio", "a.wav"), ("PIL", "images", "a.png")]
)
def test_a_reader_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, extra: str, file: str
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / file).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        read_labelled_files(tmp_path)
    assert f"pintsize[{extra}]" in str(caught.value)
