"""Front-ends as Graphs: raw samples in, features or a model's answer out, the same integers everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pintsize import frontend
from pintsize.compress.quantize import Quantize
from pintsize.emulate import HostModel, build, core, execute
from pintsize.errors import UserError
from pintsize.graph import Graph
from pintsize.integers import Steps, run_integers
from pintsize.manifest import manifest
from pintsize.passes.simplify import fold
from pintsize.passes.streaming import streamed
from pintsize.read.saved import graph_of
from pintsize.read.torch_export import read
from pintsize.write.c import write
from pintsize.write.saved import graph_files
from tests.compiled import host_compiler
from tests.signals import (
    as_bytes,
    assert_c_agrees,
    awkward,
    heartbeats,
    of_bytes,
    on_cortex_m4,
    on_host,
    speech,
)

RATE_HZ = 16_000
MINUTES = 10


class Words(nn.Module):
    """Two convolutions over time and a layer: (1, 30, 40) features of 0.3 s → 4 classes."""

    def __init__(self, mels: int = 40) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(mels, 8, 5), nn.Conv1d(8, 8, 5, stride=2)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.second(torch.relu(self.first(x))))
        return self.last(y.mean(2))


def words(front: Graph, seed: int = 0) -> Graph:
    """A model of random weights, quantized on what the front-end makes of noise."""
    torch.manual_seed(seed)
    frames, mels = front.type(front.outputs[0]).shape
    x = frontend.features(front, awkward(front.type("samples").elements, seed))
    graph = fold(read(Words(mels).eval(), (mels, frames)).graph)
    samples = x[:, None] if graph.type(graph.inputs[0]).shape[0] == 1 else x
    return Quantize()(graph, samples.astype(np.float32))


@pytest.fixture(scope="module")
def front() -> Graph:
    return frontend.log_mel(RATE_HZ, 0.315)


@pytest.fixture(scope="module")
def joined(front: Graph) -> Graph:
    return frontend.chain(front, words(front))


def test_log_mel_takes_samples_and_gives_logarithms(front: Graph) -> None:
    assert front.type("samples").dtype == "int16"
    x = speech(5040 * 8).reshape(8, 5040)
    found = frontend.features(front, x)
    real = front.nodes[0].op.float_meaning([torch.from_numpy(x / 2.0**15)]).numpy()
    assert found.shape == (8, 30, 40)
    assert np.abs(found - real).max() < 0.05  # octaves: 0.15 dB


def test_mfcc_is_the_cosine_transform_of_the_logarithms() -> None:
    scipy_fft = pytest.importorskip("scipy.fft")
    front = frontend.mfcc(RATE_HZ, 0.1, coefficients=13)
    logs = frontend.log_mel(RATE_HZ, 0.1)
    x = speech(1600 * 20).reshape(20, 1600)
    wanted = scipy_fft.dct(frontend.features(logs, x), norm="ortho", axis=-1)[..., :13]
    off = np.abs(frontend.features(front, x) - wanted)
    assert off.max() < 0.5  # of numbers up to 200, by cosines of 8 bits
    assert_c_agrees(front, x[:4])


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_of_audio_has_a_front_end(rate_hz: int) -> None:
    front = frontend.log_mel(rate_hz, 0.1, mels=32)
    assert front.type(front.outputs[0]).shape == (8, 32)
    codes = awkward(round(0.1 * rate_hz))
    assert np.array_equal(on_host(write(front).files, front, codes), run_integers(front, codes))


def test_a_model_behind_it_takes_the_samples(front: Graph, joined: Graph) -> None:
    codes = awkward(5040)
    found = run_integers(joined, codes)
    assert len(np.unique(found, axis=0)) > 3
    assert_c_agrees(joined, codes)
    assert joined.type(joined.inputs[0]).shape == (5040,)
    # no number is rounded twice on the way: what the front-end makes lies on the grid that the model reads
    assert [n.op.name for n in joined.nodes].count("requantize") == 0


def test_what_is_saved_and_read_again_is_the_same(joined: Graph) -> None:
    again = graph_of(graph_files(joined))
    codes = awkward(5040)
    assert np.array_equal(run_integers(again, codes), run_integers(joined, codes))
    assert graph_files(again) == graph_files(joined)


@pytest.mark.parametrize("hop", [0, 320])
def test_the_manifest_says_what_the_artifact_takes(joined: Graph, hop: int) -> None:
    graph = streamed(joined, hop).graph if hop else joined
    said = json.loads(manifest(graph, {"name": "board", "core": "cortex-m4"}, {}, {}))
    assert said["input"] == {
        "shape": [hop or 5040],
        "dtype": "int16",
        "scale": 2.0**-15,
        "zero_point": 0,
        "rate_hz": 16000.0,
    }


def test_forty_bands_of_512_samples_take_less_than_4_kb_of_flash_and_3_kb_of_ram() -> None:
    front = frontend.log_mel(RATE_HZ, 0.025)
    program = write(front, isa="dsp")
    built = build(program.files, core("cortex-m4"))
    run = execute(built, as_bytes(awkward(400)[:1]))
    step = front.nodes[0].op.shape([front.type("samples")])
    assert step == (1, 40)
    assert built.flash_bytes < 4_000  # with the start-up code
    assert program.plan.arena_bytes + program.io_bytes + (run.stack_bytes or 0) < 3_100
    assert run.instructions is not None
    assert run.instructions < 40_000


def test_a_stream_of_samples_gives_what_whole_windows_give(joined: Graph) -> None:
    """Every 20 ms, from silence on; Python, C on this computer, C on a Cortex-M4."""
    hop, window = 320, 5040
    stream = streamed(joined, hop)
    samples = np.concatenate([np.zeros(window - hop, np.int16), awkward(hop * 5).reshape(-1)])
    steps = samples[window - hop :].reshape(-1, hop)
    wanted = run_integers(joined, np.lib.stride_tricks.sliding_window_view(samples, window)[::hop])
    found = run_integers(stream.graph, steps)
    assert np.array_equal(found, wanted)
    assert np.array_equal(on_host(write(stream.graph).files, stream.graph, steps), found)
    assert np.array_equal(on_cortex_m4(stream.graph, steps), found)
    assert stream.step_macs < stream.window_macs / 8


def test_a_filter_in_front_goes_on_from_step_to_step() -> None:
    """180 Hz: band-pass, half the rate; a stream's filter never begins anew, so the window is the whole signal."""
    filtered = frontend.band_pass(180, (540,), 0.5, 40.0)
    graph = frontend.chain(filtered, frontend.resample(180, 90, (540,), 16))
    x = heartbeats(540)
    stream = streamed(graph, 30, carry=True)
    found = run_integers(stream.graph, x.reshape(-1, 30))
    whole = run_integers(graph, x[None])[0]
    assert np.array_equal(found.reshape(-1)[-len(whole) :], whole)
    assert_c_agrees(stream.graph, x.reshape(-1, 30))


