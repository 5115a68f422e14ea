"""From whatever unit a recording is in to counts of 5 µV: told by the file or by the user, never guessed in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pintsize.apps.ecg.quality import COUNTS_PER_MV, UV_PER_COUNT
from pintsize.errors import DataError, UserError
from pintsize.stream.block import Block
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.source import Source, Wrapping
from pintsize.stream.sources import SourceOptions, open_source

#: counts of 5 µV that one of them is
UNITS = {"V": 1000.0 * COUNTS_PER_MV, "mV": float(COUNTS_PER_MV), "uV": 1.0 / UV_PER_COUNT}
_SPELLED = {"v": "V", "volt": "V", "mv": "mV", "millivolt": "mV", "uv": "uV", "µv": "uV", "μv": "uV",
            "microvolt": "uV"}  # fmt: skip
#: below it a QRS is not seen well enough
LEAST_RATE_HZ = 100.0


class Scaled(Wrapping):
    """A source whose values are a heart's voltage. counts: of 5 µV that one of its units is."""

    def __init__(self, source: Source, counts: float) -> None:
        super().__init__(source)
        self._full_scale = INT16_FULL_SCALE / counts

    @property
    def full_scale(self) -> float:
        return self._full_scale

    def blocks(self) -> Iterator[Block]:
        """What is far beyond any heart is cut off, so that the gate says so and not the conversion."""
        most = 2 * self._full_scale
        for block in self.source.blocks():
            whole = block.samples.dtype.kind != "f"
            yield block if whole else replace(block, samples=np.clip(block.samples, -most, most))


def unit_named(text: str) -> str | None:
    """V, mV or uV; None for a name that is none of them."""
    return _SPELLED.get(text.strip().casefold())


def counts_of(
    unit: str | None, counts_per_mv: float | None, written: str | None, whole_numbers: bool
) -> tuple[float, str]:
    """How many counts of 5 µV one unit of the source is, and where that is known from.

    unit, counts_per_mv: what the user says; written: the file's; whole_numbers: int16, which has no unit of its own
    Raises UserError for both, or for a unit that is none.
    """
    if unit is not None and counts_per_mv is not None:
        raise UserError("say either --unit or --counts-per-mv, not both")
    if counts_per_mv is not None:
        if not 0 < counts_per_mv < float("inf"):
            raise UserError(
                f"--counts-per-mv {counts_per_mv:g}: a converter gives more than 0 counts a millivolt"
            )
        return COUNTS_PER_MV / counts_per_mv, f"{counts_per_mv:g} counts are 1 mV, as you say"
    if unit is not None:
        known = unit_named(unit)
        if known is None:
            raise UserError(f"--unit {unit!r} is not known: {', '.join(UNITS)}, or say --counts-per-mv")
        return UNITS[known], f"values are {known}, as you say"
    if written is not None:
        return UNITS[written], f"values are {written}, as the file says"
    if whole_numbers:
        return (
            1.0,
            f"whole numbers without a unit: taken as counts of {UV_PER_COUNT} µV (else say --counts-per-mv)",
        )
    return UNITS["mV"], "numbers without a unit: taken as mV (else say --unit)"


def written_unit(path: Path, lead: str | None = None) -> str | None:
    """The unit that a file names: EDF and WFDB in their headers, NPZ in an entry `unit`, CSV in a column's name.

    lead: name or number of the signal; None: the first.
    """
    readers = {
        ".edf": _of_edf,
        ".bdf": _of_edf,
        ".dat": _of_wfdb,
        ".hea": _of_wfdb,
        ".npz": _of_npz,
        ".csv": _of_csv,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None and path.with_name(path.name + ".hea").is_file():
        reader = _of_wfdb
    found = None if reader is None else reader(path, lead)
    return None if found is None else unit_named(found)


def opened(
    text: str,
    unit: str | None = None,
    counts_per_mv: float | None = None,
    lead: str | None = None,
    source_rate_hz: float | None = None,
) -> tuple[Source, str]:
    """The source that a user means, in the heart's voltage, and where its unit is known from.

    lead: name or number of one; None: all of them, the first is looked at.
    Raises DataError for what is not there or too slow, UserError for options that do not go together.
    """
    named: tuple[int | str, ...] = () if lead is None else (int(lead) if lead.isdecimal() else lead,)
    options = SourceOptions(source_rate_hz=source_rate_hz, channels=named or "all")
    source = open_source(text, options)
    try:
        require_rate(source)
        whole = source.saturates_at == (-INT16_FULL_SCALE, INT16_FULL_SCALE - 1)
        written = written_unit(Path(text), lead)
        counts, told = counts_of(unit, counts_per_mv, written, whole)
    except UserError:
        source.close()
        raise
    return Scaled(source, counts), told


def require_rate(source: Source) -> None:
    """Raises DataError for a rate at which a QRS cannot be seen."""
    if source.rate_hz < LEAST_RATE_HZ:
        raise DataError(
            f"{source.name} is at {source.rate_hz:g} Hz: an ECG needs at least {LEAST_RATE_HZ:g} Hz. If that is not "
            "its rate, say --source-rate-hz"
        )


def _of_edf(path: Path, lead: str | None) -> str | None:
    """A signal's dimension; all of them stand behind all labels and all transducers (EDF specification, 1992)."""
    with path.open("rb") as file:
        head = file.read(256)
        signals = int(head[252:256].decode("ascii", "replace").strip() or 0)
        labels = [file.read(16).decode("latin-1").strip() for _ in range(signals)]
        file.seek(80 * signals, 1)
        units = [file.read(8).decode("latin-1").strip() for _ in range(signals)]
    return _of_lead(units, labels, lead)


def _of_wfdb(path: Path, lead: str | None) -> str | None:
    """`200(0)/mV`: the unit behind the gain; mV where none is written (WFDB header, signal lines)."""
    record = path.with_suffix("") if path.suffix.lower() in (".dat", ".hea") else path
    lines = record.with_name(record.name + ".hea").read_text(encoding="latin-1").splitlines()
    signals = [line.split(maxsplit=8) for line in lines if line.strip() and not line.startswith("#")][1:]
    units = [fields[2].partition("/")[2] or "mV" if len(fields) > 2 else "" for fields in signals]
    return _of_lead(units, [fields[-1] for fields in signals], lead)


def _of_lead(units: list[str], labels: list[str], lead: str | None) -> str | None:
    folded = [label.casefold() for label in labels]
    if lead is None or lead.isdecimal():
        at = int(lead or 0)
    else:
        at = folded.index(lead.casefold()) if lead.casefold() in folded else len(units)
    return units[at] if at < len(units) else None


def _of_npz(path: Path, lead: str | None) -> str | None:
    try:
        with np.load(path, allow_pickle=False) as content:
            entry = next((content[name] for name in ("unit", "units") if name in content.files), None)
    except (OSError, ValueError):
        return None  # whoever opens it for its samples says what is wrong
    return str(entry.reshape(-1)[0]) if entry is not None and entry.dtype.kind == "U" and entry.size else None


def _of_csv(path: Path, lead: str | None) -> str | None:
    """`ecg (mV)`, `MLII [uV]`, `lead_mv`: of the lead's column, else of the first one that names a unit."""
    with path.open(encoding="utf-8", errors="replace") as file:
        head = " ".join(file.readline() for _ in range(12))
    words: list[str] = re.findall(r"[(\[/_ ]([mMuUµμ]?[vV])\b", (lead or "") + " " + head)
    return words[0] if words else None
