"""The cases of the boot test: what a built card does at its first start and at worse moments, or Trouble."""

import contextlib
import http.client
import json
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from archipel_image.base import mirrors
from archipel_image.build import KEY
from archipel_image.bundle import make_bundle, signing_key
from archipel_image.sources import PROJECT
from archipel_image.testbench import PAGE_PATIENCE_S, Bench, board, check, post, redirect_of, wait_for
from archipel_image.vm import DATA, EFI, Machine, Pi3, Trouble, make_disk, make_stick, make_system, read_stick, write_stick
from node.cli.selftest import fetch, post_by_form
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line

SERVICES = ("box", "island", "front", "health", "join", "stick", "update", "dns", "broker", "keeper", "wipe", "problems",
            "watch", "radio")
CLOSED = ("hostapd", "mosquitto", "nginx", "archipel-dns", "archipel-broker")  # unless the settings say otherwise
NOT_ON_ROOT = ("etc/ssh/ssh_host_*", "etc/apt", "etc/*-", "var/lib/apt/lists/*", "var/cache/*", "var/log/*", "root/.*/*",
               "home/*", "data/*", "etc/systemd/system/*.wants/apt-*")
PUBLIC_ARCHIVE, MIN_TELLING = "deb.debian.org", 6  # a shorter name of a host or user is a word like any other
MAX_EXPOSURE = 1.5
MIN_FREE_KB, MIN_DATA_MIB = 150_000, 500
SLOW_CLIENTS = 200
MIDDLE_OF_FIVE = """
import time, urllib.request
times = []
for _ in range(5):
    began = time.monotonic()
    urllib.request.urlopen("http://127.0.0.1/").read()
    times.append(time.monotonic() - began)
print(sorted(times)[2])"""


LOOK_AT_STICK = ("mkdir -p /tmp/look && mount.archipel /dev/archipel-stick /tmp/look && ls /tmp/look && "
                 "findmnt -rno FSTYPE /tmp/look; umount /tmp/look")
# In the box: two bring files and are not done; what a third one, and others, meet meanwhile.
UPLOADS = """
import socket, time
def begin(client, path, octets, sent):
    line = socket.socket(); line.settimeout(120); line.bind((client, 0)); line.connect(("127.0.0.1", 80))
    head = f"POST {path} HTTP/1.1\\r\\nHost: archipel.lan\\r\\nConnection: close\\r\\nAccept-Language: fr\\r\\n"
    line.sendall(f"{head}Content-Length: {octets}\\r\\n\\r\\n".encode())
    try:
        line.sendall(b"x" * sent)
    except OSError:
        pass
    return line
def answer(line):
    raw = b""
    try:
        while block := line.recv(65536):
            raw += block
    except OSError:
        pass
    return raw.split(b" ", 2)[1].decode(), "lang=\\"fr\\"" in raw.decode()
held = [begin(f"127.0.0.{n}", "/courier", 12_000_000, 11_000_000) for n in (2, 3)]
time.sleep(5)
print(*answer(begin("127.0.0.4", "/courier", 1000, 1000)))
print(*answer(begin("127.0.0.5", "/lan", 900_000, 900_000)))
print(*answer(begin("127.0.0.6", "/post", 250_000, 250_000)))"""


def nothing_of_the_host(bench: Bench) -> None:
    """The root holds no secret, no identity, and nothing of the machine that built it."""
    root = bench.folder / "root"
    unsquash(bench, root)
    left = [path for pattern in NOT_ON_ROOT for path in root.glob(pattern)]
    check(not left, f"on the root: {left}")
    check(not (root / "etc/machine-id").read_text(), "the root has a machine id")
    needles = [needle.encode() for needle in names_of_this_host()]
    told = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()
            and any(needle in content for content in (path.read_bytes(),) for needle in needles)]
    check(not told, f"these tell of the build host: {told}")
    shutil.rmtree(root)


