"""Trains wake words and writes the folder that ships.

    python -m pintsize.apps.assistant.wake.training DATA --seed 0     # the shipped weights, from the public data

`train` takes the public data sets, `train_own` a folder with a subfolder of clips for each word of one's own. Both end
in an artifact of integers with the front-end inside, proven on this computer and on an emulated Cortex-M4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize import Graph, Quantize, compile_model, frontend, read_torch
from pintsize.apps.assistant.wake.card import card_of, public_card
from pintsize.apps.assistant.wake.evaluation import evaluate
from pintsize.apps.assistant.wake.examples import Examples, examples
from pintsize.apps.assistant.wake.learning import Schedule, heard, learn
from pintsize.apps.assistant.wake.levels import ON, RULE, levels_of, log_odds
from pintsize.apps.assistant.wake.narrow import BITS, narrow_layers
from pintsize.apps.assistant.wake.network import Network, absorb_input_norm
from pintsize.apps.assistant.wake.own import own_material, usable_clips
from pintsize.apps.assistant.wake.parts import Material, public_material
from pintsize.apps.assistant.wake.rates import Background, Rates, Spoken, rates_at
from pintsize.apps.assistant.wake.scenes import backgrounds, spoken_words
from pintsize.apps.assistant.wake.sentences import EVERYDAY, NEAR
from pintsize.apps.assistant.wake.shape import Shape, front_end
from pintsize.apps.assistant.wake.words import FACTS, OTHER, WEIGHTS, WakeWords, facts_of
from pintsize.apps.shipping import CARD, COMPUTER, ship
from pintsize.apps.sounds import can_speak, said_by_many
from pintsize.apps.training_line import training_line
from pintsize.folder import write_file
from pintsize.passes.simplify import fold
from pintsize.stream.artifact import load
from pintsize.together import one_thread_each

Watch = Callable[[str], object]
Clip = NDArray[np.float32]

CALIBRATING = 512


@dataclass(frozen=True)
class Effort:
    """words_examples: of the words in all, so few clips get more copies each; noises: of three seconds; hours: of
    negatives on which the levels are chosen."""

    words_examples: int = 8000
    noises: int = 1500
    schedule: Schedule = field(default_factory=Schedule)
    shape: Shape = field(default_factory=Shape)
    hours: float = 2.0


#: of a user's own words: minutes on a laptop
OWN = Effort(words_examples=3000, noises=600, schedule=Schedule(epochs=10), hours=1.0)


def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the public data sets in a folder to a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError where the data is not there.
    """
    learnt, chosen = public_material(data, "train", "validation")
    near = [text for word in learnt.labels for text in NEAR.get(word, ())]
    return _trained(learnt, chosen, near, out, seed, watch, effort or Effort())


