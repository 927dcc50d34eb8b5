"""The image's own nginx.conf in a real nginx on loopback, over http and https, with a stand-in for the portal behind it."""

import gzip
import os
import re
import socket
import ssl
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from archipel_image import frontpages
from archipel_image.sources import OVERLAY, program
from tests.ports import free_ports
from tests.waiting import until

SHARE = OVERLAY / "usr/share/archipel"
UNIT = (OVERLAY / "usr/lib/systemd/system/archipel-front.service").read_text()
ROOMS = {name: int(mib) for name, mib in re.findall(r"TemporaryFileSystem=/var/lib/nginx/(\w+):size=(\d+)M", UNIT)}
LONG = b"BEGIN:VCALENDAR\r\n" * 200_000  # more than all buffers of sockets on the way, with theirs at
SEND_BUFFER_BYTES = 1 << 16
ON_WIFI, ON_CABLE = "127.0.9.1", "127.0.9.2"  # whose requests came by a network of the box's own, in a test


class Portal(BaseHTTPRequestHandler):
    """Answers everything at once; `server.taken` has (method, path, bytes of the body) of what came whole.

    `server.told` is what the last request's header says of the way it came: scheme, arrival, client.
    """

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """What nginx does not take waits here, not in the kernel."""
        super().setup()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def do_GET(self) -> None:
        """A page of 12 kB; a long answer at addresses that give one."""
        self._answer(LONG if self.path in ("/agenda.ics", "/bundle") else b"<p>une page</p>\n" * 800)
        self.server.taken.append(("GET", self.path, 0))

    def do_POST(self) -> None:
        """Takes a body in."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"taken")
        self.server.taken.append(("POST", self.path, len(body)))

    def _answer(self, content: bytes) -> None:
        self.server.told = tuple(map(self.headers.get, ("X-Forwarded-Proto", "X-Arrival", "X-Forwarded-For")))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Portals(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who went away in the midst of a test is no error."""


class Front:
    """Where nginx listens, by scheme; what it said; what the portal behind it took. `scheme` is how it is asked."""

    def __init__(self, folder: Path, ports: dict[str, int], nginx: subprocess.Popen, portal: ThreadingHTTPServer):
        self.folder, self.ports, self._nginx, self._portal = folder, ports, nginx, portal
        self.scheme = "http"
        self._open = ExitStack()

    def hang_up(self) -> None:
        """Close every connection that is still open."""
        self._open.close()

    @property
    def taken(self) -> list[tuple[str, str, int]]:
        """(method, path, octets) of every request that reached the portal whole."""
        return self._portal.taken

    @property
    def told(self) -> tuple[str, str | None, str]:
        """(scheme, arrival) of the last request that reached the portal."""
        return self._portal.told

    def stop_portal(self) -> None:
        """Nobody answers behind nginx any more, as during a start."""
        self._portal.shutdown()
        self._portal.server_close()

    def said(self) -> str:
        """All that nginx wrote, once it has ended."""
        self._nginx.terminate()
        return self._nginx.communicate(timeout=60)[1].decode()

    def connect(self, client: str = "127.0.0.1", room: int | None = None) -> socket.socket:
        """A connection of the client with this address, who has `room` octets for what it has not read yet."""
        line = self.plain_line(self.ports[self.scheme], client, room)
        return line if self.scheme == "http" else self._open.enter_context(sealed(line))

    def plain_line(self, port: int, client: str = "127.0.0.1", room: int | None = None) -> socket.socket:
        """The same to any port; nothing is said on it."""
        line = self._open.enter_context(socket.socket())
        line.settimeout(60)
        if room:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        line.bind((client, 0))
        line.connect(("127.0.0.1", port))
        return line

    def begin(self, path: str, octets: int, client: str, sent: bytes = b"x") -> socket.socket:
        """A POST of a body of `octets` of which only `sent` has come so far."""
        line = self.connect(client)
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: archipel.lan\r\nConnection: close\r\n"
                     f"Content-Length: {octets}\r\n\r\n".encode() + sent)
        return line

    def ask(self, path: str, client: str = "127.0.0.1", body: bytes | None = None, **headers: str) -> "Answer":
        """The answer to one request."""
        fields = {"Host": "archipel.lan", "Connection": "close"}
        fields |= {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None:
            fields["Content-Length"] = str(len(body))
        method, lines = "GET" if body is None else "POST", "".join(f"{name}: {text}\r\n" for name, text in fields.items())
        with self.connect(client) as line:
            line.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode())
            with suppress(OSError):  # it may be refused by its length
                line.sendall(body or b"")
            return answered(line)


