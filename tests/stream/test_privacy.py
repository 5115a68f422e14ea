from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pintsize.errors import PrivacyError, ToolError
from pintsize.stream.artifact import load
from pintsize.stream.decision import Decision
from pintsize.stream.privacy import no_sockets, run_without_network, why_not_isolated
from pintsize.stream.run import run
from pintsize.stream.settings import Settings
from pintsize.stream.sinks import Broker, CallbackSink, JsonLinesSink, Keeping, MqttSink, Place
from tests.stream.scripted import Scripted, blocks_of, wave
from tests.stream.test_run import Everything
from tests.stream.tiny_artifact import write_tiny

CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 5)"


@pytest.fixture
def isolation() -> None:
    reason = why_not_isolated()
    if reason:
        pytest.skip(reason)


def test_a_socket_fails_and_is_named() -> None:
    with pytest.raises(PrivacyError, match=r"socket\.__new__"), no_sockets():
        socket.socket()


def test_looking_up_an_address_fails() -> None:
    with pytest.raises(PrivacyError, match=r"getaddrinfo.*example"), no_sockets():
        socket.getaddrinfo("example.invalid", 80)


def test_a_socket_that_was_there_before_cannot_be_used() -> None:
    old = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with old, pytest.raises(PrivacyError, match="sendto"), no_sockets():
        old.sendto(b"what was heard", ("127.0.0.1", 9))


def test_one_that_was_swallowed_or_in_another_thread_is_told_at_the_end() -> None:
    def swallows() -> None:
        with suppress(PrivacyError):
            socket.socket()

    def runs_in_a_thread() -> None:
        with no_sockets():
            thread = threading.Thread(target=swallows)
            thread.start()
            thread.join()

    with pytest.raises(PrivacyError, match="sockets were tried"):
        runs_in_a_thread()


def test_afterwards_sockets_work_again_and_nothing_is_left() -> None:
    with no_sockets(), no_sockets():
        pass
    with no_sockets():
        Path(__file__).read_bytes()
    with socket.socket() as one:
        assert one.fileno() >= 0


def test_a_whole_run_opens_no_socket(tmp_path: Path) -> None:
    artifact = load(write_tiny(tmp_path))
    with no_sockets():
        report = run(Scripted(blocks_of(wave(2))), artifact, Everything(), [JsonLinesSink(tmp_path / "out")])
    assert report.run.steps == 50


def test_the_hook_catches_a_sink_that_breaks_its_word(tmp_path: Path) -> None:
    def phones_home(decision: Decision) -> None:
        socket.create_connection(("127.0.0.1", 9), 1)

    artifact, liar = load(write_tiny(tmp_path)), CallbackSink(phones_home, leaves_device=False)
    with pytest.raises(PrivacyError), no_sockets():
        run(Scripted(blocks_of(wave(1))), artifact, Everything(), [liar])


def test_the_hook_catches_mqtt_even_where_it_was_allowed(tmp_path: Path) -> None:
    sink = MqttSink(Broker("127.0.0.1", 9, timeout_s=1), Place("here"))
    settings = Settings(offline=False, keeping=Keeping(patience_s=0.2))
    artifact = load(write_tiny(tmp_path))
    with pytest.raises(PrivacyError), no_sockets():
        run(Scripted(blocks_of(wave(1))), artifact, Everything(), [sink], settings)


@pytest.mark.usefixtures("isolation")
def test_without_a_network_not_even_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", CONNECT.format(port=server.getsockname()[1])]
        done = run_without_network(command, 30)
    assert done.returncode == 1
    assert "OSError" in done.stderr or "Network is unreachable" in done.stderr


@pytest.mark.usefixtures("isolation")
def test_what_needs_no_network_runs_without_one() -> None:
    done = run_without_network([sys.executable, "-c", "print(6 * 7)"], 30)
    assert (done.returncode, done.stdout) == (0, "42\n")


@pytest.mark.usefixtures("isolation")
def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(ToolError, match=r"within 0\.2 s"):
        run_without_network(["sleep", "20"], 0.2)


def test_where_it_is_not_possible_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pintsize.stream.privacy._way", lambda: "no namespaces")
    with pytest.raises(ToolError, match="no namespaces"):
        run_without_network(["true"])
