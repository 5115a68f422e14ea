"""What comes before a network, in the device's integers: Graphs that take raw samples, and how they join others.

    front = frontend.log_mel(16_000, 1.0)            # a second of int16 samples → (98, 40)
    x = frontend.features(front, recordings)         # real numbers to train a model on
    graph = frontend.chain(front, quantized_model)   # takes the samples: write it, or stream it

The samples are int16 codes of ±full_scale. Every piece is an integer Graph with one layer or a few; `chain` puts
pieces, and at last a quantized model, one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log2

import numpy as np

from pintsize.errors import MissingExtra, UserError
from pintsize.graph import Graph, Node, Op, Tensor, TensorType
from pintsize.integers import run_integers
from pintsize.ops import Biquad, Linear, LogMel, Requantize, Resample, Reshape, ZScore
from pintsize.spec import check
from pintsize.spectrum import LARGEST_FFT, SMALLEST_FFT

#: samples are codes of 16 bits
HALF_RANGE = 1 << 15
#: a z-score beyond this is an artefact
LARGEST_Z_SCORE = 8.0
#: where a filter's gain is looked at, from 0 to half the rate
GAIN_POINTS = 4096


def log_mel(
    rate_hz: float,
    seconds: float,
    window_s: float = 0.025,
    hop_s: float = 0.010,
    mels: int = 40,
    fft: int | None = None,
    *,
    low_hz: float = 20.0,
    high_hz: float | None = None,
    floor: float = 1e-10,
    full_scale: float = 1.0,
) -> Graph:
    """Samples (n,) → (frames, mels): log2 of the energies in mel bands, int16 codes.

    seconds: of a clip, or `window_s` for a step of a stream; fft: samples of the transform (None: the power of two that
    holds a window); high_hz: None for 95 % of half the rate; floor: see `LogMel`. Raises UserError where these do not
    fit together.
    """
    window = 2 * round(window_s * rate_hz / 2)
    size = fft or max(SMALLEST_FFT, 1 << max(window - 1, 1).bit_length())
    if not SMALLEST_FFT <= size <= LARGEST_FFT:
        raise UserError(
            f"a window of {window_s} s at {rate_hz} Hz has {window} samples: {LARGEST_FFT} are allowed"
        )
    hop, end_hz = max(1, round(hop_s * rate_hz)), 0.95 * rate_hz / 2 if high_hz is None else high_hz
    op = _legal(lambda: LogMel(float(rate_hz), window, hop, size, mels, low_hz, end_hz, floor=floor))
    largest = max(abs(log2(floor)), abs(log2(full_scale**2 + floor)), 1.0)
    return _piece(op, (max(window, round(seconds * rate_hz)),), _scale_of(largest), full_scale)


def mfcc(
    rate_hz: float,
    seconds: float,
    window_s: float = 0.025,
    hop_s: float = 0.010,
    mels: int = 40,
    coefficients: int = 13,
    *,
    fft: int | None = None,
    low_hz: float = 20.0,
    high_hz: float | None = None,
    floor: float = 1e-10,
    full_scale: float = 1.0,
) -> Graph:
    """Samples (n,) → (frames, coefficients): the orthonormal cosine transform of `log_mel`, int16 codes.

    Raises UserError as `log_mel` does, and for more coefficients than mels.
    """
    front = log_mel(
        rate_hz, seconds, window_s, hop_s, mels, fft,
        low_hz=low_hz, high_hz=high_hz, floor=floor, full_scale=full_scale,
    )  # fmt: skip
    if not 1 <= coefficients <= mels:
        raise UserError(f"{coefficients} coefficients of {mels} mels: 1..{mels} are allowed")
    logs = front.type(front.outputs[0])
    weight, bias = _cosines(coefficients, mels, logs.scale[0])
    scale = _scale_of(logs.scale[0] * HALF_RANGE * mels**0.5)
    out = Tensor("mfcc", TensorType((logs.shape[0], coefficients), "int16", (scale,)))
    node = Node("mfcc", Linear(), (front.outputs[0], weight.name, bias.name), out.name)
    tensors = {**front.tensors, **{t.name: t for t in (weight, bias, out)}}
    return _checked(
        replace(front, name="mfcc", tensors=tensors, nodes=(*front.nodes, node), outputs=(out.name,))
    )


def _cosines(coefficients: int, mels: int, scale: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of a layer that is an orthonormal cosine transform of codes of this scale."""
    basis = np.cos(np.pi / mels * np.outer(np.arange(coefficients), np.arange(mels) + 0.5))
    basis *= np.sqrt(np.where(np.arange(coefficients) == 0, 1.0, 2.0) / mels)[:, None]
    scales = (np.abs(basis).max(1) / 127.0).astype(np.float32)
    codes = np.rint(basis / scales[:, None]).astype(np.int8)
    weight = Tensor("cosines", TensorType(basis.shape, "int8", tuple(scales.tolist()), axis=0), codes)
    sums = tuple((scales * scale).tolist())
    bias = TensorType((coefficients,), "int32", sums, axis=0)
    return weight, Tensor("nothing", bias, np.zeros(coefficients, np.int32))


