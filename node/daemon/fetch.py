"""Fetching an agenda by its address, on an island that has the internet: one polite question, bounded in time and size."""

import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.parse import urlsplit

from node import __version__
from node.board.drafts import is_link
from node.i18n.sentence import N_, Explained, Sentence, sentence

TIMEOUT_S, WHOLE_S = 20, 90
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
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(address: str, tag: str, max_bytes: int) -> Fetched:
    """What is at a web address (http, https, webcal) unless its tag is still `tag`; raises NotFetched."""
    if address.lower().startswith("webcal://"):
        address = "https" + address[6:]
    if not is_link(address):
        raise NotFetched(sentence("this is no web address."))
    headers = {"User-Agent": f"archipel/{__version__}", "Accept": "text/calendar", "Accept-Encoding": "identity"}
    request = urllib.request.Request(address, headers=headers | ({"If-None-Match": tag} if tag else {}))  # noqa: S310 - checked
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler, _OnTheWeb,
                    urllib.request.HTTPErrorProcessor, urllib.request.HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return Fetched(_read(answer, max_bytes), answer.headers.get("ETag", "")[:200])
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 304:
            return Fetched(None, tag)
        raise NotFetched(Sentence(ANSWERS.get(error.code, OTHER_ANSWER), {"code": error.code})) from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetched(_why(error)) from error


def _read(answer: HTTPResponse, max_bytes: int) -> bytes:
    """All of it, one byte more than allowed at most; raises NotFetched when it takes too long."""
    content, until = b"", time.monotonic() + WHOLE_S
    while len(content) <= max_bytes and (block := answer.read1(BLOCK_BYTES)):
        content += block
        if time.monotonic() > until:
            raise NotFetched(sentence("it comes too slowly."))
    return content


def _why(error: Exception) -> Sentence:
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return sentence("no such address is known here. Does this island have the internet?")
    if isinstance(reason, TimeoutError):
        return sentence("its server does not answer.")
    return sentence("it cannot be had (%(reason)s).", reason=str(reason))
