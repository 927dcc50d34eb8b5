"""What a phone sees on the island's Wi-Fi. Runs inside the booted box, as root, on simulated Wi-Fi cards; prints JSON.

mac80211_hwsim makes wlan0, where hostapd starts by itself, and wlan1 and wlan2, which go each into a network namespace:
two phones.
`phone.py join NAME` and `odd NAME` are run by `boottest.py`; `look`, `listen`, `send` run in the phones' namespaces.
"""

import hashlib
import http.client
import json
import random
import socket
import ssl
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

PORTAL, SAFE = "198.51.100.1", "198.51.100.2"
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


def sealed(path: str) -> dict[str, int | str]:
    """The portal over https, as a browser asks that was told to go on: status, and SHA-256 of the certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    line = http.client.HTTPSConnection(SAFE, timeout=60, context=trusting)
    line.request("GET", path)
    shown = line.sock.getpeercert(True) or b""
    return {"status": line.getresponse().status, "certificate": hashlib.sha256(shown).hexdigest()}


def asks_for_a_password(path: str) -> bool:
    """Whether the page, asked for in the clear, would take one."""
    request = urllib.request.Request(f"http://{PORTAL}{path}", headers={"Host": "archipel.lan"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return b'type="password"' in answer.read()


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
        "safe_name": asked("safe.archipel.lan"), "sealed": sealed("/keeper"),
        "in_the_clear": asks_for_a_password("/keeper"),
        "sent_in_the_clear": fetched("archipel.lan", "/keeper/login", b"name=a&password=b")[0],
    }


def listen() -> None:
    """The other phone: whoever connects is let in."""
    with socket.create_server(("", LISTENS)) as server:
        while True:
            server.accept()[0].close()


# IEEE 802.11-2020: the subtypes of management frames (9.2.4.1.3), public actions (9.6.7), ANQP elements (9.4.5)
ACTION, PROBE_REQUEST, AUTH, ASSOC, REASSOC, DEAUTH, DISASSOC, BEACON, RESERVED = 13, 4, 11, 0, 2, 12, 10, 8, 7
PUBLIC, GAS_QUESTION, GAS_COME_BACK, VENDOR = 4, 10, 12, 127
RADIOTAP = struct.pack("<BBHI", 0, 0, 8, 0)
EVERYONE = b"\xff" * 6
ODD_SEED, NOISE = 7, 2000


def anqp(dialog: int, length: int | None = None) -> bytes:
    """What an iPhone asks when (i) is tapped: who runs this network, of what kind is it (ANQP within a GAS question)."""
    query = struct.pack("<HHHHHH", 256, 8, 258, 260, 261, 263)
    said = len(query) if length is None else length
    return bytes([PUBLIC, GAS_QUESTION, dialog]) + bytes([108, 2, 0x7F, 0]) + struct.pack("<H", said) + query


def odd_bodies() -> list[tuple[int, bytes]]:
    """(subtype, body) of management frames that no well-meaning phone sends, and of questions that some do."""
    rng = random.Random(ODD_SEED)
    whole = anqp(1)
    bodies = [(ACTION, whole)] * 20 + [(ACTION, anqp(9, length)) for length in (0, 1, 11, 13, 0x7FFF, 0xFFFF)]
    bodies += [(ACTION, whole[:cut]) for cut in range(len(whole))]
    bodies += [(ACTION, bytes([PUBLIC, GAS_COME_BACK, 1])), (ACTION, bytes([PUBLIC, 11, 1, 0, 0, 0, 0]))]
    bodies += [(ACTION, bytes([category, action]) + rng.randbytes(20)) for category in (*range(32), 126, VENDOR)
               for action in (0, 1, 9, 255)]
    bodies += [(ACTION, bytes([PUBLIC, 9]) + b"\x50\x6f\x9a\x09" + rng.randbytes(30))]  # Wi-Fi Direct
    bodies += [(AUTH, struct.pack("<HHH", algorithm, step, status)) for algorithm in (0, 1, 2, 3, 4, 128, 65535)
               for step in (0, 1, 3, 65535) for status in (0, 76, 65535)]
    bodies += [(PROBE_REQUEST, body) for body in (bytes([0, 255]) + bytes(255), b"\0\x21" + b"x" * 33, b"\xdd\xff", b"")]
    bodies += [(kind, body) for kind in (ASSOC, REASSOC, DEAUTH, DISASSOC, BEACON, RESERVED)
               for body in (b"", b"\0", bytes(300))]
    bodies += [(rng.randrange(16), rng.randbytes(rng.randrange(0, 400))) for _ in range(NOISE)]
    return bodies


def send(card: str, target: str) -> int:
    """Send every odd frame to the access point `target`, each from a phone that nobody knows; how many were sent."""
    rng, bssid, sent = random.Random(ODD_SEED), bytes.fromhex(target.replace(":", "")), 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as air:
        air.bind((card, 0))
        for number, (kind, body) in enumerate(odd_bodies()):
            stranger = bytes([2]) + rng.randbytes(5)
            head = struct.pack("<BBH", kind << 4, 0, 0) + (EVERYONE if kind == PROBE_REQUEST else bssid) + stranger + bssid
            air.send(RADIOTAP + head + struct.pack("<H", number % 4096 << 4) + body)
            sent += 1
            time.sleep(0.002)
    return sent


def odd(name: str) -> dict:
    """Odd frames from the second phone's card; whether the first phone can join afterwards, and what the kernel said."""
    if not run("ip", "netns", "list").strip():
        make_cards()
        for card, phone in PHONES.items():
            join(phone, card, name)
    pid = run("systemctl", "show", "-P", "MainPID", "hostapd")
    card, phone = "wlan2", "other"
    with open("/sys/class/net/wlan0/address") as file:
        target = file.read().strip()
    run(*inside(phone, "iw", "dev", card, "interface", "add", "odd0", "type", "monitor"))
    run(*inside(phone, "ip", "link", "set", "odd0", "up"))
    heard = frames_heard()
    told = run(*inside(phone, sys.executable, __file__, "send", "odd0", target))
    heard = frames_heard() - heard
    run(*inside(phone, "iw", "dev", "odd0", "del"))
    run(*inside("phone", "iw", "dev", "wlan1", "disconnect"))

    def joined() -> bool:
        subprocess.run(inside("phone", "iw", "dev", "wlan1", "connect", name), capture_output=True)
        time.sleep(4)
        return "Connected to" in run(*inside("phone", "iw", "dev", "wlan1", "link"))

    until(joined)
    alarms = ("Oops", "BUG", "WARNING:", "Call trace")
    trouble = [line for line in run("dmesg").splitlines() if any(word in line for word in alarms)]
    return {"sent": int(told), "heard": heard, "joined_again": joined(), "trouble": trouble,
            "same_hostapd": run("systemctl", "show", "-P", "MainPID", "hostapd") == pid}


def frames_heard() -> int:
    """How many frames the island's card has received."""
    with open("/sys/class/net/wlan0/statistics/rx_packets") as file:
        return int(file.read())


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
        case ["odd", wifi]:
            print(json.dumps(odd(wifi)))
        case ["send", card, access_point]:
            print(send(card, access_point))
        case ["listen"]:
            listen()
        case ["knock", address]:
            print(door(address, LISTENS))
        case ["join", wifi]:
            print(json.dumps(main(wifi)))
