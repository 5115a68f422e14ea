"""What is read from linked and object files: sections, symbols and the bytes that are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pintsize.emulate.toolchain import require
from pintsize.errors import ToolError

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_WRITABLE, _ALLOCATED = 1, 2  # SHF_WRITE and SHF_ALLOC of the ELF specification


@dataclass(frozen=True)
class Symbol:
    """A named place in a linked program. The Thumb bit of a function's address is cleared."""

    name: str
    address: int
    size_bytes: int
    is_function: bool


@dataclass(frozen=True)
class Section:
    """A section that takes memory on the device."""

    name: str
    size_bytes: int
    is_writable: bool


def symbols_of(elf: bytes) -> dict[str, Symbol]:
    """The functions, variables and linker's marks of an ELF file by name."""
    file = _open(elf)
    from elftools.elf.sections import SymbolTableSection

    thumb = file["e_machine"] == "EM_ARM"
    table = file.get_section_by_name(".symtab")
    found: dict[str, Symbol] = {}
    for entry in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
        kind = entry["st_info"]["type"]
        defined = entry["st_shndx"] != "SHN_UNDEF" and kind in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")
        if entry.name and defined:
            is_function = kind == "STT_FUNC"
            address = entry["st_value"] & ~1 if is_function and thumb else entry["st_value"]
            found.setdefault(entry.name, Symbol(entry.name, address, entry["st_size"], is_function))
    return found


def sections_of(elf: bytes) -> list[Section]:
    """The sections that take flash or RAM on the device, empty ones left out."""
    return [
        Section(s.name, s["sh_size"], bool(s["sh_flags"] & _WRITABLE))
        for s in _open(elf).iter_sections()
        if s["sh_flags"] & _ALLOCATED and s["sh_size"]
    ]


def segments_of(elf: bytes) -> list[tuple[int, bytes]]:
    """(address, bytes) of what a programmer writes to the device's flash."""
    return [(s["p_paddr"], s.data()) for s in _open(elf).iter_segments("PT_LOAD") if s["p_filesz"]]


def code_reader(elf: bytes) -> Callable[[int, int], bytes]:
    """A function (address, byte count) that gives what lies there in flash; ToolError where nothing does."""
    segments = segments_of(elf)

    def read(address: int, byte_count: int) -> bytes:
        for start, content in segments:
            if start <= address and address + byte_count <= start + len(content):
                return content[address - start : address - start + byte_count]
        raise ToolError(f"{byte_count} bytes at {address:#010x} are not in the program's flash")

    return read


def flash_image(elf: bytes, origin: int) -> bytes:
    """Flash from `origin` to the last byte that is loaded; what lies between segments is 0."""
    image = bytearray()
    for start, content in sorted(segments_of(elf)):
        image += bytes(start - origin - len(image)) + content
    return bytes(image)


def place(symbols: Mapping[str, Symbol], address: int) -> str:
    """An address with the nearest function before it."""
    before = [s for s in symbols.values() if s.is_function and s.address <= address]
    nearest = max(before, key=lambda symbol: symbol.address, default=None)
    if nearest is None:
        return f"{address:#010x}"
    return f"{address:#010x} ({nearest.name}+{address - nearest.address:#x})"


def _open(elf: bytes) -> ELFFile:
    require("pyelftools")
    from elftools.elf.elffile import ELFFile

    return ELFFile(BytesIO(elf))
