"""What a user types, and what the user asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError, SourceLost
from pintsize.stream.health import monitor_of
from pintsize.stream.sources import SourceOptions, open_source
from tests.stream.files import write_wav


def length(path: Path, options: SourceOptions) -> int:
    with open_source(str(path), options) as source:
        return sum(len(block.samples) for block in source.blocks())


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
def test_another_rate_is_converted_or_refused(tmp_path: Path, rate_hz: int) -> None:
    write_wav(tmp_path / "clip.wav", 0.5, rate_hz, channels=2)
    options = SourceOptions(rate_hz=16000.0, channels="mean", scale="int16")
    with open_source(str(tmp_path / "clip.wav"), options) as source:
        blocks = list(source.blocks())
    assert (source.rate_hz, source.channels, source.full_scale) == (16000.0, 1, 32768.0)
    assert sum(len(block.samples) for block in blocks) == 8000
    assert {block.samples.dtype for block in blocks} == {np.dtype(np.int16)}
    if rate_hz != 16000:
        with pytest.raises(DataError, match=f"{rate_hz} Hz and 16000 Hz is needed"):
            open_source(str(tmp_path / "clip.wav"), SourceOptions(rate_hz=16000.0, convert=False))


def test_a_clip_shorter_than_a_block(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", 0.001, 16000)
    assert length(tmp_path / "clip.wav", SourceOptions()) == 16
    assert length(tmp_path / "clip.wav", SourceOptions(rate_hz=8000.0)) == 8


def test_a_rate_that_contradicts_the_file(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", 0.1, 16000)
    with pytest.raises(DataError, match="not at 8000 Hz as was said"):
        open_source(str(tmp_path / "clip.wav"), SourceOptions(source_rate_hz=8000.0))


def test_channels_by_number(tmp_path: Path) -> None:
    samples = write_wav(tmp_path / "clip.wav", 0.1, 8000, channels=3)
    with open_source(str(tmp_path / "clip.wav"), SourceOptions(channels=(2, 0))) as source:
        assert np.array_equal(
            np.concatenate([block.samples for block in source.blocks()]), samples[:, [2, 0]]
        )
    with pytest.raises(DataError, match="no channel 3; it has 0, 1, 2"):
        open_source(str(tmp_path / "clip.wav"), SourceOptions(channels=(3,)))


@pytest.mark.parametrize(
    "name", ["gestört – 日本.wav", "with space & 'quotes'#1.wav", "-.wav", "microphone.wav", "a:b.wav"]
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    write_wav(tmp_path / name, 0.1, 8000)
    assert length(tmp_path / name, SourceOptions()) == 800


def test_a_name_that_is_no_text_can_still_be_told(tmp_path: Path) -> None:
    name = b"caf\xe9\n.wav".decode("utf-8", "surrogateescape")
    try:
        (tmp_path / name).write_bytes(b"nothing")
    except OSError:
        pytest.skip("this file system takes no such names")
    with pytest.raises(DataError) as refused:
        open_source(str(tmp_path / name))
    assert str(refused.value).encode("utf-8").isascii()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing.wav", "is not there"),
        ("", "is not|no clips"),
        ("ble:AA:BB", "is not an address"),
        ("rtsp://camera/1", "rtsp:// is not a kind of source"),
        ("mqtt://", "mqtt://host/topic"),
        ("mqtt://host/topic", "rate_hz=50"),
        ("mqtt://host/topic?speed=1", "speed is not known"),
        ("mqtt://host/topic?rate_hz=fast", "above 0"),
        ("-", "type @ rate"),
        ("-:int24@16000", "is not understood"),
        ("nul\0byte.wav", "cannot be opened|is not there"),
    ],
)
def test_what_is_no_source(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=said):
        open_source(text)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "letter.odt").write_bytes(b"text")
    with pytest.raises(DataError, match=r"end in \.odt are not read; read are .*\.wav"):
        open_source(str(tmp_path / "letter.odt"))


@pytest.mark.parametrize(
    "wrong",
    [{"rate_hz": -1.0}, {"block_s": 0.0}, {"format": "int24"}, {"raw_channels": 0}, {"channels": ()},
     {"channels": "left"}, {"scale": "loud"}, {"full_scale": float("nan")}],
)  # fmt: skip
def test_options_that_mean_nothing(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError):
        SourceOptions(**wrong)  # type: ignore[arg-type]


class TestFolder:
    def test_clips_in_order_with_a_pause_between(self, tmp_path: Path) -> None:
        for name in ("b/2.wav", "a/1.wav", "a/10.wav"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_wav(tmp_path / name, 0.15, 8000)
        (tmp_path / "README.md").write_text("not a clip")
        (tmp_path / "a" / "._1.wav").write_bytes(b"what a computer left behind")
        with open_source(str(tmp_path)) as source:
            monitor = monitor_of(source)
            blocks = list(source.blocks())
        assert [block.origin for block in blocks[::2]] == ["a/1.wav", "a/10.wav", "b/2.wav"]
        assert [round(block.start_s, 6) for block in blocks[::2]] == [0.0, 1.15, 2.3]
        assert [block.gap_before_s for block in blocks] == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]
        assert [block.index for block in blocks] == list(range(6))
        health = [monitor.see(block) for block in blocks]
        assert [judgement.reset for judgement in health] == [False, False, True, False, True, False]
        assert all(judgement.ok for judgement in health)

    def test_an_empty_folder_and_one_without_clips(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("nothing to hear")
        with pytest.raises(DataError, match="no clips in it; clips end in"):
            open_source(str(tmp_path))

    def test_clips_that_are_not_alike(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "a.wav", 0.1, 8000)
        write_wav(tmp_path / "b.wav", 0.1, 44100, channels=2)
        with pytest.raises(DataError, match=r"b\.wav is 44100 Hz, 2 channels.*say rate_hz"):
            open_source(str(tmp_path))
        assert length(tmp_path, SourceOptions(rate_hz=16000.0, channels="mean", scale="real")) == 3200

    def test_a_clip_that_is_cut_short_does_not_stop_the_others(self, tmp_path: Path) -> None:
        for name in ("a.wav", "b.wav"):
            write_wav(tmp_path / name, 0.1, 8000)
        whole = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "a.wav").write_bytes(whole[:-100])
        with open_source(str(tmp_path)) as source:
            blocks = source.blocks()
            assert len(next(blocks).samples) == 750
            assert next(blocks).origin == "b.wav"
            with pytest.raises(SourceLost, match=r"1 of 2 clips broke off: .*a\.wav is cut short"):
                next(blocks)

    def test_a_clip_that_is_none(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "a.wav", 0.1, 8000)
        (tmp_path / "b.wav").write_bytes(b"not sound")
        with pytest.raises(DataError, match=r"b\.wav is not a WAV"):
            open_source(str(tmp_path))
