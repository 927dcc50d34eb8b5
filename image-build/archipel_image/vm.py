"""A built card in QEMU: its power, its portal through a forwarded port, its sticks, its radio, its cable."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from archipel_image.bundle import sha256
from archipel_image.gdb import GdbRemote
from archipel_image.sources import program
from node.cli.selftest import fetch

SLOTS = program("slots")
MIB, FAT_OFFSET = SLOTS.MIB, SLOTS.BOOT_AT
CARD_BYTES = 2 << 30
U_BOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"  # for QEMU's board; the Pi's own is on the card
# These bound a hang and decide nothing else: with twenty other programs at work two cores give an emulation a sixth of one,
# and a first start that takes five minutes on a quiet machine has taken more than fifteen.
BOOT_PATIENCE_S, PAGE_PATIENCE_S, SHELL_PATIENCE_S = 3600, 300, 900
FIRST_PAGE_S = 60  # nobody answers before the box listens: then ask again
CORES = 2
DEVICE_TREE = "bcm2837-rpi-3-b.dtb"
EXTRA = "console=ttyAMA0 systemd.show_status=no"
# QEMU resets this board at once when its watchdog is set
PI3_EXTRA = "console=ttyS1 systemd.show_status=no systemd.watchdog_sec=0"


class Trouble(Exception):
    """What a booted card did wrong."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page_of(url: str) -> str:
    """A page of a box, in French unless the address says otherwise. OSError if it does not come."""
    return fetch(url, None, PAGE_PATIENCE_S)


class Card:
    """A copy of the image that may be written to, as large as a small card; `files` go on its FAT partition."""

    def __init__(self, image: Path, folder: Path, files: dict[str, str | bytes]):
        self.path = folder / "card.img"
        folder.mkdir(parents=True)
        subprocess.run(["cp", "--sparse=always", str(image), str(self.path)], check=True)
        with self.path.open("r+b") as file:
            file.truncate(CARD_BYTES)
        for name, content in files.items():
            self.put(name, content)

    def put(self, name: str, content: str | bytes) -> None:
        """Write a file of the FAT partition, as a keeper's computer would."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            self._mtools("mcopy", "-o", file.name, f"::{name}")

    def get(self, name: str, target: Path) -> None:
        """Read a file of the FAT partition."""
        self._mtools("mcopy", "-o", f"::{name}", str(target))

    def read(self, name: str) -> bytes | None:
        """What a file of the FAT partition holds, also while the box runs; None if it is not there."""
        told = subprocess.run(["mtype", "-i", f"{self.path}@@{FAT_OFFSET}", f"::{name}"], capture_output=True,
                              env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
        return None if told.returncode else told.stdout

    def _mtools(self, program: str, *arguments: str) -> None:
        subprocess.run([program, "-i", f"{self.path}@@{FAT_OFFSET}", *arguments], check=True,
                       env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})

    def partition(self, number: int) -> tuple[int, int]:
        """(offset, size) in bytes of partition 1 to 4, from the card's own table."""
        told = subprocess.run(["sfdisk", "--json", str(self.path)], capture_output=True, text=True, check=True).stdout
        part = json.loads(told)["partitiontable"]["partitions"][number - 1]
        return part["start"] * 512, part["size"] * 512

    def root_digest(self) -> str:
        """SHA-256 of the root partition as it is now."""
        offset, size = self.partition(2)
        with tempfile.NamedTemporaryFile(dir=self.path.parent) as copy:
            subprocess.run(["dd", f"if={self.path}", f"of={copy.name}", "iflag=skip_bytes,count_bytes", f"skip={offset}",
                            f"count={size}", "bs=4M", "status=none"], check=True)
            return sha256(Path(copy.name))

    def holds(self, needle: bytes) -> bool:
        """Whether these bytes lie anywhere on the whole card."""
        with self.path.open("rb") as file:
            tail = b""
            while block := file.read(16 * MIB):
                if needle in tail + block:
                    return True
                tail = block[-len(needle):]
        return False


