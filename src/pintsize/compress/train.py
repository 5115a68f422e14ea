"""Fine-tuning with distillation: the student learns from the teacher's answers, in real numbers or in integers.

What is learnt is a Lesson (lesson.py), how far the student is from it losses.py says. A loss that is no number is
caught: training goes on from the last good epoch with a smaller learning rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, inf, isfinite, pi

import numpy as np
import torch

from pintsize.compress.epoch import LOG, Epoch, OnEpoch, to_log
from pintsize.compress.frozen import frozen_nodes
from pintsize.compress.lesson import Lesson, blend, check_student
from pintsize.compress.losses import Batch, answer_loss, feature_loss
from pintsize.errors import DataError, UserError
from pintsize.graph import Graph
from pintsize.module import GraphModule, run_float

LARGEST_GRADIENT = 5.0
#: what a learning rate is multiplied by after a loss that is no number
SLOWER = 0.2


@dataclass(frozen=True)
class Train:
    """How to fine-tune.

    learning_rate: of SGD with momentum for a float Graph, of Adam for an annotated one (a tenth is a good start there).
    label_weight: share of the loss against the labels, in [0, 1] (1: they alone count). feature_weight: of feature
    matching. samples: an epoch is of so many, drawn anew each time; None: of all. mixup: every other batch is of
    blends. patience: epochs without a better loss on the samples held back, after which training stops. retries: how
    often a loss that is no number makes training slower before it is an error. frozen: layers whose weights do not
    learn.
    """

    epochs: int = 30
    learning_rate: float = 0.05
    batch: int = 64
    temperature: float = 4.0
    label_weight: float = 0.1
    feature_weight: float = 0.0
    samples: int | None = None
    mixup: bool = True
    warm_up: float = 0.1
    weight_decay: float = 1e-4
    patience: int | None = None
    retries: int = 3
    frozen: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 1 or self.learning_rate <= 0 or self.temperature <= 0:
            raise UserError(
                "epochs must be at least 0, batch at least 1, learning_rate and temperature above 0"
            )
        if not 0 <= self.label_weight <= 1:
            raise UserError(f"label_weight must be from 0 to 1, not {self.label_weight}")
        if self.retries < 0 or (self.patience is not None and self.patience < 1):
            raise UserError("retries must be at least 0, patience at least 1")
        if self.samples is not None and self.samples < 1:
            raise UserError("samples must be at least 1")

    def samples_of(self, there: int) -> int:
        """How many of the samples that are there an epoch takes."""
        return there if self.samples is None else min(there, self.samples)


def train(
    student: Graph,
    lesson: Lesson,
    how: Train,
    on_epoch: OnEpoch | None = None,
    phase: str = "learning from the teacher",
) -> Graph:
    """The student Graph (float, or annotated: then in integers) after learning; the same seed gives the same Graph.

    With samples held back the state of the epoch with the least loss on them is the result.

    Raises UserError where the student's shapes differ from the teacher's, DataError when the loss is still no number
    after all retries.
    """
    check_student(student, lesson)
    run = _Run(student, lesson, how)
    for epoch in range(how.epochs):
        losses = run.epoch(epoch)
        found = Epoch(phase, epoch + 1, how.epochs, float(np.mean(losses)), run.rate, *run.on_held_back())
        to_log(found)
        if on_epoch:
            on_epoch(found)
        if run.out_of_patience():
            LOG.info("%s: no better since %d epochs, so training stops", phase, how.patience)
            break
    return run.result()


class _NoNumber(Exception):
    """A loss or gradient that is NaN or infinite."""


@dataclass
class _Best:
    """The least loss on what is held back, the weights it was of, and the epochs since."""

    loss: float = inf
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    age: int = 0


class _Run:
    """The state of one training."""

    def __init__(self, student: Graph, lesson: Lesson, how: Train) -> None:
        self.lesson, self.how = lesson, how
        self.module = GraphModule(student, frozen=frozen_nodes(student, how.frozen))
        self.steps = max(1, how.epochs * -(-how.samples_of(len(lesson.x)) // how.batch))
        self.generator = torch.Generator().manual_seed(how.seed)
        self.slowed = 1.0
        self.best = _Best()
        self.good = [_copied(self.module)]
        self.optimizer = _optimizer(self.module, how)

    @property
    def rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def epoch(self, number: int) -> list[float]:
        """One pass over the lesson, repeated more slowly while its losses are no numbers. Raises DataError."""
        retries = self.how.retries
        while True:
            try:
                losses = self._pass(number)
                self.good = [self.good[-1], _copied(self.module)]
                return losses
            except _NoNumber as error:
                if not retries:
                    raise DataError(self._explanation(number, error)) from None
                retries -= 1
                self._slow_down()
                rate = self.how.learning_rate * self.slowed
                LOG.warning("epoch %d: %s; again from its start, rate %.3g", number + 1, error, rate)

    def _slow_down(self) -> None:
        self.module.load_state_dict(self.good[-1])
        self.good = self.good[:1]  # should that state be the cause: next time the one before
        self.slowed *= SLOWER
        self.optimizer = _optimizer(self.module, self.how)  # its momentum is no number either

    def _explanation(self, number: int, error: _NoNumber) -> str:
        tried = f"even at a learning rate of {self.how.learning_rate * self.slowed:.3g}"
        cause = (
            "the custom loss returns one"
            if self.lesson.loss is not None
            else "samples or weights may be far too large (normalize the inputs), or labels wrong"
        )
        return f"{error} in epoch {number + 1}, {tried}: use a smaller learning rate; if that does not help, {cause}"

    def _pass(self, number: int) -> list[float]:
        self.module.train()
        per_epoch = self.steps // max(1, self.how.epochs)
        losses: list[float] = []
        for index, batch in enumerate(_batches(self.lesson, self.how, self.generator)):
            self._set_rate(number * per_epoch + index)
            losses.append(self._step(batch))
        return losses or [0.0]

    def _step(self, batch: Batch) -> float:
        self.optimizer.zero_grad()
        loss = _loss(self.module, self.lesson, batch, self.how)
        if not isfinite(float(loss.detach())):
            raise _NoNumber(f"the loss became {float(loss.detach())}")
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), LARGEST_GRADIENT)
        if not isfinite(float(norm)):
            raise _NoNumber(f"the gradient became {float(norm)}")
        self.optimizer.step()
        return float(loss.detach())

    def _set_rate(self, step: int) -> None:
        factor = self.slowed * self.how.learning_rate * _schedule(step, self.steps, self.how.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = factor

    @torch.no_grad()
    def on_held_back(self) -> tuple[float | None, float | None]:
        """(loss, metric) of the samples held back; the best state is kept."""
        held = self.lesson.held_back
        if held is None:
            return None, None
        self.module.eval()
        parts = [torch.from_numpy(held.x[i : i + 256]) for i in range(0, len(held.x), 256)]
        output = torch.cat([self.module(part).flatten(1) for part in parts])
        y = None if held.y is None else torch.from_numpy(held.y)
        loss = float(
            _distance(output, self.lesson, Batch(parts[0], torch.from_numpy(held.answers), y), self.how)
        )
        self.best.age += 1
        if loss < self.best.loss:
            self.best = _Best(loss, _copied(self.module))
        metric = self.lesson.metric
        return loss, None if metric is None else float(metric(output.numpy(), held.y))

    def out_of_patience(self) -> bool:
        return self.how.patience is not None and self.best.age >= self.how.patience

    def result(self) -> Graph:
        """The best state where there is one, else the last."""
        if self.best.state:
            self.module.load_state_dict(self.best.state)
        return self.module.eval().graph()


def _copied(module: GraphModule) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def _schedule(step: int, steps: int, warm_up: float) -> float:
    """The share of the learning rate at a step: up in a line, then down along a cosine."""
    warm = max(1, int(steps * warm_up))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))


def _optimizer(module: GraphModule, how: Train) -> torch.optim.Optimizer:
    learning = [p for p in module.parameters() if p.requires_grad]
    if not learning:
        raise UserError("every layer is frozen: nothing is left to learn")
    if module.integer:
        return torch.optim.Adam(learning, how.learning_rate, fused=True)
    groups = [
        {"params": [p for p in learning if p.dim() > 1], "weight_decay": how.weight_decay},
        {"params": [p for p in learning if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, how.learning_rate, momentum=0.9, nesterov=True, fused=True)


def _batches(lesson: Lesson, how: Train, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches; with mixup every other one is of blends, whose labels only the teacher knows."""
    order = torch.randperm(len(lesson.x), generator=generator)[: how.samples_of(len(lesson.x))]
    for number, start in enumerate(range(0, len(order), how.batch)):
        index = order[start : start + how.batch].numpy()
        if len(index) < 2 and len(order) > 1:
            continue  # a batch of one has no batch statistics
        if how.mixup and number % 2 and len(lesson.blends.first):
            yield _blended(lesson, index, generator)
        else:
            y = None if lesson.y is None else torch.from_numpy(lesson.y[index])
            yield Batch(torch.from_numpy(lesson.x[index]), torch.from_numpy(lesson.answers[index]), y)


