"""The whole assistant on sounds whose words are tones: what it says, when, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from pintsize.apps import APPS, application
from pintsize.apps.application import RunOptions
from pintsize.apps.assistant.application import APPLICATION
from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.pieces import Pieces
from pintsize.apps.assistant.understood import Heard, Understood
from pintsize.errors import DataError, OfflineRefusal, UserError
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.faults import FAULTS
from pintsize.stream.faulty import Faulty
from pintsize.stream.sinks import Broker, CallbackSink, JsonLinesSink, MqttSink, Place
from pintsize.stream.sources import open_source
from tests.apps.assistant.playing import Sound, played
from tests.apps.assistant.tones import room, said, tone

#: two requests, then one that is nothing
SESSION = (1.0, "computer", 0.4, "digit", 1.5, "lamp", 0.5, "order", 1.5)
UNDERSTOOD = [
    ("detected", "computer"), ("digit", "seven"), ("detected", "lamp"), ("order", "orderDrink"),
    ("action", "coffee.make"),
]  # fmt: skip


def test_a_wake_word_then_a_phrase_becomes_a_digit_or_an_order(tones: Pieces) -> None:
    done = played(Sound(said(*SESSION)), tones)
    assert done.told == UNDERSTOOD
    order = done.of("order")[0]
    assert order.slots == (("coffeeDrink", "latte"), ("size", "small"))
    assert (order.confidence, order.start_s) == (0.8, pytest.approx(4.62, abs=0.05))
    run = done.report.run.run
    assert (run.dropped_samples, run.skipped_steps, run.faults) == (0, 0, {})
    assert [(s.name, s.runs) for s in done.report.stages] == [("digits", 2), ("orders", 2)]


def test_a_word_is_told_within_a_tenth_of_a_second_of_its_end(tones: Pieces) -> None:
    told = played(Sound(said(1.0, "computer", 2.0)), tones).of("detected")[0]
    assert 1.0 < told.time_s < 1.0 + 0.4 + 0.1


def test_without_a_wake_word_nothing_is_listened_to(tones: Pieces) -> None:
    assert played(Sound(said(1.0, "digit", 1.0, "order", 2.0)), tones).heard == ()


def test_every_phrase_is_listened_to_where_no_word_is_wanted(tones: Pieces) -> None:
    done = played(Sound(said("digit", 1.0, "order", 0.3)), tones, Listening(always=True))
    assert done.told == [("digit", "seven"), *UNDERSTOOD[3:]]


def test_silence_after_the_word_is_unknown_with_the_reason(tones: Pieces) -> None:
    (_, unknown) = played(Sound(said(1.0, "computer", 7.0)), tones).heard
    assert (unknown.kind, unknown.value) == ("unknown", None)
    assert unknown.reason == "nothing was said within 5 s"
    assert unknown.time_s == pytest.approx((unknown.start_s or 0) + 5.0, abs=0.03)


def test_what_no_piece_knows_is_unknown_with_their_reasons(tones: Pieces) -> None:
    unknown = played(Sound(said(1.0, "computer", 0.4, "lamp", 1.5)), tones).heard[-1]
    assert (unknown.kind, unknown.value, unknown.reason) == ("unknown", None, "no digit; no order")


def test_a_phrase_that_does_not_end_is_not_acted_on(tones: Pieces) -> None:
    endless = ("order", 0.1) * 25
    done = played(Sound(said(1.0, "computer", 0.4, *endless, 1.0)), tones)
    assert done.told == [("detected", "computer"), ("unknown", None)]
    assert "timeout: 8 s" in (done.heard[-1].reason or "")
    assert [s.runs for s in done.report.stages] == [0, 0]


def test_a_room_that_gets_louder_after_the_word_does_not_keep_the_phrase_open(tones: Pieces) -> None:
    """The word's own clip is quieter than the room: what follows ends with the pause, not with the timeout."""
    sound = said(1.0, "computer", 0.5, "order", 6.0)
    noisy = sound + louder_room(len(sound), from_s=1.4)
    done = played(Sound(noisy), tones)
    assert done.told == [("detected", "computer"), *UNDERSTOOD[3:]]
    assert done.of("order")[0].time_s < 1.4 + 0.5 + 0.4 + 2.5


