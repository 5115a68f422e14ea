"""Teaching the classes: what is varied stays what it is told to be; a few beats are learnt, the same way twice."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.apps.ecg.beats.records import RATE_HZ, Record
from pintsize.apps.ecg.classes.context import ONE, RHYTHM
from pintsize.apps.ecg.classes.examples import MARGIN, Examples, examples_of
from pintsize.apps.ecg.classes.learning import Schedule, learn, logits
from pintsize.apps.ecg.classes.network import SAMPLES, Network, taking_codes
from pintsize.apps.ecg.classes.variation import (
    EARLY,
    TO_LONG,
    TO_MEAN,
    UNEVEN,
    Variation,
    bursts,
    disordered,
    plain,
    premature,
    tensors_of,
    varied,
)
from tests.apps.ecg.hearts import counts, heart

RHYTHM_OF_BEATS = ([("N", 0.8)] * 5 + [("V", 0.5), ("N", 1.1), ("S", 0.55)]) * 8


def drawn(beats: list[tuple[str, float]] = RHYTHM_OF_BEATS) -> Examples:
    at = np.rint(np.cumsum([interval for _, interval in beats]) * RATE_HZ).astype(np.int64)
    return examples_of([Record("r0", counts(heart(beats)), at, np.array([kind for kind, _ in beats]))])


def test_examples_have_margins_and_whose_they_are() -> None:
    examples = drawn()
    assert examples.beat.shape == examples.typical.shape == (len(examples), SAMPLES + 2 * MARGIN)
    assert examples.rhythm.shape == (len(examples), RHYTHM)
    assert {*examples.patient.tolist()} == {"r0"}
    assert len(examples.of(["r1"])) == 0
    assert 40 < len(examples) <= len(RHYTHM_OF_BEATS) - 8  # the first ones only show what is typical


def test_nothing_is_varied_where_nothing_may_be() -> None:
    examples = drawn()
    still = Variation(0.0, 0.0, 0.0, offset=0, stretch=0, gain=0, tilt=0, noise=0, muscle=0, reversed=0)
    tensors, index = tensors_of(examples), torch.arange(len(examples))
    x, kind = varied(tensors, index, still, torch.Generator().manual_seed(0))
    wanted = plain(tensors, index)
    assert torch.equal(kind, tensors.kind)
    assert (
        x[:, 1, :SAMPLES] - wanted[:, 1, :SAMPLES]
    ).abs().max() < 1  # a sample off in the typical beat, and drift
    assert x.shape == wanted.shape == (len(examples), 2, SAMPLES + RHYTHM)


def test_early_beats_come_early_and_disorder_is_uneven() -> None:
    generator = torch.Generator().manual_seed(0)
    early = premature(torch.zeros(500, RHYTHM), generator)
    assert -0.51 < early[:, TO_MEAN].min() < early[:, TO_MEAN].max() < -0.13
    in_bursts, kind = bursts(500, generator)
    assert (in_bursts[kind == EARLY, TO_LONG] < -0.1).all()
    assert 0.2 < (kind == EARLY).float().mean() < 0.9
    without_order = disordered(500, generator)
    assert without_order[:, UNEVEN].mean() > 0.15
    assert abs(float(without_order[:, TO_MEAN].mean())) < 0.1


def test_only_even_normal_beats_become_early_ones() -> None:
    tensors = tensors_of(drawn([("N", 0.8)] * 30 + [("V", 0.5), ("N", 1.1)]))
    index = torch.arange(len(tensors.kind))
    _, kind = varied(tensors, index, Variation(premature=1.0), torch.Generator().manual_seed(0))
    changed = kind != tensors.kind
    assert changed.any()
    assert (kind[changed] == EARLY).all()
    assert (tensors.kind[changed] == 0).all()


def test_it_learns_and_learns_the_same_again() -> None:
    examples = drawn()

    def learnt() -> tuple[Network, np.ndarray]:
        torch.manual_seed(0)
        calm = Variation(0.0, 0.0, 0.0, reversed=0.0)
        how = Schedule(epochs=20, batch=16, learning_rate=2e-2, variation=calm)
        network = learn(Network(4), examples, how, 0, lambda _: None)
        return network, logits(network, examples)

    network, outputs = learnt()
    assert (outputs.argmax(axis=1) == examples.kind).mean() > 0.9
    assert np.array_equal(learnt()[1], outputs)
    tensors = tensors_of(examples)
    with torch.no_grad():
        codes = plain(tensors, torch.arange(len(examples))) * ONE
        assert torch.allclose(taking_codes(network)(codes), torch.from_numpy(outputs), atol=1e-4)
