"""The ECG on a machine without torch and without a network, as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.ecg.application import APPLICATION
from pintsize.apps.ecg.pieces import Pieces
from pintsize.stream.privacy import no_sockets, run_without_network, why_not_isolated
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.ecg.hearts import counts, heart, steady
from tests.apps.ecg.playing import Leads

#: plays a minute with the artifacts of two folders into a file; torch cannot be imported
PROGRAM = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "scipy", "sklearn", "ziglang"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoTorch())
from pathlib import Path
from pintsize import cli  # the whole command line imports too
from pintsize.apps.application import RunOptions
from pintsize.apps.ecg.application import APPLICATION
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.ecg.hearts import counts, drawn_pieces, heart, steady
from tests.apps.ecg.playing import Leads
pieces = drawn_pieces(Path(sys.argv[1]), Path(sys.argv[2]))
APPLICATION.run(Leads(counts(heart(steady(20)))), [JsonLinesSink(sys.argv[3])], RunOptions(), pieces)
assert "torch" not in sys.modules
"""


def kinds_in(path: Path) -> set[str]:
    return {json.loads(line)["kind"] for line in path.read_text().splitlines()}


def command(folders: dict[str, Path], out: Path) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(folders["beats"]), str(folders["classes"]), str(out)]


KINDS = {"beat", "rate", "quality", "rhythm", "triage"}


def test_without_torch_it_decides_the_same(heart_folders: dict[str, Path], tmp_path: Path) -> None:
    subprocess.run(command(heart_folders, tmp_path / "told"), check=True, capture_output=True)
    assert kinds_in(tmp_path / "told") == KINDS


def test_a_whole_replay_opens_no_socket(hearts: Pieces, tmp_path: Path) -> None:
    with no_sockets():
        source = Leads(counts(heart(steady(20))))
        APPLICATION.run(source, [JsonLinesSink(tmp_path / "told")], RunOptions(), hearts)
    assert kinds_in(tmp_path / "told") == KINDS


def test_a_whole_replay_needs_no_network(heart_folders: dict[str, Path], tmp_path: Path) -> None:
    reason = why_not_isolated()
    if reason:
        pytest.skip(reason)
    done = run_without_network(command(heart_folders, tmp_path / "told"))
    assert done.returncode == 0, done.stderr
    assert kinds_in(tmp_path / "told") == KINDS


@pytest.mark.parametrize("module", ["application", "commands", "evaluation", "units", "fhir", "page"])
def test_what_runs_on_the_device_leaves_torch_out(module: str) -> None:
    program = f"import sys, pintsize.apps.ecg.{module}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not {"torch", "scipy", "sklearn"} & set(done.stdout.split())
