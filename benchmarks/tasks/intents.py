"""What somebody asks for: one of 150 intents, from the words of one typed order.

Data: CLINC150 (Larson et al., 2019), `train.jsonl` and `val.jsonl` of {"text", "intent"}. Some orders of each intent in
the training file are set aside for validation; the file `val.jsonl` is the test. Orders outside the 150 intents
(`oos_*.jsonl`) are not used. An order is a row of word ids: 0 is nothing, 1 a word that training has seen once or
never.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from benchmarks.models import tiny_transformer
from benchmarks.tasks.task import Schedule, Task, data_set
from pintsize.errors import DataError

FOLDER = "intents_clinc150"
#: longer orders are cut off
TOKENS = 16
NOTHING, UNKNOWN = 0, 1
#: words that training has seen less often are unknown
LEAST_COUNT = 2
#: orders of each intent that are set aside for validation: every tenth
VAL_EVERY = 10
#: share of the words that training hides
HIDDEN_SHARE = 0.15
WORD = re.compile(r"[a-z]+|[0-9]")
#: words are told apart by their first letters: endings matter less than knowing more words (chosen on validation)
LETTERS = 5

Order = tuple[str, str]


def load(root: Path) -> Task:
    """Word ids (16,) as float32.

    Raises:
        DataError: the folder lacks the data set, or a file cannot be read.
    """
    folder = data_set(root, FOLDER)
    known, test = read_orders(folder / "train.jsonl"), read_orders(folder / "val.jsonl")
    labels = tuple(sorted({intent for _, intent in known}))
    train, val = set_aside(known)
    ids = vocabulary(train)

    def arrays(orders: list[Order]) -> tuple[np.ndarray, np.ndarray]:
        y = np.array([labels.index(intent) for _, intent in orders], np.int64)
        return np.stack([tokens(text, ids) for text, _ in orders]), y

    x_train, y_train = arrays(train)
    x_val, y_val = arrays(val)
    return Task(
        name="intents",
        labels=labels,
        x_train=x_train,
        y_train=y_train,
        x_val=x_val,
        y_val=y_val,
        tests={"orders": arrays(test)},
        make_teacher=lambda: tiny_transformer.make(len(ids) + 2, TOKENS, len(labels)),
        augment=hide_words,
        schedule=Schedule(epochs=20, learning_rate=3e-3, weight_decay=0.05, label_smoothing=0.1),
        copies=copies,
    )


def read_orders(path: Path) -> list[Order]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [(str(row["text"]), str(row["intent"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def set_aside(orders: list[Order]) -> tuple[list[Order], list[Order]]:
    """(training, validation): of each intent every tenth order, in the file's order, is for validation."""
    seen: Counter[str] = Counter()
    parts: tuple[list[Order], list[Order]] = [], []
    for order in orders:
        seen[order[1]] += 1
        parts[seen[order[1]] % VAL_EVERY == 0].append(order)
    return parts


def vocabulary(orders: list[Order]) -> dict[str, int]:
    """Word → id from 2 on, the most frequent first."""
    counts = Counter(word for text, _ in orders for word in words(text))
    frequent = sorted((w for w, n in counts.items() if n >= LEAST_COUNT), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate(frequent, UNKNOWN + 1)}


def words(text: str) -> list[str]:
    return [word[:LETTERS] for word in WORD.findall(text.lower().replace("'", ""))]


def tokens(text: str, ids: dict[str, int]) -> np.ndarray:
    """(16,) float32 ids, filled up with 0."""
    found = [ids.get(word, UNKNOWN) for word in words(text)][:TOKENS]
    return np.array(found + [NOTHING] * (TOKENS - len(found)), np.float32)


def hide_words(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Some words become unknown."""
    hidden = (torch.rand(x.shape, generator=generator) < HIDDEN_SHARE) & (x != NOTHING)
    return torch.where(hidden, torch.tensor(float(UNKNOWN)), x)


def copies(x: np.ndarray) -> list[np.ndarray]:
    """The orders as they are, and once with hidden words."""
    return [x, hide_words(torch.from_numpy(x), torch.Generator().manual_seed(0)).numpy()]
