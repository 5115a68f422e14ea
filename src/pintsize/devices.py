"""The devices that pintsize knows: what their datasheets say, and whether their core is emulated here.

A current stands in the table only where its value *at that clock* is known, with the place it was read from.
The one µA/MHz figure on a datasheet's first page is that of the leanest mode, not that of full speed. Where
the current is None, energy is reported as unknown.

To add a device, add one `Device` to the tuple of its kind below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pintsize.errors import DeviceError

_KB = 1024
_MB = 1024 * 1024
_GB = 1024 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Flash:
    """How the flash keeps up with the core at full clock.

    Args:
        wait_states: cycles that a read waits.
        instruction_cache: whether code in loops runs without waiting; else each taken branch waits.
        source: where the numbers come from.
    """

    wait_states: int
    instruction_cache: bool = True
    source: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """One chip or class of machines.

    Args:
        name: how the user calls it; lower case, letters and digits, hyphens.
        title: vendor and part.
        core: the instruction set that the code is built for ("cortex-m4", "riscv32", "arm64", …).
        clock_hz: the highest clock of that core.
        flash_bytes: memory that keeps the program and the weights. Where there is no flash (a Pi, a phone, a
            browser) both are loaded into RAM, and this is the RAM's size.
        ram_bytes: all SRAM a program may use, backup SRAM left out; `note` says where it is not one range.
        extensions: what its instruction set has beyond the base: "dsp", "fpu", "mve", "neon", "simd128", …
        active_current_ua_per_mhz: supply current per MHz at `clock_hz`, code in flash; None if unknown.
        supply_volt: the voltage at which that current was stated (else the usual supply).
        current_source: document and table of the current, or why it is None.
        flash: wait states and caches; None: not known, and left out of the estimates.
        datasheet: address of the vendor's datasheet.
        boards: boards that carry it; they are accepted as names too.
        channel_alignment: its kernels work fastest on channels in multiples of this.
        not_emulated: why its core cannot be emulated here; empty when it can.
        note: what else a user must know.
    """

    name: str
    title: str
    core: str
    clock_hz: int
    flash_bytes: int
    ram_bytes: int
    extensions: tuple[str, ...] = ()
    active_current_ua_per_mhz: float | None = None
    supply_volt: float = 3.3
    current_source: str = "not confirmed at this clock"
    flash: Flash | None = None
    datasheet: str
    boards: tuple[str, ...] = ()
    channel_alignment: int = 4
    not_emulated: str = ""
    note: str = ""

    @property
    def emulated(self) -> bool:
        """Whether code for this core is run and counted without the device."""
        return not self.not_emulated

    def energy_mj(self, cycles: float) -> float | None:
        """Estimated energy of that many cycles at full clock: charge (µA/MHz is pC a cycle) times voltage."""
        if self.active_current_ua_per_mhz is None:
            return None
        return cycles * self.active_current_ua_per_mhz * self.supply_volt * 1e-9

    def latency_ms(self, cycles: float) -> float:
        """Estimated time of that many cycles at full clock."""
        return cycles / self.clock_hz * 1e3


_CORTEX_M = (
    Device(
        name="nrf52840",
        title="Nordic nRF52840",
        core="cortex-m4",
        clock_hz=64_000_000,
        flash_bytes=1 * _MB,
        ram_bytes=256 * _KB,
        extensions=("dsp", "fpu"),
        active_current_ua_per_mhz=52.0,
        supply_volt=3.0,
        current_source="product specification, CPU: CoreMark from flash at 64 MHz, DC/DC, 3 V: 3.3 mA",
        datasheet="https://docs.nordicsemi.com/bundle/ps_nrf52840/page/keyfeatures_html5.html",
        boards=("nRF52840 DK", "Arduino Nano 33 BLE"),
    ),
    Device(
        name="nrf5340",
        title="Nordic nRF5340, application core",
        core="cortex-m33",
        clock_hz=128_000_000,
        flash_bytes=1 * _MB,
        ram_bytes=512 * _KB,
        extensions=("dsp", "fpu"),
        supply_volt=3.0,
        datasheet="https://docs.nordicsemi.com/bundle/ps_nrf5340/page/keyfeatures_html5.html",
        boards=("nRF5340 DK",),
    ),
    Device(
        name="nrf54l15",
        title="Nordic nRF54L15, application core",
        core="cortex-m33",
        clock_hz=128_000_000,
        flash_bytes=1524 * _KB,
        ram_bytes=256 * _KB,
        extensions=("dsp", "fpu"),
        active_current_ua_per_mhz=20.3,
        supply_volt=3.0,
        current_source="datasheet, IAPPCPU0: CoreMark at 128 MHz from NVM with cache, DC/DC, 3 V: 2.6 mA",
        datasheet="https://docs.nordicsemi.com/bundle/ps_nrf54L15/page/keyfeatures_html5.html",
        boards=("nRF54L15 DK",),
    ),
    Device(
        name="stm32f031",
        title="ST STM32F031x6",
        core="cortex-m0",
        clock_hz=48_000_000,
        flash_bytes=32 * _KB,
        ram_bytes=4 * _KB,
        active_current_ua_per_mhz=237.5,
        supply_volt=3.6,
        current_source="datasheet table 23: from flash, 48 MHz, peripherals off, 3.6 V, typical: 11.4 mA",
        flash=Flash(
            wait_states=1,
            instruction_cache=False,
            source="ST's HAL for the F0: one wait state above 24 MHz; no cache, a prefetch buffer that is left out",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32f031k6.pdf",
        boards=("Nucleo-F031K6",),
    ),
    Device(
        name="stm32f103",
        title="ST STM32F103x8",
        core="cortex-m3",
        clock_hz=72_000_000,
        flash_bytes=64 * _KB,
        ram_bytes=20 * _KB,
        datasheet="https://www.st.com/resource/en/datasheet/stm32f103c8.pdf",
        boards=("Blue Pill",),
    ),
    Device(
        name="stm32g0b1",
        title="ST STM32G0B1xE",
        core="cortex-m0plus",
        clock_hz=64_000_000,
        flash_bytes=512 * _KB,
        ram_bytes=144 * _KB,
        flash=Flash(
            wait_states=2,
            source="ST's HAL for the G0: above 48 MHz; a cache for instructions alone (manual, unconfirmed)",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32g0b1re.pdf",
        boards=("Nucleo-G0B1RE",),
    ),
    Device(
        name="stm32l476",
        title="ST STM32L476xG",
        core="cortex-m4",
        clock_hz=80_000_000,
        flash_bytes=1 * _MB,
        ram_bytes=128 * _KB,
        extensions=("dsp", "fpu"),
        active_current_ua_per_mhz=120.0,
        supply_volt=3.0,
        current_source="ST training on the STM32L4 power controller (STM32L47x): run mode up to 80 MHz, LDO",
        flash=Flash(
            wait_states=4,
            source="ST's HAL for the L4: above 64 MHz; caches of the ART accelerator (manual, unconfirmed)",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32l476rg.pdf",
        boards=("Nucleo-L476RG",),
        note="SRAM in two ranges: 96 kB and 32 kB",
    ),
    Device(
        name="stm32l4r5",
        title="ST STM32L4R5xI",
        core="cortex-m4",
        clock_hz=120_000_000,
        flash_bytes=2 * _MB,
        ram_bytes=640 * _KB,
        extensions=("dsp", "fpu"),
        flash=Flash(
            wait_states=5,
            source="ST's HAL for the L4: above 100 MHz; caches of the ART accelerator (manual, unconfirmed)",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32l4r5zi.pdf",
        boards=("Nucleo-L4R5ZI",),
    ),
    Device(
        name="stm32u575",
        title="ST STM32U575xI",
        core="cortex-m33",
        clock_hz=160_000_000,
        flash_bytes=2 * _MB,
        ram_bytes=784 * _KB,
        extensions=("dsp", "fpu"),
        current_source="not confirmed at this clock (19.5 µA/MHz on the first page is for a slow one)",
        flash=Flash(
            wait_states=4,
            source="ST's HAL for the U5: above 128 MHz; cache of 8 kB (manual, unconfirmed)",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32u575zi.pdf",
        boards=("Nucleo-U575ZI-Q",),
        note="SRAM in two ranges: 768 kB and 16 kB",
    ),
    Device(
        name="stm32f746",
        title="ST STM32F746xG",
        core="cortex-m7",
        clock_hz=216_000_000,
        flash_bytes=1 * _MB,
        ram_bytes=320 * _KB,
        extensions=("dsp", "fpu"),
        datasheet="https://www.st.com/resource/en/datasheet/stm32f746ng.pdf",
        boards=("STM32F746G-DISCO", "Nucleo-F746ZG"),
    ),
    Device(
        name="stm32h7a3",
        title="ST STM32H7A3xI",
        core="cortex-m7",
        clock_hz=280_000_000,
        flash_bytes=2 * _MB,
        ram_bytes=1376 * _KB,
        extensions=("dsp", "fpu", "fpu64"),
        flash=Flash(
            wait_states=6,
            source="six wait states at 280 MHz and the Cortex-M7's caches (manual, unconfirmed)",
        ),
        datasheet="https://www.st.com/resource/en/datasheet/stm32h7a3zi.pdf",
        boards=("Nucleo-H7A3ZI-Q",),
        note="SRAM in several ranges; the largest is 1 MB, and 64 kB serve instructions only",
    ),
    Device(
        name="rp2040",
        title="Raspberry Pi RP2040",
        core="cortex-m0plus",
        clock_hz=133_000_000,
        flash_bytes=2 * _MB,
        ram_bytes=264 * _KB,
        current_source="the datasheet gives no current for the CPU alone",
        datasheet="https://datasheets.raspberrypi.com/rp2040/rp2040-datasheet.pdf",
        boards=("Raspberry Pi Pico",),
        note="flash is a chip beside it: 2 MB on the Pico",
    ),
    Device(
        name="rp2350",
        title="Raspberry Pi RP2350, Arm cores",
        core="cortex-m33",
        clock_hz=150_000_000,
        flash_bytes=4 * _MB,
        ram_bytes=520 * _KB,
        extensions=("dsp", "fpu"),
        datasheet="https://datasheets.raspberrypi.com/rp2350/rp2350-datasheet.pdf",
        boards=("Raspberry Pi Pico 2",),
        note="flash is a chip beside it: 4 MB on the Pico 2",
    ),
    Device(
        name="apollo4",
        title="Ambiq Apollo4",
        core="cortex-m4",
        clock_hz=192_000_000,
        flash_bytes=2 * _MB,
        ram_bytes=1792 * _KB,
        extensions=("dsp", "fpu"),
        supply_volt=1.8,
        datasheet="https://ambiq.com/apollo4/",
        boards=("Apollo4 EVB",),
        note="MRAM in place of flash; 384 kB of the SRAM are tightly coupled",
    ),
    Device(
        name="alif-e3",
        title="Alif Ensemble E3, high-performance core",
        core="cortex-m55",
        clock_hz=400_000_000,
        flash_bytes=11 * _MB // 2,
        ram_bytes=27 * _MB // 2,
        extensions=("dsp", "fpu", "mve"),
        datasheet="https://alifsemi.com/ensemble-e3-series/",
        boards=("OpenMV AE3",),
        note="MRAM in place of flash; SRAM in several ranges",
    ),
)

_OTHERS = (
    Device(
        name="esp32c3",
        title="Espressif ESP32-C3",
        core="riscv32",
        clock_hz=160_000_000,
        flash_bytes=4 * _MB,
        ram_bytes=400 * _KB,
        extensions=("m", "c"),
        active_current_ua_per_mhz=143.75,
        supply_volt=3.3,
        current_source="datasheet table 5-8: radio off, CPU running at 160 MHz, peripherals off: 23 mA",
        datasheet="https://www.espressif.com/sites/default/files/documentation/esp32-c3_datasheet_en.pdf",
        boards=("ESP32-C3-DevKitM-1",),
        note="rv32imc; flash is in the package (FH4) or beside it; 16 kB of the SRAM serve as cache",
    ),
    Device(
        name="raspberrypi4",
        title="Raspberry Pi 4 Model B (BCM2711), 1 GB",
        core="cortex-a72",
        clock_hz=1_500_000_000,
        flash_bytes=1 * _GB,
        ram_bytes=1 * _GB,
        extensions=("neon", "fpu"),
        supply_volt=5.0,
        current_source="no figure for one core",
        datasheet="https://datasheets.raspberrypi.com/rpi4/raspberry-pi-4-datasheet.pdf",
        boards=("Raspberry Pi 4", "rpi4"),
        not_emulated="cortex-a72 is not emulated here; the build for this computer stands in",
    ),
    Device(
        name="phone",
        title="a phone with a 64-bit Arm processor",
        core="arm64",
        clock_hz=2_000_000_000,
        flash_bytes=4 * _GB,
        ram_bytes=4 * _GB,
        extensions=("neon", "fpu"),
        supply_volt=3.8,
        current_source="phones differ",
        datasheet="https://developer.arm.com/documentation/ddi0487/latest/",
        not_emulated="arm64 is not emulated here; the build for this computer stands in",
        note="a class of machines: clock and memory are nominal",
    ),
    Device(
        name="browser",
        title="a web browser (WebAssembly)",
        core="wasm32",
        clock_hz=2_000_000_000,
        flash_bytes=4 * _GB,
        ram_bytes=4 * _GB,
        extensions=("simd128",),
        current_source="computers differ",
        datasheet="https://webassembly.github.io/spec/core/",
        not_emulated="wasm32 is not emulated here: a browser compiles the program itself, and wasmtime proves it",
        note="a class of machines: the clock is nominal, the memory is what 32-bit addresses reach",
    ),
)

#: name → device
DEVICES: dict[str, Device] = {d.name: d for d in (*_CORTEX_M, *_OTHERS)}


def device(name: str | Device) -> Device:
    """The device of that name or board; case, spaces, hyphens and underscores do not matter.

    A `Device` is passed through, so that a user may bring one of their own.
    Raises DeviceError, with the nearest names, when there is none.
    """
    if isinstance(name, Device):
        return name
    if not isinstance(name, str):
        raise DeviceError(f"a device is given by its name or as a Device, not as {type(name).__name__}")
    known = _spellings()
    found = known.get(_folded(name))
    if found is None:
        raise DeviceError(_unknown(name, known))
    return found


def _folded(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _spellings() -> Mapping[str, Device]:
    boards = {_folded(board): d for d in DEVICES.values() for board in d.boards}
    return {**boards, **{_folded(d.name): d for d in DEVICES.values()}}


def _unknown(name: str, known: Mapping[str, Device]) -> str:
    near = get_close_matches(_folded(name), known, n=5, cutoff=0.5)
    names = list(dict.fromkeys(known[n].name for n in near))[:3]
    if names:
        return f"no device {name!r}. Nearest: {', '.join(names)}. All of them: pintsize devices"
    return f"no device {name!r}. There are: {', '.join(DEVICES)}"
