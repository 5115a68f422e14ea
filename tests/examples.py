"""The worked examples of all ops, each as a Graph of its own."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import OPS, Linear, Reshape
from pintsize.ops.example import Example


def examples() -> dict[str, Example]:
    """Name (op and number) → example."""
    modules = {name: import_module(op.__module__) for name, op in OPS.items()}
    return {f"{name}_{i}": e for name, m in modules.items() for i, e in enumerate(m.EXAMPLES)}


def example_graph(example: Example) -> Graph:
    """A Graph whose input is the example's first activation; others are made by a layer of biases alone."""
    op = example.op
    computed = computed_inputs(example)
    first = example.inputs[computed[0]]
    x = Tensor("x", TensorType(first.shape))
    nodes, constants, inputs = [], {}, []
    if len(computed) > 1:
        nodes.append(Node("flat", Reshape(), ("x",), "flat"))
    for i, value in enumerate(example.inputs):
        name = "x" if i == computed[0] else f"input{i}"
        inputs.append(name)
        if name == "x":
            continue
        if i not in computed:
            constants[name] = constant(name, value)
            continue
        weight = constant(f"{name}.weight", np.zeros((value.size, first.size), np.float32))
        bias = constant(f"{name}.bias", value.reshape(-1))
        constants |= {weight.name: weight, bias.name: bias}
        nodes.append(Node(f"{name}.made", Linear(), ("flat", weight.name, bias.name), f"{name}.made"))
        nodes.append(Node(name, Reshape(value.shape), (f"{name}.made",), name))
    nodes.append(Node("y", op, tuple(inputs), "y"))
    return rebuild(Graph(op.name, {"x": x}, (), ("x",), ("y",)), nodes, constants)


def computed_inputs(example: Example) -> list[int]:
    """Positions of the inputs that are activations."""
    leading = example.op.activations
    count = len(example.inputs) if leading is None else leading
    return [i for i in range(count) if i not in example.constants]


def constant(name: str, data: np.ndarray) -> Tensor:
    return Tensor(name, TensorType(data.shape), data.astype(np.float32))


def example_integers(example: Example) -> Graph:
    """The example's Graph, quantized on its own numbers."""
    plain = Quantize(calibration="min_max", equalize_layers=False, correct_biases=False)
    return plain(example_graph(example), example.inputs[computed_inputs(example)[0]][None])
