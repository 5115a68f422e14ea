"""The errors that pintsize raises.

PintsizeError
├── UserError                 the input, the options or the budget: exit code 2
│   ├── ModelError            a model that cannot be read
│   │   └── UnsupportedOp     an op without a meaning here: names the op, the module path, the source line
│   ├── DataError             a data set that cannot be used
│   ├── DeviceError           a device that is not in the table
│   ├── BudgetError           a budget that cannot be read
│   ├── BudgetNotMet          a budget that no candidate meets; carries the nearest one
│   ├── DoesNotFit            a model too large for the device; says what would make it fit
│   ├── OutputError           a folder that cannot be written
│   ├── SourceLost            a source of samples that broke while it ran
│   ├── OfflineRefusal        a sink that leaves the device, where that was not allowed
│   └── MissingExtra          an optional part that is not installed
├── ToolError                 a compiler or an emulator that failed on what we wrote
├── SinkError                 a sink that cannot take a decision now; it is kept and sent again
├── PrivacyError              a socket where nothing may leave the device
├── VerificationError         integers that differ: the artifact must not ship
└── SpecError                 an illegal Graph: our bug
"""

from __future__ import annotations


class PintsizeError(Exception):
    """Whatever pintsize raises on purpose."""


class UserError(PintsizeError):
    """The user can mend it; the message says how."""


class ModelError(UserError):
    """A model that cannot be read."""


class UnsupportedOp(ModelError):
    """An op that pintsize gives no meaning to."""


class DataError(UserError):
    """Data that cannot be used as it is."""


class DeviceError(UserError):
    """A device or core that is not known."""


class BudgetError(UserError):
    """A budget that cannot be read."""


class BudgetNotMet(UserError):
    """No candidate meets the budget; the message names the nearest one."""


class DoesNotFit(UserError):
    """The model is too large for the device; the message has the figures and what would make it fit."""


class OutputError(UserError):
    """The output folder cannot be written."""


class SourceLost(UserError):
    """A source broke while it ran (unplugged, cut short); whatever came before it has been handed over."""


class OfflineRefusal(UserError):
    """A sink would send what was decided to another machine, and nobody allowed it."""


class MissingExtra(UserError):
    """A part of pintsize whose dependencies are not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed: this needs the extra '{extra}'. "
            f"Run: pip install 'pintsize[{extra}]'"
        )
        self.package = package
        self.extra = extra


#: module → (package, extra): what `pip install pintsize` alone leaves out
OPTIONAL_MODULES = {
    "torch": ("torch", "train"),
    "sklearn": ("scikit-learn", "train"),
    "scipy": ("scipy", "train"),
    "ziglang": ("ziglang", "mcu"),
    "unicorn": ("unicorn", "mcu"),
    "capstone": ("capstone", "mcu"),
    "elftools": ("pyelftools", "mcu"),
    "altair": ("altair", "report"),
    "vl_convert": ("vl-convert-python", "report"),
    "onnx": ("onnx", "onnx"),
    "wasmtime": ("wasmtime", "web"),
    "soundfile": ("soundfile", "audio"),
    "sounddevice": ("sounddevice", "audio"),
    "wfdb": ("wfdb", "records"),
    "pyedflib": ("pyedflib", "records"),
    "cv2": ("opencv-python-headless", "video"),
    "PIL": ("pillow", "images"),
    "tensorboard": ("tensorboard", "tensorboard"),
    "tflite": ("tflite", "tflite"),
    "flatbuffers": ("flatbuffers", "tflite"),
    "executorch": ("executorch", "executorch"),
    "paho": ("paho-mqtt", "mqtt"),
    "bleak": ("bleak", "ble"),
    "cryptography": ("cryptography", "recording"),
}


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """The error that names the extra which brings the module; None when no extra does: then it is our bug."""
    package = OPTIONAL_MODULES.get((error.name or "").partition(".")[0])
    return None if package is None else MissingExtra(*package)


class ToolError(PintsizeError):
    """A compiler or emulator failed on a program that pintsize wrote."""


class SinkError(PintsizeError):
    """A sink cannot take a decision now."""


class PrivacyError(PintsizeError):
    """Something opened or used a socket where nothing may leave the device."""


class VerificationError(PintsizeError):
    """The artifact computes other integers than the Graph."""


class SpecError(PintsizeError):
    """A Graph that is not legal at its stage."""
