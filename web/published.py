"""The board as pages and feeds that stand by themselves (`archipel publish`): the portal's own pages, made over.

Their links lead from file to file, what leads nowhere is left out, and so are forms: a copy takes nothing from its readers.
"""

import html
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import blake2b
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from flask import Blueprint, Flask, abort, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from web.agenda import iso_week
from web.agenda_days import AHEAD_DAYS
from web.item_display import DAY_MIN, days_of
from web.languages import language
from web.pages import PUBLISHING, board, kept, published, settings

TAKES = {  # endpoint -> by what its pages are told apart: there is a file for each page that others lead to
    "published_board.index": (), "public.home": (), "agenda.show": ("month", "week", "day", "topic", "mark"),
    "public.bulletins": ("topic", "mark", "after"), "public.past": ("after",), "public.by_topic": (), "public.urgent": (),
    "public.item": (), "together.signed": (), "together.at_place": ("place",), "feeds.calendar": (), "feeds.one_event": (),
    "feeds.atom": ("topic", "after"), "feeds.json_feed": ("after",), "feeds.agenda_text": ("from",),
    "feeds.bulletins_text": ("after",),
}
FIRST, FIRST_FILE = ("published_board.index", "public.home"), "index.html"
ENDINGS = (".ics", ".txt", ".atom", ".json")
PLAIN_VALUE = re.compile(r"[A-Za-z0-9-]{1,16}")
MOST_URGENT, BUNDLE = 50, "board.bundle"
LISTS, WEEK_ROW = ("nav", "ul"), "s"
EMPTY = re.compile(r"<li[^>]*>(?:\s|</?strong>)*</li>\s*|<(ul|nav|p)( [^>]*)?>\s*</\1>\s*")
Lead = Callable[[str], str | None]  # an address of the portal -> that of a file, None if there is none
published_board = Blueprint("published_board", __name__)


@dataclass(frozen=True)
class PublishedFile:
    """One file of a copy: its name (`fr/r-1f2e3d4c5b6a.html`), its octets, the addresses of the pages that it leads to."""

    name: str
    content: bytes
    leads: tuple[str, ...]


@published_board.get("/published")
@kept
def index() -> str:
    """The first page of a copy; `?top=fr,en`: the one above its languages. Nobody else ever sees it."""
    if not published():
        abort(404)
    if "top" in request.args:
        return render_template("published_top.html", tags=request.args["top"].split(","), language_of=language)
    months = sorted({(day.year, day.month) for day in _days()})
    return render_template("published.html", months=[date(year, month, 1) for year, month in months],
                           urgent=board().urgent(MOST_URGENT), bundle=f"../{BUNDLE}")


class PublishedPages:
    """The files of a copy in some languages, each made when it is asked for by the portal's address of the page.

    `address`: where the copy will stand, "" if nobody knows; feeds, which are read elsewhere, lead there then.
    """

    def __init__(self, app: Flask, languages: Collection[str], address: str = ""):
        self._app, self._languages, self._address = app, languages, address

    def file(self, path: str) -> PublishedFile | None:
        """The file of a page; None if there is none."""
        given = {PUBLISHING: True}
        with self._app.test_request_context(path, environ_overrides=given):
            base_url, tag = settings().base_url, request.args.get("lang", "")
            name = self._name(path, tag)
        if name is None:
            return None
        answer = self._app.test_client().get(path, base_url=base_url, environ_overrides=given)
        if answer.status_code != 200:
            return None
        leads: dict[str, None] = {}
        with self._app.test_request_context(path, environ_overrides=given):
            made, lead = answer.get_data(as_text=True), partial(self._lead, tag=tag, leads=leads)
            where = f"{self._address.rstrip('/')}/{tag}/" if self._address else ""
            copied = answer.mimetype == "text/html"
            content = copied_page(made, lead) if copied else copied_feed(made, base_url, lead, where)
        return PublishedFile(name, content.encode(), tuple(leads))

    def _lead(self, href: str, tag: str, leads: dict[str, None]) -> str | None:
        """How a page in the language `tag` leads to another file, None if there is none; where to, is put into `leads`."""
        name = self._name(href, tag)
        if name is None:
            return None
        there, _slash, rest = name.rpartition("/")
        parts = urlsplit(href)
        asked = dict(parse_qsl(parts.query)) | {"lang": there}
        if rest != FIRST_FILE:  # those are there before all others
            leads[f"{parts.path}?{urlencode(sorted(asked.items()))}"] = None
        return (rest if there == tag else f"../{name}") + (f"#{parts.fragment}" if parts.fragment else "")

    def _name(self, href: str, tag: str) -> str | None:
        """The name of the file of an address, if there is to be one."""
        parts = urlsplit(href)
        asked = dict(parse_qsl(parts.query))
        tag = asked.pop("lang", tag)
        try:
            endpoint, values = current_app.url_map.bind("").match(parts.path, "GET")
        except HTTPException:
            return None
        if endpoint == FIRST[0] and "top" in asked:
            return FIRST_FILE
        known = tag in self._languages and endpoint in TAKES and set(asked) <= set(TAKES[endpoint])
        if not known or not _is_there(endpoint, asked, values):
            return None
        return f"{tag}/{FIRST_FILE if endpoint in FIRST else _file_name(parts.path, asked)}"


