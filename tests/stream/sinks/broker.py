"""A real MQTT broker, Debian's mosquitto, on this machine alone."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

TIMEOUT_S = 10.0
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"


def mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_PLACES)


class RunningBroker:
    """Starts, dies and returns when told, with what it retained and the sessions it keeps."""

    def __init__(self, folder: Path, password_file: Path | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        access = f"password_file {password_file}\n" if password_file else "allow_anonymous true\n"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n{access}persistence true\npersistence_location {folder}/\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = mosquitto()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until_s:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, "mosquitto ended at once"
                time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def stop(self) -> None:
        """As a broker that crashes: nobody is told."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(TIMEOUT_S)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Listener:
    """Who subscribes at a broker to everything, or to a topic. qualities: of service, of what was heard."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self.heard: Queue[tuple[str, bytes, bool]] = Queue()
        self.qualities: set[int] = set()
        ready: Queue[bool] = Queue()

        def on_connect(client: Client, *_: Any) -> None:
            client.subscribe(topic, qos=1)

        def on_message(client: Client, data: Any, message: MQTTMessage) -> None:
            self.qualities.add(message.qos)
            self.heard.put((message.topic, message.payload, message.retain))

        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = on_connect
        self._client.on_subscribe = lambda *_: ready.put(True)
        self._client.on_message = on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        ready.get(timeout=TIMEOUT_S)

    def until(self, topic: str, count: int = 1) -> list[bytes]:
        """The next `count` messages of a topic; what comes on others is left out."""
        found: list[bytes] = []
        while len(found) < count:
            try:
                heard, payload, _ = self.heard.get(timeout=TIMEOUT_S)
            except Empty:
                raise AssertionError(f"{len(found)} of {count} messages came on {topic}") from None
            if heard == topic:
                found.append(payload)
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
