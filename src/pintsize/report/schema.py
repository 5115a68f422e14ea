"""What `report.json` holds, key by key. The page and the table on the terminal read nothing else.

None stands for what is not known or not limited; it is shown as "–". Fractions are 0…1.
"""

from __future__ import annotations

from typing import Literal, TypedDict

#: measured: read from the program that ships, or seen while it ran; counted: an exact count;
#: estimated: calculated from data-sheet figures
Kind = Literal["measured", "counted", "estimated"]

Status = Literal["chosen", "fits", "too large", "dropped", "not trained"]


class DeviceFacts(TypedDict):
    """The device that the artifact was written for."""

    name: str
    title: str
    core: str
    clock_hz: int
    flash_bytes: int
    ram_bytes: int
    datasheet: str


class BudgetLimits(TypedDict):
    """Upper bounds; None where the user left one open."""

    flash_bytes: int | None
    ram_bytes: int | None
    latency_ms: float | None
    energy_mj: float | None
    max_drop: float | None


class Figure(TypedDict):
    """One number about the artifact, and how it came about.

    Names in use: flash_bytes, ram_bytes, arena_bytes, stack_bytes, weight_bytes, instructions, macs,
    latency_ms, energy_mj, drop. ``met`` is None where there is no limit or no value.
    """

    name: str
    value: float | None
    unit: Literal["B", "ms", "mJ", "fraction", ""]
    kind: Kind
    how: str
    limit: float | None
    met: bool | None


class Accuracy(TypedDict):
    """The float teacher against the integers that the chip computes, on one split."""

    split: str
    teacher: float | None
    integers: float | None
    agreement: float | None
    samples: int


class Candidate(TypedDict):
    """A model that the search looked at, and why it went no further."""

    name: str
    width: float
    bits: int
    flash_bytes: int | None
    ram_bytes: int | None
    weight_bytes: int
    validation_accuracy: float | None
    status: Status
    reason: str


class Taken(TypedDict):
    """What a program takes; measured as linked, its weights not trained yet."""

    flash_bytes: int
    ram_bytes: int
    weight_bytes: int
    instructions: int | None


class Step(Taken):
    """The program after one kind of step: branches dropped, channels removed, weights narrowed."""

    step: str


#: a step that was compiled with it and without it, and whether it was undone because it saved nothing
Undone = TypedDict("Undone", {"step": str, "with": Taken, "without": Taken, "undone": bool})


class Refund(TypedDict):
    """What each kind of step saved on the device, and single steps that saved nothing there."""

    steps: list[Step]
    undone: list[Undone]


class SplitAccuracy(TypedDict):
    """How often the integers are right."""

    validation: float | None
    test: float | None


class FrontMember(TypedDict):
    """A model of a whole trade-off, proven on `cores` cores; `folder` is relative to the report's."""

    name: str
    folder: str
    flash_bytes: int
    ram_bytes: int
    weight_bytes: int
    instructions: int | None
    latency_ms: float | None
    energy_mj: float | None
    accuracy: SplitAccuracy
    cores: int
    mismatches: int


class Layer(TypedDict):
    """One node of the chosen model, in execution order. Shapes leave the batch out."""

    index: int
    name: str
    op: str
    source: str
    input_shape: list[int]
    output_shape: list[int]
    macs: int
    weight_bytes: int
    bits: int | None
    instructions: int | None


class PlacedBuffer(TypedDict):
    """Bytes offset..offset+bytes of the arena, taken in the steps first..last, both included."""

    name: str
    bytes: int
    offset: int
    first: int
    last: int


class Memory(TypedDict):
    """The arena over time; ``steps`` are the layers' names in execution order."""

    arena_bytes: int
    lower_bound_bytes: int
    optimal: bool
    buffers: list[PlacedBuffer]
    steps: list[str]


class CoreCheck(TypedDict):
    """One core that ran the artifact; ``instructions`` are those of one inference."""

    core: str
    inputs: int
    mismatches: int
    instructions: int | None
    flash_bytes: int | None
    stack_bytes: int | None
    by: Literal["unicorn", "qemu", "host", "wasm"]


class Provenance(TypedDict):
    """What went in, and the versions that made the artifact."""

    model: str
    model_sha256: str
    data: str
    data_sha256: str
    python: str
    torch: str
    numpy: str
    compiler: str


class Report(TypedDict):
    """Measured numbers against the budget, with all that is needed to make them again."""

    name: str
    pintsize_version: str
    created_by: str
    seed: int
    device: DeviceFacts
    budget: BudgetLimits
    met: bool
    figures: list[Figure]
    accuracy: list[Accuracy]
    candidates: list[Candidate]
    refund: Refund
    front: list[FrontMember]
    layers: list[Layer]
    memory: Memory
    verification: list[CoreCheck]
    provenance: Provenance
