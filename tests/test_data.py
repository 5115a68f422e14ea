"""Every form of data arrives as the same arrays, and data that cannot be used says why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from pintsize.data import Dataset, Splits, carve, load, split, splits_of, validate
from pintsize.errors import DataError, MissingExtra


def some_x(count: int = 40, shape: tuple[int, ...] = (1, 4)) -> np.ndarray:
    """Every sample is different, and its first value is its number."""
    x = np.zeros((count, *shape), np.float32)
    x.reshape(count, -1)[:, 0] = np.arange(count)
    return x


def some_y(count: int = 40, classes: int = 4) -> np.ndarray:
    return np.arange(count) % classes


def numbers(data: Dataset) -> list[int]:
    return [int(row.flat[0]) for row in data.x]


def save(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def refusal(use: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        use()
    return str(caught.value)


# dividing ------------------------------------------------------------------------------------------


def test_without_a_split_it_is_70_15_15_of_every_class() -> None:
    splits = load((some_x(400), some_y(400)))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (280, 60, 60)
    for part, per_class in ((splits.train, 70), (splits.validation, 15), (splits.test, 15)):
        assert part.y is not None
        assert np.bincount(part.y).tolist() == [per_class] * 4


def test_parts_share_no_sample_and_lose_none() -> None:
    splits = load((some_x(), some_y()))
    together = numbers(splits.train) + numbers(splits.validation) + numbers(splits.test)
    assert sorted(together) == list(range(40))


def test_labels_stay_with_their_samples() -> None:
    splits = load((some_x(), some_y()))
    for part in (splits.train, splits.validation, splits.test):
        assert part.y is not None
        assert [n % 4 for n in numbers(part)] == part.y.tolist()


def test_the_seed_decides_the_division() -> None:
    first, again, other = (load((some_x(), some_y()), seed=seed) for seed in (3, 3, 4))
    assert numbers(first.test) == numbers(again.test)
    assert numbers(first.validation) == numbers(again.validation)
    assert numbers(first.test) != numbers(other.test)


def test_without_labels_it_is_divided_too() -> None:
    splits = load(some_x(100))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (70, 15, 15)
    assert splits.train.y is None


@given(st.lists(st.integers(3, 30), min_size=2, max_size=5), st.integers(0, 5))
def test_three_samples_of_a_class_reach_all_three_parts(counts: list[int], seed: int) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    splits = split(validate(some_x(len(y)), y), seed=seed)
    for part in (splits.train, splits.validation, splits.test):
        assert part.y is not None
        assert set(part.y.tolist()) == set(range(len(counts)))


def test_a_training_and_a_test_set() -> None:
    splits = splits_of((some_x(100), some_y(100)), (some_x(8) + 1000, some_y(8)), seed=1)
    assert numbers(splits.test) == list(range(1000, 1008))
    assert (len(splits.train), len(splits.validation)) == (84, 16)  # 4 of each class of 25
    assert sorted(numbers(splits.train) + numbers(splits.validation)) == list(range(100))


def test_a_split_set_is_no_training_set() -> None:
    divided = load((some_x(), some_y()))
    assert "split already" in refusal(lambda: splits_of(divided, divided.test))


def test_splits_pass_through() -> None:
    given_splits = load((some_x(), some_y()))
    again = load(given_splits)
    assert numbers(again.train) == numbers(given_splits.train)
    assert numbers(again.test) == numbers(given_splits.test)


def test_splits_of_ones_own_are_checked_too() -> None:
    part = validate(some_x(), some_y())
    broken = Dataset(np.full((4, 1, 4), np.nan, np.float32), np.arange(4), part.labels)
    assert "NaN" in refusal(lambda: load(Splits(part, part, broken)))
    narrow = validate(some_x(8, (1, 3)), some_y(8))
    assert "(1, 3)" in refusal(lambda: load(Splits(part, part, narrow)))
    assert "labels" in refusal(lambda: load(Splits(part, part, Dataset(part.x))))


def test_names_of_classes_must_agree() -> None:
    train = validate(some_x(), some_y(), labels=("a", "b", "c", "d"))
    test = validate(some_x(8), some_y(8), labels=("a", "b", "d", "c"))
    assert "a, b, d, c" in refusal(lambda: splits_of(train, test))


def test_a_test_set_may_miss_a_class() -> None:
    splits = splits_of((some_x(), some_y()), (some_x(3), np.array([0, 1, 1])))
    assert splits.test.labels == splits.train.labels == ("0", "1", "2", "3")


def test_carving_takes_some_of_every_class() -> None:
    rest, part = carve(validate(some_x(), some_y()), 0.01)
    assert (len(rest), len(part)) == (36, 4)


def test_one_class_only() -> None:
    assert "one class only (0)" in refusal(lambda: load((some_x(), np.zeros(40, int))))


def test_a_class_of_one_sample() -> None:
    y = some_y()
    y[:] = np.arange(40) % 3
    y[7] = 3
    assert "one sample only of 3" in refusal(lambda: load((some_x(), y)))


def test_too_few_samples_for_three_parts() -> None:
    assert "validation part has no samples" in refusal(lambda: load((some_x(4), np.array([0, 0, 1, 1]))))
    assert "no samples" in refusal(lambda: load(some_x(1)))


# arrays --------------------------------------------------------------------------------------------


def test_uint8_pixels_keep_their_values() -> None:
    pixels = np.full((40, 3, 2, 2), 255, np.uint8)
    splits = load((pixels, some_y()))
    assert splits.train.x.dtype == np.float32
    assert splits.train.x.max() == 255


@pytest.mark.parametrize(
    "y",
    [
        some_y(),
        some_y().astype(np.uint8),
        some_y().astype(np.float64),
        some_y().tolist(),
        some_y()[:, None],
        np.eye(4)[some_y()],
        torch.from_numpy(some_y()),
    ],
    ids=["int", "uint8", "float", "list", "column", "one-hot", "tensor"],
)
def test_labels_in_every_form_are_the_same(y: Any) -> None:
    data = validate(some_x(), y)
    assert data.y is not None
    assert data.y.dtype == np.int64
    assert data.y.tolist() == some_y().tolist()
    assert data.labels == ("0", "1", "2", "3")


def test_labels_may_be_names() -> None:
    data = validate(some_x(4), np.array(["yes", "no", "yes", "maybe"]))
    assert data.labels == ("maybe", "no", "yes")
    assert data.y is not None
    assert data.y.tolist() == [2, 1, 2, 0]


def test_axes_of_length_one_may_come_and_go() -> None:
    assert validate(some_x(8, (49, 10)), sample_shape=(1, 49, 10)).sample_shape == (1, 49, 10)
    assert validate(some_x(8, (1, 49, 10)), sample_shape=(49, 10)).sample_shape == (49, 10)


def test_a_shape_that_does_not_fit_names_both() -> None:
    message = refusal(lambda: load((some_x(40, (1, 5)), some_y()), sample_shape=(1, 4)))
    assert "(1, 5)" in message
    assert "(1, 4)" in message


def test_channels_last_get_a_hint() -> None:
    assert "channels are last" in refusal(lambda: load(some_x(40, (32, 32, 3)), sample_shape=(3, 32, 32)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_and_found(value: float) -> None:
    x = some_x()
    x[7, 0, 2] = x[30, 0, 1] = value
    message = refusal(lambda: load((x, some_y())))
    assert "2 values" in message
    assert "(7, 0, 2)" in message


def test_a_value_beyond_float32_is_refused() -> None:
    x = some_x().astype(np.float64)
    x[3, 0, 3] = 1e300
    assert "(3, 0, 3)" in refusal(lambda: load(x))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (some_x().astype(np.complex64), "complex64"),
        (some_x().astype(object), "object"),
        (some_x().astype(str), "<U"),
        (np.zeros((0, 1, 4)), "no samples"),
        (np.zeros((5, 0)), "no samples"),
        (np.zeros(5), "(5,)"),
        (np.ones(()), "()"),
    ],
)
def test_x_that_is_no_set_of_real_samples(x: np.ndarray, said: str) -> None:
    assert said in refusal(lambda: validate(x))


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (some_y(39), "39 labels"),
        (np.full(40, 0.5), "y[0] is 0.5"),
        (np.full(40, -1), "y[0] is -1"),
        (np.full(40, np.nan), "nan"),
        (np.full(40, 1e30), "1e+30"),
        (np.zeros((40, 3)), "one-hot"),
        (np.full((40, 2), 0.5), "one-hot"),
        (np.zeros((40, 2, 2)), "(40, 2, 2)"),
        (some_y().astype(complex), "complex"),
        (np.array([None] * 40), "object"),
    ],
)
def test_y_that_is_no_set_of_labels(y: np.ndarray, said: str) -> None:
    assert said in refusal(lambda: load((some_x(), y)))


@pytest.mark.parametrize(
    "source", [7, 3.5, None, {"x": some_x()}, (1, 2, 3), (), object(), "no such file.npz"]
)
def test_what_is_no_data_at_all(source: object) -> None:
    assert "pintsize takes" in (said := refusal(lambda: load(source))) or "does not exist" in said


def test_rows_of_different_lengths() -> None:
    assert "item 1 has the shape (3,)" in refusal(lambda: load([[1, 2], [1, 2, 3]]))


# torch ---------------------------------------------------------------------------------------------


class Numbered(TorchDataset[Any]):
    classes = ("even", "odd")

    def __init__(self, item: Callable[[int], Any], count: int = 20) -> None:
        self.item = item
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(())


def test_a_torch_dataset_of_pairs() -> None:
    splits = load(Numbered(lambda i: (torch.full((1, 4), float(i)), i % 2)))
    assert splits.labels == ("even", "odd")
    assert splits.sample_shape == (1, 4)
    assert splits.test.y is not None
    assert [n % 2 for n in numbers(splits.test)] == splits.test.y.tolist()


def test_a_torch_dataset_of_samples_alone() -> None:
    splits = load(Numbered(lambda i: torch.full((1, 4), float(i), requires_grad=True)))
    assert splits.train.y is None
    assert len(splits.train) == 14


def test_a_tensor_dataset_as_training_and_test_set() -> None:
    pairs = TensorDataset(torch.from_numpy(some_x()), torch.from_numpy(some_y()))
    splits = splits_of(pairs, pairs)
    assert len(splits.test) == 40


def test_tensors_are_arrays() -> None:
    splits = load((torch.from_numpy(some_x()), torch.from_numpy(some_y())))
    assert numbers(splits.train) == numbers(load((some_x(), some_y())).train)


def test_a_pair_of_datasets_is_sent_to_splits_of() -> None:
    data = Numbered(lambda i: (torch.zeros(4), i % 2))
    assert "splits_of" in refusal(lambda: load((data, data)))


def test_a_stream_has_no_length() -> None:
    assert "map style" in refusal(lambda: load(Endless()))


def test_a_data_loader_is_read_to_its_end() -> None:
    pairs = TensorDataset(torch.from_numpy(some_x()), torch.from_numpy(some_y()))
    assert numbers(load(DataLoader(pairs, batch_size=7)).train) == numbers(load((some_x(), some_y())).train)
    alone = load(DataLoader(TensorDataset(torch.from_numpy(some_x())), batch_size=16))
    assert alone.train.y is None
    assert len(alone.train) == 28


def test_batches_may_come_from_a_generator() -> None:
    x, y = some_x(), some_y()
    splits = load((x[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8))
    assert numbers(splits.train) == numbers(load((x, y)).train)


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ([], "no batches"),
        ([{"x": some_x()}], "batch 0 of the generator is a dict"),
        ([(some_x(), some_y(), some_y())], "batch 0 of the generator is a tuple"),
        ([some_x(), some_x(shape=(1, 5))], "batch 1 has the shape"),
        ([(some_x(), some_y()), (some_x(),)], "with labels and batches without"),
        ([(some_x(), some_y()), (some_x(), some_y()[:, None])], "do not go together"),
        ([np.zeros(3)], "batch 0 has the shape"),
    ],
)
def test_batches_that_do_not_fit_together(batches: list[Any], said: str) -> None:
    assert said in refusal(lambda: load(b for b in batches))


@pytest.mark.parametrize(
    ("item", "count", "said"),
    [
        (lambda i: torch.zeros(4 + i % 2), 20, "item 1 has the shape (5,)"),
        (lambda i: (torch.zeros(4), i) if i else torch.zeros(4), 20, "item 0 has none"),
        (lambda i: torch.zeros(4), 0, "no samples"),
        (lambda i: {"x": i}, 20, "object"),
    ],
)
def test_items_that_do_not_fit_together(item: Callable[[int], Any], count: int, said: str) -> None:
    assert said in refusal(lambda: load(Numbered(item, count)))


# npz -----------------------------------------------------------------------------------------------


def test_an_npz_of_x_and_y(tmp_path: Path) -> None:
    splits = load(str(save(tmp_path, x=some_x(), y=some_y(), labels=["a", "b", "c", "d"])))
    assert splits.labels == ("a", "b", "c", "d")
    assert numbers(splits.test) == numbers(load((some_x(), some_y())).test)


def test_an_npz_without_labels(tmp_path: Path) -> None:
    assert load(save(tmp_path, x=some_x())).train.y is None


@pytest.mark.parametrize(
    "names",
    [
        np.array(["train", "val", "test"]),
        np.array(["Training", "validation", "TEST"]),
        np.array([b"train", b"valid", b"test"]),
        np.array([0, 1, 2]),
    ],
    ids=["words", "capitals", "bytes", "numbers"],
)
def test_an_npz_that_names_its_split(tmp_path: Path, names: np.ndarray) -> None:
    which = np.array([0] * 30 + [1] * 4 + [2] * 6)
    splits = load(save(tmp_path, x=some_x(), y=some_y(), split=names[which]))
    assert numbers(splits.train) == list(range(30))
    assert numbers(splits.validation) == [30, 31, 32, 33]
    assert numbers(splits.test) == [34, 35, 36, 37, 38, 39]


def test_an_npz_without_validation_gets_one_from_training(tmp_path: Path) -> None:
    path = save(tmp_path, x=some_x(), y=some_y(), split=["train"] * 32 + ["test"] * 8)
    splits, other = load(path, seed=1), load(path, seed=2)
    assert numbers(splits.test) == list(range(32, 40))
    assert (len(splits.train), len(splits.validation)) == (28, 4)
    assert numbers(splits.validation) != numbers(other.validation)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train"] * 30 + ["holdout"] * 10, "holdout"),
        (["train"] * 30 + ["val"] * 10, "no sample for test"),
        (["val"] * 30 + ["test"] * 10, "no sample for train"),
        (["train"] * 30, "(30,)"),
        ([0.5] * 40, "0.5"),
    ],
)
def test_an_npz_with_a_split_that_is_none(tmp_path: Path, names: list[Any], said: str) -> None:
    message = refusal(lambda: load(save(tmp_path, x=some_x(), y=some_y(), split=names)))
    assert said in message
    assert "data.npz" in message


def test_an_npz_whose_training_part_has_one_class(tmp_path: Path) -> None:
    y = np.array([0] * 30 + [0, 1] * 5)
    path = save(tmp_path, x=some_x(), y=y, split=["train"] * 30 + ["val", "val", "test", "test", "test"] * 2)
    assert "one class only" in refusal(lambda: load(path))


def test_an_npz_without_x_says_what_is_there(tmp_path: Path) -> None:
    message = refusal(lambda: load(save(tmp_path, images=some_x(), target=some_y())))
    assert "images, target" in message


def test_an_npz_with_too_few_names(tmp_path: Path) -> None:
    assert "2 classes" in refusal(lambda: load(save(tmp_path, x=some_x(), y=some_y(), labels=["a", "b"])))


@pytest.mark.parametrize("name", ["x", "y"])
def test_pickled_objects_are_not_loaded(tmp_path: Path, name: str) -> None:
    arrays: dict[str, Any] = {"x": some_x(2), "y": [0, 1], name: np.array([{"a": 1}, None], dtype=object)}
    assert "Python objects" in refusal(lambda: load(save(tmp_path, **arrays)))


def test_a_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in refusal(lambda: load(tmp_path / "nothing.npz"))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("1,2,3")
    assert "not an .npz" in refusal(lambda: load(path))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more", b"\x80\x04K\x01."])
def test_a_file_that_is_no_npz(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    assert "not an .npz" in refusal(lambda: load(path))


def test_a_bare_array_in_the_clothes_of_an_npz(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, some_x())
    assert "not an .npz" in refusal(lambda: load(path))


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_npz(tmp_path: Path, kept: float) -> None:
    path = save(tmp_path, x=some_x(), y=some_y())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "cut short" in refusal(lambda: load(path))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.999), byte=st.integers(0, 255))
def test_a_spoilt_byte_is_noticed_or_harmless(tmp_path: Path, where: float, byte: int) -> None:
    path = save(tmp_path, x=some_x(6), y=some_y(6, 2))
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] = byte
    path.write_bytes(content)
    try:
        splits = load(path)
    except DataError as error:
        said, read = str(error), []
    else:
        said, read = "", numbers(splits.train) + numbers(splits.validation) + numbers(splits.test)
    assert str(path) in said or sorted(read) == list(range(6))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, x=some_x())

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("zipfile.ZipFile", denied)
    assert "Permission denied" in refusal(lambda: load(path))


# folders reach the splits --------------------------------------------------------------------------


def write_images(folder: Path, value: int, count: int = 4) -> None:
    from PIL import Image

    folder.mkdir(parents=True)
    for i in range(count):
        Image.new("L", (5, 4), value).save(folder / f"{i}.png")


def test_a_folder_of_labels_is_divided(tmp_path: Path) -> None:
    write_images(tmp_path / "dark", 0)
    write_images(tmp_path / "light", 255)
    splits = load(tmp_path, sample_shape=(1, 4, 5))
    assert splits.labels == ("dark", "light")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (4, 2, 2)
    assert splits.train.y is not None
    assert splits.train.x[:, 0, 0, 0].tolist() == splits.train.y.tolist()


def test_a_divided_folder_keeps_its_division(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("val", 2), ("test", 3)):
        write_images(tmp_path / part / "dark", 0, count)
        write_images(tmp_path / part / "light", 255, count)
    splits = load(str(tmp_path))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (10, 4, 6)
    assert splits.sample_shape == (3, 4, 5)


def test_a_divided_folder_without_validation_gets_one(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_images(tmp_path / part / "dark", 0)
        write_images(tmp_path / part / "light", 255)
    splits = load(tmp_path)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6, 2, 8)


def test_a_divided_folder_without_a_test_part(tmp_path: Path) -> None:
    write_images(tmp_path / "train" / "dark", 0)
    write_images(tmp_path / "train" / "light", 255)
    assert "no sample for test" in refusal(lambda: load(tmp_path))


def test_a_folder_with_one_label(tmp_path: Path) -> None:
    write_images(tmp_path / "dark", 0)
    assert "one class only (dark)" in refusal(lambda: load(tmp_path))


def test_the_reader_is_needed_only_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path / "dark", 0)
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert len(load((some_x(), some_y())).train) > 0
    with pytest.raises(MissingExtra, match="images"):
        load(tmp_path)
