"""Reads a user's data, whatever form it has, into arrays split for training, validation and test.

Samples keep the shape that the user's model takes, channels first as in torch. Labels are whole numbers
from 0, or absent. Audio is never resampled. Files' images are scaled to [0, 1] and their audio to [-1, 1];
arrays are not scaled: uint8 stays 0 … 255, as float32. What cannot be used raises DataError, which says where
and why.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pintsize.errors import DataError
from pintsize.labelled_files import PART_NAMES, Shape, read_labelled_files

#: how a part may be called in an array → the part
SPLIT_CODES = {**PART_NAMES, "0": "train", "1": "validation", "2": "test"}
VALIDATION_FRACTION = 0.15
TEST_FRACTION = 0.15


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and, if there are any, their labels.

    Args:
        x: float32 (n, *sample shape), channels first.
        y: int64 (n,), indices into `labels`; None when the data has no labels.
        labels: the classes' names; empty where there are none.
    """

    x: np.ndarray
    y: np.ndarray | None = None
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    @property
    def sample_shape(self) -> Shape:
        return self.x.shape[1:]

    def take(self, indices: np.ndarray) -> Dataset:
        """The samples at these indices, or where this mask is true."""
        return replace(self, x=self.x[indices], y=None if self.y is None else self.y[indices])


@dataclass(frozen=True)
class Splits:
    """Three parts without a sample in common: to fit, to choose by, to report."""

    train: Dataset
    validation: Dataset
    test: Dataset

    @property
    def labels(self) -> tuple[str, ...]:
        return self.train.labels

    @property
    def sample_shape(self) -> Shape:
        return self.train.sample_shape


def load(source: Any, *, seed: int = 0, sample_shape: Shape | None = None) -> Splits:
    """Reads `source` and splits it, unless it comes split.

    Args:
        source: an .npz (`x`; optional `y`, `split`, `labels`); a folder `<label>/*` or `<part>/<label>/*` of
            WAV, FLAC, PNG or JPEG files; a map-style torch Dataset of (x, y) or x; a pair of arrays (x, y);
            an array x; a `Dataset`; `Splits`; an iterable of batches (x, y) or (x,), such as a torch DataLoader, read
            once to its end. Data without a split is divided 70/15/15, each class alike.
        seed: of the division.
        sample_shape: what the model takes. Files are cut, padded or resized to it; arrays must have it, but
            that axes of length one may come and go.

    Raises DataError when the data cannot be used, MissingExtra when files need a part that is not installed.
    """
    data = _read(source, sample_shape, seed)
    return _checked(data) if isinstance(data, Splits) else split(data, seed=seed)


def samples_of(
    source: Any, *, seed: int = 0, sample_shape: Shape | None = None, part: Literal["train", "test"] = "test"
) -> Dataset:
    """All samples of anything that `load` takes; of data that comes split, this part. Raises DataError."""
    data = _read(source, sample_shape, seed)
    if not isinstance(data, Splits):
        return data
    return data.test if part == "test" else data.train


def splits_of(train: Any, test: Any, seed: int = 0, *, sample_shape: Shape | None = None) -> Splits:
    """Splits from a training and a test set; validation is carved from training (15 %, each class alike).

    Both are anything that `load` takes and that is not itself split. Raises DataError.
    """
    parts = [
        _unsplit(name, _read(source, sample_shape, seed))
        for name, source in (("train", train), ("test", test))
    ]
    fitted, validation = carve(parts[0], VALIDATION_FRACTION, seed=seed)
    return _checked(Splits(fitted, validation, parts[1]))


def split(data: Dataset, *, seed: int = 0) -> Splits:
    """70 % to train, 15 % to validate, 15 % to test, each class alike; the same for the same seed.

    Raises DataError when there is one class only, or too few samples.
    """
    _check_classes(data, "the data")
    train, test, validation = _divide(data, (TEST_FRACTION, VALIDATION_FRACTION), seed)
    return _checked(Splits(train, validation, test))


def carve(data: Dataset, fraction: float, *, seed: int = 0) -> tuple[Dataset, Dataset]:
    """(the rest, a part): the part has `fraction` of every class, at least one sample. Raises DataError."""
    _check_classes(data, "the training data")
    rest, part = _divide(data, (fraction,), seed)
    return rest, part


