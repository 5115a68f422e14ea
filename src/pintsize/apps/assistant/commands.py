"""`pintsize app assistant …`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pintsize.apps import offering
from pintsize.apps.options import (
    DataArgument,
    DeviceOption,
    EvidenceOption,
    FaultSeedOption,
    FaultsOption,
    JsonLinesOption,
    JsonOption,
    KeepOption,
    KeyOption,
    MqttOption,
    OnlineOption,
    OutboxOption,
    OutOption,
    ReportOption,
    WeightsOption,
)
from pintsize.apps.running import Session
from pintsize.errors import DataError, UserError

if TYPE_CHECKING:
    from pintsize.stream.sinks import Sink
    from pintsize.stream.source import Source

commands = typer.Typer(
    help="A voice assistant: wake words, digits, spoken and typed orders. Offline unless --online is given.",
    invoke_without_command=True,
)


@commands.callback(
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
    faults: FaultsOption = None,
    seed: FaultSeedOption = 0,
    wake_word: Annotated[
        bool, typer.Option("--wake-word/--no-wake-word", help="Without, every phrase is listened to.")
    ] = True,
    speak: Annotated[
        bool | None,
        typer.Option("--speak/--silent", help="Speak replies (espeak-ng). Else only with a microphone."),
    ] = None,
    json_lines: JsonLinesOption = None,
    report: ReportOption = None,
    mqtt: MqttOption = None,
    online: OnlineOption = False,
    outbox: OutboxOption = None,
    keep: KeepOption = None,
    key: KeyOption = None,
    weights: WeightsOption = None,
) -> None:  # fmt: skip
    """Listen, and do what is asked: each decision with its time, or None with the reason."""
    if context.invoked_subcommand is not None:
        return
    if (source is None) == (text is None):
        raise UserError("give either --source (microphone, a file, a folder) or --text")
    session = Session(
        source, faults, seed, json_lines, report, mqtt, online, outbox, keep, key, weights
    )  # fmt: skip
    with session.guarded():
        _understand(session, text, speak) if text is not None else _listen(session, wake_word, speak)


@commands.command(name="eval", epilog="Example: pintsize app assistant eval data/ --json metrics.json")
def evaluate(data: DataArgument, json_file: JsonOption = None, page: EvidenceOption = None) -> None:
    """The metrics of every piece on the parts of the data that no training saw."""
    from pintsize.apps.assistant.application import APPLICATION

    offering.evaluate(APPLICATION, data, json_file, page)


@commands.command(epilog="Example: pintsize app assistant build --device stm32h7a3 --out firmware/")
def build(
    device: DeviceOption = "stm32h7a3", out: OutOption = Path("out"), weights: WeightsOption = None
) -> None:
    """The same application as C: raw samples in, decisions out; proven on this computer and on the device's core."""
    from pintsize.apps.assistant.application import APPLICATION

    offering.build(APPLICATION, device, out, weights)


def _understand(session: Session, text: str, speak: bool | None) -> None:
    from pintsize.apps.assistant.application import APPLICATION

    APPLICATION.understand(text, _sinks(session, speak, ()), session.options)


def _listen(session: Session, wake_word: bool, speak: bool | None) -> None:
    from pintsize.apps.assistant import application as voice
    from pintsize.apps.assistant.listening import Listening

    pieces = voice.load_pieces(session.weights)
    sinks = _sinks(session, speak, pieces.wake.words)
    listening = Listening(always=not wake_word)
    session.run(
        _opened, lambda source, options: voice.APPLICATION.run(source, sinks, options, pieces, listening)
    )


def _sinks(session: Session, speak: bool | None, words: tuple[str, ...]) -> list[Sink]:
    from pintsize.apps.assistant.actions import PLACE, entities, reply
    from pintsize.stream.sinks import SpokenSink, can_speak

    sinks = session.sinks(PLACE, entities(words))
    if speak or (speak is None and session.live and can_speak()):
        sinks.append(SpokenSink(reply))
    return sinks


def _opened(text: str) -> Source:
    """The source as it is, so that its health can be judged. Clips of a folder that differ are made alike."""
    from pintsize.apps.assistant.pieces import RATE_HZ
    from pintsize.stream.sources import open_source
    from pintsize.stream.sources.options import SourceOptions

    try:
        return open_source(text)
    except DataError as error:
        if not Path(text).is_dir() or "all are converted" not in str(error):
            raise
        return open_source(text, SourceOptions(rate_hz=RATE_HZ, channels="mean", scale="real"))
