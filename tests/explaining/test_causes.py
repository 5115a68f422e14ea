"""A fault of each kind, planted, is found and named, with the option that fixes it; a healthy network names none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pintsize.compress.quantize import Quantize
from pintsize.explaining import Explanation, explain_record
from pintsize.explaining.explanation import NamedCause
from pintsize.explaining.record import Record
from pintsize.graph import Graph
from tests.explaining.conftest import Digits


def explained(
    digits: Digits, student: Graph, teacher: Graph | None = None, calibration: np.ndarray | None = None
) -> Explanation:  # fmt: skip
    samples = digits.calibration if calibration is None else calibration
    return explain_record(Record.of(student, teacher or digits.graph, digits.judged, samples, "classes"))


def assert_first_cause(found: Explanation, kind: str, place: str, fix: str) -> NamedCause:
    assert found.causes, found.notes
    first = found.causes[0]
    assert (first.kind, place in first.places) == (kind, True), first
    assert fix in first.fix
    assert first.divergence_after < first.divergence_before / 2
    assert first.accuracy_after >= first.accuracy_before
    return first


def test_a_healthy_network_has_no_cause(digits: Digits) -> None:
    found = explained(digits, Quantize().annotate(digits.graph, digits.calibration))
    assert found.causes == ()
    steps = {s.name: s.divergence for s in found.steps}
    assert steps["integers"] < 1e-3
    assert steps["network in real numbers"] < 1e-6  # whatever was done to the biases is undone


def test_two_bits(digits: Digits) -> None:
    layer = digits.convolutions[2].name
    found = explained(digits, Quantize(layer_bits={layer: 2}).annotate(digits.graph, digits.calibration))
    assert_first_cause(found, "narrow weights", layer, f"--layer-bits {layer}=8")
    assert len(found.causes) == 1
    row = next(r for r in found.layers if r.name == layer)
    assert row.weight_bits == 2
    assert row.own_weights_db is not None
    assert row.own_weights_db < 15
    assert row.restored_gain == max(r.restored_gain for r in found.layers)


def test_a_weight_outlier(digits: Digits) -> None:
    first, second, _ = digits.convolutions
    w1, b1, w2 = (digits.graph.constant(n).copy() for n in (*first.inputs[1:], second.inputs[1]))
    w1[3], b1[3], w2[:, 1, 1, 3] = 0, 0, 40  # far out, and on a channel that is always 0
    teacher = digits.changed(**{first.inputs[1]: w1, first.inputs[2]: b1, second.inputs[1]: w2})
    found = explained(digits, Quantize().annotate(teacher, digits.calibration), teacher)
    assert_first_cause(found, "weight outlier", second.name, "--effort high")
    assert len(found.causes) == 1
    assert any(f"{first.name}: 1 of 32 channels never change" in note for note in found.notes)


def uneven(digits: Digits) -> Graph:
    """The same function, one channel of the first layer 60 times as large."""
    first, second, _ = digits.convolutions
    w1, b1, w2 = (digits.graph.constant(n).copy() for n in (*first.inputs[1:], second.inputs[1]))
    quiet = int(np.abs(w2).sum((0, 1, 2)).argmin())
    w1[quiet] *= 60
    b1[quiet] *= 60
    w2[..., quiet] /= 60
    return digits.changed(**{first.inputs[1]: w1, first.inputs[2]: b1, second.inputs[1]: w2})


def test_channels_of_uneven_size(digits: Digits) -> None:
    teacher = uneven(digits)
    how = Quantize(equalize_layers=False, calibration="min_max")
    found = explained(digits, how.annotate(teacher, digits.calibration), teacher)
    place = digits.convolutions[0].name
    assert_first_cause(found, "channel imbalance", place, "Quantize(equalize_layers=True)")


def test_the_fix_of_uneven_channels_fixes_them(digits: Digits) -> None:
    teacher = uneven(digits)
    found = explained(digits, Quantize().annotate(teacher, digits.calibration), teacher)
    assert found.causes == ()


def test_a_grid_that_is_too_small(digits: Digits) -> None:
    student = Quantize().annotate(digits.graph, digits.calibration)
    node = digits.convolutions[1]
    output = student.tensors[node.output]
    kind = replace(output.type, scale=(output.type.scale[0] / 6,))
    found = explained(digits, student.with_tensors(replace(output, type=kind)))
    assert_first_cause(found, "saturation", node.name, 'Quantize(calibration="min_max")')
    assert len(found.causes) == 1
    assert next(r.clipped for r in found.layers if r.name == node.name) > 0.1


def test_branches_of_other_scales(digits: Digits, branches: Graph) -> None:
    found = explained(digits, Quantize().annotate(branches, digits.calibration), branches)
    concat = next(n.name for n in branches.nodes if n.op.name == "concat")
    assert_first_cause(found, "mixed-scale concat", concat, "Quantize(activation_bits=16)")


@pytest.mark.parametrize("factor", [0.2, 12.0])
def test_samples_of_another_scale_than_calibration(digits: Digits, factor: float) -> None:
    scaled = digits.calibration * np.float32(factor)
    found = explained(digits, Quantize().annotate(digits.graph, scaled), calibration=scaled)
    assert_first_cause(found, "calibration differs", "the input", "--data")
    assert len(found.causes) == 1


def test_an_input_of_few_levels(digits: Digits) -> None:
    spoilt = digits.calibration.copy()
    spoilt[0, 0, 0, 0] = 60.0
    found = explained(
        digits, Quantize(calibration="min_max").annotate(digits.graph, spoilt), calibration=spoilt
    )
    assert_first_cause(found, "coarse input", "the input", 'Quantize(calibration="percentile")')


def test_a_rare_number_far_out(digits: Digits) -> None:
    samples = digits.calibration.copy()
    samples[0, 0, 0, 0] = 200.0
    student = Quantize(calibration="min_max").annotate(digits.graph, samples)
    kind = Quantize().annotate(digits.graph, digits.calibration).type(digits.graph.inputs[0])
    student = student.with_tensors(replace(student.tensors[digits.graph.inputs[0]], type=kind))
    found = explained(digits, student, calibration=samples)
    assert_first_cause(
        found, "range outlier", digits.convolutions[0].name, 'Quantize(calibration="percentile")'
    )


def test_two_faults_are_both_named_the_larger_first(digits: Digits) -> None:
    student = Quantize(layer_bits={digits.convolutions[2].name: 2}).annotate(digits.graph, digits.calibration)
    node = digits.convolutions[1]
    output = student.tensors[node.output]
    kind = replace(output.type, scale=(output.type.scale[0] / 6,))
    found = explained(digits, student.with_tensors(replace(output, type=kind)))
    assert [c.kind for c in found.causes] == ["saturation", "narrow weights"]
    assert found.causes[1].divergence_before == found.causes[0].divergence_after


def test_the_smaller_network_itself(digits: Digits) -> None:
    from pintsize.compress.prune import Prune

    small = Prune(0.5)(digits.graph)
    found = explained(digits, Quantize().annotate(small, digits.calibration))
    first = assert_first_cause(found, "smaller network", "all layers", "--max-drop")
    assert first.accuracy_after == found.steps[0].accuracy
    by_name = {r.name: r for r in found.layers}
    assert by_name[digits.convolutions[0].name].pruned_db is None  # other channels: nothing to compare
    assert by_name["classify"].pruned_db is not None
