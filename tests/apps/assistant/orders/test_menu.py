from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.assistant.orders.evaluation import slots_f1
from pintsize.apps.assistant.orders.menu import AMOUNTS, GROUPS, MILKS, SUGARS, chosen_of, order, slots_of
from pintsize.apps.assistant.orders.orders import read_groups
from pintsize.apps.assistant.orders.parts import part_of
from pintsize.stream.decision import Calibration


@pytest.mark.parametrize("slot", ["milkAmount", "sugarAmount"])
def test_every_kind_and_amount_becomes_groups_and_the_same_slot_again(slot: str) -> None:
    kinds = MILKS if slot == "milkAmount" else SUGARS
    for value in [*kinds, *(f"{amount} {kind}" for amount in AMOUNTS for kind in kinds)]:
        assert dict(slots_of(chosen_of({slot: f" {value}"}, GROUPS))) == {slot: value}


def test_a_longer_kind_is_not_taken_for_a_shorter_one() -> None:
    assert chosen_of({"milkAmount": "lots of skim milk"}, GROUPS) == {
        "milkAmount": "skim milk", "milkAmount.amount": "lots of",
    }  # fmt: skip


def test_orders_are_said_as_their_slots_say() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        text, slots = order(random)
        assert all(value in text for value in slots.values())
        assert dict(slots_of(chosen_of(slots, GROUPS))) == slots
        assert (
            f" an {text.split(' an ')[1]}"[4] in "aei" if " an " in text.split(" with ")[0] else " a " in text
        )


def test_a_group_competes_with_none_and_an_amount_without_a_kind_is_dropped() -> None:
    groups = {"drink": ("tea", "coffee"), "milk": ("milk",), "milk.amount": ("some",)}
    outputs = np.array([-4.0, 5.0, -3.0, 6.0], np.float32)
    found, confidence = read_groups(outputs, groups, Calibration(1.0))
    assert found == {"drink": "coffee"}
    assert 0.9 < confidence < 1.0
    assert read_groups(outputs, groups, Calibration(4.0))[1] < confidence


def test_f1_counts_a_wrong_value_as_missed_and_wrong() -> None:
    assert slots_f1([{"a": "x", "b": "y"}], [{"a": "x", "b": "z"}]) == 0.5
    assert slots_f1([{"a": "x"}], [{"a": "x", "b": "z"}]) == pytest.approx(2 / 3)
    assert slots_f1([{}], [{}]) == 1.0


def test_recordings_are_divided_by_their_source_alone() -> None:
    parts = [part_of(f"{number}.wav") for number in range(400)]
    assert part_of("7.wav") == parts[7]
    assert 0.2 < parts.count("test") / 400 < 0.4
    assert {*parts} == {"train", "validation", "test"}
