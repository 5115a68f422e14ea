"""Ops that read raw samples: C gives the integers of Python, near the real numbers; pieces make the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from pintsize.arithmetic import Quantized, dequantize
from pintsize.emulate import HostModel, compile_check, core
from pintsize.errors import SpecError
from pintsize.graph import Graph, Op, OverTime, TensorType
from pintsize.integers import grid_of, run_integers
from pintsize.module import GraphModule, run_float
from pintsize.ops import Biquad, LogMel, Resample, ZScore
from pintsize.spec import check
from pintsize.write.c import write
from tests.compiled import FLAGS, sanitizing
from tests.signals import (
    as_bytes,
    assert_c_agrees,
    awkward,
    heartbeats,
    of,
    of_bytes,
    on_host,
    piece,
    speech,
)

SPEECH = LogMel()
NARROW = LogMel(8000.0, 200, 80, 256, 20, 100.0, 3800.0, 3.0103, 1e-9, "hamming")
#: 5 to 15 Hz at 180 Hz, Butterworth of order 2, each section's gain at most about 1
ECG = Biquad((0.1, 0.2, 0.1, -1.43, 0.75, 0.26, -0.52, 0.26, -1.79, 0.88))
CODES = of("int16", 2.0**-15)
DECIBELS_PER_OCTAVE = 3.0103

PIECES = {
    "speech": piece(SPEECH, (1040,)),
    "speech in 16 bits": piece(SPEECH, (720,), y=of("int16", 33.3 / 32767)),
    "decibels": piece(NARROW, (440,), y=of("int8", 0.4, 127)),
    "bytes": piece(replace(NARROW, hop=200), (400,), TensorType((400,), "int8", (2.0**-7,), 5)),
    "bytes to words": piece(
        LogMel(1000.0, 64, 16, 64, 6, 50.0, 450.0, scale="linear"),
        (100,),
        TensorType((100,), "int8", (0.01,), -128),
        of("int16", 0.001),
    ),
    "long window": piece(LogMel(44100.0, 1024, 512, 1024, 64, 20.0, 16000.0), (1536,)),
    "heart": piece(ECG, (360,), y=CODES),
    "heart in bytes": piece(ECG, (180, 3), y=of("int8", 2.0**-9, -3)),
    "bytes to heart": piece(ECG, (90, 2), TensorType((90, 2), "int8", (0.5,), 100), of("int16", 0.01)),
    "halved": piece(Resample(1, 2, 16), (200,)),
    "other rate": piece(Resample(18, 25, 16), (120, 2)),
    "more bytes": piece(Resample(3, 2, 8), (50,), TensorType((50,), "int8", (0.1,), -7)),
    "score": piece(ZScore(), (360,), y=of("int8", 1 / 16)),
    "scores": piece(ZScore(0.01), (120, 3), y=of("int16", 8 / 32767)),
    "score of bytes": piece(ZScore(), (50, 2), TensorType((50, 2), "int8", (0.02,), 4), of("int8", 1 / 16, 3)),
}  # fmt: skip


def samples_for(graph: Graph, rows: int = 9) -> np.ndarray:
    """Codes (rows, *input shape): awkward ones, in the input's width."""
    kind = graph.type("x")
    flat = awkward(kind.elements)[:rows].reshape(rows, *kind.shape)
    return flat if kind.dtype == "int16" else (flat >> 8).astype(np.int8)


@pytest.mark.parametrize("graph", PIECES.values(), ids=PIECES)
def test_c_on_this_computer_gives_the_integers(graph: Graph) -> None:
    assert_c_agrees(graph, samples_for(graph), on_core=False)


@pytest.mark.parametrize("name", ["speech", "bytes to words", "heart in bytes", "other rate", "scores"])
def test_c_on_a_cortex_m4_gives_the_integers(name: str) -> None:
    graph = PIECES[name]
    assert_c_agrees(graph, samples_for(graph))


@pytest.mark.parametrize(
    "name", ["speech", "bytes", "heart in bytes", "other rate", "scores", "score of bytes"]
)
def test_sanitizers_find_nothing(name: str) -> None:
    graph = PIECES[name]
    codes = samples_for(graph)
    with HostModel(write(graph).files, compiler=sanitizing(), sanitize=True) as model:
        found = model.run(as_bytes(codes))
    assert np.array_equal(of_bytes(found, graph), run_integers(graph, codes))


