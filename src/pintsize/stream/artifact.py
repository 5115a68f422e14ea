"""Runs an artifact: the C that was proven on the cores, as WebAssembly, without torch and without a compiler."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.errors import DataError, MissingExtra, ToolError, UserError, VerificationError
from pintsize.folder import MARKER
from pintsize.stream.manifest import DTYPES, Interface, Manifest, checked, read_manifest

if TYPE_CHECKING:
    from wasmtime import Func, Memory, Store

PROGRAM = "model.wasm"
GOLDEN = "golden.npz"
#: whose folders have the program in them
DEVICES_WITH_PROGRAM = ("raspberrypi4", "phone", "browser")


class Artifact:
    """A loaded program: codes in, codes out, the same integers as on every core.

    Not for two threads at a time. A context manager, as whatever it was loaded from may be deleted meanwhile.
    """

    def __init__(self, manifest: Manifest, program: Program) -> None:
        self.manifest = manifest
        self._program = program
        for border, found, what in (
            (manifest.input, program.input_bytes, "takes"),
            (manifest.output, program.output_bytes, "gives"),
        ):
            if border.bytes != found:
                raise VerificationError(f"{PROGRAM} {what} {found} B, {MARKER} says {border.bytes} B")
        self.reset()

    @property
    def input(self) -> Interface:
        return self.manifest.input

    @property
    def output(self) -> Interface:
        return self.manifest.output

    @property
    def labels(self) -> tuple[str, ...]:
        return self.manifest.labels

    def reset(self) -> None:
        """Forgets what a model with state remembers from run to run."""
        self._program.init()

    def run(self, codes: NDArray[Any]) -> NDArray[Any]:
        """codes: as many as the input has, of its dtype, any shape. Gives the output's codes in its shape.

        Raises DataError for other codes, ToolError when the program traps.
        """
        wanted = DTYPES[self.input.dtype]
        if codes.dtype != wanted or codes.size != self.input.elements:
            raise DataError(
                f"{self.manifest.name} takes {self.input.elements} codes of {self.input.dtype} "
                f"{self.input.shape}, not {codes.dtype} {codes.shape}"
            )
        given = self._program.run(codes.tobytes())
        return np.frombuffer(given, DTYPES[self.output.dtype]).reshape(self.output.shape)

    def real(self, numbers: ArrayLike) -> NDArray[np.float32]:
        """Real numbers in, real numbers out: quantized, run, and read again."""
        return self.output.dequantize(self.run(self.input.quantize(numbers)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.close()


class Program:
    """An instance of the WebAssembly module with its own memory."""

    def __init__(self, module: bytes, prefix: str = "model") -> None:
        import wasmtime

        try:
            self._store: Store = wasmtime.Store()
            compiled = wasmtime.Module(self._store.engine, module)
            exports: Any = wasmtime.Instance(self._store, compiled, []).exports(self._store)
            self._memory: Memory = exports["memory"]
            self._init: Func = exports[f"{prefix}_init"]
            self._run: Func = exports[f"{prefix}_run"]
            self._in, self._out, self.input_bytes, self.output_bytes = (
                exports[f"pintsize_{name}"](self._store)
                for name in ("input", "output", "input_bytes", "output_bytes")
            )
        except (wasmtime.WasmtimeError, wasmtime.Trap, KeyError) as error:
            raise ToolError(f"the WebAssembly module cannot be loaded: {error}") from error
        self._failures = (wasmtime.WasmtimeError, wasmtime.Trap)

    def init(self) -> None:
        self._call(self._init)

    def run(self, given: bytes) -> bytes:
        self._memory.write(self._store, given, self._in)
        self._call(self._run, self._in, self._out)
        return bytes(self._memory.read(self._store, self._out, self._out + self.output_bytes))

    def close(self) -> None:
        """Gives back the memory; the program cannot run any more."""
        self._store.close()

    def _call(self, function: Func, *arguments: int) -> None:
        try:
            function(self._store, *arguments)
        except self._failures as error:
            raise ToolError(f"the WebAssembly module failed: {error}") from error


def load(folder: str | Path, prove: bool = True) -> Artifact:
    """The artifact in a folder that pintsize wrote; manifest.json and model.wasm are enough of it.

    prove: also runs its golden vectors, where golden.npz is there, so that this computer is known to compute the same.

    Raises UserError for a folder that is none of ours or has no program, VerificationError when a file was changed or
    an integer differs, MissingExtra without wasmtime.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if PROGRAM not in manifest.sha256:
        raise UserError(
            f"{folder} has no {PROGRAM}: it was written for {manifest.device}. Write it for a computer: "
            f"pintsize compile {folder} --device {DEVICES_WITH_PROGRAM[0]} --out FOLDER"
        )
    module = checked(folder, manifest, PROGRAM)
    if find_spec("wasmtime") is None:
        raise MissingExtra("wasmtime", "stream")
    artifact = Artifact(manifest, Program(module))
    if prove and (folder / GOLDEN).is_file():
        _prove(artifact, checked(folder, manifest, GOLDEN))
    return artifact


def _prove(artifact: Artifact, golden: bytes) -> None:
    """As every core was proven: one init, then the vectors in their order."""
    with np.load(io.BytesIO(golden), allow_pickle=False) as archive:
        inputs, outputs = archive["inputs"], archive["outputs"]
    artifact.reset()
    found = [artifact.run(codes) for codes in inputs]
    different = sum(int((f.reshape(-1) != w.reshape(-1)).sum()) for f, w in zip(found, outputs, strict=True))
    artifact.reset()
    if different:
        raise VerificationError(
            f"{artifact.manifest.name}: {different} integers differ from {GOLDEN} on this computer"
        )
