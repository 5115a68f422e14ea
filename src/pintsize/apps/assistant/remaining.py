"""How long it still takes, for whoever waits."""

from __future__ import annotations

import time
from collections.abc import Callable


class Remaining:
    """Tells from the share that is done how long the rest will take; of the clock on the wall, for a person alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since_s = clock()

    def after(self, done: int, of: int) -> str:
        """Such as ", about 3 min left"; empty at the end."""
        if done >= of:
            return ""
        left_s = (self._clock() - self._since_s) / done * (of - done)
        return f", about {left_s:.0f} s left" if left_s < 90 else f", about {left_s / 60:.0f} min left"
