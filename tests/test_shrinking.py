"""The main job, from a trained model to a folder that is proven, on the embedded digits."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pintsize
from pintsize.artifact import read_report, verify_folder
from pintsize.compress.recipe import EFFORTS, Effort
from pintsize.compress.search import Trial
from pintsize.embedded import Embedded, digits
from pintsize.errors import BudgetNotMet, DataError, ModelError, OutputError, UserError, VerificationError
from pintsize.read.saved import read_saved
from pintsize.shrinking import note_on_test

CORES = ("host", "cortex-m0", "cortex-m4")
BUDGET = pintsize.Budget(flash="12kB", ram="4kB", max_drop="5%")


@pytest.fixture(scope="module")
def example() -> Embedded:
    return digits()


@pytest.fixture(scope="module", autouse=True)
def quick() -> None:
    EFFORTS["test"] = Effort(120, 40, (0.5, 0.25))


def shrink(example: Embedded, **options: object) -> pintsize.Report:
    settings = {"device": "stm32l4r5", "budget": BUDGET, "effort": "test", "cores": CORES, **options}
    return pintsize.shrink(example.teacher, example.splits, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(example: Embedded, tmp_path_factory: pytest.TempPathFactory) -> tuple[pintsize.Report, Path]:
    out = tmp_path_factory.mktemp("shrink") / "out"
    return shrink(example, out=out), out


def test_the_budget_is_met_by_what_was_linked(finished: tuple[pintsize.Report, Path]) -> None:
    report, _ = finished
    assert report.met
    assert report.figure("flash_bytes") <= 12 * 1024
    assert report.figure("ram_bytes") <= 4 * 1024
    assert report.figure("drop") <= 0.05
    assert report.mismatches == 0
    assert {c["core"] for c in report.data["verification"]} == set(CORES)


def test_planned_ram_is_the_linked_arena_and_flash_was_predicted(
    finished: tuple[pintsize.Report, Path],
) -> None:
    report, _ = finished
    chosen = next(c for c in report.data["candidates"] if c["status"] == "chosen")
    assert report.figure("arena_bytes") == report.data["memory"]["arena_bytes"]
    assert chosen["flash_bytes"] == pytest.approx(report.figure("flash_bytes"), rel=0.01)


def test_the_folder_holds_everything(finished: tuple[pintsize.Report, Path]) -> None:
    _, out = finished
    expected = {
        "model.h", "model.c", "model_weights.c", "main.c", "Makefile", "model.cmake", "model_self_test.c", "graph.json",
        "weights.npz", "golden.npz", "manifest.json", "report.json", "report.html", "explain.npz",
    }  # fmt: skip
    assert {p.name for p in out.iterdir()} == expected
    assert not out.with_name("out.partial").exists()


def test_the_saved_graph_gives_the_golden_outputs(finished: tuple[pintsize.Report, Path]) -> None:
    report, out = finished
    with np.load(out / "golden.npz") as golden:
        np.testing.assert_array_equal(golden["outputs"], report.golden[1])
    assert verify_folder(out, ("host",))[0].mismatches == 0
    assert read_saved(out).weight_bytes == report.graph.weight_bytes


def test_the_example_and_the_self_test_build_and_pass(
    finished: tuple[pintsize.Report, Path], tmp_path: Path
) -> None:
    if not (shutil.which("make") and shutil.which("cc")):
        pytest.skip("make and a C compiler are not installed")
    copy = shutil.copytree(finished[1], tmp_path / "program")
    subprocess.run(["make", "example", "self_test"], cwd=copy, check=True, capture_output=True, timeout=120)
    assert subprocess.run([copy / "self_test"], timeout=60).returncode == 0
    assert 0 <= subprocess.run([copy / "example"], timeout=60).returncode < 10


def test_the_accuracy_in_the_report_is_that_of_the_integers(
    finished: tuple[pintsize.Report, Path], example: Embedded
) -> None:
    from pintsize.verify import integer_outputs

    report, _ = finished
    test = example.splits.test
    right = integer_outputs(report.graph, test.x.transpose(0, 2, 3, 1).copy()).argmax(1) == test.y
    row = next(a for a in report.data["accuracy"] if a["split"] == "test")
    assert row["integers"] == pytest.approx(right.mean())
    assert row["teacher"] > 0.95


def test_one_changed_byte_fails_verification(finished: tuple[pintsize.Report, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(finished[1], tmp_path / "changed")
    source = copy / "model.c"
    source.write_text(source.read_text().replace("memcpy", "memmove", 1))
    with pytest.raises(VerificationError, match=r"model\.c"):
        verify_folder(copy, ("host",))


def test_one_changed_weight_fails_verification_even_with_a_fresh_hash(
    finished: tuple[pintsize.Report, Path], tmp_path: Path
) -> None:
    import hashlib

    copy = shutil.copytree(finished[1], tmp_path / "changed")
    weights = copy / "model_weights.c"
    lines = weights.read_text().splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if "= {" in line) + 1
    lines[row] = re.sub(r"-?\d+", "0", lines[row])
    weights.write_text("".join(lines))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["sha256"][weights.name] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(VerificationError, match="differing"):
        verify_folder(copy, ("host",))


class Interrupt(pintsize.Watcher):
    """Ctrl-C as soon as one candidate is trained."""

    def trial(self, trial: Trial) -> None:
        if trial.accuracy is not None:
            raise KeyboardInterrupt


class Count(pintsize.Watcher):
    """Which candidates were trained."""

    def __init__(self) -> None:
        self.trained: set[str] = set()

    def step(self, what: str, done: int, total: int, loss: float | None = None) -> None:
        if loss is not None:
            self.trained.add(what.split(":")[0])


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(
    finished: tuple[pintsize.Report, Path], example: Embedded, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        shrink(example, out=out, watcher=Interrupt())
    assert not out.exists()
    assert out.with_name("out.partial").is_dir()
    again, whole = Count(), Count()
    shrink(example, out=out, watcher=again)
    shrink(example, out=tmp_path / "whole", watcher=whole)
    assert len(again.trained) < len(whole.trained)
    for path in finished[1].iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_budget_that_nothing_meets_names_the_nearest_and_writes_nothing(
    example: Embedded, tmp_path: Path
) -> None:
    with pytest.raises(BudgetNotMet, match=r"nearest is (width|joint|the narrowest) "):
        shrink(example, budget=pintsize.Budget(flash="1kB"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_labels_the_teacher_stands_in(example: Embedded) -> None:
    report = pintsize.shrink(
        example.teacher,
        example.splits.train.x,
        device="nrf52840",
        budget=BUDGET,
        effort="test",
        cores=("host",),
    )  # type: ignore[arg-type]
    row = report.data["accuracy"][0]
    assert row["teacher"] == 1.0
    assert row["integers"] == row["agreement"] > 0.9


def test_a_layer_keeps_the_bits_that_were_asked_for(example: Embedded) -> None:
    report = shrink(
        example, layer_bits={"classify": 8, "features.3": 2}, cores=("host",), budget=pintsize.Budget()
    )
    bits = {layer["name"]: layer["bits"] for layer in report.data["layers"] if layer["bits"]}
    assert bits["classify"] == 8
    assert bits["features.3"] == 2
    assert len(set(bits.values())) >= 2


def test_an_exported_program_is_read_too(example: Embedded, tmp_path: Path) -> None:
    program = torch.export.export(
        example.teacher, (torch.zeros(2, 1, 8, 8),), dynamic_shapes=({0: torch.export.Dim.AUTO},)
    )
    torch.export.save(program, tmp_path / "teacher.pt2")
    report = pintsize.shrink(
        tmp_path / "teacher.pt2",
        example.splits,
        device="rp2040",
        budget=BUDGET,
        effort="test",
        cores=("host",),
    )  # type: ignore[arg-type]
    assert report.met


class Rebuild(nn.Module):
    """A tiny autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def test_outputs_that_are_no_classes_are_judged_as_values() -> None:
    x = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
    report = pintsize.shrink(Rebuild(), x, device="stm32g0b1", effort="test", cores=("host", "cortex-m0"))  # type: ignore[arg-type]
    assert 0.0 < report.data["accuracy"][1]["integers"] <= 1.0


