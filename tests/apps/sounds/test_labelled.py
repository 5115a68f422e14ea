"""Clips with their words come in a fixed order, from a table or from folders; what cannot be used is refused."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.sounds import labelled_clips, labelled_folder
from pintsize.errors import DataError


def write_wav(path: Path, samples: int = 800) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full(samples, 1000, "<i2").tobytes())


def test_a_table_gives_words_splits_and_origins(tmp_path: Path) -> None:
    write_wav(tmp_path / "b.wav")
    write_wav(tmp_path / "a.wav", 1600)
    (tmp_path / "labels.csv").write_text("file,label,split,source\nb.wav,go,train,x1\na.wav,stop,val,x2\n")
    found = labelled_clips(tmp_path)
    assert [(c.label, c.split, c.origin, len(c.clip)) for c in found] == [
        ("go", "train", "x1", 800),
        ("stop", "val", "x2", 1600),
    ]


def test_folders_give_words_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("zwei/2.wav", "zwei/1.wav", 'hé llo, "you"/a.WAV', ".hidden/x.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "zwei" / "notes.txt").write_text("no sound")
    found = labelled_folder(tmp_path)
    assert [(c.label, c.origin) for c in found] == [
        ('hé llo, "you"', 'hé llo, "you"/a.WAV'),
        ("zwei", "zwei/1.wav"),
        ("zwei", "zwei/2.wav"),
    ]


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv"):
        labelled_clips(tmp_path)
    (tmp_path / "labels.csv").write_text("name\nx\n")
    with pytest.raises(DataError, match="file and label"):
        labelled_clips(tmp_path)
    with pytest.raises(DataError, match="no subfolders"):
        labelled_folder(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        labelled_folder(tmp_path / "none")
    (tmp_path / "word").mkdir()
    with pytest.raises(DataError, match="no sound file"):
        labelled_folder(tmp_path)


def test_sounds_need_no_torch() -> None:
    said = "import sys, pintsize.apps.sounds; print(any(n == 'torch' or n.startswith('torch.') for n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
