"""The table is complete and plausible, and a mistyped name gets an answer that helps."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from pintsize.devices import DEVICES, Device, device
from pintsize.errors import DeviceError

EMULATED_CORES = {
    "cortex-m0",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m33",
    "cortex-m55",
    "riscv32",
}
STAND_INS = {"cortex-a72", "arm64", "wasm32"}
every_device = pytest.mark.parametrize("known", DEVICES.values(), ids=str)


@pytest.mark.parametrize(
    "name",
    [
        "nrf52840",
        "stm32l4r5",
        "stm32f746",
        "stm32h7a3",
        "stm32u575",
        "stm32g0b1",
        "rp2040",
        "rp2350",
        "apollo4",
        "esp32c3",
        "raspberrypi4",
        "phone",
        "browser",
    ],
)
def test_the_promised_devices_are_there(name: str) -> None:
    assert device(name).name == name


def test_every_emulated_core_has_a_device() -> None:
    assert {d.core for d in DEVICES.values() if d.emulated} == EMULATED_CORES


@every_device
def test_facts_are_plausible(known: Device) -> None:
    assert DEVICES[known.name] is known
    assert 10_000_000 <= known.clock_hz <= 3_000_000_000
    assert known.ram_bytes >= 4 * 1024
    assert known.flash_bytes >= 16 * 1024
    assert 1.0 < known.supply_volt <= 5.5
    assert known.datasheet.startswith("https://")
    assert known.title
    assert known.channel_alignment in (1, 4)


@every_device
def test_a_current_has_a_source_and_is_that_of_a_chip(known: Device) -> None:
    assert known.current_source
    current = known.active_current_ua_per_mhz
    assert current is None or 1 < current < 1000
    if current is not None:
        assert "not confirmed" not in known.current_source


@every_device
def test_a_core_that_is_not_emulated_says_so(known: Device) -> None:
    if known.core in STAND_INS:
        assert not known.emulated
        assert known.core in known.not_emulated
    else:
        assert known.emulated
        assert known.core in EMULATED_CORES


@every_device
def test_extensions_belong_to_the_core(known: Device) -> None:
    has_dsp = known.core in {"cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}
    assert ("dsp" in known.extensions) == has_dsp
    assert ("mve" in known.extensions) == (known.core == "cortex-m55")


def test_datasheet_facts_of_the_reference_board() -> None:
    known = device("stm32l4r5")
    assert (known.core, known.clock_hz) == ("cortex-m4", 120_000_000)
    assert (known.flash_bytes, known.ram_bytes) == (2 * 1024 * 1024, 640 * 1024)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("STM32L4R5", "stm32l4r5"),
        ("stm32_l4r5", "stm32l4r5"),
        ("nRF-52840", "nrf52840"),
        ("Raspberry Pi 4", "raspberrypi4"),
        ("raspberry pi pico", "rp2040"),
        ("arduino-nano-33-ble", "nrf52840"),
        ("ESP32-C3", "esp32c3"),
        ("Alif E3", "alif-e3"),
    ],
)
def test_spelling_does_not_matter(spelling: str, name: str) -> None:
    assert device(spelling).name == name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("stm32l4r6", "stm32l4r5"), ("nrf52480", "nrf52840"), ("rp2o40", "rp2040"), ("esp32", "esp32c3")],
)
def test_a_mistyped_name_offers_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(DeviceError) as caught:
        device(typed)
    message = str(caught.value)
    assert repr(typed) in message
    assert meant in message.partition("Nearest:")[2]


@pytest.mark.parametrize("typed", ["", "zzzzzz", "--"])
def test_a_name_like_no_other_lists_them_all(typed: str) -> None:
    with pytest.raises(DeviceError) as caught:
        device(typed)
    assert all(name in str(caught.value) for name in DEVICES)


def test_a_device_of_ones_own_passes_through() -> None:
    own = replace(device("nrf52840"), name="my-board", ram_bytes=64 * 1024)
    assert device(own) is own


def test_something_else_is_not_a_device() -> None:
    with pytest.raises(DeviceError, match="int"):
        device(7)  # pyright: ignore[reportArgumentType]


def test_spellings_do_not_collide() -> None:
    boards = [board for d in DEVICES.values() for board in d.boards]
    assert len(boards) == len(set(boards))
    for d in DEVICES.values():
        for board in d.boards:
            assert device(board) is d


def test_energy_is_charge_times_voltage() -> None:
    nordic = device("nrf52840")
    # 64e6 cycles are one second at 52 µA/MHz * 64 MHz = 3.328 mA and 3 V
    assert nordic.energy_mj(64e6) == pytest.approx(3.328 * 3.0)
    assert nordic.latency_ms(64e6) == pytest.approx(1000.0)


def test_energy_is_unknown_without_a_current() -> None:
    assert device("browser").energy_mj(1e6) is None


def test_a_device_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        device("rp2040").ram_bytes = 1  # pyright: ignore[reportAttributeAccessIssue]
