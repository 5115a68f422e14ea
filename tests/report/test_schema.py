"""The sample holds exactly the keys of the schema, with values of their types."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

from pintsize.report.schema import Report


def problems(value: Any, wanted: Any, where: str) -> list[str]:
    if is_typeddict(wanted):
        hints = get_type_hints(wanted)
        if set(value) != set(hints):
            return [f"{where}: keys {sorted(set(value) ^ set(hints))} differ"]
        return [p for key, hint in hints.items() for p in problems(value[key], hint, f"{where}.{key}")]
    if get_origin(wanted) is list:
        (inner,) = get_args(wanted)
        return [p for i, v in enumerate(value) for p in problems(v, inner, f"{where}[{i}]")]
    if get_origin(wanted) is Literal:
        return [] if value in get_args(wanted) else [f"{where}: {value!r} is not one of {get_args(wanted)}"]
    kinds = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    if float in kinds:
        kinds = (*kinds, int)
    return [] if isinstance(value, kinds) else [f"{where}: {value!r} is no {wanted}"]


def test_the_sample_follows_the_schema(report: dict[str, Any]) -> None:
    assert problems(report, Report, "report") == []
