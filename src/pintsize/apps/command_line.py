"""`pintsize app …`: runs, evaluates, trains and builds the applications."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pintsize.errors import UserError

commands = typer.Typer(help="Applications that run on live signals, on this device.", no_args_is_help=True)
assistant = typer.Typer(
    help="A voice assistant: wake words, digits, spoken and typed orders. Offline unless --online is given.",
    invoke_without_command=True,
)
commands.add_typer(assistant, name="assistant")
console = Console()

DataArgument = Annotated[Path, typer.Argument(help="Folder that holds the data sets.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write it there.")]
WeightsOption = Annotated[
    Path | None, typer.Option(help="Folder of your own models, as `pintsize app train` wrote it.")
]
OutOption = Annotated[Path, typer.Option(help="Folder for the results.")]


@assistant.callback(
    epilog="Examples:\n\npintsize app assistant --source microphone\n\n"
    "pintsize app assistant --source clip.wav --json heard.jsonl --faults gap,nan\n\n"
    "pintsize app assistant --text 'turn on the lights'\n\n"
    "pintsize app assistant --source microphone --mqtt mqtt://homeassistant.local --online"
)
def run(
    context: typer.Context,
    source: Annotated[
        str | None, typer.Option(help="microphone, a sound file, a folder of them, or - for raw int16.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A typed order, in place of --source.")] = None,
    faults: Annotated[
        str | None, typer.Option(help="Put in on purpose: gap,nan,flatline,rate,stuck,clock,clip,duplicate or all.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the faults.")] = 0,
    wake_word: Annotated[
        bool, typer.Option("--wake-word/--no-wake-word", help="Without, every phrase is listened to.")
    ] = True,
    speak: Annotated[
        bool | None,
        typer.Option("--speak/--silent", help="Speak replies (espeak-ng). Else only with a microphone."),
    ] = None,
    json_lines: Annotated[Path | None, typer.Option("--json", help="Decisions, one JSON line each.")] = None,
    report: Annotated[Path | None, typer.Option(help="The run's report as JSON.")] = None,
    mqtt: Annotated[str | None, typer.Option(help="Broker: mqtt://user:password@host:1883.")] = None,
    online: Annotated[
        bool, typer.Option("--online/--offline", help="Allow decisions to leave this device.")
    ] = False,
    outbox: Annotated[
        Path | None, typer.Option(help="Folder that keeps what a sink could not take, beyond this program's end.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for an encrypted recording of what was heard.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key file of --keep; made where there is none.")] = None,
    weights: WeightsOption = None,
) -> None:  # fmt: skip
    """Listen, and do what is asked: each decision with its time, or None with the reason."""
    if context.invoked_subcommand is not None:
        return
    from pintsize.apps.application import RunOptions
    from pintsize.apps.assistant import application as voice

    if (source is None) == (text is None):
        raise UserError("give either --source (microphone, a file, a folder) or --text")
    if (keep is None) != (key is None):
        raise UserError(
            "--keep needs --key, the file with the key that it is encrypted with, and --key needs --keep"
        )
    options = RunOptions(live=_is_live(source), offline=not online, outbox=outbox, weights=weights, said=_say)
    with _guarded(source, online):
        pieces = None if source is None else voice.load_pieces(weights)
        words = () if pieces is None else pieces.wake.words
        sinks = _sinks(speak, json_lines, mqtt, options.live, words)
        if pieces is None:
            voice.APPLICATION.understand(str(text), sinks, options)
            return
        told = _listen(str(source), faults, seed, sinks, options, pieces, wake_word, keep, key)
    if report is not None:
        _write(report, told.as_json())
    console.print(_summary(told))


@assistant.command(name="eval", epilog="Example: pintsize app assistant eval data/ --json metrics.json")
def evaluate(data: DataArgument, json_file: JsonOption = None) -> None:
    """The metrics of every piece on the parts of the data that no training saw."""
    from pintsize.apps.assistant.application import APPLICATION

    with console.status("evaluating") as status:
        found = APPLICATION.evaluate(data, lambda line: status.update(escape(line)))
    console.print(_table("metric", "value", [(name, f"{value:.6g}") for name, value in found.items()]))
    if json_file is not None:
        _write(json_file, json.dumps(dict(found), indent=1) + "\n")


@assistant.command(epilog="Example: pintsize app assistant build --device stm32h7a3 --out firmware/")
def build(
    device: Annotated[str, typer.Option(help="A device: see `pintsize devices`.")] = "stm32h7a3",
    out: OutOption = Path("out"),
    weights: WeightsOption = None,
) -> None:
    """The same application as C: raw samples in, decisions out; proven on this computer and on the device's core."""
    from pintsize.apps.assistant.application import APPLICATION

    with console.status("writing") as status:
        found = APPLICATION.build(device, out, weights, lambda line: status.update(escape(line)))
    console.print(_table("", "", [(name, f"{value:,.6g}") for name, value in found.items()]))
    console.print(f"Program in [bold]{escape(str(out))}[/]: see README.md in it")


