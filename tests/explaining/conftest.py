"""A small trained network to plant faults in: handwritten digits, before and after its rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from pintsize import embedded
from pintsize.data import Dataset
from pintsize.graph import Graph, Node
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.together import one_thread_each


@dataclass(frozen=True)
class Digits:
    """The teacher as a module and as a folded Graph; samples to judge by and to calibrate on, channels last."""

    module: embedded.DigitsNet
    graph: Graph
    judged: Dataset
    calibration: np.ndarray

    @property
    def convolutions(self) -> tuple[Node, ...]:
        return tuple(n for n in self.graph.nodes if n.op.name == "conv2d")

    def changed(self, **constants: np.ndarray) -> Graph:
        """The graph with other constants."""
        tensors = self.graph.tensors
        return self.graph.with_tensors(
            *(replace(tensors[n], data=d.astype(np.float32)) for n, d in constants.items())
        )


@pytest.fixture(scope="session")
def digits() -> Digits:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "EPOCHS", 6)
        example = embedded.digits()
    assert isinstance(example.teacher, embedded.DigitsNet)
    reading = read(example.teacher, sample_shape=(1, 8, 8), name="digits")
    splits = example.splits
    judged = replace(splits.validation, x=reading.arrange(splits.validation.x))
    calibration = reading.arrange(splits.train.x[:256])
    return Digits(example.teacher, fold(reading.graph), judged, calibration)


@pytest.fixture(autouse=True)
def single_threaded() -> object:
    with one_thread_each():
        yield


class Branches(nn.Module):
    """The same function as the teacher's, its second convolution in two halves of which one is much smaller."""

    def __init__(self, teacher: embedded.DigitsNet, ratio: float) -> None:
        super().__init__()
        f = teacher.features
        self.first, self.last, self.classify = f[:3], f[6:], teacher.classify
        self.large, self.small = self._half(f, slice(0, 16), 1.0), self._half(f, slice(16, 32), 1 / ratio)
        self.scale = nn.Parameter(torch.tensor([1.0] * 16 + [ratio] * 16)[:, None, None])

    @staticmethod
    def _half(f: nn.Sequential, part: slice, factor: float) -> nn.Module:
        conv = nn.Conv2d(32, 16, 3, stride=2, padding=1, bias=False)
        norm, whole = nn.BatchNorm2d(16), f[4]
        with torch.no_grad():
            conv.weight.copy_(f[3].weight[part])
            for name in ("weight", "bias"):
                getattr(norm, name).copy_(getattr(whole, name)[part] * factor)
            for name in ("running_mean", "running_var"):
                getattr(norm, name).copy_(getattr(whole, name)[part])
        return nn.Sequential(conv, norm, nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        joined = torch.cat([self.large(x), self.small(x)], 1)
        return self.classify(self.last(joined * self.scale).flatten(1))


@pytest.fixture(scope="session")
def branches(digits: Digits) -> Graph:
    module = Branches(digits.module, 60.0).eval()
    return fold(read(module, sample_shape=(1, 8, 8), name="branches").graph)
