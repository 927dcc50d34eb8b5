"""Fetching an agenda by its address, on an island that has the internet: one polite question, bounded in time and size."""

import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from node import __version__
from node.board.drafts import is_link

TIMEOUT_S, WHOLE_S = 20, 90
BLOCK_BYTES = 1 << 16
REMEDIES = {401: "it wants a password", 403: "it does not let this island read it", 404: "nothing is there",
            410: "it is gone", 429: "it was asked too often: try again tomorrow"}

SENTENCES = {
    "name": "no such address is known here. Does this island have the internet?", "silent": "its server does not answer.",
    "other": "it cannot be had",
}


class NotFetched(Exception):
    """Nothing came: says why, for people."""


@dataclass(frozen=True)
class Fetched:
    """What came; `content` None when nothing has changed since the version `tag`."""

    content: bytes | None
    tag: str = ""


class _OnTheWeb(urllib.request.HTTPRedirectHandler):
    """Follows to other web addresses only, and never from a protected one to one that is not."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # noqa: PLR0913 - the library's
        if urlsplit(newurl).scheme not in ("https", urlsplit(req.full_url).scheme):
            raise NotFetched("it leads away from the protected web (https).")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(address: str, tag: str, max_bytes: int) -> Fetched:
    """What is at a web address (http, https, webcal) unless its tag is still `tag`; raises NotFetched."""
    if address.lower().startswith("webcal://"):
        address = "https" + address[6:]
    if not is_link(address):
        raise NotFetched("this is no web address.")
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
        what = REMEDIES.get(error.code, SENTENCES["other"])
        raise NotFetched(f"{what} (its server answers {error.code}).") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetched(_why(error)) from error


def _read(answer, max_bytes: int) -> bytes:
    """All of it, one byte more than allowed at most; raises NotFetched when it takes too long."""
    content, until = b"", time.monotonic() + WHOLE_S
    while len(content) <= max_bytes and (block := answer.read1(BLOCK_BYTES)):
        content += block
        if time.monotonic() > until:
            raise NotFetched("it comes too slowly.")
    return content


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    slug = "name" if isinstance(reason, socket.gaierror) else "silent" if isinstance(reason, TimeoutError) else ""
    return SENTENCES.get(slug) or f"{reason}."
