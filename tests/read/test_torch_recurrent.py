"""What torch's recurrent layers compute, the Graph computes; what cannot be read is refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.ops import Gru, Lstm
from pintsize.read.torch_export import read

SHAPE = (6, 5)


class Layers(nn.Module):
    """A recurrent layer, and what is used of its results."""

    def __init__(self, layer: nn.RNNBase, take: str = "all") -> None:
        super().__init__()
        self.layer = layer
        self.take = take

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs, states = self.layer(x)
        final = states[0] if isinstance(states, tuple) else states
        if self.take == "h_n of the last layer":
            return final[-1]
        if self.take == "h_n without its axis":
            return final.squeeze(0)
        return final if self.take == "h_n" else outputs


class Given(nn.Module):
    """A layer with an initial state of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.GRU(5, 7, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x, x[:, :1, :1].expand(-1, -1, 7).transpose(0, 1).contiguous())[0]


def check(model: nn.Module, shape: tuple[int, ...] = SHAPE) -> Graph:
    """Reads the model and compares it with torch; gives the Graph back."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    reading = read(model, shape)
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = run_float(reading.graph, torch.from_numpy(reading.arrange(x.numpy())))
        theirs = model.eval()(x).numpy()
    np.testing.assert_allclose(reading.restore(ours.numpy()), theirs, rtol=1e-5, atol=1e-5)
    return reading.graph


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("take", ["all", "h_n of the last layer", "h_n without its axis"])
def test_one_layer(kind: type[nn.RNNBase], take: str) -> None:
    graph = check(Layers(kind(5, 7, batch_first=True), take))
    assert sum(isinstance(n.op, Lstm | Gru) for n in graph.nodes) == 1


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_several_layers_without_biases(kind: type[nn.RNNBase]) -> None:
    layer = kind(5, 4, num_layers=3, bias=False, dropout=0.5, batch_first=True)
    graph = check(Layers(layer, "h_n of the last layer"))
    assert sum(isinstance(n.op, Lstm | Gru) for n in graph.nodes) == 3


def test_behind_a_convolution() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv1d(2, 5, 3)
            self.layer = nn.LSTM(5, 6, batch_first=True)
            self.head = nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            features = self.convolution(x).transpose(1, 2)
            return self.head(self.layer(features)[1][0][-1])

    check(Net(), (2, 20))


REFUSED = {
    "both directions": (Layers(nn.LSTM(5, 4, bidirectional=True, batch_first=True)), "bidirectional=False"),
    "the batch second": (Layers(nn.GRU(5, 4)), "batch_first=True"),
    "a projection": (Layers(nn.LSTM(5, 4, proj_size=2, batch_first=True)), "proj_size=0"),
    "all final states": (Layers(nn.GRU(5, 4, batch_first=True), "h_n"), "final state|does not depend"),
    "a state of its own": (Given(), "initial state must be zeros"),
}


@pytest.mark.parametrize(("model", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(model: nn.Module, reason: str) -> None:
    with pytest.raises((UnsupportedOp, ModelError), match=reason):
        read(model, SHAPE)
