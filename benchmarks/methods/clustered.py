"""Uniform codes and palettes after training: weights, scales and entries learn through the rounding.

Source: Esser et al., "Learned Step Size Quantization", 2020; entries get the gradients of the weights that chose them.
Activations stay in real numbers: what differs is the form of the weights alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from benchmarks.methods.palettes import LAYERS, fitted
from pintsize.arithmetic import WEIGHT_MAX
from pintsize.compress.quantize import output_axis
from pintsize.compress.weight_scales import weight_scales
from pintsize.graph import Graph, Tensor
from pintsize.module import GraphModule

BATCH, LEARNING_RATE = 64, 1e-3


@dataclass(frozen=True)
class Learnt:
    network: str
    bits: int
    form: str
    squared_error: float


class Clustered(nn.Module):
    """What a weight becomes: its scale per channel (logarithm) and its entries, evenly apart or not."""

    def __init__(self, weight: Tensor, bits: int, form: str) -> None:
        super().__init__()
        assert weight.data is not None
        axis = output_axis(weight)
        rows = np.moveaxis(weight.data, axis, 0).reshape(weight.type.shape[axis], -1).astype(np.float64)
        if form == "palette":
            scale, entries = fitted(rows, bits)
        else:
            most = WEIGHT_MAX[bits]
            evenly = np.arange(-most, most + 1.0)
            entries = evenly if form == "uniform" else np.arange(2**bits) - (2**bits - 1) / 2
            scale = weight_scales(rows, 0, bits)[:, None] * (most / entries.max())
        shape = [1] * weight.data.ndim
        shape[axis] = -1
        self.log_scale = nn.Parameter(torch.tensor(np.maximum(scale, 1e-9)).float().reshape(shape).log())
        self.entries = nn.Parameter(torch.tensor(entries).float(), requires_grad=form == "palette")

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        scale, entries = self.log_scale.exp(), self.entries
        shared = weight / scale
        with torch.no_grad():
            ordered = entries.sort().values
            index = torch.bucketize(shared, (ordered[1:] + ordered[:-1]) / 2)
            chosen = entries.sort().indices[index]
            inside = ((shared >= ordered[0]) & (shared <= ordered[-1])).float()
        nearest = entries[chosen]
        # gradients pass to the weight where it is inside, to the scale by the rounding error, to the entries
        kept = shared * inside
        return scale * (nearest + (kept - kept.detach()))


def compare(network: str, folded: Graph, x: np.ndarray, x_test: np.ndarray, steps: int) -> list[Learnt]:
    """An autoencoder's error after that many steps, for every form of its weights."""
    found = []
    for bits in (4, 2):
        for form in ("uniform", "uniform, all codes", "palette"):
            error = _error_after(folded, bits, form, x, x_test, steps)
            found.append(Learnt(network, bits, form, error))
            print(found[-1], flush=True)
    return found


def _error_after(folded: Graph, bits: int, form: str, x: np.ndarray, x_test: np.ndarray, steps: int) -> float:
    module = GraphModule(folded)
    names = {
        f"values.{module._keys[n.inputs[1]]}": n.inputs[1] for n in folded.nodes if isinstance(n.op, LAYERS)
    }
    forms = nn.ModuleList(Clustered(folded.tensors[t], bits, form) for t in names.values())
    parameters = dict(module.named_parameters())
    learning = [*parameters.values(), *(p for p in forms.parameters() if p.requires_grad)]
    optimizer = torch.optim.Adam(learning, LEARNING_RATE)
    generator = torch.Generator().manual_seed(0)
    samples, test = torch.from_numpy(x), torch.from_numpy(x_test)

    def output(part: torch.Tensor) -> torch.Tensor:
        weights = {n: clustered(parameters[n]) for n, clustered in zip(names, forms, strict=True)}
        return functional_call(module, {**parameters, **weights}, (part,))

    error = _squared_error(output)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        loss = error(samples[torch.randint(len(samples), (BATCH,), generator=generator)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float(error(test))


def _squared_error(output: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda part: (output(part) - part).square().mean()
