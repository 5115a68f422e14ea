"""What the commands of all applications let a user say, with the same names and the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataArgument = Annotated[Path, typer.Argument(help="Folder that holds the data sets.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write it there.")]
EvidenceOption = Annotated[
    Path | None,
    typer.Option("--page", help="Also write a page: intervals, risk against coverage, calibration."),
]
WeightsOption = Annotated[
    Path | None, typer.Option(help="Folder of your own models, as `pintsize app train` wrote it.")
]
OutOption = Annotated[Path, typer.Option(help="Folder for the results.")]
DeviceOption = Annotated[str, typer.Option(help="A device: see `pintsize devices`.")]

FaultsOption = Annotated[
    str | None, typer.Option(help="Put in on purpose: gap,nan,flatline,rate,stuck,clock,clip,duplicate or all.")
]  # fmt: skip
FaultSeedOption = Annotated[int, typer.Option("--seed", help="Of the faults.")]
JsonLinesOption = Annotated[Path | None, typer.Option("--json", help="Decisions, one JSON line each.")]
ReportOption = Annotated[Path | None, typer.Option(help="The run's report as JSON.")]
MqttOption = Annotated[str | None, typer.Option(help="Broker: mqtt://user:password@host:1883.")]
OnlineOption = Annotated[
    bool, typer.Option("--online/--offline", help="Allow decisions to leave this device.")
]
OutboxOption = Annotated[
    Path | None, typer.Option(help="Folder that keeps what a sink could not take, beyond this program's end.")
]
KeepOption = Annotated[Path | None, typer.Option(help="Folder for an encrypted recording of the signal.")]
KeyOption = Annotated[Path | None, typer.Option(help="Key file of --keep; made where there is none.")]
