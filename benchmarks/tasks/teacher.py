"""Train the float teacher of a task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.tasks.task import Task


def train_teacher(task: Task, seed: int = 0, log: Callable[[str], None] = print) -> nn.Module:
    """The task's teacher after the whole schedule, in eval mode. The same seed gives the same weights.

    `log` gets one line per epoch, with the accuracy on the validation split.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    schedule = task.schedule
    model = task.make_teacher()
    x, y = torch.from_numpy(task.x_train), torch.from_numpy(task.y_train)
    if x.ndim == 4:  # convolutions of few channels train faster with the channels last
        _lay_out(model, torch.channels_last)
    steps = len(y) // schedule.batch_size
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=schedule.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, schedule.epochs * steps, pct_start=0.2
    )
    for epoch in range(schedule.epochs):
        model.train()
        order = torch.randperm(len(y), generator=generator)[: steps * schedule.batch_size]
        losses = []
        for batch in order.split(schedule.batch_size):
            loss = _loss(model(task.augment(x[batch], generator)), y[batch], task)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
            losses.append(loss.item())
        log(
            f"{task.name} epoch {epoch + 1}/{schedule.epochs} "
            f"loss {np.mean(losses):.3f} val {accuracy(model, task.x_val, task.y_val):.4f}"
        )
    _lay_out(model, torch.contiguous_format)
    return model.eval()


def _lay_out(model: nn.Module, memory_format: torch.memory_format) -> None:
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


def _loss(logits: torch.Tensor, target: torch.Tensor, task: Task) -> torch.Tensor:
    weights = task.schedule.class_weights
    return F.cross_entropy(
        logits,
        target,
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=task.schedule.label_smoothing,
    )


@torch.no_grad()
def predict(model: nn.Module, x: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Class indices, one per sample; puts the model in eval mode."""
    model.eval()
    if not len(x):
        return np.empty(0, np.int64)
    return torch.cat([model(b).argmax(1) for b in torch.from_numpy(x).split(batch_size)]).numpy()


def accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    """The share of samples whose class is predicted, between 0 and 1."""
    return float((predict(model, x) == y).mean())


def macro_f1(predicted: np.ndarray, y: np.ndarray, classes: int) -> float:
    """F1 averaged over the classes, each counting the same however rare it is."""
    return float(np.mean([_f1(predicted == c, y == c) for c in range(classes)]))


def _f1(predicted: np.ndarray, true: np.ndarray) -> float:
    hits = int((predicted & true).sum())
    return 2 * hits / max(int(predicted.sum() + true.sum()), 1)
