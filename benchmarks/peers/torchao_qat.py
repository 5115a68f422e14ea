"""torchao's PT2E quantization-aware training: the teacher at 8 bits, fine-tuned; accuracy by the converted model."""

from __future__ import annotations

import torch
from torchao.quantization.pt2e import allow_exported_model_train_eval, move_exported_model_to_eval
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e
from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
    X86InductorQuantizer,
    get_default_x86_inductor_quantization_config,
)

from benchmarks.peers.contest import Contest, Point, learn

#: a tenth of the teacher's rate, as is usual for a trained network
RATE_SHARE = 0.1


def points(contest: Contest) -> list[Point]:
    """One point: 8-bit weights and activations."""
    model = contest.student()
    graph, _ = contest.int8_graph(model)
    batch = torch.export.Dim("batch", min=2)
    x = torch.cat([contest.sample, contest.sample])
    exported = torch.export.export(model.train(), (x,), dynamic_shapes=({0: batch},)).module()
    quantizer = X86InductorQuantizer()
    quantizer.set_global(get_default_x86_inductor_quantization_config(is_qat=True))
    prepared = allow_exported_model_train_eval(prepare_qat_pt2e(exported, quantizer))  # type: ignore[arg-type]
    learn(prepared, contest, contest.task.schedule.learning_rate * RATE_SHARE)
    move_exported_model_to_eval(prepared)
    converted = allow_exported_model_train_eval(convert_pt2e(prepared))
    return [contest.torch_point("int8 QAT", graph, converted)]