def validate(
    x: Any,
    y: Any = None,
    *,
    labels: Sequence[str] = (),
    sample_shape: Shape | None = None,
    where: str = "the data",
) -> Dataset:
    """The Dataset of these arrays, once they are known to be usable.

    Args:
        x: (n, *sample shape) of any real numbers.
        y: (n,) whole numbers from 0, or names, or one-hot (n, classes).
        labels: the classes' names; by default those in y, or the numbers.
        where: what to call the data in a message.

    Raises DataError for: numbers that are not real or not finite, no samples, lengths that differ, labels
    that are not whole numbers from 0, a shape that is not `sample_shape`.
    """
    samples = _samples(x, where)
    samples = _shaped(samples, sample_shape, where)
    if y is None:
        return Dataset(samples, None, tuple(labels))
    targets, names = _targets(_array(y, f"y of {where}"), tuple(labels), where)
    if len(targets) != len(samples):
        raise DataError(f"{where}: x has {len(samples)} samples and y has {len(targets)} labels")
    return Dataset(samples, targets, names)


# reading ---------------------------------------------------------------------------------------------


def _read(source: Any, sample_shape: Shape | None, seed: int) -> Dataset | Splits:
    if isinstance(source, Splits):
        parts = {"train": source.train, "validation": source.validation, "test": source.test}
        return Splits(**{name: _again(part, sample_shape, name) for name, part in parts.items()})
    if isinstance(source, Dataset):
        return _again(source, sample_shape, "the data")
    if isinstance(source, str | Path):
        return _read_path(Path(source), sample_shape, seed)
    if isinstance(source, tuple):
        return _read_pair(source, sample_shape)
    if _is_array(source):
        return validate(source, sample_shape=sample_shape)
    return _read_items(source, sample_shape)


def _again(data: Dataset, sample_shape: Shape | None, where: str) -> Dataset:
    return validate(data.x, data.y, labels=data.labels, sample_shape=sample_shape, where=where)


def _unsplit(name: str, data: Dataset | Splits) -> Dataset:
    if isinstance(data, Splits):
        raise DataError(f"the {name} data is split already: give it to load() alone")
    return data


def _read_path(path: Path, sample_shape: Shape | None, seed: int) -> Dataset | Splits:
    try:
        if path.is_dir():
            return _read_folder(path, sample_shape, seed)
        if not path.exists():
            raise DataError(f"{path} does not exist")
        if path.suffix.lower() != ".npz":
            raise DataError(f"{path} is not an .npz file or a folder: pintsize reads these two")
        return _read_npz(path, sample_shape, seed)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _read_pair(source: tuple[Any, ...], sample_shape: Shape | None) -> Dataset:
    if len(source) != 2:
        raise DataError(f"a tuple of {len(source)} was given: pintsize takes the pair (x, y)")
    x, y = source
    if not (_is_array(x) or isinstance(x, list)):
        raise DataError(
            f"a pair whose first member is a {type(x).__name__} was given: a pair is the arrays (x, y). "
            "A training and a test set go to splits_of(train, test)"
        )
    return validate(x, y, sample_shape=sample_shape)


