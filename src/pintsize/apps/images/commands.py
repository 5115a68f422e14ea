"""`pintsize app images …`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pintsize.apps import offering
from pintsize.apps.options import (
    DataArgument,
    DeviceOption,
    EvidenceOption,
    JsonLinesOption,
    JsonOption,
    MqttOption,
    OnlineOption,
    OutboxOption,
    OutOption,
    WeightsOption,
)
from pintsize.apps.running import Session
from pintsize.apps.telling import console, table
from pintsize.errors import UserError

commands = typer.Typer(
    help="Pictures: pneumonia on a chest X-ray, blood cells, or classes of your own. A screening aid, not a diagnosis.",
    invoke_without_command=True,
)
ModelOption = Annotated[str, typer.Option(help="xray or cells; not needed with --weights.")]


@commands.callback(
    epilog="Examples:\n\npintsize app images --source chest.png\n\n"
    "pintsize app images --model cells --source smears/ --marked found/ --json counts.jsonl\n\n"
    "pintsize app train images my_pictures/ --out my_model/\n\n"
    "pintsize app images --weights my_model/ --source pic.jpg"
)
def run(
    context: typer.Context,
    source: Annotated[Path | None, typer.Option(help="A picture, or a folder of pictures.")] = None,
    model: ModelOption = "xray",
    marked: Annotated[
        Path | None, typer.Option(help="Folder for pictures with the cells that were found drawn in.")
    ] = None,
    json_lines: JsonLinesOption = None,
    mqtt: MqttOption = None,
    online: OnlineOption = False,
    outbox: OutboxOption = None,
    weights: WeightsOption = None,
) -> None:
    """Look at pictures: each answer with its confidence, or none with the reason. Offline."""
    if context.invoked_subcommand is not None:
        return
    if source is None:
        raise UserError("--source is missing: a picture or a folder of pictures")
    from pintsize.apps.images.application import ENTITIES, PLACE, Images

    session = Session(
        str(source), json_lines=json_lines, mqtt=mqtt, online=online, outbox=outbox, weights=weights
    )
    with session.guarded():
        looked = Images(model).look(source, session.sinks(PLACE, ENTITIES), session.options, marked)
    rows = [("pictures", str(len(looked.answers))), *((kind, str(n)) for kind, n in looked.kinds.items())]
    console.print(table("", "", rows))
    if model in ("xray", "cells") and weights is None:
        console.print("A screening aid, not a diagnosis.")


@commands.command(
    name="eval", epilog="Example: pintsize app images eval data/ --json metrics.json --page evidence.html"
)
def evaluate(data: DataArgument, json_file: JsonOption = None, page: EvidenceOption = None) -> None:
    """The metrics of the shipped models on pictures that no training saw."""
    from pintsize.apps.images.application import APPLICATION

    offering.evaluate(APPLICATION, data, json_file, page)


@commands.command(epilog="Example: pintsize app images build --model xray --device stm32h7a3 --out firmware/")
def build(
    model: ModelOption = "xray",
    device: DeviceOption = "stm32h7a3",
    out: OutOption = Path("out"),
    weights: WeightsOption = None,
) -> None:
    """A model with its gate as C: raw pixels in, decision out; proven on this computer and on the device's core."""
    from pintsize.apps.images.application import Images

    offering.build(Images(model), device, out, weights)
