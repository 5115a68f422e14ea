"""What a long run has finished so far, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pintsize.errors import ModelError
from pintsize.folder import write_folder
from pintsize.graph import Graph
from pintsize.read.saved import read_saved
from pintsize.write.saved import graph_files


@dataclass(frozen=True)
class Checkpoints:
    """Finished Graphs by name, in a folder beside the output; with `folder` None nothing is kept.

    Those of another run (other model, data or settings) are another run's: `fingerprint` is part of the path.
    """

    folder: Path | None
    fingerprint: str

    @staticmethod
    def beside(out: str | Path | None, fingerprint: str) -> Checkpoints:
        """The checkpoints of a run that writes to `out`: in `<out>.partial`."""
        if out is None:
            return Checkpoints(None, fingerprint)
        path = Path(out)
        return Checkpoints(path.with_name(path.name + ".partial"), fingerprint)

    def get(self, name: str) -> Graph | None:
        """The finished Graph, or None: also where what is there cannot be read."""
        path = self._path(name)
        if path is None or not path.is_dir():
            return None
        try:
            return read_saved(path)
        except ModelError:
            return None

    def put(self, name: str, graph: Graph) -> None:
        """Keeps a finished Graph."""
        path = self._path(name)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_folder({**graph_files(graph), "manifest.json": b"{}\n"}, path)

    def clear(self) -> None:
        """Forgets everything: the run is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / self.fingerprint[:16] / re.sub(r"[^a-z0-9.]+", "-", name.lower())
