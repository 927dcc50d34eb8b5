"""A broker: how to reach it, and what it says when one knocks. No library: the doctor must see the broker's own answer."""

import secrets
import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

PLAIN_PORT, TLS_PORT = 1883, 8883
KNOCK_S = 5.0
CONNACK, SUBACK = 0x20, 0x90
REFUSALS = {1: "version", 2: "client-id", 3: "unavailable", 4: "password", 5: "not-allowed"}  # MQTT 3.1.1, table 3.1


@dataclass(frozen=True)
class BrokerSettings:
    """Which broker: `url` is `mqtt://` or `mqtts://` with USER:PASSWORD@HOST:PORT; `root` the first part of every topic.

    `authority`, `certificate`, `key`: files (PEM) of the broker's authority and of our own certificate, for `mqtts://`.
    `quota_per_h`: how many messages to put there in an hour. `ack_s`: how long a broker may take to confirm; `quiet_s`: how
    long it is quiet when a subscription has brought all. `retry_...`: from and up to which pause it is called again.
    Raises ValueError.
    """

    url: str
    root: str
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    quota_per_h: int = 20_000
    ack_s: float = 10.0
    quiet_s: float = 0.1
    retry_first_s: float = 1.0
    retry_last_s: float = 120.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("a broker is mqtt://HOST or mqtts://USER:PASSWORD@HOST:PORT")
        if not self.root or set(self.root) & set("+#\0") or self.root.startswith("$"):
            raise ValueError("the root of the topics is a plain word")

    @cached_property
    def where(self) -> tuple[str, int]:
        """(host, port)."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (TLS_PORT if self.sealed else PLAIN_PORT)

    @property
    def sealed(self) -> bool:
        """Whether it is reached through TLS."""
        return self.url.startswith("mqtts:")

    @property
    def login(self) -> tuple[str, str] | None:
        """(user, password), or None."""
        parts = urlsplit(self.url)
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None

    def tls(self) -> ssl.SSLContext:
        """What checks the broker's certificate and shows ours; raises OSError or ssl.SSLError for a bad file."""
        context = ssl.create_default_context(cafile=self.authority)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context


def knock(settings: BrokerSettings) -> str:
    """What a broker says: "up", or why it will not have us.

    `files` (our certificates cannot be read), `unknown` (name), `absent`, `certificate` (not trusted), `wants-certificate`,
    `tls`, `mute` (answers, but not as a broker does), `password`, `not-allowed`, `version`, `client-id`, `unavailable`,
    `topics` (it lets us in, but not to our topics).
    """
    try:
        context = settings.tls() if settings.sealed else None
    except OSError:  # ssl.SSLError is one
        return "files"
    try:
        with socket.create_connection(settings.where, timeout=KNOCK_S) as plain:
            return _through_tls(plain, context, settings) if context else _talk(plain, settings)
    except socket.gaierror:
        return "unknown"
    except EOFError:
        return "mute"
    except OSError:
        return "absent"


def _through_tls(plain: socket.socket, context: ssl.SSLContext, settings: BrokerSettings) -> str:
    try:
        stream = context.wrap_socket(plain, server_hostname=settings.where[0])
    except ssl.SSLCertVerificationError:
        return "certificate"
    except OSError as error:  # ssl.SSLError is one; a plain broker hangs up on what it takes for nonsense
        return "wants-certificate" if "HANDSHAKE_FAILURE" in str(error) else "tls"
    with stream:
        try:
            return _talk(stream, settings)
        except OSError:  # TLS 1.3 tells only after the handshake that a certificate was missing
            return "tls" if settings.certificate else "wants-certificate"


def _talk(stream: socket.socket, settings: BrokerSettings) -> str:
    stream.sendall(_connect(settings.login))
    kind, answer = _packet(stream)
    if kind != CONNACK or len(answer) != 2:
        return "mute"
    if answer[1]:
        return REFUSALS.get(answer[1], "not-allowed")
    stream.sendall(_framed(0x82, b"\0\1" + _text(f"{settings.root}/0/+") + b"\1"))
    while kind != SUBACK:  # what is retained there may come first
        kind, answer = _packet(stream)
    stream.sendall(b"\xe0\0")
    return "topics" if answer[2:] == b"\x80" else "up"


def _connect(login: tuple[str, str] | None) -> bytes:
    flags = 0x02 | (0xC0 if login else 0)
    fields = [secrets.token_hex(8), *(login or ())]
    return _framed(0x10, _text("MQTT") + bytes([4, flags, 0, 60]) + b"".join(map(_text, fields)))


def _framed(kind: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([kind, *length, size]) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _packet(stream: socket.socket) -> tuple[int, bytes]:
    kind, size, shift = _exactly(stream, 1)[0], 0, 0
    while True:
        octet = _exactly(stream, 1)[0]
        size |= (octet & 127) << shift
        shift += 7
        if octet < 128 or shift > 14:
            break
    return kind & 0xF0, _exactly(stream, min(size, 4_096))


def _exactly(stream: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        piece = stream.recv(size - len(taken))
        if not piece:
            raise EOFError
        taken += piece
    return taken