@pytest.mark.parametrize(("low_hz", "high_hz"), [(0.5, 40.0), (5.0, 15.0), (None, 30.0), (0.05, None)])
def test_band_pass_is_scipys_butterworth(low_hz: float | None, high_hz: float | None) -> None:
    signal = pytest.importorskip("scipy.signal")
    graph = frontend.band_pass(180, (5000,), low_hz, high_hz)
    kind = "bandpass" if low_hz and high_hz else "highpass" if low_hz else "lowpass"
    corners = [hz for hz in (low_hz, high_hz) if hz]
    sos = signal.butter(2, corners if len(corners) == 2 else corners[0], kind, fs=180, output="sos")
    x = heartbeats(5000)
    assert np.abs(run_integers(graph, x[None])[0] - signal.sosfilt(sos, x)).max() < 1.0


@pytest.mark.parametrize(("rate_hz", "to_hz"), [(360, 180), (250, 180), (125, 180), (44_100, 16_000)])
def test_resample_keeps_a_wave(rate_hz: int, to_hz: int) -> None:
    samples = 2000
    graph = frontend.resample(rate_hz, to_hz, (samples,))
    t = np.arange(samples) / rate_hz
    x = np.rint(9000 * np.sin(2 * np.pi * 0.1 * min(rate_hz, to_hz) * t)).astype(np.int16)
    y = run_integers(graph, x[None])[0]
    assert abs(y.std() - x.std()) < 0.01 * x.std()


def test_a_chain_for_electrocardiograms_ends_in_bytes() -> None:
    filtered = frontend.band_pass(360, (1000,), 0.5, 40.0)
    halved = frontend.resample(360, 180, (1000,))
    samples = halved.type("resample").elements
    graph = frontend.chain(filtered, halved, frontend.z_score((samples,), floor=1e-5))
    assert graph.type(graph.inputs[0]).shape == (1000,)
    codes = awkward(1000)
    assert_c_agrees(graph, codes)
    real = frontend.features(graph, heartbeats(1000)[None])[0]
    assert abs(real.mean()) < 0.01
    assert abs(real.std() - 1) < 0.01


