"""The command line: every command is a few lines over the public API."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from pintsize.budget import Budget
from pintsize.devices import DEVICES
from pintsize.errors import PintsizeError, UserError, missing_extra
from pintsize.version import VERSION

USER_MISTAKE, FAILURE, INTERRUPTED = 2, 1, 130

app = typer.Typer(
    name="pintsize",
    help="Makes a trained model small enough for a device, proves it still works there, and runs it there.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

ModelArgument = Annotated[
    str | None,
    typer.Argument(
        help="model.py:function that makes the model, or a .pt2, .onnx or .tflite file.", show_default=False
    ),
]
WeightsOption = Annotated[
    Path | None, typer.Option(help="State dict of the model (.pt), saved by torch.save.")
]
DeviceOption = Annotated[str, typer.Option(help="A device: see `pintsize devices`.")]
FlashOption = Annotated[str | None, typer.Option(help="Flash allowed, such as 32kB.")]
RamOption = Annotated[str | None, typer.Option(help="RAM allowed, such as 16kB.")]
LatencyOption = Annotated[
    str | None, typer.Option(help="Time allowed for one inference, such as 20ms (estimated).")
]
EnergyOption = Annotated[
    str | None, typer.Option(help="Energy allowed for one inference, such as 0.2mJ (estimated).")
]
DropOption = Annotated[str | None, typer.Option(help="Accuracy that may be lost, such as 1%.")]
ShapeOption = Annotated[
    str | None, typer.Option(help="Shape of one input without the batch, channels first: 1,49,10.")
]

FileShapeOption = Annotated[
    str | None,
    typer.Option("--shape", help="Shape of one input without the batch, where the file leaves it open."),
]


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"pintsize {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Examples:\n\n"
    "pintsize shrink   (an embedded example: handwritten digits)\n\n"
    "pintsize shrink model.py:make_teacher --weights teacher.pt --data speech.npz --device stm32l4r5 "
    "--flash 32kB --ram 16kB --max-drop 1% --out out/"
)
def shrink(
    model: ModelArgument = None,
    weights: WeightsOption = None,
    data: Annotated[
        Path | None,
        typer.Option(help=".npz (x, y, optional split), or a folder of labelled sounds or pictures."),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Data to report on; else a part of --data is held back.")
    ] = None,
    device: DeviceOption = "stm32l4r5",
    flash: FlashOption = None,
    ram: RamOption = None,
    latency: LatencyOption = None,
    energy: EnergyOption = None,
    max_drop: DropOption = "1%",
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    embedded: Annotated[
        str | None, typer.Option(help="An example with its own model and data: digits.")
    ] = None,
    effort: Annotated[str, typer.Option(help="low, medium or high: how long to search.")] = "medium",
    goal: Annotated[
        str | None,
        typer.Option(help="classes, or values for outputs that are no classes; guessed when not given."),
    ] = None,
    layer_bits: Annotated[
        list[str] | None,
        typer.Option(help="Weights of one layer, as NAME=8, 4 or 2; may be given several times."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Find the smallest model within a budget; write it as a C program; prove it on emulated cores."""
    from pintsize.terminal import LiveWatcher

    budget = Budget(flash, ram, latency, energy, max_drop)
    options = {"device": device, "budget": budget, "out": out, "effort": effort, "goal": goal, "seed": seed,
               "layer_bits": _layer_bits(layer_bits or [])}  # fmt: skip
    try:
        with LiveWatcher(console) as watcher:
            report = _shrink(model, weights, data, test, embedded, watcher.step, watcher=watcher, **options)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    from pintsize.report.text import table

    console.print(table(report.data))
    console.print(f"Results in [bold]{out}[/]: open {out / 'report.html'}")


def _layer_bits(given: list[str]) -> dict[str, int]:
    bits: dict[str, int] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        if not name or number not in ("8", "4", "2"):
            raise UserError(f"--layer-bits {text!r} cannot be read: write it as NAME=8, NAME=4 or NAME=2")
        bits[name] = int(number)
    return bits


def _shrink(
    model: str | None, weights: Path | None, data: Path | None, test: Path | None, embedded: str | None,
    on_step: Callable[[str, int, int, float], None], **options: Any,
) -> Any:  # fmt: skip
    import pintsize
    from pintsize.assemble import Provenance

    command = shlex.join(["pintsize", *sys.argv[1:]])
    if model is None and data is None and embedded is None:
        embedded = "digits"
    if embedded is not None:
        if embedded != "digits" or model is not None or data is not None:
            raise UserError("--embedded takes 'digits' and comes without a model and --data")
        from pintsize.embedded import digits

        example = digits(
            options["seed"], lambda done, total, loss: on_step("training the teacher", done, total, loss)
        )
        source = Provenance(command, "embedded digits", "scikit-learn's handwritten digits")
        return pintsize.shrink(example.teacher, example.splits, provenance=source, **options)
    if model is None or data is None:
        raise UserError(
            "give both a model (model.py:function or a .pt2 archive) and --data, or --embedded digits"
        )
    from pintsize.model_argument import load_model

    source = Provenance(command, model, data.name)
    return pintsize.shrink(load_model(model, weights), data, test, provenance=source, **options)


