"""The folders that ship: proven when they are loaded, with a card that says what they are for."""

from __future__ import annotations

import pytest

from pintsize.apps.shipping import CARD
from pintsize.apps.wearable.heart_rate import KINDS
from pintsize.apps.wearable.heart_rate.heart_rate import CONFIDENCE, WEIGHTS
from pintsize.apps.wearable.heart_rate.rates import AGREEMENTS
from pintsize.stream.artifact import GOLDEN, load


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_folder_holds_what_running_it_needs(kind: str) -> None:
    folder = WEIGHTS / f"heart_rate_{kind}"
    artifact = load(folder)  # raises where a golden vector differs
    assert (folder / GOLDEN).is_file()
    assert artifact.input.elements == KINDS[kind].rate_hz
    assert artifact.manifest.stateful
    confidence = artifact.manifest.content[CONFIDENCE]
    assert len(confidence) == len(AGREEMENTS) + 1
    assert confidence == sorted(confidence)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_card_says_what_it_is_for_and_what_was_measured(kind: str) -> None:
    folder = WEIGHTS / f"heart_rate_{kind}"
    card = (folder / CARD).read_text(encoding="utf-8")
    figures = load(folder, prove=False).manifest.content["figures"]
    assert "A screening aid, not a diagnosis" in card
    assert "ODC-By" in card
    assert f"{figures['rate_flash_bytes']:,}" in card
