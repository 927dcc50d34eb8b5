"""How a page is made: its style, its weight, the headers it goes out with, and how long it is kept."""

import hashlib
import threading
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, make_response, render_template, request
from markupsafe import Markup

from node.board import street_map
from node.board.api import TextPatience
from node.board.board import Board
from web.languages import TAGS, current
from web.portal_settings import WebSettings

MAX_PAGE_BYTES = 14_000  # the first flight of TCP: 10 segments (RFC 6928), headers included
MAX_BODY_BYTES = MAX_PAGE_BYTES - 900
FIXED_BYTES = 6_500  # about what a page weighs without rows
MOST_ROWS = 12
STYLES = ("portal", "lists", "forms", "tables", "paper", "sheets", "booklet")
CARRIED = {"lang": TAGS, "size": ("large",)}  # what a reader has chosen goes from link to link: there is no cookie
KEPT_PAGES, KEPT_BYTES = 64, 2_000_000  # all together; feeds may be a hundred times as heavy as pages
HEAVIEST_KEPT_BYTES = 500_000
LONGEST_KEPT_ADDRESS = 200
PATIENCE_S = 0.5  # for texts that were never decoded; with all else a page takes less than 3 s on a twelfth of a core
UNREAD_REFRESH_S = 4  # then a page that had to leave some out asks for itself again
WAIT_S = 60.0
# Seconds; how often in them a page is made anew for what comes from elsewhere. So while records stream in, a page is a
# second old at most, and costs about what it costs on a quiet island (tests/load/busy.py, 33 records a second). What
# somebody does here is on the next page.
ANEW_PERIOD_S, MOST_ANEW = 1.0, 2
PUBLISHED_ROWS = 1_000
PUBLISHING = "archipel.publishing"  # in what a request brings along: nothing that comes over a network can set it


def published() -> bool:
    """Whether this page is made for a copy that stands by itself (`web.published`)."""
    return PUBLISHING in request.environ


def board() -> Board:
    """The board of the island that serves this request."""
    return current_app.extensions["board"]


def settings() -> WebSettings:
    """What the portal was told at its start."""
    return current_app.extensions["settings"]


def patience() -> TextPatience:
    """How long this request waits for texts that were never decoded, and how many it left out."""
    if "patience" not in g:
        monotonic = settings().monotonic
        until = monotonic() + PATIENCE_S
        g.patience = TextPatience() if published() else TextPatience(lambda: until - monotonic())
    return g.patience


