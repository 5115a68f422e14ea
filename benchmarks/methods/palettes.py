"""Weight clustering: indices into a palette of 16 or 4 entries a layer, against uniform codes of the same bytes.

The entries are found by Lloyd's algorithm ("Least squares quantization in PCM", 1982) over a layer's weights, each
divided by its channel's scale, so that channels share a palette. Everything else stays in real numbers: what differs is
the weights' error alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pintsize.arithmetic import WEIGHT_MAX
from pintsize.compress.quantize import output_axis
from pintsize.compress.weight_scales import weight_scales
from pintsize.graph import Graph, Tensor
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear
from pintsize.verify import float_outputs

ROUNDS, REFITS = 50, 8
LAYERS = (Conv2d, DepthwiseConv2d, Linear)


@dataclass(frozen=True)
class Narrowed:
    """One network with narrower weights: their signal to noise, and how far its outputs are off on the samples.

    divergence: mean KL of softmaxes in nats; error: mean squared difference, relative to the outputs' variance.
    """

    network: str
    bits: int
    form: str
    weight_snr_db: float
    divergence: float
    error: float
    agreement: float


def compare(network: str, folded: Graph, x: np.ndarray) -> list[Narrowed]:
    """Uniform codes and palettes at 4 and at 2 bits, without training. x: (n, *input shape)."""
    wanted = float_outputs(folded, x)
    weights = [folded.tensors[n.inputs[1]] for n in folded.nodes if isinstance(n.op, LAYERS)]
    found: list[Narrowed] = []
    for bits, (form, narrow) in product((4, 2), FORMS.items()):
        arrays = [narrow(weight, bits) for weight in weights]
        changed = [
            replace(w, data=array.astype(np.float32)) for w, array in zip(weights, arrays, strict=True)
        ]
        have = float_outputs(folded.with_tensors(*changed), x)
        snr_db = _snr_db([folded.constant(w.name) for w in weights], arrays)
        error = float(((have - wanted) ** 2).mean() / wanted.var())
        agreement = float((have.argmax(1) == wanted.argmax(1)).mean())
        found.append(Narrowed(network, bits, form, snr_db, _divergence(wanted, have), error, agreement))
        print(found[-1], flush=True)
    return found


def _snr_db(weights: list[np.ndarray], narrowed: list[np.ndarray]) -> float:
    power = sum(float((w.astype(np.float64) ** 2).sum()) for w in weights)
    noise = sum(float(((n - w) ** 2).sum()) for w, n in zip(weights, narrowed, strict=True))
    return 10 * float(np.log10(power / noise))


def uniform(weight: Tensor, bits: int) -> np.ndarray:
    """pintsize's codes, symmetric, one scale a channel."""
    rows = _rows(weight)
    scale = weight_scales(rows, 0, bits)[:, None]
    return _back(weight, np.clip(np.round(rows / scale), -WEIGHT_MAX[bits], WEIGHT_MAX[bits]) * scale)


def whole_range(weight: Tensor, bits: int) -> np.ndarray:
    """Codes between the whole numbers, -1.5, -0.5, 0.5, 1.5: all of 4 or 16, evenly apart."""
    rows = _rows(weight)
    highest = 2 ** (bits - 1) - 0.5
    largest = np.abs(rows).max(1, keepdims=True) / highest
    tries = [
        _halves(rows, np.maximum(largest * share, 1e-12), highest) for share in np.linspace(0.25, 1.0, 46)
    ]
    errors = np.stack([((t - rows) ** 2).sum(1) for t in tries])
    return _back(weight, np.stack(tries)[errors.argmin(0), np.arange(len(rows))])


def _halves(rows: np.ndarray, scale: np.ndarray, highest: float) -> np.ndarray:
    return np.clip(np.floor(rows / scale) + 0.5, -highest, highest) * scale


def palette(weight: Tensor, bits: int) -> np.ndarray:
    """Entries of one layer in 8 bits, one scale a channel."""
    rows = _rows(weight)
    scale, entries = fitted(rows, bits)
    return _back(weight, nearest(rows / scale, entries) * scale)


def nearest(values: np.ndarray, entries: np.ndarray) -> np.ndarray:
    return entries[np.abs(values[..., None] - entries).argmin(-1)]


def fitted(rows: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scales (channels, 1) and entries, rounded to 8 bits, of weights (channels, weights of one), fitted in turn."""
    scale = np.maximum(np.sqrt((rows**2).mean(1, keepdims=True)), 1e-12)
    entries = np.zeros(2**bits)
    for turn in range(REFITS):
        if turn:
            chosen = nearest(rows / scale, entries)
            power = (chosen**2).sum(1, keepdims=True)
            fit = (rows * chosen).sum(1, keepdims=True) / np.maximum(power, 1e-12)
            scale = np.maximum(np.where(power > 0, fit, scale), 1e-12)
        shared = (rows / scale).reshape(-1)
        entries = _lloyd(shared, np.broadcast_to(scale**2, rows.shape).reshape(-1), 2**bits)
        step = max(np.abs(entries).max() / 127, 1e-12)
        entries = np.round(entries / step) * step
    return scale, entries


FORMS = {"uniform": uniform, "uniform, all codes": whole_range, "palette": palette}


def _lloyd(values: np.ndarray, importance: np.ndarray, count: int) -> np.ndarray:
    """Entries of the least weighted squared error, from evenly spread quantiles."""
    order = np.argsort(values, kind="stable")
    values, importance = values[order], importance[order]
    entries = np.quantile(values, (np.arange(count) + 0.5) / count)
    weighed = np.concatenate([[0.0], np.cumsum(values * importance)])
    total = np.concatenate([[0.0], np.cumsum(importance)])
    for _ in range(ROUNDS):
        edges = np.searchsorted(values, (entries[1:] + entries[:-1]) / 2)
        first, last = np.concatenate([[0], edges]), np.concatenate([edges, [len(values)]])
        held = total[last] - total[first]
        entries = np.where(held > 0, (weighed[last] - weighed[first]) / np.maximum(held, 1e-12), entries)
    return entries


def _rows(weight: Tensor) -> np.ndarray:
    """(channels, weights of one)."""
    assert weight.data is not None
    axis = output_axis(weight)
    return np.moveaxis(weight.data, axis, 0).reshape(weight.data.shape[axis], -1).astype(np.float64)


def _back(weight: Tensor, rows: np.ndarray) -> np.ndarray:
    axis, shape = output_axis(weight), weight.type.shape
    return np.moveaxis(rows.reshape(shape[axis], *(s for i, s in enumerate(shape) if i != axis)), 0, axis)


def _divergence(wanted: np.ndarray, have: np.ndarray) -> float:
    p, q = _log_softmax(wanted), _log_softmax(have)
    return float((np.exp(p) * (p - q)).sum(1).mean())


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
