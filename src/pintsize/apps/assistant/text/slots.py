"""The shipped network of slots: the words of a text that say what an order is about."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.spans import Span, likeliest, spans_of, tag_count
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parents[1] / "weights" / "slots"


class Slots:
    """Text → spans, with the names of either data set."""

    def __init__(self, artifact: Artifact) -> None:
        content = artifact.manifest.content
        try:
            self.features = Features.of(content["features"])
            self.names = {str(c): tuple(map(str, names)) for c, names in content["slots"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{artifact.manifest.name} is no model of slots: {error}") from error
        wanted = self.features.tokens * self.tags
        if artifact.output.elements != wanted:
            raise UserError(
                f"{artifact.manifest.name} gives {artifact.output.elements} numbers, its manifest says {wanted}"
            )
        self.artifact = artifact

    @classmethod
    def load(cls, folder: Path | None = None) -> Slots:
        """From a folder, None for the shipped one. Raises UserError for a folder that is none of this kind."""
        return cls(load(folder or WEIGHTS))

    @property
    def tags(self) -> int:
        """Of both data sets together."""
        return sum(map(tag_count, self.names.values()))

    def find(self, text: str, corpus: str) -> list[Span]:
        """The spans of a text, in their order, with the names of one data set."""
        tokens = self.features.split(text)
        codes = self.artifact.run(self.features.ids(tokens))
        logits = self.artifact.output.dequantize(codes).reshape(self.features.tokens, self.tags)
        start = 0
        for name, names in self.names.items():
            if name == corpus:
                own = logits[: len(tokens), start : start + tag_count(names)].astype(np.float64)
                own -= np.logaddexp.reduce(own, axis=1, keepdims=True) if len(own) else 0.0
                return spans_of(likeliest(own), tokens, names)
            start += tag_count(names)
        raise UserError(f"there are slots of {', '.join(self.names)}, not of {corpus}")
