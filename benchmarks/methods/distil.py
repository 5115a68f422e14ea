"""A short training from the whole network's answers, in real numbers, the same for everything that is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.tasks.task import Task
from pintsize.graph import Graph
from pintsize.module import GraphModule, run_float
from pintsize.verify import float_outputs

BATCH, LEARNING_RATE, TEMPERATURE, WARM_UP = 64, 0.05, 4.0, 0.1

#: name of a weight → 1 where it stays, 0 where it is nothing
Masks = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Answered:
    """A task's arrays as its Graph takes them, channels last, with that Graph's answers to the training part."""

    graph: Graph
    x_train: np.ndarray
    y_train: np.ndarray
    answers: np.ndarray
    held_out: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def accuracies(self, graph: Graph) -> dict[str, float]:
        """Of a float Graph, by the name of the held-out part."""
        return {
            k: float((float_outputs(graph, x).argmax(1) == y).mean()) for k, (x, y) in self.held_out.items()
        }


def answered(task: Task, graph: Graph, arrange: Callable[[np.ndarray], np.ndarray]) -> Answered:
    held_out = {"validation": (arrange(task.x_val), task.y_val)}
    held_out |= {name: (arrange(x), y) for name, (x, y) in task.tests.items()}
    x = arrange(task.x_train)
    return Answered(graph, x, task.y_train, float_outputs(graph, x), held_out)


def distil(graph: Graph, lesson: Answered, steps: int, seed: int = 0, masks: Masks | None = None) -> Graph:
    """The float Graph after that many steps; masked weights stay at 0."""
    module = GraphModule(graph).train()
    generator = torch.Generator().manual_seed(seed)
    x, answers = torch.from_numpy(lesson.x_train), torch.from_numpy(lesson.answers)
    learning = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learning, LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=1e-4)
    held = [(module.values[module._keys[n]], torch.from_numpy(m)) for n, m in (masks or {}).items()]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * _schedule(step, steps)
        index = torch.randint(len(x), (BATCH,), generator=generator)
        loss = _divergence(module(x[index]).flatten(1), answers[index])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 5.0)
        optimizer.step()
        for weight, mask in held:
            weight.data.mul_(mask)
    return module.eval().graph()


def _schedule(step: int, steps: int) -> float:
    warm = max(1, round(steps * WARM_UP))
    return min((step + 1) / warm, 0.5 * (1 + cos(pi * max(0, step - warm) / max(1, steps - warm))))


def _divergence(output: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    t = TEMPERATURE
    p, q = F.log_softmax(wanted / t, 1), F.log_softmax(output / t, 1)
    return t * t * F.kl_div(q, p, log_target=True, reduction="batchmean")


def pooled(graph: Graph, x: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """Mean over the positions of these activations: name → (n, channels)."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}

    def observe(name: str, value: torch.Tensor) -> None:
        if name in found:
            found[name].append(value.flatten(1, -2).mean(1).numpy())

    with torch.no_grad():
        for part in torch.from_numpy(x).split(256):
            run_float(graph, part, observe)
    return {name: np.concatenate(parts) for name, parts in found.items()}
