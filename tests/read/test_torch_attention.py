"""nn.MultiheadAttention and what is built of it: read as a whole, equal to torch; token ids at the front."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.channels import map_channels
from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.read.torch_export import read

STEPS, WIDTH = 6, 8


class Attend(nn.Module):
    def __init__(self, need_weights: bool = True, bias: bool = True, batch_first: bool = True) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(WIDTH, 2, bias=bias, batch_first=batch_first)
        self.need_weights = need_weights

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attend(x, x, x, need_weights=self.need_weights)[0]


class Twice(Attend):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        once = self.attend(x, x, x)[0]
        return self.attend(once, once, once, need_weights=False)[0] + x


class Masked(Attend):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = torch.triu(torch.full((STEPS, STEPS), -1e9), 1)
        return self.attend(x, x, x, attn_mask=mask, need_weights=self.need_weights)[0]


class Crossed(Attend):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attend(x, x * 2, x)[0]


class Watched(Attend):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, weights = self.attend(x, x, x)
        return torch.matmul(weights, y)


class Written(nn.Module):
    """Attention as people write it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.last = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            f(x).view(-1, STEPS, 2, WIDTH // 2).transpose(1, 2) for f in (self.query, self.key, self.value)
        )
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.last(y.transpose(1, 2).reshape(-1, STEPS, WIDTH))


class Tokens(nn.Module):
    """A transformer over ids. cast: the ids come as real numbers."""

    def __init__(self, cast: bool, norm_first: bool = True, positions: str = "parameter") -> None:
        super().__init__()
        self.cast, self.positions = cast, positions
        self.table = nn.Embedding(300, WIDTH)
        self.place = nn.Embedding(STEPS, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, 2, 12, activation="gelu", batch_first=True, norm_first=norm_first
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        words = self.table(x.long() if self.cast else x)
        places = self.place.weight if self.positions == "parameter" else self.place(torch.arange(STEPS))
        return self.layers(words + places).mean(1)


def assert_equal(model: nn.Module, x: torch.Tensor, ids: bool = False) -> Graph:
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.4)
    reading = read(model, x.shape[1:])
    with torch.no_grad():
        theirs = model.eval()(x.long() if ids else x).numpy()
        ours = run_float(reading.graph, torch.from_numpy(reading.arrange(x.numpy())))
    np.testing.assert_allclose(reading.restore(ours.numpy()), theirs, rtol=1e-4, atol=1e-5)
    return reading.graph


def signal() -> torch.Tensor:
    return torch.randn(3, STEPS, WIDTH, generator=torch.Generator().manual_seed(1))


def orders() -> torch.Tensor:
    return torch.randint(0, 300, (3, STEPS), generator=torch.Generator().manual_seed(1)).float()


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_multihead_attention_is_what_torch_computes(need_weights: bool, bias: bool) -> None:
    graph = assert_equal(Attend(need_weights, bias), signal())
    assert [n.op.name for n in graph.nodes].count("matmul") == 2


def test_one_module_called_twice_is_two_attentions() -> None:
    graph = assert_equal(Twice(), signal())
    assert [n.op.name for n in graph.nodes].count("softmax") == 2


def test_attention_written_by_hand_has_heads_that_may_go() -> None:
    graph = assert_equal(Written(), signal())
    assert ("query", "key", "value") in [g.layers for g in map_channels(graph).groups if g.unit == WIDTH // 2]


@pytest.mark.parametrize("cast", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_a_transformer_over_token_ids(cast: bool, norm_first: bool) -> None:
    graph = assert_equal(Tokens(cast, norm_first), orders(), ids=not cast)
    assert graph.nodes[0].op.name == "embedding"


def test_positions_looked_up_become_a_constant() -> None:
    graph = assert_equal(Tokens(True, positions="looked up"), orders())
    assert [n.op.name for n in graph.nodes].count("embedding") == 1


@pytest.mark.parametrize("model", [Masked(), Masked(need_weights=False), Crossed()])
def test_what_is_not_plain_self_attention_is_refused(model: nn.Module) -> None:
    with pytest.raises(UnsupportedOp, match=r"attend \(MultiheadAttention\).*only plain self-attention"):
        read(model, (STEPS, WIDTH))


def test_the_weights_of_attention_are_not_given_out() -> None:
    with pytest.raises(UnsupportedOp, match="need_weights=False"):
        read(Watched(), (STEPS, WIDTH))


def test_a_sequence_before_the_batch_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match=r"attend \(MultiheadAttention\)"):
        read(Attend(batch_first=False), (STEPS, WIDTH))


class Computed(nn.Module):
    """What becomes of ids. how: shifted before the look-up, or read as numbers too."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.table = how, nn.Embedding(50, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.how == "shifted":
            return self.table((x + 1).long())
        return self.table(x.long()) * x.unsqueeze(-1)


def test_ids_must_be_the_input_itself() -> None:
    with pytest.raises(UnsupportedOp, match="its ids must be the model's input itself"):
        read(Computed("shifted"), (STEPS,))


def test_an_input_is_ids_or_numbers() -> None:
    with pytest.raises(ModelError, match="as ids and as numbers"):
        read(Computed("both"), (STEPS,))