def sealed(line: socket.socket, **context: object) -> ssl.SSLSocket:
    """A connection with TLS on it, whoever the certificate is of; `context`: what the client insists on."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    for name, value in context.items():
        setattr(tls, name, value)
    return tls.wrap_socket(line, server_hostname="safe.archipel.lan")


class Answer:
    """Status, header fields (names in lower case) and text."""

    def __init__(self, raw: bytes):
        head, _, self.content = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().splitlines()
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def text(self) -> str:
        """The body as text."""
        raw = self.content if "content-length" in self.headers else _joined(self.content)
        return (gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw).decode()


def _joined(chunks: bytes) -> bytes:
    """A body in chunks (RFC 9112, 7.1) as one."""
    whole = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        whole, chunks = whole + rest[:int(size, 16)], rest[int(size, 16) + 2:]
    return whole


def answered(line: socket.socket) -> Answer:
    """What comes on a connection until it is closed."""
    raw = b""
    with suppress(ConnectionResetError, ssl.SSLEOFError):  # closed with a body on its way
        while block := line.recv(65_536):
            raw += block
    return Answer(raw)


def written(folder: Path, ports: dict[str, int], back: int) -> Path:
    """The shipped configuration, its places moved below `folder` and its ports to ours; and a box's own certificate."""
    for name in ("run", "lib", "share/.front", "front"):
        (folder / name).mkdir(parents=True)
    program("certificate").main(folder / "front")
    for name, page in frontpages.pages().items():
        (folder / "share/.front" / name).write_bytes(page)
    moved = {"/run/archipel-front": folder / "run", "/var/lib/nginx": folder / "lib",
             "/usr/share/archipel": folder / "share",
             "/data/front": folder / "front", "198.51.100.0/25": f"{ON_WIFI}/32", "198.51.100.128/25": f"{ON_CABLE}/32",
             "listen 80 ": f"listen 127.0.0.1:{ports['http']} ", "listen [::]:80 default_server;": "",
             "listen 443 ": f"listen 127.0.0.1:{ports['https']} ", "listen [::]:443 ssl default_server;": "",
             "127.0.0.1:8080": f"127.0.0.1:{back}",
             # who is slow in a test is so for as long as a slow machine takes to look
             "client_body_timeout 10s;": "client_body_timeout 600s;", "send_timeout 20s;": "send_timeout 600s;"}
    for name in ("nginx.conf", "portal.conf"):
        text = (SHARE / name).read_text()
        for place, here in moved.items():
            text = text.replace(place, str(here))
        (folder / "share" / name).write_text(text)
    if os.geteuid() == 0:  # its worker would be nobody, who may not into a test's folder
        (folder / "share/nginx.conf").write_text("user root;\n" + (folder / "share/nginx.conf").read_text())
    return folder / "share/nginx.conf"


@contextmanager
def front(folder: Path):
    """A running Front."""
    first, portal = free_ports(2), _Portals(("127.0.0.1", 0), Portal)
    ports = {"http": first, "https": first + 1}
    portal.taken, portal.told = [], None
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    config = written(folder, ports, portal.server_port)
    nginx = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(config)], stderr=subprocess.PIPE)
    try:
        until(lambda: all(map(_listens, ports.values())))
        ahead = Front(folder, ports, nginx, portal)
        yield ahead
        ahead.hang_up()
    finally:
        nginx.terminate()  # killed, it would leave its worker
        nginx.wait()
        portal.shutdown()
        portal.server_close()
        nginx.stderr.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
