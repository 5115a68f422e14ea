"""Fine-tuning with distillation: the student learns from the teacher's answers, in real numbers or in integers.

The loss is T² · KL(teacher ‖ student) at temperature T (Hinton et al., "Distilling the Knowledge in a Neural Network",
2015), mixed with cross-entropy where there are labels; squared error where the outputs are no classes. With `mixup`
the inputs are blended and the teacher answers the blends (Beyer et al., "A good teacher is patient and consistent",
2022). Feature matching compares where the activations of equally named layers are large (Zagoruyko and Komodakis,
"Paying More Attention to Attention", 2017), which needs no equal widths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.errors import DataError, UserError
from pintsize.graph import Graph
from pintsize.module import GraphModule, run_float

Goal = Literal["classes", "values"]
#: called after every epoch with (epochs done, epochs in all, mean loss)
OnEpoch = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Train:
    """How to fine-tune.

    label_weight: share of the cross-entropy with the labels, in [0, 1]; feature_weight: weight of feature matching.
    learning_rate: of SGD with momentum for a float Graph, of Adam for an annotated one (a tenth is a good start there).
    """

    epochs: int = 30
    learning_rate: float = 0.05
    batch: int = 64
    temperature: float = 4.0
    label_weight: float = 0.1
    feature_weight: float = 0.0
    mixup: bool = True
    warm_up: float = 0.1
    weight_decay: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 1 or self.learning_rate <= 0 or self.temperature <= 0:
            raise UserError(
                "epochs must be at least 0, batch at least 1, learning_rate and temperature above 0"
            )
        if not 0 <= self.label_weight <= 1:
            raise UserError(f"label_weight must be from 0 to 1, not {self.label_weight}")


@dataclass(frozen=True)
class Blends:
    """Fixed blends of two samples each, x[first] + share · (x[second] - x[first]), and the teacher's answers."""

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True)
class Lesson:
    """What is learnt: x (n, *input shape, channels last), y (n,) class numbers or None, the teacher and its answers.

    The teacher answers once, for all students: see `prepare`.
    """

    teacher: Graph
    x: np.ndarray
    y: np.ndarray | None
    answers: np.ndarray
    blends: Blends
    goal: Goal = "classes"


def prepare(
    teacher: Graph,
    x: np.ndarray,
    y: np.ndarray | None,
    goal: Goal = "classes",
    rounds: int = 4,
    seed: int = 0,
) -> Lesson:
    """Lets the teacher answer every sample and `rounds` blends for each."""
    rng = np.random.default_rng(seed)
    first = np.tile(np.arange(len(x)), rounds)
    second = rng.integers(0, len(x), len(first))
    share = (0.5 * rng.random(len(first))).astype(np.float32)
    answers = _answers(teacher, x, np.arange(len(x)), np.arange(len(x)), np.zeros(len(x), np.float32))
    blends = Blends(first, second, share, _answers(teacher, x, first, second, share))
    return Lesson(teacher, x, y, answers, blends, goal)


def _answers(
    teacher: Graph, x: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray, batch: int = 256
) -> np.ndarray:
    parts: list[np.ndarray] = []
    with torch.no_grad():
        for start in range(0, len(first), batch):
            part = slice(start, start + batch)
            blended = torch.from_numpy(_blend(x, first[part], second[part], share[part]))
            parts.append(run_float(teacher, blended).flatten(1).numpy())
    return np.concatenate(parts)


