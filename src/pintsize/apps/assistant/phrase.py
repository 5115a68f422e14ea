"""The samples of a phrase: a little from before it began, and all until it ended."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray


class Phrase:
    """Keeps the last `before_samples` while nothing is said, and everything once it began."""

    def __init__(self, before_samples: int) -> None:
        self._before = before_samples
        self._begun = False
        self._kept: deque[NDArray[np.int16]] = deque()
        self._held = 0

    def add(self, samples: NDArray[np.int16]) -> None:
        """samples: the next ones, any shape."""
        flat = samples.reshape(-1)
        self._kept.append(flat)
        self._held += len(flat)
        if not self._begun:
            self.keep_last(self._before + len(flat))  # of what came before this hop

    def keep_last(self, samples: int) -> None:
        """Forgets what is older."""
        while self._held > samples:
            oldest = self._kept.popleft()
            over = min(self._held - samples, len(oldest))
            if over < len(oldest):
                self._kept.appendleft(oldest[over:])
            self._held -= over

    def begin(self) -> None:
        """It began with the samples that were added last."""
        self._begun = True

    def end(self, cut_samples: int = 0) -> NDArray[np.int16]:
        """Gives the phrase without the last `cut_samples`, and keeps the last ones for what comes next."""
        joined = np.concatenate(self._kept) if self._kept else np.zeros(0, np.int16)
        self.drop()
        return joined[: max(len(joined) - cut_samples, 0)]

    def drop(self) -> None:
        """It was none: keeps the last samples as if it had not begun."""
        self._begun = False
        self.keep_last(self._before)

    def clear(self) -> None:
        """What comes next does not follow what is kept."""
        self._begun = False
        self._kept.clear()
        self._held = 0
