"""Zero padding goes into convolutions, never into pools."""

from __future__ import annotations

from pintsize.ops import Add, Conv2d, DepthwiseConv2d, MaxPool2d, Pad
from pintsize.passes.fuse_pad import fuse_pad
from tests.passes.drawing import Sketch
from tests.passes.meaning import assert_same_meaning, ops


def test_pads_go_into_all_convolutions_that_read_them() -> None:
    sketch = Sketch((5, 6, 3))
    sketch.add(Pad((1, 2, 0, 3)))
    padded = sketch.add(Pad((1, 0, 2, 0)))
    first = sketch.conv(4, padding=(1, 1, 0, 0))
    sketch.depthwise(source=padded, padding=(1, 1, 0, 0))
    sketch.conv(4, kernel=(1, 1))
    sketch.add(Add(), first)
    graph = assert_same_meaning(sketch.graph(), fuse_pad)
    assert ops(graph) == [Conv2d, DepthwiseConv2d, Conv2d, Add]
    assert getattr(graph.nodes[0].op, "padding", None) == (3, 3, 2, 3)


def test_pads_before_pools_stay() -> None:
    sketch = Sketch((5, 6, 3))
    padded = sketch.add(Pad((1, 1, 1, 1)))
    pooled = sketch.add(MaxPool2d((3, 3), (1, 1)))
    sketch.conv(3, kernel=(3, 3), padding=(0, 0, 0, 0), source=padded)
    sketch.add(Add(), pooled)
    assert ops(assert_same_meaning(sketch.graph(), fuse_pad)) == [Pad, MaxPool2d, Conv2d, Add]


def test_a_pad_that_the_user_sees_stays() -> None:
    sketch = Sketch((5, 6, 3))
    sketch.conv()
    sketch.add(Pad((1, 1, 1, 1)))
    assert ops(assert_same_meaning(sketch.graph(), fuse_pad)) == [Conv2d, Pad]
