"""A broker as a user writes it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from pintsize.errors import UserError
from pintsize.stream.sinks import Broker

_PORTS = {"mqtt": 1883, "mqtts": 8883}


def broker_of(url: str) -> Broker:
    """`mqtt://user:password@host:1883`, or mqtts for TLS. Raises UserError for anything else, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UserError(f"the broker's address cannot be read: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise UserError(
            "a broker is written mqtt://host, mqtt://user:password@host:1883 or mqtts://host (TLS)"
        )
    return Broker(
        parts.hostname,
        port or _PORTS[parts.scheme],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        tls=parts.scheme == "mqtts",
    )
