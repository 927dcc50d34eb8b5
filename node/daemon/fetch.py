"""Fetching what is at an address, on an island that has the internet: one polite question, bounded in time and size.

Each name is resolved once; each of its addresses must be public (`node.daemon.public_address`), and the line goes to one
that was looked at, however soon the name may lead elsewhere. So it is for each redirection. Proxies are not asked: they
would resolve names themselves.
"""

import http.client
import re
import socket
import ssl
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from node import __version__
from node.board.drafts import is_link
from node.daemon.public_address import NotPublic, addresses_of
from node.i18n.sentence import N_, Explained, Sentence, sentence
from radio.conversation import Conversation, converse

READ_S = 20.0  # for one answer of the server
WHOLE_S = 90.0  # for all of it: names, handshakes, redirections, the agenda's last octet
BLOCK_BYTES = 1 << 16
MAX_HOPS = 6  # questions for one page, redirections included
MAX_MARK = 200  # characters of a server's name for a version
MAX_RETRY_S = 7 * 86_400
REDIRECTIONS = {301, 302, 303, 307, 308}
AS_IT_STANDS = "/%:=&?~+!$,;'@()*[]"  # of a path; the rest is escaped
ANSWERS = {  # of a server that gives nothing
    401: N_("it wants a password (its server answers %(code)s)."),
    403: N_("it does not let this island read it (its server answers %(code)s)."),
    404: N_("nothing is there (its server answers %(code)s)."),
    410: N_("it is gone (its server answers %(code)s)."),
    429: N_("it was asked too often: try again tomorrow (its server answers %(code)s)."),
}
OTHER_ANSWER = N_("it cannot be had (its server answers %(code)s).")
SCHEMES: dict[str, tuple[type[http.client.HTTPConnection], int]] = {
    "http": (http.client.HTTPConnection, 80), "https": (http.client.HTTPSConnection, 443)}


class NotFetched(Explained):
    """Nothing came: the sentence says why. `away`: nobody took the call, so that the internet may not be there at all;
    `retry_s`: in how many seconds the server wants to be asked again, None if it said nothing."""

    def __init__(self, sentence: Sentence, away: bool = False, retry_s: float | None = None):
        super().__init__(sentence)
        self.away, self.retry_s = away, retry_s


@dataclass(frozen=True)
class Asking:
    """How an address is asked: at most `max_bytes`, unless it is still the version `tag` (ETag) or `modified`
    (Last-Modified). `accept`: media types; `contact`: how the server's people reach the island's; `allowed`: hosts, or
    host:port, that may be in a private network."""

    max_bytes: int
    tag: str = ""
    modified: str = ""
    accept: str = "text/calendar"
    contact: str = ""
    allowed: Collection[str] = ()

    @property
    def headers(self) -> dict[str, str]:
        """Of the request."""
        who = f"archipel/{__version__}" + (f" ({self.contact})" if self.contact else "")
        always = {"User-Agent": who, "Accept": f"{self.accept}, */*;q=0.1", "Accept-Encoding": "gzip",
                  "Connection": "close"}
        marks = {"If-None-Match": self.tag, "If-Modified-Since": self.modified}
        return always | {name: mark for name, mark in marks.items() if mark}


@dataclass(frozen=True)
class Fetched:
    """What came; `content` None when nothing has changed since. `tag` and `modified`: what the server calls this version;
    `address`: where it was, after redirections."""

    content: bytes | None
    tag: str = ""
    modified: str = ""
    address: str = ""


def fetch(address: str, asking: Asking, conversation: Conversation | None = None, within_s: float | None = None) -> Fetched:
    """What is at a web address (http, https, webcal), within WHOLE_S unless told otherwise, and one byte more than allowed
    if it is larger; raises NotFetched. Who brings a conversation may cut it."""
    talk = conversation or Conversation()
    if address[:9].lower() == "webcal://":
        address = "https" + address[6:]
    try:
        return converse(within_s or WHOLE_S, lambda conversation: _followed(conversation, address, asking), talk)
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        away = not talk.connected and not isinstance(error, NotPublic)
        raise NotFetched(_why(error), away) from error


def _followed(conversation: Conversation, address: str, asking: Asking) -> Fetched:
    for _ in range(MAX_HOPS):
        if not is_link(address):
            raise NotFetched(sentence("this is no web address."))
        there = urlsplit(address)
        with closing(_called(conversation, there, asking)) as line:
            line.request("GET", _path(there), headers=asking.headers)
            with line.getresponse() as answer:
                led = answer.headers.get("Location") if answer.status in REDIRECTIONS else None
                if not led:
                    return _taken(answer, asking, address)
            address = led_to(address, led)  # what comes with a redirection is not read, however much it is
    raise NotFetched(sentence("it leads on and on to other addresses."))


