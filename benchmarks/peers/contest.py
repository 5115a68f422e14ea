"""What every peer is given, and how its points are measured: the same data, training and accounting for all.

A point's bytes are those of its integer network in pintsize's own layout, so that what is compared is the networks,
not the file formats. RAM and instructions are those of the same program on a Cortex-M4.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.tasks.task import Task
from benchmarks.tasks.teacher import accuracy
from pintsize.compress.quantize import Quantize
from pintsize.devices import device
from pintsize.graph import Graph
from pintsize.measure import footprint
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import input_codes, integer_outputs
from pintsize.write.c import write
from pintsize.write.c.calls import isa_of

DEVICE = "stm32l4r5"
CALIBRATION_SAMPLES = 512
TEMPERATURE = 4.0

Accuracy = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Point:
    """One network: its constants in flash, RAM with stack, instructions of one run on the M4, accuracies."""

    name: str
    weight_bytes: int
    ram_bytes: int
    instructions: int | None
    validation: float
    test: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Contest:
    """A task, its float teacher, and how many epochs of the training data a point may learn."""

    task: Task
    teacher: nn.Module
    epochs: int
    seed: int = 0

    @property
    def sample(self) -> torch.Tensor:
        """One input with its batch axis."""
        return torch.from_numpy(self.task.x_val[:1])

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        return next(iter(self.task.tests.values()))

    def calibration(self) -> np.ndarray:
        """Training samples, evenly picked, channels first."""
        x = self.task.x_train
        return x[:: max(1, len(x) // CALIBRATION_SAMPLES)][:CALIBRATION_SAMPLES]

    def student(self) -> nn.Module:
        """A copy of the teacher to work on."""
        return copy.deepcopy(self.teacher)

    def torch_point(self, name: str, graph: Graph, model: nn.Module) -> Point:
        """The size of an integer Graph with the accuracy of a torch model of the same network."""
        return self._point(name, graph, lambda x, y: accuracy(model, x, y))

    def graph_point(self, name: str, graph: Graph, arrange: Callable[[np.ndarray], np.ndarray]) -> Point:
        """Size and accuracy of an integer Graph."""
        return self._point(
            name, graph, lambda x, y: float((integer_outputs(graph, arrange(x)).argmax(1) == y).mean())
        )

    def int8_graph(self, model: nn.Module) -> tuple[Graph, Callable[[np.ndarray], np.ndarray]]:
        """The network post-training quantized to 8 bits, and what brings inputs into its layout."""
        reading = read(model.eval(), sample_shape=self.task.x_val.shape[1:])
        folded = fold(simplify(reading.graph))
        return Quantize()(folded, reading.arrange(self.calibration())), reading.arrange

    def _point(self, name: str, graph: Graph, judge: Accuracy) -> Point:
        target = device(DEVICE)
        codes = input_codes(graph, np.zeros((1, *graph.type(graph.inputs[0]).shape), np.float32))
        taken = footprint(write(graph, isa=isa_of(target.core)), target, codes)
        validation = judge(self.task.x_val, self.task.y_val)
        return Point(
            name, taken.weight_bytes, taken.ram_bytes, taken.instructions, validation, judge(*self.test)
        )


def learn(
    model: nn.Module,
    contest: Contest,
    learning_rate: float,
    teacher: nn.Module | None = None,
    train_mode: Callable[[nn.Module], object] = nn.Module.train,
) -> nn.Module:
    """Trains on the task's augmented data for the contest's epochs; with a teacher, from its answers as well."""
    task, schedule = contest.task, contest.task.schedule
    generator = torch.Generator().manual_seed(contest.seed)
    x, y = torch.from_numpy(task.x_train), torch.from_numpy(task.y_train)
    steps = max(1, len(y) // schedule.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=schedule.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, contest.epochs * steps, pct_start=0.2
    )
    weights = None if schedule.class_weights is None else torch.tensor(schedule.class_weights)
    train_mode(model)
    for _ in range(contest.epochs):
        order = torch.randperm(len(y), generator=generator)[: steps * schedule.batch_size]
        for batch in order.split(schedule.batch_size):
            inputs = task.augment(x[batch], generator)
            answers = model(inputs)
            loss = F.cross_entropy(
                answers, y[batch], weight=weights, label_smoothing=schedule.label_smoothing
            )
            if teacher is not None:
                loss = 0.1 * loss + 0.9 * _distillation(answers, inputs, teacher)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
    return model


def _distillation(answers: torch.Tensor, inputs: torch.Tensor, teacher: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        wanted = teacher(inputs)
    t = TEMPERATURE
    return t * t * F.kl_div(
        F.log_softmax(answers / t, 1), F.log_softmax(wanted / t, 1), log_target=True, reduction="batchmean"
    )  # fmt: skip
