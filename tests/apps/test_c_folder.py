"""What all folders of C share."""

from __future__ import annotations

import hashlib
import json

import pytest

from pintsize import DEVICES
from pintsize.apps.c_folder import makefile, manifest, require_room, rows, section_sizes
from pintsize.errors import DoesNotFit


def test_the_makefile_builds_every_c_file() -> None:
    text = makefile("watch", ["b.c", "a.c", "a.h", "README.md"], "samples", "main.c and texts.c", " -lm")
    assert "watch: a.c b.c\n" in text
    assert "\t$(CC) $(CFLAGS) a.c b.c -o $@ $(LDFLAGS) -lm\n" in text
    assert "in place of main.c and texts.c" in text
    assert "reads samples from standard input" in text


def test_the_manifest_has_every_hash() -> None:
    document = json.loads(manifest("ecg", "nrf52840", {"flash_bytes": 10.0}, {"a.c": b"x", "b.c": b""}))
    assert document["sha256"] == {
        "a.c": hashlib.sha256(b"x").hexdigest(),
        "b.c": hashlib.sha256().hexdigest(),
    }
    assert (document["name"], document["figures"]) == ("ecg", {"flash_bytes": 10.0})


def test_figures_as_rows() -> None:
    assert (
        rows({"flash_bytes": 12345.0, "latency_ms": 0.5}) == "| flash_bytes | 12,345 |\n| latency_ms | 0.5 |"
    )


def test_sections_of_a_file_are_flash_or_ram() -> None:
    files = {
        "one.c": "const int table[100] = {1};\nint state[25];\nint one(void) { return table[state[0]]; }\n"
    }
    sizes = section_sizes(files, "nrf52840", ["one.c"])
    assert sizes is not None
    flash, ram = sizes
    assert 400 < flash < 460
    assert ram == 100
    assert section_sizes(files, "raspberrypi4", ["one.c"]) is None
    assert section_sizes(files, "no such device", ["one.c"]) is None


def test_parts_that_fit_alone_may_not_fit_together() -> None:
    device = DEVICES["nrf52840"]
    require_room("it", {"flash_bytes": device.flash_bytes, "ram_bytes": device.ram_bytes}, "nrf52840")
    with pytest.raises(DoesNotFit, match="the ECG does not fit"):
        require_room("the ECG", {"flash_bytes": device.flash_bytes + 1, "ram_bytes": 1}, "nrf52840")
    with pytest.raises(DoesNotFit):
        require_room("the ECG", {"flash_bytes": 1, "ram_bytes": device.ram_bytes + 1}, "nrf52840")
