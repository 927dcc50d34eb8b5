"""Cases of the boot test: what a keeper does by the pages of a box, from the page of its first start to its end."""

import io
import re
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from archipel_image.keeping import CODE_FILE, NAME, PASSPHRASE, PASSWORD, WIFI, BoxKeeper
from archipel_image.sticks import make_stick, read_stick
from archipel_image.testbench import Bench, check, post, wait_for
from archipel_image.vm import Machine, page_of
from node.daemon.keyfiles import KeyFolder
from node.daemon.restoring import restored

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
AWAKE_PATIENCE_S = 5400  # no Wi-Fi rests within the first 15 minutes of an island
ZONE = ZoneInfo("Europe/Paris")  # [node] timezone of an island that is told none


def begun_by_its_pages(bench: Bench) -> None:
    """A card that names no keeper: only the code on the card opens the page /start; the island made there has its Wi-Fi."""
    machine = bench.founded()
    check(NAME in wait_for(lambda: page_of(machine.url), "no first page"), "the first page does not name the island")
    wait_for(lambda: "country_code=FR" in bench.shell(machine, "cat /run/archipel-box/hostapd.conf"),
             "the country that was chosen makes no Wi-Fi")
    wait_for(lambda: on_air(bench, machine) == WIFI, "the Wi-Fi is not called as the island")


def on_air(bench: Bench, machine: Machine) -> str:
    """The name of the network that a simulated Wi-Fi card sends now, "" for none."""
    bench.shell(machine, "[ -e /sys/class/net/wlan0 ] || modprobe mac80211_hwsim radios=1")
    found = re.search(r"ssid (.*)", bench.shell(machine, "iw dev wlan0 info || true"))
    return found[1].strip() if found else ""


def at_desk(machine: Machine) -> BoxKeeper:
    """A keeper who is signed in."""
    return wait_for(BoxKeeper(machine).sign_in, "nobody is let in at the desk")


def restarted_from_the_desk(bench: Bench) -> None:
    """The island alone, then the box: each starts again when a keeper orders it; the code goes from the card at a start."""
    machine = bench.founded()
    main_pid, boot = "systemctl show -P MainPID archipel-island", bench.shell(machine, BOOT_ID)
    before = bench.shell(machine, main_pid)
    order(machine, "restart-island")
    wait_for(lambda: bench.shell(machine, main_pid) not in (before, "0\n"), "the island is not started again")
    machine.wait_for_portal()
    check(bench.shell(machine, BOOT_ID) == boot, "the whole box was started again")
    order(machine, "restart-box")
    wait_for(lambda: bench.shell(machine, BOOT_ID) != boot, "the box is not started again")
    machine.wait_for_portal()
    wait_for(lambda: machine.card.read(CODE_FILE) is None, "the code of the first start stays on the card")


def order(machine: Machine, act: str, **fields: str) -> None:
    """Order it on the desk, after the second look."""
    desk = at_desk(machine)
    desk.read(f"keeper/care/do/{act}")
    check("It is ordered" in desk.press(f"keeper/care/do/{act}", **fields), f"the desk does not order {act}")


def wifi_on_trial(bench: Bench) -> None:
    """Wi-Fi settings of the desk: on the air, and kept; others are gone after a power cut, and the kept ones are there."""
    machine = bench.founded()
    desk = at_desk(machine)
    try_wifi(bench, machine, desk, "Essai")
    wait_for(lambda: "Keep the new settings" in desk.read("keeper/settings"), "they cannot be kept")
    check("It is kept" in desk.press("keeper/settings/keep"), "they are not kept")
    try_wifi(bench, machine, desk, "Autre")
    machine.pull_the_plug()
    machine.switch_on()
    wait_for(lambda: on_air(bench, machine) == "Essai", "after a power cut the Wi-Fi is not the one that was kept")
    check("on trial" not in at_desk(machine).read("keeper/settings"), "the trial goes on after a power cut")


def try_wifi(bench: Bench, machine: Machine, desk: BoxKeeper, name: str) -> None:
    """Try another name of the Wi-Fi, and wait until it is on the air."""
    desk.read("keeper/settings/wifi")
    desk.press("keeper/settings/wifi", wifi=name, access="open", country="FR", channel="6")
    wait_for(lambda: on_air(bench, machine) == name, f"the Wi-Fi is not called {name}")


