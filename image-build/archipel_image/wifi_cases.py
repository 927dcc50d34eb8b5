"""Cases of the boot test: what visitors and their phones do to a box, on simulated Wi-Fi cards and through the front."""

import hashlib
import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from archipel_image.testbench import COUNTRY, Bench, check, wait_for
from archipel_image.vm import PAGE_PATIENCE_S, Machine, page_of

LADDER_PATIENCE_S = 5400
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


def front(bench: Bench) -> None:
    """While two bring large files a third waits, others do not; a form sent during a start is answered in its language."""
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


def seen_by_a_phone(bench: Bench) -> None:
    """On simulated Wi-Fi a phone gets an address, is led to the portal by any name, may stay, and meets no other phone."""
    north, _ = bench.pair()
    install_phone(bench, north)
    seen = json.loads(north.shell("python3 /tmp/phone.py join Nord", bench.key, patience_s=3600))
    check(all(lease.startswith("198.51.100.") for lease in seen["leases"].values()), f"addresses given: {seen['leases']}")
    check(seen["any_name"] == {"rcode": 0, "address": "198.51.100.1", "ttl": 0}, f"DNS: {seen['any_name']}")
    check(seen["no_private_dns"] == {"rcode": 3}, f"DNS: {seen['no_private_dns']}")
    check(seen["probe"] == [302, "http://archipel.lan/hello"], f"the first probe: {seen['probe']}")
    check((seen["stay"], seen["probe_after"], seen["home"]) == (200, 204, 200), f"staying: {seen}")
    check(set(seen["doors"].values()) == {"refused"}, f"doors: {seen['doors']}")
    check(seen["safe_name"].get("address") == "198.51.100.2", f"the safe address: {seen['safe_name']}")
    own = ssl.PEM_cert_to_DER_cert(bench.shell(north, "cat /data/front/certificate.pem"))
    check(seen["sealed"] == {"status": 200, "certificate": hashlib.sha256(own).hexdigest()}, f"https: {seen['sealed']}")
    check(not seen["in_the_clear"] and seen["sent_in_the_clear"] == 403, "a keeper's password is taken in the clear")
    check(seen["other_phone"] not in ("open", "refused"), "one phone reaches another")


def install_phone(bench: Bench, machine: Machine) -> None:
    """Put the program that plays the phones into a box."""
    program = (Path(__file__).parent / "phone.py").read_text()
    bench.shell(machine, f"cat > /tmp/phone.py <<'END'\n{program}\nEND")


def odd_frames(bench: Bench) -> None:
    """ANQP questions, as when somebody taps (i), and management frames of every kind of nonsense: the Wi-Fi lives on."""
    north, _ = bench.pair()
    install_phone(bench, north)
    seen = json.loads(north.shell("python3 /tmp/phone.py odd Nord", bench.key, patience_s=5400))
    bench.figures["odd_frames"] = seen["sent"]
    check(seen["heard"] > 0, "the island's Wi-Fi heard none of them: this case would prove nothing")
    check(seen["joined_again"], "no phone can join any more")
    check(not seen["trouble"], f"the kernel says: {seen['trouble']}")
    check(seen["same_hostapd"], "hostapd crashed")


def wifi_dies(bench: Bench) -> None:
    """A hostapd that hangs, then a network off the air, twice: the service, the driver, the box are started again."""
    with Machine(bench.card(bench.settings("Nord", COUNTRY))) as north:
        north.switch_on()
        wifi_is_woken(bench, north)


def wifi_is_woken(bench: Bench, north: Machine) -> None:
    """The whole ladder, in a box with a Wi-Fi country."""
    bench.shell(north, "modprobe mac80211_hwsim radios=1")
    on_air = "iw dev wlan0 info | grep ssid || true"
    wait_for(lambda: bench.shell(north, on_air), "no simulated Wi-Fi")
    wait_for(lambda: bench.shell(north, "systemctl is-active archipel-watch || true") == "active\n", "no watch")
    pid = bench.shell(north, "systemctl show -P MainPID hostapd")
    bench.shell(north, f"kill -STOP {pid}")
    began = time.monotonic()
    now = "systemctl show -P MainPID hostapd"
    wait_for(lambda: bench.shell(north, now) not in (pid, "0\n"), "hostapd stays stopped", LADDER_PATIENCE_S)
    bench.figures["hostapd_woken_s"] = round(time.monotonic() - began)
    wait_for(lambda: "had stopped answering" in page_of(north.url + "?lang=en"), "the portal does not tell of it")
    wait_for(lambda: bench.shell(north, on_air), "the network is not back")
    bench.shell(north, "iw dev wlan0 ap stop")
    wait_for(lambda: "driver" in page_of(north.url + "?lang=en"), "the driver is not loaded again", LADDER_PATIENCE_S)
    wait_for(lambda: bench.shell(north, on_air), "the network is not back")
    boot = bench.shell(north, "cat /proc/sys/kernel/random/boot_id")
    bench.shell(north, "iw dev wlan0 ap stop")
    now = "cat /proc/sys/kernel/random/boot_id"
    wait_for(lambda: bench.shell(north, now) != boot, "the box is not started again", LADDER_PATIENCE_S)
    north.wait_for_portal()
    wait_for(lambda: "started itself again" in page_of(north.url + "?lang=en"), "the portal does not tell why it started")
