"""Inner loops on a Cortex-M4 for weights that do not simply lie one after the other, counted beside the dense ones.

Each loop sums up 64 inputs of 3 pixels, or of 1, for two outputs. The dense ones are those of pintsize's own kernels,
the others the shortest found. Their sums are compared with numpy's, so that what is counted works.

Inputs are 16-bit numbers, two in a word; weights of 4 bits are multiplied as the highest of 16, and so are the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from pintsize import cycles, emulate

INPUTS, STEPS, OUTPUTS = 64, 16, 2
CORE = "cortex-m4"
#: of the four inputs of a step, those of a word; two-of-four has all pairs
WORDS = [(0, 2), (1, 3)]
PAIRS = list(combinations(range(4), 2))
#: r0 x, r1 w, r2-r7 sums of pixel 0 (first output, second), 1, 2; the table of a palette at sp
SUMS = [("r2", "r3"), ("r4", "r5"), ("r6", "r7")]
NIBBLES = 0xF000F000


@dataclass(frozen=True)
class Loop:
    """Straight-line code of one loop and its data. weights: (2, 64), 0 where nothing is kept; kept: how many there are;
    scale: what the sums are too large by; all_pairs: x holds all pairs of each four inputs.
    """

    name: str
    pixels: int
    code: Sequence[str]
    data: bytes
    weights: np.ndarray
    kept: int
    scale: int = 1
    table: Sequence[int] = ()
    all_pairs: bool = False


@dataclass(frozen=True)
class Counted:
    """Per product of a kept weight with a pixel's input: instructions (counted) and cycles (estimated)."""

    name: str
    pixels: int
    instructions: float
    cycles: float
    bits_per_kept_weight: float


def loops(pixels: int, random: np.random.Generator) -> list[Loop]:
    narrow = random.integers(-7, 8, (OUTPUTS, INPUTS))
    wide = random.integers(-127, 128, (OUTPUTS, INPUTS))
    return [
        dense(wide, pixels), dense_narrow(narrow, pixels),
        palette(random.integers(0, 16, (OUTPUTS, INPUTS)), random.integers(-127, 128, 16), 4, pixels),
        palette(random.integers(0, 4, (OUTPUTS, INPUTS)), random.integers(-127, 128, 4), 2, pixels),
        two_of_four(wide, pixels, random), blocks_of_one(narrow, pixels, random), blocks_of_two(narrow, pixels, random),
    ]  # fmt: skip


def _pair(first: int, second: int) -> int:
    return (first & 0xFFFF) | (second & 0xFFFF) << 16


