"""`make image-test`: what a built card does in QEMU, at its first start and at worse moments.

`boottest.py IMAGE [CASE...]` prints a line a case, and the figures as a JSON object at the end.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from app import PROJECT
from build import KEY
from bundle import make_bundle, signing_key
from node.shell.selftest import fetch, post_by_form
from radio.simradio import SimulatedMesh
from radio.topology import line
from vm import Card, Machine, Trouble, free_port, make_stick, read_stick

SERVICES = ("box", "island", "front", "health", "join", "stick", "update", "dns", "broker", "keeper", "wipe")
MAX_EXPOSURE = 1.5
POWER_CUTS = 10
EXCHANGE_PATIENCE_S = 600
SLOW_CLIENTS = 200
SPEED = 4.0


class Bench:
    """Where a run keeps its cards, its key to the boxes' shells and its figures."""

    def __init__(self, image: Path, folder: Path, cuts: int, seed: int):
        self.image, self.folder, self.cuts, self.seed = image, folder, cuts, seed
        self.figures: dict[str, float | int | str] = {"image_mib": image.stat().st_size >> 20, "seed": seed}
        squeezed = Path(f"{image}.xz")
        if squeezed.exists():
            self.figures["compressed_mib"] = squeezed.stat().st_size >> 20
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "boottest", "-f", str(self.key)], check=True)
        self._numbers = itertools.count()

    def settings(self, name: str = "Île d'essai", more: str = "") -> str:
        """A settings file that opens a remote shell to this bench."""
        key = self.key.with_suffix(".pub").read_text().strip()
        return f'[node]\nname = "{name}"\n[box]\nssh_key = "{key}"\n{more}'

    def card(self, settings: str | None = None, files: dict[str, str | bytes] | None = None) -> Card:
        """A fresh card."""
        given = {"archipel.toml": self.settings() if settings is None else settings, **(files or {})}
        return Card(self.image, self.folder / f"card{next(self._numbers)}", given)

    def archipel(self, machine: Machine, command: str) -> str:
        """What Archipel's own command line says in a box."""
        return machine.shell(f"archipel {command}", self.key)


def check(right: bool, otherwise: str) -> None:
    """Raise Trouble unless it is right."""
    if not right:
        raise Trouble(otherwise)


def board(machine: Machine) -> str:
    """Everything that the portal lists as bulletins, page after page."""
    pages, address = [], "bulletins"
    while address:
        page = fetch(machine.url + address)
        pages.append(page)
        after = page.partition("/bulletins?after=")[2].partition('"')[0]
        address = f"bulletins?after={after}" if after else ""
    return "\n".join(pages)


