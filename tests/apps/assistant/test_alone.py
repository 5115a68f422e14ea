"""The assistant on a machine without torch and without a network, as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.assistant.application import APPLICATION
from pintsize.apps.assistant.pieces import Pieces
from pintsize.stream.privacy import no_sockets, run_without_network, why_not_isolated
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.assistant.playing import Sound
from tests.apps.assistant.tones import said

SESSION = (1.0, "computer", 0.4, "digit", 1.5, "lamp", 0.5, "order", 1.5)
#: plays the session with the artifact of a folder into a file; torch cannot be imported
PROGRAM = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "scipy", "sklearn", "ziglang"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoTorch())
from pintsize import cli  # the whole command line imports too
from pintsize.apps.application import RunOptions
from pintsize.apps.assistant.application import APPLICATION
from pintsize.stream.artifact import load
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.assistant.playing import Sound
from tests.apps.assistant.tones import said, tone_pieces
pieces = tone_pieces(load(sys.argv[1]))
report = APPLICATION.run(Sound(said(*eval(sys.argv[3]))), [JsonLinesSink(sys.argv[2])], RunOptions(), pieces)
assert "torch" not in sys.modules
print(report.run.run.steps)
"""
KINDS = ["detected", "digit", "detected", "order", "action"]


def kinds_in(path: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()]


def test_without_torch_it_hears_the_same(tone_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tone_folder), str(tmp_path / "heard"), repr(SESSION)]
    subprocess.run(command, check=True, capture_output=True)
    assert kinds_in(tmp_path / "heard") == KINDS


def test_a_whole_replay_opens_no_socket(tones: Pieces, tmp_path: Path) -> None:
    with no_sockets():
        APPLICATION.run(Sound(said(*SESSION)), [JsonLinesSink(tmp_path / "heard")], RunOptions(), tones)
    assert kinds_in(tmp_path / "heard") == KINDS


def test_a_whole_replay_needs_no_network(tone_folder: Path, tmp_path: Path) -> None:
    reason = why_not_isolated()
    if reason:
        pytest.skip(reason)
    command = [sys.executable, "-c", PROGRAM, str(tone_folder), str(tmp_path / "heard"), repr(SESSION)]
    done = run_without_network(command)
    assert done.returncode == 0, done.stderr
    assert kinds_in(tmp_path / "heard") == KINDS


@pytest.mark.parametrize(
    "module", ["pintsize.apps", "pintsize.apps.assistant.application", "pintsize.apps.assistant.pieces"]
)
def test_what_runs_on_the_device_leaves_torch_out(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not {"torch", "scipy", "sklearn"} & set(done.stdout.split())
