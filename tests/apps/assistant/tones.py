"""An assistant whose words are tones: "computer" is 1 kHz, "lamp" 2 kHz, digits 3 kHz, orders 4 kHz.

The wake word is a real artifact of steps with a front-end; its weights are set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize import frontend
from pintsize.apps.assistant.pieces import Pieces
from pintsize.apps.assistant.understood import Heard, Understood
from pintsize.graph import Graph
from pintsize.stream.artifact import Artifact, load
from pintsize.stream.decision import Detection, Levels

RATE_HZ, HOP = 16_000, 320
LABELS = ("computer", "lamp", "other")
TONES_HZ = {"computer": 1000.0, "lamp": 2000.0, "digit": 3000.0, "order": 4000.0}
MELS, FRAMES = 40, 9


def tone(name: str, seconds: float = 0.4, level: int = 6000) -> NDArray[np.int16]:
    """(n,) of a word."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.rint(level * np.sin(2 * np.pi * TONES_HZ[name] * times_s)).astype(np.int16)


def room(seconds: float, seed: int = 0, level: int = 40) -> NDArray[np.int16]:
    """(n,) of a room where nobody speaks."""
    return np.random.default_rng(seed).integers(-level, level + 1, round(seconds * RATE_HZ)).astype(np.int16)


def said(*parts: str | float) -> NDArray[np.int16]:
    """(n,): names are words, numbers are pauses in seconds; the room is heard all the time."""
    made = [tone(p) if isinstance(p, str) else np.zeros(round(p * RATE_HZ), np.int16) for p in parts]
    joined = np.concatenate(made)
    return joined + room(len(joined) / RATE_HZ)


def tone_graph(
    name: str, labels: dict[str, str], frames: int, other: float | None, bias: float = 0.0
) -> Graph:
    """Samples → logits: how far a band stands out of all bands, plus a bias. labels: label → its tone.

    other: the logit of a last label, "other"; None: there is none.
    """
    import torch  # only to write the artifact; what runs it does without

    from pintsize import Quantize, read_torch
    from pintsize.passes.simplify import fold

    seconds = 0.025 + 0.02 * (frames - 1)
    front = frontend.log_mel(RATE_HZ, seconds, hop_s=0.02, mels=MELS)
    alone = {tone_name: tone(tone_name, seconds) for tone_name in TONES_HZ}
    spoken = np.stack([*alone.values(), room(seconds), room(seconds, 1, 4000)])[:, : round(seconds * RATE_HZ)]
    x = frontend.features(front, spoken)  # (clips, frames, mels)
    pitches = [int(x[list(TONES_HZ).index(wanted)].mean(0).argmax()) for wanted in labels.values()]
    weights = np.full((len(labels), MELS), -0.5 / MELS, np.float32)
    weights[np.arange(len(labels)), pitches] += 0.5
    biases, names = [bias] * len(labels), tuple(labels)
    if other is not None:
        weights, biases, names = np.vstack([weights, np.zeros(MELS)]), [*biases, other], (*names, "other")
    convolution = torch.nn.Conv1d(MELS, len(weights), 1)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(weights)[:, :, None])
        convolution.bias.copy_(torch.tensor(biases))  # type: ignore[union-attr]
    model = torch.nn.Sequential(convolution, torch.nn.AvgPool1d(frames), torch.nn.Flatten())
    quantized = Quantize()(fold(read_torch(model.eval(), (MELS, frames)).graph), x[:, None])
    return replace(frontend.chain(front, quantized), name=name, labels=names)


def wake_artifact(folder: Path) -> Artifact:
    from pintsize import compile_model

    graph = tone_graph("tones", {"computer": "computer", "lamp": "lamp"}, FRAMES, 2.5)
    compile_model(graph, "raspberrypi4", folder, stream=HOP)
    return load(folder)


def digits_artifact(folder: Path) -> Artifact:
    """Of whole phrases: "seven" is the tone of a digit, "nine" that of an order."""
    from pintsize import compile_model

    graph = tone_graph("digit_tones", {"seven": "digit", "nine": "order"}, 25, 1.0)
    compile_model(graph, "raspberrypi4", folder)
    return load(folder)


#: group → value → its tone
MENU = {
    "coffeeDrink": {"latte": "digit", "mocha": "order"},
    "milkAmount": {"milk": "lamp"},
    "milkAmount.amount": {"some": "computer"},
}


def orders_artifact(folder: Path) -> Artifact:
    """Of whole phrases: every tone in it is a value."""
    from pintsize import compile_model

    said_by = {f"{group}={value}": heard for group, values in MENU.items() for value, heard in values.items()}
    compile_model(tone_graph("order_tones", said_by, 49, None, bias=-1.0), "raspberrypi4", folder)
    return load(folder)


@dataclass(frozen=True, eq=False)
class ToneWords:
    artifact: Artifact
    detection: Detection = Detection(Levels(0.6, 0.3, timeout_s=2.0), window_s=0.1, refractory_s=0.5)  # noqa: RUF009
    labels: tuple[str, ...] = LABELS
    words: tuple[str, ...] = LABELS[:2]
    hop_samples: int = HOP


def strongest_hz(samples: NDArray[np.int16]) -> float:
    power = np.abs(np.fft.rfft(samples.astype(np.float64)))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[int(power.argmax())])


@dataclass(frozen=True, eq=False)
class ToneDigits:
    artifact: Artifact

    def recognise(self, samples: NDArray[np.int16]) -> Heard:
        if abs(strongest_hz(samples) - TONES_HZ["digit"]) < 100:
            return Heard("seven", 0.9)
        return Heard(None, 0.2, "no digit")


@dataclass(frozen=True, eq=False)
class ToneOrders:
    artifact: Artifact

    def understand(self, samples: NDArray[np.int16]) -> Understood:
        if abs(strongest_hz(samples) - TONES_HZ["order"]) < 100:
            return Understood("orderDrink", (("coffeeDrink", "latte"), ("size", "small")), 0.8)
        return Understood(None, (), 0.3, "no order")


def tone_pieces(artifact: Artifact) -> Pieces:
    return Pieces(ToneWords(artifact), ToneDigits(artifact), ToneOrders(artifact))
