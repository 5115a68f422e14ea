from __future__ import annotations

import numpy as np

from pintsize.apps.assistant.text.scope import choose_scope


def logits_of(sure: float, inside: int, outside: int) -> tuple[np.ndarray, np.ndarray]:
    """Three intents and out of scope; those outside look like the first intent, less surely."""
    rng = np.random.default_rng(0)
    right = np.concatenate([np.arange(inside) % 3, np.full(outside, 3)])
    logits = rng.normal(size=(inside + outside, 4))
    logits[np.arange(inside), right[:inside]] += sure
    logits[inside:, 0] += 2.0
    return logits, right


def test_the_threshold_lies_between_orders_in_and_out_of_scope() -> None:
    found = choose_scope(*logits_of(12.0, 300, 60))
    assert found.in_scope_accuracy > 0.99
    assert found.out_of_scope_recall > 0.9
    assert 0.0 < found.least_confidence < 1.0


def test_what_is_told_is_what_the_threshold_gives() -> None:
    logits, right = logits_of(5.0, 300, 60)
    found = choose_scope(logits, right)
    powers = np.exp(logits / found.temperature)
    chances = powers[:, :3] / powers.sum(1, keepdims=True)
    told = chances.max(1) >= found.least_confidence
    assert found.out_of_scope_recall == 1 - told[300:].mean()
    assert found.in_scope_accuracy == (told & (chances.argmax(1) == right))[:300].mean()
