"""WFDB records (PhysioNet): a .hea header beside its .dat, through wfdb; values in their physical units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.sources.described import Description, common_limits, distinct, own_rate_hz, picked, shown
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay, held


def open_wfdb(path: Path, options: SourceOptions) -> Replay:
    """The leads asked for as float32; samples marked as invalid are NaN. full_scale is 1 of their unit, unless said.

    path: the .hea, the .dat or the record without either
    Raises DataError without the header, for a record that cannot be read or is cut short, and for signals of
    several rates.
    """
    where = shown(path)
    record = path.with_suffix("") if path.suffix.lower() in (".hea", ".dat") else path
    header_file = record.with_name(record.name + ".hea")
    if not header_file.is_file():
        raise DataError(
            f"{where}: its header {shown(header_file)} is not there; a WFDB record needs both files"
        )
    wfdb = library("wfdb")
    header = _read(wfdb.rdheader, record, where)
    if not getattr(header, "n_sig", 0) or not header.sig_name:
        raise DataError(f"{where} has no signals")
    if any(count != 1 for count in header.samps_per_frame or ()):
        raise DataError(f"{where} has signals of several rates, which are not read")
    names = distinct(header.sig_name)
    chosen = picked(options, names, where)
    kept = list(range(len(names)) if chosen is None else chosen)
    content = _read(wfdb.rdrecord, record, where, channels=kept)
    rate_hz = own_rate_hz(float(header.fs), options, where)
    kept_names = tuple(names[at] for at in kept)
    description = Description(
        where, rate_hz, kept_names, options.full_scale or 1.0, _limits(content), picked=chosen is not None
    )
    return held(description, content.p_signal.astype(np.float32), options)


def _read(function: Any, record: Path, where: str, **channels: list[int]) -> Any:
    try:
        return function(str(record), **channels)
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{where} cannot be read as a WFDB record: {error or type(error).__name__}"
        ) from error


def _limits(content: Any) -> tuple[float, float] | None:
    """What the converter can give, in physical units; None where the header does not say its bits."""
    if not content.adc_res or not all(content.adc_res):
        return None
    columns = zip(content.adc_res, content.adc_zero, content.baseline, content.adc_gain, strict=True)
    return common_limits(
        [
            ((zero - baseline - 2.0 ** (bits - 1)) / gain, (zero - baseline + 2.0 ** (bits - 1) - 1) / gain)
            for bits, zero, baseline, gain in columns
        ]
    )
