"""`pintsize app …` as a user types it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile
from typer.testing import CliRunner

from pintsize import cli
from pintsize.apps import command_line
from pintsize.apps.assistant import application
from pintsize.apps.assistant.pieces import Pieces
from pintsize.apps.assistant.understood import Understood
from pintsize.errors import DataError, OfflineRefusal, UserError
from pintsize.stream.recording import Recording, read_key
from tests.apps.assistant.tones import RATE_HZ, said

SESSION = (1.0, "computer", 0.4, "digit", 1.5, "lamp", 0.5, "order", 1.5)
HEARD = ["computer", "seven", "lamp", "orderDrink", "coffee.make"]


@pytest.fixture(autouse=True)
def _tones(tones: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "load_pieces", lambda weights: tones)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    wavfile.write(path, RATE_HZ, said(*SESSION))
    return path


@dataclass(frozen=True)
class Done:
    exit_code: int
    output: str


def run(*arguments: object) -> Done:
    """Raises what `pintsize` would tell its user, as exit code 2."""
    done = CliRunner().invoke(cli.app, ["app", *map(str, arguments)], env={"COLUMNS": "200"})
    if isinstance(done.exception, UserError):
        raise done.exception
    return Done(done.exit_code, done.output)


def decisions(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_clip_is_heard_told_and_reported(clip: Path, tmp_path: Path) -> None:
    done = run("assistant", "--source", clip, "--json", tmp_path / "heard", "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    assert [d["value"] for d in decisions(tmp_path / "heard")] == HEARD
    report = json.loads((tmp_path / "report").read_text())
    assert report["run"]["dropped_samples"] == 0
    assert {"p50_ms", "p99_ms"} <= set(report["wall_clock"]["step"])


def test_a_folder_of_clips_of_all_kinds_is_heard_one_by_one(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    wavfile.write(clips / "a.wav", RATE_HZ, said(1.0, "computer", 0.4, "digit", 1.0))
    sound = said(1.0, "lamp", 0.4, "order", 1.0)
    wavfile.write(clips / "b.wav", RATE_HZ, (np.stack([sound, sound], 1) / 32768).astype(np.float32))
    run("assistant", "--source", clips, "--json", tmp_path / "heard")
    assert [d["value"] for d in decisions(tmp_path / "heard")] == HEARD


def test_faults_are_put_in_and_told(clip: Path, tmp_path: Path) -> None:
    run("assistant", "--source", clip, "--faults", "gap,nan", "--json", tmp_path / "heard")
    told = [d for d in decisions(tmp_path / "heard") if d["kind"] == "health" and d["value"] is None]
    assert told
    assert all(d["reason"] for d in told)


def test_what_was_heard_is_kept_only_encrypted(clip: Path, tmp_path: Path) -> None:
    run("assistant", "--source", clip, "--keep", tmp_path / "kept", "--key", tmp_path / "key")
    run("assistant", "--source", clip, "--keep", tmp_path / "kept", "--key", tmp_path / "key")
    files = sorted(os.listdir(tmp_path / "kept"))
    assert files == ["recording-0001.pintsize", "recording-0002.pintsize"]
    with Recording(tmp_path / "kept" / files[0], read_key(tmp_path / "key")) as kept:
        samples = np.concatenate([block.samples for block in kept.blocks()])
    np.testing.assert_array_equal(samples[:, 0], said(*SESSION))
    assert samples[:4000].tobytes() not in (tmp_path / "kept" / files[0]).read_bytes()


def test_nothing_leaves_the_device_unasked(clip: Path) -> None:
    with pytest.raises(OfflineRefusal, match="--online"):
        run("assistant", "--source", clip, "--mqtt", "mqtt://localhost")


@pytest.mark.parametrize(
    ("arguments", "said_"),
    [
        ((), "either --source"),
        (("--source", "a.wav", "--text", "hello"), "either --source"),
        (("--source", "a.wav", "--keep", "folder"), "--keep needs --key"),
        (("--source", "nothing.wav"), "is not there"),
        (("--source", "ftp://x"), "is not a kind of source"),
        (("--text", " "), "--text is empty"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], said_: str) -> None:
    with pytest.raises(UserError, match=said_):
        run("assistant", *arguments)


def test_a_fault_that_is_none_is_refused(clip: Path) -> None:
    with pytest.raises(UserError, match="is no fault"):
        run("assistant", "--source", clip, "--faults", "earthquake")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no clips in it"):
        run("assistant", "--source", tmp_path)


def test_typed_text_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Texts:
        def understand(self, text: str) -> Understood:
            return Understood("light_on", (("room", text.split()[-1]),), 0.9)

    monkeypatch.setattr(application, "load_understanding", lambda weights: Texts())
    run("assistant", "--text", "light in the kitchen", "--json", tmp_path / "heard")
    (told,) = decisions(tmp_path / "heard")
    assert (told["value"], told["slots"]) == ("light_on", {"room": "kitchen"})


def test_weights_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(UserError, match="holds no models"):
        run(
            "assistant",
            "--source",
            "microphone",
            "--silent",
            "--weights",
            tmp_path,
            "--mqtt",
            "mqtt://x",
            "--online",
        )


def test_own_models_need_clips(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no subfolders"):
        run("train", "assistant", tmp_path, "--out", tmp_path / "out")
    with pytest.raises(UserError, match="is no application"):
        run("train", "toaster", tmp_path)


def test_evaluation_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        run("assistant", "eval", tmp_path / "none")


def test_every_command_says_what_it_does() -> None:
    for command in ((), ("assistant",), ("assistant", "eval"), ("assistant", "build"), ("train",)):
        done = run(*command, "--help")
        assert done.exit_code == 0
        assert "Usage" in done.output
    assert command_line.commands.info.help
