"""Updates of the whole system in a booted card: a good one, one whose kernel is none, one whose pages do not come."""

import functools
import json
import random
import subprocess
import time
from pathlib import Path
from typing import Any

from archipel_image.build import KEY
from archipel_image.bundle import RELEASE, MadeRelease, make_system_bundle, release_head, signed_head, signing_key
from archipel_image.sources import program
from archipel_image.sticks import make_stick
from archipel_image.testbench import Bench, board, check, post, wait_for
from archipel_image.vm import Machine

SLOTS = program("slots")
STICK_KIB = 320 << 10
UPDATE_PATIENCE_S, TRIAL_PATIENCE_S = 7200, 7200  # an emulated box hashes 250 MB four times
LATEST_CUT_CPU_S = 300  # of the emulation: on a busy machine it is as far then as on a quiet one
HANG_S = 20
# what U-Boot starts begins with an instruction (Documentation/arch/arm64/booting.rst): here "b .", for ever
KERNEL_THAT_HANGS = bytes.fromhex("00000014")


def made_as(bench: Bench, version: str, **other: bytes) -> MadeRelease:
    """What the image holds as a release of another version; `other`: files of the slot that are to be other ones."""
    names = subprocess.run(["mdir", "-b", "-i", f"{bench.image}@@{SLOTS.BOOT_AT}", "::"], check=True, capture_output=True,
                           text=True).stdout.split()
    firmware = [name.removeprefix("::/") for name in names if not name.endswith("/") and "archipel" not in name]
    files = {f"boot/{name}": other.get(name.partition(".")[0], content) for name, content in (
        (name, held(bench, f"a/{name}")) for name in ("cmdline", "initrd.img", "vmlinuz"))}
    files |= {f"firmware/{name}": held(bench, name) for name in firmware}
    root = bench.image.parent / "root.squashfs"
    return MadeRelease(release_head(version, version, files, root, signing_key(KEY)), files, root)


def held(bench: Bench, name: str) -> bytes:
    """A file of the image's p1."""
    return subprocess.run(["mtype", "-i", f"{bench.image}@@{SLOTS.BOOT_AT}", f"::{name}"], check=True,
                          capture_output=True).stdout


def system_stick(bench: Bench, made: MadeRelease, against: MadeRelease | None = None) -> Path:
    """A stick with the bundle of a release, a small one if there is one to go by."""
    folder = bench.folder / "systems"
    folder.mkdir(exist_ok=True)
    before = make_system_bundle(against, signing_key(KEY), folder) if against else None
    bundle = make_system_bundle(made, signing_key(KEY), folder, before)
    stick = make_stick(folder / f"{bundle.stem}.img", {bundle.name: bundle.read_bytes()}, STICK_KIB)
    bench.figures[bundle.stem.removeprefix("archipel-")] = bundle.stat().st_size
    return stick


def slot_of(bench: Bench, machine: Machine) -> str:
    """The slot that runs."""
    return "b" if "archipel.slot=b" in bench.shell(machine, "cat /proc/cmdline") else "a"


def state_of(machine: Machine) -> Any:
    """The boot state on the card, a `slots.BootState`."""
    return program("slots").read_state(machine.card.path)


def told(bench: Bench, machine: Machine) -> str:
    """What the box tells of updates."""
    return bench.shell(machine, "cat /data/app/notices || true")


def system_updated(bench: Bench) -> None:
    """A small update of the system runs from the other slot and stays; the box is as released, its posts are there."""
    machine = bench.alone()
    post(machine, "avant le système")
    now = made_as(bench, version_of(bench, machine))
    machine.plug_stick(system_stick(bench, made_as(bench, "88.0.0", cmdline=now.files["boot/cmdline"] + b"\n"), now))
    wait_for(lambda: state_of(machine) == SLOTS.BootState("b"), "the new system does not stay", UPDATE_PATIENCE_S)
    check(slot_of(bench, machine) == "b", "it runs from the slot before")
    check("88.0.0" in told(bench, machine), "nothing is told of the new system")
    machine.pull_stick()
    checked = bench.shell(machine, "systemctl start archipel-check.service; journalctl -qu archipel-check -o cat")
    check("as released: 88.0.0" in checked, f"the check says: {checked}")
    machine.wait_for_portal()
    check("avant le système" in board(machine), "a post is gone")


def version_of(bench: Bench, machine: Machine) -> str:
    """The version of the system that runs."""
    slot = slot_of(bench, machine)
    return json.loads(bench.shell(machine, f"sed -n 2p /boot/firmware/{slot}/{RELEASE.NAME}"))["version"]


