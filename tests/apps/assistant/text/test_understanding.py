from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pintsize.apps.assistant.text import Understanding, action_of
from pintsize.apps.assistant.text.evaluation import evaluate
from pintsize.apps.assistant.text.intents import Intents
from pintsize.apps.assistant.text.sentences import CLINC, HWU
from pintsize.apps.assistant.text.slots import Slots
from pintsize.apps.assistant.text.spans import Span
from pintsize.apps.assistant.text.understanding import filled
from pintsize.errors import DataError, UserError

DATA = Path(__file__).parents[4].parent / "shared" / "data"


@pytest.fixture(scope="module")
def shipped() -> Understanding:
    """Loading also runs the golden vectors."""
    return Understanding.load()


def test_orders_for_the_home_become_actions(shipped: Understanding) -> None:
    found = shipped.understand("turn off the lights in the kitchen")
    assert found.intent == "iot_hue_lightoff"
    assert dict(found.slots)["house_place"] == "kitchen"
    assert action_of(found).name == "light.turn_off"


def test_nothing_is_switched_that_was_not_named(shipped: Understanding) -> None:
    found = shipped.understand("lock the front door")
    assert "device_type" not in dict(found.slots)
    assert action_of(found).name is None


def test_general_orders_keep_their_intent(shipped: Understanding) -> None:
    assert shipped.understand("how do you say good morning in french").intent == "translate"
    found = shipped.understand("what will the weather be like in Boston tomorrow")
    assert found.intent == "weather"
    assert dict(found.slots)["city"] == "Boston"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "?!", "🙂🙂", "…" * 10_000])
def test_no_words_is_said_to_be_so(shipped: Understanding, text: str) -> None:
    found = shipped.understand(text)
    assert found.intent is None
    assert found.confidence == 0.0
    assert "there " in (found.reason or "")


@pytest.mark.parametrize(
    "text",
    ["light " * 2_000, "x" * 10_000, "включи свет на кухне", "打开厨房的灯", "42", "1234567890 " * 40, "a\x00b\ud800c",
     "turn 🙂 off 🙂 the 🙂 lights", "TURN OFF THE LIGHTS", "'; drop table --", "ı İ ß ﬁ"],
)  # fmt: skip
def test_any_text_gets_an_answer(shipped: Understanding, text: str) -> None:
    found = shipped.understand(text)
    assert 0.0 <= found.confidence <= 1.0
    assert (found.intent is None) == (found.reason is not None)
    assert action_of(found).reply
    assert all(words in text for _, value in found.slots for words in value.split(" and "))


def test_the_same_text_gets_the_same_answer(shipped: Understanding) -> None:
    first = shipped.understand("wake me up at six")
    shipped.understand("what is my balance")
    assert shipped.understand("wake me up at six") == first


def test_a_slot_said_twice_is_filled_once() -> None:
    text = "lamp and fan in the hall"
    spans = [Span(20, 24, "place"), Span(9, 12, "device"), Span(0, 4, "device")]
    assert filled(text, spans) == (("device", "lamp and fan"), ("place", "hall"))


def test_slots_of_unknown_data_are_refused(shipped: Understanding) -> None:
    with pytest.raises(UserError, match="there are slots of"):
        shipped.slots.find("play jazz", "other")


def test_another_kind_of_model_is_refused(shipped: Understanding) -> None:
    with pytest.raises(UserError, match="no model of slots"):
        Slots(shipped.intents.artifact)
    with pytest.raises(UserError, match="no model of intents"):
        Intents(shipped.slots.artifact)


def test_they_fit_into_their_flash(shipped: Understanding) -> None:
    for piece in (shipped.intents, shipped.slots):
        assert 0 < piece.artifact.manifest.content["figures"]["flash_bytes"] <= 400_000


def test_nothing_of_torch_is_loaded() -> None:
    code = (
        "import sys; from pintsize.apps.assistant.text import Understanding, evaluation;"
        "Understanding.load().understand('turn on the lamp'); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_the_data_it_is_said_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=CLINC):
        evaluate(tmp_path)


@pytest.mark.long
@pytest.mark.skipif(not (DATA / HWU).is_dir(), reason="the data sets are not beside the checkout")
def test_the_goals_are_reached_on_the_test_parts() -> None:
    found = evaluate(DATA)
    assert found["intents_in_scope_accuracy"] >= 0.92
    assert found["intents_out_of_scope_recall"] >= 0.60
    assert found["slots_f1"] >= 0.90
    assert found["hwu_intent_accuracy"] >= 0.87