def _read_items(source: Any, sample_shape: Shape | None) -> Dataset:
    """A map-style torch Dataset, or a list: each item (x, y) or x; or what gives batches."""
    if not isinstance(source, Mapping) and hasattr(source, "__iter__") and not hasattr(source, "__getitem__"):
        return _read_batches(source, sample_shape)
    if isinstance(source, Mapping) or not (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
        raise DataError(
            f"a {type(source).__name__} cannot be read: pintsize takes an .npz file, a folder, arrays, "
            "a torch Dataset with a length (map style), or an iterable of batches such as a DataLoader"
        )
    where = f"the {type(source).__name__}"
    items = [source[i] for i in range(len(source))]
    if not items:
        raise DataError(f"{where} has no samples")
    pair = tuple if isinstance(source, list) else (tuple, list)  # a list of lists is rows of numbers
    labelled = [isinstance(item, pair) and len(item) == 2 for item in items]
    if all(labelled):
        x = _stack([item[0] for item in items], where)
        y = _array([_array(item[1], f"a label of {where}") for item in items], f"y of {where}")
        labels = tuple(str(c) for c in getattr(source, "classes", None) or ())
        return validate(x, y, labels=labels, sample_shape=sample_shape, where=where)
    if any(labelled):
        raise DataError(
            f"{where} has items with a label and items without: item {labelled.index(False)} has none"
        )
    return validate(_stack(items, where), sample_shape=sample_shape, where=where)


def _read_batches(source: Iterable[Any], sample_shape: Shape | None) -> Dataset:
    """Batches (x, y), (x,) or x, each x (n, *sample shape), one after the other."""
    where = f"the {type(source).__name__}"
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    for number, batch in enumerate(source):
        parts = list(batch) if isinstance(batch, tuple | list) else [batch]
        if isinstance(batch, Mapping) or len(parts) not in (1, 2):
            raise DataError(
                f"batch {number} of {where} is a {type(batch).__name__}: pintsize takes (x, y), (x,) or x"
            )
        xs.append(_array(parts[0], f"x of batch {number} of {where}"))
        ys += [_array(y, f"y of batch {number} of {where}") for y in parts[1:]]
        if xs[-1].ndim < 2 or xs[-1].shape[1:] != xs[0].shape[1:]:
            raise DataError(
                f"{where}: x of batch {number} has the shape {xs[-1].shape}, of batch 0 {xs[0].shape}"
            )
    if not xs:
        raise DataError(f"{where} has no batches: an iterator can be read once only")
    if ys and len(ys) != len(xs):
        raise DataError(f"{where} has batches with labels and batches without")
    labels = tuple(str(c) for c in getattr(getattr(source, "dataset", None), "classes", None) or ())
    y = _concatenated(ys, where) if ys else None
    return validate(np.concatenate(xs), y, labels=labels, sample_shape=sample_shape, where=where)


def _concatenated(ys: Sequence[np.ndarray], where: str) -> np.ndarray:
    try:
        return np.concatenate(ys)
    except ValueError as error:
        raise DataError(f"{where}: the labels of its batches do not go together: {error}") from error


def _read_npz(path: Path, sample_shape: Shape | None, seed: int) -> Dataset | Splits:
    arrays = _npz_arrays(path)
    if "x" not in arrays:
        there = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(f"{path} has no array x: it holds {there}. Save it with numpy.savez(path, x=…, y=…)")
    labels = tuple(str(c) for c in arrays["labels"].ravel()) if "labels" in arrays else ()
    data = validate(arrays["x"], arrays.get("y"), labels=labels, sample_shape=sample_shape, where=str(path))
    if "split" not in arrays:
        return data
    return _assembled(_by_name(data, arrays["split"], path), str(path), seed)


def _npz_arrays(path: Path) -> dict[str, np.ndarray]:
    known = ("x", "y", "split", "labels")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n.removesuffix(".npy") for n in archive.namelist()]
        with np.load(path, allow_pickle=False) as archive:
            return {n: archive[n] if n in known else np.empty(0) for n in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
        raise DataError(f"{path} is not an .npz file, or it is cut short: {error}") from error
    except (ValueError, MemoryError) as error:  # a spoilt header may promise any shape
        if "pickle" in str(error):
            raise DataError(
                f"{path} holds Python objects, which pintsize does not load. Save plain arrays of numbers"
            ) from error
        raise DataError(f"{path} holds an array that cannot be read: {error}") from error


def _by_name(data: Dataset, names: np.ndarray, path: Path) -> dict[str, Dataset]:
    """The parts that an array of names, or 0, 1 and 2, gives."""
    if names.shape != (len(data),):
        raise DataError(
            f"{path}: split has the shape {names.shape} and x has {len(data)} samples: one name each"
        )
    texts = [n.decode(errors="replace") if isinstance(n, bytes) else str(n) for n in names.tolist()]
    parts = np.array([SPLIT_CODES.get(text.lower(), "") for text in texts])
    unknown = sorted({text for text, part in zip(texts, parts, strict=True) if not part})
    if unknown:
        raise DataError(
            f"{path}: split names {_some(unknown)}: "
            "pintsize knows train, validation (val) and test, or 0, 1 and 2"
        )
    return {part: data.take(parts == part) for part in np.unique(parts).tolist()}


def _assembled(parts: Mapping[str, Dataset], where: str, seed: int) -> Splits:
    """The parts together; validation is carved from train where none is named."""
    for name in ("train", "test"):
        if name not in parts:
            raise DataError(
                f"{where}: the split has no sample for {name}: it names {_some(sorted(parts))}. "
                "It needs train and test; only validation may be left out"
            )
    train = parts["train"]
    if "validation" in parts:
        return Splits(train, parts["validation"], parts["test"])
    fitted, validation = carve(train, VALIDATION_FRACTION, seed=seed)
    return Splits(fitted, validation, parts["test"])


def _read_folder(folder: Path, sample_shape: Shape | None, seed: int) -> Dataset | Splits:
    files = read_labelled_files(folder, sample_shape)
    data = validate(
        files.samples, files.targets, labels=files.labels, sample_shape=sample_shape, where=str(folder)
    )
    if not files.parts:
        return data
    parts = np.array(files.parts)
    return _assembled(
        {part: data.take(parts == part) for part in sorted(set(files.parts))}, str(folder), seed
    )


# arrays ----------------------------------------------------------------------------------------------


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (hasattr(value, "detach") and hasattr(value, "numpy"))


def _array(value: Any, where: str) -> np.ndarray:
    """The array of numpy arrays, torch tensors, or lists of either."""
    try:
        if hasattr(value, "detach"):
            return np.asarray(value.detach().cpu().numpy())
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} cannot be made an array: {error}") from error


