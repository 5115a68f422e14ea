"""What to do about an op that pintsize does not read."""

from __future__ import annotations

ACTIVATION = "use ReLU, ReLU6, LeakyReLU, PReLU, ELU, GELU, Hardswish, Hardsigmoid, Sigmoid or Tanh"
NORM = "use BatchNorm, which costs nothing once it is folded"
RECURRENT = "use nn.LSTM or nn.GRU over the whole sequence"
PACKED = "give it a plain tensor (batch, steps, features), not a packed sequence"
PARTS = "take parts by slices, or by constant indices along one axis"
UPSAMPLING = "use nn.Upsample with mode nearest or bilinear"
PRODUCT = "write it with matmul, transpose and softmax, or F.scaled_dot_product_attention"
DECOMPOSED = "the program was decomposed: export it again, without run_decompositions()"
REDUCTION = "use mean or sum over any axes, or amax over the spatial ones"
LABELS = "leave it out and take it from the output in the program around the model"
GENERAL = (
    "supported are convolutions, linear layers, pools, batch norm, common activations, add, sub, mul, minimum, "
    "maximum, mean, sum, cat, slices, padding, resizing, softmax, and changes of shape"
)

ADVICE: dict[str, str] = {
    **dict.fromkeys(
        ("silu", "celu", "selu", "mish", "softplus", "softsign", "threshold", "logsigmoid", "log_sigmoid",
         "hardshrink", "rrelu"),
        ACTIVATION,
    ),
    **dict.fromkeys(("group_norm", "instance_norm", "rms_norm"), NORM),
    **dict.fromkeys(("rnn_tanh", "rnn_relu", "gru_cell", "lstm_cell"), RECURRENT),
    **dict.fromkeys(("gru", "lstm"), PACKED),
    **dict.fromkeys(("gather", "take", "masked_select", "index_put", "tensor_split"), PARTS),
    **dict.fromkeys(("conv_transpose3d", "upsample_bicubic2d", "upsample_trilinear3d"), UPSAMPLING),
    **dict.fromkeys(("einsum", "baddbmm", "multi_head_attention_forward"), PRODUCT),
    **dict.fromkeys(
        ("convolution", "addmm", "_native_batch_norm_legit_no_training", "_softmax", "constant_pad_nd",
         "max_pool2d_with_indices"),
        DECOMPOSED,
    ),
    **dict.fromkeys(("sum", "max", "min", "amin", "std", "var", "norm", "prod"), REDUCTION),
    **dict.fromkeys(("argmax", "argmin", "topk", "sort"), LABELS),
    "mean": "it mixes the inputs of a batch: name the dims to reduce",
    "conv3d": "only 1-D and 2-D convolutions are supported",
}  # fmt: skip


def advice(op: str) -> str:
    """What is supported in place of an aten op, named without its overload."""
    return ADVICE.get(op.rstrip("_"), GENERAL)