def backup_on_a_stick(bench: Bench) -> None:
    """A backup made on the desk is put on the stick in the box, and makes the island again elsewhere."""
    machine, stick = bench.founded(), make_stick(bench.folder / "backup.img", {})
    post(machine, "à garder")
    machine.plug_stick(stick)
    wait_for(lambda: read_stick(stick, "archipel.txt"), "the stick is not used")
    wait_for(lambda: not bench.shell(machine, "findmnt -rno TARGET /run/stick || true"), "the stick stays in use")
    desk, page = at_desk(machine), "keeper/care/backup"
    desk.read(page)
    desk.press(page, passphrase=PASSPHRASE, again=PASSPHRASE, password=PASSWORD)
    wait_for(lambda: "is ready" in desk.read(page), "no backup is made")
    desk.press(f"{page}/stick")
    wait_for(lambda: "It is on the stick" in desk.read(page), "the backup is not put on the stick")
    wait_for(lambda: not bench.shell(machine, "findmnt -rno TARGET /run/stick || true"), "the stick stays in use")
    machine.pull_stick()
    listed = subprocess.run(["mdir", "-b", "-i", str(stick), "::"], capture_output=True, text=True, check=True).stdout
    backups = [name.removeprefix("::/") for name in listed.split() if name.endswith(".backup")]
    check(len(backups) == 1, f"on the stick: {listed}")
    again = bench.folder / "again"
    live, _ = restored(io.BytesIO(read_stick(stick, backups[0]) or b""), again, PASSPHRASE)
    key = bench.shell(machine, "cat /data/archipel/keys/island.key")
    check(live > 0 and (KeyFolder(again).path / "island.key").read_text() == key, "another island was in the backup")


def night_rest(bench: Bench) -> None:
    """A planned rest of the Wi-Fi begins, is told to who comes by cable, and ends by the island's clock."""
    machine = bench.founded()
    desk, now = at_desk(machine), datetime.now(ZONE)
    desk.read("keeper/clock")
    desk.press("keeper/clock", start_date=f"{now:%Y-%m-%d}", start_time=f"{now:%H:%M}")
    desk.press("keeper/clock/set")
    wait_for(lambda: on_air(bench, machine), "there is no Wi-Fi that could rest")
    plan_rest(desk, now - timedelta(hours=1), now + timedelta(hours=3))
    wait_for(lambda: not on_air(bench, machine), "the Wi-Fi does not rest", AWAKE_PATIENCE_S)
    wanted = bench.shell(machine, "ls /run/archipel-box/hostapd.conf 2>/dev/null; systemctl is-active hostapd || true")
    check(wanted == "inactive\n", f"while it rests: {wanted}")
    wait_for(lambda: "rests from" in page_of(f"{machine.url}?lang=en"), "nobody is told of the rest")
    plan_rest(wait_for(BoxKeeper(machine).sign_in, "no desk"), now - timedelta(hours=1),
              datetime.now(ZONE) + timedelta(minutes=3))
    wait_for(lambda: on_air(bench, machine), "the Wi-Fi does not wake up")


def plan_rest(desk: BoxKeeper, begin: datetime, end: datetime) -> None:
    """Let the Wi-Fi rest every day between these hours."""
    desk.read("keeper/settings/rest")
    days = {f"wifi_{day}": "1" for day in range(7)}
    desk.press("keeper/settings/rest", wifi_on="1", wifi_begin=f"{begin:%H:%M}", wifi_end=f"{end:%H:%M}", **days)


def wiped_from_the_desk(bench: Bench) -> None:
    """The end of the island, ordered on the desk with its name and the password: nothing of it is left on the card, and the
    box begins anew with another code."""
    machine, kept = bench.founded(), ("island.key", "charter", "portal.key", "wipe.code")
    keys = {name: bench.shell(machine, f"cat /data/archipel/keys/{name}").strip() for name in kept}
    bench.shell(machine, "sync")
    missing = [name for name, needle in keys.items() if not machine.card.holds(needle.encode())]
    check(not missing, f"not on the card, so that this case would prove nothing: {missing}")
    order(machine, "wipe", name=NAME, password=PASSWORD)
    wait_for(lambda: "This box was erased" in page_of(f"{machine.url}start?lang=en"), "the island was not erased")
    wait_for(lambda: machine.card.read(CODE_FILE), "there is no code for the next first start")
    bench.give_up("founded")
    left = [name for name, needle in keys.items() if machine.card.holds(needle.encode())]
    check(not left, f"still on the card: {left}")
