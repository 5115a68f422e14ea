from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.errors import DataError, MissingExtra, OutputError, SourceLost, UserError
from pintsize.stream.artifact import load
from pintsize.stream.block import Block
from pintsize.stream.recording import Recorder, Recording, make_key, read_key
from pintsize.stream.run import run
from tests.stream.scripted import Scripted, blocks_of, wave
from tests.stream.test_intake import collect
from tests.stream.test_run import Everything
from tests.stream.tiny_artifact import write_tiny

KEY = bytes(range(32))


def recorded(path: Path, key: bytes = KEY, seconds: float = 1.0) -> Scripted:
    source = Scripted(blocks_of(wave(seconds), start_s=3.5, origin="a.wav"))
    recorder = Recorder(path, key, source)
    for block in source.given:
        recorder.add(block)
    recorder.close()
    return source


def test_a_recording_gives_back_every_block_as_it_was(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r")
    with Recording(tmp_path / "r", KEY) as again:
        blocks = list(again.blocks())
        told = (
            again.name,
            again.rate_hz,
            again.channels,
            again.full_scale,
            again.saturates_at,
            again.lossless,
        )
    assert told == ("script", 100.0, 1, 32768.0, (-32768.0, 32767.0), True)
    for old, new in zip(source.given, blocks, strict=True):
        assert (old.start_s, old.index, old.origin) == (new.start_s, new.index, new.origin)
        assert new.samples.dtype == np.int16
        assert np.array_equal(old.samples, new.samples)


def test_nothing_that_was_recorded_can_be_read_in_the_file(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r")
    content = (tmp_path / "r").read_bytes()
    assert source.given[0].samples.tobytes()[:8] not in content
    assert b"a.wav" not in content
    assert b"start_s" not in content
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o600


def test_the_same_signal_is_never_the_same_file(tmp_path: Path) -> None:
    recorded(tmp_path / "a")
    recorded(tmp_path / "b")
    assert (tmp_path / "a").read_bytes()[21:] != (tmp_path / "b").read_bytes()[21:]


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    recorded(tmp_path / "r")
    with pytest.raises(DataError, match="another key"):
        Recording(tmp_path / "r", bytes(32))


@settings(max_examples=25)
@given(st.floats(0, 1))
def test_a_recording_cut_off_anywhere_gives_what_is_whole_and_says_so(tmp_path: Path, share: float) -> None:
    whole = tmp_path / "whole"
    if not whole.exists():
        recorded(whole)
    content = whole.read_bytes()
    first = 53 + 4 + int.from_bytes(content[53:57], "little")
    cut = tmp_path / "cut"
    cut.write_bytes(content[: first + int(share * (len(content) - first - 1))])
    taken: list[Block] = []
    with Recording(cut, KEY) as source, pytest.raises(SourceLost, match="cut off after") as caught:
        collect(source.blocks(), taken)
    assert [block.index for block in taken] == list(range(len(taken)))
    assert str(caught.value).endswith(f"cut off after {len(taken)} blocks")


def test_a_changed_byte_is_seen(tmp_path: Path) -> None:
    recorded(tmp_path / "r")
    content = bytearray((tmp_path / "r").read_bytes())
    content[-100] ^= 1
    (tmp_path / "r").write_bytes(content)
    with Recording(tmp_path / "r", KEY) as source, pytest.raises(SourceLost, match="was changed after"):
        list(source.blocks())


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"RIFF....WAVE")
    with pytest.raises(DataError, match="no recording"):
        Recording(tmp_path / "r", KEY)
    with pytest.raises(DataError, match="cannot be read"):
        Recording(tmp_path / "none", KEY)


def test_a_key_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert len(read_key(tmp_path / "key")) == 32
    make_key(tmp_path / "other")
    assert read_key(tmp_path / "key") != read_key(tmp_path / "other")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(UserError, match="chmod 600"):
        read_key(tmp_path / "key")


def test_a_key_is_never_overwritten_and_no_other_file_is_one(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with pytest.raises(OutputError, match="exists"):
        make_key(tmp_path / "key")
    (tmp_path / "text").write_text("secret")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(UserError, match="no key file"):
        read_key(tmp_path / "text")
    with pytest.raises(UserError, match="cannot be read"):
        read_key(tmp_path / "none")


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r")
    with pytest.raises(OutputError, match="exists"):
        Recorder(tmp_path / "r", KEY, source)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(MissingExtra, match=r"pintsize\[recording\]"):
        Recorder(tmp_path / "r", KEY, Scripted([]))
    assert not (tmp_path / "r").exists()


def test_a_run_keeps_what_came_and_nothing_when_it_is_not_asked(tmp_path: Path) -> None:
    source = Scripted(blocks_of(wave(1)), lost="unplugged")
    recorder = Recorder(tmp_path / "r", KEY, source)
    artifact = load(write_tiny(tmp_path / "artifact"))
    report = run(source, artifact, Everything(), [], recorder=recorder)
    assert report.run.recording == str(tmp_path / "r")
    with Recording(tmp_path / "r", KEY) as again:
        assert len(list(again.blocks())) == 10
    before = sorted(p.name for p in tmp_path.iterdir())
    assert run(Scripted(blocks_of(wave(1))), artifact, Everything(), []).run.recording is None
    assert sorted(p.name for p in tmp_path.iterdir()) == before


class FillsUp:
    """A file that takes `whole` writes, half of the next, and no more."""

    def __init__(self, file: Any, whole: int) -> None:
        self.file, self.left = file, whole

    def write(self, content: bytes) -> int:
        self.left -= 1
        if self.left < -1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(content if self.left >= 0 else content[:10])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> None:
        """As a file does."""

    def __exit__(self, *_: object) -> None:
        self.file.close()


def test_a_full_disk_ends_the_recording_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, lines = Scripted(blocks_of(wave(1))), list[str]()
    recorder = Recorder(tmp_path / "r", KEY, source)
    monkeypatch.setattr(recorder, "_file", FillsUp(recorder._file, whole=4))
    report = run(
        source, load(write_tiny(tmp_path / "a")), Everything(), [], recorder=recorder, said=lines.append
    )
    assert report.run.steps == 25
    assert "No space left" in str(report.run.recording)
    assert len(lines) == 1
    with Recording(tmp_path / "r", KEY) as again, pytest.raises(SourceLost, match="cut off after 4 blocks"):
        list(again.blocks())
