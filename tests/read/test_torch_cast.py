"""Casts of torch: nothing between kinds of real numbers, refused where they cut off what is behind the point."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pintsize.errors import UnsupportedOp
from pintsize.ops import Relu
from pintsize.read.torch_export import read


class Apply(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x).relu()


NOTHING = {
    "float": lambda x: x.float(),
    "to": lambda x: x.to(torch.float32),
    "double and back": lambda x: x.double().to(torch.float32),
    "half and back": lambda x: x.half().float(),
    "type": lambda x: x.type(torch.float32),
    "type_as": lambda x: x.type_as(torch.ones(1)),
    "to another's": lambda x: x.to(torch.ones(1)),
    "to the processor": lambda x: x.to("cpu"),
    "to both": lambda x: x.to("cpu", torch.float32, copy=True),
}


@pytest.mark.parametrize("name", NOTHING)
def test_between_real_numbers(name: str) -> None:
    assert [n.op for n in read(Apply(NOTHING[name]), (4,)).graph.nodes] == [Relu()]


CUT_OFF = {
    "int": lambda x: x.int().float(),
    "long": lambda x: x.long().float(),
    "bool": lambda x: x.bool().float(),
    "as an index": lambda x: x.type_as(torch.ones(1, dtype=torch.int64)).float(),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_to_whole_numbers(name: str) -> None:
    with pytest.raises(UnsupportedOp, match="only real numbers are supported"):
        read(Apply(CUT_OFF[name]), (4,))
