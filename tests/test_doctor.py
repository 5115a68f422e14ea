"""Before any training: bounds that hold for what is written later, and a budget that cannot be met is told so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import pintsize
from benchmarks.models import ds_cnn, resnet8
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize
from pintsize.doctor import Diagnosis
from pintsize.errors import DeviceError, ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.write.c import CProgram, write

SHAPE = (1, 49, 10)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return ds_cnn.make().eval()


@pytest.fixture(scope="module")
def found(model: nn.Module) -> Diagnosis:
    return pintsize.diagnose(model, "stm32l4r5", pintsize.Budget(flash="32kB", ram="32kB"), SHAPE)


def written(graph: Graph, bits: int) -> tuple[CProgram, int]:
    """The program at this width of weights, and the bytes of its buffers."""
    folded = fold(graph)
    x = np.random.default_rng(0).normal(size=(4, *folded.type(folded.inputs[0]).shape)).astype(np.float32)
    integers = Quantize(bits)(folded, x)
    program = write(integers, isa="dsp")
    return program, program.plan.arena_bytes + program.io_bytes


def test_the_most_is_the_model_as_it_is_at_8_bits(found: Diagnosis, model: nn.Module) -> None:
    graph = simplify(read(model, sample_shape=SHAPE).graph)
    program, ram = written(graph, 8)
    # how many bytes a channel's factor takes depends on the ranges, which the doctor cannot know
    assert found.weight_bytes.most == pytest.approx(sum(program.constant_bytes), rel=0.01)
    assert found.ram_bytes.most == ram
    assert found.macs.most == graph.macs


def test_the_least_is_what_the_search_can_reach(found: Diagnosis, model: nn.Module) -> None:
    graph = simplify(read(model, sample_shape=SHAPE).graph)
    program, ram = written(Prune(0.25, alignment=4, criterion="l2")(graph), 4)
    assert found.weight_bytes.least <= sum(program.constant_bytes)
    assert found.ram_bytes.least <= ram
    assert 0 < found.macs.least < found.macs.most


def test_a_budget_between_the_bounds_is_plausible_and_told_so(found: Diagnosis) -> None:
    assert found.plausible
    assert found.missing == ()
    assert found.problems == ()


def test_what_must_shrink_is_remarked(model: nn.Module) -> None:
    tight = pintsize.diagnose(model, "stm32l4r5", pintsize.Budget(flash="16kB", ram="6kB"), SHAPE)
    assert tight.plausible
    assert any("must shrink" in remark for remark in tight.remarks)
    assert any("must get narrower" in remark for remark in tight.remarks)


@pytest.mark.parametrize(("limit", "word"), [({"flash": "800B"}, "flash"), ({"ram": "500B"}, "RAM")])
def test_a_budget_below_the_least_is_not_plausible(
    model: nn.Module, limit: dict[str, str], word: str
) -> None:
    found = pintsize.diagnose(model, "stm32l4r5", pintsize.Budget(**limit), SHAPE)
    assert not found.plausible
    assert word in found.problems[0]
    assert "the budget allows" in found.problems[0]


def test_a_device_that_is_too_small_is_not_plausible_whatever_the_budget() -> None:
    found = pintsize.diagnose(resnet8.make().eval(), "stm32f031", pintsize.Budget(), (3, 32, 32))
    assert not found.plausible
    assert "RAM" in found.problems[0]
    assert "STM32F031" in found.problems[0]


def test_a_core_that_is_not_emulated_is_remarked(model: nn.Module) -> None:
    found = pintsize.diagnose(model, "browser", None, SHAPE)
    assert any("not emulated" in remark for remark in found.remarks)


def test_an_energy_budget_without_a_known_current_is_remarked(model: nn.Module) -> None:
    found = pintsize.diagnose(model, "browser", pintsize.Budget(energy="1mJ"), SHAPE)
    assert any("energy" in remark for remark in found.remarks)


class Sine(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)


def test_what_cannot_be_read_is_a_users_error() -> None:
    with pytest.raises(UnsupportedOp, match="sin"):
        pintsize.diagnose(Sine(), "rp2040", None, (4,))
    with pytest.raises(ModelError):
        pintsize.diagnose("nowhere.pt2", "rp2040")
    with pytest.raises(DeviceError, match="rp2040"):
        pintsize.diagnose(Sine(), "rp2o40")