def _called(conversation: Conversation, there: SplitResult, asking: Asking) -> http.client.HTTPConnection:
    """A line to where an address leads, to a numeric address that was looked at."""
    kind, port = SCHEMES[there.scheme]
    host, port = there.hostname or "", there.port or port
    addresses = addresses_of(host, port, asking.allowed)
    safe: dict[str, Any] = {"context": ssl.create_default_context()} if there.scheme == "https" else {}
    line = kind(host.encode("idna").decode("ascii"), port, timeout=READ_S, **safe)

    def connect(named: object, timeout_s: float | None = None, source: object = None) -> socket.socket:
        for address in addresses[:-1]:
            try:
                return conversation.connect((address, port), timeout_s)
            except OSError:
                continue
        return conversation.connect((addresses[-1], port), timeout_s)

    line._create_connection = connect  # type: ignore[attr-defined]  # http.client's own seam
    return line


def _path(there: SplitResult) -> str:
    path = quote(there.path or "/", safe=AS_IT_STANDS)
    return f"{path}?{quote(there.query, safe=AS_IT_STANDS)}" if there.query else path


def led_to(address: str, location: str) -> str:
    """Where a redirection leads; raises NotFetched when that is from a protected web address to one that is not."""
    there = urljoin(address, location.encode("latin-1", "replace").decode("utf-8", "replace").strip())
    if urlsplit(there).scheme not in ("https", urlsplit(address).scheme):
        raise NotFetched(sentence("it leads away from the protected web (https)."))
    return there


def _taken(answer: HTTPResponse, asking: Asking, address: str) -> Fetched:
    if answer.status == 304:
        return Fetched(None, asking.tag, asking.modified, address)
    if answer.status != 200:
        sentence_ = Sentence(ANSWERS.get(answer.status, OTHER_ANSWER), {"code": answer.status})
        raise NotFetched(sentence_, retry_s=_retry_s(answer))
    return Fetched(_read(answer, asking.max_bytes), _mark(answer, "ETag"), _mark(answer, "Last-Modified"), address)


def _read(answer: HTTPResponse, max_bytes: int) -> bytes:
    """All of it, unpacked; one byte more than allowed at most."""
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip"):
        raise NotFetched(sentence("its server packs it in a way that nobody here asked for."))
    content = bytearray()
    for block in _unpacked(answer, max_bytes) if "gzip" in packing else _blocks(answer):
        content += block
        if len(content) > max_bytes:
            break
    return bytes(content[:max_bytes + 1])


def _blocks(answer: HTTPResponse) -> Iterator[bytes]:
    while block := answer.read1(BLOCK_BYTES):
        yield block
    if answer.length:  # octets that were promised and did not come
        raise NotFetched(sentence("it broke off in the middle."))


def _unpacked(answer: HTTPResponse, max_bytes: int) -> Iterator[bytes]:
    """Of a gzip stream (RFC 1952): a kilobyte may hold a megabyte, so that no step unpacks more than may be kept."""
    unpacking = zlib.decompressobj(31)
    for block in _blocks(answer):
        while block and not unpacking.eof:
            yield unpacking.decompress(block, max_bytes + 1)
            block = unpacking.unconsumed_tail
        if unpacking.eof:
            return
    raise NotFetched(sentence("it broke off in the middle."))


def _mark(answer: HTTPResponse, name: str) -> str:
    """What a server calls a version, if it can be sent back."""
    mark = answer.headers.get(name, "")
    return mark if len(mark) <= MAX_MARK and re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", mark) else ""


def _retry_s(answer: HTTPResponse) -> float | None:
    """In how many seconds to ask again (Retry-After, RFC 9110 10.2.3): a moment is held against the server's own clock."""
    told = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        return float(min(int(told), MAX_RETRY_S))
    try:
        then, now = parsedate_to_datetime(told), parsedate_to_datetime(answer.headers.get("Date", ""))
        return min(max((then - now).total_seconds(), 0.0), MAX_RETRY_S)
    except (TypeError, ValueError, OverflowError):
        return None


def _why(error: Exception) -> Sentence:
    if isinstance(error, NotPublic):
        return sentence("%(host)s leads into a private network (%(address)s), where strangers may not send this island. If "
                        "that is meant, name it in the settings: [gather] private.", host=error.host, address=error.address)
    if isinstance(error, socket.gaierror | UnicodeError):  # a name whose labels are empty or too long is none
        return sentence("no such address is known here. Does this island have the internet?")
    if isinstance(error, TimeoutError):
        return sentence("its server does not answer, or too slowly.")
    return sentence("it cannot be had (%(reason)s).", reason=str(error))
