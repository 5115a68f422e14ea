"""Activations that an operator applies to its own output."""

from __future__ import annotations

from pintsize.errors import UnsupportedOp
from pintsize.ops.activation import Activation
from pintsize.read.tflite_draft import Call

#: of ActivationFunctionType
ACTIVATIONS: dict[int, Activation] = {0: "none", 1: "relu", 3: "relu6"}
ACTIVATION_NAMES = {2: "RELU_N1_TO_1", 4: "TANH", 5: "SIGN_BIT"}


def activation_of(call: Call) -> Activation:
    """The fused activation. Raises UnsupportedOp for one that is more than a bound."""
    number = call.option("FusedActivationFunction")
    if number not in ACTIVATIONS:
        name = ACTIVATION_NAMES.get(number, str(number))
        raise UnsupportedOp(f"the fused activation {name}; none, RELU and RELU6 are read")
    return ACTIVATIONS[number]
