"""The demo's self-test: a bulletin goes in by the first island's web form and must come out on the last island's page."""

import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from node.cli.language import _
from node.daemon import rpc
from node.i18n.sentence import Explained, sentence
from radio.sim.simradio import SimulatedMesh

PATIENCE_S = 110
TEXT = "Soupe populaire ce soir à 19 h, place du marché. Apportez vos bols ! 🍲 C'est l'été déjà…"


class Failed(Explained):
    """Why the self-test failed."""


class Form(HTMLParser):
    """What a browser would send back: the fields of the page's form, filled as they came."""

    def __init__(self, page: str, action: str):
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action, self._inside = action, False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect inputs of the form that posts."""
        given = dict(attributes)
        if tag == "form":
            self._inside = (given.get("method") or "").lower() == "post"
            self.action = (given.get("action") or self.action) if self._inside else self.action
        name = given.get("name")
        if self._inside and tag == "input" and given.get("type") == "hidden" and name:
            self.fields[name] = given.get("value") or ""


def fetch(url: str, fields: dict[str, str] | None = None, patience_s: float = 10) -> str:
    """The page at `url`, or what it answers to a form; OSError if it does not within `patience_s`."""
    body = urllib.parse.urlencode(fields).encode() if fields is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Accept-Language": "fr"}), timeout=patience_s) as answer:  # noqa: S310
        return answer.read().decode()


def post_by_form(url: str, text: str, patience_s: float = 10) -> None:
    """Fill in and send the bulletin form of the portal at `url`, preview included."""
    address = urllib.parse.urljoin(url, "/post?kind=bulletin")
    page = fetch(address, None, patience_s)
    for action in ("preview", "publish"):
        form = Form(page, address)
        given = {"text": text, **form.fields, "action": action}
        page = fetch(urllib.parse.urljoin(address, form.action), given, patience_s)


def selftest(urls: Sequence[str], folders: Sequence[Path], mesh: SimulatedMesh, speed: float) -> list[str]:
    """Lines to print when all is well; raises Failed."""
    started = time.monotonic()
    post_by_form(urls[0], TEXT)
    here = raws(folders[0])
    if len(here) != 1:
        raise Failed(sentence("%(address)s took the form but holds %(count)s bulletins", address=urls[0], count=len(here)))
    while raws(folders[-1]) != here:
        if time.monotonic() - started > PATIENCE_S:
            raise Failed(sentence("after %(seconds)s s %(address)s does not have it; %(frames)s frames were on the air",
                                  seconds=PATIENCE_S, address=urls[-1], frames=mesh.counters()["frames"]))
        time.sleep(0.2)  # noqa: TID251 - a test waits for real programs
    took = time.monotonic() - started
    check_pages(urls)
    air = mesh.counters()
    return [
        _("OK: posted on A, relayed by B, shown on C; text, signature and id are identical."),
        _("  %(seconds)s s here, %(simulated)s s of simulated LongFast time", seconds=f"{took:.1f}",
          simulated=f"{took * speed:.0f}"),
        _("  %(packets)s packets, %(bytes)s bytes, %(seconds)s s of air, headers included", packets=air["frames"],
          bytes=air["bytes"], seconds=f"{air['airtime_s']:.1f}"),
    ]


def raws(folder: Path) -> list[str]:
    """The bulletins of the island on `folder`, encoded (hexadecimal), signatures included."""
    return rpc.ask(folder, "raws", kinds=[0])


def check_pages(urls: Sequence[str]) -> None:
    """The text must stand, letter for letter, on the first and the last island's page."""
    for url in (urls[0], urls[-1]):
        if TEXT not in text_of(fetch(urllib.parse.urljoin(url, "/bulletins"))):
            raise Failed(sentence("%(address)s has the record but its page does not show the text", address=url))


class _Text(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.words: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return "".join(_Text(page).words)
