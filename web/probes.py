"""The captive portal: what each system asks to learn whether it is online, and who has chosen to stay connected.

A probe is known by the last part of its path, whatever the host: makers and distributions have servers of their own for the
same few probes (/e/OS, GrapheneOS, Samsung, Oppo, Vivo, Arch ...). Only what is asked at a path that says nothing is known
by its host. Sources: Android's NetworkMonitor, Apple's captive network assistant, Microsoft NCSI, Firefox's captivedetect,
NetworkManager's connectivity check, and what each system ships as its address.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from web.pages import kept, settings
from web.public import first_page

STAY_S = 12 * 3600
MAX_CLIENTS = 2_000
OWN_ENDINGS = (".lan", ".local", ".localhost", ".home.arpa", ".internal")
Answer = tuple[int, str, dict[str, str]]  # status, body, headers
NOTHING: Answer = (204, "", {})
TEXT, HTML = {"Content-Type": "text/plain"}, {"Content-Type": "text/html"}
NM = TEXT | {"X-NetworkManager-Status": "online"}
ONLINE: Answer = (200, "NetworkManager is online", NM)
OK: Answer = (200, "OK", TEXT)
APPLE: Answer = (200, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", HTML)
FIREFOX: Answer = (200, '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>', HTML)
BY_PATH = {  # by the last part of the path
    "generate_204": NOTHING, "gen_204": NOTHING, "net_204": NOTHING,
    "hotspot-detect.html": APPLE, "success.html": APPLE,
    "connecttest.txt": (200, "Microsoft Connect Test", TEXT), "ncsi.txt": (200, "Microsoft NCSI", TEXT),
    "canonical.html": FIREFOX, "success.txt": (200, "success\n", TEXT),
    "check_network_status.txt": ONLINE, "nm-check.txt": ONLINE, "hotspot.txt": OK,
}
BY_HOST = {  # (host, path) of probes whose path says nothing
    ("captive.apple.com", "/"): APPLE, ("204.ecloud.global", "/"): NOTHING, ("captiveportal.kuketz.de", "/"): NOTHING,
    ("connectivity-check.ubuntu.com", "/"): (204, "", {"X-NetworkManager-Status": "online"}),
    ("network-test.debian.org", "/nm"): ONLINE, ("conncheck.opensuse.org", "/"): ONLINE, ("networkcheck.kde.org", "/"): OK,
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
    return host == own or "." not in host or host.endswith(OWN_ENDINGS) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def probed(host: str, path: str) -> Answer | None:
    """What a system that asks for this wants to hear when it is online; None for what is no probe."""
    return BY_HOST.get((host, path)) or BY_PATH.get(path.rstrip("/").rpartition("/")[2])


def _elsewhere(host: str) -> BaseResponse:
    answer = probed(host, request.path)
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
    return first_page(welcome=True)


@probes.post("/hello")
def stay() -> str:
    """From now on this phone is told that it is online, so that it stays on this Wi-Fi."""
    current_app.extensions["stayers"].add(request.remote_addr or "")
    return render_template("stay.html")
