"""The losses of distillation.

T² · KL(teacher ‖ student) at temperature T (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015), mixed
with cross-entropy where there are labels; squared error where the outputs are no classes. Feature matching compares
where the activations of equally named layers are large (Zagoruyko and Komodakis, "Paying More Attention to Attention",
2017), which needs no equal widths.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pintsize.compress.lesson import UNKNOWN, Goal


@dataclass(frozen=True)
class Batch:
    """x, the teacher's answers (n, outputs), and labels (None where inputs are blended; -1 or NaN where unknown)."""

    x: torch.Tensor
    answers: torch.Tensor
    y: torch.Tensor | None


def answer_loss(
    output: torch.Tensor, batch: Batch, goal: Goal, temperature: float, label_weight: float
) -> torch.Tensor:
    """Of outputs (n, outputs): (1 - label_weight) · distance to the answers + label_weight · distance to the labels."""
    distance = _value_distance if goal == "values" else _class_distance
    taught = distance(output, batch.answers, temperature)
    if batch.y is None or label_weight == 0:
        return taught
    return (1 - label_weight) * taught + label_weight * _label_loss(output, batch.y, goal, taught)


def _class_distance(output: torch.Tensor, answers: torch.Tensor, t: float) -> torch.Tensor:
    return t * t * F.kl_div(
        F.log_softmax(output / t, 1), F.log_softmax(answers / t, 1), log_target=True, reduction="batchmean"
    )  # fmt: skip


def _value_distance(output: torch.Tensor, answers: torch.Tensor, t: float) -> torch.Tensor:
    return F.mse_loss(output, answers) / answers.var().clamp(min=1e-12)


def _label_loss(output: torch.Tensor, y: torch.Tensor, goal: Goal, otherwise: torch.Tensor) -> torch.Tensor:
    """Over the samples whose labels are known; `otherwise` in a batch without any."""
    if goal == "classes":
        known = y != UNKNOWN
        return F.cross_entropy(output[known], y[known]) if bool(known.any()) else otherwise
    wanted = y.reshape(output.shape)
    known = torch.isfinite(wanted).all(1)
    return _value_distance(output[known], wanted[known], 1.0) if int(known.sum()) > 1 else otherwise


def feature_loss(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> torch.Tensor:
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