def _packed(fields: Iterable[int], bits: int) -> bytes:
    """The first in the lowest bits."""
    codes = [int(f) & ((1 << bits) - 1) for f in fields]
    word = sum(code << (bits * i) for i, code in enumerate(codes))
    return word.to_bytes(len(codes) * bits // 8, "little")


def _products(pixels: int) -> list[str]:
    """The weights in r8-r11 times a step's inputs: pintsize's DSP_PIXEL."""
    return [line for a, b in SUMS[:pixels] for line in (
        "ldrd r12, lr, [r0], #8", f"smlad {a}, r12, r8, {a}", f"smlad {b}, r12, r10, {b}",
        f"smlad {a}, lr, r9, {a}", f"smlad {b}, lr, r11, {b}",
    )]  # fmt: skip


def dense(weights: np.ndarray, pixels: int) -> Loop:
    """pintsize's, 8 bits."""
    step = ["ldrd r9, r11, [r1], #8", "sxtb16 r8, r9", "sxtb16 r9, r9, ror #8", "sxtb16 r10, r11",
            "sxtb16 r11, r11, ror #8", *_products(pixels)]  # fmt: skip
    data = b"".join(
        _packed(weights[o, 4 * s : 4 * s + 4], 8) for s, o in product(range(STEPS), range(OUTPUTS))
    )
    return Loop("dense, 8 bits", pixels, step * STEPS, data, weights, weights.size)


def _narrow_word(four: np.ndarray) -> bytes:
    """Four inputs' weights of two outputs, (2, 4): a half for inputs 0 and 1, one for 2 and 3, as pintsize has them."""
    return _packed(
        [four[1, 1], four[1, 0], four[0, 1], four[0, 0], four[1, 3], four[1, 2], four[0, 3], four[0, 2]], 4
    )


UNPACK_NARROW = [f"mov.w r12, #{NIBBLES:#x}", "and.w r8, r12, r11", "and.w r9, r12, r11, lsl #4",
                 "and.w r10, r12, r11, lsl #8", "and.w r11, r12, r11, lsl #12"]  # fmt: skip


def dense_narrow(weights: np.ndarray, pixels: int) -> Loop:
    """pintsize's, 4 bits."""
    step = ["ldr.w r11, [r1], #4", *UNPACK_NARROW, *_products(pixels)]
    data = b"".join(_narrow_word(weights[:, 4 * s : 4 * s + 4]) for s in range(STEPS))
    return Loop("dense, 4 bits", pixels, step * STEPS, data, weights, weights.size, 1 << 12)


def palette(indices: np.ndarray, entries: np.ndarray, bits: int, pixels: int) -> Loop:
    """Indices of two inputs at once into a table of all pairs of entries: 1 KiB of stack for 16 entries, 64 B for 4."""
    field = 2 * bits
    fields = [
        int(indices[o, 4 * s + low]) | int(indices[o, 4 * s + high]) << bits
        for s, o, (low, high) in product(range(STEPS), range(OUTPUTS), WORDS)
    ]
    look_up = [f"ldr.w r{i}, [sp, r{i}, lsl #2]" for i in range(8, 12)]
    code: list[str] = []
    for s in range(STEPS):
        first = 0 if bits == 4 else 16 * (s % 2)
        last = "ldr.w r11, [r1], #4" if bits == 4 or s % 2 else "ldr.w r11, [r1]"
        extract = [f"ubfx r{8 + i}, r11, #{first + field * i}, #{field}" for i in range(4)]
        code += [last, *extract, *look_up, *_products(pixels)]
    table = [
        _pair(int(entries[i % len(entries)]), int(entries[i // len(entries)]))
        for i in range(len(entries) ** 2)
    ]
    return Loop(f"palette of {len(entries)}", pixels, code, _packed(fields, field), entries[indices], indices.size,
                table=table)  # fmt: skip


def two_of_four(weights: np.ndarray, pixels: int, random: np.random.Generator) -> Loop:
    """Two weights of 8 bits of every four inputs, each output its own: a nibble says which of six pairs of inputs."""
    chosen = random.integers(0, len(PAIRS), (STEPS, OUTPUTS))
    kept, data = np.zeros_like(weights), b""
    for s in range(STEPS):
        at = [[4 * s + i for i in PAIRS[chosen[s, o]]] for o in range(OUTPUTS)]
        for o in range(OUTPUTS):
            kept[o, at[o]] = weights[o, at[o]]
        data += _packed([weights[o, at[o][i]] for i, o in product(range(2), range(OUTPUTS))], 8)
        data += _packed(list(chosen[s]), 4)
    step = ["ldr r10, [r1], #4", "ldrb r11, [r1], #1", "sxtb16 r8, r10", "sxtb16 r10, r10, ror #8", "and r9, r11, #15",
            "lsr r11, r11, #4", "add r9, r0, r9, lsl #2", "add r11, r0, r11, lsl #2"]  # fmt: skip
    for n, (a, b) in enumerate(SUMS[:pixels]):
        step += [f"ldr.w r12, [r9, #{24 * n}]", f"ldr.w lr, [r11, #{24 * n}]", f"smlad {a}, r12, r8, {a}",
                 f"smlad {b}, lr, r10, {b}"]  # fmt: skip
    step.append(f"add r0, r0, #{24 * pixels}")
    return Loop("2 of 4, 8 bits", pixels, step * STEPS, data, kept, weights.size // 2, all_pairs=True)


def _half(steps: Sequence[int]) -> list[int]:
    """How many steps on from the one before each lies, from the first step."""
    return [int(after - before) for before, after in zip([0, *steps], steps, strict=False)]


def blocks_of_one(weights: np.ndarray, pixels: int, random: np.random.Generator) -> Loop:
    """Half of the blocks of four inputs, each output its own, 4 bits: a byte says how far the next one is."""
    kept, data, code = np.zeros_like(weights), b"", list[str]()
    block = ["ldrb r12, [r1], #1", "ldrh r11, [r1], #2", "add r0, r0, r12, lsl #3", "orr r11, r11, r11, lsl #24",
             f"mov.w r12, #{NIBBLES:#x}", "and.w r8, r12, r11", "and.w r9, r12, r11, lsl #4"]  # fmt: skip
    code.append("mov r10, r0")
    for o in range(OUTPUTS):
        steps = sorted(random.choice(STEPS, STEPS // 2, replace=False))
        for s, skip in zip(steps, _half(steps), strict=True):
            kept[o, 4 * s : 4 * s + 4] = four = weights[o, 4 * s : 4 * s + 4]
            data += bytes([skip * pixels]) + _packed(four[::-1], 4)
        for _ in steps:
            code += block
            for n, sums in enumerate(SUMS[:pixels]):
                acc = sums[o]
                code += [
                    f"ldrd r12, lr, [r0, #{8 * n}]",
                    f"smlad {acc}, r12, r8, {acc}",
                    f"smlad {acc}, lr, r9, {acc}",
                ]
        code.append("mov r0, r10")
    return Loop("blocks of 1 x 4, 4 bits", pixels, code, data, kept, weights.size // 2, 1 << 12)


def blocks_of_two(weights: np.ndarray, pixels: int, random: np.random.Generator) -> Loop:
    """Half of the blocks of four inputs, both outputs' together, 4 bits."""
    kept, data = np.zeros_like(weights), b""
    steps = sorted(random.choice(STEPS, STEPS // 2, replace=False))
    before = 0
    for s in steps:
        kept[:, 4 * s : 4 * s + 4] = four = weights[:, 4 * s : 4 * s + 4]
        data += bytes([(s - before) * pixels]) + _narrow_word(four)
        before = s + 1  # the products leave x at the next step
    block = [
        "ldrb r12, [r1], #1",
        "ldr.w r11, [r1], #4",
        "add r0, r0, r12, lsl #3",
        *UNPACK_NARROW,
        *_products(pixels),
    ]
    return Loop("blocks of 2 x 4, 4 bits", pixels, block * len(steps), data, kept, weights.size // 2, 1 << 12)


def _words_of(x: np.ndarray, all_pairs: bool) -> list[int]:
    """x (pixels, 64) as the loops read it: per step and pixel, two words or all six pairs."""
    pairs = PAIRS if all_pairs else WORDS
    return [
        _pair(int(x[n, 4 * s + i]), int(x[n, 4 * s + j]))
        for s in range(STEPS)
        for n in range(len(x))
        for i, j in pairs
    ]


def _function(number: int, loop: Loop, x: np.ndarray) -> tuple[str, str]:
    """(definitions, call): the sums of pixel 0, 1, 2 go to `sums`."""
    words = ", ".join(f"{w:#x}u" for w in _words_of(x, loop.all_pairs))
    data = ", ".join(str(b) for b in loop.data)
    table = ", ".join(f"{w:#x}u" for w in loop.table) or "0"
    room = 4 * len(loop.table)
    copy = [] if not room else [f"sub sp, sp, #{room}", "mov r4, sp", f"mov r5, #{room // 4}",
                                "1: ldr r6, [r3], #4", "str r6, [r4], #4", "subs r5, r5, #1", "bne 1b"]  # fmt: skip
    lines = ["push {r2, r4-r11, lr}", *copy, *(f"mov r{i}, #0" for i in range(2, 8)), *loop.code,
             *([f"add sp, sp, #{room}"] if room else []), "ldr r0, [sp]", "stmia r0, {r2-r7}",
             "pop {r2, r4-r11, pc}"]  # fmt: skip
    body = "\n".join(f'"{line}\\n"' for line in lines)
    text = f"""
static const uint32_t x_{number}[] = {{{words}}};
static const uint8_t w_{number}[] __attribute__((aligned(4))) = {{{data or "0"}}};
static const uint32_t t_{number}[] = {{{table}}};
__attribute__((naked, noinline)) static void layer_{number}_loop(const uint32_t *x, const uint8_t *w, int32_t *sums,
                                                                 const uint32_t *table)
{{
    __asm volatile({body});
}}
"""
    return text, f"layer_{number}_loop(x_{number}, w_{number}, sums + {6 * number}, t_{number});"


def _program(all_loops: Sequence[Loop], x: np.ndarray) -> Mapping[str, str]:
    parts = [_function(i, loop, x[: loop.pixels]) for i, loop in enumerate(all_loops)]
    size = 24 * len(all_loops)
    source = "#include \"model.h\"\n" + "".join(text for text, _ in parts) + (
        "void model_init(void) {}\n"
        "void model_run(const void *in, void *out)\n{\n    int32_t *const sums = (int32_t *)out;\n    (void)in;\n    "
        + "\n    ".join(call for _, call in parts) + "\n}\n"
    )  # fmt: skip
    header = (
        f"#include <stdint.h>\n#define MODEL_INPUT_BYTES 4\n#define MODEL_OUTPUT_BYTES {size}\n"
        "void model_init(void);\nvoid model_run(const void *in, void *out);\n"
    )
    return {"model.c": source, "model.h": header}


def count(pixels: int, judge: Callable[[str], None] = print) -> list[Counted]:
    """Every loop on the emulated core. Raises ValueError where a loop's sums are not numpy's."""
    random = np.random.default_rng(0)
    x = random.integers(-128, 128, (pixels, INPUTS))
    whole = loops(pixels, random)
    empty = [replace(loop, code=()) for loop in whole]
    _, run = emulate.run(_program([*whole, *empty], x), CORE, np.zeros((1, 4), np.int8))
    sums = run.outputs.reshape(-1).view(np.int32).reshape(-1, 3, OUTPUTS)
    found: list[Counted] = []
    for i, loop in enumerate(whole):
        wanted = x @ loop.weights.T * loop.scale  # (pixels, outputs)
        if not np.array_equal(sums[i, :pixels], wanted):
            raise ValueError(
                f"{loop.name}, {pixels} pixels: sums {sums[i, :pixels].tolist()}, not {wanted.tolist()}"
            )
        names = [f"layer_{n}_loop" for n in (i, i + len(whole))]
        instructions = run.by_layer[names[0]] - run.by_layer[names[1]]
        taken = [cycles.estimate(CORE, run.layer_mnemonics[name], 0) or 0.0 for name in names]
        products = loop.kept * pixels
        bits = 8 * len(loop.data) / loop.kept
        found.append(
            Counted(loop.name, pixels, instructions / products, (taken[0] - taken[1]) / products, bits)
        )
        judge(f"{loop.name}, {pixels} pixels: {found[-1]}")
    return found
