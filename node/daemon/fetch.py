"""Fetching an agenda by its address, on an island that has the internet: one polite question, bounded in time and size."""

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.parse import urlsplit

from node import __version__
from node.board.drafts import is_link
from node.i18n.sentence import N_, Explained, Sentence, sentence
from radio.conversation import Conversation, converse

READ_S = 20.0  # for one answer of the server
WHOLE_S = 90.0  # for all of it: names, handshakes, redirections, the agenda's last octet
BLOCK_BYTES = 1 << 16
ANSWERS = {  # of a server that gives nothing
    401: N_("it wants a password (its server answers %(code)s)."),
    403: N_("it does not let this island read it (its server answers %(code)s)."),
    404: N_("nothing is there (its server answers %(code)s)."),
    410: N_("it is gone (its server answers %(code)s)."),
    429: N_("it was asked too often: try again tomorrow (its server answers %(code)s)."),
}
OTHER_ANSWER = N_("it cannot be had (its server answers %(code)s).")


class NotFetched(Explained):
    """Nothing came: the sentence says why."""


@dataclass(frozen=True)
class Fetched:
    """What came; `content` None when nothing has changed since the version `tag`."""

    content: bytes | None
    tag: str = ""


class _OnTheWeb(urllib.request.HTTPRedirectHandler):
    """Follows to other web addresses only, and never from a protected one to one that is not."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,  # noqa: PLR0913 - the library's
                         headers: HTTPMessage, newurl: str) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("https", urlsplit(req.full_url).scheme):
            raise NotFetched(sentence("it leads away from the protected web (https)."))
        fp.close()  # or the library reads what comes with a redirection, however much it is
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Http(urllib.request.HTTPHandler):
    """Opens its connections within a conversation."""

    def __init__(self, conversation: Conversation):
        super().__init__()
        self._conversation = conversation

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        """See HTTPHandler."""
        return self.do_open(_within(self._conversation, http.client.HTTPConnection), req)


class _Https(urllib.request.HTTPSHandler):
    """Opens its connections within a conversation."""

    def __init__(self, conversation: Conversation):
        super().__init__()
        self._conversation = conversation

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """See HTTPSHandler."""
        return self.do_open(_within(self._conversation, http.client.HTTPSConnection), req,
                            context=ssl.create_default_context())


def _within(conversation: Conversation, kind: Callable[..., http.client.HTTPConnection]) -> Any:
    """A maker of connections of that kind whose lines are the conversation's."""
    def make(host: str, **more: Any) -> http.client.HTTPConnection:
        connection = kind(host, **more)
        connection._create_connection = conversation.connect  # type: ignore[attr-defined]  # http.client's own seam
        return connection

    return make


def fetch(address: str, tag: str, max_bytes: int) -> Fetched:
    """What is at a web address (http, https, webcal) unless its tag is still `tag`, within WHOLE_S; raises NotFetched."""
    if address.lower().startswith("webcal://"):
        address = "https" + address[6:]
    if not is_link(address):
        raise NotFetched(sentence("this is no web address."))
    try:
        return converse(WHOLE_S, lambda conversation: _fetched(conversation, address, tag, max_bytes))
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetched(_why(error)) from error


def _fetched(conversation: Conversation, address: str, tag: str, max_bytes: int) -> Fetched:
    headers = {"User-Agent": f"archipel/{__version__}", "Accept": "text/calendar", "Accept-Encoding": "identity"}
    request = urllib.request.Request(address, headers=headers | ({"If-None-Match": tag} if tag else {}))  # noqa: S310 - checked
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Http(conversation), _Https(conversation), _OnTheWeb(),
                    urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler()):
        opener.add_handler(handler)
    try:
        with opener.open(request, timeout=READ_S) as answer:
            return Fetched(_read(answer, max_bytes), answer.headers.get("ETag", "")[:200])
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 304:
            return Fetched(None, tag)
        raise NotFetched(Sentence(ANSWERS.get(error.code, OTHER_ANSWER), {"code": error.code})) from error


def _read(answer: HTTPResponse, max_bytes: int) -> bytes:
    """All of it, one byte more than allowed at most."""
    content = bytearray()
    while len(content) <= max_bytes and (block := answer.read1(BLOCK_BYTES)):
        content += block
    return bytes(content)


def _why(error: Exception) -> Sentence:
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror | UnicodeError):  # a name whose labels are empty or too long is none
        return sentence("no such address is known here. Does this island have the internet?")
    if isinstance(reason, TimeoutError):
        return sentence("its server does not answer, or too slowly.")
    return sentence("it cannot be had (%(reason)s).", reason=str(reason))
