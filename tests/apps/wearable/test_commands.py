"""`pintsize app wearable` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pintsize.apps.command_line import commands
from pintsize.errors import UserError
from tests.apps.wearable.making import MARCH_S, write_table

RUNNER = CliRunner()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(
        tmp_path / "day.csv", ["heart_rate"], [MARCH_S + s for s in range(300)], [60.0 + np.arange(300) % 4]
    )


def typed(*words: object) -> str:
    done = RUNNER.invoke(commands, ["wearable", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_table_gives_decisions_a_report_and_a_page(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    said = typed(
        "--source", table, "--json", tmp_path / "d.jsonl", "--report", tmp_path / "r.json", "--page",
        tmp_path / "day.html", "--timezone", "Europe/Berlin", "--age", 40,
    )  # fmt: skip
    assert "screening aid, not a diagnosis" in said
    kinds = {json.loads(line)["kind"] for line in (tmp_path / "d.jsonl").read_text().splitlines()}
    assert {"heart_rate", "zone"} <= kinds
    assert json.loads((tmp_path / "r.json").read_text())["run"]["signal_s"] == 300
    assert "180 beats per minute" in (tmp_path / "day.html").read_text()


def test_faults_are_put_in_and_told(table: Path, tmp_path: Path) -> None:
    typed("--source", table, "--faults", "all", "--seed", 4, "--json", tmp_path / "d.jsonl")
    reasons = [json.loads(line).get("reason") for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert any(reasons)


def test_alerts_are_the_users(table: Path, tmp_path: Path) -> None:
    typed(
        "--source", table, "--rests", "--high", 58, "--low", 30, "--hold", 5, "--json", tmp_path / "d.jsonl"
    )
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert "alert" in kinds


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--source"),
        (["--source", "day.csv", "--age", "40", "--highest", "180"], "either the age"),
        (["--source", "nothing.csv"], "is not there"),
        (["--source", "nothing.csv", "--timezone", "Nowhere"], "Nowhere"),
        (["--source", "nothing.csv", "--high", "30"], "alerts"),
        (["--sleep", "nothing.npz"], "is not there"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        RUNNER.invoke(commands, ["wearable", *words], catch_exceptions=False)


def test_a_night_alone_is_told(tmp_path: Path) -> None:
    given = np.abs(np.random.default_rng(0).normal(0, 1, (40, 35)))
    np.savez(tmp_path / "n.npz", accel=given[:, :21], bcg=given[:, 21:32], clock=given[:, 32:])
    typed("--sleep", tmp_path / "n.npz", "--json", tmp_path / "d.jsonl")
    told = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert {line["kind"] for line in told} == {"sleep"}


def test_a_night_and_a_day_go_to_the_same_sinks(table: Path, tmp_path: Path) -> None:
    given = np.abs(np.random.default_rng(0).normal(0, 1, (40, 35)))
    np.savez(tmp_path / "n.npz", accel=given[:, :21], bcg=given[:, 21:32], clock=given[:, 32:])
    typed("--source", table, "--sleep", tmp_path / "n.npz", "--json", tmp_path / "d.jsonl")
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert kinds[0] == "sleep"
    assert "heart_rate" in kinds
