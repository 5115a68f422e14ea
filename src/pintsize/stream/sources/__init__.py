"""Where samples come from: one file a kind, and `open_source` for what a user types."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pintsize.errors import DataError
from pintsize.stream.convert import Conversion, converted, require_rate
from pintsize.stream.paced import Paced
from pintsize.stream.source import Source
from pintsize.stream.sources.ble import open_ble
from pintsize.stream.sources.ble_session import open_ble_session
from pintsize.stream.sources.csv_file import open_csv
from pintsize.stream.sources.described import Described, listed, picked, shown
from pintsize.stream.sources.edf import open_edf
from pintsize.stream.sources.folder import open_folder
from pintsize.stream.sources.microphone import open_microphone
from pintsize.stream.sources.mqtt import open_mqtt
from pintsize.stream.sources.npz import open_npz
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.sound_file import open_sound_file
from pintsize.stream.sources.standard_input import open_standard_input
from pintsize.stream.sources.video import open_video
from pintsize.stream.sources.wav import open_wav
from pintsize.stream.sources.wfdb_record import open_wfdb

__all__ = ["FILES", "LIVE", "SourceOptions", "open_source"]

#: what stands before the colon (or alone) → opens it with what stands after
LIVE: dict[str, Callable[[str, SourceOptions], Described]] = {
    "microphone": open_microphone,
    "mqtt": open_mqtt,
    "ble": open_ble,
    "-": open_standard_input,
}
#: the end of a file's name → opens it
FILES: dict[str, Callable[[Path, SourceOptions], Described]] = {
    ".wav": open_wav, ".wave": open_wav, ".flac": open_sound_file, ".ogg": open_sound_file, ".aiff": open_sound_file,
    ".aif": open_sound_file, ".mp3": open_sound_file, ".csv": open_csv, ".tsv": open_csv, ".txt": open_csv,
    ".npz": open_npz, ".edf": open_edf, ".bdf": open_edf, ".hea": open_wfdb, ".dat": open_wfdb, ".mp4": open_video,
    ".avi": open_video, ".mov": open_video, ".mkv": open_video, ".webm": open_video, ".ble": open_ble_session,
}  # fmt: skip
#: in a folder of clips these are more often labels, licences and read-me files, or one half of a record
_NOT_CLIPS = (".txt", ".csv", ".tsv", ".dat")
_SCHEME = re.compile(r"^([a-z]+|-)(?::(.*))?$", re.DOTALL)


def open_source(text: str, options: SourceOptions | None = None) -> Source:
    """The source that a user means by `microphone`, `clip.wav`, a folder, `-:int16@16000` or `mqtt://host/topic`.

    A file named like a kind is meant by `./microphone`. What the options ask for is converted.
    Raises DataError for what is not there or not known, with what is; MissingExtra where a library is.
    """
    options = options or SourceOptions()
    live = _SCHEME.match(text)
    if live and live[1] in LIVE:
        return _as_asked(LIVE[live[1]](live[2] or "", options), options)
    if "://" in text:
        kind = text.partition("://")[0]
        raise DataError(f"{kind}:// is not a kind of source; known are mqtt://, {listed(_forms())}")
    source = _open_path(Path(text), options)
    return Paced(source) if options.paced else source


def _forms() -> list[str]:
    return ["microphone", "ble:AA:BB:CC:DD:EE:FF", "- (standard input)", "a folder", *sorted(FILES)]


def _open_path(path: Path, options: SourceOptions) -> Source:
    try:
        if path.is_dir():
            clips = [suffix for suffix in FILES if suffix not in _NOT_CLIPS]
            return open_folder(path, options, clips, _open_file)
        if not path.is_file() and not path.with_name(path.name + ".hea").is_file():
            raise DataError(
                f"{shown(path)} is not there, and is no kind of source; known are {listed(_forms(), 40)}"
            )
        return _open_file(path, options)
    except (OSError, ValueError) as error:  # no permission; a zero byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{shown(path)} cannot be opened: {reason}") from error


def _open_file(path: Path, options: SourceOptions) -> Source:
    opener = FILES.get(path.suffix.lower())
    if opener is None and path.with_name(path.name + ".hea").is_file():
        opener = open_wfdb
    if opener is None:
        raise DataError(f"{shown(path)}: files that end in {path.suffix or 'nothing'} are not read; "
                        f"read are {listed(sorted(FILES), 40)}")  # fmt: skip
    return _as_asked(opener(path, options), options)


def _as_asked(source: Described, options: SourceOptions) -> Source:
    """Converted as the options say, or refused. The source is closed if it is refused."""
    try:
        if options.rate_hz is not None and not options.convert:
            require_rate(source, options.rate_hz)
        kept = options.channels
        if not isinstance(kept, str):
            chosen = (
                None
                if source.description.picked
                else picked(options, source.description.channel_names, source.name)
            )
            kept = "all" if chosen is None else chosen
        return converted(source, Conversion(options.rate_hz, kept, options.scale))
    except DataError:
        source.close()
        raise