@commands.command(epilog="Example: pintsize app train assistant my_recordings/ --out my_assistant/")
def train(
    name: Annotated[str, typer.Argument(help="Which application: assistant.")],
    clips: Annotated[
        Path, typer.Argument(help="Folder of labelled clips: see the how-to of the application.")
    ],
    out: OutOption = Path("out"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Own models of an application from a folder of labelled clips, on this computer."""
    from pintsize.apps import application

    with console.status("training") as status:

        def said(line: str) -> None:
            _say(line)
            status.update(escape(line))

        application(name).train(clips, out, seed, said)
    console.print(
        f"Models in [bold]{escape(str(out))}[/]: pintsize app {name} --weights {escape(str(out))} …"
    )


def _listen(
    source: str, faults: str | None, seed: int, sinks: Sequence[Any], options: Any, pieces: Any, wake_word: bool,
    keep: Path | None, key: Path | None,
) -> Any:  # fmt: skip
    from dataclasses import replace

    from pintsize.apps.assistant.application import APPLICATION
    from pintsize.apps.assistant.listening import Listening
    from pintsize.stream.faults import parse_faults
    from pintsize.stream.faulty import Faulty

    heard = _opened(source)
    try:
        if faults is not None:
            heard = Faulty(heard, parse_faults(faults), seed)
        recorder = None if keep is None or key is None else _recorder(keep, key, heard)
        options = replace(options, recorder=recorder)
        return APPLICATION.run(heard, sinks, options, pieces, Listening(always=not wake_word))
    finally:
        heard.close()


def _opened(text: str) -> Any:
    """The source as it is, so that its health can be judged. Clips of a folder that differ are made alike."""
    from pintsize.apps.assistant.pieces import RATE_HZ
    from pintsize.errors import DataError
    from pintsize.stream.sources import open_source
    from pintsize.stream.sources.options import SourceOptions

    try:
        return open_source(text)
    except DataError as error:
        if not Path(text).is_dir() or "all are converted" not in str(error):
            raise
        return open_source(text, SourceOptions(rate_hz=RATE_HZ, channels="mean", scale="real"))


def _sinks(
    speak: bool | None, json_lines: Path | None, mqtt: str | None, live: bool, words: Sequence[str]
) -> list[Any]:
    from pintsize.apps.assistant.actions import reply
    from pintsize.stream.sinks import ConsoleSink, JsonLinesSink, SpokenSink, can_speak

    sinks: list[Any] = [ConsoleSink(console)]
    if json_lines is not None:
        sinks.append(JsonLinesSink(json_lines))
    if speak or (speak is None and live and can_speak()):
        sinks.append(SpokenSink(reply))
    if mqtt is not None:
        sinks.append(_mqtt_sink(mqtt, words))
    return sinks


def _mqtt_sink(url: str, words: Sequence[str]) -> Any:
    from pintsize.apps.assistant.actions import PLACE, entities
    from pintsize.apps.brokers import broker_of
    from pintsize.stream.sinks import MqttSink

    return MqttSink(broker_of(url), PLACE, entities(words))


def _recorder(folder: Path, key: Path, source: Any) -> Any:
    """A new file in the folder: none is overwritten."""
    from pintsize.errors import OutputError
    from pintsize.stream.recording import Recorder, make_key, read_key

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
    if not key.exists():
        make_key(key)
        _say(f"made the key {key}: without it no recording can be read")
    number = 1
    while (path := folder / f"recording-{number:04d}.pintsize").exists():
        number += 1
    return Recorder(path, read_key(key), source)


def _is_live(source: str | None) -> bool:
    """Whether the source goes on whether we keep up or not."""
    return source is not None and source.partition(":")[0] in ("microphone", "mqtt", "mqtts")


@contextmanager
def _guarded(source: str | None, online: bool) -> Iterator[None]:
    """Offline no socket of this program's passes, whatever is tried; a source over the network is the user's word."""
    from pintsize.stream.privacy import no_sockets

    networked = source is not None and source.partition(":")[0] in ("mqtt", "mqtts")
    with nullcontext() if online or networked else no_sockets():
        yield


def _summary(told: Any) -> Table:
    run, clock = told.run.run, told.run.wall_clock
    rows = [
        ("signal", f"{run.signal_s:.1f} s, {run.steps} steps, ended: {run.ended}"),
        ("decisions", ", ".join(f"{count} {kind}" for kind, count in run.decisions.items()) or "none"),
        ("faults", ", ".join(f"{count} {kind}" for kind, count in run.faults.items()) or "none"),
        ("dropped samples", str(run.dropped_samples)),
        ("a step, measured", _latency(clock.step, run.deadline_ms, clock.missed_deadlines)),
        ("energy", _energy(run.energy)),
    ]
    for stage, latency in zip(told.stages, told.times, strict=True):
        if stage.runs:
            rows.append((stage.name, f"{stage.runs} times, {_latency(latency)}, {_energy(stage.energy)}"))
    return _table("", "", rows)


def _latency(latency: Any, deadline_ms: float | None = None, missed: int = 0) -> str:
    if not latency.count:
        return "none"
    told = f"p50 {latency.p50_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms"
    return told if deadline_ms is None else f"{told}, {missed} missed the deadline of {deadline_ms:g} ms"


def _energy(energy: Any) -> str:
    return (
        energy.how if energy.mj_per_hour is None else f"{energy.mj_per_hour:,.0f} mJ an hour ({energy.how})"
    )


def _table(first: str, second: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(first, second, show_header=bool(first))
    for name, value in rows:
        table.add_row(escape(name), escape(value))
    return table


def _write(path: Path, text: str) -> None:
    from pintsize.folder import write_file

    write_file(path, text.encode())


def _say(line: str) -> None:
    console.print(escape(line), style="dim", soft_wrap=True)
