"""The cases of the boot test: what a built card does at its first start and at worse moments, or Trouble."""

import contextlib
import http.client
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
from archipel_image.bootfs import new_settings
from archipel_image.build import KEY
from archipel_image.bundle import make_bundle, signing_key
from archipel_image.card_cases import downloaded, islands_beget_islands, restarted_beside_another_card, wrong_cards
from archipel_image.desk_cases import (
    backup_on_a_stick,
    begun_by_its_pages,
    night_rest,
    restarted_from_the_desk,
    wifi_on_trial,
    wiped_from_the_desk,
)
from archipel_image.device_cases import (
    exchanged_by_stick,
    heard_by_radio,
    hung,
    on_a_pi3,
    oops,
    read_aloud,
    sticks_of_all_kinds,
)
from archipel_image.load_cases import laden
from archipel_image.sources import PROJECT
from archipel_image.sticks import make_stick, read_stick
from archipel_image.system_cases import (
    mute_system,
    odd_systems,
    system_power_cuts,
    system_updated,
    system_without_kernel,
)
from archipel_image.testbench import COUNTRY, Bench, board, check, post, redirect_of, wait_for
from archipel_image.vm import PAGE_PATIENCE_S, Machine, page_of
from archipel_image.wifi_cases import front, odd_frames, seen_by_a_phone, wifi_dies
from node.cli.selftest import post_by_form
from node.daemon.keyfiles import KeyFolder

