"""Applications on the streaming runtime: each is one folder of data, models, decisions, card and evaluation."""

from __future__ import annotations

from importlib import import_module

from pintsize.apps.application import Offered
from pintsize.errors import UserError

#: name → the module whose APPLICATION it is; loaded when it is asked for
APPS = {
    "assistant": "pintsize.apps.assistant.application",
    "ecg": "pintsize.apps.ecg.application",
    "images": "pintsize.apps.images.application",
    "wearable": "pintsize.apps.wearable.application",
}


def application(name: str) -> Offered:
    """The application of that name. Raises UserError for another one."""
    if name not in APPS:
        raise UserError(f"{name!r} is no application; there are {', '.join(APPS)}")
    return import_module(APPS[name]).APPLICATION
