"""A small transformer encoder over token ids (Vaswani et al., "Attention Is All You Need", 2017), norms first."""

from __future__ import annotations

import torch
from torch import nn


class TinyTransformer(nn.Module):
    """Class logits of token ids, (batch, tokens); ids may come as real numbers."""

    def __init__(
        self,
        ids: int,
        tokens: int,
        classes: int,
        width: int = 64,
        heads: int = 4,
        inner: int = 128,
        layers: int = 2,
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(ids, width)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.dropout = nn.Dropout(0.2)
        layer = nn.TransformerEncoderLayer(
            width, heads, inner, 0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.pool = nn.MaxPool1d(tokens)
        self.classify = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        words = self.dropout(self.table(x.long()) + self.positions)  # (B, tokens, width)
        found = self.pool(self.layers(words).transpose(1, 2)).squeeze(-1)  # (B, width)
        return self.classify(self.dropout(found))


def make(ids: int = 2000, tokens: int = 16, classes: int = 150) -> TinyTransformer:
    """Two layers of four heads."""
    return TinyTransformer(ids, tokens, classes)
