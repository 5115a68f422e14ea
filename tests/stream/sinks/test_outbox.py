from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.errors import OutputError, SinkError, UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Keeping, Outbox
from pintsize.stream.sinks.journal import Journal


class Moody:
    """Fails as often as it is told to, by one answer for each attempt: True takes it."""

    name = "moody"
    leaves_device = False

    def __init__(self, moods: Sequence[bool] = (), waits: bool = False, after: bool = True) -> None:
        self.waits, self.moods, self.after = waits, list(moods), after
        self.taken: list[int] = []
        self.closed = False

    def send(self, decision: Decision, number: int) -> None:
        if not (self.moods.pop(0) if self.moods else self.after):
            raise SinkError("moody is not in the mood")
        self.taken.append(number)

    def close(self) -> None:
        self.closed = True


def decision(number: int) -> Decision:
    return Decision(float(number), "detected", f"word {number}", 0.5, slots=(("a", "b"),))


QUICK = Keeping(retry_s=0.001, longest_retry_s=0.002, patience_s=5)


@pytest.mark.parametrize("waits", [False, True])
@settings(max_examples=20)
@given(moods=st.lists(st.booleans(), max_size=25))
def test_whatever_the_sink_does_all_arrive_once_and_in_order(waits: bool, moods: list[bool]) -> None:
    sink, time_s = Moody(moods, waits), [0.0]
    outbox = Outbox(sink, QUICK) if waits else Outbox(sink, now=lambda: time_s[0])
    for number in range(50):
        time_s[0] += 60.0
        outbox.put(decision(number))
    delivery = outbox.close()
    assert sink.taken == list(range(50))
    assert (delivery.sent, delivery.waiting, delivery.dropped) == (50, 0, 0)
    assert delivery.failures == moods.count(False)
    assert sink.closed


def test_a_failed_sink_is_tried_again_after_longer_and_longer_waits() -> None:
    sink, time_s, tried = Moody(after=False), [0.0], []
    keeping = Keeping(retry_s=1.0, longest_retry_s=4.0)
    outbox = Outbox(sink, keeping, now=lambda: time_s[0])
    for tenth in range(150):
        time_s[0] = tenth / 10
        before = outbox._failures
        outbox.put(decision(tenth))
        tried += [time_s[0]] * (outbox._failures - before)
    assert tried == [0.0, 1.0, 3.0, 7.0, 11.0]
    sink.after = True
    assert outbox.close().sent == 150


def test_a_sink_that_dies_is_told_once_and_again_when_it_works() -> None:
    lines: list[str] = []
    time_s = [0.0]
    outbox = Outbox(Moody([False, False, True]), Keeping(), lines.append, lambda: time_s[0])
    for number in range(2):
        outbox.put(decision(number))
        time_s[0] += 60
    delivery = outbox.close()
    assert lines == ["moody is not in the mood; its decisions are kept and sent again", "moody: works again"]
    assert delivery.last_failure == "moody is not in the mood"
    assert delivery.sent == 2


def test_what_a_dead_sink_did_not_take_is_sent_by_the_next_run(tmp_path: Path) -> None:
    lines: list[str] = []
    dead = Outbox(Moody(after=False), Keeping(tmp_path, patience_s=0), lines.append)
    for number in range(3):
        dead.put(decision(number))
    delivery = dead.close()
    assert (delivery.waiting, delivery.sent) == (3, 0)
    assert delivery.kept_in == str(tmp_path / "moody.outbox.jsonl")
    assert "3 decisions could not be sent; kept in" in lines[-1]
    assert stat.S_IMODE(os.stat(delivery.kept_in).st_mode) == 0o600

    alive = Moody()
    lines.clear()
    again = Outbox(alive, Keeping(tmp_path), lines.append)
    again.put(decision(9))
    assert again.close().sent == 4
    assert alive.taken == [0, 1, 2, 3], "numbers go on where they were"
    assert lines == ["moody: 3 decisions of an earlier run are still to be sent"]
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_killed_loses_nothing_that_was_put(tmp_path: Path) -> None:
    killed = Journal("sink", tmp_path, 100)
    for number in range(4):
        killed.add(decision(number))
    killed.done(0)
    with open(tmp_path / "sink.outbox.jsonl", "a") as stream:
        stream.write('{"number": 4, "time_s": 4.0, "ki')  # the power went
    after = Journal("sink", tmp_path, 100)
    assert after.waiting == 3
    assert after.first() == (1, decision(1))
    after.close()
    assert killed._stream is not None
    killed._stream.close()


def test_more_than_can_wait_drops_the_oldest_and_says_so(tmp_path: Path) -> None:
    lines: list[str] = []
    outbox = Outbox(Moody(after=False), Keeping(tmp_path, most=5, patience_s=0), lines.append)
    for number in range(20):
        outbox.put(decision(number))
    delivery = outbox.close()
    assert (delivery.waiting, delivery.dropped) == (5, 15)
    assert sum("the oldest is dropped" in line for line in lines) == 1
    kept = Journal("moody", tmp_path, 5)
    assert kept.first() == (15, decision(15))
    kept.close()


def test_the_file_does_not_grow_with_what_was_sent(tmp_path: Path) -> None:
    journal = Journal("sink", tmp_path, 10)
    for number in range(3000):
        journal.add(decision(number))
        journal.done(number)
    assert journal.path is not None
    assert journal.path.stat().st_size < 300_000
    journal.close()
    assert not journal.path.exists()


def test_a_full_disk_keeps_decisions_in_memory_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, sink = list[str](), Moody([False])
    outbox = Outbox(sink, Keeping(tmp_path), lines.append)

    class Full:
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    assert outbox._journal._stream is not None
    outbox._journal._stream.close()
    monkeypatch.setattr(outbox._journal, "_stream", Full())
    outbox.put(decision(0))
    outbox.put(decision(1))
    assert outbox.close().sent == 2
    assert sink.taken == [0, 1]
    assert any("No space left" in line for line in lines)


def test_a_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="outbox"):
        Outbox(Moody(), Keeping(tmp_path / "file"))


def test_put_does_not_wait_for_a_sink_that_hangs() -> None:
    hanging, let_go = Event(), Event()

    class Hangs(Moody):
        def send(self, decision: Decision, number: int) -> None:
            hanging.set()
            let_go.wait(10)
            super().send(decision, number)

    sink = Hangs(waits=True)
    outbox = Outbox(sink, Keeping(retry_s=0.001, patience_s=0.05))
    for number in range(5):
        outbox.put(decision(number))
    assert hanging.wait(10)
    assert sink.taken == []
    delivery = outbox.close()
    assert delivery.waiting == 5
    assert not sink.closed
    let_go.set()
    outbox._thread.join(10)
    assert sink.taken == [0]


def test_figures_that_mean_nothing_are_refused() -> None:
    for wrong in (
        {"retry_s": 0.0},
        {"retry_s": 9.0, "longest_retry_s": 1.0},
        {"patience_s": -1.0},
        {"most": 0},
    ):
        with pytest.raises(UserError, match="outbox"):
            Keeping(**wrong)


def test_a_bug_in_a_sink_s_thread_is_raised_in_the_run() -> None:
    class Buggy(Moody):
        def send(self, decision: Decision, number: int) -> None:
            raise ZeroDivisionError

    outbox = Outbox(Buggy(waits=True), QUICK)
    outbox.put(decision(0))
    with pytest.raises(ZeroDivisionError):
        outbox.close()
