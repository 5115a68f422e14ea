"""Divides clips by a hash of what names their origin, so that a division needs no list and never changes."""

from __future__ import annotations

import hashlib


def share_of(name: str, salt: str = "") -> float:
    """A number in [0, 1) that is the name's own: the same on every computer, even over names."""
    digest = hashlib.sha256(f"{salt}\0{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)
