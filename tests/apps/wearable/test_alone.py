"""The wearable on a machine without torch and without a network, as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pintsize.apps.wearable.application import APPLICATION
from pintsize.apps.wearable.opening import open_worn
from pintsize.stream.privacy import no_sockets, run_without_network, why_not_isolated
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.wearable.making import MARCH_S, beats_at, pulse, resting, write_table

#: replays a table into a file; torch cannot be imported
PROGRAM = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "scipy", "sklearn", "ziglang", "bleak"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoTorch())
from pintsize import cli  # the whole command line imports too
from pintsize.apps.wearable.application import APPLICATION
from pintsize.apps.wearable.opening import open_worn
from pintsize.stream.sinks import JsonLinesSink
report = APPLICATION.run(open_worn(sys.argv[1]), [JsonLinesSink(sys.argv[2])])
assert "torch" not in sys.modules
print(report.run.run.steps)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seconds, rate_hz = 40, 50
    columns = [*resting(rate_hz, seconds), pulse(beats_at(66, seconds), seconds, rate_hz)]
    times = [f"{MARCH_S + number / rate_hz:.2f}" for number in range(seconds * rate_hz)]
    path = tmp_path_factory.mktemp("worn") / "worn.csv"
    return write_table(path, ["acc_x", "acc_y", "acc_z", "ppg"], list(times), columns)


def assert_a_rate_was_told(path: Path) -> None:
    told = [json.loads(line) for line in path.read_text().splitlines()]
    rates = [line["value"] for line in told if line["kind"] == "heart_rate" and line["value"]]
    assert rates
    assert all(60 <= rate <= 72 for rate in rates)


def test_without_torch_it_tells_the_rate(table: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(table), str(tmp_path / "told")]
    subprocess.run(command, check=True, capture_output=True)
    assert_a_rate_was_told(tmp_path / "told")


def test_a_whole_replay_opens_no_socket(table: Path, tmp_path: Path) -> None:
    with no_sockets():
        APPLICATION.run(open_worn(str(table)), [JsonLinesSink(tmp_path / "told")])
    assert_a_rate_was_told(tmp_path / "told")


def test_a_whole_replay_needs_no_network(table: Path, tmp_path: Path) -> None:
    reason = why_not_isolated()
    if reason:
        pytest.skip(reason)
    done = run_without_network([sys.executable, "-c", PROGRAM, str(table), str(tmp_path / "told")])
    assert done.returncode == 0, done.stderr
    assert_a_rate_was_told(tmp_path / "told")


@pytest.mark.parametrize(
    "module",
    [
        "pintsize.apps.wearable.application",
        "pintsize.apps.wearable.night",
        "pintsize.apps.wearable.evaluation",
    ],
)
def test_what_runs_on_the_device_leaves_torch_out(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not {"torch", "scipy", "sklearn", "bleak"} & set(done.stdout.split())
