"""A convolutional network over the words of a sentence: what occurs anywhere in it, in two and three words.

Source: Kim, "Convolutional Neural Networks for Sentence Classification", 2014.
"""

from __future__ import annotations

import torch
from torch import nn


class TextCNN(nn.Module):
    """Class logits of token ids, (batch, tokens); ids may come as real numbers."""

    def __init__(self, ids: int, tokens: int, classes: int, width: int = 64, features: int = 96) -> None:
        super().__init__()
        self.table = nn.Embedding(ids, width)
        self.dropout = nn.Dropout(0.3)
        self.pairs = nn.Sequential(nn.Conv1d(width, features, 2), nn.BatchNorm1d(features), nn.ReLU(),
                                   nn.MaxPool1d(tokens - 1))  # fmt: skip
        self.triples = nn.Sequential(nn.Conv1d(width, features, 3), nn.BatchNorm1d(features), nn.ReLU(),
                                     nn.MaxPool1d(tokens - 2))  # fmt: skip
        self.classify = nn.Sequential(nn.Dropout(0.5), nn.Linear(2 * features, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        words = self.dropout(self.table(x.long()).transpose(1, 2))  # (B, width, tokens)
        found = torch.cat([self.pairs(words), self.triples(words)], 1)
        return self.classify(torch.flatten(found, 1))


def make(ids: int = 2000, tokens: int = 16, classes: int = 150) -> TextCNN:
    return TextCNN(ids, tokens, classes)
