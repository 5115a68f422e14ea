"""How the student is taught where the defaults do not do: another teacher, more samples, a loss of one's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pintsize.checkpoints import Checkpoints
from pintsize.compress.epoch import Epoch, OnEpoch
from pintsize.compress.lesson import Lesson, Loss, Metric, check_student, prepare
from pintsize.compress.recipe import Effort, without_softmax
from pintsize.compress.recover import learning_rate
from pintsize.compress.train import Train, train
from pintsize.data import samples_of
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.progress import Watcher
from pintsize.read.reading import Reading
from pintsize.workshop import Prepared
from pintsize.write.saved import graph_files

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

#: optimizer steps of a student that is taught from the start, as a multiple of those of a candidate
STUDENT_SHARE = 2.0
#: samples to keep the best state by and to tell the metric of
HELD_BACK = 512
#: blends for each sample, at most
MOST_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Teaching:
    """What `pintsize.shrink` does other than by default.

    teacher: a trained model whose answers are learnt, in place of the one that is shrunk; that one is its student,
    trained or not, and takes and gives the same shapes. unlabelled: more samples, without labels: anything that
    `pintsize.load` takes. frozen: layers (names as in the report) that keep their weights and their width. loss:
    replaces the loss of distillation: (student's outputs (n, outputs), teacher's, labels (n,) with -1 for unknown, or
    None) → scalar. metric: replaces accuracy when networks are compared: (outputs (n, outputs), labels) → larger is
    better, at most 1. on_epoch: called after every epoch of every training.
    """

    teacher: nn.Module | ExportedProgram | str | Path | None = None
    unlabelled: Any = None
    frozen: tuple[str, ...] = ()
    loss: Loss | None = None
    metric: Metric | None = None
    on_epoch: OnEpoch | None = None

    def fingerprint(self, ready: Prepared) -> tuple[str, ...]:
        """What of it makes another run: contents of the teacher and the samples, names of functions."""
        digest = hashlib.sha256()
        if ready.teacher is not None:
            digest.update(b"".join(graph_files(ready.teacher).values()))
        if ready.unlabelled is not None:
            digest.update(np.ascontiguousarray(ready.unlabelled).tobytes())
        functions = [getattr(f, "__qualname__", repr(f)) for f in (self.loss, self.metric) if f is not None]
        return (digest.hexdigest(), *sorted(self.frozen), *functions)


def teacher_graph(reading: Reading) -> Graph:
    """The teacher as it answers: folded, up to its logits."""
    return fold(without_softmax(simplify(reading.graph))[0])


def unlabelled_samples(source: Any, reading: Reading, sample_shape: tuple[int, ...]) -> np.ndarray | None:
    """x (n, *input shape), channels last. Raises DataError."""
    if source is None:
        return None
    return reading.arrange(samples_of(source, sample_shape=sample_shape, part="train").x)


def lesson_of(ready: Prepared, teaching: Teaching, effort: Effort, seed: int) -> Lesson:
    """What all candidates learn, with as many blends as a whole training sees.

    Raises DataError for labels, UserError for a student that the teacher does not fit.
    """
    part, kept = ready.splits.train, ready.splits.validation
    labelled = ready.goal == "classes"
    held_back = None
    if teaching.metric is not None:
        held_back = kept.x[:HELD_BACK], kept.y[:HELD_BACK] if labelled and kept.y is not None else None
    blended = effort.float_steps * effort.batch / 2
    rounds = min(MOST_ROUNDS, ceil(blended / max(1, len(part.x))))
    lesson = prepare(
        fold(ready.reference), part.x, part.y if labelled else None, ready.goal, rounds, seed,
        unlabelled=ready.unlabelled, held_back=held_back, loss=teaching.loss, metric=teaching.metric,
        labels=ready.labels,
    )  # fmt: skip
    check_student(ready.graph, lesson)
    return lesson


def taught(
    ready: Prepared, lesson: Lesson, teaching: Teaching, effort: Effort, checkpoints: Checkpoints, watch: Watcher,
    seed: int,
) -> Prepared:  # fmt: skip
    """With a teacher of its own, the student after learning in full width and real numbers; else as it was."""
    if ready.teacher is None:
        return ready
    student = checkpoints.get("student")
    if student is None:
        watch.stage("Teaching the student")
        epochs = ceil(STUDENT_SHARE * effort.float_steps * effort.batch / max(1, len(lesson.x)))
        how = Train(
            max(1, epochs), learning_rate(ready.graph), effort.batch, frozen=teaching.frozen, seed=seed
        )

        def told(epoch: Epoch) -> None:
            watch.step("teaching the student", epoch.done, epoch.total, epoch.loss)
            if teaching.on_epoch:
                teaching.on_epoch(replace(epoch, model="student"))

        student = train(ready.graph, lesson, how, told, "learning from the teacher")
        checkpoints.put("student", student)
    return replace(ready, graph=student)
