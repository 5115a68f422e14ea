"""Walks an exported program node by node and drafts the Graph; collects every op that cannot be read."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.fx.node import map_aggregate, map_arg

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.read.advice import advice
from pintsize.read.aliasing import Aliases, op_name, writes_in_place
from pintsize.read.draft import Call, Constant, Draft, Value
from pintsize.read.input_layout import input_layout
from pintsize.read.layout import Layout, channels_first
from pintsize.read.place import Place, place_of
from pintsize.read.token_ids import are_ids
from pintsize.read.torch_attention import multihead_attention, whole_attentions
from pintsize.read.torch_ops import CHECKS, READERS, Result
from pintsize.read.torch_recurrent import initial_state, is_initial_state, of_final_states
from pintsize.spec import ids_come_from_outside

SHARED_MEMORY = "it writes in place to memory that a view still reads: use the op that makes a new tensor"
NUMBERS = (int, float, bool, torch.SymInt, torch.SymFloat, torch.SymBool)
CHANGED_BUFFER = "it changes a buffer of the model: call model.eval() before torch.export.export"


class Walk:
    """Reads the one input's way to the one output of a program."""

    def __init__(self, program: ExportedProgram, name: str) -> None:
        self.name = name
        self.graph = program.graph_module.graph
        self.draft = Draft()
        self.aliases = Aliases()
        self.problems: dict[str, None] = {}  # in order, each once
        self.uncertain: set[fx.Node] = set()
        self.values: dict[fx.Node, Any] = {}
        self.position = {node: i for i, node in enumerate(self.graph.nodes)}
        self.modules = Counter(place_of(n).module for n in self.graph.nodes if n.op == "call_function")
        self.attentions = whole_attentions(self.graph)
        self.within = {n for whole in self.attentions.values() for n in whole.nodes} - set(self.attentions)
        self.input = self._placeholders(program)
        self.batch = str(self.input.meta["val"].shape[0])

    def run(self) -> tuple[Graph, Layout, Layout]:
        """The Graph, and how its input and output lie. Raises UnsupportedOp with all the places at once."""
        given = self._begin()
        for node in self.graph.nodes:
            if node in self.within:
                self._pass_over(node)
                continue
            if node.op == "call_function" and (node.users or writes_in_place(node)):
                self._visit(node)
            elif node.op == "get_attr":
                self._attribute(node)
        if self.problems:
            raise UnsupportedOp(_listed(self.name, list(self.problems)))
        result = self._output()
        if result.tensor == given.tensor:
            raise ModelError(f"model '{self.name}' computes nothing: its output is its input")
        graph = self.draft.finish(self.name, given.tensor, result.tensor)
        if any(ids_come_from_outside(graph)):
            raise ModelError(
                f"model '{self.name}' reads its input as ids and as numbers: it must be one of the two"
            )
        return graph, given.layout, result.layout

    def _placeholders(self, program: ExportedProgram) -> fx.Node:
        """Takes in the weights and returns the node of the one user input."""
        signature, inputs = program.graph_signature, []
        named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        tensors = {**program.constants, **program.state_dict}
        lifted = signature.inputs_to_lifted_tensor_constants
        for node in self.graph.nodes:
            if node.op != "placeholder":
                continue
            target = named.get(node.name) or lifted.get(node.name)
            if target is None:
                inputs.append(node)
            else:
                self.values[node] = Constant(target, tensors[target])
                self.aliases.record(node)
        if len(inputs) != 1 or not isinstance(inputs[0].meta.get("val"), torch.Tensor):
            names = ", ".join(n.name for n in inputs)
            raise ModelError(
                f"model '{self.name}' takes {len(inputs)} inputs ({names}): exactly one tensor is supported"
            )
        value = inputs[0].meta["val"]
        if value.dim() < 2 or not (value.dtype.is_floating_point or are_ids(inputs[0], CHECKS)):
            raise ModelError(
                f"model '{self.name}' takes {value.dtype} of shape {tuple(value.shape)}: "
                "its input must be real numbers, or ids that embeddings alone read, the batch first"
            )
        return inputs[0]

    def _begin(self) -> Value:
        shape = self._shape(self.input)
        layout = input_layout(self.input, len(shape))
        tensor = self.draft.activation(self.input.name, layout.graph_shape(shape))
        value = Value(tensor, shape, layout)
        self.values[self.input] = value
        self.aliases.record(self.input)
        return value

    def _attribute(self, node: fx.Node) -> None:
        target = str(node.target)
        found = getattr(node.graph.owning_module, target, None)
        if isinstance(found, torch.Tensor):
            self.values[node] = Constant(target, found)
            self.aliases.record(node)

    def _visit(self, node: fx.Node) -> None:
        if node.target in CHECKS:
            return
        if node.target is operator.getitem:
            self.values[node] = self._item(*node.args)
            if not self.uncertain.isdisjoint(node.all_input_nodes):
                self.uncertain.add(node)
        elif isinstance(node.meta.get("val"), NUMBERS):
            self.values[node] = node.meta["val"]
        elif is_initial_state(node):
            self.values[node] = initial_state(node)
        else:
            self._compute(node)
        self.aliases.record(node)

    def _item(self, container: Any, index: Any) -> Any:
        """One of several outputs; None where it could not be read."""
        found = self.values.get(container)
        return found[index] if isinstance(found, tuple) else None

    def _compute(self, node: fx.Node) -> None:
        uncertain = not self.uncertain.isdisjoint(node.all_input_nodes)
        try:
            result = self._read(node)
        except (UnsupportedOp, ValueError) as error:
            # a shape that does not fit behind another problem may be that problem's doing
            if isinstance(error, UnsupportedOp) or not uncertain:
                self._refuse(node, str(error))
            result, uncertain = self._stand_in(node), True
        if uncertain:
            self.uncertain.add(node)
        self.values[node] = result
        if writes_in_place(node):
            self._written(node, result)

    def _read(self, node: fx.Node) -> Result | Constant:
        if node in self.attentions:
            return self._attend(node)
        arguments = self._arguments(node)
        taken = of_final_states(node, arguments)
        if taken is not None:
            self._check(node, taken)
            return taken
        if not any(isinstance(v, Value) for v in _flat(arguments.values())):
            return self._folded(node, arguments)
        reader = READERS.get(node.target)
        if reader is None:
            raise UnsupportedOp(advice(op_name(node)))
        result = reader(self._call(node, arguments))
        first = result[0] if isinstance(result, tuple) else result
        self._check(node, first)
        return result

    def _pass_over(self, node: fx.Node) -> None:
        """A step within an attention that is read as a whole; what reads it all the same gets a stand-in."""
        if not (self.within | set(self.attentions)).issuperset(node.users):
            self.values[node] = self._stand_in(node)
            self.uncertain.add(node)

    def _attend(self, node: fx.Node) -> Value:
        """A whole nn.MultiheadAttention, whose output the node is."""
        place = place_of(node)
        given = self.attentions[node].arguments(self.values)
        result = multihead_attention(
            Call(self.draft, place.module or node.name, place.source, given, self._shape(node))
        )
        self._check(node, result)
        return result

    def _call(self, node: fx.Node, arguments: Mapping[str, Any]) -> Call:
        place = place_of(node)
        alone = place.module and self.modules[place.module] == 1
        return Call(
            self.draft, place.module if alone else node.name, place.source, arguments, self._shape(node)
        )

    def _arguments(self, node: fx.Node) -> dict[str, Any]:
        """By the names of torch's schema; nodes replaced by what they stand for, defaults filled in."""
        schema = getattr(node.target, "_schema", None)
        if schema is None:
            raise UnsupportedOp(advice(""))
        bound: dict[str, Any] = {}
        for i, argument in enumerate(schema.arguments):
            given = (
                node.args[i] if i < len(node.args) else node.kwargs.get(argument.name, argument.default_value)
            )
            bound[argument.name] = map_arg(given, self.values.get)
        return bound

    def _folded(self, node: fx.Node, arguments: Mapping[str, Any]) -> Constant:
        """What an op on constants alone computes, once and for all."""
        target: Any = node.target
        if torch.Tag.nondeterministic_seeded in target.tags:
            raise UnsupportedOp("its result is random: the same input must always give the same output")
        if any(not isinstance(self.values.get(n), Constant) for n in node.all_input_nodes):
            raise UnsupportedOp("it depends on the size of the batch: each input must be computed by itself")
        if writes_in_place(node) and any(n.op == "placeholder" for n in node.all_input_nodes):
            raise UnsupportedOp(CHANGED_BUFFER)
        copied = map_aggregate(
            list(arguments.values()), lambda v: v.data.detach().clone() if isinstance(v, Constant) else v
        )
        schema = target._schema.arguments
        positional = [v for v, a in zip(copied, schema, strict=True) if not a.kwarg_only]
        keywords = {a.name: v for v, a in zip(copied, schema, strict=True) if a.kwarg_only}
        with torch.no_grad():
            result = target(*positional, **keywords)
        if not isinstance(result, torch.Tensor):
            raise UnsupportedOp("it computes several constants at once")
        return Constant(node.name, result)

    def _check(self, node: fx.Node, value: Value | None) -> None:
        """Torch's shape and ours must be the same thing, or a broadcast was not what it seemed."""
        expected = self._shape(node)
        if value is None or value.shape != expected:
            raise ValueError(f"shapes spread to {expected}, which is larger than any operand")
        if self.draft.shape(value.tensor) != value.layout.graph_shape(expected):
            raise ValueError(
                f"torch's shape {expected} does not come out as {self.draft.shape(value.tensor)}"
            )

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        """Torch's shape with the batch left out. Raises ValueError where the batch is not first."""
        value = node.meta["val"]
        first = value[0] if isinstance(value, tuple | list) else value
        shape = tuple(first.shape)
        if not shape or str(shape[0]) != self.batch:
            raise ValueError("it mixes the inputs of a batch: the first axis must stay the batch")
        if not all(isinstance(n, int) for n in shape[1:]):
            raise UnsupportedOp(f"shape {shape}: all sizes but the batch's must be fixed")
        if not first.dtype.is_floating_point and not are_ids(node, CHECKS):
            raise UnsupportedOp(f"it gives {first.dtype}: only real numbers are supported")
        return shape[1:]

    def _refuse(self, node: fx.Node, reason: str) -> None:
        schema = getattr(node.target, "_schema", None)
        op = str(node.target) if schema is None else schema.name.replace("::", ".")
        self.problems[_told(op, place_of(node), reason)] = None

    def _stand_in(self, node: fx.Node) -> Any:
        """A value in place of one that could not be read, so that the walk finds the next problem too."""
        values = node.meta.get("val")
        listed = values if isinstance(values, tuple | list) else [values]
        shapes = [
            _fixed(v.shape[1:]) if isinstance(v, torch.Tensor) and v.dim() > 1 else (1,) for v in listed
        ]
        layouts = [channels_first(len(s)) for s in shapes]
        found = tuple(
            Value(self.draft.activation(node.name, layout.graph_shape(shape)), shape, layout)
            for shape, layout in zip(shapes, layouts, strict=True)
        )
        return found if isinstance(values, tuple | list) else found[0]

    def _written(self, node: fx.Node, result: Any) -> None:
        """After a write in place, every name of the tensor means the result."""
        target = node.args[0]
        if not isinstance(target, fx.Node):
            return
        if any(self._read_later(other, node) for other in self.aliases.other_views(target)):
            self._refuse(node, SHARED_MEMORY)
        for name in self.aliases.same_tensor(target):
            self.values[name] = result

    def _read_later(self, node: fx.Node, than: fx.Node) -> bool:
        return any(self.position[user] > self.position[than] for user in node.users)

    def _output(self) -> Value:
        node = next(n for n in self.graph.nodes if n.op == "output")
        outputs = list(_flat([node.args[0]]))
        if len(outputs) != 1:
            raise ModelError(f"model '{self.name}' returns {len(outputs)} tensors: exactly one is supported")
        value = self.values.get(outputs[0])
        if not isinstance(value, Value):
            raise ModelError(f"the output of model '{self.name}' does not depend on its input")
        return value


def _flat(values: Any) -> Sequence[Any]:
    """The leaves of nested lists and tuples."""
    leaves: list[Any] = []
    for value in values:
        leaves.extend(_flat(value) if isinstance(value, list | tuple) else [value])
    return leaves


def _fixed(shape: Sequence[Any]) -> tuple[int, ...]:
    return tuple(n if isinstance(n, int) else 1 for n in shape)


def _told(op: str, place: Place, reason: str) -> str:
    where = str(place)
    return f"{op} at {where}: {reason}" if where else f"{op}: {reason}"


def _listed(name: str, problems: Sequence[str]) -> str:
    count = "1 op" if len(problems) == 1 else f"{len(problems)} ops"
    return "\n  ".join([f"{count} of model '{name}' cannot be read:", *problems])