@pytest.mark.parametrize("name", ["speech", "heart in bytes", "other rate", "scores"])
@pytest.mark.parametrize("core_name", ["cortex-m0", "cortex-m4"])
def test_compilers_find_nothing_to_warn_of(name: str, core_name: str) -> None:
    files = write(PIECES[name]).files
    assert compile_check(files, "zig", core(core_name), FLAGS) == ""


def draw_log_mel(draw: st.DrawFn) -> tuple[LogMel, int]:
    fft = 1 << draw(st.integers(4, 8))
    window = 2 * draw(st.integers(1, fft // 2))
    hop = draw(st.integers(1, window))
    kind = draw(st.sampled_from(["hann", "hamming", "rectangular"]))
    op = LogMel(
        float(fft), window, hop, fft, draw(st.integers(1, 3)), draw(st.sampled_from([0.0, 1.0])), fft / 2,
        draw(st.sampled_from([1.0, 3.0103])), 10.0 ** draw(st.integers(-12, 0)), kind, "linear",
    )  # fmt: skip
    return op, window + hop * draw(st.integers(0, 2)) + draw(st.integers(0, hop - 1))


def draw_biquad(draw: st.DrawFn) -> tuple[Biquad, int]:
    """Poles anywhere within the unit circle."""
    sections: list[float] = []
    for _ in range(draw(st.integers(1, 3))):
        radius, turn = draw(st.floats(0, 0.999)), draw(st.floats(0, np.pi))
        sections += [draw(st.floats(-1.99, 1.99)) for _ in range(3)]
        sections += [-2 * radius * np.cos(turn), radius * radius]
    return Biquad(tuple(sections)), draw(st.integers(1, 60))


def draw_resample(draw: st.DrawFn) -> tuple[Resample, int]:
    up, down = draw(st.sampled_from([(1, 1), (1, 2), (1, 5), (2, 1), (3, 2), (4, 7), (18, 25)]))
    op = Resample(up, down, draw(st.integers(2, 24)), draw(st.floats(0.2, 1.0)), draw(st.floats(2.0, 9.0)))
    return op, op.reach + draw(st.integers(0, 40))


def draw_z_score(draw: st.DrawFn) -> tuple[ZScore, int]:
    return ZScore(draw(st.sampled_from([0.0, 1e-3, 10.0]))), draw(st.integers(1, 80))


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Graph, np.ndarray]:
    drawn = draw(st.sampled_from([draw_log_mel, draw_biquad, draw_resample, draw_z_score]))
    op, samples = drawn(draw)
    channels = () if isinstance(op, LogMel) else draw(st.sampled_from([(), (1,), (3,)]))
    scale = 10.0 ** draw(st.integers(-5, 2))
    kinds = st.sampled_from([of("int8", scale, 17), of("int8", scale, -128), of("int16", scale)])
    x, y = draw(kinds), draw(kinds)
    shape = (samples, *channels)
    try:
        graph = piece(
            op, shape, replace(x, shape=shape), replace(y, scale=(10.0 ** draw(st.integers(-4, 0)),))
        )
    except SpecError:
        reject()  # an output much finer than the input
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ends = (-128, 127) if x.dtype == "int8" else (-32768, 32767)
    codes = rng.integers(*ends, (4, *shape), endpoint=True)
    codes[1] >>= draw(st.integers(0, 14))
    codes[2] = rng.choice(ends, shape)
    codes[3] = draw(st.sampled_from(ends))
    return graph, codes.astype(x.dtype)


@settings(max_examples=15, deadline=None)
@given(pieces())
def test_drawn_pieces_agree_on_this_computer(drawn: tuple[Graph, np.ndarray]) -> None:
    graph, codes = drawn
    assert np.array_equal(on_host(write(graph).files, graph, codes), run_integers(graph, codes))


def decibels_off(op: LogMel, codes: np.ndarray) -> np.ndarray:
    """How far the integers are from float64's, in decibels, for samples of ±1."""
    graph = piece(op, codes.shape[1:], y=of("int16", 0.0011))
    found = dequantize(run_integers(graph, codes), 0.0011, 0)
    real = op.float_meaning([torch.from_numpy(codes / 2.0**15)]).numpy()
    return np.abs(found - real) * DECIBELS_PER_OCTAVE / op.per_octave


def test_log_mel_is_within_a_tenth_of_a_decibel_of_float64_for_whatever_is_no_pure_tone() -> None:
    codes = awkward(4000)[[0, 1, 2, 3, 8]]
    for op in (SPEECH, replace(SPEECH, window=512), LogMel(window=640, fft=1024)):
        assert decibels_off(op, codes).max() < 0.1


def test_log_mel_of_loud_tones_is_off_only_where_they_are_70_decibels_away() -> None:
    t = np.arange(4000)
    codes = np.rint(32000 * np.sin(np.array([[0.05], [0.3], [1.1]]) * t)).astype(np.int16)
    off = decibels_off(SPEECH, codes)
    real = SPEECH.float_meaning([torch.from_numpy(codes / 2.0**15)]).numpy() * DECIBELS_PER_OCTAVE
    near = real > real.max(-1, keepdims=True) - 70
    assert off[near].max() < 0.1
    assert off.max() < 0.6


def test_log_mel_of_speech_is_within_a_fifth_of_a_decibel() -> None:
    off = decibels_off(SPEECH, speech(960_000)[None])
    assert off.max() < 0.2
    assert off.mean() < 0.002


def test_log_mel_is_scipys_short_time_transform() -> None:
    signal = pytest.importorskip("scipy.signal")
    x = awkward(4000)[0] / 2.0**15
    _, _, z = signal.stft(x, 16000, "hann", 400, 240, 512, boundary=None, padded=False)
    power = np.abs(z.T) ** 2 * (signal.get_window("hann", 400).sum() / 512) ** 2
    corners = SPEECH.corners_hz
    bins = np.arange(257) * 16000 / 512
    mel = [
        np.interp(bins, c, [0.0, 1.0, 0.0], 0.0, 0.0)
        for c in np.lib.stride_tricks.sliding_window_view(corners, 3)
    ]
    wanted = np.log2(power @ np.array(mel).T + SPEECH.floor)
    found = SPEECH.float_meaning([torch.from_numpy(x[None])])[0].numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_biquad_is_within_a_code_of_scipys_filter_on_electrocardiograms() -> None:
    signal = pytest.importorskip("scipy.signal")
    x = heartbeats(5000)
    graph = piece(ECG, x.shape, y=CODES)
    sos = np.insert(np.reshape(ECG.sections, (-1, 5)), 3, 1.0, axis=1)
    error = run_integers(graph, x[None])[0] - signal.sosfilt(sos, x)
    assert np.abs(error).max() < 0.51


@pytest.mark.parametrize("name", ["heart", "other rate", "score", "scores"])
def test_integers_are_within_a_step_of_the_real_numbers(name: str) -> None:
    graph = PIECES[name]
    x, y = graph.type("x"), graph.type("y")
    codes = awkward(x.elements)[:4].reshape(4, *x.shape)
    real = graph.nodes[0].op.float_meaning([torch.from_numpy(codes / 2.0**15)]).numpy()
    reached = y.scale[0] * (np.array([-128, 127] if y.dtype == "int8" else [-32768, 32767]) - y.zero_point)
    off = dequantize(run_integers(graph, codes), y.scale[0], y.zero_point) - real.clip(*reached)
    assert np.abs(off).max() <= 1.1 * y.scale[0] + 2.0**-12 * (graph.nodes[0].op.name == "z_score")


def test_a_filter_in_steps_gives_the_integers_of_the_whole() -> None:
    graph = PIECES["heart in bytes"]
    codes = samples_for(graph)
    op, kinds = graph.nodes[0].op, [graph.type("x")]
    (state,) = op.carried(kinds, graph.type("y"))
    states: tuple[torch.Tensor, ...] = (torch.zeros((len(codes), *state.shape), dtype=torch.float64),)
    grid = grid_of(graph.tensors["y"])
    parts: list[np.ndarray] = []
    for part in np.array_split(codes, 6, axis=1):
        x = Quantized(torch.from_numpy(part.astype(np.float32)), torch.tensor(2.0**-15))
        y, states = op.carry([x], grid, states)
        parts.append(y.numpy())
    assert np.array_equal(np.concatenate(parts, 1), run_integers(graph, codes))


def test_a_window_of_samples_is_a_frame() -> None:
    """What a stream does: the last window - hop samples kept, hop new ones."""
    x = awkward(400 + 160 * 11)
    frames = np.concatenate([x[:, i * 160 : i * 160 + 400] for i in range(12)])
    step = run_integers(piece(SPEECH, (400,)), frames).reshape(12, len(x), 40)
    assert np.array_equal(run_integers(piece(SPEECH, x.shape[1:]), x), step.transpose(1, 0, 2))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("speech", OverTime(0, 160, 0, 399)),
        ("other rate", OverTime(0, 25, 0, 38, 18)),
        ("heart", OverTime(0, endless=True)),
        ("score", OverTime(None, 1, 0, 359)),
    ],
)
def test_how_outputs_follow_time(name: str, expected: OverTime) -> None:
    graph = PIECES[name]
    assert graph.nodes[0].op.over_time([graph.type("x")], [0]) == expected


