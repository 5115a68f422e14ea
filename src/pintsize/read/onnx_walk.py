"""Walks an ONNX graph node by node and drafts the Graph; collects every op that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.read.draft import Draft, Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_call import Known, OnnxCall, WeightGrid
from pintsize.read.onnx_file import ELEMENTS_MAX, MODEL_BYTES_MAX, Tensors, opset_of
from pintsize.read.onnx_fold import FOLDS, fold
from pintsize.read.onnx_input import input_of, layout_of
from pintsize.read.onnx_integers import integers
from pintsize.read.onnx_ops import READERS
from pintsize.read.onnx_patterns import merged
from pintsize.read.onnx_quantization import Coded, Quantization, dequantized
from pintsize.read.onnx_shifted import READERS as SHIFTED_READERS
from pintsize.read.onnx_shifted import Shifted

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto

#: what readers and numpy raise on attributes that make no sense; anything else is our bug
NODE_FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
#: these mean the same on codes as on real numbers
MOVE_CODES = frozenset(
    {"Concat", "Flatten", "Identity", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
)
QUANTIZERS = frozenset({"QuantizeLinear", "DequantizeLinear"})
#: where quantizers also write their nodes, and other domains' ops that are ONNX's own by now
MICROSOFT = "com.microsoft"
MICROSOFT_OPS = frozenset({*QUANTIZERS, "Gelu"})
RANK_MAX = 6
EXTENT_MAX = 2**16
NAME_LENGTH = 120

Entry = Value | Known | Coded | Shifted | None


class OnnxWalk:
    """Reads the way from the one input of a model to its one output."""

    def __init__(
        self, model: ModelProto, folder: Path | None, name: str, shape: Sequence[int] | None
    ) -> None:
        self.name = name
        self.opset = opset_of(model)
        self.graph = model.graph
        self.tensors = Tensors(folder)
        self.nodes = self._needed(merged(list(self.graph.node), self._single_numbers()))
        self._refuse_unknown()
        self.draft = Draft()
        self.quantization = Quantization(self.draft)
        self.grids: dict[str, WeightGrid] = {}
        self.problems: dict[str, None] = {}  # in order, each once
        self.values: dict[str, Entry] = {"": None}
        self.unread: set[str] = set()
        self.raw: dict[str, str] = {}  # tensor that is read without its codes → where
        self.dequantized: set[str] = set()
        self.quantized = self._quantizes()
        self.constant_bytes = 0
        self.input = input_of(self.graph, name, shape)

    def run(self) -> tuple[Graph, Layout, Layout]:
        """The Graph, and how its input and output lie. Raises ModelError, UnsupportedOp with all places at once."""
        given = self._begin()
        for node in self.nodes:
            self._visit(node)
        if self.problems:
            raise UnsupportedOp(_listed(self.name, list(self.problems)))
        result = self._output()
        if result.tensor == given.tensor:
            raise ModelError(f"model '{self.name}' computes nothing: its output is its input")
        graph = self.draft.finish(self.name, given.tensor, result.tensor)
        if self.quantized:
            grids = {name: self.grids[o] for name, o in self.draft.origins.items() if o in self.grids}
            graph = integers(graph, grids)
        return graph, given.layout, result.layout

    def _single_numbers(self) -> dict[str, float]:
        """The constants that are one number, by name."""
        tensors = {t.name: t for t in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Constant" and node.output and node.attribute and node.attribute[0].type == 4:
                tensors[node.output[0]] = node.attribute[0].t
        single = {name: t for name, t in tensors.items() if all(n == 1 for n in t.dims)}
        return {name: float(self.tensors.array(t).reshape(-1)[0]) for name, t in single.items()}

    def _needed(self, nodes: Sequence[NodeProto]) -> list[NodeProto]:
        """The nodes that the outputs need, in the file's order, which must be that of execution."""
        made: dict[str, int] = {}
        for i, node in enumerate(nodes):
            for output in filter(None, node.output):
                if output in made:
                    raise ModelError(f"model '{self.name}': two nodes compute {output[:NAME_LENGTH]!r}")
                made[output] = i
        needed: set[int] = set()
        pending = [o.name for o in self.graph.output]
        while pending:
            index = made.get(pending.pop())
            if index is not None and index not in needed:
                needed.add(index)
                pending += nodes[index].input
        return [nodes[i] for i in sorted(needed)]

    def _refuse_unknown(self) -> None:
        """Raises UnsupportedOp that lists every op without a meaning here, before any work."""
        places: dict[str, list[str]] = {}
        for node in self.nodes:
            if not _is_known(node):
                places.setdefault(f"{node.domain}.{node.op_type}".strip("."), []).append(_name(node))
        if places:
            told = [f"{op} at {', '.join(names)}: it is not supported" for op, names in places.items()]
            raise UnsupportedOp(_listed(self.name, told))

    def _quantizes(self) -> bool:
        """Whether activations are quantized, not only weights that the file holds as real numbers."""
        held = {t.name for t in self.graph.initializer}
        held |= {o for n in self.nodes if n.op_type == "Constant" for o in n.output}
        return any(
            n.op_type == "QuantizeLinear" and n.input[:1] and n.input[0] not in held for n in self.nodes
        )

    def _begin(self) -> Value:
        if len(self.graph.sparse_initializer):
            raise ModelError(
                f"model '{self.name}' has sparse tensors, which are not read: store them densely"
            )
        for tensor in self.graph.initializer:
            self.values[tensor.name] = Known(tensor.name, self.tensors.array(tensor))
        layout = layout_of(self.nodes, self.input)
        tensor = self.draft.activation(self.input.name, layout.graph_shape(self.input.shape))
        value = Value(tensor, self.input.shape, layout)
        self.values[self.input.name] = (
            Coded(value, None, self.input.unsigned) if self.input.is_codes else value
        )
        self.quantized = self.quantized or self.input.is_codes
        return value

    def _visit(self, node: NodeProto) -> None:
        outputs = list(node.output)
        if not self.unread.isdisjoint(node.input):
            self.unread.update(outputs)
            return
        try:
            results = self._results(node)
            for output, result in zip(outputs, results, strict=False):
                self._keep(output, result)
                if result is not None and self._passes_on(node, result):
                    self.dequantized.add(output)
            for output in outputs[len(results) :]:
                self.values[output] = None
        except (UnsupportedOp, *NODE_FAULTS) as error:
            self.problems[f"{node.op_type} at {_name(node)}: {_reason(error)}"] = None
            self.unread.update(outputs)

    def _passes_on(self, node: NodeProto, result: Entry) -> bool:
        """Whether the result is nothing but what a DequantizeLinear gave."""
        return any(name in self.dequantized and self.values[name] is result for name in node.input)

    def _keep(self, output: str, result: Entry) -> None:
        if isinstance(result, Known):
            result = replace(result, name=output)
            self._count(result.data.nbytes)
            if result.grid is not None:
                self.grids[output] = result.grid
        self.values[output] = result

    def _count(self, size: int) -> None:
        self.constant_bytes += size
        if self.constant_bytes > MODEL_BYTES_MAX:
            raise ModelError(f"model '{self.name}' computes more than {MODEL_BYTES_MAX} bytes of constants")

    def _results(self, node: NodeProto) -> Sequence[Entry]:
        inputs = [self._entry(name) for name in node.input]
        call = self._call(node, inputs)
        if node.op_type == "QuantizeLinear":
            return (self.quantization.quantize(call),)
        if node.op_type == "DequantizeLinear":
            return (self._dequantize(call, inputs[0] if inputs else None, node.output[0]),)
        if node.op_type == "Constant":
            return (self._constant(node),)
        self._note_raw(node, inputs)
        coded = [i for i in inputs if isinstance(i, Coded)]
        if coded and node.op_type == "Cast":
            return (self._cast_codes(call, coded[0], node.output[0]),)
        if coded and node.op_type not in MOVE_CODES:
            raise UnsupportedOp(
                "it works on codes: put a DequantizeLinear before it and a QuantizeLinear behind"
            )
        shifted = [i for i in inputs if isinstance(i, Shifted)]
        results = self._read(call, shifted[0] if shifted else None)
        if not coded:
            return results
        return [replace(coded[0], value=r) if isinstance(r, Value) else r for r in results]

    def _cast_codes(self, call: OnnxCall, coded: Coded, output: str) -> Entry:
        result = self.quantization.cast(call, coded)
        if isinstance(result, Value):
            self.dequantized.add(output)
        return result

    def _dequantize(self, call: OnnxCall, first: Entry, output: str) -> Entry:
        if isinstance(first, Coded):
            self.dequantized.add(output)
            return self.quantization.dequantize(call, first)
        return dequantized(call)

    def _note_raw(self, node: NodeProto, inputs: Sequence[Entry]) -> None:
        if node.op_type == "Cast":  # nothing to real numbers; its readers are looked at instead
            return
        for name, entry in zip(node.input, inputs, strict=True):
            if isinstance(entry, Value) and name not in self.dequantized:
                self.raw.setdefault(entry.tensor, f"{node.op_type} at {_name(node)}")

    def _read(self, call: OnnxCall, shifted: Shifted | None) -> Sequence[Any]:
        if shifted is not None:
            if call.op not in SHIFTED_READERS:
                raise UnsupportedOp("the batch must be the first axis: transpose before it")
            result: Any = SHIFTED_READERS[call.op](call, shifted)
        elif not any(isinstance(i, Value) for i in call.inputs):
            return (fold(call),)
        elif call.op not in READERS:
            raise UnsupportedOp(
                "it is computed here on constants only, not on what depends on the model's input"
            )
        else:
            result = READERS[call.op](call)
        results = result if isinstance(result, tuple) else (result,)
        for value in results:
            if isinstance(value, Value):
                self._check(value)
            if isinstance(value, Shifted):
                self._check(value.value)
        return results

    def _check(self, value: Value) -> None:
        """Raises UnsupportedOp for what no device could hold, ValueError where shapes came out differently."""
        shape = self.draft.shape(value.tensor)
        elements = self.draft.tensors[value.tensor].type.elements
        if len(shape) > RANK_MAX or not 0 < elements <= ELEMENTS_MAX or max(shape, default=1) > EXTENT_MAX:
            raise UnsupportedOp(f"it makes a tensor of shape {shape}: too large, or empty")
        if shape != value.layout.graph_shape(value.shape):
            raise ValueError(f"ONNX's shape {value.shape} does not come out as {shape}")

    def _entry(self, name: str) -> Entry:
        if name not in self.values:
            raise ModelError(
                f"model '{self.name}' reads {name[:NAME_LENGTH]!r} before it is computed: its nodes are not in order, "
                "or go in a circle"
            )
        return self.values[name]

    def _call(self, node: NodeProto, entries: Sequence[Entry]) -> OnnxCall:
        inputs = [e.value if isinstance(e, Coded | Shifted) else e for e in entries]
        attributes = {a.name: self._attribute(a) for a in node.attribute}
        name = _name(node)
        return OnnxCall(
            self.draft, node.op_type, name, f"{node.op_type} {name}", self.opset, inputs, attributes,
            len(node.output), self.quantization.bounds if self.quantized else None,
        )  # fmt: skip

    def _attribute(self, attribute: AttributeProto) -> Any:
        """As Python's numbers, lists, bytes or arrays; None for graphs and the like."""
        kinds = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints", 8: "strings"}
        if attribute.type == 4:
            return self.tensors.array(attribute.t)
        field = kinds.get(attribute.type)
        found = None if field is None else getattr(attribute, field)
        return list(found) if field in ("floats", "ints", "strings") and found is not None else found

    def _constant(self, node: NodeProto) -> Known:
        attribute = next(iter(node.attribute), None)
        found = None if attribute is None else self._attribute(attribute)
        if found is None or isinstance(found, bytes) or attribute is None or attribute.name == "sparse_value":
            raise UnsupportedOp("only numbers and dense tensors are supported")
        whole = attribute.type in (2, 7)
        return Known(
            "", found if isinstance(found, np.ndarray) else np.array(found, np.int64 if whole else np.float32)
        )

    def _output(self) -> Value:
        names = [o.name for o in self.graph.output]
        if len(names) != 1:
            raise ModelError(
                f"model '{self.name}' returns {len(names)} tensors ({', '.join(names)[:NAME_LENGTH]}): "
                "exactly one is supported"
            )
        entry = self._entry(names[0])
        value = entry.value if isinstance(entry, Coded) else entry
        if not isinstance(value, Value):
            raise ModelError(f"the output of model '{self.name}' does not depend on its input")
        if isinstance(entry, Value) and names[0] not in self.dequantized:
            self.raw.setdefault(value.tensor, "the model's output")
        self._check_raw()
        return value

    def _check_raw(self) -> None:
        """Raises ModelError where a tensor is read both as codes and as it was before them."""
        for tensor, place in self.raw.items():
            if tensor in self.quantization.explicit:
                raise ModelError(
                    f"model '{self.name}': {place} reads what {self.quantization.explicit[tensor]} quantizes "
                    "without its codes: let it read the DequantizeLinear's output"
                )
        for tensor in self.quantization.bounds:
            raise ModelError(
                f"model '{self.name}': the Clip behind {tensor} is not quantized: quantize its output"
            )


def _is_known(node: NodeProto) -> bool:
    if node.domain == MICROSOFT:
        return node.op_type in MICROSOFT_OPS and (node.op_type in QUANTIZERS or node.op_type in READERS)
    known = node.op_type in READERS or node.op_type in FOLDS or node.op_type in (*QUANTIZERS, "Constant")
    return known and node.domain in ("", "ai.onnx")


def _name(node: NodeProto) -> str:
    """The node's name without the exporter's decoration; that of its output where it has none."""
    name = node.name or next(iter(node.output), "") or node.op_type
    return name.strip("/").replace("/", ".")[:NAME_LENGTH] or node.op_type


def _reason(error: Exception) -> str:
    if isinstance(error, UnsupportedOp | ValueError):
        return str(error)
    return f"its attributes or inputs make no sense ({type(error).__name__}: {error})"


def _listed(name: str, problems: Sequence[str]) -> str:
    count = "1 op" if len(problems) == 1 else f"{len(problems)} ops"
    return "\n  ".join([f"{count} of model '{name}' cannot be read:", *problems])