def _stack(items: Sequence[Any], where: str) -> np.ndarray:
    arrays = [_array(item, f"item {i} of {where}") for i, item in enumerate(items)]
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise DataError(f"{where}: item {i} has the shape {array.shape} and item 0 has {arrays[0].shape}")
    return np.stack(arrays)


def _samples(x: Any, where: str) -> np.ndarray:
    raw = _array(x, f"x of {where}")
    if raw.dtype.kind not in "biuf":
        raise DataError(f"{where}: x has the type {raw.dtype}: pintsize takes real numbers")
    if raw.ndim < 2:
        raise DataError(f"{where}: x has the shape {raw.shape}: pintsize takes (samples, *sample shape)")
    if not raw.size:
        raise DataError(f"{where}: x has the shape {raw.shape}: there are no samples in it")
    with np.errstate(over="ignore"):  # a float64 beyond float32 is found as inf below
        samples = np.ascontiguousarray(raw, dtype=np.float32)
    bad = ~np.isfinite(samples)
    if bad.any():
        first = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise DataError(
            f"{where}: x has {int(bad.sum())} values that are NaN, infinite or beyond float32, "
            f"the first at {first}"
        )
    return samples


def _shaped(samples: np.ndarray, sample_shape: Shape | None, where: str) -> np.ndarray:
    """In the asked shape; axes of length one may come and go, nothing else."""
    shape = samples.shape[1:]
    if sample_shape is None or shape == tuple(sample_shape):
        return samples
    if [s for s in shape if s != 1] == [s for s in sample_shape if s != 1]:
        return samples.reshape(len(samples), *sample_shape)
    hint = ""
    if len(shape) > 1 and (shape[-1], *shape[:-1]) == tuple(sample_shape):
        hint = ". The channels are last: move them to the front"
    raise DataError(f"{where}: samples have the shape {shape}, the model takes {tuple(sample_shape)}{hint}")