def band_pass(
    rate_hz: float,
    shape: tuple[int, ...],
    low_hz: float | None,
    high_hz: float | None,
    order: int = 2,
    full_scale: float = 1.0,
) -> Graph:
    """Samples (n,) or (n, channels) → the same, without what lies below low_hz and above high_hz, on the same grid.

    A Butterworth filter (scipy's), recursive; None for no bound on that side, `order` per bound. Raises UserError for
    bounds that are not in order below half the rate.
    """
    bounds = [hz for hz in (low_hz, high_hz) if hz is not None]
    if not bounds or sorted({*bounds}) != bounds or bounds[0] <= 0 or bounds[-1] >= rate_hz / 2 or order < 1:
        raise UserError(
            f"a band of {low_hz} to {high_hz} Hz, order {order}: bounds in order within 0..{rate_hz / 2} Hz, half the "
            "rate, and an order of at least 1 are allowed"
        )
    try:
        from scipy.signal import butter
    except ImportError as error:
        raise MissingExtra("scipy", "train") from error
    kind = "bandpass" if len(bounds) == 2 else "highpass" if high_hz is None else "lowpass"
    rows = np.asarray(
        butter(order, bounds if len(bounds) == 2 else bounds[0], kind, fs=rate_hz, output="sos")
    )
    coefficients = np.delete(_of_even_gain(rows), 3, axis=1).reshape(-1)
    op = _legal(lambda: Biquad(tuple(coefficients.tolist()), float(rate_hz)))
    return _piece(op, shape, full_scale / HALF_RANGE, full_scale)


def _of_even_gain(rows: np.ndarray) -> np.ndarray:
    """The sections with the same product of gains, each with 1 where it is largest: none loses bits, none saturates."""
    turns = np.exp(-1j * np.linspace(0, np.pi, GAIN_POINTS))[:, None] ** np.arange(3)
    gains = np.abs(turns @ rows[:, :3].T / (turns @ rows[:, 3:].T)).max(0)
    scaled = rows.copy()
    scaled[:, :3] /= gains[:, None]
    scaled[-1, :3] *= gains.prod()
    return scaled


def resample(
    rate_hz: int, to_hz: int, shape: tuple[int, ...], taps: int = 32, full_scale: float = 1.0
) -> Graph:
    """Samples (n,) or (n, channels) at one rate → at another, without padding, on the same grid; whole Hz.

    taps: per output, where the new rate is not lower than the old, else as many more as it is lower. Raises UserError
    where these do not fit together.
    """
    if rate_hz < 1 or to_hz < 1:
        raise UserError(f"from {rate_hz} to {to_hz} Hz: both must be positive")
    common = int(np.gcd(rate_hz, to_hz))
    up, down = to_hz // common, rate_hz // common
    count = ceil(taps * max(1.0, down / up))
    op = _legal(lambda: Resample(up, down, count, rate_hz=float(rate_hz)))
    return _piece(op, shape, full_scale / HALF_RANGE, full_scale)


def z_score(
    shape: tuple[int, ...], floor: float = 1e-3, full_scale: float = 1.0, rate_hz: float = 0.0
) -> Graph:
    """Samples (n,) or (n, channels) → their distances from the mean in standard deviations, up to ±8, int16 codes.

    floor: the least standard deviation, see `ZScore`. Raises UserError for another shape.
    """
    op = _legal(lambda: ZScore(floor, rate_hz))
    return _piece(op, shape, _scale_of(LARGEST_Z_SCORE), full_scale)


