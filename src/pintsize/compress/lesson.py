"""What a student learns from: samples, what is known of their labels, and the teacher's answers.

Samples without labels join in: the teacher answers them like all others. With `rounds` of blends the inputs are also
mixed in pairs and the teacher answers the mixtures (Beyer et al., "A good teacher is patient and consistent", 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from pintsize.errors import DataError, UserError
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.ops.embedding import ids_read

Goal = Literal["classes", "values"]
#: the label of a sample whose class nobody knows
UNKNOWN = -1
#: (student's outputs (n, outputs), teacher's (n, outputs), labels (n,) with -1 for unknown, or None) → scalar
Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
#: (outputs (n, outputs), y (n,) or None) → a number, larger is better
Metric = Callable[[np.ndarray, np.ndarray | None], float]


@dataclass(frozen=True)
class Blends:
    """Fixed blends of two samples each, x[first] + share · (x[second] - x[first]), and the teacher's answers."""

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True)
class HeldBack:
    """Samples that nothing is learnt from, to see how well it is learnt; the teacher's answers to them."""

    x: np.ndarray
    y: np.ndarray | None
    answers: np.ndarray


@dataclass(frozen=True)
class Lesson:
    """What is learnt: samples, labels, the teacher and its answers, which it gives once for all students (`prepare`).

    x: (n, *input shape), channels last. y: (n,) class numbers, -1 where unknown; for values (n, outputs) of real
    numbers, NaN where unknown; or None. held_back: by which the best state is kept. loss: replaces the loss of
    distillation; metric: is told of the samples held back after every epoch.
    """

    teacher: Graph
    x: np.ndarray
    y: np.ndarray | None
    answers: np.ndarray
    blends: Blends
    goal: Goal = "classes"
    held_back: HeldBack | None = None
    loss: Loss | None = None
    metric: Metric | None = None

    @property
    def labelled(self) -> np.ndarray:
        """Which samples' labels are known: (n,) of bool."""
        return known(self.y, self.goal) if self.y is not None else np.zeros(len(self.x), bool)


def known(y: np.ndarray, goal: Goal) -> np.ndarray:
    """Which of the labels are there: (n,) of bool."""
    if goal == "classes":
        return np.asarray(y != UNKNOWN)
    return np.asarray(np.isfinite(y).reshape(len(y), -1).all(axis=1))


def prepare(
    teacher: Graph,
    x: np.ndarray,
    y: np.ndarray | None,
    goal: Goal = "classes",
    rounds: int = 4,
    seed: int = 0,
    *,
    unlabelled: np.ndarray | None = None,
    held_back: tuple[np.ndarray, np.ndarray | None] | None = None,
    loss: Loss | None = None,
    metric: Metric | None = None,
    labels: tuple[str, ...] = (),
) -> Lesson:
    """Lets the teacher answer every sample and `rounds` blends for each (none of token ids, which do not mix).

    unlabelled: more x, whose labels nobody knows; held_back: (x, y) to keep the best state by; labels: the classes'
    names, for messages.

    Raises DataError where labels do not match the teacher's outputs, or an answer is no number.
    """
    outputs = teacher.type(teacher.outputs[0]).elements
    for part in (y, held_back[1] if held_back else None):
        if part is not None:
            check_labels(part, outputs, goal, labels)
    if unlabelled is not None:
        x, y = _joined(x, y, unlabelled, goal)
    rng = np.random.default_rng(seed)
    first = np.tile(np.arange(len(x)), 0 if ids_read(teacher) else rounds)
    second = rng.integers(0, len(x), len(first))
    share = (0.5 * rng.random(len(first))).astype(np.float32)
    blends = Blends(first, second, share, _blended_answers(teacher, x, first, second, share))
    kept = None if held_back is None else HeldBack(*held_back, answers_of(teacher, held_back[0]))
    return Lesson(teacher, x, y, answers_of(teacher, x), blends, goal, kept, loss, metric)


def check_labels(y: np.ndarray, outputs: int, goal: Goal, labels: tuple[str, ...] = ()) -> None:
    """Raises DataError naming the labels that the model has no output for, or the shape that it would need."""
    if goal == "values":
        if y.size != len(y) * outputs:
            raise DataError(f"y has the shape {y.shape}; the model gives {outputs} values a sample")
        return
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise DataError(
            f"y has the shape {y.shape} and the type {y.dtype}: one whole number a sample is needed"
        )
    strange = sorted({int(v) for v in np.unique(y) if v >= outputs or v < UNKNOWN})
    if strange:
        named = ", ".join(f"{v} ({labels[v]})" if 0 <= v < len(labels) else str(v) for v in strange[:8])
        more = f" and {len(strange) - 8} more" if len(strange) > 8 else ""
        raise DataError(
            f"labels {named}{more} match none of the model's {outputs} outputs, which are the classes 0 to "
            f"{outputs - 1}: give the data those classes, or the model a last layer of {max(strange) + 1} outputs"
        )


def check_student(student: Graph, lesson: Lesson) -> None:
    """Raises UserError where the student's input or output differs in shape from the teacher's."""
    for what, of in (("takes", lambda g: g.inputs[0]), ("gives", lambda g: g.outputs[0])):
        own, wanted = student.type(of(student)), lesson.teacher.type(of(lesson.teacher))
        same = own.shape == wanted.shape if what == "takes" else own.elements == wanted.elements
        if not same:
            raise UserError(
                f"the student {what} {own.shape} and its teacher {wanted.shape} (channels last, without the batch): "
                "it cannot learn from it until the two agree"
            )


def answers_of(teacher: Graph, x: np.ndarray, batch: int = 256) -> np.ndarray:
    """The teacher's outputs (n, outputs). Raises DataError where one is no number."""
    parts: list[np.ndarray] = []
    with torch.no_grad():
        for start in range(0, len(x), batch):
            part = torch.from_numpy(np.ascontiguousarray(x[start : start + batch]))
            parts.append(run_float(teacher, part).flatten(1).numpy())
    if not parts:
        return np.zeros((0, teacher.type(teacher.outputs[0]).elements), np.float32)
    answers = np.concatenate(parts)
    bad = ~np.isfinite(answers).all(1)
    if bad.any():
        raise DataError(
            f"the teacher's answer to sample {int(bad.argmax())} is no number (NaN or infinite), and so for "
            f"{int(bad.sum())} of {len(x)} samples: its weights or these samples are broken"
        )
    return answers


def blend(x: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """x[first] + share · (x[second] - x[first])."""
    weight = share.reshape(-1, *[1] * (x.ndim - 1))
    return x[first] + weight * (x[second] - x[first])


def _blended_answers(
    teacher: Graph, x: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray, batch: int = 256
) -> np.ndarray:
    parts = [slice(start, start + batch) for start in range(0, len(first), batch)]
    answers = [answers_of(teacher, blend(x, first[p], second[p], share[p])) for p in parts]
    return np.concatenate(answers) if answers else answers_of(teacher, x[:0])


def _joined(
    x: np.ndarray, y: np.ndarray | None, unlabelled: np.ndarray, goal: Goal
) -> tuple[np.ndarray, np.ndarray | None]:
    if unlabelled.shape[1:] != x.shape[1:]:
        raise DataError(
            f"the unlabelled samples have the shape {unlabelled.shape[1:]}, the others {x.shape[1:]}"
        )
    if y is not None:
        none: float = UNKNOWN if goal == "classes" else np.nan
        y = np.concatenate([y, np.full((len(unlabelled), *y.shape[1:]), none, y.dtype)])
    return np.concatenate([x, unlabelled.astype(x.dtype)]), y