def _blended(lesson: Lesson, index: np.ndarray, generator: torch.Generator) -> Batch:
    blends = lesson.blends
    rounds = len(blends.first) // len(lesson.x)
    chosen = index + len(lesson.x) * torch.randint(rounds, (len(index),), generator=generator).numpy()
    x = blend(lesson.x, blends.first[chosen], blends.second[chosen], blends.share[chosen])
    return Batch(torch.from_numpy(x), torch.from_numpy(blends.answers[chosen]), None)


def _loss(module: GraphModule, lesson: Lesson, batch: Batch, how: Train) -> torch.Tensor:
    if not how.feature_weight:
        return _distance(_outputs(module, batch.x), lesson, batch, how)
    wanted: dict[str, torch.Tensor] = {}
    found: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        run_float(lesson.teacher, batch.x, wanted.__setitem__)
    module.observe = found.__setitem__
    loss = _distance(_outputs(module, batch.x), lesson, batch, how)
    module.observe = None
    return loss + how.feature_weight * feature_loss(found, wanted)


def _outputs(module: GraphModule, x: torch.Tensor) -> torch.Tensor:
    try:
        return module(x).flatten(1)
    except ValueError as error:  # of a scale that stands for no multiplier
        raise _NoNumber(f"a scale ran away: {error}") from error


def _distance(output: torch.Tensor, lesson: Lesson, batch: Batch, how: Train) -> torch.Tensor:
    if lesson.loss is None:
        return answer_loss(output, batch, lesson.goal, how.temperature, how.label_weight)
    loss = lesson.loss(output, batch.answers, batch.y)
    if not isinstance(loss, torch.Tensor) or loss.dim() != 0:
        shape = tuple(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise UserError(f"the custom loss returned {shape}: it must be a 0-d tensor, such as a mean")
    return loss
