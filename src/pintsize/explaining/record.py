"""What a finished folder keeps so that its loss can be explained later: `explain.npz`.

The trained network before its constants became codes, the teacher, some samples it was judged by, the teacher's
answers to them, and how far every tensor reached on the samples that the grids come from.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pintsize.compress.lesson import Goal
from pintsize.data import Dataset
from pintsize.errors import DataError, ModelError, UserError
from pintsize.explaining.judge import Judge
from pintsize.explaining.mixture import Mixture, constants_of
from pintsize.explaining.observed import Reach, observe
from pintsize.explaining.uncorrected import without_correction
from pintsize.graph import Graph
from pintsize.passes.simplify import fold
from pintsize.read.layout import Layout
from pintsize.read.saved import DAMAGE, graph_of
from pintsize.together import one_thread_each
from pintsize.verify import float_outputs
from pintsize.write.saved import graph_files

FILE = "explain.npz"
SAMPLES = 512
#: fewer samples where they are large, but not below LEAST_SAMPLES
SAMPLE_BYTES = 4 << 20
LEAST_SAMPLES = 32
#: of a larger teacher only the answers are kept
TEACHER_BYTES = 8 << 20


@dataclass(frozen=True, eq=False)
class Record:
    """student: annotated, up to its logits; plain: the same with the biases it has without rounding; teacher: a folded
    float Graph (None: only its answers were kept).

    x (n, *input shape, channels last), y (n,) or None, answers (n, outputs): what the loss is measured on.
    calibration: activation → how far it reached where the grids come from. teacher_macs: its multiply-accumulates.
    layout: of the user's samples.
    """

    student: Graph
    plain: Graph
    teacher: Graph | None
    x: np.ndarray
    y: np.ndarray | None
    answers: np.ndarray
    goal: Goal
    calibration: Mapping[str, Reach]
    teacher_macs: int
    layout: Layout = Layout.PLAIN

    @staticmethod
    @one_thread_each()
    def of(
        student: Graph, teacher: Graph, data: Dataset, calibration: np.ndarray, goal: Goal,
        layout: Layout = Layout.PLAIN,
    ) -> Record:  # fmt: skip
        """data: samples to judge by, channels last; calibration (n, *input shape): those the grids come from.

        Of both no more than a few hundred are taken, evenly.
        """
        calibration = calibration[:: max(1, len(calibration) // SAMPLES)][:SAMPLES]
        count = min(len(data), SAMPLES, max(LEAST_SAMPLES, SAMPLE_BYTES // max(1, data.x[:1].nbytes)))
        part = data.take(np.linspace(0, len(data) - 1, count).astype(int))
        judge = Judge(part.x, part.y, float_outputs(teacher, part.x), goal)
        plain = _nearer(student, without_correction(student, calibration), judge)
        reaches = {name: seen.reach for name, seen in observe(plain, calibration).items()}
        folded = fold(teacher)
        return Record(
            student, plain, folded, part.x, part.y, judge.answers, goal, reaches, folded.macs, layout
        )

    @one_thread_each()
    def on(self, data: Dataset) -> Record:
        """The same network judged by other samples, in the user's layout. Raises DataError."""
        wanted = self.student.type(self.student.inputs[0]).shape
        if self.teacher is None:
            raise DataError(
                "the teacher was too large to be kept with its network: it cannot answer other data"
            )
        if len(data.sample_shape) != self._rank() or self.layout.graph_shape(data.sample_shape) != wanted:
            raise DataError(
                f"the data's samples are {data.sample_shape}; the network takes {wanted}, channels last"
            )
        x = self.layout.arrange(data.x)
        answers = float_outputs(self.teacher, x)
        y = self._classes(data) if self.goal == "classes" else None
        return replace(self, x=x, y=y, answers=answers)

    def _rank(self) -> int:
        return len(self.student.type(self.student.inputs[0]).shape) - (self.layout is Layout.SIGNAL)

    def _classes(self, data: Dataset) -> np.ndarray | None:
        """Labels as the network numbers them: by name, where names are known."""
        known = self.student.labels
        if data.y is None:
            return None
        if data.labels and set(data.labels) <= set(known):
            return np.array([known.index(name) for name in data.labels])[data.y]
        if int(data.y.max()) >= self.answers.shape[1]:
            raise DataError(
                f"labels run to {data.y.max()}, but the network has {self.answers.shape[1]} outputs"
            )
        return data.y


def record_file(record: Record) -> bytes:
    """The content of `explain.npz`; the same Record gives the same bytes."""
    names = sorted(record.calibration)
    reaches = [(r.low, r.high, r.usual, r.rms) for r in (record.calibration[n] for n in names)]
    arrays = {"x": record.x, "answers": record.answers, "names": np.array(names), "reaches": np.array(reaches),
              "goal": np.array(record.goal), "layout": np.array(record.layout.value),
              "teacher_macs": np.array(record.teacher_macs)}  # fmt: skip
    if record.y is not None:
        arrays["y"] = record.y
    arrays |= {f"plain/{name}": record.plain.constant(name) for name in _changed(record)}
    arrays |= _packed("student", record.student)
    if record.teacher is not None and record.teacher.weight_bytes <= TEACHER_BYTES:
        arrays |= _packed("teacher", record.teacher)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _nearer(trained: Graph, uncorrected: Graph, judge: Judge) -> Graph:
    """Which of the two is the network in real numbers: a trained one has biases that fit its weights."""
    scores = [judge(Mixture(g, frozenset(g.tensors))).divergence for g in (trained, uncorrected)]
    return uncorrected if scores[1] < scores[0] else trained


def _changed(record: Record) -> list[str]:
    return [
        name for name in constants_of(record.plain)
        if (record.plain.constant(name) != record.student.constant(name)).any()
    ]  # fmt: skip


def _packed(who: str, graph: Graph) -> dict[str, np.ndarray]:
    return {f"{who}/{name}": np.frombuffer(content, np.uint8) for name, content in graph_files(graph).items()}


def read_record(folder: Path) -> Record:
    """What `record_file` kept. Raises UserError where there is none, ModelError where it is damaged."""
    path = folder / FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no {FILE}, which explaining needs: `pintsize shrink` of this version leaves it in its folder"
        )
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return _record({key: archive[key] for key in archive.files})
    except DAMAGE as error:
        raise ModelError(f"{path} is damaged: {error}") from error


def _record(arrays: Mapping[str, np.ndarray]) -> Record:
    reaches = (Reach(*map(float, row)) for row in arrays["reaches"])
    student, teacher = _unpacked("student", arrays), _unpacked("teacher", arrays)
    if student is None:
        raise ModelError("the network is missing")
    biases = {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith("plain/")}
    plain = student.with_tensors(*(replace(student.tensors[n], data=b) for n, b in biases.items()))
    return Record(
        student, plain, teacher, arrays["x"], arrays.get("y"), arrays["answers"],
        "values" if str(arrays["goal"]) == "values" else "classes",
        dict(zip(map(str, arrays["names"]), reaches, strict=True)), int(arrays["teacher_macs"]),
        Layout(str(arrays["layout"])),
    )  # fmt: skip


def _unpacked(who: str, arrays: Mapping[str, np.ndarray]) -> Graph | None:
    files = {k.partition("/")[2]: v.tobytes() for k, v in arrays.items() if k.startswith(f"{who}/")}
    return graph_of(files) if files else None
