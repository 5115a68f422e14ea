from __future__ import annotations

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pintsize.errors import OfflineRefusal, OutputError, SinkError, UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import (
    CallbackSink,
    ConsoleSink,
    JsonLinesSink,
    Outbox,
    SpokenSink,
    can_speak,
    refuse_leaving,
)

ORDER = Decision(12.345, "order", "orderDrink", 0.973, start_s=11.0, slots=(("size", "[bold]large[/bold]"),))
LOST = Decision(13.0, "lost", None, reason="0.4 s are missing")


def test_the_console_shows_values_slots_and_reasons_and_takes_no_markup() -> None:
    out = io.StringIO()
    sink = ConsoleSink(Console(file=out, width=40))
    for number, decision in enumerate((ORDER, LOST, Decision(14.0, "measured", 71.5))):
        sink.send(decision, number)
    assert out.getvalue().splitlines() == [
        "    12.35 s  order         orderDrink  size=[bold]large[/bold]  97 %",
        "    13.00 s  lost          none  (0.4 s are missing)",
        "    14.00 s  measured      71.5",
    ]


def test_a_console_that_is_gone_is_a_sink_s_failure() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(SinkError, match="Broken pipe"):
        ConsoleSink(Console(file=Gone())).send(ORDER, 0)


def test_json_lines_are_whole_and_hold_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sink = JsonLinesSink(tmp_path / "out.jsonl")
    for number, decision in enumerate((ORDER, LOST)):
        sink.send(decision, number)
        JsonLinesSink().send(decision, number)
    sink.close()
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"time_s": 12.345, "kind": "order", "value": "orderDrink", "confidence": 0.973, "start_s": 11.0,
         "slots": {"size": "[bold]large[/bold]"}},
        {"time_s": 13.0, "kind": "lost", "value": None, "reason": "0.4 s are missing"},
    ]  # fmt: skip
    assert capsys.readouterr().out.splitlines() == lines


def test_a_line_that_a_full_disk_cut_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = JsonLinesSink(tmp_path / "out.jsonl")
    file: Any = sink._file

    class Full:
        room = 60

        def write(self, content: bytes) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            taken, self.room = content[: self.room], max(0, self.room - len(content))
            return file.write(taken)

        def close(self) -> None:
            file.close()

    full = Full()
    monkeypatch.setattr(sink, "_file", full)
    outbox = Outbox(sink)
    outbox.put(ORDER)
    outbox.put(LOST)
    assert outbox._journal.waiting == 2
    full.room = 10_000
    delivery = outbox.close()
    assert (delivery.sent, delivery.waiting) == (2, 0)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["order", "lost"]


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        JsonLinesSink(tmp_path / "none" / "out.jsonl")


def test_a_callback_that_raises_gets_the_decision_again() -> None:
    heard: list[Decision] = []

    def moody(decision: Decision) -> None:
        heard.append(decision)
        if len(heard) < 2:
            raise KeyError("lamp")

    outbox = Outbox(CallbackSink(moody, "lamp"))
    outbox.put(ORDER)
    delivery = outbox.close()
    assert heard == [ORDER, ORDER]
    assert (delivery.sent, delivery.waiting, delivery.failures) == (1, 0, 1)
    assert "lamp failed: KeyError" in str(delivery.last_failure)


def speaker(folder: Path, script: str) -> str:
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_reply_is_spoken_and_what_has_none_is_not(tmp_path: Path) -> None:
    program = speaker(tmp_path, f'echo "$@" >> {tmp_path}/log; cat >> {tmp_path}/log; echo >> {tmp_path}/log')
    sink = SpokenSink(
        lambda d: None if d.value is None else f"--made {d.value}; rm -rf", "de", ("-s", "150"), program
    )
    sink.send(ORDER, 0)
    sink.send(LOST, 1)
    assert (tmp_path / "log").read_text().splitlines() == [
        "-v de -s 150 --stdin",
        "--made orderDrink; rm -rf",
    ]


def test_a_speaker_that_fails_is_a_sink_s_failure(tmp_path: Path) -> None:
    sink = SpokenSink(lambda d: "hello", program=speaker(tmp_path, "echo no sound card >&2; exit 3"))
    with pytest.raises(SinkError, match="status 3: no sound card"):
        sink.send(ORDER, 0)


def test_without_a_speaker_it_says_how_to_get_one() -> None:
    with pytest.raises(UserError, match="apt install espeak-ng"):
        SpokenSink(lambda d: "hello", program="no-such-program")
    assert not can_speak("no-such-program")


def test_espeak_ng_itself_speaks_where_it_is_installed(tmp_path: Path) -> None:
    if not can_speak():
        pytest.skip("espeak-ng is not installed (apt install espeak-ng)")
    wav = tmp_path / "spoken.wav"
    SpokenSink(lambda d: f"one {d.value}", arguments=("-w", str(wav))).send(ORDER, 0)
    assert wav.read_bytes()[:4] == b"RIFF"
    assert wav.stat().st_size > 10_000


def test_only_sinks_that_stay_on_the_device_pass_offline() -> None:
    here, away = CallbackSink(print), CallbackSink(print, "cloud", leaves_device=True)
    refuse_leaving([here, ConsoleSink(), JsonLinesSink()])
    refuse_leaving([here, away], offline=False)
    with pytest.raises(OfflineRefusal, match="cloud would leave this device, and offline is the default"):
        refuse_leaving([here, away])
