"""What to do about an op that pintsize does not read."""

from __future__ import annotations

ACTIVATION = "use ReLU, ReLU6, LeakyReLU, Hardswish, Sigmoid or Tanh"
NORM = "use BatchNorm, which costs nothing once it is folded"
RECURRENT = "use dilated 1-D convolutions"
PARTS = "compute the parts by separate layers, or leave this step to the program around the model"
UPSAMPLING = "only layers that keep or shrink an image are supported"
PRODUCT = "a product of two activations must be elementwise; nn.Linear multiplies by constant weights"
DECOMPOSED = "the program was decomposed: export it again, without run_decompositions()"
REDUCTION = "use mean or amax over the spatial axes"
LABELS = "leave it out and take it from the output in the program around the model"
GENERAL = (
    "supported are convolutions, linear layers, pools, batch norm, common activations, add, mul, cat, "
    "zero padding, softmax, and changes of shape"
)

ADVICE: dict[str, str] = {
    **dict.fromkeys(
        ("gelu", "silu", "elu", "celu", "selu", "mish", "softplus", "prelu", "hardsigmoid", "glu", "softsign",
         "threshold", "logsigmoid", "log_sigmoid", "hardshrink", "rrelu", "exp", "pow", "sqrt", "abs"),
        ACTIVATION,
    ),
    **dict.fromkeys(("layer_norm", "group_norm", "instance_norm", "rms_norm"), NORM),
    **dict.fromkeys(("gru", "lstm", "rnn_tanh", "rnn_relu", "gru_cell", "lstm_cell"), RECURRENT),
    **dict.fromkeys(
        ("chunk", "split", "split_with_sizes", "slice", "select", "index", "unbind", "narrow"), PARTS
    ),
    **dict.fromkeys(
        ("conv_transpose1d", "conv_transpose2d", "upsample_nearest2d", "upsample_bilinear2d",
         "upsample_nearest1d", "pixel_shuffle"),
        UPSAMPLING,
    ),
    **dict.fromkeys(("matmul", "bmm", "mm", "einsum", "scaled_dot_product_attention"), PRODUCT),
    **dict.fromkeys(
        ("convolution", "addmm", "_native_batch_norm_legit_no_training", "_softmax", "constant_pad_nd",
         "max_pool2d_with_indices"),
        DECOMPOSED,
    ),
    **dict.fromkeys(("sum", "max", "min", "std", "var", "norm", "prod"), REDUCTION),
    **dict.fromkeys(("argmax", "argmin", "topk", "sort"), LABELS),
    "mean": "it mixes the inputs of a batch: name the spatial dims to reduce",
    "log_softmax": "leave it out: the logits have the same order; the loss can take it when training",
    "conv3d": "only 1-D and 2-D convolutions are supported",
    "stack": "use cat along the channels",
    "embedding": "the model's input must be real numbers, not indices",
}  # fmt: skip


def advice(op: str) -> str:
    """What is supported in place of an aten op, named without its overload."""
    return ADVICE.get(op.rstrip("_"), GENERAL)
