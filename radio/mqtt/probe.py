"""A broker: how to reach it, and what it says when one knocks. No library: the doctor must see the broker's own answer."""

import secrets
import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from radio.conversation import Conversation, converse

PLAIN_PORT, TLS_PORT = 1883, 8883
CONNECT_S = 5.0
KNOCK_S = 20.0  # for the whole look
LOOK_S = 3.0  # for what is kept to be brought once asked for
WHOLE_BYTES, SMALL_BYTES = 2_032, 32  # the largest that `radio.mqtt.link` puts there, and one that any broker takes
CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 0x20, 0x30, 0x40, 0x82, 0x90, b"\xe0\0"  # MQTT 3.1.1, table 2.1
RETAINED = 0x01
CERTIFICATES = {9: "early", 10: "expired", 62: "wrong-name", 64: "wrong-name"}  # X509_V_ERR_... of OpenSSL's x509_vfy.h
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
    def has_name(self) -> bool:
        """Whether its host may be one: no empty label, none above 63 octets."""
        try:
            return bool(self.where[0].encode("idna"))
        except UnicodeError:
            return False

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


def knock(settings: BrokerSettings, conversation: Conversation | None = None) -> str:
    """What a broker says within KNOCK_S, or until the `conversation` is cut: "up", or why it will not have us.

    `files` (our certificates cannot be read), `unknown` (name), `absent`, `certificate` (not trusted), `early`, `expired`,
    `wrong-name` (of its certificate), `wants-certificate`, `tls`, `mute` (answers, but not as a broker does), `password`,
    `not-allowed`, `version`, `client-id`, `unavailable`, `topics` (it lets us in, but not to our topics), `keeps-nothing`,
    `keeps-small` (of what is put there nothing comes back to who asks later, or only what is small).
    """
    try:
        context = settings.tls() if settings.sealed else None
    except OSError:  # ssl.SSLError is one
        return "files"
    knocking = _Knock(settings, context)
    try:
        return converse(KNOCK_S, knocking.hear, conversation)
    except socket.gaierror:
        return "unknown"
    except EOFError:
        return "mute"
    except (OSError, ValueError):  # ValueError: a name that TLS takes for none
        return "mute" if knocking.connected else "absent"


class _TurnedAway(Exception):
    """The broker will not; the slug of `knock`."""

    def __init__(self, slug: str):
        super().__init__(slug)
        self.slug = slug


class _Knock:
    """One look at a broker. `connected`: whether anything took the call."""

    def __init__(self, settings: BrokerSettings, context: ssl.SSLContext | None):
        self._settings, self._context = settings, context
        self.connected = False

    def hear(self, conversation: Conversation) -> str:
        """See `knock`."""
        try:
            with self._enter(conversation) as stream:
                _subscribe(stream, f"{self._settings.root}/0/+")
                stream.sendall(DISCONNECT)
            if self._keeps(conversation, WHOLE_BYTES):
                return "up"
            return "keeps-small" if self._keeps(conversation, SMALL_BYTES) else "keeps-nothing"
        except _TurnedAway as refused:
            return refused.slug

    def _enter(self, conversation: Conversation) -> socket.socket:
        """A stream to the broker that has let us in."""
        stream = conversation.connect(self._settings.where, CONNECT_S)
        self.connected = True
        try:
            stream.settimeout(KNOCK_S)
            if self._context is None:
                self._introduce(stream)
                return stream
            stream = self._through_tls(stream, self._context)
            try:
                self._introduce(stream)
            except (OSError, EOFError):  # TLS 1.3 tells only after the handshake that a certificate was missing
                raise _TurnedAway("tls" if self._settings.certificate else "wants-certificate") from None
        except BaseException:
            stream.close()
            raise
        return stream

    def _through_tls(self, plain: socket.socket, context: ssl.SSLContext) -> socket.socket:
        try:
            return context.wrap_socket(plain, server_hostname=self._settings.where[0])
        except ssl.SSLCertVerificationError as error:
            raise _TurnedAway(CERTIFICATES.get(error.verify_code, "certificate")) from error
        except OSError as error:  # ssl.SSLError is one; a plain broker hangs up on what it takes for nonsense
            raise _TurnedAway("wants-certificate" if "HANDSHAKE_FAILURE" in str(error) else "tls") from error

    def _introduce(self, stream: socket.socket) -> None:
        stream.sendall(_connect(self._settings.login))
        kind, answer = _packet(stream)
        if kind != CONNACK or len(answer) != 2:
            raise _TurnedAway("mute")
        if answer[1]:
            raise _TurnedAway(REFUSALS.get(answer[1], "not-allowed"))

    def _keeps(self, conversation: Conversation, size: int) -> bool:
        """Put a message of so many octets where no island looks, see if it is there for who comes later, take it away."""
        topic, content = f"{self._settings.root}/probe/{secrets.token_hex(1)}", secrets.token_bytes(size)
        try:
            with self._enter(conversation) as stream:
                _put(stream, topic, content)
                stream.sendall(DISCONNECT)
            with self._enter(conversation) as stream:
                found = _find(stream, topic)
                _put(stream, topic, b"")
                stream.sendall(DISCONNECT)
        except (OSError, EOFError, _TurnedAway):  # it hangs up on what is too large, or may not be kept, or not be read
            return False
        return found


def _subscribe(stream: socket.socket, topics: str) -> None:
    stream.sendall(_framed(SUBSCRIBE, b"\0\1" + _text(topics) + b"\1"))
    kind = 0
    while kind != SUBACK:  # what is retained there may come first
        kind, answer = _packet(stream)
    if answer[2:3] == b"\x80":
        raise _TurnedAway("topics")


def _put(stream: socket.socket, topic: str, content: bytes) -> None:
    stream.sendall(_framed(PUBLISH | RETAINED | 0x02, _text(topic) + b"\0\2" + content))
    while _packet(stream)[0] != PUBACK:
        pass


def _find(stream: socket.socket, topic: str) -> bool:
    """Whether something is kept under a topic. Another island may have put its own there meanwhile."""
    stream.settimeout(LOOK_S)
    _subscribe(stream, topic)
    try:
        while True:
            kind, _ = _packet(stream)
            if kind == PUBLISH:
                return True
    except TimeoutError:
        return False


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
    """Kind and content of what comes next; EOFError for what is too large to be any of ours."""
    kind, size, shift = _exactly(stream, 1)[0], 0, 0
    while True:
        octet = _exactly(stream, 1)[0]
        size |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            break
        if shift > 14:
            raise EOFError
    return kind & 0xF0, _exactly(stream, size)


def _exactly(stream: socket.socket, size: int) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        piece = stream.recv(size - len(taken))
        if not piece:
            raise EOFError
        taken += piece
    return bytes(taken)