def _blend(x: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    weight = share.reshape(-1, *[1] * (x.ndim - 1))
    return x[first] + weight * (x[second] - x[first])


@dataclass(frozen=True)
class Batch:
    """x, the teacher's answers, and labels (None where inputs are blended)."""

    x: torch.Tensor
    answers: torch.Tensor
    y: torch.Tensor | None


def train(student: Graph, lesson: Lesson, how: Train, on_epoch: OnEpoch | None = None) -> Graph:
    """The student Graph (float, or annotated: then in integers) after learning; the same seed gives the same Graph.

    Raises DataError when the loss is no number any more.
    """
    module = GraphModule(student)
    optimizer, schedule = _optimizer(module, how, -(-len(lesson.x) // how.batch))
    generator = torch.Generator().manual_seed(how.seed)
    for epoch in range(how.epochs):
        module.train()
        losses: list[float] = []
        for batch in _batches(lesson, how, generator):
            optimizer.zero_grad()
            loss = _loss(module, lesson, batch, how)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if not np.isfinite(losses).all():
            raise DataError(f"the loss became {losses[-1]} in epoch {epoch + 1}: use a smaller learning rate")
        if on_epoch:
            on_epoch(epoch + 1, how.epochs, float(np.mean(losses)))
    return module.eval().graph()


def _optimizer(
    module: GraphModule, how: Train, steps_per_epoch: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    learning = [p for p in module.parameters() if p.requires_grad]
    if module.integer:
        optimizer: torch.optim.Optimizer = torch.optim.Adam(learning, how.learning_rate)
    else:
        decayed = [p for p in learning if p.dim() > 1]
        plain = [p for p in learning if p.dim() <= 1]
        groups = [
            {"params": decayed, "weight_decay": how.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.SGD(groups, how.learning_rate, momentum=0.9, nesterov=True)
    total = max(1, how.epochs * steps_per_epoch)
    warm = max(1, int(total * how.warm_up))

    def factor(step: int) -> float:
        return (
            (step + 1) / warm
            if step < warm
            else 0.5 * (1 + np.cos(np.pi * (step - warm) / max(1, total - warm)))
        )

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def _batches(lesson: Lesson, how: Train, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches; with mixup every other one is of blends, whose labels only the teacher knows."""
    order = torch.randperm(len(lesson.x), generator=generator)
    for number, start in enumerate(range(0, len(order), how.batch)):
        index = order[start : start + how.batch].numpy()
        if len(index) < 2 and len(order) > 1:
            continue  # a batch of one has no batch statistics
        if how.mixup and number % 2:
            yield _blended(lesson, index, generator)
        else:
            y = None if lesson.y is None else torch.from_numpy(lesson.y[index])
            yield Batch(torch.from_numpy(lesson.x[index]), torch.from_numpy(lesson.answers[index]), y)


def _blended(lesson: Lesson, index: np.ndarray, generator: torch.Generator) -> Batch:
    blends = lesson.blends
    rounds = len(blends.first) // len(lesson.x)
    chosen = index + len(lesson.x) * torch.randint(rounds, (len(index),), generator=generator).numpy()
    x = _blend(lesson.x, blends.first[chosen], blends.second[chosen], blends.share[chosen])
    return Batch(torch.from_numpy(x), torch.from_numpy(blends.answers[chosen]), None)


def _loss(module: GraphModule, lesson: Lesson, batch: Batch, how: Train) -> torch.Tensor:
    if not how.feature_weight:
        return _answer_loss(module(batch.x).flatten(1), batch, lesson.goal, how)
    wanted: dict[str, torch.Tensor] = {}
    found: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        run_float(lesson.teacher, batch.x, wanted.__setitem__)
    module.observe = found.__setitem__
    loss = _answer_loss(module(batch.x).flatten(1), batch, lesson.goal, how)
    return loss + how.feature_weight * _feature_loss(found, wanted)


def _answer_loss(output: torch.Tensor, batch: Batch, goal: Goal, how: Train) -> torch.Tensor:
    answer, y = batch.answers, batch.y
    if goal == "values":
        return F.mse_loss(output, answer) / answer.var().clamp(min=1e-12)
    t = how.temperature
    soft = t * t * F.kl_div(
        F.log_softmax(output / t, 1), F.log_softmax(answer / t, 1), log_target=True, reduction="batchmean"
    )  # fmt: skip
    if y is None or how.label_weight == 0:
        return soft
    return (1 - how.label_weight) * soft + how.label_weight * F.cross_entropy(output, y)


def _feature_loss(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean distance of the attention maps of equally named images with more than one position."""
    names = [
        n
        for n in found
        if n in wanted and found[n].dim() == 4 and found[n].shape[1:3] == wanted[n].shape[1:3]
    ]
    distances = [
        (_attention(found[n]) - _attention(wanted[n])).square().sum(1).mean()
        for n in names
        if found[n].shape[1] * found[n].shape[2] > 1
    ]
    return torch.stack(distances).mean() if distances else torch.zeros(())


def _attention(image: torch.Tensor) -> torch.Tensor:
    return F.normalize(image.square().mean(-1).flatten(1), dim=1)
