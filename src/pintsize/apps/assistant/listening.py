"""From wake words and samples to decisions: a word wakes it, the phrase after it is understood, or it says why not.

idle → (a wake word) → waiting → (a sound stands out of the room) → speaking → (a pause) → idle, with a decision

What was said is never guessed from half of it: a phrase that a fault breaks is "lost", one that runs into the timeout
is "unknown", both with the reason. The time is the source's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.actions import with_action
from pintsize.apps.assistant.loudness import ONE_BITS, Loudness
from pintsize.apps.assistant.phrase import Phrase
from pintsize.apps.assistant.pieces import RATE_HZ, WakePiece
from pintsize.apps.assistant.reading import PhraseReader
from pintsize.apps.chances import Chances
from pintsize.errors import UserError
from pintsize.stream.decision import Decision, Detector, Endpointer, Endpointing
from pintsize.stream.decision.stage import AT_THE_END, passed
from pintsize.stream.framing import Frame

#: what a phrase that was broken off is called
PHRASE = "phrase"


@dataclass(frozen=True)
class Listening:
    """phrases: scores are `Loudness`, 1.0 is 3 dB above the room; wait_s: from the wake word to the first sound.

    tail_s: the wake word's own end is no phrase: until a first dip, for so long at most
    before_s: kept from before the sound stood out; overlap_s: of it, from before the wake word was over
    pause_s: kept of the pause that ended it
    always: every phrase is listened to, no word is needed
    """

    phrases: Endpointing = field(
        default_factory=lambda: Endpointing(on=2.5, off=1.5, silence_s=0.7, least_s=0.15, longest_s=8.0)
    )
    wait_s: float = 5.0
    tail_s: float = 0.3
    before_s: float = 0.2
    overlap_s: float = 0.1
    pause_s: float = 0.2
    always: bool = False

    def __post_init__(self) -> None:
        kept = 0 <= self.overlap_s <= self.before_s and 0 <= self.pause_s <= self.phrases.silence_s
        if not (self.wait_s > 0 and self.tail_s >= 0 and kept):
            raise UserError(
                f"listening: wait_s {self.wait_s}, tail_s {self.tail_s}, overlap_s {self.overlap_s}, before_s "
                f"{self.before_s}, pause_s {self.pause_s}: wait_s above 0, tail_s not below, 0 ≤ overlap_s ≤ before_s, "
                "0 ≤ pause_s ≤ silence_s"
            )


class Assistant:
    """The decider of a run: told the wake word's outputs and the samples of every step."""

    def __init__(self, wake: WakePiece, reader: PhraseReader, rule: Listening | None = None) -> None:
        self.rule = rule or Listening()
        self._chances = Chances(wake.artifact.output, wake.artifact.manifest.calibration)
        silent = [label for label in wake.labels if label not in wake.words]
        self._detector = Detector(wake.labels, wake.detection, silent)
        self._endpointer = Endpointer(self.rule.phrases, PHRASE)
        self._loudness = Loudness(wake.hop_samples, RATE_HZ, quiet=self.rule.always)
        self._reader = reader
        self._phrase = Phrase(round(self.rule.before_s * RATE_HZ))
        self._frame: Frame | None = None
        self._woken_s: float | None = None
        self._in_tail = False

    @property
    def waiting(self) -> bool:
        """Whether the next sound begins a phrase."""
        return self.rule.always or self._woken_s is not None

    def hear(self, frame: Frame, fit: bool) -> None:
        self._frame = frame if fit else None

    def update(self, time_s: float, value: NDArray[np.float32] | None) -> Sequence[Decision]:
        """value: the wake word's outputs, None where the signal is not fit: what was open is then lost."""
        frame, self._frame = self._frame, None
        if value is None or frame is None:
            self._detector.update(time_s, None)
            return self._lose("no valid signal", time_s)
        told = self._detector.update(time_s, self._chances.of(value))
        open_before = not self._endpointer.idle
        score = self._loudness.see(frame.samples, open_before) / (1 << ONE_BITS)
        self._phrase.add(frame.samples)
        if told is not None and not open_before and not self.rule.always:
            self._wake(time_s)
            return [told]
        return self._follow(time_s, score)

    def reset(self, reason: str) -> Sequence[Decision]:
        """The signal breaks: nothing that was begun before it goes on after it."""
        self._detector.reset(reason)
        self._loudness.reset()
        lost = self._lose(reason)
        self._phrase.clear()
        self._endpointer = Endpointer(self.rule.phrases, PHRASE)  # the clock may begin anew
        return lost

    def finish(self, time_s: float) -> Sequence[Decision]:
        """The end of a clip ends the phrase in it as a pause does."""
        self._detector.finish(time_s)
        ended = self._endpointer.finish(time_s)
        if ended is not None and ended.kind == "ended" and not self._was_the_room():
            told = self._read(ended, 0.0)
        else:
            told = self._unheard(time_s, ended.reason if ended and ended.reason else AT_THE_END)
        self._loudness.reset()
        self._phrase.clear()
        return told

    def _wake(self, time_s: float) -> None:
        """A word that comes again while nothing was said yet begins the wait anew."""
        self._woken_s, self._in_tail = time_s, True
        self._endpointer.reset("")

    def _follow(self, time_s: float, score: float) -> Sequence[Decision]:
        if not self.waiting or self._still_in_tail(time_s, score):
            return ()
        told = self._endpointer.update(time_s, score)
        if told is None:
            return self._wait(time_s)
        if told.kind == "began":
            self._phrase.begin()
            return ()
        if told.kind == "discarded" or self._was_the_room():  # a click, a fan: what is meant may still come
            self._phrase.drop()
            return self._wait(time_s)
        if told.reason is not None:  # the timeout: it went on, so half of it is all that there is
            return self._unheard(time_s, told.reason, told.start_s)
        return self._read(told, self.rule.phrases.silence_s - self.rule.pause_s)

    def _was_the_room(self) -> bool:
        """Whether nothing of the phrase stands out of what the room turned out to be."""
        return self._loudness.loudest < self.rule.phrases.on * (1 << ONE_BITS)

    def _still_in_tail(self, time_s: float, score: float) -> bool:
        """Whether what sounds is still the wake word."""
        if not self._in_tail:
            return False
        over = passed(self.rule.tail_s, self._woken_s or 0.0, time_s)
        self._in_tail = score >= self.rule.phrases.off and not over
        if not self._in_tail:
            self._phrase.keep_last(round(self.rule.overlap_s * RATE_HZ))
        return self._in_tail

    def _wait(self, time_s: float) -> Sequence[Decision]:
        since_s = self._woken_s if self._endpointer.idle else None
        if since_s is None or not passed(self.rule.wait_s, since_s, time_s):
            return ()
        return self._unheard(time_s, f"nothing was said within {self.rule.wait_s:g} s")

    def _read(self, ended: Decision, cut_s: float) -> Sequence[Decision]:
        """A phrase is over. cut_s: of the pause behind it."""
        self._woken_s, self._in_tail = None, False
        samples = self._phrase.end(round(cut_s * RATE_HZ))
        return with_action(self._reader.read(samples, ended.time_s, ended.start_s))

    def _lose(self, reason: str, time_s: float | None = None) -> Sequence[Decision]:
        lost = self._endpointer.reset(reason)
        woken_s, self._woken_s, self._in_tail = self._woken_s, None, False
        self._phrase.clear()
        if lost is not None:
            return [lost if time_s is None else replace(lost, time_s=time_s)]
        if woken_s is None:
            return ()
        at_s = woken_s if time_s is None else time_s
        return [Decision(at_s, "lost", None, reason=f"{PHRASE}: {reason}", start_s=woken_s)]

    def _unheard(self, time_s: float, reason: str, start_s: float | None = None) -> Sequence[Decision]:
        """start_s: of a phrase that was no whole one; None: there was none."""
        woken_s, self._woken_s, self._in_tail = self._woken_s, None, False
        self._phrase.drop()
        since_s = woken_s if start_s is None else start_s
        return () if since_s is None else [Decision(time_s, "unknown", None, reason=reason, start_s=since_s)]
