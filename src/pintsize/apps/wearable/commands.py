"""`pintsize app wearable …`"""

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
from pintsize.apps.running import Session, write
from pintsize.errors import UserError

if TYPE_CHECKING:
    from pintsize.apps.application import RunOptions
    from pintsize.apps.stages import AppReport
    from pintsize.apps.wearable.day import Day
    from pintsize.apps.wearable.night import Slept
    from pintsize.apps.wearable.wearer import Wearer
    from pintsize.stream.source import Source

commands = typer.Typer(
    help="Heart rate, activity and sleep of a day. Not a medical device. Offline unless --online is given.",
    invoke_without_command=True,
)


@commands.callback(
    epilog="Examples:\n\npintsize app wearable --source day.csv --page day.html --timezone Europe/Berlin\n\n"
    "pintsize app wearable --source ble:AA:BB:CC:DD:EE:FF --rests --json heart.jsonl\n\n"
    "pintsize app wearable --source day.csv --faults gap,nan\n\n"
    "pintsize app wearable --sleep night.npz --page night.html"
)
def run(
    context: typer.Context,
    source: Annotated[
        str | None, typer.Option(help="A table, an .npz, a record, a .ble session, ble:AA:BB:CC:DD:EE:FF.")
    ] = None,
    sleep: Annotated[
        Path | None, typer.Option(help="Features of a night, .npz or .csv: see the how-to.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the day as a page.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the page: Europe/Berlin. Else UTC.")] = None,
    age: Annotated[int | None, typer.Option(help="Of the person, for the zones.")] = None,
    highest: Annotated[float | None, typer.Option(help="Highest heart rate, for the zones; in place of --age.")] = None,
    high: Annotated[float, typer.Option(help="Alert above, at rest, beats per minute.")] = 120.0,
    low: Annotated[float, typer.Option(help="Alert below, beats per minute.")] = 40.0,
    hold: Annotated[float, typer.Option(help="Seconds before a rate is an alert.")] = 60.0,
    rests: Annotated[bool, typer.Option("--rests", help="The person rests: no accelerometer tells it.")] = False,
    faults: FaultsOption = None,
    seed: FaultSeedOption = 0,
    json_lines: JsonLinesOption = None,
    report: ReportOption = None,
    mqtt: MqttOption = None,
    online: OnlineOption = False,
    outbox: OutboxOption = None,
    keep: KeepOption = None,
    key: KeyOption = None,
    weights: WeightsOption = None,
) -> None:  # fmt: skip
    """Tell heart rate, activity and sleep as they come: each with its time, or None with the reason."""
    if context.invoked_subcommand is not None:
        return
    from pintsize.apps.wearable.alerts import AlertRule
    from pintsize.apps.wearable.opening import clock_of
    from pintsize.apps.wearable.wearer import Wearer
    from pintsize.apps.wearable.zones import zones_of

    if source is None and sleep is None:
        raise UserError("give --source (a table, ble:…), --sleep (features of a night), or both")
    session = Session(
        source, faults, seed, json_lines, report, mqtt, online, outbox, keep, key, weights
    )  # fmt: skip
    wearer = Wearer(zones_of(age, highest), AlertRule(high, low, hold_s=hold), rests)
    clock = clock_of(source or str(sleep), timezone)
    with session.guarded():
        slept = None if sleep is None else _night(session, sleep)
        day = _day_of_night(str(sleep)) if source is None else _worn(session, wearer, slept)
    if slept is not None:
        day.sleep = list(slept.spans)
    if page is not None:
        from pintsize.apps.wearable.page import day_page

        write(page, day_page(day, clock, slept))


@commands.command(name="eval", epilog="Example: pintsize app wearable eval data/ --json metrics.json")
def evaluate(data: DataArgument, json_file: JsonOption = None, page: EvidenceOption = None) -> None:
    """The metrics of every piece on people that no training saw."""
    from pintsize.apps.wearable.application import APPLICATION

    offering.evaluate(APPLICATION, data, json_file, page)


@commands.command(epilog="Example: pintsize app wearable build --device nrf52840 --out firmware/")
def build(
    device: DeviceOption = "nrf52840", out: OutOption = Path("out"), weights: WeightsOption = None
) -> None:
    """The same application as C: raw samples in, decisions out; proven on this computer and on the device's core."""
    from pintsize.apps.wearable.application import APPLICATION

    offering.build(APPLICATION, device, out, weights)


def _worn(session: Session, wearer: Wearer, slept: Slept | None) -> Day:
    """Runs on the source, and gives the day; the night before it is told first."""
    from pintsize.apps.wearable.application import APPLICATION, ENTITIES, NOTICE, PLACE
    from pintsize.apps.wearable.night import decisions
    from pintsize.apps.wearable.opening import open_worn

    session.options.said(NOTICE)
    sinks = session.sinks(PLACE, ENTITIES)
    night = [] if slept is None else decisions(slept)
    days: list[Day] = []

    def ran(source: Source, options: RunOptions) -> AppReport:
        told, day = APPLICATION.run_day(source, sinks, options, wearer, night)
        days.append(day)
        return told

    session.run(open_worn, ran)
    return days[0]


def _night(session: Session, path: Path) -> Slept:
    """The stages of a night; the sinks are told of them here unless a source follows."""
    from pintsize.apps.wearable.application import ENTITIES, NOTICE, PLACE
    from pintsize.apps.wearable.night import decisions, sleep_of
    from pintsize.stream.sinks import Keeping, Outbox, refuse_leaving

    slept = sleep_of(path, session.weights)
    if session.source is not None:
        return slept
    session.options.said(NOTICE)
    sinks = session.sinks(PLACE, ENTITIES)
    refuse_leaving(tuple(sinks), session.options.offline)
    outboxes = [Outbox(sink, Keeping(folder=session.outbox), session.options.said) for sink in sinks]
    for decision in decisions(slept):
        for outbox in outboxes:
            outbox.put(decision)
    for outbox in outboxes:
        outbox.close()
    return slept


def _day_of_night(name: str) -> Day:
    from pintsize.apps.wearable.day import Day

    return Day(name)
