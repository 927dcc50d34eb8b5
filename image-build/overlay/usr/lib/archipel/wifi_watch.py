"""Sees whether the island's Wi-Fi lives and the island answers through it; asks for what has died to be started again.

Each minute: does hostapd answer; does the chip say that the access point is open, and who is with it (a firmware that
crashed lets these questions time out; a driver that crashed lets them hang); does the portal give a page and the box a name
at the Wi-Fi's own address. After some bad looks in a row the first step is taken (`LADDERS`), after as many again the next;
the same step at most once an hour. This program has no rights to take one: it ends with the step's exit status,
`recover` does it as root, and systemd starts this again. It cannot hear a chip that answers and sends no beacons, as no
part of it listens meanwhile; but then nobody joins, so that after a day without anybody hostapd is started again, which
costs nobody anything and turns the beacons on again.

`wifi_watch.py HERE KEPT BOOT`: HERE is forgotten at each start of the box and holds the notices for the portal; KEPT
outlives it; BOOT is this start's name.
"""

import contextlib
import dataclasses
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

# What is looked after: the steps against its trouble, gentlest first; how many bad looks in a row each step takes. The
# portal may be busy for minutes with a large bundle on a small Pi, or start slowly.
LADDERS = {"wifi": ("hostapd", "driver", "box"), "names": ("dns", "box"), "portal": ("island", "box"),
           "joined": ("hostapd",)}
LOOKS = {"wifi": 3, "names": 3, "portal": 15, "joined": 1440}  # the last: a day
EXIT = {"hostapd": 70, "driver": 71, "dns": 72, "island": 73, "box": 74}  # recover knows them
PERIOD_S, HOUR_S, DAY_S = 60, 3600, 86_400
QUESTION_S, PAGE_S = 10, 30
CARD, ADDRESS, ALWAYS = "wlan0", "198.51.100.1", "127.0.0.1"
HOSTAPD = Path("/run/archipel-wifi/asked/wlan0")
WANTED = Path("/run/archipel-box/hostapd.conf")
NETWORK = Path("/sys/class/net")
NAME_QUERY = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\x08archipel\x03lan\x00" + struct.pack(">2H", 1, 1)  # RFC 1035


def N_(text: str) -> str:
    """Mark a sentence for the catalogues; the portal says it in the reader's language."""
    return text


TOLD = {
    ("wifi", "hostapd"): N_("The Wi-Fi had stopped answering. The box has started it again."),
    ("wifi", "driver"): N_("The Wi-Fi chip had stopped answering. The box has loaded its driver again."),
    ("wifi", "box"): N_("The Wi-Fi had stopped and could not be woken, so the box has started itself again. If this comes "
                        "often, try another power supply: too weak a one is the usual cause."),
    ("names", "dns"): N_("The service that gives phones their addresses had stopped answering. "
                         "The box has started it again."),
    ("names", "box"): N_("The service that gives phones their addresses could not be woken, "
                         "so the box has started itself again."),
    ("portal", "island"): N_("These pages had not been there for a while. The box has started the island again."),
    ("portal", "box"): N_("These pages were not there and the island could not be woken, "
                          "so the box has started itself again."),
}


@dataclasses.dataclass(frozen=True)
class Memory:
    """`bad`: looks in a row, by what is looked after; `taken`: the uptime in seconds at which each step was last taken."""

    bad: Mapping[str, int] = dataclasses.field(default_factory=dict)
    taken: Mapping[str, float] = dataclasses.field(default_factory=dict)


def decide(memory: Memory, sick: set[str], uptime_s: float, began_by_us: bool) -> tuple[Memory, tuple[str, str] | None]:
    """What to remember, and the step to take if any: (what is looked after, step).

    `began_by_us`: this start of the box was such a step, so there is none other within its first hour. Uptime is the only
    clock that a box without a battery has.
    """
    bad = {part: memory.bad.get(part, 0) + 1 if part in sick else 0 for part in LADDERS}
    never = -HOUR_S
    taken = {"box": 0.0 if began_by_us else never, **memory.taken}
    for part, ladder in LADDERS.items():
        step = next((step for step in ladder if uptime_s - taken.get(step, never) >= HOUR_S), None)
        if step and bad[part] >= LOOKS[part]:
            return Memory({**bad, part: 0}, {**memory.taken, step: uptime_s}), (part, step)
    return Memory(bad, memory.taken), None