def train_own(
    clips: Path, out: Path, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """One's own wake words, from `clips/<word>/<file>`; `clips/other/` may hold other speech. Gives the figures.

    Raises DataError for clips that cannot be used, with what is needed.
    """
    learnt, chosen = own_material(clips, seed)
    return _trained(learnt, chosen, (), out, seed, watch, effort or OWN)


def require_usable(clips: Path) -> None:
    """Raises DataError as `train_own` does, before anything is trained."""
    usable_clips(clips)


def _trained(
    learnt: Material,
    chosen: Material,
    near: Sequence[str],
    out: Path,
    seed: int,
    watch: Watch,
    effort: Effort,
) -> dict[str, Any]:
    with one_thread_each():
        network, made = _network(learnt, near, seed, watch, effort)
        graph, figures = _levelled(network, made, learnt.labels, chosen, seed, watch, effort)
    words = learnt.labels
    watch("4 of 4: writing the program and proving it on emulated cores")
    card = card_of(words, learnt, chosen, figures, can_speak(), seed)
    return ship(
        graph, out, stream=effort.shape.hop_samples, figures=figures, facts={FACTS: facts_of(RULE)}, card=card
    )


def _network(
    learnt: Material, near: Sequence[str], seed: int, watch: Watch, effort: Effort
) -> tuple[Network, Examples]:
    synthesized = said_by_many([*EVERYDAY, *near, *near], seed, times=2) if can_speak() else []
    others = [*(clip.clip for clip in learnt.others), *synthesized]
    watch(f"1 of 4: examples of {len(learnt.words)} clips of {len(learnt.labels)} words, {len(others)} of other speech "
          f"({len(synthesized)} synthesized)")  # fmt: skip
    copies = max(1, round(effort.words_examples / len(learnt.words)))
    made = examples(learnt.words, learnt.labels, others, copies, effort.noises, seed, watch)
    watch(f"2 of 4: learning from {len(made.features)} examples")
    torch.manual_seed(seed)
    network = learn(Network(effort.shape, len(learnt.labels) + 1), made, effort.schedule, seed, watch)
    absorb_input_norm(network)
    return network, made


def _levelled(
    network: Network, made: Examples, words: Sequence[str], chosen: Material, seed: int, watch: Watch,
    effort: Effort,
) -> tuple[Graph, dict[str, Any]]:  # fmt: skip
    """The integers, with the words' levels moved to one by biases of the last layer, and figures on validation."""
    hop = effort.shape.hop_samples
    labels = (*words, OTHER)
    watch("3 of 4: integers, and their levels on validation")
    first = _integers(network, made, labels, seed)
    levels = levels_of(words, *_measured_on(first, hop, chosen, effort.hours, seed), labels)
    watch(f"levels: {', '.join(f'{word} {level:.2f}' for word, level in levels.items())}")
    with torch.no_grad():
        assert network.head.bias is not None
        network.head.bias[: len(words)] += torch.tensor([log_odds(ON) - log_odds(levels[w]) for w in words])
    graph = _integers(network, made, labels, seed)
    spoken, negatives = _measured_on(graph, hop, chosen, effort.hours, seed)
    rates = [rates_at(w, ON, spoken, negatives, labels, RULE) for w in words]
    return graph, _figures(rates)


def _measured_on(
    graph: Graph, hop: int, chosen: Material, hours: float, seed: int
) -> tuple[list[Spoken], list[Background]]:
    with TemporaryDirectory() as folder:
        compile_model(graph, COMPUTER, Path(folder) / "wake", stream=hop)
        wake = WakeWords(load(Path(folder) / "wake"), RULE)
        return spoken_words(wake, chosen.words), list(backgrounds(wake, chosen, hours, seed + 1))


def _integers(network: Network, made: Examples, labels: tuple[str, ...], seed: int) -> Graph:
    """The network on its window, quantized on windows of the examples, behind the front-end."""
    shape = network.shape
    read = fold(read_torch(network.eval(), (made.features.shape[2], shape.frames)).graph)
    how = Quantize(layer_bits=dict.fromkeys(narrow_layers(network), BITS), equalize_layers=False)
    quantized = how(read, _windows(made, shape, seed)[:, None])
    graph = frontend.chain(front_end(shape.window_s), quantized)
    return replace(graph, name="wake_words", labels=labels)


def _windows(made: Examples, shape: Shape, seed: int) -> NDArray[np.float32]:
    """(n, frames, mels): windows of examples as they are heard, half of them with a word in."""
    generator = torch.Generator().manual_seed(seed + 5)
    x, noise = torch.from_numpy(made.features), torch.from_numpy(made.noise)
    index = torch.randint(0, len(x), (CALIBRATING,), generator=generator)
    first = torch.randint(0, x.shape[1] - shape.frames + 1, (CALIBRATING,), generator=generator)
    whole = heard(x[index].float(), noise, generator)
    return torch.stack([w[f : f + shape.frames] for w, f in zip(whole, first.tolist(), strict=True)]).numpy()


def _figures(rates: Sequence[Rates]) -> dict[str, Any]:
    late_ms = [1e3 * x for r in rates for x in r.latencies_s]
    return {
        "validation_false_reject": float(np.mean([r.false_reject for r in rates])),
        "validation_false_accepts_per_hour": float(np.mean([r.false_accepts_per_hour for r in rates])),
        "validation_latency_ms_median": float(np.median(late_ms)) if late_ms else None,
    }


def publish(data: Path, out: Path, seed: int, watch: Watch = print) -> dict[str, float]:
    """`train`, then measures the test part once and writes that into the card; gives the metrics."""
    train(data, out, seed=seed, watch=watch)
    metrics = evaluate(data, out)
    path = out / CARD
    write_file(path, public_card(path.read_text(encoding="utf-8"), metrics, seed).encode())
    return metrics


def main() -> None:
    """The command line of the shipped weights."""
    parser = training_line("Trains the shipped wake words from the public data sets.", WEIGHTS)
    options = parser.parse_args()
    for name, value in publish(options.data, options.out, options.seed).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
