"""Reads a .tflite model: an int8 one into an integer Graph, a float one into a float Graph.

What a QUANTIZE at the input and a DEQUANTIZE at the output do is left to the caller: the Graph begins and ends with
integers. CASTs at the input or output are the caller's too. Source of the meanings: https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pintsize.errors import ModelError, SpecError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.read.tflite_draft import ACTIVATION_DTYPES, Call, Draft
from pintsize.read.tflite_file import FlatModel, FlatOperator, FlatTensor, parse
from pintsize.read.tflite_folding import FOLDS, folds
from pintsize.read.tflite_ops import READS
from pintsize.spec import check

UINT8_OFFSET = 128


def read_tflite(path_or_bytes: str | Path | bytes, shape: Sequence[int] | None = None) -> Graph:
    """The model as a Graph: legal at the stage "integer" when it is quantized, at "float" when it is not.

    shape: of the input as the file has it, batch 1 included; needed where the file leaves extents open.

    Raises ModelError when the file is damaged, not a .tflite, or a model of another kind (several inputs, a batch,
    integers and real numbers mixed); UnsupportedOp, naming every place, for operators without a meaning here;
    MissingExtra when the schema's bindings are not installed.
    """
    model = parse(path_or_bytes)
    draft = Draft(model)
    source = _begin(draft, shape)
    _read_operators(draft)
    output = _end(draft)
    graph = draft.finish([source], [output])
    stage = "integer" if graph.type(source).is_quantized else "float"
    try:
        check(graph, stage)
    except SpecError as error:
        raise ModelError(str(error)) from error
    return graph


def _begin(draft: Draft, shape: Sequence[int] | None) -> str:
    """The Graph's input: the file's, or what its CASTs and its QUANTIZE make of it."""
    model = draft.model
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; models of one input and "
            "one output are read"
        )
    tensor = model.tensors[model.inputs[0]]
    chosen = _chosen_shape(tensor, shape)
    *border, begin = _behind_border(model, tensor)
    name = draft.add_input(begin.index, chosen)
    for before in border:
        draft.names[before.index], draft.shapes[before.index] = name, chosen
        draft.border.add(before.index)
    return name


def _chosen_shape(tensor: FlatTensor, shape: Sequence[int] | None) -> tuple[int, ...]:
    if shape is None:
        if tensor.is_dynamic:
            raise ModelError(
                f"the input's shape is open: {tensor.signature}. Give it as shape= (--shape), such as (1, 96, 96, 3)"
            )
        return tensor.shape
    chosen = tuple(int(n) for n in shape)
    fits = len(chosen) == len(tensor.signature) and all(
        n > 0 and s in (-1, n) for n, s in zip(chosen, tensor.signature, strict=True)
    )
    if not fits or (not tensor.is_dynamic and chosen != tensor.shape):
        raise ModelError(f"shape {chosen} does not fit the input's {tensor.signature}")
    return chosen


def _behind_border(model: FlatModel, tensor: FlatTensor) -> list[FlatTensor]:
    """The input as it is given, and what CASTs and a QUANTIZE make of it.

    The last one is what computing begins with.
    """
    chain = [tensor]
    while (made := _converted(model, chain[-1], len(chain) == 1)) is not None:
        if made.index in [t.index for t in chain]:
            raise ModelError(f"{model.name} converts its input in a circle")
        chain.append(made)
    return chain


def _converted(model: FlatModel, tensor: FlatTensor, given: bool) -> FlatTensor | None:
    """What the operators behind make of the input, where they only convert it. given: is it as the caller gives it?"""
    readers = [o for o in model.operators if tensor.index in o.inputs]
    codes = {o.code for o in readers}
    if not given and tensor.dtype in ("INT8", "INT16"):
        return None
    if codes != {"CAST"} and (codes != {"QUANTIZE"} or tensor.dtype not in ("FLOAT32", "UINT8")):
        return None
    made = [model.tensors[i] for o in readers for i in o.outputs]
    grids = {(t.dtype, tuple(t.scales.tolist()), tuple(t.zero_points.tolist())) for t in made}
    if len(grids) != 1:
        raise ModelError(f"the input is quantized or cast in {len(grids)} ways; one is read")
    if codes == {"CAST"} and made[0].index in model.outputs:
        return None
    if codes == {"QUANTIZE"} and tensor.dtype == "UINT8" and not _same_but_for_sign(tensor, made[0]):
        raise ModelError("the uint8 input is brought to another scale; only an offset of 128 is read")
    return made[0]


def _same_but_for_sign(unsigned: FlatTensor, signed: FlatTensor) -> bool:
    shifted = replace(unsigned, zero_points=unsigned.zero_points - UINT8_OFFSET)
    return (shifted.scales.tolist(), shifted.zero_points.tolist()) == (
        signed.scales.tolist(), signed.zero_points.tolist()
    )  # fmt: skip


def _read_operators(draft: Draft) -> None:
    """Every operator in turn. Raises UnsupportedOp naming all that cannot be read."""
    problems = [f"{o.place}: not read" for o in draft.model.operators if not _is_known(o)]
    for operator in draft.model.operators if not problems else ():
        call = Call(draft, operator)
        if not operator.inputs or not operator.outputs:
            raise ModelError(f"{operator.place} has no inputs, or no outputs")
        try:
            if not folds(call):
                READS[operator.code](call)
        except UnsupportedOp as error:
            problems.append(f"{operator.place}: {error}")
            _assume_outputs(call)
        except ModelError:
            if not problems:
                raise
            break  # what was assumed after a problem need not fit
    if problems:
        raise UnsupportedOp(
            f"{draft.model.name} has {len(problems)} operator(s) that cannot be read:\n  " + "\n  ".join(problems)
            + f"\nRead are {', '.join(sorted(READS))}."
        )  # fmt: skip


def _is_known(operator: FlatOperator) -> bool:
    return operator.code in READS or operator.code in FOLDS


def _assume_outputs(call: Call) -> None:
    """Stands in for an operator that cannot be read, so that those after it are looked at too."""
    draft = call.draft
    for index in call.operator.outputs:
        tensor = draft.model.tensors[index]
        if tensor.dtype in ACTIVATION_DTYPES and 0 not in tensor.shape:
            draft.add_input(index, tensor.shape)


def _end(draft: Draft) -> str:
    index = draft.model.outputs[0]
    if index not in draft.names:
        raise ModelError(f"the output, tensor {index}, is not computed from the input")
    return draft.names[index]
