"""The exported names are exact, and what needs an optional package says so by the name of its extra."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

import pintsize

EXPORTED = [
    "Budget",
    "DEVICES",
    "Dataset",
    "Device",
    "Diagnosis",
    "Factorize",
    "Graph",
    "PintsizeError",
    "Prune",
    "Quantize",
    "Report",
    "Splits",
    "Streamed",
    "Teaching",
    "Train",
    "UserError",
    "Watcher",
    "__version__",
    "bench",
    "compile_model",
    "convert",
    "diagnose",
    "explain",
    "load",
    "quantize",
    "read_model",
    "read_saved",
    "read_torch",
    "shrink",
    "streamed",
]
#: what `pip install pintsize` alone leaves out
OPTIONAL = ("torch", "sklearn", "ziglang", "unicorn", "capstone", "elftools", "altair", "vl_convert", "wasmtime",
            "soundfile", "PIL")  # fmt: skip


def run_without(modules: tuple[str, ...], code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python code in a process where these modules cannot be imported."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
    command = [sys.executable, "-c", blocked + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_exported_names_are_these() -> None:
    assert sorted(pintsize.__all__) == EXPORTED


@pytest.mark.parametrize("name", EXPORTED)
def test_every_name_is_there(name: str) -> None:
    assert getattr(pintsize, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'shrimp'"):
        pintsize.shrimp  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    try:
        installed = metadata.version("pintsize")
    except metadata.PackageNotFoundError:
        pytest.skip("pintsize is not installed, only on the path")
    assert pintsize.__version__ == installed


def test_a_lean_install_imports_the_package_and_the_command_line() -> None:
    code = "import pintsize, pintsize.cli; print(pintsize.DEVICES['rp2040'].ram_bytes, pintsize.Budget(ram='1kB'))"
    done = run_without(OPTIONAL, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("270336 ")


def test_a_lean_install_lists_the_devices() -> None:
    done = run_without(OPTIONAL, "from pintsize.cli import main; main()", "devices")
    assert done.returncode == 0, done.stderr
    assert "nrf52840" in done.stdout


@pytest.mark.parametrize("name", ["Prune", "diagnose", "read_torch", "shrink"])
def test_a_name_that_needs_torch_names_the_extra(name: str) -> None:
    code = (
        "import pintsize\n"
        f"try: pintsize.{name}\n"
        "except pintsize.PintsizeError as error: print(type(error).__name__, error.extra, error)"
    )
    done = run_without(("torch",), code)
    assert done.stdout.startswith("MissingExtra train torch"), done.stderr
    assert "pip install 'pintsize[train]'" in done.stdout


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        (("torch",), ("shrink", "--embedded", "digits"), "train"),
        (("torch",), ("check", "model.py:make"), "train"),
        (("torch",), ("verify", "out"), "train"),
        (("sklearn",), ("shrink", "--embedded", "digits"), "train"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_a_command_that_needs_an_extra_says_which(
    missing: tuple[str, ...], arguments: tuple[str, ...], extra: str
) -> None:
    done = run_without(missing, "from pintsize.cli import main; main()", *arguments)
    assert done.returncode == 2
    assert f"pintsize[{extra}]" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_proving_without_the_compiler_names_the_extra() -> None:
    code = (
        "import pintsize, pintsize.emulate as emulate\n"
        "print(emulate.can_run('cortex-m4'))\n"
        "try: emulate.HostModel({'model.c': ''})\n"
        "except pintsize.PintsizeError as error: print(type(error).__name__, error.extra)"
    )
    done = run_without(("ziglang",), code)
    assert done.stdout.splitlines() == ["not installed: ziglang", "MissingExtra mcu"], done.stderr