def first_start(bench: Bench) -> None:
    """A fresh card comes up to the portal: nothing failed, services closed, memory with room, captive answers."""
    with Machine(bench.card()) as machine:
        bench.figures["first_start_s"] = round(machine.switch_on())
        machine.pull_the_plug()
        bench.figures["start_s"] = round(machine.switch_on())
        time.sleep(20)
        shell = lambda command: machine.shell(command, bench.key)  # noqa: E731 - said often below
        failed = shell("systemctl list-units --failed --plain --no-legend").strip()
        check(not failed, f"failed units: {failed}")
        memory = {words[0]: int(words[1]) for words in map(str.split, shell("cat /proc/meminfo").splitlines())}
        bench.figures["memory_used_mb"] = (memory["MemTotal:"] - memory["MemAvailable:"]) // 1024
        bench.figures["memory_total_mb"] = memory["MemTotal:"] // 1024
        check(memory["MemAvailable:"] > 150_000, "less than 150 MB of memory are free")
        exposures = {name: exposure(shell(f"systemd-analyze security --no-pager archipel-{name}.service | tail -1"))
                     for name in SERVICES}
        bench.figures["exposure_worst"] = max(exposures.values())
        check(max(exposures.values()) <= MAX_EXPOSURE, f"too open: {exposures}")
        mounts = shell("findmnt -rno TARGET,FSTYPE,OPTIONS")
        check("/ overlay rw" in mounts and "/data ext4 rw" in mounts and "noatime" in mounts, f"mounts: {mounts}")
        check(int(shell("df --output=size -m /data | tail -1")) > 500, "the data partition did not grow")
        check("Country" in fetch(machine.url) or "country" in fetch(machine.url), "the portal does not ask for a country")
        check(shell("cut -d: -f2 /etc/shadow | sort -u | tr -d '\\n*!x'").strip() == "", "somebody has a password")
        check("active" not in shell("systemctl is-active hostapd mosquitto nginx || true").split(), "too much runs")
        probe = urllib.request.Request(machine.url + "generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
        check(redirect_of(probe) == "http://archipel.lan/hello", "a phone's probe is not led to the portal")


def exposure(line: str) -> float:
    """The figure in the last line of `systemd-analyze security`."""
    return float(line.split(": ")[1].split()[0])


def redirect_of(request: urllib.request.Request) -> str:
    """Where a request is sent on to, "" if it is answered."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        urllib.request.build_opener(Stay).open(request, timeout=20)
    except urllib.error.HTTPError as answer:
        return answer.headers.get("Location", "")
    return ""


def power_cuts(bench: Bench) -> None:
    """Power pulled at random moments of writing: every acknowledged post is there afterwards; the root never changed."""
    rng = random.Random(bench.seed)
    card = bench.card()
    before = card.root_digest()
    acknowledged: list[str] = []
    starts = []
    with Machine(card) as machine:
        for cut in range(bench.cuts):
            starts.append(machine.switch_on())
            shown = board(machine)
            lost = [text for text in acknowledged if text not in shown]
            check(not lost, f"after {cut} cuts these acknowledged posts are gone: {lost}")
            post_until_cut(machine, acknowledged, cut, rng.uniform(3, 20))
        machine.switch_on()
        lost = [text for text in acknowledged if text not in board(machine)]
        check(not lost, f"these acknowledged posts are gone: {lost}")
    check(card.root_digest() == before, "the root partition changed")
    check(len(acknowledged) >= bench.cuts, f"only {len(acknowledged)} posts were acknowledged")
    bench.figures |= {"power_cuts": bench.cuts, "posts_acknowledged": len(acknowledged), "posts_lost": 0,
                      "start_after_cut_s": round(max(starts))}


def post_until_cut(machine: Machine, acknowledged: list[str], cut: int, after_s: float) -> None:
    """Post one bulletin after the other; after some seconds the power goes, in the middle of whatever happens."""
    threading.Timer(after_s, machine.pull_the_plug).start()
    with contextlib.suppress(OSError, http.client.HTTPException):
        for number in range(200):
            text = f"avis {cut}.{number}."
            post_by_form(machine.url, text)
            acknowledged.append(text)
    while machine.runs:
        time.sleep(0.1)


def mangled_settings(bench: Bench) -> None:
    """A settings file with mistakes, then one of noise: the island comes up and names the line."""
    broken = bench.settings(more='country = "France"\nchannel = six\n[wifi]\n')
    with Machine(bench.card(broken)) as machine:
        machine.switch_on()
        page = fetch(machine.url)
        for wanted in ("line 5", "box.country", "line 6", "[wifi]"):
            check(wanted in page, f"the portal does not say {wanted!r}")
        machine.pull_the_plug()
        machine.card.put("archipel.toml", random.Random(bench.seed).randbytes(3000))
        machine.switch_on()
        check("UTF-8" in fetch(machine.url), "the portal does not say that the file is noise")


def slow_clients(bench: Bench) -> None:
    """Two hundred connections that hardly speak: a page is still there within a second of its usual time."""
    with Machine(bench.card()) as machine:
        machine.switch_on()
        usual = page_s(machine)
        slow = [socket.create_connection(("127.0.0.1", machine.port)) for _ in range(SLOW_CLIENTS)]
        for peer in slow:
            peer.sendall(b"POST /post HTTP/1.1\r\nHost: archipel.lan\r\nContent-Length: 1000\r\n\r\na")
        held = page_s(machine)
        for peer in slow:
            peer.close()
    bench.figures |= {"page_ms": round(usual * 1000), "page_with_slow_clients_ms": round(held * 1000)}
    check(held < usual + 1, f"a page took {held:.1f} s instead of {usual:.1f} s")


def page_s(machine: Machine) -> float:
    """The middle of five times of the first page."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        fetch(machine.url)
        times.append(time.monotonic() - began)
    return sorted(times)[2]


def wiped(bench: Bench) -> None:
    """A stick with archipel-wipe.txt: no key is left on the card, and a new island starts."""
    card = bench.card()
    with Machine(card) as machine:
        machine.switch_on()
        post_by_form(machine.url, "à effacer")
        keys = [machine.shell(f"cat /data/archipel/keys/{name}", bench.key).split("\n")[0].encode()
                for name in ("island.key", "charter", "portal.key")]
        machine.shell("sync", bench.key)
        check(all(card.holds(key) for key in keys), "the keys are not on the card: this case would prove nothing")
        machine.plug_stick(make_stick(bench.folder / "wipe.img", {"archipel-wipe.txt": b""}))
        wait_for(lambda: "à effacer" not in board(machine), "the island was not destroyed")
        machine.wait_for_portal()
        machine.shell("sync", bench.key)
    check(not any(card.holds(key) for key in keys), "a key is still on the card")


def seen_by_a_phone(bench: Bench) -> None:
    """On simulated Wi-Fi cards a phone gets an address, is led to the portal by any name, and may stay."""
    with Machine(bench.card(bench.settings(more='country = "FR"\n'))) as machine:
        machine.switch_on()
        program = (Path(__file__).parent / "phone.py").read_text()
        machine.shell(f"cat > /tmp/phone.py <<'END'\n{program}\nEND", bench.key)
        seen = json.loads(machine.shell("python3 /tmp/phone.py join \"Île d'essai\"", bench.key, patience_s=400))
    check(seen["lease"].startswith("198.51.100."), f"the address given is {seen['lease']}")
    check(seen["any_name"] == {"rcode": 0, "address": "198.51.100.1", "ttl": 0}, f"DNS: {seen['any_name']}")
    check(seen["no_private_dns"] == {"rcode": 3}, f"DNS: {seen['no_private_dns']}")
    check(seen["probe"] == [302, "http://archipel.lan/hello"], f"the first probe: {seen['probe']}")
    check((seen["stay"], seen["probe_after"], seen["home"]) == (200, 204, 200), f"staying: {seen}")
    check(seen["doors"]["443"] == "refused" and "open" not in seen["doors"].values(), f"doors: {seen['doors']}")


def exchanged_by_stick(bench: Bench) -> None:
    """A stick takes what one island has to another of the same set, plugged in and pulled out."""
    stick = make_stick(bench.folder / "stick.img", {})
    with Machine(bench.card(bench.settings("Nord"))) as one:
        one.switch_on()
        post_by_form(one.url, "par la clé USB")
        card = bench.card(bench.settings("Sud"), {"invitation.txt": invitation(bench, one)})
        one.plug_stick(stick)
        wait_for(lambda: b"take the stick" in (read_stick(stick, "archipel.txt") or b""), "nothing is on the stick")
        wait_for(lambda: not one.shell("findmnt -rno TARGET /run/stick || true", bench.key), "the stick is still in use")
        one.pull_stick()
    with Machine(card) as other:
        other.switch_on()
        other.plug_stick(stick)
        wait_for(lambda: "par la clé USB" in board(other), "the stick's record is not on the other island")


def invitation(bench: Bench, machine: Machine) -> str:
    """The text that lets another card into this machine's set."""
    return bench.archipel(machine, "invite --no-qr").rpartition("Good for")[0]


def exchanged_by_cable(bench: Bench) -> None:
    """Two boxes on one virtual cable, nothing else between them: a post on one appears on the other."""
    cable = free_port()
    with contextlib.ExitStack() as machines:
        one = machines.enter_context(Machine(bench.card(bench.settings("Nord")), cable=cable))
        one.switch_on()
        other = machines.enter_context(Machine(
            bench.card(bench.settings("Sud"), {"invitation.txt": invitation(bench, one)}), cable=cable))
        other.switch_on()
        post_by_form(one.url, "par le câble")
        began = time.monotonic()
        wait_for(lambda: "par le câble" in board(other), "the post did not arrive by cable")
        bench.figures["by_cable_s"] = round(time.monotonic() - began)


def heard_by_radio(bench: Bench) -> None:
    """Two boxes, each with a simulated Meshtastic radio on USB: a post on one appears on the other."""
    with SimulatedMesh(line(2), seed=bench.seed, speed=1) as mesh, contextlib.ExitStack() as machines:
        ports = list(mesh.ports.values())
        one = machines.enter_context(Machine(bench.card(bench.settings("Nord")), radio=ports[0]))
        one.switch_on()
        other = machines.enter_context(Machine(
            bench.card(bench.settings("Sud"), {"invitation.txt": invitation(bench, one)}), radio=ports[1]))
        other.switch_on()
        post_by_form(one.url, "par les ondes")
        began = time.monotonic()
        wait_for(lambda: "par les ondes" in board(other), "the post did not arrive by radio")
        bench.figures["by_radio_s"] = round(time.monotonic() - began)


def updated(bench: Bench) -> None:
    """A good update is taken and kept; a forged one is refused; a mute one is taken back by the box itself."""
    key, work = signing_key(KEY), bench.folder / "updates"
    work.mkdir()
    good, mute = unpacked(bench, work / "good"), unpacked(bench, work / "mute")
    (mute / "node/__main__.py").write_text("raise SystemExit('mute')\n")
    shutil.rmtree(mute / "node/__pycache__")
    bundles = {name: make_bundle(folder, version, with_key, work).read_bytes() for name, folder, version, with_key in (
        ("forged", good, "77.0.0", signing_key(work / "stranger.key")), ("good", good, "88.0.0", key),
        ("mute", mute, "99.0.0", key))}
    with Machine(bench.card()) as machine:
        machine.switch_on()
        post_by_form(machine.url, "avant la mise à jour")
        in_use = lambda: machine.shell("readlink /data/app/current || true", bench.key).strip()  # noqa: E731
        for name, expected in (("forged", ""), ("good", "88.0.0"), ("mute", "88.0.0")):
            offer(bench, machine, make_stick(work / f"{name}.img", {f"archipel-update-{name}.bundle": bundles[name]}))
            if name == "mute":
                wait_for(lambda: "99.0.0" in machine.shell("cat /data/app/refused", bench.key), "it was not taken back")
            machine.wait_for_portal()
            check(in_use() == expected, f"after the {name} update {in_use()!r} is in use")
            check("avant la mise" in board(machine), f"after the {name} update a post is gone")
        machine.pull_the_plug()
        machine.switch_on()
        check(in_use() == "88.0.0", "after a restart another version is in use")


def offer(bench: Bench, machine: Machine, stick: Path) -> None:
    """Plug a stick with an update in, wait until the box has dealt with it, pull it out."""
    idle = ("! systemctl is-active --quiet archipel-update archipel-stick run-stick.mount"
            " && journalctl -qu archipel-update -n 1")
    before = machine.shell("journalctl -qu archipel-update | wc -l", bench.key)
    machine.plug_stick(stick)
    wait_for(lambda: machine.shell("journalctl -qu archipel-update | wc -l", bench.key) != before, "the stick was not seen")
    wait_for(lambda: machine.shell(f"{idle} || true", bench.key), "the update does not end")
    machine.pull_stick()


def unpacked(bench: Bench, folder: Path) -> Path:
    """The application that the image holds, as files."""
    root = bench.image.parent / "root.squashfs"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-no-xattrs", "-d", str(folder), str(root), "opt/archipel"],
                   check=True, stdout=subprocess.DEVNULL)
    return next(path for path in (folder / "opt/archipel").iterdir() if not path.is_symlink())