def test_a_model_may_take_the_samples_as_they_are() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(3, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2)).eval()
    samples = np.random.default_rng(0).normal(0, 3000, (32, 8, 3)).astype(np.int16)
    x = samples.transpose(0, 2, 1).astype(np.float32) / 4096
    quantized = Quantize()(fold(read(model, sample_shape=(3, 8)).graph), x.transpose(0, 2, 1)[:, None])
    joined = frontend.chain(frontend.raw((8, 3), 8.0), quantized)
    assert joined.type(joined.inputs[0]).dtype == "int16"
    output = joined.type(joined.outputs[0])
    told = (run_integers(joined, samples).astype(float) - output.zero_point) * output.scale[0]
    wanted = model(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(told, wanted, atol=0.05 * float(np.abs(wanted).max()))


def test_a_grid_that_cannot_be_chosen_is_requantized_to() -> None:
    """Resampling keeps its input's grid; what follows reads another."""
    halved = frontend.resample(16_000, 8_000, (2000,), full_scale=2.0)
    (samples,) = halved.type("resample").shape
    front = frontend.log_mel(8_000, samples / 8_000)
    graph = frontend.chain(halved, front)
    assert [n.op.name for n in graph.nodes] == ["resample", "requantize", "log_mel"]
    assert_c_agrees(graph, awkward(2000), on_core=False)
    x = awkward(2000)[:1]
    wanted = frontend.features(
        front, np.clip(2 * run_integers(halved, x).astype(int), -32768, 32767).astype(np.int16)
    )
    assert np.array_equal(frontend.features(graph, x), wanted)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: frontend.log_mel(16_000, 1.0, window_s=0.5), "has 8000 samples: 4096 are allowed"),
        (lambda: frontend.log_mel(16_000, 1.0, mels=400), "holds no bin of 31.2 Hz: fewer bands or a larger fft"),
        (lambda: frontend.log_mel(8_000, 1.0, high_hz=7_000.0), "half the rate"),
        (lambda: frontend.mfcc(16_000, 1.0, coefficients=41), "41 coefficients of 40 mels"),
        (lambda: frontend.band_pass(180, (100,), 40.0, 0.5), "bounds in order within 0..90.0 Hz"),
        (lambda: frontend.band_pass(180, (100,), None, None), "bounds in order"),
        (lambda: frontend.resample(360, 0, (100,)), "both must be positive"),
        (lambda: frontend.resample(360, 180, (10,)), "too few samples"),
        (lambda: frontend.z_score((0,)), "needs samples"),
        (
            lambda: frontend.chain(frontend.z_score((100,)), frontend.z_score((90,))),
            r"gives \(100,\), z_score takes \(90,\)",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(made: Callable[[], Graph], message: str) -> None:
    with pytest.raises(UserError, match=message):
        made()


def test_the_how_to_runs() -> None:
    page = Path(__file__).parents[1] / "docs" / "how-to" / "put-the-front-end-in.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(compile(example, page.name, "exec"), names)
    compiled = names["compiled"]
    assert compiled.graph.type(compiled.graph.inputs[0]).shape == (8000,)
    assert [check.mismatches for check in compiled.checks] == [0, 0]


def frames_of(x: np.ndarray, window: int, hop: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, window)[::hop]


@pytest.mark.long
def test_ten_minutes_of_speech_differ_in_no_sample() -> None:
    """60,000 frames of 25 ms every 10 ms: Python, C on this computer, C on a Cortex-M4, step by step."""
    x = speech(MINUTES * 60 * RATE_HZ + 240)
    front = frontend.log_mel(RATE_HZ, 0.025)
    frames = frames_of(x, 400, 160)
    assert len(frames) == MINUTES * 60 * 100
    wanted = run_integers(front, frames)
    minute = frontend.log_mel(RATE_HZ, 60.015)
    whole = run_integers(minute, frames_of(x, 960_240, 960_000))
    assert np.array_equal(whole.reshape(-1, 40), wanted[:, 0])
    with HostModel(write(front).files, compiler=host_compiler()) as model:
        assert np.array_equal(of_bytes(model.run(as_bytes(frames)), front), wanted)
    assert np.array_equal(on_cortex_m4(front, frames), wanted)


@pytest.mark.long
def test_ten_minutes_of_heartbeats_differ_in_no_sample() -> None:
    """A filter's state goes on over 108,000 samples, two a step."""
    x = heartbeats(MINUTES * 60 * 180)
    graph = streamed(frontend.band_pass(180, (180,), 0.5, 40.0), 30, carry=True).graph
    steps = x.reshape(-1, 30)
    wanted = Steps(graph)
    expected = np.concatenate([wanted.step(row[None]) for row in steps])
    assert np.array_equal(on_host(write(graph).files, graph, steps), expected)
    assert np.array_equal(on_cortex_m4(graph, steps), expected)
