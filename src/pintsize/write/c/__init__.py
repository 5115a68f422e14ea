"""Writes an integer Graph as a portable C99 program: pure functions that return files."""

from pintsize.write.c.emit import CProgram, with_self_test, write

__all__ = ["CProgram", "with_self_test", "write"]
