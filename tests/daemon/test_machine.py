"""The machine's heat and power, as /sys has them; what is not there is not told."""

import pytest

from node.board.status import MachineStatus
from node.daemon.machine import REMEMBERED_S, MachineSensors, power_weak, temperature_c, uptime_s


def sysfs(folder, zones=(), devices=()):
    """A /sys with thermal zones (type, temp) and hwmon devices (name, alarm)."""
    for kind, entries in (("thermal/thermal_zone", [("type", "temp", *zone) for zone in zones]),
                          ("hwmon/hwmon", [("name", "in0_lcrit_alarm", *device) for device in devices])):
        for number, (first, second, one, other) in enumerate(entries):
            entry = folder / f"class/{kind}{number}"
            entry.mkdir(parents=True)
            (entry / first).write_text(f"{one}\n")
            if other is not None:
                (entry / second).write_text(f"{other}\n")
    return folder


@pytest.mark.parametrize(("zones", "told"), [
    ([("cpu-thermal", 48312)], 48.312), ([("iwlwifi", 39000), ("x86_pkg_temp", 51000)], 51.0),
    ([("iwlwifi", 39000)], 39.0), ([("battery", ""), ("cpu-thermal", "hot")], None), ([("cpu-thermal", None)], None),
    ([("cpu-thermal", 999999)], None), ([("cpu-thermal", -274000), ("soc-thermal", 50000)], 50.0), ([], None)])
def test_the_processors_temperature_is_told_where_it_is_measured(tmp_path, zones, told):
    assert temperature_c(sysfs(tmp_path, zones)) == told


@pytest.mark.parametrize(("devices", "told"), [
    ([("cpu_thermal", None), ("rpi_volt", 1)], True), ([("rpi_volt", 0)], False), ([("nct6775", 1)], None),
    ([("rpi_volt", None)], None), ([("rpi_volt", "?")], None), ([], None)])
def test_weak_power_is_told_of_a_pi_alone(tmp_path, devices, told):
    assert power_weak(sysfs(tmp_path, devices=devices)) == told


def test_power_that_was_weak_for_a_moment_is_remembered_for_a_day(tmp_path):
    time = [0.0]
    system = sysfs(tmp_path, [("cpu-thermal", 40000)], [("rpi_volt", 0)])
    sensors, alarm = MachineSensors(system, lambda: time[0]), system / "class/hwmon/hwmon0/in0_lcrit_alarm"
    assert sensors.last == MachineStatus(40.0, False)
    alarm.write_text("1")
    sensors.look()
    alarm.write_text("0")
    sensors.look()
    assert sensors.last.power_weak
    time[0] = REMEMBERED_S
    sensors.look()
    assert sensors.last.power_weak is False


def test_a_machine_without_sensors_tells_nothing_and_has_been_up_for_a_while(tmp_path):
    assert MachineSensors(tmp_path / "nothing").last == MachineStatus() and uptime_s() > 0
