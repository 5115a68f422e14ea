"""Compiles and links a model for a bare-metal core, and says what it takes there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from pintsize.emulate.cores import CORES, Core
from pintsize.emulate.elf import Symbol, sections_of, segments_of, symbols_of
from pintsize.emulate.toolchain import compiler_command, invoke, shipped, source_folder, target_flags
from pintsize.errors import ToolError

STACK_BYTES = 64 << 10
_PLACE = r"#define {prefix}_{end} \(\(int8_t \*\)\w+ \+ (\d+)\)"
_DISCARDED = (".ARM.exidx", ".ARM.extab", ".eh_frame")  # as the linker script does


@dataclass(frozen=True)
class Program:
    """A model linked for a core with the smallest program around it.

    Args:
        elf: the linked file; the same bytes for the same input, on any machine.
        objects: the model's own object files, for linking it into another program.
        flash_bytes: what is written to flash: code, constants and the first values of variables.
        ram_bytes: variables: the arena and the input and output buffers; the stack is apart.
        arena_bytes: the arena alone, None when the program has none.
        io_offsets: where in the arena the input and the output lie; None: they have buffers of their own.
        symbols: where everything lies, by name.
    """

    core: Core
    prefix: str
    elf: bytes
    objects: tuple[bytes, ...]
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int | None
    input_bytes: int
    output_bytes: int
    symbols: Mapping[str, Symbol]
    io_offsets: tuple[int, int] | None = None

    @property
    def run_name(self) -> str:
        return f"{self.prefix}_run"

    @property
    def io_addresses(self) -> tuple[int, int]:
        """Where the input and the output lie."""
        if self.io_offsets is None:
            return self.symbols["pintsize_input"].address, self.symbols["pintsize_output"].address
        arena = self.symbols[f"{self.prefix}_arena"].address
        return arena + self.io_offsets[0], arena + self.io_offsets[1]


def build(
    files: Mapping[str, str],
    core: Core,
    prefix: str = "model",
    optimize: str = "-O2",
    sources: Sequence[str] | None = None,
) -> Program:
    """Compiles ``<prefix>.c`` (or `sources`) and links it with a startup file and a minimal main.

    Raises ToolError with the compiler's or linker's words when it fails, for one when the program does not
    fit the core's memory; MissingExtra without the compiler.
    """
    _require_firmware(core)
    with source_folder({**files, **_support_files(core, "main.c")}) as folder:
        objects = _compile_model(folder, core, optimize, sources or model_sources(files, prefix))
        places = _io_offsets(files, prefix)
        elf = _link(
            folder, core, objects, "main.c", (*model_defines(prefix), *_place_defines(prefix, places))
        )
        sizes = _io_bytes(files, prefix)
        return _inspect(core, prefix, elf, tuple((folder / o).read_bytes() for o in objects), sizes, places)


def link_with(program: Program, main: str, defines: Sequence[str]) -> bytes:
    """Links the model's own objects with another main: a shipped file of ``firmware``. Gives the ELF."""
    names = [f"object_{i}.o" for i in range(len(program.objects))]
    with source_folder(_support_files(program.core, main)) as folder:
        for name, content in zip(names, program.objects, strict=True):
            (folder / name).write_bytes(content)
        places = _place_defines(program.prefix, program.io_offsets)
        return _link(
            folder, program.core, names, main, (*defines, *_function_defines(program.prefix), *places)
        )


def object_sections(
    files: Mapping[str, str], core: Core, prefix: str = "model", optimize: str = "-O2"
) -> dict[str, int]:
    """Bytes of each section of the compiled, unlinked model that takes flash or RAM on the device."""
    _require_firmware(core)
    with source_folder(files) as folder:
        (name,) = _compile_model(folder, core, optimize, (f"{prefix}.c",))
        content = (folder / name).read_bytes()
    sizes: Counter[str] = Counter()
    for section in sections_of(content):
        if not section.name.startswith(_DISCARDED):
            sizes[section.name] += section.size_bytes
    return dict(sizes)


