"""The two networks: sums of hashed rows for each token, convolutions over tokens, and on top intents or tags.

Rows are learnt on the grid of 4 bits on which they ship, with gradients straight through the rounding, since the
table is most of the flash; everything else is quantized to 8 bits behind the training.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from pintsize.apps.assistant.text.features import Features

#: of a code of 4 bits
_MOST = 7
#: the clipping that loses least of a normal distribution at 15 steps, in standard deviations
_CLIP = 2.7
#: keeps the sum over a sentence in the range of its largest numbers
_SUM_SHARE = 0.2


class Rows(nn.Module):
    """Ids (…, per_token) → the sums of their rows (…, width)."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(rows, width) * 0.1)
        with torch.no_grad():
            self.table[0] = 0

    def on_grid(self) -> torch.Tensor:
        """(rows, width), each column on 15 steps; the gradient is the table's own within them."""
        step = (self.table.detach().square().mean(0).sqrt() * (_CLIP / _MOST)).clamp(min=1e-6)
        codes = self.table / step
        rounded = codes.detach().round().clamp(-_MOST, _MOST)
        grid = (codes.clamp(-_MOST, _MOST) + (rounded - codes.detach().clamp(-_MOST, _MOST))) * step
        nothing = torch.ones(len(grid), 1)
        nothing[0] = 0
        return grid * nothing

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return F.embedding(ids.long(), self.on_grid()).sum(-2)

    def of_distinct(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """The same for distinct tokens (n, per_token), laid out as `places` (…) has their numbers: far fewer sums."""
        return F.embedding_bag(ids, self.on_grid(), mode="sum")[places]


class IntentNetwork(nn.Module):
    """Logits of all groups of intents, (batch, outputs), from ids (batch, tokens, per_token)."""

    def __init__(
        self, features: Features, outputs: int, width: int = 96, hidden: int = 128, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.rows = Rows(features.rows, width)
        self.first = nn.Conv1d(width, hidden, 3, padding=1)
        self.second = nn.Conv1d(hidden, hidden, 3, padding=1)
        self.head = nn.Linear(hidden + width, outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.of_words(self.rows(ids))

    def of_words(self, words: torch.Tensor) -> torch.Tensor:
        """words: (batch, tokens, width)."""
        words = self.dropout(words)
        x = F.relu(self.first(words.transpose(1, 2)))
        x = x + F.relu(self.second(x))  # (batch, hidden, tokens)
        whole = torch.cat([x.amax(2), words.sum(1) * _SUM_SHARE], 1)
        return self.head(self.dropout(whole))


class SlotNetwork(nn.Module):
    """Logits of tags for each token, (batch, tokens, tags), from ids (batch, tokens, per_token).

    The second layer also sees the largest of the first over the whole sentence: what it is about decides its slots.
    """

    def __init__(self, features: Features, tags: int, width: int = 64, hidden: int = 128) -> None:
        super().__init__()
        self.rows = Rows(features.rows, width)
        self.first = nn.Conv1d(width, hidden, 3, padding=1)
        self.deeper = nn.ModuleList(
            nn.Conv1d(hidden, hidden, 3, padding=reach, dilation=reach) for reach in (1, 2, 4)
        )
        self.about = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, tags)
        self.dropout = nn.Dropout(0.3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.of_words(self.rows(ids))

    def of_words(self, words: torch.Tensor) -> torch.Tensor:
        """words: (batch, tokens, width)."""
        x = F.relu(self.first(self.dropout(words).transpose(1, 2)))  # (batch, hidden, tokens)
        for order, layer in enumerate(self.deeper):
            x = x + F.relu(layer(self.dropout(x)))
            if order == 0:
                x = x + F.relu(self.about(x.amax(2)))[..., None]
        return self.head(self.dropout(x.transpose(1, 2)))


class Exported(nn.Module):
    """A trained network with its table on the grid, as it is read into a Graph."""

    def __init__(self, network: IntentNetwork | SlotNetwork) -> None:
        super().__init__()
        self.table = nn.Embedding.from_pretrained(network.rows.on_grid().detach())
        self.network = network

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.network.of_words(self.table(ids.long()).sum(2))
