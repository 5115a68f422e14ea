"""The counted loops compute what they say, and the forms of weights are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.methods import loops, palettes, sparsity
from pintsize.emulate import can_run
from pintsize.graph import Tensor, TensorType


def weights() -> Tensor:
    data = np.random.default_rng(0).normal(size=(32, 64)).astype(np.float32)
    return Tensor("weight", TensorType(data.shape), data)


def squared_error(form: str, bits: int) -> float:
    weight = weights()
    assert weight.data is not None
    return float(((palettes.FORMS[form](weight, bits) - weight.data) ** 2).mean())


@pytest.mark.skipif(can_run(loops.CORE) is not None, reason=can_run(loops.CORE) or "")
def test_every_loop_adds_up_what_numpy_does_and_the_dense_ones_take_the_least() -> None:
    found = {row.name: row for row in loops.count(1)}
    assert len(found) == 7
    dense = found["dense, 4 bits"]
    assert dense.instructions == 11 / 8
    assert all(r.instructions > dense.instructions for n, r in found.items() if not n.startswith("dense"))


def test_a_loop_with_other_sums_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    if (reason := can_run(loops.CORE)) is not None:
        pytest.skip(reason)
    wrong = loops.dense(np.ones((2, 64), int), 1)
    monkeypatch.setattr(
        loops, "loops", lambda pixels, random: [loops.replace(wrong, weights=wrong.weights + 1)]
    )
    with pytest.raises(ValueError, match="dense, 8 bits"):
        loops.count(1)


@pytest.mark.parametrize("bits", [4, 2])
def test_a_palette_of_normal_weights_gains_little_over_all_codes(bits: int) -> None:
    assert squared_error("palette", bits) < squared_error("uniform, all codes", bits)
    assert squared_error("uniform, all codes", bits) < squared_error("uniform", bits)


def test_a_palette_has_no_more_entries_than_its_indices_name() -> None:
    scale, entries = palettes.fitted(np.asarray(weights().data, np.float64), 2)
    assert scale.shape == (32, 1)
    assert len(np.unique(entries)) == 4


def test_masks_keep_whole_blocks_of_the_wanted_share() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 1, 1, 16)).astype(np.float32)
    mask = sparsity.mask(weight, 0.25)
    blocks = mask.reshape(4, 2, 4, 4).transpose(0, 2, 1, 3).reshape(16, 8)
    assert set(blocks.sum(1)) == {0.0, 8.0}
    assert (blocks.sum(1) > 0).sum() == 4
