"""Windows: how many fit, and what they see."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pintsize.ops.window import Window, convolve

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDING = st.tuples(*[st.integers(0, 2)] * 4)


def covered(window: Window, shape: tuple[int, int]) -> list[list[list[tuple[int, int]]]]:
    """Per output pixel the input pixels under its window, by walking over them."""
    top, bottom, left, right = window.padding
    rows, columns = range(-top, shape[0] + bottom), range(-left, shape[1] + right)
    reach = [d * (k - 1) for d, k in zip(window.dilation, window.kernel, strict=True)]
    return [
        [
            [
                (y + ky * window.dilation[0], x + kx * window.dilation[1])
                for ky in range(window.kernel[0])
                for kx in range(window.kernel[1])
            ]
            for x in columns[:: window.stride[1]]
            if x + reach[1] in columns
        ]
        for y in rows[:: window.stride[0]]
        if y + reach[0] in rows
    ]


@given(PAIRS, PAIRS, PADDING, PAIRS, st.integers(3, 7), st.integers(3, 7), st.integers(0, 99))
def test_a_convolution_sums_what_its_window_covers(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    height: int,
    width: int,
    seed: int,
) -> None:
    window = Window(kernel, stride, padding, dilation)
    expected_windows = covered(window, (height, width))
    if not expected_windows or not expected_windows[0]:
        with pytest.raises(ValueError, match="is larger than the input"):
            window.output((height, width, 1))
        return
    x = np.random.default_rng(seed).integers(-9, 9, (height, width))
    inside = {(i, j): v for (i, j), v in np.ndenumerate(x)}
    sums = [[sum(inside.get(p, 0) for p in pixels) for pixels in row] for row in expected_windows]
    ones = torch.ones(1, 1, *kernel)
    found = convolve(torch.from_numpy(x).float()[None, :, :, None], ones, torch.zeros(1), window)[0, :, :, 0]
    assert window.output((height, width, 1)) == tuple(found.shape)
    assert found.tolist() == sums


def test_a_pool_refuses_a_window_of_nothing_but_padding() -> None:
    window = Window((2, 2), (2, 2), (2, 0, 0, 0))
    with pytest.raises(ValueError, match="max_pool2d: padding"):
        window.pooled("max_pool2d", (4, 4, 1))
    assert window.output((4, 4, 1)) == (3, 2)  # a convolution may


def test_a_dilated_pool_may_not_straddle_the_input() -> None:
    with pytest.raises(ValueError, match="max_pool2d: padding"):
        Window((1, 2), (1, 1), (0, 0, 1, 1), (1, 2)).pooled("max_pool2d", (1, 1, 1))


def test_the_gradient_of_a_narrow_strided_pointwise_convolution_stays_in_its_memory() -> None:
    """A process of its own: where torch wrote beyond it, that process died."""
    code = (
        "import torch\n"
        "from pintsize.ops.window import Window, convolve\n"
        "torch.set_num_threads(1)\n"
        "for _ in range(40):\n"
        "    x, w, b = (torch.randn(*s, requires_grad=True) for s in ((64, 32, 32, 4), (8, 4, 1, 1), (8,)))\n"
        "    convolve(x, w, b, Window((1, 1), (2, 2))).sum().backward()\n"
        "even = x.grad[:, ::2, ::2]\n"
        "print(torch.allclose(even, w.sum((0, 2, 3)).expand_as(even), atol=1e-5))\n"
        "print(float(x.grad[:, 1::2].abs().sum()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(os.environ, MALLOC_CHECK_="3"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "0.0"]), done.stderr