class PageCopier(HTMLParser):
    """A page without forms, its links led elsewhere by `lead`. Of a list what leads nowhere is left out; in a text, and in
    the row of a week's days, only its link is."""

    def __init__(self, lead: Lead):
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._lead, self._forms, self._left_out = lead, 0, False
        self._lists: list[bool] = []  # the open ones: whether what leads nowhere is left out of them
        self._links: list[bool] = []  # the open ones: whether they are kept

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self._forms += tag == "form"
        self._lists += [dict(attrs).get("class") != WEEK_ROW] if tag in LISTS else []
        wanted = self.get_starttag_text() or ""
        href = dict(attrs).get("href") or ""
        if tag in ("a", "link") and href.startswith("/") and not href.startswith("//"):
            to = self._lead(href)
            wanted = "" if to is None else _tag(tag, [(name, to if name == "href" else value) for name, value in attrs])
            self._left_out = tag == "a" and to is None and self._lists[-1:] == [True]
        if tag == "a":
            self._links.append(bool(wanted))
        self._add(wanted)

    def handle_endtag(self, tag: str) -> None:
        """A tag ends."""
        if tag != "a" or (self._links and self._links.pop()):
            self._add(f"</{tag}>")
        self._left_out = self._left_out and tag != "a"
        self._forms -= tag == "form"
        if tag in LISTS and self._lists:
            self._lists.pop()

    def handle_data(self, data: str) -> None:
        """Text, as it stands."""
        self._add(data)

    def handle_entityref(self, name: str) -> None:
        """A sign by its name."""
        self._add(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """A sign by its number."""
        self._add(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        """What kind of page it is."""
        self._add(f"<!{decl}>")

    def _add(self, part: str) -> None:
        if not self._forms and not self._left_out:
            self.parts.append(part)


def copied_page(page: str, lead: Lead) -> str:
    """A page made over; lists that are empty then are left out too."""
    copier = PageCopier(lead)
    copier.feed(page)
    copier.close()
    made, count = "".join(copier.parts), 1
    while count:
        made, count = EMPTY.subn("", made)
    return made


def copied_feed(feed: str, base_url: str, lead: Lead, where: str = "") -> str:
    """A feed whose addresses of the island lead to files, as far as these are in the copy; whole ones if it is known
    `where` the feed will stand."""
    base = re.escape(base_url.rstrip("/"))

    def led(found: re.Match[str]) -> str:
        to = lead(html.unescape(found[1]))
        return urljoin(where, to) if to else found[0]

    feed = re.sub(r"(?m)^URL:.*(?:\r?\n[ \t].*)*", lambda found: re.sub(r"\r?\n[ \t]", "", found[0]), feed)  # RFC 5545, 3.1
    feed = re.sub(base + r"(/[^\s\"'<>\\]+)", led, feed)
    return re.sub(rf'(href=|"home_page_url": )"{base}/?"', rf'\1"{where}{FIRST_FILE}"', feed)


def _tag(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    said = (name if value is None else f'{name}="{html.escape(value)}"' for name, value in attrs)
    return f"<{' '.join([tag, *said])}>"


def _is_there(endpoint: str, asked: dict[str, str], values: Any) -> bool:
    """Whether the board has something there: nobody turns pages through empty years."""
    if endpoint == "public.item":
        return board().item(values["item_id"]) is not None
    if len(asked.keys() - {"after"}) > 1:
        return False  # a topic or a mark: both would be hundreds of files
    if endpoint != "agenda.show":
        return True
    spans = {"day": date.isoformat, "week": iso_week, "month": lambda day: f"{day:%Y-%m}"}
    return all(name not in spans or value in map(spans[name], _days()) for name, value in asked.items())


def _days() -> frozenset[date]:
    """The days on which something is, or was."""
    kept_days: dict[str, Any] = current_app.extensions.setdefault("published_days", {})
    stamp = board().revision(), board().now() // DAY_MIN
    if kept_days.get("stamp") != stamp:
        events = board().announced(0, board().now() + AHEAD_DAYS * DAY_MIN)
        kept_days.update(stamp=stamp, days=frozenset(day for event in events for day in days_of(event)))
    found: frozenset[date] = kept_days["days"]
    return found


def _file_name(path: str, asked: dict[str, str]) -> str:
    """A name that every file system takes, whatever stands in the address."""
    stem, ending = path.strip("/").replace("/", "-"), ".html"
    if stem.endswith(ENDINGS):
        stem, _dot, last = stem.rpartition(".")
        ending = f".{last}"
    values = (value if PLAIN_VALUE.fullmatch(value) else blake2b(value.encode(), digest_size=6).hexdigest()
              for _name, value in sorted(asked.items()))
    return "-".join([stem, *(part for pair in zip(sorted(asked), values, strict=True) for part in pair)]) + ending
