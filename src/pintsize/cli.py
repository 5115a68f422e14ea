"""The command line: every command is a few lines over the public API."""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from pintsize.apps.command_line import commands as applications
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
app.add_typer(applications, name="app")
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
    "--flash 32kB --ram 16kB --max-drop 1% --out out/\n\n"
    "pintsize shrink --teacher big.pt2 --student small.py:make_net --data clips/ --unlabelled more/ --out out/"
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
    activation_bits: Annotated[
        str, typer.Option(help="8, 16, or auto: 16 only where no network of 8 holds the accuracy.")
    ] = "auto",
    teacher: Annotated[
        str | None,
        typer.Option(help="A trained model to learn from, named like MODEL, which is then its student."),
    ] = None,
    teacher_weights: Annotated[Path | None, typer.Option(help="State dict of the teacher (.pt).")] = None,
    student: Annotated[
        str | None, typer.Option(help="Another way to name MODEL, beside --teacher; it may be untrained.")
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="More samples, without labels: .npz (x) or a folder of files.")
    ] = None,
    freeze: Annotated[
        list[str] | None,
        typer.Option(help="A layer that keeps its weights and width; may be given several times."),
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option(help="Write every epoch for TensorBoard into this folder.")
    ] = None,
    front: Annotated[
        bool,
        typer.Option("--front", help="The whole trade-off: a dozen models from tiny to best, in OUT/front."),
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Find the smallest model within a budget; write it as a C program; prove it on emulated cores."""
    from pintsize.terminal import LiveWatcher

    budget = Budget(flash, ram, latency, energy, max_drop)
    options = {"device": device, "budget": budget, "out": out, "effort": effort, "goal": goal, "seed": seed,
               "layer_bits": _layer_bits(layer_bits or []), "activation_bits": _activation_bits(activation_bits),
               "front": front}  # fmt: skip
    if student is not None and model is not None:
        raise UserError(f"--student {student} and {model} are both the model to shrink: give one of them")
    try:
        with LiveWatcher(console) as watcher, _epochs_told(log_dir) as on_epoch:
            options["teaching"] = _teaching(teacher, teacher_weights, unlabelled, freeze or [], on_epoch)
            report = _shrink(
                model or student, weights, data, test, embedded, watcher.step, watcher=watcher, **options
            )
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    from pintsize.report.text import table

    console.print(table(report.data))
    console.print(f"Results in [bold]{out}[/]: open {out / 'report.html'}")


@contextmanager
def _epochs_told(folder: Path | None) -> Iterator[Any]:
    """What hears of every epoch: TensorBoard's files, or nothing."""
    if folder is None:
        yield None
        return
    from pintsize.compress.tensorboard import TensorBoard

    with TensorBoard(folder) as board:
        yield board


def _teaching(
    teacher: str | None, weights: Path | None, unlabelled: Path | None, frozen: list[str], on_epoch: Any
) -> Any:
    from pintsize.model_argument import load_model
    from pintsize.teaching import Teaching

    if teacher is None and weights is not None:
        raise UserError("--teacher-weights goes with --teacher model.py:function")
    model = None if teacher is None else load_model(teacher, weights)
    return Teaching(model, unlabelled, tuple(frozen), on_epoch=on_epoch)


def _activation_bits(given: str) -> int | str:
    if given not in ("8", "16", "auto"):
        raise UserError(f"--activation-bits {given!r} cannot be read: it may be 8, 16 or auto")
    return given if given == "auto" else int(given)


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


@app.command(
    epilog="Examples:\n\npintsize quantize model.py:make_net --weights net.pt --samples x.npz --device stm32l4r5\n\n"
    "pintsize quantize model.onnx --samples pictures/ --device nrf52840 --flash 64kB --out out/"
)
def quantize(
    model: Annotated[
        str, typer.Argument(help="model.py:function, or a .pt2, .onnx or .tflite file of real numbers.")
    ],
    weights: WeightsOption = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="32 to 512 samples: .npz (x, perhaps y) or a folder. None: made from batch norms."),
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Data to report on.")] = None,
    device: DeviceOption = "stm32l4r5",
    flash: FlashOption = None,
    ram: RamOption = None,
    max_drop: DropOption = None,
    bits: Annotated[
        str, typer.Option(help="Of the weights: 8, 4, 2, or auto for each layer its own.")
    ] = "auto",
    activation_bits: Annotated[int, typer.Option(help="8, or 16 where 8 lose too much.")] = 8,
    sample_shape: ShapeOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    goal: Annotated[
        str | None,
        typer.Option(help="classes, or values for outputs that are no classes; guessed when not given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Quantize a trained model without training it, from a few samples; write and prove it as a C program."""
    import pintsize
    from pintsize.assemble import Provenance
    from pintsize.model_argument import load_model, read_shape
    from pintsize.report.text import table
    from pintsize.terminal import LiveWatcher

    if bits not in ("8", "4", "2", "auto"):
        raise UserError(f"--bits may be 8, 4, 2 or auto, not {bits}")
    options: dict[str, Any] = {
        "bits": "auto" if bits == "auto" else int(bits), "activation_bits": activation_bits, "goal": goal,
    }  # fmt: skip
    source = Provenance(
        shlex.join(["pintsize", *sys.argv[1:]]), model, samples.name if samples else "no samples"
    )
    try:
        with LiveWatcher(console) as watcher:
            report = pintsize.quantize(
                load_model(model, weights), samples, device=device, budget=Budget(flash, ram, None, None, max_drop),
                test=test, out=out, seed=seed, sample_shape=read_shape(sample_shape), watcher=watcher,
                provenance=source, **options,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    console.print(table(report.data))
    console.print(f"Results in [bold]{out}[/]: open {out / 'report.html'}")


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
    "pintsize compile model.onnx --device nrf52840 --reuse-io --out out/\n\n"
    "pintsize compile wake_word.tflite --device nrf52840 --stream 2 --rate-hz 100 --out out/",
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
    spare_flash: Annotated[
        str | None,
        typer.Option(help="Flash that may be spent on speed, such as 16kB: weights are stored wider."),
    ] = None,
    shape: FileShapeOption = None,
    stream: Annotated[
        int | None,
        typer.Option(help="Take so many new samples (or frames) of a signal a run and remember the rest."),
    ] = None,
    carry: Annotated[
        bool,
        typer.Option("--carry", help="With --stream: no window's edge; padding and recurrent layers go on."),
    ] = False,
    rate_hz: Annotated[
        float | None, typer.Option(help="With --stream: samples (or frames) a second, for the saving.")
    ] = None,
) -> None:
    """Write an integer model as a C program for a device; prove every integer on its emulated core; measure it."""
    import pintsize
    from pintsize.model_argument import read_shape
    from pintsize.terminal import compiled_table, core_line, stream_lines

    done = pintsize.compile_model(
        model,
        device,
        out,
        reuse_io,
        read_shape(shape, "--shape"),
        lambda found: console.print(core_line(found)),
        spare_flash,
        stream,
        carry,
    )
    console.print(compiled_table(done))
    if done.stream:
        console.print(stream_lines(done.stream, rate_hz))
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


@app.command(
    epilog="Examples:\n\npintsize explain out/\n\npintsize explain out/ --data recorded-on-the-device.npz"
)
def explain(
    folder: Annotated[Path, typer.Argument(help="What `pintsize shrink` wrote.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Other samples to judge by, as for shrink; of split data the test part."),
    ] = None,
) -> None:
    """Where the accuracy went, layer by layer: each cause put right and measured, with the option that fixes it."""
    import pintsize
    from pintsize.artifact import read_report
    from pintsize.explaining import explanation_file
    from pintsize.folder import EXPLANATION, write_file
    from pintsize.report.loss_text import loss_table
    from pintsize.report.page import html
    from pintsize.terminal import LiveWatcher

    with LiveWatcher(console) as watcher:
        found = pintsize.explain(folder, data, watcher)
    console.print(loss_table(found.as_data()))
    write_file(folder / EXPLANATION, explanation_file(found))
    write_file(folder / "report.html", html(read_report(folder)).encode())
    console.print(f"Also in {folder / 'report.html'} and {folder / EXPLANATION}")


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
    finally:
        gc.freeze()  # the process ends: to look through all of torch for garbage would take half a second


def _say(error: PintsizeError) -> None:
    kind = "error" if isinstance(error, UserError) else "failed"
    errors.print(f"[bold red]{kind}:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
