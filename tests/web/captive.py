"""Real browsers join the Wi-Fi of an island: `python tests/web/captive.py`, as root or where user namespaces are allowed.

In a network namespace of its own, where every name leads to the portal and nothing else exists: Firefox finds by itself
that it is behind a portal, lands on the welcome page from any address, and believes it is online once "stay connected" is
pressed; Chromium is led the same way (`captive.mjs`).
"""

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]
INSIDE = "ARCHIPEL_CAPTIVE"
ADDRESS = "198.51.100.1"  # the one that dnsmasq gives for probes on the Pi: some phones ignore a private address
PATIENCE_S = 300
NOT_CAPTIVE, UNLOCKED, LOCKED = 1, 2, 3  # nsICaptivePortalService.idl
STATE = ("return Components.classes['@mozilla.org/network/captive-portal-service;1']"
         ".getService(Components.interfaces.nsICaptivePortalService)")
PREFERENCES = {
    "network.captive-portal-service.enabled": True, "network.captive-portal-service.minInterval": 1000,
    "network.captive-portal-service.maxInterval": 3000, "network.dns.disableIPv6": True, "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
    "browser.shell.checkDefaultBrowser": False, "marionette.port": 2828, "dom.security.https_first": False,
}


class Marionette:
    """Firefox's remote control: JSON arrays with their length before them (Marionette protocol 3)."""

    def __init__(self, port: int):
        self._line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._number = 0
        self._read()
        self("WebDriver:NewSession", {"strictFileInteractability": True})

    def __call__(self, command: str, parameters: dict | None = None) -> dict:
        self._number += 1
        message = json.dumps([0, self._number, command, parameters or {}])
        self._line.sendall(f"{len(message)}:{message}".encode())
        _kind, _number, error, result = self._read()
        if error:
            raise RuntimeError(error["message"])
        return result

    def _read(self) -> object:
        size = b""
        while not size.endswith(b":"):
            size += self._line.recv(1)
        body = b""
        while len(body) < int(size[:-1]):
            body += self._line.recv(65_536)
        return json.loads(body)


@contextmanager
def firefox(folder: Path):
    """A fresh Firefox under remote control."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines))
    command = ["firefox-esr", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access",
               "--profile", str(folder), "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("Firefox", lambda: _listens(2828))
        yield Marionette(2828)
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what: str, condition) -> None:
    """Until `condition()` holds; SystemExit with `what` after a while."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"captive: {what}: not after {PATIENCE_S} s")
        time.sleep(0.3)


def firefox_joins(folder: Path) -> None:
    """Firefox's way from joining to staying."""
    with firefox(folder) as remote:
        def state() -> int:
            remote("Marionette:SetContext", {"value": "chrome"})
            found = remote("WebDriver:ExecuteScript", {"script": f"{STATE}.state", "args": []})["value"]
            remote("Marionette:SetContext", {"value": "content"})
            return found

        wait_for("Firefox sees the portal", lambda: state() == LOCKED)
        remote("WebDriver:Navigate", {"url": "http://example.org/some/page"})
        landed = remote("WebDriver:GetCurrentURL")["value"]
        assert landed == "http://archipel.lan/hello", landed
        button = remote("WebDriver:FindElement", {"using": "css selector", "value": "form button"})["value"]
        remote("WebDriver:ElementClick", {"id": next(iter(button.values()))})
        wait_for("Firefox believes it is online", lambda: state() in (UNLOCKED, NOT_CAPTIVE))
    print("captive: Firefox saw the portal, landed on the welcome page, and stays")


def chromium_joins() -> None:
    """Chromium's way, from another address."""
    subprocess.run(["node", str(HERE / "captive.mjs")], cwd=HERE, timeout=PATIENCE_S * 2, check=True)


PROBED = ("www.gstatic.com", "connectivitycheck.gstatic.com", "clients3.google.com", "www.google.com",
          "captive.apple.com", "detectportal.firefox.com")  # by the browsers that are tried here


def inside() -> None:
    """In the namespace: names, portal, browsers."""
    from sample import filled
    from werkzeug.serving import make_server

    from tests.sim.portals import portal_settings
    from web import create_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for command in (["ip", "link", "set", "lo", "up"], ["ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo"]):
        subprocess.run(command, check=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{ADDRESS} {name}\n" for name in ("archipel.lan", "example.org", *PROBED)))
        subprocess.run(["mount", "--bind", str(folder / "hosts"), "/etc/hosts"], check=True)
        place = filled(folder)
        server = make_server(ADDRESS, 80, create_app(place.board, portal_settings()), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (folder / "firefox").mkdir()
        chromium_joins()
        server.app = create_app(place.board, portal_settings())  # one that knows nobody
        firefox_joins(folder / "firefox")
        place.archive.close()


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        inside()
    else:
        namespaces = ["unshare", "--map-root-user", "--net", "--mount", sys.executable, __file__]
        sys.exit(subprocess.run(namespaces, env=os.environ | {INSIDE: "1"}, check=False).returncode)
