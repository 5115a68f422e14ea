"""`pintsize app …`: runs, evaluates, trains and builds the applications."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pintsize.apps import APPS, offering
from pintsize.apps.assistant.commands import commands as assistant
from pintsize.apps.ecg.commands import commands as ecg
from pintsize.apps.images.commands import commands as images
from pintsize.apps.options import OutOption
from pintsize.apps.wearable.commands import commands as wearable
from pintsize.errors import UserError

commands = typer.Typer(help="Applications that run on live signals, on this device.", no_args_is_help=True)
commands.add_typer(assistant, name="assistant")
commands.add_typer(ecg, name="ecg")
commands.add_typer(images, name="images")
commands.add_typer(wearable, name="wearable")


@commands.command(epilog="Example: pintsize app train assistant my_recordings/ --out my_assistant/")
def train(
    name: Annotated[str, typer.Argument(help="Which application: assistant or images.")],
    samples: Annotated[
        Path, typer.Argument(help="Folder of labelled samples: see the how-to of the application.")
    ],
    out: OutOption = Path("out"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Own models of an application from a folder of labelled samples, on this computer."""
    from pintsize.apps import application
    from pintsize.apps.application import Trained

    found = application(name)
    if not isinstance(found, Trained):
        able = ", ".join(other for other in APPS if isinstance(application(other), Trained))
        raise UserError(f"{name} has models of its own alone; {able} can be trained")
    offering.train(found, samples, out, seed)