class Machine:
    """A card that runs on QEMU's `virt` board (pure emulation, so slow): a USB hub, a watchdog if asked, a cable if asked.

    `cable` is the port of a multicast group that machines share; it is not plugged in at the start.
    """

    def __init__(self, card: Card, cable: int | None = None, watchdog: bool = False, memory_mb: int = 512):
        self.card, self._cable, self._watchdog, self._memory_mb = card, cable, watchdog, memory_mb
        self.port, self.shell_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log, self.heard = card.path.with_name("console.log"), card.path.with_name("heard.wav")
        self._process: subprocess.Popen | None = None
        self._monitor = Path(tempfile.mkdtemp()) / "qmp"

    _extra = EXTRA

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.pull_the_plug()
        shutil.rmtree(self._monitor.parent, ignore_errors=True)

    def switch_on(self) -> float:
        """Start, and wait for the portal's first page; the seconds it took."""
        began = time.monotonic()
        self.put_the_plug_in()
        self.wait_for_portal()
        return time.monotonic() - began

    def put_the_plug_in(self) -> None:
        """Power, and nothing is waited for."""
        self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL)
        if self._cable:
            self.plug_cable(False)

    def cpu_s(self) -> float:
        """The seconds of a processor that the emulation took since it was switched on (proc(5), stat: utime, stime)."""
        assert self._process, "it has no power"
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def runs(self) -> bool:
        """Whether it has power."""
        return self._process is not None

    def pull_the_plug(self) -> None:
        """No power, at once. Nothing is told to the system inside."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            subprocess.run(["ssh", "-q", *self._shared_connection(0), "-O", "exit", "root@127.0.0.1"], capture_output=True)

    def wait_for_portal(self, patience_s: float = BOOT_PATIENCE_S) -> str:
        """The portal's first page once it is there, and not the page that asks to wait."""
        give_up_at = time.monotonic() + patience_s
        while time.monotonic() < give_up_at:
            if self._process and self._process.poll() is not None:
                raise Trouble(f"QEMU ended; see {self.log}")
            with contextlib.suppress(OSError):
                return fetch(self.url, None, FIRST_PAGE_S)
            time.sleep(0.3)
        raise Trouble(f"no portal within {patience_s:.0f} s; see {self.log}")

    def shell(self, command: str, key: Path, patience_s: int = SHELL_PATIENCE_S) -> str:
        """What a command prints in the remote shell that the card's settings opened to `key`."""
        told = subprocess.run(
            ["ssh", "-q", "-i", str(key), "-p", str(self.shell_port), "-o", "StrictHostKeyChecking=no", "-o",
             "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60", "-o", "ConnectionAttempts=3",
             *self._shared_connection(600), "root@127.0.0.1", command],
            capture_output=True, text=True, timeout=patience_s)
        if told.returncode:
            raise Trouble(f"{command!r} in the box: {told.stdout}{told.stderr}")
        return told.stdout

    def _shared_connection(self, stays_s: int) -> list[str]:
        """One connection for all commands: making one takes an emulated machine seconds."""
        return ["-o", "ControlMaster=auto", "-o", f"ControlPersist={stays_s}", "-o",
                f"ControlPath={self._monitor.with_name('shell')}"]

    def plug_stick(self, image: Path) -> None:
        """Put a USB stick in."""
        file = {"driver": "file", "filename": str(image)}
        self._ask("blockdev-add", {"driver": "raw", "node-name": "stick", "file": file})
        self._ask("device_add", {"driver": "usb-storage", "id": "stick", "drive": "stick", "removable": True})

    def pull_stick(self) -> None:
        """Take the USB stick out."""
        self._ask("device_del", {"id": "stick"})
        self._ask_until_done("blockdev-del", {"node-name": "stick"})

    def plug_radio(self, port: int) -> None:
        """Put a Meshtastic radio on USB in: the device that is simulated at a TCP port."""
        peer = {"type": "inet", "data": {"host": "127.0.0.1", "port": str(port)}}
        line = {"addr": peer, "server": False, "reconnect": 1}  # a radio that restarts is there again
        self._ask("chardev-add", {"id": "radio", "backend": {"type": "socket", "data": line}})
        self._ask("device_add", {"driver": "usb-serial", "id": "radio", "chardev": "radio"})

    def pull_radio(self) -> None:
        """Take the radio out."""
        self._ask("device_del", {"id": "radio"})
        self._ask_until_done("chardev-remove", {"id": "radio"})

    def plug_loudspeaker(self) -> None:
        """Put a loudspeaker on USB in: what it plays goes into the file `heard` (WAV)."""
        self._ask("device_add", {"driver": "usb-audio", "id": "speaker", "audiodev": "sound"})

    def plug_cable(self, there: bool) -> None:
        """Put the cable in, or take it out."""
        self._ask_until_done("set_link", {"name": "cable", "up": there})

    def crash_kernel(self) -> None:
        """Let the kernel crash while it works for some process: an oops."""
        port = free_port()
        self._ask("human-monitor-command", {"command-line": f"gdbserver tcp:127.0.0.1:{port}"})
        with socket.create_connection(("127.0.0.1", port), timeout=PAGE_PATIENCE_S) as peer:
            GdbRemote(peer).crash_kernel()

    def _ask_until_done(self, command: str, arguments: dict) -> None:
        give_up_at = time.monotonic() + 60
        while time.monotonic() < give_up_at:
            with contextlib.suppress(Trouble, OSError):  # not started yet, or still in use
                self._ask(command, arguments)
                return
            time.sleep(0.5)
        raise Trouble(f"QEMU does not do {command}")

    def _ask(self, command: str, arguments: dict) -> None:
        """One QMP command (docs/interop/qmp-spec of QEMU)."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self._monitor))
            stream = peer.makefile("rw")
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while True:
                    told = json.loads(stream.readline())
                    if "error" in told:
                        raise Trouble(f"QEMU: {told['error']['desc']}")
                    if "return" in told:
                        break

    def _command(self) -> list[str]:
        return [
            "qemu-system-aarch64", "-nographic", *self._board(), *self._loader(),
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:80,hostfwd=tcp:127.0.0.1:{self.shell_port}-:22",
            "-monitor", "none", "-qmp", f"unix:{self._monitor},server,nowait",
        ]

    def _loader(self) -> list[str]:
        """U-Boot as the board's firmware; the board's tree, and in it what boot.scr hands on to the kernel."""
        tree, dumped = self.card.path.with_name("board.dtb"), self.card.path.with_name("dumped.dtb")
        for command in (
                ["qemu-system-aarch64", "-M", f"virt,dumpdtb={dumped}", "-cpu", "cortex-a53", "-smp", str(CORES),
                 "-m", str(self._memory_mb), "-bios", U_BOOT, "-nic", "none", "-display", "none"],
                ["fdtput", "-t", "s", str(dumped), "/chosen", "bootargs", self._extra],
                # QEMU fills it up to 1 MiB, and U-Boot doubles that; Linux takes 2 MiB at most
                ["dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", str(tree), str(dumped)]):
            subprocess.run(command, check=True, capture_output=True)
        return ["-bios", U_BOOT, "-dtb", str(tree)]

    def _board(self) -> list[str]:
        """The board, its disk and what is plugged into it."""
        board = ["-M", "virt", "-cpu", "cortex-a53", "-smp", str(CORES), "-m", str(self._memory_mb),
                 "-drive", f"if=none,id=card,file={self.card.path},format=raw,discard=unmap",
                 "-device", "virtio-blk-device,drive=card", "-device", "virtio-net-device,netdev=net",
                 "-device", "virtio-rng-device", "-device", "qemu-xhci", "-serial", f"file:{self.log}",
                 "-audiodev", f"wav,id=sound,path={self.heard}"]
        if self._watchdog:
            board += ["-device", "i6300esb", "-action", "watchdog=reset"]
        if self._cable:
            mac = f"52:54:00:00:00:{self.port % 256:02x}"
            board += ["-netdev", f"socket,id=cable,mcast=230.0.0.1:{self._cable},localaddr=127.0.0.1",
                      "-device", f"virtio-net-device,netdev=cable,mac={mac}"]
        return board


class Pi3(Machine):
    """A card in the SD slot of QEMU's Raspberry Pi 3B, with Debian's device tree. No USB but the network's, no watchdog."""

    _extra = PI3_EXTRA

    def _loader(self) -> list[str]:
        """The card's own U-Boot, as the Pi's firmware starts it."""
        tree, u_boot = (self.card.path.with_name(name) for name in (DEVICE_TREE, "u-boot.bin"))
        for path in (tree, u_boot):
            self.card.get(path.name, path)
        return ["-kernel", str(u_boot), "-dtb", str(tree), "-append", self._extra]

    def _board(self) -> list[str]:
        return ["-M", "raspi3b", "-drive", f"if=sd,file={self.card.path},format=raw",
                "-device", "usb-net,netdev=net", "-serial", "null", "-serial", f"file:{self.log}"]
