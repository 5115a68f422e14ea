"""What an artifact's manifest.json says, read for running it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.errors import UserError, VerificationError
from pintsize.folder import MARKER
from pintsize.stream.decision.calibration import Calibration

DTYPES: Mapping[str, np.dtype[Any]] = {"int8": np.dtype(np.int8), "int16": np.dtype("<i2")}


@dataclass(frozen=True)
class Interface:
    """What goes in or comes out: shape without the batch, int8 or int16 codes, real = scale * (q - zero_point)."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * DTYPES[self.dtype].itemsize

    def quantize(self, real: ArrayLike) -> NDArray[Any]:
        """Codes of real numbers as the C header makes them: float32, nearest, halves away from zero, saturated."""
        kind = np.iinfo(DTYPES[self.dtype])
        far = np.float32(
            kind.max - kind.min + 1
        )  # beyond it everything saturates, wherever the zero point is
        steps = np.asarray(real, np.float32) / np.float32(self.scale)
        steps = np.where(np.isnan(steps), -far, np.clip(steps, -far, far)).astype(np.float32)
        codes = np.trunc(steps + np.copysign(np.float32(0.5), steps)).astype(np.int64) + self.zero_point
        return np.clip(codes, kind.min, kind.max).astype(DTYPES[self.dtype])

    def dequantize(self, codes: ArrayLike) -> NDArray[np.float32]:
        """The real numbers of codes."""
        q = np.asarray(codes, np.int32) - self.zero_point
        return q.astype(np.float32) * np.float32(self.scale)


@dataclass(frozen=True)
class Manifest:
    """The facts of one artifact.

    energy_mj: modelled energy of one run on its device, None where it is not known
    content: the whole document, for facts that an application put there
    """

    name: str
    device: str
    input: Interface
    output: Interface
    labels: tuple[str, ...]
    energy_mj: float | None
    sha256: Mapping[str, str]
    content: Mapping[str, Any]

    @property
    def calibration(self) -> Calibration:
        """What turns its outputs into probabilities: `calibration` in the document, else a temperature of 1."""
        try:
            return Calibration(**self.content.get("calibration", {}))
        except TypeError as error:
            raise UserError(f"{MARKER} of {self.name}: calibration: {error}") from error

    @property
    def stateful(self) -> bool:
        """Whether a run depends on the runs before it, so that none may be left out."""
        return bool(self.content.get("stateful", False))


def read_manifest(folder: Path) -> Manifest:
    """manifest.json of a folder. Raises UserError for a folder or a document that is none of ours."""
    path = folder / MARKER
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        energy = content.get("metrics", {}).get("energy_mj")
        return Manifest(
            name=str(content["name"]),
            device=str(content["device"]),
            input=_interface(content["input"]),
            output=_interface(content["output"]),
            labels=tuple(map(str, content["labels"])),
            energy_mj=None if energy is None else float(energy),
            sha256={str(name): str(value) for name, value in content["sha256"].items()},
            content=content,
        )
    except OSError as error:
        raise UserError(
            f"{folder} is no folder that pintsize finished: {MARKER}: {error.strerror}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def checked(folder: Path, manifest: Manifest, name: str) -> bytes:
    """The content of a file of the folder. Raises VerificationError unless it is what pintsize wrote."""
    wanted = manifest.sha256.get(name)
    if wanted is None:
        raise VerificationError(f"{folder / MARKER} knows no {name}: it is not of this artifact")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise VerificationError(f"{folder / name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise VerificationError(f"{folder / name} was changed after pintsize wrote it")
    return content


def _interface(given: Mapping[str, Any]) -> Interface:
    shape, dtype = tuple(int(n) for n in given["shape"]), str(given["dtype"])
    if dtype not in DTYPES:
        raise ValueError(f"a border of {dtype}: an artifact takes and gives {' or '.join(DTYPES)}")
    if not shape or min(shape) < 1 or not float(given["scale"]) > 0:
        raise ValueError(f"a border of shape {shape} and scale {given['scale']}")
    return Interface(shape, dtype, float(given["scale"]), int(given["zero_point"]))
