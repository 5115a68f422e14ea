"""What training tells after every epoch, and the logger that hears of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

#: `logging.getLogger("pintsize")` hears of every epoch at level INFO, and of what was put right at WARNING
LOG = logging.getLogger("pintsize")


@dataclass(frozen=True)
class Epoch:
    """One epoch of training.

    phase: what is learnt; done, total: epochs; loss: mean over the epoch's batches; held_back_loss, metric: of the
    samples held back, None where there are none (or no metric); model: which candidate, where there are several.
    """

    phase: str
    done: int
    total: int
    loss: float
    learning_rate: float
    held_back_loss: float | None = None
    metric: float | None = None
    model: str = ""

    @property
    def figures(self) -> dict[str, float]:
        """The numbers of this epoch by name, as a plot shows them."""
        every = {
            "loss": self.loss,
            "learning_rate": self.learning_rate,
            "held_back_loss": self.held_back_loss,
            "metric": self.metric,
        }
        return {name: value for name, value in every.items() if value is not None}


#: called after every epoch
OnEpoch = Callable[[Epoch], None]


def to_log(epoch: Epoch) -> None:
    """A line for the logger."""
    figures = " ".join(f"{name}={value:.4g}" for name, value in epoch.figures.items())
    LOG.info(
        "%s%s %d/%d %s",
        f"{epoch.model}: " if epoch.model else "",
        epoch.phase,
        epoch.done,
        epoch.total,
        figures,
    )