class Looks:
    """What is asked at each look. `answers(part)` is False for trouble; None when there is nothing to look after."""

    def __init__(self, here: Path) -> None:
        self._here = here
        self._hanging: dict[str, subprocess.Popen] = {}
        self._seen = False  # a box without a Wi-Fi chip is not sick
        self._with_it: str | None = None  # None: not known

    def sick(self) -> set[str]:
        """What is in trouble now."""
        self._seen = self._seen or (NETWORK / CARD).exists()
        wifi = self._seen and WANTED.exists()
        address = ADDRESS if wifi else ALWAYS
        looks: dict[str, Callable[[], bool]] = {"portal": lambda: page_comes(address)}
        if wifi:
            looks |= {"wifi": self._wifi_lives, "names": lambda: names_are_given(address),
                      "joined": lambda: self._with_it != ""}
        return {part for part, look in looks.items() if not look()}

    def _wifi_lives(self) -> bool:
        opened, self._with_it = self._ask("info"), self._ask("station", "dump")
        return (opened is not None and "type AP" in opened and "ssid " in opened and "channel " in opened
                and self._with_it is not None and hostapd_answers(self._here / "asks"))

    def _ask(self, *question: str) -> str | None:
        """What `iw` says of the card, None when it fails or hangs. One that hangs in the kernel cannot be ended: it is
        left, and counts as an answer that did not come until it is gone.
        """
        key = " ".join(question)
        hanging = self._hanging.get(key)
        if hanging and hanging.poll() is None:
            return None
        command = ["iw", "dev", CARD, *question]
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            told, _ = asked.communicate(timeout=QUESTION_S)
        except subprocess.TimeoutExpired:
            asked.kill()
            self._hanging[key] = asked
            return None
        finally:
            assert asked.stdout, "it has a pipe"
            asked.stdout.close()
        return told if asked.returncode == 0 else None


def hostapd_answers(own: Path) -> bool:
    """Whether hostapd answers on its control socket (its "PING"); `own` is our end of it."""
    own.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.settimeout(QUESTION_S)
            peer.bind(str(own))
            peer.connect(str(HOSTAPD))
            peer.send(b"PING")
            return peer.recv(64).startswith(b"PONG")
    except OSError:
        return False


def names_are_given(address: str) -> bool:
    """Whether a name is answered at this address."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(QUESTION_S)
        peer.connect((address, 53))
        peer.send(NAME_QUERY)
        return peer.recv(1500)[:2] == NAME_QUERY[:2]
    return False


def page_comes(address: str) -> bool:
    """Whether the first page comes whole from this address."""
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(f"http://{address}/", timeout=PAGE_S) as answer:
        return b"</html>" in answer.read(100_000)
    return False


class Diary:
    """What outlives this program (`here`) and the box (`kept`). A card that takes nothing keeps nobody from being woken."""

    def __init__(self, here: Path, kept: Path, boot: str):
        self._memory, self._notices, self._kept, self._boot = here / "memory", here / "notices", kept / "step", boot

    def load(self) -> tuple[Memory, bool]:
        """What was remembered within this start of the box, and whether the start itself was a step of ours."""
        now = _read(self._memory)
        if now.get("boot") == self._boot:
            return Memory(now["bad"], now["taken"]), now["began_by_us"]
        last = _read(self._kept)
        began_by_us = last.get("step") == "box" and last.get("boot") != self._boot
        if began_by_us:
            self._tell(last["part"], "box")
            _write(self._kept, {"boot": self._boot, "step": "begun"})  # the next start is a keeper's, unless told otherwise
        return Memory(), began_by_us

    def remember(self, memory: Memory, began_by_us: bool) -> None:
        """Keep it for the next run of this program."""
        _write(self._memory, {"boot": self._boot, "bad": dict(memory.bad), "taken": dict(memory.taken),
                              "began_by_us": began_by_us})

    def step(self, part: str, step: str) -> None:
        """Tell the portal what is done now, and the next start of the box if that is what is done."""
        self._tell(part, step)
        if step == "box":
            _write(self._kept, {"boot": self._boot, "part": part, "step": step})

    def clear(self) -> None:
        """Nothing to tell any more."""
        self._notices.unlink(missing_ok=True)

    def _tell(self, part: str, step: str) -> None:
        with contextlib.suppress(OSError, KeyError):
            self._notices.write_text(json.dumps({"text": TOLD[part, step]}) + "\n")
            self._notices.chmod(0o644)


def _read(path: Path) -> dict:
    with contextlib.suppress(OSError, ValueError):
        told = json.loads(path.read_text())
        return told if isinstance(told, dict) else {}
    return {}


def _write(path: Path, value: dict) -> None:
    beside = path.with_name(path.name + ".part")
    with contextlib.suppress(OSError), beside.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
        beside.rename(path)


def uptime() -> float:
    """Seconds since the box started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def main(here: Path, kept: Path, boot: str) -> int:
    """Look until a step has to be taken; its exit status."""
    diary, looks = Diary(here, kept, boot), Looks(here)
    memory, began_by_us = diary.load()
    while True:
        memory, wanted = decide(memory, looks.sick(), uptime(), began_by_us)
        if wanted:
            diary.step(*wanted)
            diary.remember(memory, began_by_us)
            print(f"{wanted[0]}: {LOOKS[wanted[0]]} bad looks; next: {wanted[1]}", flush=True)
            return EXIT[wanted[1]]
        if uptime() - max(memory.taken.values(), default=0.0) > DAY_S:
            diary.clear()
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
