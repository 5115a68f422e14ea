"""Trains what tells intents: one network for the intents of three data sets, of which one half of CLINC150's
validation chooses how sure it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize import Quantize, read_torch
from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.learning import Loss, Schedule, Texts, learn, outputs
from pintsize.apps.assistant.text.networks import Exported, IntentNetwork
from pintsize.apps.assistant.text.scope import Scope, choose_scope
from pintsize.apps.assistant.text.sentences import (
    CLINC,
    HWU,
    OUT_OF_SCOPE,
    SNIPS,
    Sentence,
    clinc_half,
    read_sentences,
)
from pintsize.apps.shipping import ship
from pintsize.integers import run_integers
from pintsize.passes.simplify import fold
from pintsize.stream.decision import Calibration

FEATURES = Features(5000, 24, 16, (3, 4, 5), case=False, affixes=False, apostrophes=False)
#: intents of the other data sets that mean none of CLINC150's
OUTSIDE = frozenset(
    {"qa_factoid", "qa_stock", "general_quirky", "news_query", "email_addcontact", "email_query", "email_querycontact",
     "email_sendemail", "social_post", "social_query", "play_podcasts", "play_radio", "play_audiobook", "play_game",
     "recommendation_events", "recommendation_movies", "transport_ticket", "transport_query", "music_likeness",
     "RateBook", "SearchCreativeWork", "SearchScreeningEvent"}
)  # fmt: skip
#: and those that mean the same as one of CLINC150's
SAME = dict.fromkeys(
    ("iot_hue_lightchange", "iot_hue_lightdim", "iot_hue_lightoff", "iot_hue_lighton", "iot_hue_lightup",
     "iot_wemo_off", "iot_wemo_on"), "smart_home",
)  # fmt: skip
#: of SNIPS so many sentences are learnt from: its 7 intents are easy
SNIPS_SENTENCES = 3000
#: how often one of CLINC150's few sentences out of scope is repeated
REPEATED = 5
DROPOUT = 0.4
CALIBRATING = 512


@dataclass(frozen=True, eq=False)
class Lesson:
    """texts: all sentences; groups: data set → names of its intents, CLINC150's with out of scope at the end.

    labels: (n, groups) indices within the groups, -1 where a sentence says nothing about a group.
    """

    texts: list[str]
    groups: dict[str, list[str]]
    labels: NDArray[np.int64]

    @property
    def outputs(self) -> int:
        return sum(map(len, self.groups.values()))


def lesson(data: Path, seed: int) -> Lesson:
    """What is learnt from. Raises DataError where a data set is not there."""
    clinc, hwu = read_sentences(data, CLINC, "train"), read_sentences(data, HWU, "train")
    snips = read_sentences(data, SNIPS, "train")
    chosen = np.random.default_rng(seed).permutation(len(snips))[:SNIPS_SENTENCES]
    groups = {
        CLINC: [*sorted({s.intent for s in clinc}), OUT_OF_SCOPE],
        HWU: sorted({s.intent for s in hwu}),
        SNIPS: sorted({s.intent for s in snips}),
    }
    outside = [Sentence(s.text, OUT_OF_SCOPE) for s in read_sentences(data, CLINC, "oos_train")] * REPEATED
    rows: list[tuple[str, int, int, int]] = []
    rows += [(s.text, groups[CLINC].index(s.intent), -1, -1) for s in clinc + outside]
    rows += [(s.text, _as_clinc(s.intent, groups[CLINC]), groups[HWU].index(s.intent), -1) for s in hwu]
    rows += [
        (s.text, _as_clinc(s.intent, groups[CLINC]), -1, groups[SNIPS].index(s.intent))
        for s in (snips[i] for i in chosen)
    ]
    return Lesson([r[0] for r in rows], groups, np.array([r[1:] for r in rows], np.int64))


def _as_clinc(intent: str, names: list[str]) -> int:
    if intent in OUTSIDE:
        return names.index(OUT_OF_SCOPE)
    return names.index(SAME[intent]) if intent in SAME else -1


def group_loss(given: Lesson, smoothing: float) -> Loss:
    """Cross-entropy within each group that a sentence says something about, per sentence."""
    widths = [len(names) for names in given.groups.values()]
    labels = torch.from_numpy(given.labels)

    def loss(logits: torch.Tensor, index: NDArray[np.int64]) -> torch.Tensor:
        total = logits.new_zeros(())
        for column, part in enumerate(logits.split(widths, 1)):
            right = labels[torch.from_numpy(index), column]
            total = total + F.cross_entropy(
                part, right, ignore_index=-1, label_smoothing=smoothing, reduction="sum"
            )
        return total / len(index)

    return loss


def train_intents(
    data: Path, out: Path, seed: int, schedule: Schedule, watch: Callable[[str], Any]
) -> dict[str, Any]:
    """From the data to the folder that ships; gives the figures."""
    given = lesson(data, seed)
    (texts,) = Texts.of(FEATURES, given.texts)
    torch.manual_seed(seed)
    network = IntentNetwork(FEATURES, given.outputs, dropout=DROPOUT)
    learn(
        network, [texts], [1.0], group_loss(given, schedule.label_smoothing), FEATURES, schedule, seed, watch
    )
    return _shipped(network, given, data, out, watch)


def _shipped(
    network: IntentNetwork, given: Lesson, data: Path, out: Path, watch: Callable[[str], Any]
) -> dict[str, Any]:
    inside, outside = clinc_half(data, "choose")
    (real,) = Texts.of(FEATURES, [s.text for s in inside + outside])
    right = np.array([given.groups[CLINC].index(s.intent) for s in inside + outside])
    width = len(given.groups[CLINC])
    accuracy = float(
        (outputs(network, real)[: len(inside), : width - 1].argmax(1) == right[: len(inside)]).mean()
    )
    watch(f"real numbers, choosing half: {accuracy:.4f} of the orders in scope")
    samples = _ids(given.texts[:: max(1, len(given.texts) // CALIBRATING)])
    graph = fold(read_torch(Exported(network).eval(), samples.shape[1:]).graph)
    table = next(n.name for n in graph.nodes if n.op.takes_ids)
    integers = Quantize(layer_bits={table: 4})(graph, samples.astype(np.float32))
    found = run_integers(integers, _ids([s.text for s in inside + outside]))
    kind = integers.type(integers.outputs[0])
    logits = (found.reshape(len(found), -1).astype(np.float64) - kind.zero_point) * kind.scale[0]
    scope = choose_scope(logits[:, :width], right)
    figures = {**scope.figures, "real_accuracy_in_scope": accuracy}
    watch(f"integers, choosing half: {figures}")
    return ship_intents(integers, out, given.groups, scope, figures)


def ship_intents(
    graph: Any, out: Path, groups: dict[str, list[str]], scope: Scope, figures: dict[str, Any]
) -> dict[str, Any]:
    """The folder with what running needs: how text becomes ids, the groups of intents, the threshold."""
    facts = {"features": FEATURES.facts, "groups": groups, "least_confidence": scope.least_confidence}
    return ship(
        graph,
        out,
        calibration=Calibration(scope.temperature),
        figures=figures,
        facts=facts,
        flash_device="stm32h7a3",
    )


def _ids(texts: list[str]) -> NDArray[np.int16]:
    return np.stack([FEATURES.ids(FEATURES.split(text)) for text in texts])
