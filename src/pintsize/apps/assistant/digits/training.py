"""Trains the spoken digits and writes the folder that ships.

    python -m pintsize.apps.assistant.digits.training DATA --seed 0     # the shipped weights
    python -m pintsize.apps.assistant.digits.training DATA --leave-out george     # how well an unheard speaker is heard

Whatever is chosen is chosen with one training speaker left out; the speaker of the split "val" is the test alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pintsize.apps.assistant.digits.card import card_of
from pintsize.apps.assistant.digits.digits import LABELS, WEIGHTS, Digits
from pintsize.apps.assistant.digits.evaluation import FOLDER, WAKE_FOLDER, evaluate, of_clips
from pintsize.apps.assistant.phrases.classifier import OTHER
from pintsize.apps.assistant.phrases.features import Features
from pintsize.apps.assistant.phrases.learning import Watch
from pintsize.apps.assistant.phrases.material import Examples, pieces_of, said
from pintsize.apps.assistant.phrases.training import (
    Effort,
    add_others,
    add_phrases,
    learnt_of,
    shipped,
)
from pintsize.apps.assistant.phrases.window import Clip
from pintsize.apps.shipping import CARD
from pintsize.apps.sounds import Labelled, can_speak, labelled_clips
from pintsize.apps.training_line import training_line
from pintsize.errors import DataError
from pintsize.folder import write_file

ORDERS_FOLDER = "spoken_orders_picovoice"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: of all draws: recorded digits, synthesized ones, what is no digit
RECORDED, SYNTHESIZED, NO_DIGIT = 0.5, 0.38, 0.12
VOICES_A_DIGIT = 150
#: of orders, to tell how readily `other` may be said
PIECES = 400
#: takes of the training speakers whose number is divisible by this are held back, to calibrate
HELD_TAKE = 12


def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None,
    leave_out: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """From the folder of data sets to a folder that ships; gives its figures. The same seed, the same bytes.

    leave_out: a training speaker whose clips nothing learns from. Raises DataError where the data is not there.
    """
    features = Features()
    clips = [
        c for c in labelled_clips(data / FOLDER) if c.split == "train" and c.about["speaker"] != leave_out
    ]
    held = [c for c in clips if int(c.about["index"]) % HELD_TAKE == 0]
    kept = [c for c in clips if int(c.about["index"]) % HELD_TAKE]
    random = np.random.default_rng(seed)
    examples = Examples([], [], [])
    add_phrases(examples, kept, LABELS, RECORDED, features, random)
    if can_speak():
        texts = [word for word in WORDS for _ in range(VOICES_A_DIGIT)]
        examples.add(said(texts, random), [WORDS.index(t) for t in texts], SYNTHESIZED, features)
    add_others(examples, [c.clip for c in _other_speech(data)], len(LABELS), NO_DIGIT, features, random)
    learnt = learnt_of(examples, held, (*LABELS, OTHER), features, seed, watch, effort or Effort())
    card = card_of({}, learnt.figures, seed, can_speak())
    return shipped(learnt, [c.clip for c in kept], out, "digits", card, _unheard_speech(data, seed))


def unheard(data: Path, speaker: str, seed: int = 0, watch: Watch = print) -> dict[str, float]:
    """How well integers trained without this training speaker hear it."""
    with TemporaryDirectory() as folder:
        train(data, Path(folder) / "digits", seed=seed, watch=watch, leave_out=speaker)
        clips = [c for c in labelled_clips(data / FOLDER) if c.about["speaker"] == speaker]
        return of_clips(Digits.load(Path(folder) / "digits"), clips)


def _other_speech(data: Path) -> list[Labelled]:
    """Words that are no digits; none where their data is not there."""
    try:
        return [c for c in labelled_clips(data / WAKE_FOLDER) if c.split == "train"]
    except DataError:
        return []


def _unheard_speech(data: Path, seed: int) -> list[Clip]:
    """Pieces of orders, which training does not hear; none where their data is not there."""
    try:
        orders = [c.clip for c in labelled_clips(data / ORDERS_FOLDER, "intent")]
    except DataError:
        return []
    return pieces_of(orders, PIECES, np.random.default_rng(seed))


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the spoken digits that ship.", WEIGHTS)
    parser.add_argument(
        "--leave-out", help="a training speaker: tells how well it is heard, and writes nothing"
    )
    options = parser.parse_args(given)
    if options.leave_out:
        print(unheard(options.data, options.leave_out, options.seed))
        return
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    write_file(options.out / CARD, card_of(found, figures, options.seed, can_speak()).encode())
    print({**figures, **found})


if __name__ == "__main__":
    main()
