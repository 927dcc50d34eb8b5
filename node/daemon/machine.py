"""What the machine tells of its processor's heat and of its power, as the kernel has it in /sys; what is absent is None.

Temperature: Documentation/ABI/testing/sysfs-class-thermal, `temp` in thousandths of a degree Celsius. Power: the driver
raspberrypi-hwmon asks the Pi's firmware every two seconds, and sets `in0_lcrit_alarm` of the device called `rpi_volt` while
its supply is below 4.63 V (Documentation/ABI/testing/sysfs-class-hwmon; the voltage itself it does not tell).
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from node.board.status import MachineStatus

SYSTEM = Path("/sys")
PROCESSORS = ("cpu", "pkg", "soc")  # in the names of zones: a machine has others too, of a battery or a radio
COLDEST_C, HOTTEST_C = -50.0, 150.0  # what a sensor that is broken tells lies outside
REMEMBERED_S = 86_400.0  # a supply that is weak under load is weak for seconds


class MachineSensors:
    """Looked at now and then (`look`), from one thread; `last` is for every thread."""

    def __init__(self, system: Path = SYSTEM, uptime: Callable[[], float] = time.monotonic):
        self._system, self._uptime = system, uptime
        self._weak_at: float | None = None
        self.last = MachineStatus()
        self.look()

    def look(self) -> None:
        """Ask the sensors."""
        weak = power_weak(self._system)
        if weak:
            self._weak_at = self._uptime()
        lately = self._weak_at is not None and self._uptime() - self._weak_at < REMEMBERED_S
        self.last = MachineStatus(temperature_c(self._system), None if weak is None else lately)


def temperature_c(system: Path = SYSTEM) -> float | None:
    """The processor's, in degrees Celsius; of several zones the hottest one of a processor, else the first."""
    zones = [(_text(zone / "type").lower(), _number(zone / "temp"))
             for zone in _entries(system / "class/thermal", "thermal_zone")]
    known = [(kind, told / 1000) for kind, told in zones if told is not None and COLDEST_C < told / 1000 < HOTTEST_C]
    of_processors = [degrees for kind, degrees in known if any(name in kind for name in PROCESSORS)]
    return max(of_processors, default=known[0][1] if known else None)


def power_weak(system: Path = SYSTEM) -> bool | None:
    """Whether the supply of a Raspberry Pi is too weak now; None where nobody measures it."""
    for device in _entries(system / "class/hwmon", "hwmon"):
        if _text(device / "name") == "rpi_volt" and (alarm := _number(device / "in0_lcrit_alarm")) is not None:
            return alarm != 0
    return None


def uptime_s() -> float:
    """For how long this machine has been running, its sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _entries(folder: Path, prefix: str) -> Iterator[Path]:
    try:
        yield from sorted(path for path in folder.iterdir() if path.name.startswith(prefix))
    except OSError:
        return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # a zone that is off answers with an error
        return ""


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None