def test_it_runs_as_a_module_too() -> None:
    graph = PIECES["speech"]
    codes = samples_for(graph)
    with torch.no_grad():
        found = GraphModule(graph).forward_codes(torch.from_numpy(codes / np.float32(2.0**15)))
    assert np.array_equal(found.numpy(), run_integers(graph, codes))
    real = run_float(graph, torch.from_numpy(codes / np.float32(2.0**15)))
    assert real.shape == (len(codes), *graph.type("y").shape)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: LogMel(fft=500), "fft 500 must be a power of two in 16..4096"),
        (lambda: LogMel(window=513), r"window 513 must be even, 2\.\.512"),
        (lambda: LogMel(hop=0), "hop 0 at least 1"),
        (lambda: LogMel(high_hz=9000.0), r"within 0\.\.8000\.0 Hz, half the rate"),
        (lambda: LogMel(floor=0.0), r"floor 0\.0 in 0\.\.1\.0"),
        (lambda: LogMel(shape_of_window="boxcar"), "'boxcar'"),  # type: ignore[arg-type]
        (lambda: Biquad((1.0, 0.0)), "2 coefficients must be b0, b1, b2, a1, a2"),
        (lambda: Biquad((2.0, 0.0, 0.0, 0.0, 0.0)), "must be within ±2.0"),
        (lambda: Biquad((1.0, 0.0, 0.0, -1.9, 0.8)), "is not stable"),
        (lambda: Resample(2, 4), "in lowest terms"),
        (lambda: Resample(1, 2, cutoff=1.5), "cutoff 1.5 must be in"),
        (lambda: ZScore(-1.0), "floor -1.0 must not be negative"),
    ],
)
def test_what_makes_no_sense_is_refused(made: object, message: str) -> None:
    assert callable(made)
    with pytest.raises(ValueError, match=message):
        made()


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (SPEECH, (399,), "at least a window of 400"),
        (SPEECH, (1, 1000), "needs samples"),
        (LogMel(bands=200), (400,), "holds no bin"),
        (ECG, (1, 2, 3), r"needs samples \(n,\) or \(n, channels\)"),
        (Resample(1, 2, 32), (31,), "at least 32 are needed"),
        (ZScore(), (40_000,), "over more than 32767 samples"),
    ],
)
def test_what_does_not_fit_is_refused(op: Op, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        op.shape([TensorType(shape)])


def test_an_output_too_fine_for_its_input_is_illegal() -> None:
    with pytest.raises(SpecError, match="too coarse for what they multiply"):
        piece(ECG, (100,), TensorType((100,), "int16", (1e6,)), of("int8", 1e-9))


def test_other_ops_still_keep_their_width() -> None:
    graph = PIECES["halved"]
    narrow = replace(graph.tensors["y"], type=replace(graph.type("y"), dtype="int8"))
    with pytest.raises(SpecError, match="mixes int16 and int8; requantize is what goes between"):
        check(graph.with_tensors(narrow), "integer")
