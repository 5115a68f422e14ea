"""Epochs as TensorBoard shows them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from pintsize.compress.epoch import Epoch
from pintsize.errors import missing_extra


class TensorBoard:
    """An `OnEpoch` that writes event files into a folder: one run per model and phase, one curve per figure.

        with TensorBoard("runs") as board:
            train(student, lesson, how, board)

    Raises MissingExtra where tensorboard is not installed (extra `tensorboard`).
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ModuleNotFoundError as error:
            missing = missing_extra(error)
            if missing is None:
                raise
            raise missing from error
        self._make = SummaryWriter
        self._folder = Path(folder)
        self._writers: dict[str, SummaryWriter] = {}

    def __call__(self, epoch: Epoch) -> None:
        run = f"{epoch.model or 'model'}/{epoch.phase}".replace(" ", "_").replace(",", "")
        writer = self._writers.get(run)
        if writer is None:
            writer = self._writers[run] = self._make(str(self._folder / run))
        for name, value in epoch.figures.items():
            writer.add_scalar(name, value, epoch.done)

    def close(self) -> None:
        """Writes what is still in memory."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
