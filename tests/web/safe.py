"""A box, a phone on its Wi-Fi and a computer on its cable: `python tests/web/safe.py`, as root or with sub-ids (uidmap).

Three network namespaces. In the box's: the image's own nftables, dnsmasq and nginx with its own certificate, and a portal
with something of everything. From the phone and from the computer it is looked at what each door answers; then Chromium
on the phone goes the way of a keeper (`safe.mjs`).
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "image-build"), str(HERE)]
PART = "ARCHIPEL_SAFE"  # which of the three this process is
PLAIN, SAFE, CABLE = "198.51.100.1", "198.51.100.2", "198.51.100.129"
PHONE, OTHER, COMPUTER = "198.51.100.20", "198.51.100.21", "198.51.100.140"
GUEST, HOST = "192.168.77.5", "192.168.77.1"  # the box as a guest on a network of others, and a computer there
NAMES = ("archipel.lan", "safe.archipel.lan", "example.org", "connectivitycheck.gstatic.com")
PATIENCE_S = 60  # only bounds a hang
MOST_OF_ONE, HASTY = 20, 200  # connections to 443 at a time, in a second or so: nftables.conf, chain seals
GATE = b"Not in the clear"
wrong: list[str] = []


def expect(what: str, seen: object, wanted: object) -> None:
    """A line for what is not as it should be."""
    if seen != wanted:
        print(f"safe: {what}: {seen}, not {wanted}", flush=True)
        wrong.append(what)


def run(*command: object) -> None:
    """Run a command that must succeed."""
    subprocess.run([str(word) for word in command], check=True)


def until(what: str, condition) -> None:
    """Wait for a condition; SystemExit with `what` after a while."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"safe: {what}: not after {PATIENCE_S} s")
        time.sleep(0.2)


# what the phone and the computer see


def door(address: str, port: int, of: str = "") -> str:
    """What a connection meets, from the address `of` if given."""
    try:
        socket.create_connection((address, port), timeout=5, source_address=(of, 0) if of else None).close()
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return type(error).__name__
    return "open"


def page(url: str, data: bytes | None = None) -> tuple[int, bytes]:
    """(status, body) of an address, whatever its certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        request = urllib.request.Request(url, data, {"Accept-Language": "en"})
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def fingerprint(host: str) -> str:
    """Of the certificate that a host shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, 443), timeout=10) as line, context.wrap_socket(line, server_hostname=host) as tls:
        return hashlib.sha256(tls.getpeercert(binary_form=True)).digest().hex(" ").upper()


def at_the_phone(folder: Path) -> None:
    """On the Wi-Fi: names, doors, the page in the place of each form, then browsers."""
    expect("names", [socket.gethostbyname(name) for name in NAMES], [PLAIN, SAFE, PLAIN, PLAIN])
    for name in ("archipel.lan", "example.org", "connectivitycheck.gstatic.com", CABLE):
        expect(f"443 of {name}", door(name, 443), "refused")
    expect("443 of the safe address", door("safe.archipel.lan", 443), "open")
    expect("its fingerprint", fingerprint("safe.archipel.lan"), (folder / "fingerprint").read_text())
    for host in ("archipel.lan", "safe.archipel.lan", SAFE, CABLE):
        status, body = page(f"http://{host}/keeper")
        expect(f"http://{host}/keeper", (status, GATE in body, b'type="password"' in body), (200, True, False))
    for host in ("safe.archipel.lan", SAFE):
        status, body = page(f"https://{host}/keeper")
        expect(f"https://{host}/keeper", (status, GATE in body, b'type="password"' in body), (200, False, True))
    status, body = page("http://archipel.lan/keeper/login", b"name=lea&password=sesame")
    expect("a password in the clear", (status, b"choose another one" in body), (403, True))
    expect("a page for readers", page("http://archipel.lan/")[0], 200)
    expect("a probe, led to the welcome page", page("http://connectivitycheck.gstatic.com/generate_204")[0], 200)
    pretend_to_be_on_the_cable()
    fill_the_seals()
    subprocess.run(["node", str(HERE / "safe.mjs"), (folder / "fingerprint").read_text()], cwd=HERE, check=False,
                   timeout=PATIENCE_S * 3).returncode and wrong.append("browsers")


