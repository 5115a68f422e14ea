"""A Graph as an ONNX model: `write_onnx` gives its bytes."""

from pintsize.write.onnx.layout import channels_first, channels_last
from pintsize.write.onnx.model import write_onnx

__all__ = ["channels_first", "channels_last", "write_onnx"]
