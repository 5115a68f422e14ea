"""The tasks of words and of motion: what their samples are, and the whole path of their networks at a toy's size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.models import conv_gru, text_cnn, tiny_transformer
from benchmarks.tasks import activity, intents
from pintsize.errors import DataError
from pintsize.module import run_float
from pintsize.read.torch_export import read

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
LOADS = {"intents": intents.load, "activity": activity.load}


@pytest.mark.parametrize("name", LOADS)
def test_a_missing_data_set_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no data set"):
        LOADS[name](tmp_path)


def test_an_order_is_a_row_of_word_ids() -> None:
    ids = intents.vocabulary(
        [("what's the weather", "w"), ("The WEATHERMAN, please", "w"), ("whats up", "u")]
    )
    assert ids == {"the": 2, "weath": 3, "whats": 4}
    found = intents.tokens("what's up with the weather in 2030", ids)
    assert found.dtype == np.float32
    assert found[:6].tolist() == [4, 1, 1, 2, 3, 1]
    assert found[10:].tolist() == [intents.NOTHING] * 6
    assert len(intents.tokens("very " * 50, ids)) == intents.TOKENS


def test_every_tenth_order_of_an_intent_is_set_aside() -> None:
    orders = [(f"{i}", intent) for intent in "ab" for i in range(25)]
    train, val = intents.set_aside(orders)
    assert [text for text, intent in val if intent == "a"] == ["9", "19"]
    assert len(train) == 46
    assert not set(train) & set(val)


def test_hidden_words_become_unknown_and_nothing_stays_nothing() -> None:
    x = torch.tensor([[5.0, 6.0, 7.0, 0.0]]).repeat(500, 1)
    hidden = intents.hide_words(x, torch.Generator().manual_seed(0))
    changed = hidden != x
    assert 0.1 < changed[:, :3].float().mean() < 0.2
    assert not changed[:, 3].any()
    assert (hidden[changed] == intents.UNKNOWN).all()


def test_a_window_has_the_class_of_its_middle() -> None:
    x = np.arange(120, dtype=np.float32)[:, None].repeat(6, 1)
    y = np.arange(120) // 60
    cut, classes = activity.windows(x, y, 5)
    assert cut.shape == (5, 6, activity.WINDOW)
    assert cut[1, 0, 0] == 5
    assert classes.tolist() == [0, 0, 1, 1, 1]
    assert len(activity.windows(x[:90], y[:90], 5)[0]) == 0


def test_variation_turns_the_sensor_and_repeats_with_its_seed() -> None:
    x = torch.randn(20, 6, 100, generator=torch.Generator().manual_seed(0))
    once, again = (activity.vary(x, torch.Generator().manual_seed(3)) for _ in range(2))
    torch.testing.assert_close(once, again)
    assert once.shape == x.shape
    ratio = once[:, :3].norm(dim=1).mean((1,)) / x[:, :3].norm(dim=1).mean((1,))
    assert 0.5 < float(ratio.min()) < float(ratio.max()) < 2  # turned and scaled, not torn


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (text_cnn.TextCNN(300, 7, 5, 8, 12), (7,)),
        (tiny_transformer.TinyTransformer(300, 7, 5, 8, 2, 12, 1), (7,)),
        (conv_gru.ConvGRU(6, 5, 8, 12), (6, 40)),
    ],
)
def test_the_networks_are_read_as_torch_computes_them(model: torch.nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, *shape) if len(shape) > 1 else torch.randint(0, 300, (4, *shape)).float()
    reading = read(model.eval(), shape)
    with torch.no_grad():
        wanted = model(x).numpy()
    found = run_float(reading.graph, torch.from_numpy(reading.arrange(x.numpy()))).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.skipif(not (DATA / intents.FOLDER).is_dir(), reason="needs ../shared/data")
def test_no_order_is_on_two_sides() -> None:
    task = intents.load(DATA)
    assert len(task.labels) == 150
    assert task.x_train.shape[1:] == (intents.TOKENS,)
    known = intents.read_orders(DATA / intents.FOLDER / "train.jsonl")
    train, val = intents.set_aside(known)
    assert len(train) == len(task.y_train)
    assert len(val) == len(task.y_val) == 1498
    assert np.bincount(task.tests["orders"][1]).tolist() == [20] * 150


@pytest.mark.skipif(not (DATA / activity.FOLDER).is_dir(), reason="needs ../shared/data")
def test_nobody_is_on_two_sides() -> None:
    split = activity.read_split(DATA / activity.FOLDER / "subjects.csv")
    assert set(activity.VAL_PEOPLE) < set(split["train"])
    assert not set(split["train"]) & set(split["val"])
    task = activity.load(DATA)
    assert task.x_train.shape[1:] == (6, activity.WINDOW)
    assert set(np.unique(task.y_train)) == set(range(len(task.labels)))


def test_a_spoilt_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(json.dumps({"text": "hello"}) + "\n")
    with pytest.raises(DataError, match=r"train\.jsonl cannot be read"):
        intents.read_orders(tmp_path / "train.jsonl")
    (tmp_path / "s01.npz").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match=r"s01\.npz is not a person's recordings"):
        activity.recordings(tmp_path / "s01.npz")