def pretend_to_be_on_the_cable() -> None:
    """An address of the cable's does not make a phone pass for a computer: no answer comes back by the Wi-Fi."""
    run("ip", "addr", "add", f"{COMPUTER}/32", "dev", "phone0")
    for address in (PLAIN, CABLE):
        met = door(address, 80, COMPUTER)
        expect(f"{address} lets in an address of the cable's ({met})", met in ("open", "refused"), False)
    run("ip", "addr", "del", f"{COMPUTER}/32", "dev", "phone0")


def fill_the_seals() -> None:
    """One phone has so many connections to 443, another its own, and not in haste; plain pages are there for both."""
    with contextlib.ExitStack() as held:
        for _ in range(MOST_OF_ONE):
            held.enter_context(socket.create_connection((SAFE, 443), timeout=5))
        expect("one connection too many", door(SAFE, 443), "refused")
        expect("a plain page meanwhile", page("http://archipel.lan/")[0], 200)
        run("ip", "addr", "add", f"{OTHER}/25", "dev", "phone0")
        expect("another phone meanwhile", door(SAFE, 443, OTHER), "open")
        met = [door(SAFE, 443, OTHER) for _ in range(HASTY)]
        expect("a phone in a hurry", (met[0], "refused" in met), ("open", True))
        run("ip", "addr", "del", f"{OTHER}/25", "dev", "phone0")


def at_the_computer(folder: Path) -> None:
    """On the cable: for visitors, as on the Wi-Fi; where the box is a guest, the desk as it is, and over https."""
    for host, gate in (("http://archipel.lan", True), ("https://safe.archipel.lan", False), (f"http://{GUEST}", False),
                       (f"https://{GUEST}", False)):
        status, body = page(f"{host}/keeper")
        expect(f"by cable {host}/keeper", (status, GATE in body, b'type="password"' in body), (200, gate, not gate))
    expect("by cable a password", page(f"http://{GUEST}/keeper/login", b"name=lea&password=sesame")[0], 200)
    for name, wanted in (("archipel.lan", "refused"), ("safe.archipel.lan", "open"), (CABLE, "open")):
        expect(f"by cable 443 of {name}", door(name, 443), wanted)
    expect("by cable its fingerprint", fingerprint(CABLE), (folder / "fingerprint").read_text())


# the box


def at_the_box(folder: Path) -> None:
    """Everything that answers, as the image has it; then the two others look at it, one after the other."""
    others = {name: neighbour(name) for name in ("phone", "computer")}
    network(folder, others)
    from archipel_image.sources import program

    program("certificate").main(folder / "front")
    portal(folder)
    services = [serve_names(folder), serve_pages(folder)]
    until("nginx", lambda: door("127.0.0.1", 80) == "open" and door("127.0.0.1", 443) == "open")
    try:
        for name, process in others.items():
            inside = ["nsenter", f"--net=/proc/{process.pid}/ns/net", sys.executable, __file__, str(folder)]
            subprocess.run(inside, env=os.environ | {PART: name}, check=False).returncode and wrong.append(name)
    finally:
        for process in (*services, *others.values()):
            process.terminate()
            process.wait()


