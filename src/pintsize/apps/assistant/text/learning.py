"""How both networks learn: batches of sentences of about equal length, words and parts of words hidden at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.networks import IntentNetwork, SlotNetwork

#: a batch is cut behind its longest sentence and so many tokens of nothing: a full one gives the same answers nearly
#: everywhere, and takes three times as long
_BEHIND = 5
#: so many batches are sorted by length among themselves
_POOL = 24


@dataclass(frozen=True)
class Schedule:
    """Of the training: AdamW, the learning rate up in a line and down in a line.

    hidden_words, hidden_ids: shares that become nothing; unknown: share of the distinct tokens of a batch that are
    seen by their parts alone, as words that training never saw.
    """

    epochs: int
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    hidden_words: float = 0.1
    hidden_ids: float = 0.1
    unknown: float = 0.0
    warm_up_steps: int = 200


@dataclass(frozen=True, eq=False)
class Texts:
    """Sentences as numbers of distinct tokens: places (n, tokens), 0 where there is none; ids (distinct,
    per_token)."""

    places: NDArray[np.int64]
    ids: torch.Tensor

    @classmethod
    def of(cls, features: Features, *spellings: Sequence[str]) -> tuple[Texts, ...]:
        """One for each list of sentences, all over the same distinct tokens."""
        numbers: dict[str, int] = {"": 0}
        rows = [np.zeros(features.per_token, np.int64)]
        made: list[NDArray[np.int64]] = []
        for texts in spellings:
            places = np.zeros((len(texts), features.tokens), np.int64)
            for n, text in enumerate(texts):
                for at, token in enumerate(features.split(text)):
                    if token.text not in numbers:
                        numbers[token.text] = len(rows)
                        rows.append(features.ids([token])[0].astype(np.int64))
                    places[n, at] = numbers[token.text]
            made.append(places)
        ids = torch.from_numpy(np.stack(rows))
        return tuple(cls(places, ids) for places in made)


#: (outputs of a batch, numbers of its sentences) → the loss
Loss = Callable[[torch.Tensor, NDArray[np.int64]], torch.Tensor]


def learn(
    network: IntentNetwork | SlotNetwork, spellings: Sequence[Texts], often: Sequence[float], loss: Loss,
    features: Features, schedule: Schedule, seed: int, watch: Callable[[str], Any],
) -> None:  # fmt: skip
    """Trains the network in place and leaves it in eval mode; the same seed gives the same weights on one computer.

    spellings: of the same sentences; often: how often each is drawn.
    """
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    lengths = (spellings[0].places > 0).sum(1)
    steps = schedule.epochs * -(-len(lengths) // schedule.batch)
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    network.train()
    done = 0
    for epoch in range(schedule.epochs):
        losses: list[float] = []
        for index in _batches(lengths, schedule.batch, rng):
            for group in optimizer.param_groups:
                group["lr"] = (
                    schedule.learning_rate * min(1.0, done / schedule.warm_up_steps) * (1 - done / steps)
                )
            which = rng.choice(len(spellings), len(index), p=often)
            places = np.stack([spellings[w].places[i] for w, i in zip(which, index, strict=True)])
            places = places[:, : int((places > 0).sum(1).max()) + _BEHIND]
            words = _words(network, places, spellings[0].ids, features, schedule, generator)
            found = loss(network.of_words(words), index)
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            losses.append(found.item())
            done += 1
        watch(f"epoch {epoch + 1} of {schedule.epochs}: loss {np.mean(losses):.4f}")
    network.eval()


def _batches(lengths: NDArray[np.int64], batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """All sentences once, those of a batch about equally long, batches in any order."""
    order = rng.permutation(len(lengths))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), batch * _POOL):
        pool = order[start : start + batch * _POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch] for i in range(0, len(pool), batch)]
    yield from (batches[i] for i in rng.permutation(len(batches)))


def _words(
    network: IntentNetwork | SlotNetwork, places: NDArray[np.int64], ids: torch.Tensor, features: Features,
    schedule: Schedule, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """(batch, tokens, width), with words and ids hidden."""
    distinct, numbers = np.unique(places, return_inverse=True)
    own = ids[torch.from_numpy(distinct)]
    own = own * (torch.rand(own.shape, generator=generator) >= schedule.hidden_ids)
    unknown = torch.rand(len(own), generator=generator) < schedule.unknown
    own[unknown, features.hidden] = 0
    words = network.rows.of_distinct(own, torch.from_numpy(numbers.reshape(places.shape)))
    return words * (torch.rand(places.shape, generator=generator) >= schedule.hidden_words)[..., None]


@torch.no_grad()
def outputs(network: IntentNetwork | SlotNetwork, texts: Texts, batch: int = 256) -> NDArray[np.float32]:
    """The network's answers in real numbers, (n, …)."""
    found = [
        network.of_words(
            network.rows.of_distinct(texts.ids, torch.from_numpy(texts.places[i : i + batch]))
        ).numpy()
        for i in range(0, len(texts.places), batch)
    ]
    return np.concatenate(found)
