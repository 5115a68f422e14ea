from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.intent_training import REPEATED, group_loss, lesson
from pintsize.apps.assistant.text.learning import Schedule, Texts, learn, outputs
from pintsize.apps.assistant.text.networks import Exported, IntentNetwork, Rows
from pintsize.apps.assistant.text.sentences import CLINC, HWU, SNIPS, clinc_half, read_sentences
from pintsize.apps.assistant.text.slot_training import tag_loss
from pintsize.errors import DataError

FEATURES = Features(300, 8, 12, (3,), case=False, affixes=False, apostrophes=False)
ON = [f"{a} the {b}" for a in ("turn on", "switch on", "start") for b in ("lamp", "fan", "radio", "heater")]
OFF = [f"{a} the {b}" for a in ("turn off", "switch off", "stop") for b in ("lamp", "fan", "radio", "heater")]


def learnt(seed: int) -> np.ndarray:
    torch.manual_seed(seed)
    texts, unseen = Texts.of(FEATURES, ON + OFF, ["start the oven", "stop the oven", "switch off the oven"])
    network = IntentNetwork(FEATURES, 2, width=12, hidden=16)
    right = torch.tensor([0] * len(ON) + [1] * len(OFF))
    learn(
        network, [texts], [1.0], lambda logits, index: F.cross_entropy(logits, right[torch.from_numpy(index)]),
        FEATURES, Schedule(30, batch=8, warm_up_steps=5), seed, lambda line: None,
    )  # fmt: skip
    return outputs(network, unseen)


def test_it_learns_and_the_same_seed_gives_the_same_weights() -> None:
    first = learnt(0)
    assert first.argmax(1).tolist() == [0, 1, 1]
    assert np.array_equal(first, learnt(0))
    assert not np.array_equal(first, learnt(1))


def test_rows_lie_on_a_grid_of_four_bits_and_nothing_is_zero() -> None:
    torch.manual_seed(0)
    rows = Rows(50, 3)
    grid = rows.on_grid().detach()
    assert not grid[0].any()
    for column in grid.T:
        assert len(column.unique()) <= 15
    rows.on_grid().sum().backward()
    assert rows.table.grad is not None
    assert rows.table.grad[1:].any()


def test_what_is_exported_computes_what_was_trained() -> None:
    torch.manual_seed(0)
    network = IntentNetwork(FEATURES, 4, width=12, hidden=16).eval()
    texts = ["turn on the lamp", "stop"]
    ids = torch.from_numpy(np.stack([FEATURES.ids(FEATURES.split(t)) for t in texts]))
    (own,) = Texts.of(FEATURES, texts)
    with torch.no_grad():
        torch.testing.assert_close(Exported(network).eval()(ids), torch.from_numpy(outputs(network, own)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sentences of each data set."""
    rows = {
        (CLINC, "train"): [("hello", "greeting", []), ("turn on the tv", "smart_home", [])],
        (CLINC, "oos_train"): [("how old is the sun", "oos", [])],
        (CLINC, "val"): [(f"hello number {i}", "greeting", []) for i in range(40)],
        (CLINC, "oos_val"): [(f"why is the sky {i}", "oos", []) for i in range(40)],
        (HWU, "train"): [
            ("lamp off", "iot_hue_lightoff", [["device_type", 0, 4]]),
            ("who was lincoln", "qa_factoid", []),
        ],
        (SNIPS, "train"): [
            ("play Miles Davis", "PlayMusic", [["artist", 5, 16]]),
            ("rate this 5", "RateBook", []),
        ],
    }
    for (corpus, part), sentences in rows.items():
        (tmp_path / corpus).mkdir(exist_ok=True)
        lines = [json.dumps({"text": t, "intent": i, "slots": s}) for t, i, s in sentences]
        (tmp_path / corpus / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_other_data_sets_also_say_what_is_out_of_scope(data: Path) -> None:
    given = lesson(data, 0)
    clinc = given.groups[CLINC]
    assert clinc == ["greeting", "smart_home", "oos"]
    told = {text: [int(x) for x in row] for text, row in zip(given.texts, given.labels, strict=True)}
    assert told["hello"] == [0, -1, -1]
    assert told["lamp off"] == [clinc.index("smart_home"), given.groups[HWU].index("iot_hue_lightoff"), -1]
    assert told["who was lincoln"][0] == told["rate this 5"][0] == clinc.index("oos")
    assert told["play Miles Davis"][0] == -1
    assert given.texts.count("how old is the sun") == REPEATED


def test_a_group_that_a_sentence_says_nothing_about_costs_nothing(data: Path) -> None:
    given = lesson(data, 0)
    hello = np.array([given.texts.index("hello")])
    loss = group_loss(given, 0.0)
    logits = torch.zeros(1, given.outputs)
    logits[0, 0] = 30.0  # greeting
    assert float(loss(logits, hello)) < 1e-6
    logits[0, len(given.groups[CLINC]) :] = torch.arange(given.outputs - len(given.groups[CLINC])) * 5.0
    assert float(loss(logits, hello)) < 1e-6


def test_tags_count_among_those_of_their_own_data_set(data: Path) -> None:
    corpora = {name: read_sentences(data, name, "train") for name in (SNIPS, HWU)}
    loss = tag_loss(corpora, {SNIPS: ["artist"], HWU: ["device_type"]}, 0.0)
    logits = torch.zeros(1, 5, 6)
    for token, tag in enumerate((0, 1, 2)):  # play Miles Davis
        logits[0, token, tag] = 30.0
    logits[0, :, 3:] = torch.tensor([1.0, 2.0, 3.0])
    assert float(loss(logits, np.array([0]))) < 1e-6
    assert float(loss(logits, np.array([2]))) > 0.1  # lamp off


def test_the_halves_share_no_sentence(data: Path) -> None:
    halves = [clinc_half(data, half) for half in ("choose", "test")]
    for part in (0, 1):
        texts = [{s.text for s in half[part]} for half in halves]
        assert not texts[0] & texts[1]
        assert sum(map(len, texts)) == 40
        assert all(texts)


def test_damaged_data_is_named(data: Path) -> None:
    (data / HWU / "train.jsonl").write_text('{"text": 1', encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.jsonl is damaged"):
        lesson(data, 0)