def fitted(template: str, fill: Callable[[int], dict], rows: int = MOST_ROWS) -> str:
    """The page with as many rows of `fill(rows)` as fit its weight, `rows` at most; a copy of it has them all."""
    if published():
        return render_template(template, **fill(PUBLISHED_ROWS))
    while True:
        patience().unread = 0
        page = render_template(template, **fill(rows))
        weight = len(page.encode())
        if weight <= MAX_BODY_BYTES or rows == 1:
            return page
        rows = max(1, min(rows - 1, rows * (MAX_BODY_BYTES - FIXED_BYTES) // (weight - FIXED_BYTES)))


@dataclass(frozen=True)
class Made:
    """A page as it was made; `whole` if no text was left out of it."""

    response: Response
    size_bytes: int
    whole: bool = True


@dataclass(frozen=True)
class _Kept:
    """A page, what it was made under, and since when it was made anew so many times."""

    stamp: tuple
    must: tuple
    made: Made
    since_s: float
    times: int

    def rests(self, must: tuple, now_s: float) -> bool:
        """Whether it was made anew often enough of late, and only what came from elsewhere is not in it."""
        return self.must == must and self.times >= MOST_ANEW and now_s < self.since_s + ANEW_PERIOD_S


class PageCache:
    """Pages as they were made, each good until the board changes or the minute passes. Safe from any thread.

    While records stream in from elsewhere, a page may be a second old (`MOST_ANEW`). Each is made by one thread at a time,
    and no page waits for another. Who asks meanwhile for the same one gets it as it was, or waits when there is none. What
    is heavy, or not whole, is not kept.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._pages: OrderedDict[tuple, _Kept] = OrderedDict()
        self._making: dict[tuple, Future[Made]] = {}
        self._lock = threading.Lock()

    def page(self, key: tuple, stamps: tuple[tuple, tuple], make: Callable[[], Made]) -> Response:
        """The page of `key`, made anew unless it was made under the same stamps: the first changes with all that is shown,
        the second with what is done here."""
        stamp, must = stamps
        with self._lock:
            kept, coming = self._pages.get(key), self._making.get(key)
            if kept and (kept.stamp == stamp or coming or kept.rests(must, self._monotonic())):
                return kept.made.response
            if coming is None:
                made = self._making[key] = Future()
        return coming.result(WAIT_S).response if coming else self._make(key, stamps, make, made)

    def _make(self, key: tuple, stamps: tuple[tuple, tuple], make: Callable[[], Made], coming: "Future[Made]") -> Response:
        try:
            made = make()
        except BaseException as error:
            coming.set_exception(error)
            raise
        else:
            self._keep(key, stamps, made)
            coming.set_result(made)
            return made.response
        finally:
            with self._lock:
                del self._making[key]

    def _keep(self, key: tuple, stamps: tuple[tuple, tuple], made: Made) -> None:
        now_s = self._monotonic()
        with self._lock:
            before = self._pages.pop(key, None)
            since_s, times = (before.since_s, before.times) if before else (now_s, 0)
            if now_s >= since_s + ANEW_PERIOD_S:
                since_s, times = now_s, 0
            if made.whole and made.size_bytes <= HEAVIEST_KEPT_BYTES:
                self._pages[key] = _Kept(*stamps, made, since_s, times + 1)
            while len(self._pages) > KEPT_PAGES or sum(one.made.size_bytes for one in self._pages.values()) > KEPT_BYTES:
                self._pages.popitem(last=False)


def kept(view: Callable) -> Callable:
    """A view whose page depends on its address, language and board alone: made once, and 304 for those who have it."""

    @wraps(view)
    def cached(**arguments: Any) -> Response:
        def make() -> Made:
            response = make_response(view(**arguments))
            response.add_etag()
            return Made(response, len(response.get_data()), not patience().unread)

        if published():
            return make_response(view(**arguments))
        key = (request.url_root, request.full_path, current().tag)  # links begin with the first, and anybody may invent one
        if len(request.full_path) > LONGEST_KEPT_ADDRESS:
            return make().response
        now, own = board().now(), board().own_revision()
        page = current_app.extensions["page_cache"].page(key, ((board().revision(), now), (own, now)), make)
        answer = Response(page.get_data(), page.status_code, list(page.headers))
        answer.make_conditional(request)
        return answer

    return cached


def _policy(*styles: str) -> str:
    """What a page may load: these styles, and pictures of the island."""
    hashes = " ".join(f"'sha256-{b64encode(hashlib.sha256(css.encode()).digest()).decode()}'" for css in styles)
    return (f"default-src 'none'; style-src {hashes}; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'")


def add_pages(app: Flask) -> None:
    """Give templates their style sheets, and every answer its headers."""
    app.extensions["page_cache"] = PageCache()
    styles = {name: _style(name) for name in STYLES}
    app.jinja_env.globals.update(styles=styles, patience=patience, published=published)
    pages, streets = _policy(*styles.values()), _policy(street_map.STYLE)

    @app.before_request
    def choose() -> None:
        g.carried = {name: request.args[name] for name, known in CARRIED.items() if request.args.get(name) in known}

    @app.url_defaults
    def carry(endpoint: str, values: dict) -> None:
        for name, choice in g.get("carried", {}).items():
            values.setdefault(name, choice)

    @app.after_request
    def finish(response: Response) -> Response:
        kind = response.mimetype or ""
        media = "; media-src 'self'" if kind.startswith("audio/") else ""  # browsers play it at its own address
        response.headers["Content-Security-Policy"] = (streets if kind == "image/svg+xml" else pages) + media
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-cache")
        response.vary.add("Accept-Language")
        if request.method == "GET" and patience().unread:
            response.headers.setdefault("Refresh", str(UNREAD_REFRESH_S))
        return response


def _style(name: str) -> Markup:
    """One style sheet, without what only its authors need (it is our own file, so it needs no escaping)."""
    lines = (Path(__file__).parent / "templates" / f"{name}.css").read_text().splitlines()
    return Markup("".join(line.strip() for line in lines if not line.startswith("/*")))  # noqa: S704
