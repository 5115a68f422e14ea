"""Counts the blocks that Unicorn executes, with a hook compiled for this computer."""

from __future__ import annotations

import atexit
import ctypes
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from pintsize.emulate.counting import Block, Span
from pintsize.emulate.toolchain import compiler_command, invoke, shipped, source_folder
from pintsize.errors import ToolError

if TYPE_CHECKING:
    from unicorn.unicorn import Uc


class _Row(ctypes.Structure):
    """struct tally_row of counter/tally.h."""

    _fields_ = (
        ("count", ctypes.c_uint64),
        ("address", ctypes.c_uint32),
        ("byte_count", ctypes.c_uint32),
        ("instructions", ctypes.c_uint32),
        ("owner", ctypes.c_uint32),
    )


class BlockCounter:
    """Blocks executed while `attached`, by the owners that `spans` give to addresses."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        self._library = _hook_library()
        self._tally = self._library.counter_new(min(s.start for s in spans), max(s.end for s in spans))
        if not self._tally:
            raise ToolError("there is no memory left for counting instructions")
        for span in spans:
            self._library.counter_own(self._tally, span.start, span.end, span.owner)

    @contextmanager
    def attached(self, engine: Uc) -> Iterator[None]:
        """Counts what the engine executes meanwhile."""
        # Unicorn's Python hooks call Python for each block; its C library takes our C function
        from unicorn.unicorn_const import UC_HOOK_BLOCK
        from unicorn.unicorn_py3.unicorn import uclib

        hook = ctypes.c_size_t()
        every_address = (ctypes.c_uint64(1), ctypes.c_uint64(0))
        function = ctypes.cast(self._library.on_block, ctypes.c_void_p)
        status = uclib.uc_hook_add(
            engine._uch, ctypes.byref(hook), UC_HOOK_BLOCK, function, self._tally, *every_address
        )
        if status:
            raise ToolError(f"the emulator takes no hook (status {status})")
        try:
            yield
        finally:
            uclib.uc_hook_del(engine._uch, hook)

    @property
    def taken_branches(self) -> int:
        return self._library.counter_taken_branches(self._tally)

    def blocks(self) -> list[Block]:
        """What was executed, in order of address. Raises ToolError when memory ran out meanwhile."""
        if self._library.counter_failed(self._tally):
            raise ToolError("there is no memory left for counting instructions")
        rows = self._library.counter_rows(self._tally)
        used = (rows[i] for i in range(self._library.counter_capacity(self._tally)))
        found = [Block(r.address, r.byte_count, r.owner, r.count) for r in used if r.count]
        return sorted(found, key=lambda block: (block.address, block.byte_count, block.owner))

    def close(self) -> None:
        self._library.counter_free(self._tally)


@cache
def _hook_library() -> ctypes.CDLL:
    """Compiled once a process; its folder goes when the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    sources = {name: shipped("counter", name) for name in ("tally.h", "unicorn_hook.c")}
    folder = stack.enter_context(source_folder(sources))
    name = "unicorn_hook.dll" if sys.platform == "win32" else "unicorn_hook.so"
    command = [*compiler_command(), "-O2", "-std=c99", "-fPIC", "-shared", "unicorn_hook.c", "-o", name]
    invoke(command, folder, "compiling the instruction counter")
    library = ctypes.CDLL(str(folder / name))
    pointer, word = ctypes.c_void_p, ctypes.c_uint32
    library.counter_new.argtypes, library.counter_new.restype = (word, word), pointer
    library.counter_own.argtypes, library.counter_own.restype = (pointer, word, word, word), None
    library.counter_rows.argtypes, library.counter_rows.restype = (pointer,), ctypes.POINTER(_Row)
    library.counter_capacity.argtypes, library.counter_capacity.restype = (pointer,), word
    library.counter_taken_branches.argtypes = (pointer,)
    library.counter_taken_branches.restype = ctypes.c_uint64
    library.counter_failed.argtypes, library.counter_failed.restype = (pointer,), ctypes.c_int
    library.counter_free.argtypes, library.counter_free.restype = (pointer,), None
    return library
