"""Pictures of a folder, one answer each, into the sinks; whatever is wrong with a file is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pintsize.apps.application import RunOptions
from pintsize.apps.images.application import APPLICATION, Images
from pintsize.apps.images.commands import commands
from pintsize.errors import DataError, UserError
from pintsize.stream.sinks import JsonLinesSink
from tests.apps.images.drawing import saved, smooth

#: looks at a folder with the shipped model; torch cannot be imported
PROGRAM = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "scipy", "sklearn", "ziglang"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoTorch())
from pathlib import Path
from pintsize import cli  # the whole command line imports too
from pintsize.apps.images.application import Images
for model in ("xray", "cells"):
    print(Images(model).look(Path(sys.argv[1]), []).kinds)
assert "torch" not in sys.modules
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    saved(smooth(80), folder / "b.png")
    saved(smooth(80) // 20, folder / "in" / "a.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_every_file_is_answered_in_order(pictures: Path, tmp_path: Path) -> None:
    looked = APPLICATION.look(pictures, [JsonLinesSink(tmp_path / "told")])
    assert [name for name, _ in looked.answers] == ["b.png", "broken.png", "in/a.jpg"]
    rows = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [row["slots"]["picture"] for row in rows] == ["b.png", "broken.png", "in/a.jpg"]
    assert (rows[1]["kind"], rows[1]["value"]) == ("unreadable", None)
    assert rows[2]["reason"] == "repeat, because it is too dark"


@pytest.mark.parametrize("model", ["xray", "cells"])
def test_a_replay_is_the_same_byte_for_byte(pictures: Path, tmp_path: Path, model: str) -> None:
    for name in ("first", "second"):
        Images(model).look(pictures, [JsonLinesSink(tmp_path / name)])
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_without_torch_it_answers(pictures: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(pictures)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert told.count("'unreadable': 1") == 2


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture in it"):
        APPLICATION.look(tmp_path, [])


def test_models_and_marks_that_are_not_there_are_refused(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are xray, cells"):
        Images("teeth").look(pictures, [])
    with pytest.raises(UserError, match="--marked is for --model cells"):
        APPLICATION.look(pictures, [], marked=tmp_path / "marked")
    with pytest.raises(UserError, match="no folder that pintsize finished"):
        APPLICATION.look(pictures, [], RunOptions(weights=tmp_path))


def test_an_evaluation_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the data sets"):
        APPLICATION.evaluate(tmp_path)


def test_the_command_tells_what_it_did(pictures: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["--source", str(pictures), "--json", str(tmp_path / "told")])
    assert done.exit_code == 0, done.output
    assert "A screening aid, not a diagnosis" in done.output
    assert len((tmp_path / "told").read_text().splitlines()) == 3


def test_the_command_asks_for_a_source() -> None:
    done = CliRunner().invoke(commands, [])
    assert isinstance(done.exception, UserError)
    assert "--source is missing" in str(done.exception)