def test_a_softmax_at_the_end_is_kept(example: Embedded) -> None:
    model = nn.Sequential(example.teacher, nn.Softmax(1))
    report = pintsize.shrink(
        model, example.splits, device="stm32l4r5", budget=BUDGET, effort="test", cores=("host", "cortex-m4")
    )  # type: ignore[arg-type]
    assert report.graph.nodes[-1].op.name == "softmax"
    assert report.data["accuracy"][1]["integers"] > 0.9


def test_a_device_that_cannot_be_emulated_is_counted_and_says_so(example: Embedded) -> None:
    report = shrink(example, device="raspberrypi4", cores=("host",), budget=pintsize.Budget(max_drop="5%"))
    flash = next(f for f in report.data["figures"] if f["name"] == "flash_bytes")
    assert flash["kind"] == "counted"
    assert report.figure("instructions") is None


def test_bad_input_is_refused_before_any_work(example: Embedded, tmp_path: Path) -> None:
    x = example.splits.train.x
    with pytest.raises(DataError, match="labels"):
        pintsize.shrink(example.teacher, (x, np.arange(len(x)) % 12), device="stm32l4r5")
    with pytest.raises(ModelError):
        pintsize.shrink(example.teacher, (x[:, :, :4], example.splits.train.y), device="stm32l4r5")
    with pytest.raises(UserError, match="effort"):
        shrink(example, effort="heroic")
    with pytest.raises(UserError, match="goal"):
        shrink(example, goal="glory")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match="not written by pintsize"):
        shrink(example, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_report_json_has_the_numbers_of_the_page(finished: tuple[pintsize.Report, Path]) -> None:
    report, out = finished
    assert read_report(out) == json.loads(json.dumps(report.data))
    page = (out / "report.html").read_text()
    for layer in report.data["layers"]:
        assert layer["name"] in page


class Notes(pintsize.Watcher):
    """What the user was told beyond the figures."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize(("integers", "notes"), [(0.945, 0), (0.90, 1)])
def test_a_drop_that_only_the_test_split_shows_is_said(
    finished: tuple[pintsize.Report, Path], integers: float, notes: int
) -> None:
    rows = [{"split": "test", "teacher": 0.95, "integers": integers, "samples": 100}]
    watcher = Notes()
    note_on_test(
        replace(finished[0], data={**finished[0].data, "accuracy": rows}),
        pintsize.Budget(max_drop="1%"),
        watcher,
    )
    assert len(watcher.texts) == notes
    assert all("5.00%" in text for text in watcher.texts)