def system_without_kernel(bench: Bench) -> None:
    """A system whose kernel is none, and one whose kernel hangs: the box comes back, tells it, takes it never again."""
    machine = bench.alone()
    before, kernel = slot_of(bench, machine), held(bench, "a/vmlinuz")
    hangs = KERNEL_THAT_HANGS + kernel[len(KERNEL_THAT_HANGS):]
    for version, bad, pulls in (("90.0.0", b"no kernel at all" * 100, 0), ("91.0.0", hangs, SLOTS.TRIES)):
        machine.plug_stick(system_stick(bench, made_as(bench, version, vmlinuz=bad)))
        wait_for(lambda: state_of(machine).trial, f"{version} is not put on trial", UPDATE_PATIENCE_S)
        for left in range(pulls - 1, -1, -1):  # a kernel that hangs before it has a watchdog: somebody pulls the plug
            wait_for(functools.partial(has_tries, machine, left), f"{version} is not tried", UPDATE_PATIENCE_S)
            time.sleep(HANG_S)
            machine.pull_the_plug()
            machine.put_the_plug_in()
        wait_for(functools.partial(refused, bench, machine, version), f"{version} is not refused", UPDATE_PATIENCE_S)
        check(slot_of(bench, machine) == before, f"after {version} another slot runs")
        said = told(bench, machine)
        check("did not start" in said, "nothing is told of a system that did not start")
        check("being tried" not in said, f"the stick that stayed in is said to be too early: {said}")
        if not pulls:
            machine.pull_stick()


def has_tries(machine: Machine, left: int) -> bool:
    """Whether U-Boot has so many tries left."""
    return state_of(machine).tries == left


def refused(bench: Bench, machine: Machine, version: str) -> bool:
    """Whether the box has gone back from a version."""
    return version in bench.shell(machine, "cat /data/app/system-refused")


def mute_system(bench: Bench) -> None:
    """A system whose island never starts gives way within half an hour, is told, and is not taken again."""
    machine = bench.alone()
    before = slot_of(bench, machine)
    cmdline = held(bench, "a/cmdline").rstrip() + b" systemd.mask=archipel-island.service\n"
    machine.plug_stick(system_stick(bench, made_as(bench, "93.0.0", cmdline=cmdline)))
    wait_for(functools.partial(refused, bench, machine, "93.0.0"), "it is not taken back",
             UPDATE_PATIENCE_S + TRIAL_PATIENCE_S)
    machine.wait_for_portal()
    check(slot_of(bench, machine) == before and "gone back" in told(bench, machine), "it is not told")
    machine.pull_stick()


def system_power_cuts(bench: Bench) -> None:
    """Power pulled in the midst of an update of the system, again and again: a whole system starts each time, in the end
    the new one."""
    rng, machine = random.Random(bench.seed), bench.alone()
    stick = system_stick(bench, made_as(bench, "94.0.0"))
    for _ in range(bench.cuts):
        machine.plug_stick(stick)
        works_until(machine, machine.cpu_s() + rng.uniform(0, LATEST_CUT_CPU_S))
        machine.pull_the_plug()
        machine.switch_on()
        check(slot_of(bench, machine) in SLOTS.SLOTS, "no slot runs")
        if has_tries(machine, 0):  # cut once more, it would rightly be taken back, and never again be taken
            wait_for(lambda: not state_of(machine).trial, "the trial does not end", TRIAL_PATIENCE_S)
    machine.plug_stick(stick)
    wait_for(lambda: version_of(bench, machine) == "94.0.0" and not state_of(machine).trial,
             "the update does not end", UPDATE_PATIENCE_S)
    machine.pull_stick()


def works_until(machine: Machine, cpu_s: float) -> None:
    """Wait until a box took so many seconds of a processor, or puts a system on trial."""
    wait_for(lambda: machine.cpu_s() > cpu_s or state_of(machine).trial, "nothing is done", UPDATE_PATIENCE_S)


def odd_systems(bench: Bench) -> None:
    """A forged system, an older one, one for another machine: none is taken, each is told, and what starts is the same."""
    machine, key = bench.alone(), signing_key(KEY)
    before, good = state_of(machine), made_as(bench, "95.0.0")
    riscv = signed_head(RELEASE.KIND, json.loads(good.head.splitlines()[1]) | {"machine": "riscv"}, key)
    stranger = signing_key(bench.folder / "stranger.key")
    forged = MadeRelease(release_head("95.0.0", "x", good.files, good.root, stranger), good.files, good.root)
    for number, (made, signer, words) in enumerate((
            (forged, stranger, "not made by"), (made_as(bench, "0.0.1"), key, "older than"),
            (MadeRelease(riscv, good.files, good.root), key, "another kind"))):
        folder = bench.folder / f"odd{number}"
        folder.mkdir()
        bundle = make_system_bundle(made, signer, folder)
        machine.plug_stick(make_stick(folder / "stick.img", {bundle.name: bundle.read_bytes()}, STICK_KIB))
        wait_for(functools.partial(tells, bench, machine, words), f"{words!r} is not told")
        machine.pull_stick()
    check(state_of(machine) == before, "the boot state changed")


def tells(bench: Bench, machine: Machine, words: str) -> bool:
    """Whether the box tells this of updates."""
    return words in told(bench, machine)