def model_sources(files: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    """The C files that make up the model: its code, and its constants where they have a file of their own."""
    return (f"{prefix}.c", *(n for n in (f"{prefix}_weights.c",) if n in files))


def compile_check(
    files: Mapping[str, str],
    compiler: str = "zig",
    core: Core | None = None,
    flags: Sequence[str] = (),
    sources: Sequence[str] | None = None,
) -> str:
    """Compiles every C file (or `sources`) on its own and returns what the compiler said.

    `compiler` is ``"zig"`` or a program on the PATH; only zig compiles for another `core` than the host.
    Raises ToolError when a file does not compile (with ``-Werror`` in `flags`: not without a warning).
    """
    target = core or CORES["host"]
    if target.isa != "host" and compiler != "zig":
        raise ToolError(f"{compiler} is used for the host only; compile for {target.name} with 'zig'")
    said = b""
    with source_folder(files) as folder:
        for name in sources or [f for f in files if f.endswith(".c")]:
            command = [*compiler_command(compiler), *target_flags(target), *flags]
            said += invoke([*command, "-c", name, "-o", "check.o"], folder, f"{compiler} on {name}").stderr
    return said.decode(errors="replace")


def model_defines(prefix: str) -> list[str]:
    """Tells the C files of this package the model's header, its sizes and what its functions are called."""
    sizes = [f"-D{end}_BYTES={prefix.upper()}_{end}_BYTES" for end in ("INPUT", "OUTPUT")]
    return [f'-DMODEL_HEADER="{prefix}.h"', *sizes, *_function_defines(prefix)]


def _io_bytes(files: Mapping[str, str], prefix: str) -> tuple[int, int]:
    """The sizes of the input and the output that the model's header states."""
    header, name = files.get(f"{prefix}.h", ""), prefix.upper()
    found = [re.search(rf"#define {name}_{end}_BYTES (\d+)", header) for end in ("INPUT", "OUTPUT")]
    if not (found[0] and found[1]):
        raise ToolError(f"{prefix}.h does not say how large the model's input and output are")
    return int(found[0][1]), int(found[1][1])


def _io_offsets(files: Mapping[str, str], prefix: str) -> tuple[int, int] | None:
    """Where in the arena the header says that the input and the output lie."""
    header, name = files.get(f"{prefix}.h", ""), prefix.upper()
    found = [re.search(_PLACE.format(prefix=name, end=end), header) for end in ("INPUT", "OUTPUT")]
    return (int(found[0][1]), int(found[1][1])) if found[0] and found[1] else None


def _place_defines(prefix: str, io_offsets: tuple[int, int] | None) -> list[str]:
    if io_offsets is None:
        return []
    return [f"-DARENA={prefix}_arena", f"-DINPUT_OFFSET={io_offsets[0]}", f"-DOUTPUT_OFFSET={io_offsets[1]}"]


def _function_defines(prefix: str) -> list[str]:
    return [f"-DMODEL_INIT={prefix}_init", f"-DMODEL_RUN={prefix}_run"]


def _require_firmware(core: Core) -> None:
    if not core.is_firmware:
        raise ToolError(f"{core.name} takes no bare-metal program: use pintsize.emulate.run")


def _support_files(core: Core, main: str) -> dict[str, str]:
    start = _start_file(core)
    script = Template(shipped("firmware", "link.ld")).substitute(
        flash_origin=hex(core.flash_origin),
        flash_bytes=core.flash_bytes,
        ram_origin=hex(core.ram_origin),
        ram_bytes=core.ram_bytes,
        stack_bytes=STACK_BYTES,
    )
    return {f"pintsize/{name}": shipped("firmware", name) for name in (start, main)} | {
        "pintsize/link.ld": script
    }


def _start_file(core: Core) -> str:
    return "start_cortex_m.c" if core.isa == "thumb" else "start_riscv32.S"


def _compile_model(folder: Path, core: Core, optimize: str, sources: Sequence[str]) -> list[str]:
    objects = []
    for index, source in enumerate(sources):
        if not (folder / source).is_file():
            raise ToolError(f"{source} is not among the files to compile")
        name = f"object_{index}.o"
        command = [*compiler_command(), *target_flags(core), "-std=c99", optimize, "-c", source, "-o", name]
        invoke(command, folder, f"compiling {source} for {core.name}")
        objects.append(name)
    return objects


def _link(folder: Path, core: Core, objects: Sequence[str], main: str, defines: Sequence[str]) -> bytes:
    command = [
        *compiler_command(),
        *target_flags(core),
        "-std=gnu99",
        "-O2",
        "-fno-builtin",
        "-I.",
        *defines,
        *objects,  # first, so that the model's variables have the same addresses beside any main
        f"pintsize/{main}",
        f"pintsize/{_start_file(core)}",
        *(f"-Wl,{flag}" for flag in ("-T,pintsize/link.ld", "--gc-sections", "--build-id=none")),
        "-o",
        "program.elf",
    ]
    invoke(command, folder, f"linking for {core.name}")
    return (folder / "program.elf").read_bytes()


def _inspect(
    core: Core, prefix: str, elf: bytes, objects: tuple[bytes, ...], io_bytes: tuple[int, int],
    io_offsets: tuple[int, int] | None,
) -> Program:  # fmt: skip
    symbols = symbols_of(elf)
    for needed in (f"{prefix}_init", f"{prefix}_run"):
        if needed not in symbols:
            raise ToolError(f"the program has no function {needed}")
    flash_end = max(address + len(content) for address, content in segments_of(elf))
    variables = [s for s in sections_of(elf) if s.is_writable and s.name != ".stack"]
    arena = symbols.get(f"{prefix}_arena")
    return Program(
        core=core,
        prefix=prefix,
        elf=elf,
        objects=objects,
        flash_bytes=flash_end - core.flash_origin,
        ram_bytes=sum(s.size_bytes for s in variables),
        arena_bytes=arena.size_bytes if arena else None,
        input_bytes=io_bytes[0],
        output_bytes=io_bytes[1],
        symbols=symbols,
        io_offsets=io_offsets,
    )
