"""What the options common to all applications mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from pintsize.apps.running import Session, write
from pintsize.errors import OutputError, UserError
from pintsize.stream.sinks import JsonLinesSink, MqttSink, Place

PLACE = Place("Watch", "pintsize watch")


@pytest.mark.parametrize(
    ("source", "live"),
    [("microphone", True), ("mqtt://hub/x", True), ("ble:AA:BB", True), ("day.csv", False), (None, False)],
)
def test_what_goes_on_by_itself(source: str | None, live: bool) -> None:
    assert Session(source).live is live
    assert Session(source).options.live is live


def test_offline_unless_asked() -> None:
    assert Session("a.csv").options.offline
    assert not Session("a.csv", online=True).options.offline


def test_only_the_sinks_that_were_asked_for(tmp_path: Path) -> None:
    assert len(Session("a.csv").sinks(PLACE, ())) == 1
    both = Session("a.csv", json_lines=tmp_path / "told", mqtt="mqtt://hub").sinks(PLACE, ())
    assert [type(sink) for sink in both[1:]] == [JsonLinesSink, MqttSink]
    both[1].close()


@pytest.mark.parametrize("half", [{"keep": Path("kept")}, {"key": Path("key")}])
def test_a_recording_needs_its_key(half: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="--keep needs --key"):
        Session("a.csv", **half)  # pyright: ignore[reportArgumentType]


def test_a_run_needs_a_source() -> None:
    def never(*_: object) -> object:
        raise AssertionError("nothing is opened")

    with pytest.raises(UserError, match="--source is missing"):
        Session(None).run(never, never)  # pyright: ignore[reportArgumentType]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write(tmp_path / "no" / "such" / "folder" / "f", "text")