def names_of_this_host() -> set[str]:
    """What would betray where an image was built: folders, name servers, package servers, the machine's name."""
    servers = {words[1] for words in map(str.split, Path("/etc/resolv.conf").read_text().splitlines())
               if words[:1] == ["nameserver"] and not words[1].startswith("127.")}
    archives = {mirror.split("/")[2] for mirror in mirrors()} - {PUBLIC_ARCHIVE}
    named = {name for name in (socket.gethostname(), Path.home().name) if len(name) >= MIN_TELLING}
    return {str(PROJECT), *servers, *archives, *named}


def first_start(bench: Bench) -> None:
    """A fresh card comes up to the portal: nothing failed, services closed, memory with room, captive answers."""
    machine = bench.alone()
    machine.pull_the_plug()
    bench.figures["start_s"] = round(machine.switch_on())
    bench.figures["start_cpu_s"] = round(machine.cpu_s())
    wait_for(lambda: bench.shell(machine, "systemctl is-system-running --wait || true"), "the start does not end")
    failed = bench.shell(machine, "systemctl list-units --failed --plain --no-legend").strip()
    check(not failed, f"failed units: {failed}")
    memory = {words[0]: int(words[1]) for words in map(str.split, bench.shell(machine, "cat /proc/meminfo").splitlines())}
    bench.figures["memory_used_mb"] = (memory["MemTotal:"] - memory["MemAvailable:"]) // 1024
    bench.figures["memory_total_mb"] = memory["MemTotal:"] // 1024
    check(memory["MemAvailable:"] > MIN_FREE_KB, "too little memory is free")
    mounts = bench.shell(machine, "findmnt -rno TARGET,FSTYPE,OPTIONS")
    check("/ overlay rw" in mounts and "/data ext4 rw" in mounts and "noatime" in mounts, f"mounts: {mounts}")
    check(int(bench.shell(machine, "df --output=size -m /data | tail -1")) > MIN_DATA_MIB, "the data partition is small")
    check("nameserver 10.0.2.3" in bench.shell(machine, "cat /etc/resolv.conf"), "names are not asked where DHCP says")
    home = wait_for(lambda: fetch(machine.url + "?lang=en"), "no first page")
    check("no country is set" in home, "the portal does not say how to set a country")
    probe = urllib.request.Request(machine.url + "generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    check(redirect_of(probe) == "http://archipel.lan/hello", "a phone's probe is not led to the portal")


def closed(bench: Bench) -> None:
    """Services are as closed as promised, what nobody chose does not run, nobody has a password."""
    machine = bench.alone()
    names = " ".join(f"archipel-{name}.service" for name in SERVICES)
    asked = f"for unit in {names}; do systemd-analyze security --no-pager $unit | tail -1; done"
    told = machine.shell(asked, bench.key, patience_s=900)
    exposures = dict(zip(SERVICES, map(exposure, told.splitlines()), strict=True))
    bench.figures["exposure_worst"] = max(exposures.values())
    check(max(exposures.values()) <= MAX_EXPOSURE, f"too open: {exposures}")
    check("active" not in bench.shell(machine, f"systemctl is-active {' '.join(CLOSED)} || true").split(), "too much runs")
    passwords = bench.shell(machine, "cut -d: -f2 /etc/shadow | sort -u | tr -d '\\n*!x'").strip()
    check(not passwords, "somebody has a password")


def exposure(line: str) -> float:
    """The figure in the last line of `systemd-analyze security`."""
    return float(line.split(": ")[1].split()[0])


def slow_clients(bench: Bench) -> None:
    """Two hundred connections of one client that hardly speak: another's page is there within seconds of its usual time."""
    machine = bench.alone()
    usual = page_s(bench, machine)
    with contextlib.ExitStack() as peers:
        for _ in range(SLOW_CLIENTS):
            peer = peers.enter_context(socket.create_connection(("127.0.0.1", machine.port)))
            peer.sendall(b"POST /post HTTP/1.1\r\nHost: archipel.lan\r\nContent-Length: 1000\r\n\r\na")
        held = page_s(bench, machine)
    bench.figures |= {"page_ms": round(usual * 1000), "page_with_slow_clients_ms": round(held * 1000)}
    check(held < 2 * usual + 2, f"a page took {held:.1f} s instead of {usual:.1f} s")


def page_s(bench: Bench, machine: Machine) -> float:
    """The middle of five times of the first page, asked for in the box: a client with an address of its own."""
    return float(bench.shell(machine, f"python3 - <<'END'{MIDDLE_OF_FIVE}\nEND"))


def front(bench: Bench) -> None:
    """While two bring large files a third one waits, others do not; a form sent during a start is answered in its language."""
    machine = bench.alone()
    third, island, form = bench.shell(machine, f"python3 - <<'END'{UPLOADS}\nEND").splitlines()
    check(third == "429 True", f"a third file: {third}")
    check(island.startswith("403"), f"another island meanwhile: {island}")  # the portal's own answer to noise
    check(form[:1] in "24" and not form.startswith("429"), f"a long post meanwhile: {form}")
    used = int(bench.shell(machine, "systemctl show -P MemoryPeak archipel-front")) >> 20
    bench.figures["front_peak_mb"] = used
    bench.shell(machine, "systemctl stop archipel-island")
    try:
        request = urllib.request.Request(machine.url + "post", b"text=a", {"Accept-Language": "ar"})
        told = error_of(request)
        check(told[0] == 503 and 'lang="ar"' in told[1], f"a form during a start: {told}")
    finally:
        bench.shell(machine, "systemctl start archipel-island")
    machine.wait_for_portal()


def error_of(request: urllib.request.Request) -> tuple[int, str]:
    """(status, page) of what a request is refused with."""
    try:
        with urllib.request.urlopen(request, timeout=PAGE_PATIENCE_S) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def power_cuts(bench: Bench) -> None:
    """Power pulled at random moments of writing: every acknowledged post is there afterwards; the root never changed."""
    rng, machine = random.Random(bench.seed), bench.alone()
    before = machine.card.root_digest()
    acknowledged: list[str] = []
    starts = []
    for cut in range(1, bench.cuts + 1):
        post_until_cut(machine, acknowledged, cut, rng.uniform(3, 20))
        starts.append(machine.switch_on())
        shown = board(machine)
        lost = [text for text in acknowledged if text not in shown]
        check(not lost, f"after {cut} cuts these acknowledged posts are gone: {lost}")
        print(f"  cut {cut}: {len(acknowledged)} posts acknowledged, all there; back in {starts[-1]:.0f} s", flush=True)
    check(machine.card.root_digest() == before, "the root partition changed")
    check(len(acknowledged) >= bench.cuts, f"only {len(acknowledged)} posts were acknowledged")
    bench.figures |= {"power_cuts": bench.cuts, "posts_acknowledged": len(acknowledged), "posts_lost": 0,
                      "start_after_cut_s": round(max(starts))}


def post_until_cut(machine: Machine, acknowledged: list[str], cut: int, after_s: float) -> None:
    """Post one bulletin after the other; some seconds after the first, the power goes in the middle of whatever happens."""
    post(machine, text := f"avis {cut}.first.")
    acknowledged.append(text)
    threading.Timer(after_s, machine.pull_the_plug).start()
    with contextlib.suppress(OSError, http.client.HTTPException):
        for number in range(200):
            text = f"avis {cut}.{number}."
            post_by_form(machine.url, text, PAGE_PATIENCE_S)
            acknowledged.append(text)
    while machine.runs:
        time.sleep(0.1)


def mangled_settings(bench: Bench) -> None:
    """A settings file with mistakes, then one of noise: the island comes up and names the line, on the card too."""
    broken = bench.settings(more='country = "Atlantis"\nchannel = six\n[weather]\n')
    with Machine(bench.card(broken)) as machine:
        machine.switch_on()
        page = re.sub("<[^>]+>", "", wait_for(lambda: fetch(machine.url + "?lang=en"), "no first page"))
        for wanted in ("line 5", "[box] country", "line 6", "[weather]"):
            check(wanted in page, f"the portal does not say {wanted!r}")
        bench.shell(machine, "systemctl start archipel-problems.service; grep -q '/boot/firmware vfat ro' /proc/mounts")
        machine.pull_the_plug()
        machine.card.get("archipel-problems.txt", bench.folder / "problems.txt")
        check("Atlantis" in (bench.folder / "problems.txt").read_text(), "the card does not say what is wrong")
        machine.card.put("archipel.toml", random.Random(bench.seed).randbytes(3000))
        machine.switch_on()
        page = wait_for(lambda: fetch(machine.url), "no first page")
        check("UTF-8" in page, "the portal does not say that the file is noise")


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
    """Sticks of every usual format are read and written, on a Mac's or a PC's table the part for files; others are left alone."""
    machine = bench.alone()
    kinds: dict[str, Path] = {}
    for system in ("vfat", "exfat", "ntfs", "ext4"):
        kinds[system] = make_disk(bench.folder / f"{system}.img", "dos", [("83", system, 200)])
        kinds[f"mac {system}"] = make_disk(bench.folder / f"mac-{system}.img", "gpt",
                                           [(EFI, "vfat", 40), (DATA, system, 200)])
    kinds["no table"] = make_system(bench.folder / "plain.img", "vfat", 16)
    kinds["two"] = make_disk(bench.folder / "two.img", "dos", [("8e", "LVM2 001", 40), ("c", "vfat", 60), ("7", "exfat", 100)])
    for name, image in kinds.items():
        began = "journalctl -qu archipel-stick | grep -c Finished || true"
        before = bench.shell(machine, began)
        machine.plug_stick(image)
        wait_for(lambda before=before: bench.shell(machine, began) != before, f"the stick {name!r} is not used")
        wait_for(lambda: not bench.shell(machine, "findmnt -rno TARGET /run/stick || true"), f"the stick {name!r} stays in use")
        left = bench.shell(machine, LOOK_AT_STICK)
        machine.pull_stick()
        check("archipel.txt" in left and ".bundle" in left, f"on the stick {name!r} there is {left!r}")
        check(name.split()[-1].replace("two", "exfat") in left or name == "no table", f"the stick {name!r}: {left!r}")
    lvm = make_disk(bench.folder / "lvm.img", "dos", [("8e", "LVM2 001", 200)])
    machine.plug_stick(lvm)
    wait_for(lambda: bench.shell(machine, "ls /dev/sd*1 2>/dev/null || true"), "the stick with noise is not seen")
    bench.shell(machine, "udevadm settle")
    check(not bench.shell(machine, "ls /dev/archipel-stick 2>/dev/null || true"), "a stick with noise is used")
    machine.pull_stick()


def exchanged_by_cable(bench: Bench) -> None:
    """Two boxes on one virtual cable, nothing else between them: a post on one appears on the other."""
    north, south = bench.pair()
    for machine in (north, south):
        machine.plug_cable(True)
    post(north, "par le câble")
    began = time.monotonic()
    wait_for(lambda: "par le câble" in board(south), "the post did not arrive by cable")
    bench.figures["by_cable_s"] = round(time.monotonic() - began)
    for machine in (north, south):
        machine.plug_cable(False)


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


def seen_by_a_phone(bench: Bench) -> None:
    """On simulated Wi-Fi a phone gets an address, is led to the portal by any name, may stay, and meets no other phone."""
    north, _ = bench.pair()
    install_phone(bench, north)
    seen = json.loads(north.shell("python3 /tmp/phone.py join Nord", bench.key, patience_s=900))
    check(all(lease.startswith("198.51.100.") for lease in seen["leases"].values()), f"addresses given: {seen['leases']}")
    check(seen["any_name"] == {"rcode": 0, "address": "198.51.100.1", "ttl": 0}, f"DNS: {seen['any_name']}")
    check(seen["no_private_dns"] == {"rcode": 3}, f"DNS: {seen['no_private_dns']}")
    check(seen["probe"] == [302, "http://archipel.lan/hello"], f"the first probe: {seen['probe']}")
    check((seen["stay"], seen["probe_after"], seen["home"]) == (200, 204, 200), f"staying: {seen}")
    check(set(seen["doors"].values()) == {"refused"}, f"doors: {seen['doors']}")
    check(seen["other_phone"] not in ("open", "refused"), "one phone reaches another")


def odd_frames(bench: Bench) -> None:
    """ANQP questions, as a phone asks whose owner taps (i), and management frames of every kind of nonsense: the Wi-Fi lives on."""
    north, _ = bench.pair()
    install_phone(bench, north)
    seen = json.loads(north.shell("python3 /tmp/phone.py odd Nord", bench.key, patience_s=1800))
    bench.figures["odd_frames"] = seen["sent"]
    check(seen["heard"] > 0, "the island's Wi-Fi heard none of them: this case would prove nothing")
    check(seen["joined_again"], "no phone can join any more")
    check(not seen["trouble"], f"the kernel says: {seen['trouble']}")
    check(seen["same_hostapd"], "hostapd crashed")


def install_phone(bench: Bench, machine: Machine) -> None:
    """Put the program that plays the phones into a box."""
    program = (Path(__file__).parent / "phone.py").read_text()
    bench.shell(machine, f"cat > /tmp/phone.py <<'END'\n{program}\nEND")


def wifi_dies(bench: Bench) -> None:
    """A hostapd that hangs, then a network that is off the air, twice: the service, the driver, the box are started again."""
    north, _ = bench.pair()
    bench.shell(north, "ls /sys/class/net/wlan0 2>/dev/null || modprobe mac80211_hwsim radios=1")
    on_air = "iw dev wlan0 info | grep ssid || true"
    wait_for(lambda: bench.shell(north, on_air), "no simulated Wi-Fi")
    wait_for(lambda: "watch" in bench.shell(north, "systemctl is-active --quiet archipel-watch && echo watch"), "no watch")
    pid = bench.shell(north, "systemctl show -P MainPID hostapd")
    bench.shell(north, f"kill -STOP {pid}")
    began = time.monotonic()
    wait_for(lambda: bench.shell(north, "systemctl show -P MainPID hostapd") not in (pid, "0\n"), "hostapd stays stopped", 1800)
    bench.figures["hostapd_woken_s"] = round(time.monotonic() - began)
    wait_for(lambda: "had stopped answering" in fetch(north.url + "?lang=en"), "the portal does not tell of it")
    wait_for(lambda: bench.shell(north, on_air), "the network is not back")
    bench.shell(north, "iw dev wlan0 ap stop")
    wait_for(lambda: "driver" in fetch(north.url + "?lang=en"), "the driver is not loaded again", 1800)
    wait_for(lambda: bench.shell(north, on_air), "the network is not back")
    boot = bench.shell(north, "cat /proc/sys/kernel/random/boot_id")
    bench.shell(north, "iw dev wlan0 ap stop")
    wait_for(lambda: bench.shell(north, "cat /proc/sys/kernel/random/boot_id") != boot, "the box is not started again", 1800)
    north.wait_for_portal()
    wait_for(lambda: "started itself again" in fetch(north.url + "?lang=en"), "the portal does not tell why it started")


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


def updated(bench: Bench) -> None:
    """A good update is taken and kept; a forged one is refused; a mute one is taken back by the box itself."""
    machine, bundles = bench.alone(), make_updates(bench, bench.folder / "updates")
    post(machine, "avant la mise à jour")
    in_use = lambda: bench.shell(machine, "readlink /data/app/current || true").strip()  # noqa: E731 - said often below
    for name, expected in (("forged", ""), ("good", "88.0.0"), ("mute", "88.0.0")):
        stick = make_stick(bench.folder / f"{name}.img", {f"archipel-update-{name}.bundle": bundles[name]})
        offer(bench, machine, stick)
        if name == "mute":
            wait_for(lambda: "99.0.0" in bench.shell(machine, "cat /data/app/refused"), "it was not taken back")
        machine.wait_for_portal()
        check(in_use() == expected, f"after the {name} update {in_use()!r} is in use")
        check("avant la mise" in board(machine), f"after the {name} update a post is gone")
    machine.pull_the_plug()
    machine.switch_on()
    check(in_use() == "88.0.0", "after a restart another version is in use")


def make_updates(bench: Bench, work: Path) -> dict[str, bytes]:
    """Bundles: one signed by a stranger, a good one, and one that never answers."""
    work.mkdir()
    good, mute = unpacked(bench, work / "good"), unpacked(bench, work / "mute")
    (mute / "node/__main__.py").write_text("raise SystemExit('mute')\n")
    shutil.rmtree(mute / "node/__pycache__")
    key, stranger = signing_key(KEY), signing_key(work / "stranger.key")
    return {name: make_bundle(folder, version, signer, work).read_bytes() for name, folder, version, signer in (
        ("forged", good, "77.0.0", stranger), ("good", good, "88.0.0", key), ("mute", mute, "99.0.0", key))}


def unsquash(bench: Bench, folder: Path, *names: str) -> None:
    """Put the files of the image's root, or those below `names` only, into a folder. Device files want root: left out."""
    root = bench.image.parent / "root.squashfs"
    command = ["unsquashfs", "-quiet", "-no-progress", "-no-xattrs", "-ignore-errors", "-d", str(folder), str(root), *names]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def unpacked(bench: Bench, folder: Path) -> Path:
    """The application that the image holds, as files."""
    unsquash(bench, folder, "opt/archipel")
    return next(path for path in (folder / "opt/archipel").iterdir() if not path.is_symlink())


def offer(bench: Bench, machine: Machine, stick: Path) -> None:
    """Plug a stick with an update in, wait until the box has dealt with it, pull it out."""
    told = "journalctl -qu archipel-update | wc -l"
    idle = f"! systemctl is-active --quiet archipel-update archipel-stick run-stick.mount && {told}"
    before = bench.shell(machine, told)
    machine.plug_stick(stick)
    wait_for(lambda: bench.shell(machine, told) != before, "the stick was not seen")
    wait_for(lambda: bench.shell(machine, f"{idle} || true"), "the update does not end")
    machine.pull_stick()


def wiped(bench: Bench) -> None:
    """A stick with archipel-wipe.txt: no key is left on the card, and a new island starts."""
    machine = bench.alone()
    post(machine, "à effacer")
    keys = {name: bench.shell(machine, f"cat /data/archipel/keys/{name}").strip().encode()
            for name in ("island.key", "charter", "portal.key")}  # whole: single lines may be names, or two letters
    bench.shell(machine, "sync")
    check(all(map(machine.card.holds, keys.values())), "the keys are not on the card: this case would prove nothing")
    machine.plug_stick(make_stick(bench.folder / "wipe.img", {"archipel-wipe.txt": b""}))
    wait_for(lambda: "à effacer" not in board(machine), "the island was not destroyed")
    machine.wait_for_portal()
    bench.shell(machine, "sync")
    left = [name for name, key in keys.items() if machine.card.holds(key)]
    check(not left, f"still on the card: {left}")
    bench.drop()


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


USUAL = (nothing_of_the_host, first_start, closed, slow_clients, front, power_cuts, oops, sticks_of_all_kinds, updated, wiped,
         mangled_settings, exchanged_by_stick, exchanged_by_cable, heard_by_radio, seen_by_a_phone, odd_frames, wifi_dies)
ON_DEMAND = (hung, on_a_pi3)
