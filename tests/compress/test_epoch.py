"""What training tells: a line in the log, a curve in TensorBoard."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from pintsize.compress.epoch import Epoch, to_log
from pintsize.compress.tensorboard import TensorBoard
from pintsize.errors import MissingExtra

EPOCH = Epoch(
    "learning in integers", 2, 5, 0.25, 1e-3, held_back_loss=0.5, metric=0.75, model="width 0.5, 4 bit"
)


def test_the_logger_hears_of_every_figure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="pintsize"):
        to_log(EPOCH)
    assert caplog.messages == [
        "width 0.5, 4 bit: learning in integers 2/5 loss=0.25 learning_rate=0.001 held_back_loss=0.5 metric=0.75"
    ]


def test_figures_that_are_not_there_are_left_out() -> None:
    assert Epoch("x", 1, 1, 0.5, 0.1).figures == {"loss": 0.5, "learning_rate": 0.1}


def test_without_tensorboard_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra, match=r"pintsize\[tensorboard\]"):
        TensorBoard(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_model_and_phase_is_a_run_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    with TensorBoard(tmp_path) as board:
        board(EPOCH)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert [p.parent.relative_to(tmp_path).as_posix() for p in files] == [
        "width_0.5_4_bit/learning_in_integers"
    ]
    assert b"held_back_loss" in files[0].read_bytes()
