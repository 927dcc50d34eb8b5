"""How a page is made: its style, its weight, the headers it goes out with, and how long it is kept."""

import hashlib
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, make_response, render_template, request
from markupsafe import Markup

from node.board.board import Board
from web.languages import TAGS, current
from web.portal_settings import WebSettings

MAX_PAGE_BYTES = 14_000  # the first flight of TCP: 10 segments (RFC 6928), headers included
MAX_BODY_BYTES = MAX_PAGE_BYTES - 900
FIXED_BYTES = 6_500  # about what a page weighs without rows
MOST_ROWS = 12
STYLES = ("portal", "paper")
CARRIED = {"lang": TAGS, "size": ("large",)}  # what a reader has chosen goes from link to link: there is no cookie
KEPT_PAGES = 64
LONGEST_KEPT_ADDRESS = 200


def board() -> Board:
    """The board of the island that serves this request."""
    return current_app.extensions["board"]


def settings() -> WebSettings:
    """What the portal was told at its start."""
    return current_app.extensions["settings"]


def fitted(template: str, fill: Callable[[int], dict], rows: int = MOST_ROWS) -> str:
    """The page with as many rows of `fill(rows)` as fit its weight, `rows` at most."""
    while True:
        page = render_template(template, **fill(rows))
        weight = len(page.encode())
        if weight <= MAX_BODY_BYTES or rows == 1:
            return page
        rows = max(1, min(rows - 1, rows * (MAX_BODY_BYTES - FIXED_BYTES) // (weight - FIXED_BYTES)))


class PageCache:
    """Pages as they were made, each good until the board changes or the minute passes. Safe from any thread.

    One page is made at a time. Who asks meanwhile gets the page as it was, or waits when there is none.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple, tuple[tuple, Response]] = OrderedDict()
        self._making = threading.Lock()

    def page(self, key: tuple, stamp: tuple, make: Callable[[], Response]) -> Response:
        """The page of `key`, made anew unless it was made under the same `stamp`."""
        kept = self._pages.get(key)
        if kept and kept[0] == stamp:
            return kept[1]
        if kept is None:
            self._making.acquire()
        elif not self._making.acquire(blocking=False):
            return kept[1]
        try:
            kept = self._pages.get(key)  # somebody else may have made it while this thread waited
            if kept is None or kept[0] != stamp:
                kept = self._pages[key] = stamp, make()
                while len(self._pages) > KEPT_PAGES:
                    self._pages.popitem(last=False)
            return kept[1]
        finally:
            self._making.release()


def kept(view: Callable) -> Callable:
    """A view whose page depends on its address, language and board alone: made once, and 304 for those who have it."""

    @wraps(view)
    def cached(**arguments: Any) -> Response:
        def make() -> Response:
            response = make_response(view(**arguments))
            response.add_etag()
            return response

        key = (request.host, request.full_path, current().tag)
        if len(request.full_path) > LONGEST_KEPT_ADDRESS:
            return make()
        stamp = (board().revision(), board().now())
        page = current_app.extensions["page_cache"].page(key, stamp, make)
        answer = Response(page.get_data(), page.status_code, list(page.headers))
        answer.make_conditional(request)
        return answer

    return cached


def add_pages(app: Flask) -> None:
    """Give templates their style sheets, and every answer its headers."""
    app.extensions["page_cache"] = PageCache()
    styles = {name: _style(name) for name in STYLES}
    app.jinja_env.globals["styles"] = styles
    hashes = " ".join(f"'sha256-{b64encode(hashlib.sha256(css.encode()).digest()).decode()}'" for css in styles.values())
    policy = (f"default-src 'none'; style-src {hashes}; img-src 'self'; form-action 'self'; base-uri 'none'; "
              "frame-ancestors 'none'")

    @app.before_request
    def choose() -> None:
        g.carried = {name: request.args[name] for name, known in CARRIED.items() if request.args.get(name) in known}

    @app.url_defaults
    def carry(endpoint: str, values: dict) -> None:
        for name, choice in g.get("carried", {}).items():
            values.setdefault(name, choice)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-cache")
        response.vary.add("Accept-Language")
        return response


def _style(name: str) -> Markup:
    """One style sheet, without what only its authors need (it is our own file, so it needs no escaping)."""
    lines = (Path(__file__).parent / "templates" / f"{name}.css").read_text().splitlines()
    return Markup("".join(line.strip() for line in lines if not line.startswith("/*")))  # noqa: S704