def raw(shape: tuple[int, ...], full_scale: float = 1.0) -> Graph:
    """Samples (n,) or (n, channels) as they are: to begin a chain, which puts them on the next piece's grid."""
    x = TensorType(shape, "int16", (float(np.float32(full_scale / HALF_RANGE)),))
    return Graph("samples", {"samples": Tensor("samples", x)}, (), ("samples",), ("samples",))


def chain(first: Graph, *others: Graph) -> Graph:
    """Integer Graphs one behind the other: the first one's input, the last one's output, names and labels.

    Where a piece ends with an op that computes any grid, it computes that of the next piece's input; else numbers are
    requantized. A shape may gain or lose axes of 1. Raises UserError where shapes do not fit.
    """
    joined = first
    for number, following in enumerate(others):
        joined = _joined(joined, following, f"front{number}")
    return _checked(joined)


def features(front: Graph, samples: np.ndarray) -> np.ndarray:
    """What a piece makes of int16 samples (n, *its input's shape): real numbers, float32."""
    kind = front.type(front.outputs[0])
    codes = run_integers(front, np.asarray(samples))
    return (codes.astype(np.float32) - kind.zero_point) * np.float32(kind.scale[0])


def _scale_of(largest: float) -> float:
    """Of int16 codes that reach so far."""
    return float(np.float32(largest / (HALF_RANGE - 1)))


def _legal(made: Callable[[], Op]) -> Op:
    try:
        return made()
    except ValueError as error:
        raise UserError(str(error)) from error


def _piece(op: Op, shape: tuple[int, ...], scale: float, full_scale: float) -> Graph:
    x = TensorType(shape, "int16", (float(np.float32(full_scale / HALF_RANGE)),))
    try:
        y = TensorType(op.shape([x]), "int16", x.scale if op.ties_types else (float(np.float32(scale)),))
    except ValueError as error:
        raise UserError(str(error)) from error
    tensors = {"samples": Tensor("samples", x), op.name: Tensor(op.name, y)}
    return Graph(op.name, tensors, (Node(op.name, op, ("samples",), op.name),), ("samples",), (op.name,))


def _joined(first: Graph, following: Graph, prefix: str) -> Graph:
    made, wanted = first.type(first.outputs[0]), following.type(following.inputs[0])
    if [n for n in made.shape if n != 1] != [n for n in wanted.shape if n != 1]:
        raise UserError(
            f"{first.name} gives {made.shape}, {following.name} takes {wanted.shape}: they may differ in axes of 1 "
            "alone"
        )
    names = {n: f"{prefix}/{n}" for n in first.tensors if n in following.tensors}
    front = _renamed(first, names, prefix)
    nodes, tensors = list(front.nodes), {**front.tensors, **following.tensors}
    last = front.outputs[0]
    if (made.dtype, made.scale, made.zero_point) != (wanted.dtype, wanted.scale, wanted.zero_point):
        kind = replace(wanted, shape=made.shape)
        if nodes and nodes[-1].op.any_width:
            tensors[last] = Tensor(last, kind)
        else:
            name = f"{prefix}/requantized"
            nodes.append(Node(name, Requantize(), (last,), name))
            tensors[name], last = Tensor(name, kind), name
    if made.shape != wanted.shape:
        name = f"{prefix}/shaped"
        nodes.append(Node(name, Reshape(wanted.shape), (last,), name))
        tensors[name], last = Tensor(name, wanted), name
    del tensors[following.inputs[0]]
    nodes += [
        replace(n, inputs=tuple(last if i == following.inputs[0] else i for i in n.inputs))
        for n in following.nodes
    ]
    return replace(following, tensors=tensors, nodes=tuple(nodes), inputs=front.inputs)


def _renamed(graph: Graph, names: dict[str, str], prefix: str) -> Graph:
    """With other names of tensors, and of nodes."""

    def new(name: str) -> str:
        return names.get(name, name)

    nodes = tuple(
        replace(n, name=f"{prefix}/{n.name}", inputs=tuple(map(new, n.inputs)), output=new(n.output))
        for n in graph.nodes
    )
    tensors = {new(t.name): replace(t, name=new(t.name)) for t in graph.tensors.values()}
    return replace(
        graph, tensors=tensors, nodes=nodes, inputs=tuple(map(new, graph.inputs)),
        outputs=tuple(map(new, graph.outputs)),
    )  # fmt: skip


def _checked(graph: Graph) -> Graph:
    check(graph, "integer")
    return graph
