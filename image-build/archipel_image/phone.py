"""What a phone sees on the island's Wi-Fi. Runs inside the booted box, as root, on simulated Wi-Fi cards; prints JSON.

mac80211_hwsim makes wlan0, where hostapd starts by itself, and wlan1 and wlan2, which go each into a network namespace:
two phones.
`phone.py join NAME` is run by `boottest.py`; `look`, `listen` run in the phones' namespaces.
"""

import json
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

PORTAL = "198.51.100.1"
PROBE = "connectivitycheck.gstatic.com"
PHONES = {"wlan1": "phone", "wlan2": "other"}
LISTENS = 4444  # the other phone, to whom the first must not get through
LEASE = """#!/bin/sh
[ "$1" != bound ] || {
    ip address add "$ip/$mask" dev "$interface"; ip route add default via "$router"; echo "$ip" > "/tmp/lease.$interface"
}
"""


def run(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def inside(phone: str, *command: str) -> list[str]:
    """The command that runs another in a phone's namespace."""
    return ["ip", "netns", "exec", phone, *command]


def until(ready: Callable[[], Any], patience_s: float = 120) -> Any:
    """Wait for something true; its value."""
    give_up_at = time.monotonic() + patience_s
    while not (value := ready()):
        if time.monotonic() > give_up_at:
            raise SystemExit("it never happened: " + ready.__name__)
        time.sleep(1)
    return value


def make_cards() -> None:
    """Simulated Wi-Fi cards, on one of which the island opens its Wi-Fi by itself."""
    def open_wifi() -> bool:
        return subprocess.run(["systemctl", "is-active", "--quiet", "hostapd"]).returncode == 0

    run("modprobe", "mac80211_hwsim", f"radios={1 + len(PHONES)}")
    until(open_wifi)
    with open("/tmp/lease.sh", "w") as file:
        file.write(LEASE)
    run("chmod", "755", "/tmp/lease.sh")


def join(phone: str, card: str, name: str) -> str:
    """Let a phone join the Wi-Fi `name`; the address it was given."""
    def associated() -> bool:  # the first attempts come before the island's Wi-Fi is on the air
        subprocess.run(inside(phone, "iw", "dev", card, "connect", name), capture_output=True)
        time.sleep(4)
        return "Connected to" in run(*inside(phone, "iw", "dev", card, "link"))

    run("ip", "netns", "add", phone)
    with open(f"/sys/class/net/{card}/phy80211/name") as file:
        run("iw", "phy", file.read().strip(), "set", "netns", "name", phone)
    for device in ("lo", card):
        run(*inside(phone, "ip", "link", "set", device, "up"))
    until(associated)
    run(*inside(phone, "busybox", "udhcpc", "-i", card, "-n", "-q", "-t", "10", "-s", "/tmp/lease.sh"))
    with open(f"/tmp/lease.{card}") as file:
        return file.read().strip()


def asked(name: str) -> dict:
    """The portal's DNS answer to an A query: rcode, and (address, ttl) if there is one (RFC 1035)."""
    query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"".join(
        bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(10)
        peer.sendto(query, (PORTAL, 53))
        answer = peer.recv(1500)
    found: dict[str, int | str] = {"rcode": answer[3] & 15}
    if struct.unpack(">H", answer[6:8])[0]:
        ttl = struct.unpack(">I", answer[len(query) + 6:len(query) + 10])[0]
        found |= {"address": socket.inet_ntoa(answer[-4:]), "ttl": ttl}
    return found


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_: object) -> None:
        """No."""


def fetched(host: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """(status, where it leads) of a page of the portal asked under any name."""
    request = urllib.request.Request(f"http://{PORTAL}{path}", body, {"Host": host})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


def door(address: str, port: int) -> str:
    """What a connection meets, and at the portal it must not take long to know."""
    try:
        with socket.create_connection((address, port), timeout=10):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return type(error).__name__


def look(other: str) -> dict:
    """Everything that a phone finds out; runs in its namespace."""
    first = fetched(PROBE, "/generate_204")
    stay = fetched("archipel.lan", "/hello", b"")
    return {
        "any_name": asked(PROBE), "no_private_dns": asked("use-application-dns.net"), "probe": first, "stay": stay[0],
        "probe_after": fetched(PROBE, "/generate_204")[0], "home": fetched("archipel.lan", "/")[0],
        "doors": {str(port): door(PORTAL, port) for port in (443, 22, 1883, 8080)}, "other_phone": door(other, LISTENS),
    }


def listen() -> None:
    """The other phone: whoever connects is let in."""
    with socket.create_server(("", LISTENS)) as server:
        while True:
            server.accept()[0].close()


def main(name: str) -> dict:
    """What the first of two phones on the Wi-Fi `name` finds."""
    make_cards()
    leases = {phone: join(phone, card, name) for card, phone in PHONES.items()}

    def other_answers_itself() -> bool:  # so what keeps the first phone away is the island
        return run(*inside("other", sys.executable, __file__, "knock", leases["other"])).strip() == "open"

    listener = subprocess.Popen(inside("other", sys.executable, __file__, "listen"))
    try:
        until(other_answers_itself)
        seen = run(*inside("phone", sys.executable, __file__, "look", leases["other"]))
    finally:
        listener.kill()
    return {"leases": leases, **json.loads(seen)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["look", other]:
            print(json.dumps(look(other)))
        case ["listen"]:
            listen()
        case ["knock", address]:
            print(door(address, LISTENS))
        case ["join", wifi]:
            print(json.dumps(main(wifi)))
