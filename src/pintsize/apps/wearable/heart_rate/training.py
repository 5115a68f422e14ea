"""Writes the heart rate's shipped folders. The filters are designed and the rule is code.

How sure a rate is, is counted on what the rule was chosen on.

    python -m pintsize.apps.wearable.heart_rate.training DATA
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pintsize import Graph, frontend
from pintsize.apps.shipping import CARD, ship
from pintsize.apps.training_line import training_line
from pintsize.apps.wearable.heart_rate.card import card_of
from pintsize.apps.wearable.heart_rate.evaluation import RIGHT_BPM, evaluate
from pintsize.apps.wearable.heart_rate.heart_rate import CONFIDENCE, WEIGHTS, load_heart_rate
from pintsize.apps.wearable.heart_rate.kinds import KINDS, Kind
from pintsize.apps.wearable.heart_rate.program import rate_program, taken
from pintsize.apps.wearable.heart_rate.rates import AGREEMENTS, surety
from pintsize.apps.wearable.heart_rate.recordings import chosen_on, patients_in, recordings_in
from pintsize.apps.wearable.heart_rate.windows import windows_of
from pintsize.folder import write_file


def band_of(kind: Kind) -> Graph:
    """The filter, over a second of raw samples."""
    band = frontend.band_pass(kind.rate_hz, (kind.rate_hz,), kind.low_hz, kind.high_hz, kind.order)
    return replace(band, name=f"heart_rate_{kind.name}")


def make(kind: Kind, data: Path, out: Path) -> dict[str, Any]:
    """The shipped folder of one kind of signal in `out`; gives its figures. The same data, the same bytes."""
    band, folder = band_of(kind), out / f"heart_rate_{kind.name}"
    figures = taken(rate_program(kind, band))
    ship(band, folder, stream=kind.rate_hz, carry=True, figures=figures)
    facts = {CONFIDENCE: confidences(kind, data, out)}
    return ship(band, folder, stream=kind.rate_hz, carry=True, figures=figures, facts=facts)


def confidences(kind: Kind, data: Path, out: Path) -> list[float]:
    """For each step of agreement how often a rate is right, on what was chosen on; never lower on a higher step."""
    heart = load_heart_rate(kind.name, out)
    recordings = [chosen_on(recording) for recording in recordings_in(data)]
    recordings += patients_in(data, "train") if kind.name == "ecg" else []
    right, all_told = [1.0] * (len(AGREEMENTS) + 1), [2.0] * (len(AGREEMENTS) + 1)  # Laplace's rule
    for window in (w for recording in recordings for w in windows_of(heart, recording)):
        if window.told is not None and window.told.bpm is not None:
            step = surety(window.told.agreement)
            right[step] += window.error <= RIGHT_BPM
            all_told[step] += 1
    return rising(right, all_told)


def rising(right: Sequence[float], told: Sequence[float]) -> list[float]:
    """Shares that never fall: neighbours that would are put together (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for count, of in zip(right, told, strict=True):
        blocks.append((count, of, 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] > blocks[-1][0] * blocks[-2][1]:
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    return [round(count / of, 4) for count, of, steps in blocks for _ in range(steps)]


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Writes the heart rate that ships.", WEIGHTS)
    options = parser.parse_args(given)
    figures = {name: make(kind, options.data, options.out) for name, kind in KINDS.items()}
    found = evaluate(options.data, options.out).metrics
    for name, kind in KINDS.items():
        card = card_of(kind, found, figures[name])
        write_file(options.out / f"heart_rate_{name}" / CARD, card.encode())
    print(dict(found))


if __name__ == "__main__":
    main()