@app.command(
    epilog="Example: pintsize check model.py:make_teacher --device stm32l4r5 --sample-shape 1,49,10 --flash 32kB"
)
def check(
    model: Annotated[str, typer.Argument(help="model.py:function that makes the model, or a .pt2 archive.")],
    weights: WeightsOption = None,
    device: DeviceOption = "stm32l4r5",
    sample_shape: ShapeOption = None,
    flash: FlashOption = None,
    ram: RamOption = None,
    energy: EnergyOption = None,
) -> None:
    """Before any training: missing ops, RAM and flash at least and at most, whether the budget is plausible."""
    import pintsize
    from pintsize.model_argument import load_model, read_shape
    from pintsize.terminal import diagnosis_table

    shape = read_shape(sample_shape)
    found = pintsize.diagnose(load_model(model, weights), device, Budget(flash, ram, None, energy), shape)
    console.print(diagnosis_table(found))
    if not found.plausible:
        raise typer.Exit(USER_MISTAKE)


@app.command(epilog="Example: pintsize verify out/")
def verify(
    folder: Annotated[Path, typer.Argument(help="What `pintsize shrink` wrote.")],
    core: Annotated[
        list[str] | None, typer.Option(help="A core to run on; may be given several times.")
    ] = None,
) -> None:
    """Run the golden vectors of a finished folder on every core again, and compare every integer."""
    from pintsize.artifact import verify_folder
    from pintsize.terminal import core_line

    verify_folder(folder, tuple(core or ()), lambda found: console.print(core_line(found)))
    console.print("[green]every integer is equal[/]")


@app.command(
    name="compile",
    epilog="Examples:\n\npintsize compile kws.tflite --device stm32l4r5 --out out/\n\n"
    "pintsize compile model.onnx --device nrf52840 --reuse-io --out out/",
)
def compile_(
    model: Annotated[
        str, typer.Argument(help="A .tflite or .onnx file of integers, or a folder of pintsize.")
    ],
    device: DeviceOption = "stm32l4r5",
    out: Annotated[Path, typer.Option(help="Folder for the program.")] = Path("out"),
    reuse_io: Annotated[
        bool,
        typer.Option("--reuse-io", help="Input and output live in the arena; a run may overwrite the input."),
    ] = False,
    shape: FileShapeOption = None,
) -> None:
    """Write an integer model as a C program for a device; prove every integer on its emulated core; measure it."""
    import pintsize
    from pintsize.model_argument import read_shape
    from pintsize.terminal import compiled_table, core_line

    done = pintsize.compile_model(
        model,
        device,
        out,
        reuse_io,
        read_shape(shape, "--shape"),
        lambda found: console.print(core_line(found)),
    )
    console.print(compiled_table(done))
    console.print(
        f"Program in [bold]{out}[/]: {', '.join(n for n in done.program.files if n.endswith(('.c', '.h')))}"
    )


@app.command(epilog="Examples:\n\npintsize bench out/\n\npintsize bench kws.tflite --core m0")
def bench(
    model: Annotated[
        str, typer.Argument(help="A folder of pintsize, or a .tflite or .onnx file of integers.")
    ],
    core: Annotated[
        str | None, typer.Option(help="Such as m4; else the one the folder was written for.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Whose clock and current the estimates take.")] = None,
    reuse_io: Annotated[
        bool | None,
        typer.Option("--reuse-io/--own-io", help="Where input and output live.", show_default=False),
    ] = None,
    shape: FileShapeOption = None,
) -> None:
    """Count one run on a core, layer by layer; estimate cycles, time and energy; draw the memory plan."""
    import pintsize
    from pintsize.model_argument import read_shape
    from pintsize.terminal import bench_tables

    console.print(bench_tables(pintsize.bench(model, core, device, reuse_io, read_shape(shape, "--shape"))))


@app.command(epilog="Example: pintsize convert model.onnx model.tflite")
def convert(
    source: Annotated[str, typer.Argument(help="A .tflite or .onnx file, or a folder of pintsize.")],
    target: Annotated[str, typer.Argument(help="A name that ends in .tflite or .onnx, or a folder.")],
    shape: FileShapeOption = None,
) -> None:
    """Write a model in another format, run it in that format's own runtime, and say how far both agree."""
    import pintsize
    from pintsize.model_argument import read_shape
    from pintsize.terminal import conversion_lines

    console.print(conversion_lines(pintsize.convert(source, target, read_shape(shape, "--shape"))))


@app.command()
def devices(
    name: Annotated[
        str | None, typer.Argument(help="Only this device, with all that is known of it.")
    ] = None,
) -> None:
    """List the devices: core, clock, memory, current, and whether their core can be emulated here."""
    from pintsize.devices import device as find
    from pintsize.terminal import device_details, devices_table

    console.print(devices_table(DEVICES.values()) if name is None else device_details(find(name)))


@app.command(epilog="Example: pintsize report out/")
def report(folder: Annotated[Path, typer.Argument(help="What `pintsize shrink` wrote.")]) -> None:
    """Print the table of a finished folder, and write its report.html anew."""
    from pintsize.artifact import read_report
    from pintsize.folder import write_file
    from pintsize.report.page import html
    from pintsize.report.text import table

    data = read_report(folder)
    write_file(folder / "report.html", html(data).encode())
    console.print(table(data))
    console.print(f"Page: {folder / 'report.html'}")


def main() -> None:
    """The entry point: a user's mistake gives a message and exit code 2, never a traceback."""
    try:
        app()
    except PintsizeError as error:
        _say(error)
        raise SystemExit(USER_MISTAKE if isinstance(error, UserError) else FAILURE) from None
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        _say(missing)
        raise SystemExit(USER_MISTAKE) from None


def _say(error: PintsizeError) -> None:
    kind = "error" if isinstance(error, UserError) else "failed"
    errors.print(f"[bold red]{kind}:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