def test_noise_that_comes_up_after_the_word_is_the_room_and_no_phrase(tones: Pieces) -> None:
    sound = said(1.0, "computer", 3.0, "order", 2.0)
    done = played(Sound(sound + louder_room(len(sound), from_s=1.6)), tones)
    assert done.told == [("detected", "computer"), *UNDERSTOOD[3:]]
    assert done.of("order")[0].start_s == pytest.approx(4.4, abs=0.1)


def test_a_long_order_with_short_pauses_is_not_cut(tones: Pieces) -> None:
    done = played(Sound(said(1.0, "computer", 0.5, *("order", 0.15, "order", 0.5) * 5, 1.5)), tones)
    assert done.told == [("detected", "computer"), *UNDERSTOOD[3:]]
    order = done.of("order")[0]
    assert order.time_s - (order.start_s or 0.0) > 5 * (0.8 + 0.65)


def louder_room(samples: int, from_s: float, level: int = 500) -> NDArray[np.int16]:
    """(samples,): nothing, then a noise that stays."""
    noise = room(samples / 16_000, seed=1, level=level)[:samples]
    noise[: round(from_s * 16_000)] = 0
    return noise


def test_a_click_is_no_phrase(tones: Pieces) -> None:
    sound = said(1.0, "computer", 0.5, 0.9, "order", 1.5)
    sound[round(1.7 * 16_000) : round(1.7 * 16_000) + 200] += tone("digit")[:200]
    assert played(Sound(sound), tones).told == [("detected", "computer"), *UNDERSTOOD[3:]]


def test_the_end_of_a_clip_ends_its_phrase(tones: Pieces) -> None:
    assert played(Sound(said(1.0, "computer", 0.4, "order")), tones).told[1:] == UNDERSTOOD[3:]


def test_a_replay_is_the_same_byte_for_byte(tones: Pieces, tmp_path: Path) -> None:
    made: list[tuple[bytes, str]] = []
    for name in ("first", "second"):
        sink = JsonLinesSink(tmp_path / name)
        report = APPLICATION.run(Sound(said(*SESSION)), [sink], RunOptions(), tones)
        made.append(((tmp_path / name).read_bytes(), report.as_json(wall_clock=False)))
    assert made[0] == made[1]
    assert made[0][0].count(b"\n") == len(UNDERSTOOD)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_stated_and_nothing_stale_is_said(fault: str, tones: Pieces) -> None:
    """The same session again and again, so that some of it lies within the fault and some after it."""
    done = played(Faulty(Sound(said(*SESSION * 5)), (fault,), seed=3), tones)
    assert done.report.run.run.faults, f"{fault} was not seen"
    reasons = [d.reason for d in done.of("health") if d.value is None]
    assert reasons
    assert all(reasons)
    assert all(d.reason for d in done.heard if d.value is None)
    assert done.of("digit") or done.of("order"), "it recovered"
    assert_no_answer_spans_a_fault(done.heard)


def assert_no_answer_spans_a_fault(heard: tuple[Decision, ...]) -> None:
    """An answer's phrase began after the last thing that was wrong, in the order in which it was told."""
    broken_s: float | None = None
    for decision in heard:
        if decision.kind == "health" and decision.value is None:
            broken_s = decision.time_s
        if decision.kind in ("digit", "order") and broken_s is not None and decision.start_s is not None:
            spans = decision.start_s < broken_s <= decision.time_s
            assert not spans, f"{decision} spans what was wrong at {broken_s}"


class Interrupted(Sound):
    """3 s are missing before the 20th block."""

    def blocks(self) -> Iterator[Block]:
        for block in super().blocks():
            gap_s = 3.0 if block.index == 20 else 0.0
            yield replace(
                block, start_s=block.start_s + (3.0 if block.index >= 20 else 0.0), gap_before_s=gap_s
            )


def test_a_phrase_that_a_gap_breaks_is_lost_and_not_guessed(tones: Pieces) -> None:
    done = played(Interrupted(said(1.0, "computer", 0.4, "order", "order", 1.5)), tones)
    assert [d.kind for d in done.heard if d.kind != "health"] == ["detected", "lost"]
    assert "missing" in (done.of("lost")[0].reason or "")


