"""`pintsize app ecg …`"""

from __future__ import annotations

from dataclasses import dataclass, field
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
from pintsize.apps.telling import console, say
from pintsize.errors import UserError

if TYPE_CHECKING:
    from pintsize.apps.application import RunOptions
    from pintsize.apps.ecg.study import Study
    from pintsize.apps.stages import AppReport
    from pintsize.stream.sinks import Sink
    from pintsize.stream.source import Source

commands = typer.Typer(
    help="Beats, rhythm and triage of an ECG of one lead. A screening aid, not a diagnosis.",
    invoke_without_command=True,
)


@commands.callback(
    epilog="Examples:\n\npintsize app ecg --source record.npz --page report.html\n\n"
    "pintsize app ecg --source record.csv --source-rate-hz 250 --unit uV --lead II\n\n"
    "pintsize app ecg --source record.dat --json decisions.jsonl --fhir observation.json"
)
def run(
    context: typer.Context,
    source: Annotated[
        str | None,
        typer.Option(help="A file (.npz .csv .edf .dat …), a folder of them, mqtt://…, or - for raw int16."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Of the values: V, mV or uV. Else what the file says.")
    ] = None,
    counts_per_mv: Annotated[
        float | None, typer.Option(help="In place of --unit: counts of the converter that are 1 mV.")
    ] = None,
    lead: Annotated[
        str | None, typer.Option(help="Name or number of the lead (column, array). Else the first.")
    ] = None,
    source_rate_hz: Annotated[
        float | None, typer.Option(help="Samples a second, where the source does not say it.")
    ] = None,
    beats: Annotated[bool, typer.Option("--beats/--no-beats", help="Show every beat, not the findings alone.")] = False,
    page: Annotated[Path | None, typer.Option(help="A report on one page, with strips, to print.")] = None,
    fhir: Annotated[Path | None, typer.Option(help="FHIR R4 Observations as JSON.")] = None,
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
    """Read an ECG: each beat within a second, what the rhythm shows, and what should be done. Offline."""
    if context.invoked_subcommand is not None:
        return
    if source is None:
        raise UserError(
            "--source is missing: an ECG, such as record.npz, record.csv, record.edf or record.dat"
        )
    session = Session(source, faults, seed, json_lines, report, mqtt, online, outbox, keep, key, weights)
    wanted = Wanted(unit, counts_per_mv, lead, source_rate_hz, beats, page, fhir)
    if page is not None:
        from pintsize.report.drawing import require_drawing

        require_drawing()
    with session.guarded():
        wanted.run(session)


@commands.command(
    name="eval", epilog="Example: pintsize app ecg eval data/ --json metrics.json --page evidence.html"
)
def evaluate(data: DataArgument, json_file: JsonOption = None, page: EvidenceOption = None) -> None:
    """The metrics of beats, classes, rhythm and triage on patients that no training saw."""
    from pintsize.apps.ecg.application import APPLICATION

    offering.evaluate(APPLICATION, data, json_file, page)


@commands.command(epilog="Example: pintsize app ecg build --device nrf52840 --rate-hz 250 --out firmware/")
def build(
    device: DeviceOption = "nrf52840",
    out: OutOption = Path("out"),
    weights: WeightsOption = None,
    rate_hz: Annotated[
        int, typer.Option(help="Of the raw samples; what is not 180 is converted in C.")
    ] = 180,
) -> None:
    """The same application as C: raw samples in, decisions out; proven on this computer and on the device's core."""
    from pintsize.apps.ecg.application import PortableEcg

    offering.build(PortableEcg(rate_hz), device, out, weights)


@dataclass(frozen=True)
class Wanted:
    """What the options of this application say; told: what is known of the source's unit."""

    unit: str | None
    counts_per_mv: float | None
    lead: str | None
    source_rate_hz: float | None
    beats: bool
    page: Path | None
    fhir: Path | None
    told: list[str] = field(default_factory=list[str])

    def run(self, session: Session) -> None:
        """Reads the source, shows what is to be done, and writes the page and the observations."""
        from pintsize.apps.ecg.application import APPLICATION
        from pintsize.apps.ecg.telling import ENTITIES, PLACE, Shown, verdict

        sinks: list[Sink] = session.sinks(PLACE, ENTITIES)
        if not self.beats:
            sinks[0] = Shown(sinks[0])
        studies: list[Study] = []

        def studied(source: Source, options: RunOptions) -> AppReport:
            told, study = APPLICATION.studied(
                source, sinks, options, keep=self.page is not None or self.fhir is not None
            )
            studies.append(study)
            return told

        session.run(self._opened, studied)
        console.print(verdict(studies[-1]))
        self._write(studies[-1], str(session.source))

    def _opened(self, text: str) -> Source:
        from pintsize.apps.ecg.units import opened

        source, told = opened(text, self.unit, self.counts_per_mv, self.lead, self.source_rate_hz)
        self.told.append(told)
        say(told)
        return source

    def _write(self, study: Study, name: str) -> None:
        from pintsize.apps.ecg.fhir import as_json
        from pintsize.apps.ecg.page import study_page

        short = Path(name).name or name
        if self.page is not None:
            write(self.page, study_page(study, short, self.told))
        if self.fhir is not None:
            write(self.fhir, as_json(study, short))