def neighbour(name: str) -> subprocess.Popen:
    """A network namespace, for as long as its process lives."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
    mine = os.readlink("/proc/self/ns/net")
    until(name, lambda: os.readlink(f"/proc/{process.pid}/ns/net") != mine)
    return process


def network(folder: Path, others: dict[str, subprocess.Popen]) -> None:
    """The Wi-Fi and the cable with the addresses that the image gives them, its firewall, the phones' resolver."""
    overlay = ROOT / "image-build/overlay/etc"
    own = re.findall(r"(?m)^Address=(\S+)", (overlay / "systemd/network/10-lo.network").read_text())
    wifi, = re.findall(r"(?m)^Address=(\S+)", (overlay / "systemd/network/20-wifi.network").read_text())
    for command in (*(f"ip addr add {address} dev lo" for address in own), "ip link set lo up",
                    "ip link add wlan0 type veth peer name phone0", "ip link add eth0 type veth peer name computer0",
                    f"ip addr add {wifi} dev wlan0", f"ip addr add {CABLE}/25 dev eth0",
                    f"ip addr add {GUEST}/24 dev eth0", "ip link set wlan0 up", "ip link set eth0 up",
                    f"nft -f {overlay}/nftables.conf"):
        run(*command.split())
    for name, address, gateway in (("phone", PHONE, PLAIN), ("computer", COMPUTER, CABLE)):
        pid = others[name].pid
        run("ip", "link", "set", f"{name}0", "netns", pid)
        for command in ("ip link set lo up", f"ip addr add {address}/25 dev {name}0", f"ip link set {name}0 up",
                        f"ip route add default via {gateway}"):
            run("nsenter", f"--net=/proc/{pid}/ns/net", *command.split())
    run("nsenter", f"--net=/proc/{others['computer'].pid}/ns/net", "ip", "addr", "add", f"{HOST}/24", "dev", "computer0")
    (folder / "resolv.conf").write_text(f"nameserver {PLAIN}\n")
    run("mount", "--bind", folder / "resolv.conf", "/etc/resolv.conf")


def serve_names(folder: Path) -> subprocess.Popen:
    """dnsmasq, answering as on the image."""
    text = (ROOT / "image-build/overlay/usr/share/archipel/dnsmasq.conf").read_text()
    where = "interface=wlan0\ninterface=eth0\n"
    (folder / "dnsmasq.conf").write_text(text.replace("/run/archipel-dns", str(folder)) + where)
    return subprocess.Popen(["dnsmasq", "--keep-in-foreground", f"--conf-file={folder}/dnsmasq.conf"])


def serve_pages(folder: Path) -> subprocess.Popen:
    """nginx as the image has it, its folders below `folder`."""
    share = ROOT / "image-build/overlay/usr/share/archipel"
    for name in ("run", "lib"):
        (folder / name).mkdir()
    for name in ("nginx.conf", "portal.conf"):
        text = (share / name).read_text()
        for place, here in (("/run/archipel-front", folder / "run"), ("/var/lib/nginx", folder / "lib"),
                            ("/data/front", folder / "front"), ("/usr/share/archipel", folder)):
            text = text.replace(place, str(here))
        (folder / name).write_text("user root;\n" * (name == "nginx.conf") + text)
    return subprocess.Popen(["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")])


def portal(folder: Path) -> None:
    """A portal behind it, which reads the certificate as the island does."""
    from sample import filled
    from werkzeug.serving import make_server

    from node.daemon.certificate import VARIABLE, safe_address
    from tests.sim.portals import portal_settings
    from web import create_app

    os.environ[VARIABLE] = str(folder / "front/certificate.pem")
    (folder / "fingerprint").write_text(safe_address().fingerprint)
    (folder / "board").mkdir()
    app = create_app(filled(folder / "board").board, replace(portal_settings(), safe=safe_address))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 8080, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> int:
    """0 when all is as it should be."""
    part = os.environ.get(PART)
    if part in ("phone", "computer"):
        {"phone": at_the_phone, "computer": at_the_computer}[part](Path(sys.argv[1]))
    elif part == "box":
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "front").mkdir()
            at_the_box(Path(scratch))
        print(json.dumps({"safe": "wrong" if wrong else "all as it should be"}))
    else:
        mapped = ["--map-root-user", "--map-auto"] if os.geteuid() else []
        namespaces = ["unshare", *mapped, "--net", "--mount", sys.executable, __file__]
        return subprocess.run(namespaces, env=os.environ | {PART: "box"}, check=False).returncode
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