SERVICES = ("box", "island", "front", "health", "join", "stick", "update", "dns", "broker", "keeper", "wipe", "problems",
            "code", "watch", "radio", "erase", "wifi", "orders", "carry", "certificate", "system",
            "slot", "settle", "check", "card", "cardbase", "image")
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
    home = wait_for(lambda: page_of(machine.url + "?lang=en"), "no first page")
    check("no country is set" in home, "the portal does not say how to set a country")
    probe = urllib.request.Request(machine.url + "generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    check(redirect_of(probe) == "http://archipel.lan/hello", "a phone's probe is not led to the portal")


def closed(bench: Bench) -> None:
    """Services are as closed as promised, what nobody chose does not run, nobody has a password."""
    machine = bench.alone()
    names = " ".join(f"archipel-{name}.service" for name in SERVICES)
    asked = f"for unit in {names}; do systemd-analyze security --no-pager $unit | tail -1; done"
    told = machine.shell(asked, bench.key, patience_s=3600)
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
        page = re.sub("<[^>]+>", "", wait_for(lambda: page_of(machine.url + "?lang=en"), "no first page"))
        for wanted in ("line 5", "[box] country", "line 6", "[weather]"):
            check(wanted in page, f"the portal does not say {wanted!r}")
        bench.shell(machine, "systemctl start archipel-problems.service; grep -q '/boot/firmware vfat ro' /proc/mounts")
        machine.pull_the_plug()
        machine.card.get("archipel-problems.txt", bench.folder / "problems.txt")
        check("Atlantis" in (bench.folder / "problems.txt").read_text(), "the card does not say what is wrong")
        machine.card.put("archipel.toml", random.Random(bench.seed).randbytes(3000))
        machine.switch_on()
        page = wait_for(lambda: page_of(machine.url), "no first page")
        check("UTF-8" in page, "the portal does not say that the file is noise")


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


def mute_at_a_start(bench: Bench) -> None:
    """An update that answered once stays, though the portal is mute at a later start; odd files stop nothing."""
    machine = bench.alone()
    (bench.folder / "later").mkdir()
    good = make_bundle(unpacked(bench, bench.folder / "later/good"), "89.0.0", signing_key(KEY), bench.folder / "later")
    stick = make_stick(bench.folder / "later.img", {"archipel-update-89.0.0.bundle": good.read_bytes(),
                                                    "archipel-update-98.0.0.bundle": b"archipel update 1\n{}\n"})
    subprocess.run(["mmd", "-i", str(stick), "::archipel-update-97.0.0.bundle"], check=True)
    offer(bench, machine, stick)
    told = lambda: bench.shell(machine, "cat /data/app/notices")  # noqa: E731 - said often below
    wait_for(lambda: "installed and works" in told(), "the update is not taken")
    boot = bench.shell(machine, "cat /proc/sys/kernel/random/boot_id")
    key = "/data/archipel/keys/island.key"  # without it no island starts
    bench.shell(machine, f"mv {key} /data/away; sync; systemctl --no-block reboot")
    wait_for(lambda: bench.shell(machine, "cat /proc/sys/kernel/random/boot_id") != boot, "it does not start again")
    wait_for(lambda: "stays in use" in told(), "nothing is told of a mute portal")
    check(bench.shell(machine, "readlink /data/app/current").strip() == "89.0.0", "the update is thrown away")
    bench.shell(machine, f"mv /data/away {key}")
    machine.wait_for_portal()
    page = wait_for(lambda: page_of(machine.url + "?lang=en"), "no first page")
    check("stays in use" in page, "the first page does not tell that the portal was mute")
    check("stays in use" in bench.archipel(machine, "status --json"), "status does not tell it")


def wiped(bench: Bench) -> None:
    """A stick with the code of the box: nothing of what the card was given is left on it, and a new island starts. A lent
    stick does nothing."""
    secrets = {"keeper": "Zenobie Quatremere", "keeper_password": "colza brouette nuage 47",
               "wifi_password": "arrosoir-9381-nu", "broker_password": "XyZzy-4471-broker"}
    founders = KeyFolder(bench.folder / "founders")
    founders.found("Belleville")
    invitation = founders.invite()
    more = COUNTRY + "".join(f'{key} = "{value}"\n' for key, value in secrets.items())
    card = bench.card(bench.settings("Enclos Fermé", more), {"invitation-de-zenobie.txt": invitation})
    with Machine(card) as machine:
        machine.switch_on()
        post(machine, "à effacer")
        wait_for(lambda: bench.shell(machine, "grep -rla Zenobie /data/archipel || true"), "there is no keeper")
        keys = {name: bench.shell(machine, f"cat /data/archipel/keys/{name}").strip()
                for name in ("island.key", "charter", "portal.key", "papers", "wipe.code")}
        host_key = bench.shell(machine, "sed -n 3p /data/ssh/key").strip()
        needles = {"ssh_key": bench.key.with_suffix(".pub").read_text().split()[1], "island": "Enclos Ferm",
                   "invitation": invitation[:60], "host key": host_key, **secrets, **keys}
        bench.shell(machine, "sync")
        missing = [name for name, needle in needles.items() if not card.holds(needle.encode())]
        check(not missing, f"not on the card, so that this case would prove nothing: {missing}")
        lent = make_stick(bench.folder / "lent.img", {"archipel-wipe.txt.txt": b"AAAA-AAAA-AAAA"})
        machine.plug_stick(lent)
        wait_for(lambda: "not in it" in page_of(machine.url + "?lang=en"), "nothing is told of a lent stick")
        machine.pull_stick()
        check(read_stick(lent, "archipel.txt") is None, "the box writes on a stick that is to wipe")
        check("à effacer" in board(machine), "a lent stick erased the board")
        stick = make_stick(bench.folder / "wipe.img", {"archipel-wipe.txt.txt": keys["wipe.code"].lower().encode("utf-16")})
        machine.plug_stick(stick)
        began = time.monotonic()
        wait_for(lambda: "This box was erased" in page_of(machine.url + "?lang=en"), "the island was not erased")
        bench.figures["wiped_and_back_s"] = round(time.monotonic() - began)
        check("no country is set" in page_of(machine.url + "?lang=en"), "it does not begin as a new card")
        check("à effacer" not in board(machine), "the board is still there")
        machine.pull_stick()
        machine.pull_the_plug()
    check(read_stick(stick, "archipel.txt") is None, "the box writes on a stick that wipes")
    left = [name for name, needle in needles.items() if card.holds(needle.encode())]
    check(not left, f"still on the card: {left}")
    card.get("archipel.toml", bench.folder / "left.toml")
    check((bench.folder / "left.toml").read_bytes() == new_settings(), "the settings are not those of a new card")


USUAL = (nothing_of_the_host, first_start, closed, slow_clients, front, laden, power_cuts, oops, sticks_of_all_kinds,
         updated, mute_at_a_start, wiped, mangled_settings, exchanged_by_stick, exchanged_by_cable, heard_by_radio,
         seen_by_a_phone, odd_frames, wifi_dies, begun_by_its_pages, restarted_from_the_desk, wifi_on_trial,
         backup_on_a_stick, night_rest, wiped_from_the_desk, odd_systems, system_updated, system_without_kernel,
         islands_beget_islands, wrong_cards, downloaded, restarted_beside_another_card, read_aloud)
ON_DEMAND = (hung, on_a_pi3, mute_system, system_power_cuts)
