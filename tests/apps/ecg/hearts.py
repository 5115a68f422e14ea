"""Hearts that are drawn: beats whose class is their shape, and models whose weights are set by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize import frontend
from pintsize.apps.ecg.beats import FinderRule, load_beats
from pintsize.apps.ecg.classes import load_classes
from pintsize.apps.ecg.classes.context import RHYTHM
from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.quality import COUNTS_PER_MV, RATE_HZ

HOP = 36
BEFORE, AFTER = 36, 54
LABELS = ("N", "S", "V", "F")
#: height in mV, width in s of the QRS
SHAPES = {"N": (1.0, 0.010), "S": (1.0, 0.010), "V": (1.6, 0.045), "F": (1.3, 0.028)}


def heart(
    beats: Sequence[tuple[str, float]], seed: int = 0, noise_mv: float = 0.01, rate_hz: float = RATE_HZ
) -> NDArray[np.float64]:
    """(n,) mV. beats: class and seconds since the beat before it (or the beginning); half a second more at the end."""
    at_s = np.cumsum([interval for _, interval in beats])
    times_s = np.arange(round((at_s[-1] + 0.5) * rate_hz)) / rate_hz
    made = np.random.default_rng(seed).normal(0, noise_mv, len(times_s))
    for (name, _), peak_s in zip(beats, at_s, strict=True):
        height, width_s = SHAPES[name]
        near = np.abs(times_s - peak_s) < 0.6
        x = times_s[near] - peak_s
        made[near] += height * np.exp(-((x / width_s) ** 2)) - 0.2 * height * np.exp(
            -(((x - 0.04) / width_s) ** 2)
        )
        made[near] += 0.1 * np.exp(-(((x - 0.28) / 0.05) ** 2))
        made[near] += 0.12 * np.exp(-(((x + 0.16) / 0.025) ** 2)) if name == "N" else 0.0
    return made


def counts(millivolts: NDArray[np.float64]) -> NDArray[np.int16]:
    """(n,) counts of 5 µV."""
    return np.clip(np.rint(millivolts * COUNTS_PER_MV), -32768, 32767).astype(np.int16)


def steady(seconds: float, interval_s: float = 0.8) -> list[tuple[str, float]]:
    return [("N", interval_s)] * int(seconds / interval_s)


def beat_folder(folder: Path) -> Path:
    """A band-pass of steps, and the rule of the finder."""
    from pintsize import compile_model

    full_scale = 32768 / COUNTS_PER_MV
    graph = frontend.band_pass(RATE_HZ, (HOP,), 5.0, 20.0, order=1, full_scale=full_scale)
    compile_model(graph, "raspberrypi4", folder, carry=True)
    rule = replace(FinderRule(), delay=16)
    return _with_facts(
        folder, "beats", {name: getattr(rule, name) for name in FinderRule.__dataclass_fields__}
    )


def class_folder(folder: Path) -> Path:
    """Logits by hand: V where the beat is broad, S where it comes early, F in between, N else."""
    import torch  # only to write the artifact; what runs it does without

    from pintsize import Quantize, compile_model, read_torch
    from pintsize.passes.simplify import fold

    samples = BEFORE + AFTER + RHYTHM
    weights = np.zeros((len(LABELS), samples, 2), np.float32)
    weights[2, BEFORE - 10 : BEFORE - 6, 0], weights[2, BEFORE - 20 : BEFORE - 16, 0] = 0.6, -0.6
    weights[1, BEFORE + AFTER, 0] = -0.6
    bias = [8.0, 0.0, -4.0, -24.0]
    linear = torch.nn.Linear(samples * 2, len(LABELS))
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weights.reshape(len(LABELS), -1)))
        linear.bias.copy_(torch.tensor(bias))
    model = torch.nn.Sequential(torch.nn.Flatten(), linear).eval()
    drawn = np.random.default_rng(0).integers(-127, 128, (64, 1, samples, 2)).astype(np.float32)
    graph = Quantize()(fold(read_torch(model, (samples, 2)).graph), drawn)
    compile_model(graph, "raspberrypi4", folder)
    return _with_facts(
        folder, "classes", {"before": BEFORE, "after": AFTER, "rate_hz": RATE_HZ, "threshold": 0.5}, LABELS
    )


def _with_facts(folder: Path, name: str, facts: dict[str, float], labels: Sequence[str] = ()) -> Path:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content |= {name: facts} | ({"labels": list(labels)} if labels else {})
    path.write_text(json.dumps(content))
    return folder


def drawn_pieces(beats: Path, classes: Path) -> Pieces:
    return Pieces(load_beats(beats), load_classes(classes))
