"""Typed or recognised text → intent and slots, or that it is out of scope. Needs numpy and wasmtime alone."""

from __future__ import annotations

from pintsize.apps.assistant.text.actions import Action, action_of
from pintsize.apps.assistant.text.understanding import Understanding

__all__ = ["Action", "Understanding", "action_of"]
