from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.assistant.orders import Orders
from pintsize.apps.assistant.orders.evaluation import evaluate
from pintsize.apps.assistant.orders.menu import GROUPS, INTENT, labels_of
from pintsize.apps.assistant.orders.orders import WEIGHTS
from pintsize.apps.assistant.orders.parts import FOLDER
from pintsize.errors import UserError

DATA = Path(__file__).parents[5] / "shared" / "data"


@pytest.fixture(scope="module")
def orders() -> Orders:
    return Orders.load()  # runs the golden vectors too


def test_shipped_weights_have_an_output_for_each_value(orders: Orders) -> None:
    assert orders.artifact.labels == labels_of(GROUPS)
    assert orders.menu is not None
    assert orders.menu.intent == INTENT


def test_what_is_no_order_is_told_as_none_with_the_reason(orders: Orders) -> None:
    noise = np.random.default_rng(0).normal(0, 1000, 32_000).astype(np.int16)
    for samples in (np.zeros(16_000, np.int16), np.zeros(5, np.int16), noise):
        understood = orders.understand(samples)
        assert understood.intent is None
        assert understood.reason
        assert understood.slots == ()


def test_a_model_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(WEIGHTS, tmp_path / "other"))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["orders"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="no model of orders"):
        Orders.load(folder)


def test_the_card_says_what_the_shipped_weights_reach_on_the_test_part() -> None:
    if not (DATA / FOLDER).is_dir():
        pytest.skip(f"{FOLDER} is not there")
    found, card = evaluate(DATA), (WEIGHTS / "CARD.md").read_text()
    for name in ("orders_exact", "orders_slots_f1", "orders_told"):
        assert f"| {name} | {found[name]:.4g} |" in card