def wait_for(happened: Callable[[], object], otherwise: str, patience_s: float = EXCHANGE_PATIENCE_S) -> None:
    """Wait until it happened, through whatever restarts meanwhile."""
    give_up_at = time.monotonic() + patience_s
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError, Trouble, subprocess.TimeoutExpired):
            if happened():
                return
        time.sleep(2)
    raise Trouble(otherwise)


CASES = {case.__name__: case for case in (
    first_start, power_cuts, mangled_settings, slow_clients, seen_by_a_phone, wiped,
    exchanged_by_stick, exchanged_by_cable, heard_by_radio, updated)}


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("cases", nargs="*", help=f"all if none is named: {', '.join(CASES)}")
    parser.add_argument("--cuts", type=int, default=POWER_CUTS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_intermixed_args()
    failed = 0
    with tempfile.TemporaryDirectory(dir=PROJECT / "build", prefix="boottest-") as folder:
        bench = Bench(wanted.image, Path(folder), wanted.cuts, wanted.seed)
        for name in wanted.cases or CASES:
            began = time.monotonic()
            try:
                CASES[name](bench)
                print(f"ok      {name}, {time.monotonic() - began:.0f} s: {CASES[name].__doc__.strip()}", flush=True)
            except (Trouble, OSError, subprocess.SubprocessError) as trouble:
                failed += 1
                print(f"FAILED  {name}: {trouble}", flush=True)
    print(json.dumps(bench.figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
