"""The shipped orders, or one's own: what a run and an evaluation need of them, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.orders.menu import slots_of
from pintsize.apps.assistant.phrases.classifier import FACTS as PHRASES
from pintsize.apps.assistant.phrases.classifier import Classifier
from pintsize.apps.assistant.phrases.window import window_of
from pintsize.apps.assistant.understood import Understood
from pintsize.errors import DataError, UserError
from pintsize.stream.artifact import Artifact, load
from pintsize.stream.decision import Calibration

WEIGHTS = Path(__file__).parent.parent / "weights" / "orders"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "orders"


@dataclass(frozen=True)
class Menu:
    """intent: of all orders; groups: name → values, an output each; needed: the group without which it is no order;
    least: probability that every slot is right, below which it abstains."""

    intent: str
    groups: Mapping[str, Sequence[str]]
    needed: str
    least: float


@dataclass(frozen=True, eq=False)
class Orders:
    """A loaded model of spoken orders: of a menu, or a classifier of a user's own phrases."""

    artifact: Artifact
    menu: Menu | None

    @classmethod
    def load(cls, folder: Path | None = None) -> Orders:
        """Raises UserError for a folder that holds no such model, VerificationError for one that was changed."""
        where = folder or WEIGHTS
        artifact = load(where)
        if PHRASES in artifact.manifest.content:
            return cls(artifact, None)
        return cls(artifact, _menu(artifact, where))

    def understand(self, samples: NDArray[np.int16]) -> Understood:
        """int16 (n,) mono at 16 kHz of one order → intent and slots, or None with the reason."""
        if self.menu is None:
            facts = self.artifact.manifest.content[PHRASES]
            heard = Classifier(self.artifact, float(facts["least"])).recognise(samples)
            return Understood(heard.label, (), heard.confidence, heard.reason)
        try:
            chosen, confidence = self.chosen(samples)
        except DataError as error:
            return Understood(None, (), 0.0, str(error))
        if self.menu.needed not in chosen:
            return Understood(None, (), confidence, f"no {self.menu.needed} was heard: it is no order")
        if confidence < self.menu.least:
            reason = f"unsure of the slots: {confidence:.2f}, {self.menu.least:.2f} is needed"
            return Understood(None, (), confidence, reason)
        return Understood(self.menu.intent, slots_of(chosen), confidence)

    def chosen(self, samples: NDArray[np.int16]) -> tuple[dict[str, str], float]:
        """Group → value of those that were heard, and the probability that all groups are right.

        Raises DataError for silence, UserError for a model of a user's own phrases.
        """
        if self.menu is None:
            raise UserError("a model of one's own phrases has no slots")
        window = window_of(samples, self.artifact.input.elements)
        self.artifact.reset()
        outputs = self.artifact.output.dequantize(self.artifact.run(window)).reshape(-1)
        return read_groups(outputs, self.menu.groups, self.artifact.manifest.calibration)


def read_groups(
    outputs: NDArray[np.float32], groups: Mapping[str, Sequence[str]], calibration: Calibration
) -> tuple[dict[str, str], float]:
    """(labels,) logits, against 0 for a group that is left open → group → value, and the probability of all that."""
    found: dict[str, str] = {}
    confidence, first = 1.0, 0
    for group, values in groups.items():
        of_group = calibration.probabilities(np.concatenate([[0.0], outputs[first : first + len(values)]]))
        best = int(of_group.argmax())
        confidence *= float(of_group[best])
        if best:
            found[group] = values[best - 1]
        first += len(values)
    kept = {name: value for name, value in found.items() if name.split(".")[0] in found}
    return kept, min(confidence, 1.0)


def _menu(artifact: Artifact, where: Path) -> Menu:
    facts = artifact.manifest.content.get(FACTS)
    try:
        menu = Menu(str(facts["intent"]), facts["groups"], str(facts["needed"]), float(facts["least"]))  # type: ignore[index]
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{where} holds {artifact.manifest.name}, which is no model of orders") from error
    if sum(map(len, menu.groups.values())) != artifact.output.elements or menu.needed not in menu.groups:
        raise UserError(f"{where}: its menu does not fit its {artifact.output.elements} outputs")
    return menu
