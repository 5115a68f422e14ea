from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

import pytest

from pintsize.emulate import CORES, Program, build, compile_check, object_sections, toolchain
from pintsize.errors import MissingExtra, ToolError

M4 = CORES["cortex-m4"]
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def test_ram_is_the_arena_the_buffers_and_the_model_s_own_variables(
    program: Callable[[str], Program],
) -> None:
    linked = program("cortex-m4")
    assert linked.arena_bytes == 192
    assert linked.ram_bytes == 192 + 64 + 64 + 16  # arena, input, output, multipliers
    assert (linked.input_bytes, linked.output_bytes) == (64, 64)


def test_flash_holds_the_model_s_sections_and_little_else(
    files: Mapping[str, str], program: Callable[[str], Program]
) -> None:
    sections = object_sections(files, M4)
    model_bytes = sum(n for name, n in sections.items() if name.startswith((".text", ".rodata", ".data")))
    assert 64 < model_bytes < program("cortex-m4").flash_bytes < model_bytes + 1500


def test_more_constants_take_as_much_more_flash(files: Mapping[str, str]) -> None:
    table = "const int8_t model_table[4096] = {1};"
    use = "out[0] = (int8_t)(out[0] + model_table[(uint8_t)in[0]]);"
    body = files["model.c"].replace(
        "int8_t clamp", table.replace("const", "static const") + "\nstatic int8_t clamp"
    )
    body = body.replace("static static", "static").replace("128, out);\n}", "128, out);\n  " + use + "\n}")
    grown = build({**files, "model.c": body}, M4).flash_bytes - build(files, M4).flash_bytes
    assert 4096 <= grown < 4096 + 32


def test_the_same_files_give_the_same_bytes(files: Mapping[str, str]) -> None:
    first, second = build(files, M4), build(files, M4)
    assert first.elf == second.elf
    assert b"pintsize-" not in first.elf  # the temporary folder's name


def test_another_prefix(files: Mapping[str, str]) -> None:
    renamed = {
        name.replace("model", "keyword"): text.replace("model", "keyword").replace("MODEL", "KEYWORD")
        for name, text in files.items()
    }
    assert build(renamed, M4, prefix="keyword").arena_bytes == 192


def test_a_program_without_an_arena_says_so(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    assert build(one_layer("out[0] = in[0];"), M4).arena_bytes is None


def test_a_compile_error_carries_the_compiler_s_words(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match=r"compiling model\.c for cortex-m4.*\n.*undeclared"):
        build({**files, "model.c": files["model.c"].replace("sum >> 7", "sum >> shift")}, M4)


def test_a_program_that_does_not_fit_says_so(files: Mapping[str, str]) -> None:
    big = files["model.h"].replace("ARENA_BYTES 192", "ARENA_BYTES 192000000")
    with pytest.raises(ToolError, match=r"linking for cortex-m4.*\n.*RAM"):
        build({**files, "model.h": big}, M4)


def test_a_missing_source_is_named(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match=r"other\.c is not among"):
        build(files, M4, sources=("other.c",))


def test_the_host_takes_no_bare_metal_program(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match="host"):
        build(files, CORES["host"])


def test_without_the_compiler_the_extra_is_named(
    files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pintsize\[mcu\]"):
        build(files, M4)


@pytest.mark.parametrize("compiler", ["zig", "gcc", "clang"])
def test_the_example_compiles_without_a_warning(files: Mapping[str, str], compiler: str) -> None:
    if compiler != "zig" and shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    assert compile_check(files, compiler, flags=STRICT) == ""


@pytest.mark.parametrize("name", ["cortex-m0", "riscv32", "wasm32"])
def test_the_example_compiles_without_a_warning_for(files: Mapping[str, str], name: str) -> None:
    assert compile_check(files, core=CORES[name], flags=STRICT) == ""


def test_a_warning_is_returned_or_fails_under_werror(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    narrowing = one_layer("int x = in[0] * 3; out[0] = x;")
    assert "conversion" in compile_check(narrowing, flags=("-Wconversion",))
    with pytest.raises(ToolError, match="conversion"):
        compile_check(narrowing, flags=STRICT)


def test_an_unknown_compiler_is_named(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match="'nocc'"):
        compile_check(files, "nocc")