def _targets(y: np.ndarray, labels: tuple[str, ...], where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class indices and the classes' names."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        y = _from_one_hot(y, where)
    if y.ndim != 1:
        raise DataError(f"{where}: y has the shape {y.shape}: pintsize takes (samples,) or one-hot rows")
    if y.dtype.kind in "US":
        return _from_names(y.astype(str), labels, where)
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: y has the type {y.dtype}: pintsize takes whole numbers, names or one-hot rows"
        )
    whole = np.isfinite(y) & (y >= 0) & (y == np.floor(y)) & (y < 2**31)
    if not whole.all():
        first = int((~whole).argmax())
        raise DataError(f"{where}: y[{first}] is {y[first]}: labels are whole numbers from 0")
    targets = y.astype(np.int64)
    names = labels or tuple(str(i) for i in range(int(targets.max(initial=-1)) + 1))
    if targets.max(initial=-1) >= len(names):
        raise DataError(
            f"{where}: y has the label {targets.max()} and there are names for {len(names)} classes"
        )
    return targets, names


def _from_one_hot(y: np.ndarray, where: str) -> np.ndarray:
    if y.dtype.kind not in "biuf" or not ((y == 0) | (y == 1)).all() or not (y.sum(axis=1) == 1).all():
        raise DataError(f"{where}: y has the shape {y.shape} and is not one-hot: give one label a sample")
    return y.argmax(axis=1)


def _from_names(y: np.ndarray, labels: tuple[str, ...], where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    names = labels or tuple(np.unique(y).tolist())
    unknown = sorted(set(y.tolist()) - set(names))
    if unknown:
        raise DataError(f"{where}: y names {_some(unknown)}, which labels does not have")
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[name] for name in y.tolist()], dtype=np.int64), names


# dividing --------------------------------------------------------------------------------------------


def _divide(data: Dataset, fractions: Sequence[float], seed: int) -> list[Dataset]:
    """The rest, then a part for each fraction. A class gives each part a sample or more, while it lasts."""
    draw = np.random.default_rng(seed)
    chosen: list[list[np.ndarray]] = [[] for _ in range(len(fractions) + 1)]
    for members in _by_class(data):
        rest = draw.permutation(members)
        for part, fraction in zip(chosen[1:], fractions, strict=True):
            count = min(max(1, round(fraction * len(members))), len(rest) - 1)
            part.append(rest[:count])
            rest = rest[count:]
        chosen[0].append(rest)
    return [data.take(np.sort(np.concatenate(part))) for part in chosen]


def _by_class(data: Dataset) -> list[np.ndarray]:
    if data.y is None:
        return [np.arange(len(data))]
    return [np.flatnonzero(data.y == label) for label in np.unique(data.y)]


def _check_classes(data: Dataset, where: str) -> None:
    """At least two classes, and two samples of each: or there is nothing to learn or to check it on."""
    if data.y is None:
        return
    present, counts = np.unique(data.y, return_counts=True)
    names = [data.labels[i] for i in present]
    if len(names) < 2:
        raise DataError(f"{where} has one class only ({names[0]}): a classifier needs two or more")
    rare = [name for name, count in zip(names, counts, strict=True) if count < 2]
    if rare:
        raise DataError(
            f"{where} has one sample only of {_some(rare)}: dividing it needs two or more of each class"
        )


def _checked(splits: Splits) -> Splits:
    """The same splits, once the three parts are known to agree."""
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    for name, part in parts.items():
        if not len(part):
            raise DataError(f"the {name} part has no samples: give more data, or a split that leaves it some")
        if part.sample_shape != splits.sample_shape:
            raise DataError(
                f"the {name} samples have the shape {part.sample_shape}, "
                f"the training samples {splits.sample_shape}"
            )
        if (part.y is None) != (splits.train.y is None):
            raise DataError(
                f"the {name} part and the training part differ: one has labels and the other none"
            )
    if splits.train.y is not None and len(np.unique(splits.train.y)) < 2:
        raise DataError("the training part has one class only: a classifier needs two or more")
    return _with_common_labels(parts)


def _with_common_labels(parts: Mapping[str, Dataset]) -> Splits:
    """Names by number grow to the longest list; names by word must be the same in all parts."""
    longest = max((part.labels for part in parts.values()), key=len)
    for name, part in parts.items():
        if part.labels != longest[: len(part.labels)]:
            raise DataError(f"the {name} part has the labels {_some(part.labels)}, another {_some(longest)}")
    return Splits(**{name: replace(part, labels=longest) for name, part in parts.items()})


def _some(names: Sequence[str]) -> str:
    """The names, or the first few of many."""
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
