"""torch-pruning's global importance, fine-tuned, then ONNX Runtime's static int8."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch_pruning as tp
from torch import nn

from benchmarks.peers import onnx_runtime
from benchmarks.peers.contest import Contest, Point, learn

#: of the teacher's multiply-accumulates
SHARES_OF_MACS = (0.5, 0.25, 0.1)
STEPS = 40
SCORED_SAMPLES = 256
RATE_SHARE = 0.3

Importance = Callable[[], "tp.importance.Importance"]


def points(contest: Contest) -> list[Point]:
    """Global Taylor importance, to shares of the multiply-accumulates."""
    taylor = partial(tp.importance.GroupTaylorImportance)
    return [_point(contest, share, taylor) for share in SHARES_OF_MACS]


def _point(contest: Contest, share: float, importance: Importance) -> Point:
    model = narrowed(contest, share, importance(), global_pruning=True)
    learn(model, contest, contest.task.schedule.learning_rate * RATE_SHARE)
    return onnx_runtime.quantized(f"Taylor, {share:.0%} of MACs, int8", model, contest)


def narrowed(
    contest: Contest, share: float, importance: tp.importance.Importance, global_pruning: bool
) -> nn.Module:
    """The teacher with channels removed, step by step, until that share of its multiply-accumulates is left."""
    model = contest.student()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    pruner = tp.pruner.BasePruner(
        model, contest.sample, importance=importance, global_pruning=global_pruning, pruning_ratio=0.95,
        iterative_steps=STEPS, ignored_layers=[_last_layer(model)], max_pruning_ratio=0.9,
    )  # fmt: skip
    macs, _ = tp.utils.count_ops_and_params(model, contest.sample)
    while tp.utils.count_ops_and_params(model, contest.sample)[0] > share * macs:
        if pruner.current_step >= STEPS:
            break
        _backward(model, contest)
        pruner.step()
    return model


def _last_layer(model: nn.Module) -> nn.Module:
    return [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)][-1]


def _backward(model: nn.Module, contest: Contest) -> None:
    """Gradients of the loss, which Taylor importance needs."""
    model.eval().zero_grad()
    x = torch.from_numpy(contest.task.x_train[:SCORED_SAMPLES])
    y = torch.from_numpy(contest.task.y_train[:SCORED_SAMPLES])
    nn.functional.cross_entropy(model(x), y).backward()
