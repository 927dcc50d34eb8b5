"""Cases of the boot test: what is plugged in, and what hardware and kernel do at their worst."""

import contextlib
import subprocess
import time
from pathlib import Path

from archipel_image.sticks import DATA, EFI, make_disk, make_links, make_stick, make_system, read_stick, write_stick
from archipel_image.testbench import Bench, board, check, post, wait_for
from archipel_image.vm import Machine, Pi3, Trouble
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line

WAV_HEAD_BYTES = 44
LOOK_AT_STICK = ("mkdir -p /tmp/look && mount.archipel /dev/archipel-stick /tmp/look && ls -R /tmp/look && "
                 "findmnt -rno FSTYPE /tmp/look; umount /tmp/look")


def exchanged_by_stick(bench: Bench) -> None:
    """A stick takes what one island has to another of the same set, plugged in and pulled out."""
    north, south = bench.pair()
    stick = make_stick(bench.folder / "stick.img", {})
    post(north, "par la clé USB")
    for machine in (north, south):
        pass_by(bench, machine, stick)
    check("par la clé USB" in board(south), "the stick's record is not on the other island")


def pass_by(bench: Bench, machine: Machine, stick: Path) -> None:
    """Plug the stick in, wait until the box has read and written it, pull it out."""
    machine.plug_stick(stick)
    wait_for(lambda: read_stick(stick, "archipel.txt"), "nothing is on the stick")
    mounted = "findmnt -rno TARGET /run/stick || true"
    wait_for(lambda: not bench.shell(machine, mounted), "the stick stays in use")
    machine.pull_stick()
    write_stick(stick, "archipel.txt", b"")


def sticks_of_all_kinds(bench: Bench) -> None:
    """Sticks of every usual format are read and written, of several parts the one for files; noise is left alone, and no
    link is followed."""
    machine = bench.alone()
    kinds: dict[str, Path] = {}
    for system in ("vfat", "exfat", "ntfs", "ext4"):
        kinds[system] = make_disk(bench.folder / f"{system}.img", "dos", [("83", system, 200)])
        kinds[f"mac {system}"] = make_disk(bench.folder / f"mac-{system}.img", "gpt",
                                           [(EFI, "vfat", 40), (DATA, system, 200)])
    kinds["plain vfat"] = make_system(bench.folder / "plain.img", "vfat", 16)
    parts = [("8e", "LVM2 001", 40), ("c", "vfat", 60), ("7", "exfat", 100)]
    kinds["second exfat"] = make_disk(bench.folder / "second.img", "dos", parts)
    for name, image in kinds.items():
        left = what_is_left_on(bench, machine, image)
        check("archipel.txt" in left and ".bundle" in left, f"on the stick {name!r} there is {left!r}")
        check(name.split()[-1] in left, f"on the stick {name!r} another part was taken: {left!r}")
    keys = "/data/archipel/keys"
    before = bench.shell(machine, f"sha256sum {keys}/*; ls {keys}")
    links = make_links(bench.folder / "links.img", {"archipel.txt": f"{keys}/island.key", "archipel": keys})
    what_is_left_on(bench, machine, links)
    check(bench.shell(machine, f"sha256sum {keys}/*; ls {keys}") == before, "a link on a stick leads to the island's keys")
    machine.plug_stick(make_disk(bench.folder / "lvm.img", "dos", [("8e", "LVM2 001", 200)]))
    wait_for(lambda: bench.shell(machine, "ls /dev/sd*1 2>/dev/null || true"), "the stick with noise is not seen")
    bench.shell(machine, "udevadm settle")
    check(not bench.shell(machine, "ls /dev/archipel-stick 2>/dev/null || true"), "a stick with noise is used")
    machine.pull_stick()


def what_is_left_on(bench: Bench, machine: Machine, image: Path) -> str:
    """Plug a stick in, wait until the box is done with it; its files, then the type of its file system."""
    done = "journalctl -qu archipel-stick | grep -c Finished || true"
    before = bench.shell(machine, done)
    machine.plug_stick(image)
    wait_for(lambda: bench.shell(machine, done) != before, f"{image.name} is not used")
    mounted = "findmnt -rno TARGET /run/stick || true"
    wait_for(lambda: not bench.shell(machine, mounted), f"{image.name} stays in use")
    left = bench.shell(machine, LOOK_AT_STICK)
    machine.pull_stick()
    return left


def heard_by_radio(bench: Bench) -> None:
    """Two boxes, a simulated Meshtastic radio plugged into the USB of each: a post on one appears on the other."""
    boxes = bench.pair()
    with SimulatedMesh(line(2), seed=bench.seed, speed=1) as mesh:
        for machine, port in zip(boxes, mesh.ports.values(), strict=True):
            machine.plug_radio(port)
        post(boxes[0], "par les ondes")
        began = time.monotonic()
        wait_for(lambda: "par les ondes" in board(boxes[1]), "the post did not arrive by radio")
        bench.figures["by_radio_s"] = round(time.monotonic() - began)
        for machine in boxes:
            machine.pull_radio()


def read_aloud(bench: Bench) -> None:
    """A reading that the island leaves is heard through a loudspeaker on USB."""
    machine, left = bench.alone(), "/run/archipel-island/aloud.ogg"
    machine.plug_loudspeaker()
    wait_for(lambda: "USB" in bench.shell(machine, "aplay -l"), "the box finds no loudspeaker")
    bench.shell(machine, "cd /tmp && espeak-ng -v fr -w said.wav Bonjour && opusenc --quiet said.wav reading && "
                f"chown archipel reading && mv reading {left}")
    at_work = f"ls {left} 2>/dev/null || systemctl is-active archipel-loudspeaker | grep '^a' || true"
    wait_for(lambda: not bench.shell(machine, at_work), "nobody takes the reading")
    check(any(machine.heard.read_bytes()[WAV_HEAD_BYTES:]), "nothing was heard")


def oops(bench: Bench) -> None:
    """A driver of the kernel crashes (an oops): the box starts again by itself, and holds what it held."""
    machine = bench.alone()
    post(machine, "avant la panne")
    boot = bench.shell(machine, "cat /proc/sys/kernel/random/boot_id")
    bench.shell(machine, "for n in 1 2; do dd if=/dev/zero of=/dev/null bs=1M >/dev/null 2>&1 & done")
    machine.crash_kernel()
    wait_for(lambda: bench.shell(machine, "cat /proc/sys/kernel/random/boot_id") != boot, "the box does not start again")
    machine.wait_for_portal()
    check("avant la panne" in board(machine), "after the crash a post is gone")


def hung(bench: Bench) -> None:
    """The kernel hangs: the hardware watchdog starts the box again."""
    with Machine(bench.card(), watchdog=True) as machine:
        machine.switch_on()
        boot = bench.shell(machine, "cat /proc/sys/kernel/random/boot_id")
        with contextlib.suppress(Trouble, subprocess.TimeoutExpired):
            machine.shell("sysctl -q kernel.panic=0; echo c > /proc/sysrq-trigger", bench.key, 20)
        wait_for(lambda: bench.shell(machine, "cat /proc/sys/kernel/random/boot_id") != boot, "the box hangs for ever")
        machine.wait_for_portal()


def on_a_pi3(bench: Bench) -> None:
    """The same card comes up to the portal on QEMU's Raspberry Pi 3B, from its SD slot."""
    with Pi3(bench.card()) as machine:
        bench.figures["start_pi3_s"] = round(machine.switch_on())
        model = bench.shell(machine, "cat /proc/device-tree/model")
        check("Raspberry Pi 3" in model, f"this is a {model}")
