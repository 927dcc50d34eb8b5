"""What a phone sees on the island's Wi-Fi. Runs inside the booted box, as root, on two simulated Wi-Fi cards; prints JSON.

mac80211_hwsim makes wlan0, where hostapd starts by itself, and wlan1, which goes into a network namespace: the phone.
"""

import json
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

PORTAL = "198.51.100.1"
PROBE = "connectivitycheck.gstatic.com"
LEASE = """#!/bin/sh
[ "$1" != bound ] || {
    ip address add "$ip/$mask" dev "$interface"; ip route add default via "$router"; echo "$ip" > /tmp/lease
}
"""


def run(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def in_phone(*command: str) -> str:
    """The same in the phone's namespace."""
    return run("ip", "netns", "exec", "phone", *command)


def until(ready, patience_s: float = 90):
    """Wait for something true; its value."""
    give_up_at = time.monotonic() + patience_s
    while not (value := ready()):
        if time.monotonic() > give_up_at:
            raise SystemExit("it never happened: " + ready.__name__)
        time.sleep(1)
    return value


def join(name: str) -> str:
    """Let the phone join the Wi-Fi `name`; the address it was given."""
    def open_wifi() -> bool:
        return subprocess.run(["systemctl", "is-active", "--quiet", "hostapd"]).returncode == 0

    def associated() -> bool:
        return "Connected to" in in_phone("iw", "dev", "wlan1", "link")

    run("modprobe", "mac80211_hwsim", "radios=2")
    until(open_wifi)
    run("ip", "netns", "add", "phone")
    with open("/sys/class/net/wlan1/phy80211/name") as file:
        run("iw", "phy", file.read().strip(), "set", "netns", "name", "phone")
    in_phone("ip", "link", "set", "wlan1", "up")
    in_phone("iw", "dev", "wlan1", "connect", name)
    until(associated)
    with open("/tmp/lease.sh", "w") as file:
        file.write(LEASE)
    run("chmod", "755", "/tmp/lease.sh")
    in_phone("busybox", "udhcpc", "-i", "wlan1", "-n", "-q", "-t", "10", "-s", "/tmp/lease.sh")
    with open("/tmp/lease") as file:
        return file.read().strip()


def asked(name: str) -> dict:
    """The portal's DNS answer to an A query: rcode, and (address, ttl) if there is one (RFC 1035)."""
    query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"".join(
        bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(10)
        peer.sendto(query, (PORTAL, 53))
        answer = peer.recv(1500)
    found = {"rcode": answer[3] & 15}
    if struct.unpack(">H", answer[6:8])[0]:
        ttl = struct.unpack(">I", answer[len(query) + 6:len(query) + 10])[0]
        found |= {"address": socket.inet_ntoa(answer[-4:]), "ttl": ttl}
    return found


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_):
        """No."""


def fetched(host: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """(status, where it leads) of a page of the portal asked under any name."""
    request = urllib.request.Request(f"http://{PORTAL}{path}", body, {"Host": host})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


def door(port: int) -> str:
    """What a connection to a port meets, and it must not take long to know."""
    try:
        with socket.create_connection((PORTAL, port), timeout=5):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return type(error).__name__


def look() -> dict:
    """Everything a phone finds out; runs in the phone's namespace."""
    first = fetched(PROBE, "/generate_204")
    stay = fetched("archipel.lan", "/hello", b"")
    return {
        "any_name": asked(PROBE), "no_private_dns": asked("use-application-dns.net"), "probe": first, "stay": stay[0],
        "probe_after": fetched(PROBE, "/generate_204")[0], "home": fetched("archipel.lan", "/")[0],
        "doors": {str(port): door(port) for port in (443, 22, 8080)},
    }


if __name__ == "__main__":
    if sys.argv[1] == "look":
        print(json.dumps(look()))
    else:
        address = join(sys.argv[2])
        print(json.dumps({"lease": address, **json.loads(in_phone(sys.executable, __file__, "look"))}))
