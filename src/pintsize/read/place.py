"""Where in the user's model an exported op comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import fx

FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in .*\n(?P<code>.*)', re.MULTILINE)
TORCH = re.compile(r"[\\/](site|dist)-packages[\\/]torch[\\/]")
TORCH_FOLDER = str(Path(torch.__file__).parent)


@dataclass(frozen=True)
class Place:
    """`module` is a path ("" for the model itself), `kind` its class, `file` is "" where unknown."""

    module: str = ""
    kind: str = ""
    file: str = ""
    line: int = 0
    code: str = ""

    @property
    def owner(self) -> str:
        """Module and class: `blocks.2.act (GELU)`."""
        return f"{self.module or 'the model itself'} ({self.kind})" if self.kind else self.module

    @property
    def source(self) -> str:
        """For a node: module, class, and the line with the file's base name only."""
        file = re.split(r"[\\/]", self.file)[-1]
        where = f"{file}:{self.line}" if self.file else ""
        return f"{self.module} ({self.kind}) {where}".strip() if self.kind else where

    def __str__(self) -> str:
        line = f"{self.file}:{self.line} `{self.code}`" if self.file else ""
        return ", ".join(part for part in (self.owner, line) if part)


def place_of(node: fx.Node) -> Place:
    """The innermost module and the innermost line outside torch that made this node."""
    module, kind = _module(node)
    frame = _last_frame(node.meta.get("stack_trace") or "")
    if frame is None:
        return Place(module, kind)
    return Place(module, kind, frame["file"], int(frame["line"]), frame["code"].strip())


def _module(node: fx.Node) -> tuple[str, str]:
    entries = (node.meta.get("nn_module_stack") or {}).values()
    stack = [entry for entry in entries if not entry[0].startswith("_empty_")]
    if not stack:
        return "", ""
    path, kind = stack[-1]
    name = kind if isinstance(kind, str) else kind.__qualname__
    return path, name.rsplit(".", 1)[-1]


def _last_frame(trace: str) -> re.Match[str] | None:
    frames = [frame for frame in FRAME.finditer(trace) if not _inside_torch(frame["file"])]
    return frames[-1] if frames else None


def _inside_torch(file: str) -> bool:
    return file.startswith(TORCH_FOLDER) or TORCH.search(file) is not None
