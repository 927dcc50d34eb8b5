"""The captive portal: what each system asks to learn whether it is online, and who has chosen to stay connected.

Sources: Android and ChromeOS network portal detection, Apple's captive network assistant, Microsoft NCSI, Firefox's
captivedetect, NetworkManager's connectivity check and the distributions' servers for it.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from web.pages import fitted, kept, settings
from web.public import glance

STAY_S = 12 * 3600
MAX_CLIENTS = 2_000
OWN_ENDINGS = (".lan", ".local", ".localhost", ".home.arpa", ".internal")
Answer = tuple[int, str, dict[str, str]]  # status, body, headers
NOTHING: Answer = (204, "", {})
NM = {"X-NetworkManager-Status": "online"}
APPLE = (200, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", {"Content-Type": "text/html"})
FIREFOX = '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
TEXT = {"Content-Type": "text/plain"}
ONLINE = {
    "connectivitycheck.gstatic.com": {"/generate_204": NOTHING, "/gen_204": NOTHING},
    "clients3.google.com": {"/generate_204": NOTHING, "/gen_204": NOTHING},
    "www.gstatic.com": {"/generate_204": NOTHING},
    "www.google.com": {"/gen_204": NOTHING, "/generate_204": NOTHING},
    "play.googleapis.com": {"/generate_204": NOTHING},
    "connect.rom.miui.com": {"/generate_204": NOTHING},
    "connectivitycheck.platform.hicloud.com": {"/generate_204": NOTHING},
    "captive.apple.com": {"/hotspot-detect.html": APPLE, "/": APPLE},
    "www.apple.com": {"/library/test/success.html": APPLE},
    "www.msftconnecttest.com": {"/connecttest.txt": (200, "Microsoft Connect Test", TEXT)},
    "www.msftncsi.com": {"/ncsi.txt": (200, "Microsoft NCSI", TEXT)},
    "detectportal.firefox.com": {"/canonical.html": (200, FIREFOX, {"Content-Type": "text/html"}),
                                 "/success.txt": (200, "success\n", TEXT)},
    "nmcheck.gnome.org": {"/check_network_status.txt": (200, "NetworkManager is online", TEXT | NM)},
    "network-test.debian.org": {"/nm": (200, "NetworkManager is online", TEXT | NM)},
    "connectivity-check.ubuntu.com": {"/": (204, "", NM)},
    "fedoraproject.org": {"/static/hotspot.txt": (200, "OK", TEXT)},
    "networkcheck.kde.org": {"/": (200, "OK", TEXT)},
}
probes = Blueprint("probes", __name__)


class Stayers:
    """Addresses of those who chose to stay, for hours, in memory only; the oldest go first when there are too many."""

    def __init__(self, monotonic: Callable[[], float]):
        self._monotonic = monotonic
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, client: str) -> None:
        """From now on this client is told that it is online."""
        with self._lock:
            self._until.pop(client, None)
            self._until[client] = self._monotonic() + STAY_S
            while len(self._until) > MAX_CLIENTS:
                self._until.popitem(last=False)

    def __contains__(self, client: str) -> bool:
        with self._lock:
            if self._until.get(client, 0) > self._monotonic():
                return True
            self._until.pop(client, None)
            return False

    def __len__(self) -> int:
        return len(self._until)


def add_probes(app: Flask) -> None:
    """Before anything else: a request for another host is a probe, or somebody on the way to the web."""
    app.extensions["stayers"] = Stayers(app.extensions["settings"].monotonic)
    app.register_blueprint(probes)

    @app.before_request
    def by_host() -> BaseResponse | None:
        host = request.host.rsplit(":", 1)[0].strip("[]").lower().rstrip(".")
        return None if ours(host, app.extensions["settings"].host) else _elsewhere(host)


def ours(host: str, own: str) -> bool:
    """Whether `host` names this portal: its own name, an address, a name without dots or of a local kind."""
    if host in ONLINE:
        return False
    return host == own or "." not in host or host.endswith(OWN_ENDINGS) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _elsewhere(host: str) -> BaseResponse:
    answer = ONLINE.get(host, {}).get(request.path)
    if answer and (request.remote_addr or "") in current_app.extensions["stayers"]:
        status, body, headers = answer
        response: BaseResponse = Response(body, status, headers)
    else:
        response = redirect(f"{settings().base_url.rstrip('/')}/hello", 302)
    response.headers["Cache-Control"] = "no-store"
    return response


@probes.get("/hello")
@kept
def hello() -> str:
    """The board, with a welcome for who has just joined the Wi-Fi."""
    return fitted("home.html", lambda rows: {**glance(rows), "welcome": True})


@probes.post("/hello")
def stay() -> str:
    """From now on this phone is told that it is online, so that it stays on this Wi-Fi."""
    current_app.extensions["stayers"].add(request.remote_addr or "")
    return render_template("stay.html")
