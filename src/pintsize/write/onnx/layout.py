"""How the axes of a Graph's tensor lie in ONNX, where an image is (N, C, H, W)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

#: first: an image with its channels before height and width; last: as in the Graph, behind the batch;
#: flat: the numbers of an image in one axis, in the order that `first` holds them
Form = Literal["first", "last", "flat"]

TO_FIRST = (0, 3, 1, 2)
TO_LAST = (0, 2, 3, 1)


@dataclass(frozen=True)
class Place:
    """Where a tensor is in the model: the name of its codes or numbers, and their form."""

    name: str
    form: Form
    image: tuple[int, ...] = ()  # of a flat one: (H, W, C)


def interface_form(shape: tuple[int, ...]) -> Form:
    """The form of a model's input or output: three axes are an image, channels first."""
    return "first" if len(shape) == 3 else "last"


def onnx_shape(shape: tuple[int, ...], form: Form) -> tuple[int, ...]:
    """The Graph's shape in this form, batch left out."""
    return (shape[2], shape[0], shape[1]) if form == "first" else shape


def order_matters(image: tuple[int, ...]) -> bool:
    """Whether (H, W, C) and (C, H, W) hold the numbers in different orders."""
    height, width, channels = image
    return height * width > 1 and channels > 1


def channels_first(x: np.ndarray) -> np.ndarray:
    """x (n, *a Graph's shape) as the written model takes it: three axes (H, W, C) as (C, H, W), others as they are."""
    return np.ascontiguousarray(x.transpose(TO_FIRST) if x.ndim == 4 else x)


def channels_last(y: np.ndarray) -> np.ndarray:
    """What the written model gives → (n, *the Graph's shape): the inverse of `channels_first`."""
    return np.ascontiguousarray(y.transpose(TO_LAST) if y.ndim == 4 else y)
