"""Trains what finds slots: one network with the tags of two data sets, as written and in small letters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize import Quantize, read_torch
from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.learning import Schedule, Texts, learn
from pintsize.apps.assistant.text.networks import Exported, SlotNetwork
from pintsize.apps.assistant.text.sentences import HWU, SNIPS, Sentence, read_sentences
from pintsize.apps.assistant.text.spans import tag_count, tags_of
from pintsize.apps.shipping import ship
from pintsize.passes.simplify import fold

FEATURES = Features(5000, 32, 16, (3, 4), case=True, affixes=True, apostrophes=True)
#: share of sentences that are seen in small letters, as recognised speech is
SMALL_LETTERS = 0.3
CALIBRATING = 512
_IGNORED = -100
#: keeps the loss near 1: a sentence's is the sum over its tokens
_TYPICAL_TOKENS = 8


def train_slots(
    data: Path, out: Path, seed: int, schedule: Schedule, watch: Callable[[str], Any]
) -> dict[str, Any]:
    """From the data to the folder that ships; gives the figures. Raises DataError where a data set is not there."""
    corpora = {name: read_sentences(data, name, "train") for name in (SNIPS, HWU)}
    names = {
        c: sorted({span.name for s in sentences for span in s.slots}) for c, sentences in corpora.items()
    }
    torch.manual_seed(seed)
    texts = [s.text for sentences in corpora.values() for s in sentences]
    spellings = Texts.of(FEATURES, texts, [text.lower() for text in texts])
    network = SlotNetwork(FEATURES, sum(map(tag_count, names.values())))
    learn(
        network, spellings, [1 - SMALL_LETTERS, SMALL_LETTERS], tag_loss(corpora, names, schedule.label_smoothing),
        FEATURES, schedule, seed, watch,
    )  # fmt: skip
    samples = np.stack(
        [FEATURES.ids(FEATURES.split(text)) for text in texts[:: max(1, len(texts) // CALIBRATING)]]
    )
    graph = fold(read_torch(Exported(network).eval(), samples.shape[1:]).graph)
    table = next(n.name for n in graph.nodes if n.op.takes_ids)
    integers = Quantize(layer_bits={table: 4})(graph, samples.astype(np.float32))
    facts = {"features": FEATURES.facts, "slots": names}
    return ship(integers, out, facts=facts, flash_device="stm32h7a3")


def tag_loss(
    corpora: dict[str, list[Sentence]], names: dict[str, list[str]], smoothing: float
) -> Callable[[torch.Tensor, NDArray[np.int64]], torch.Tensor]:
    """Cross-entropy of each token's tag, among the tags of the data set that a sentence is of, per sentence."""
    widths = [tag_count(own) for own in names.values()]
    tags: list[NDArray[np.int64]] = []
    for corpus, sentences in corpora.items():
        for sentence in sentences:
            row = np.full(FEATURES.tokens, _IGNORED, np.int64)
            own = tags_of(sentence.slots, FEATURES.split(sentence.text), names[corpus])
            row[: len(own)] = own
            tags.append(row)
    right = torch.from_numpy(np.stack(tags))
    corpus_of = torch.from_numpy(np.repeat(np.arange(len(corpora)), [len(s) for s in corpora.values()]))

    def loss(logits: torch.Tensor, index: NDArray[np.int64]) -> torch.Tensor:
        chosen = torch.from_numpy(index)
        total = logits.new_zeros(())
        for number, part in enumerate(logits.split(widths, 2)):
            wanted = right[chosen, : logits.shape[1]].clone()
            wanted[corpus_of[chosen] != number] = _IGNORED
            total = total + F.cross_entropy(
                part.flatten(0, 1),
                wanted.flatten(),
                ignore_index=_IGNORED,
                label_smoothing=smoothing,
                reduction="sum",
            )
        return total / (len(index) * _TYPICAL_TOKENS)

    return loss