def test_a_microphone_that_is_unplugged_loses_what_was_open_and_says_so(tones: Pieces) -> None:
    done = played(Sound(said(1.0, "computer", 0.4, "order"), lost="the microphone is gone"), tones)
    assert [d.kind for d in done.heard] == ["detected", "lost", "health"]
    assert all("the microphone is gone" in (d.reason or "") for d in done.heard[1:])
    assert "the microphone is gone" in done.report.run.run.ended


@pytest.mark.parametrize(("up", "down"), [(1, 2), (3, 1), (441, 160)], ids=["8 kHz", "48 kHz", "44.1 kHz"])
def test_another_rate_is_converted(up: int, down: int, tones: Pieces) -> None:
    given = said(*SESSION).astype(np.float64)
    sound = np.clip(resample_poly(given, up, down), -32768, 32767).astype(np.int16)
    # at 8 kHz the order's tone lies at the very edge of what such a recording holds
    wanted = UNDERSTOOD if up > down else UNDERSTOOD[:3]
    assert played(Sound(sound, 16_000 * up / down), tones).told[: len(wanted)] == wanted


def test_two_channels_and_real_numbers_are_heard_as_one_int16_channel_is(tones: Pieces) -> None:
    sound = said(*SESSION)
    stereo = np.stack([sound, sound], axis=1)
    real = (sound / 32768.0).astype(np.float32)
    assert played(Sound(stereo), tones).told == UNDERSTOOD
    assert played(Sound(real), tones).told == UNDERSTOOD


def test_clipped_sound_is_not_decided_on(tones: Pieces) -> None:
    sound = np.clip(said(*SESSION).astype(np.float64) * 50, -32768, 32767).astype(np.int16)
    done = played(Sound(sound), tones)
    assert done.report.run.run.faults["clip"]
    assert not done.of("order")


def test_silence_and_a_clip_shorter_than_a_step_say_nothing_wrong(tones: Pieces) -> None:
    silent = played(Sound(np.zeros(48_000, np.int16)), tones)
    assert [d.kind for d in silent.heard] == ["health"]
    assert "flat line" in (silent.heard[0].reason or "")
    short = played(Sound(said(0.01)), tones)
    assert (short.heard, short.report.run.run.steps) == ((), 0)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no clips in it"):
        open_source(str(tmp_path))


def test_offline_is_the_default(tones: Pieces) -> None:
    sink = MqttSink(Broker("localhost"), Place("test"))
    with pytest.raises(OfflineRefusal, match="--online"):
        APPLICATION.run(Sound(said(1.0)), [sink], RunOptions(), tones)


def test_a_wake_word_that_takes_windows_is_refused(tones: Pieces) -> None:
    halved = replace(tones, wake=replace(tones.wake, hop_samples=160))  # type: ignore[type-var]
    with pytest.raises(UserError, match="artifact of steps"):
        played(Sound(said(1.0)), halved)


class Texts:
    def understand(self, text: str) -> Understood:
        return (
            Understood("light_on", (), 0.9) if "light" in text else Understood(None, (), 0.4, "out of scope")
        )


def test_typed_text_goes_the_same_way() -> None:
    heard: list[Decision] = []
    for text in ("turn on the lights", "what is love"):
        APPLICATION.understand(text, [CallbackSink(heard.append)], piece=Texts())
    assert [(d.kind, d.value, d.reason) for d in heard] == [
        ("order", "light_on", None),
        ("unknown", None, "out of scope"),
    ]
    with pytest.raises(UserError, match="empty"):
        APPLICATION.understand("  ", [], piece=Texts())


def test_answers_are_honest_when_built() -> None:
    with pytest.raises(ValueError, match="reason"):
        Heard(None, 0.1)
    with pytest.raises(ValueError, match="twice"):
        Understood("order", (("size", "small"), ("size", "large")), 0.9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Heard("one", 1.5)


def test_applications_are_found_by_name() -> None:
    assert application("assistant").name == "assistant"
    with pytest.raises(UserError, match=f"there are {', '.join(APPS)}"):
        application("toaster")
