"""Land use from space: ResNet-8 on 32x32 colour images.

Data: EuroSAT (Helber et al., 2019), folders `train/<class>/*.jpg` and `val/<class>/*.jpg` of 64x64
pixels. "val" is the test here; every tenth image of each training class is set aside for validation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmarks.models import resnet8
from benchmarks.tasks.task import Schedule, Standard, Task, data_set
from pintsize.errors import DataError, MissingExtra

FOLDER = "scenes_eurosat"
SIDE = 32
VAL_STRIDE = 10


def load(root: Path) -> Task:
    """Images as (3, 32, 32).

    Raises:
        DataError: the folder lacks the data set, or an image cannot be read.
        MissingExtra: pillow is not installed.
    """
    folder = data_set(root, FOLDER)
    labels = tuple(sorted(p.name for p in (folder / "train").iterdir() if p.is_dir()))
    x, y = read_images(folder / "train", labels)
    x_test, y_test = read_images(folder / "val", labels)
    set_aside = np.concatenate([np.flatnonzero(y == c)[::VAL_STRIDE] for c in range(len(labels))])
    is_val = np.isin(np.arange(len(y)), set_aside)
    standard = Standard.of(x[~is_val], (0, 2, 3))
    return Task(
        name="scenes",
        labels=labels,
        x_train=standard(x[~is_val]),
        y_train=y[~is_val],
        x_val=standard(x[is_val]),
        y_val=y[is_val],
        tests={"images": (standard(x_test), y_test)},
        make_teacher=lambda: resnet8.make(len(labels)),
        augment=turn_and_mirror,
        schedule=Schedule(epochs=40, batch_size=32, learning_rate=6e-3),
        copies=four_ways,
    )


def read_images(folder: Path, labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """All images of a split, each 2x2 block of pixels averaged, in 0..1."""
    paths = [(p, label) for label, name in enumerate(labels) for p in sorted((folder / name).glob("*.jpg"))]
    x = np.stack([read_image(p) for p, _ in paths])
    return x, np.array([label for _, label in paths], np.int64)


def read_image(path: Path) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("pillow", "images") from error
    try:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    except OSError as error:
        raise DataError(f"{path} is not an image: {error}") from error
    return np.asarray(small, np.float32).transpose(2, 0, 1) / 255


def four_ways(x: np.ndarray) -> list[np.ndarray]:
    """Every image as it is, mirrored, and both turned by a quarter."""
    return [np.ascontiguousarray(y) for way in (x, np.rot90(x, 1, (2, 3))) for y in (way, way[..., ::-1])]


def turn_and_mirror(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Land has no upright: each of the eight ways to lay a square, and a shift of up to two pixels.

    The eight ways fall on fixed eighths of the batch, whose order is random anyway.
    """
    parts = list(x.chunk(8))
    turned = [torch.rot90(p, i % 4, (2, 3)) for i, p in enumerate(parts)]
    x = torch.cat([p.flip(3) if i >= 4 else p for i, p in enumerate(turned)])
    down, right = torch.randint(-2, 3, (2,), generator=generator).tolist()
    return torch.roll(x, (down, right), (2, 3))
