"""A narrower network of the same kind, trained from scratch or with distillation, then quantized to 8 bits."""

from __future__ import annotations

from functools import partial

import torch
import torch_pruning as tp
from torch import nn

from benchmarks.peers import onnx_runtime
from benchmarks.peers.contest import Contest, Point, learn
from benchmarks.peers.torch_pruned import narrowed

SHARES_OF_MACS = (0.5, 0.25, 0.1)


def points(contest: Contest, distilled: bool) -> list[Point]:
    """Every layer narrowed alike, weights drawn anew."""
    return [_point(contest, share, distilled) for share in SHARES_OF_MACS]


from_labels = partial(points, distilled=False)
from_teacher = partial(points, distilled=True)


def _point(contest: Contest, share: float, distilled: bool) -> Point:
    torch.manual_seed(contest.seed)
    model = narrowed(contest, share, tp.importance.RandomImportance(), global_pruning=False)
    model.apply(_draw_anew)
    teacher = contest.teacher.eval() if distilled else None
    learn(model, contest, contest.task.schedule.learning_rate, teacher)
    how = "distilled" if distilled else "from scratch"
    return onnx_runtime.quantized(f"{how}, {share:.0%} of MACs, int8", model, contest)


def _draw_anew(module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
