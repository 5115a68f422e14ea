"""A folder of clips, one after another in the order of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.source import Source
from pintsize.stream.sources.described import Described, Description, listed, numbered, shown
from pintsize.stream.sources.options import SourceOptions

#: between two clips, so that nothing carries over from one to the next
_PAUSE_S = 1.0
_Opener = Callable[[Path, SourceOptions], Source]


class Folder(Described):
    """Each clip's blocks; `origin` says which clip. A clip that is cut short does not stop the others."""

    def __init__(self, description: Description, clips: Sequence[tuple[str, Callable[[], Source]]]) -> None:
        super().__init__(description)
        self.clips = tuple(name for name, _ in clips)
        self._clips = clips

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost at the very end, with the clips that were cut short."""
        index, clock_s = 0, 0.0
        broken: list[str] = []
        for name, open_clip in self._clips:
            begins_s, gap_s = clock_s, _PAUSE_S if index else 0.0
            first_s: float | None = None
            with open_clip() as clip:
                try:
                    for block in clip.blocks():
                        first_s = block.start_s if first_s is None else first_s
                        start_s = begins_s + block.start_s - first_s
                        clock_s = max(clock_s, start_s + block.duration_s)
                        yield replace(
                            block,
                            start_s=start_s,
                            gap_before_s=gap_s or block.gap_before_s,
                            index=index,
                            origin=name,
                        )
                        index, gap_s = index + 1, 0.0
                except SourceLost as error:
                    broken.append(str(error))
            clock_s += _PAUSE_S
        if broken:
            raise SourceLost(f"{len(broken)} of {len(self._clips)} clips broke off: {listed(broken, 3)}")


def open_folder(path: Path, options: SourceOptions, suffixes: Sequence[str], open_clip: _Opener) -> Folder:
    """The clips in a folder and the folders in it; other files and hidden ones are left out.

    suffixes: what clips end in; open_clip: opens and converts one file
    Raises DataError for a folder without clips, clips that cannot be opened, and clips that are not alike after what
    conversion is asked for.
    """
    where = shown(path)
    files = sorted(
        file for file in path.rglob("*") if file.suffix.lower() in suffixes and _is_clip(file, path)
    )
    if not files:
        raise DataError(f"{where} has no clips in it; clips end in {listed(sorted(suffixes), 20)}")
    described = [(file, _description(file, options, open_clip)) for file in files]
    first = described[0][1]
    for file, other in described:
        if _form(other) != _form(first):
            raise DataError(
                f"{shown(file)} is {_said(other)} where {shown(files[0])} is {_said(first)}: "
                "say rate_hz, channels and scale, and all are converted"
            )
    clips = [(shown(file.relative_to(path)), lambda file=file: open_clip(file, options)) for file in files]
    return Folder(replace(first, name=where, picked=True), clips)


def _is_clip(file: Path, folder: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _description(file: Path, options: SourceOptions, open_clip: _Opener) -> Description:
    with open_clip(file, options) as clip:
        return Description(
            shown(file),
            clip.rate_hz,
            numbered(clip.channels),
            clip.full_scale,
            clip.saturates_at,
            clip.lossless,
        )


def _form(clip: Description) -> tuple[float, int, float]:
    return clip.rate_hz, len(clip.channel_names), clip.full_scale


def _said(clip: Description) -> str:
    return f"{clip.rate_hz:g} Hz, {len(clip.channel_names)} channels, full scale {clip.full_scale:g}"
