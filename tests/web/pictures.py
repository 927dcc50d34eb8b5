"""The pictures of the keepers' pages in the guides, made anew: `python -m tests.web.pictures [NAME ...]` (needs chromium
and ImageMagick).

A page more: one line in PAGES, and `![...](pictures/NAME.TAG.png)` in both guides; `test_pictures` holds the two together.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from node.board.api import Draft
from node.board.keeper_sheet import SheetFacts
from node.board.night_rest import Rest, RestPart
from node.daemon.card_order import TOLD_FILE
from node.daemon.keyfiles import START_CODE
from node.daemon.settings_keeper import CardLines
from node.daemon.wifi_order import WifiOrders
from node.model.record import Kind
from tests.daemon.test_first_start import Box
from tests.sim.keepers import Keepers
from tests.sim.portals import portal_settings
from tests.web.keeper_browser import Browser
from tests.web.sample import filled
from tests.web.test_safe_address import SAFE, WIFI
from web import create_app

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LANGUAGES = ("fr", "en")
PHONE, SHEET = 360, 780  # pixels: how wide a phone is; a sheet of A4, drawn a little smaller
COLOURS = 32  # of a picture: a third of the octets, and no letter looks worse
POSTS = ("Cantine solidaire ce soir dès 19 h, apportez vos bols.", "Trouvé un chat gris devant la boulangerie.")


class Shot(NamedTuple):
    """A page to show: whose it is (a method of Islands), its address, the picture's height and width in pixels; of a long
    page, between which of its h2 it is cut out (the last one of all is its end)."""

    island: str
    address: str
    height: int
    width: int = PHONE
    cut: tuple[int, int] | None = None


PAGES = {
    "start": Shot("new", "/start", 520), "set": Shot("new", "/start/set", 1010),
    "sheet": Shot("board", "/keeper/sheet", 850, SHEET), "safe": Shot("plain", "/keeper", 760),
    "desk": Shot("set", "/keeper", 620), "pages": Shot("set", "/keeper", 760, cut=(-3, -2)),
    "own-post": Shot("board", "/keeper/post/{post}", 560, cut=(0, 1)), "reports": Shot("board", "/keeper/reports", 720),
    "people": Shot("set", "/keeper/people", 620), "groups": Shot("set", "/keeper/groups", 800),
    "settings": Shot("board", "/keeper/settings", 640), "rest": Shot("board", "/keeper/settings/rest", 820),
    "keys": Shot("set", "/keeper/keys", 820), "care": Shot("board", "/keeper/care", 760),
    "card": Shot("board", "/keeper/card", 640),
    "backup": Shot("board", "/keeper/care/backup", 900), "handover": Shot("set", "/keeper/handover", 820),
}


class Islands:
    """Three to look at: a new one; one of a set, with a handover under way; a box with something of everything."""

    def __init__(self, folder: Path):
        for name in ("new", "set", "board"):
            (folder / name).mkdir()
        self._box = Box(folder / "new")
        self._keepers = Keepers(folder / "set")
        self._place = filled(folder / "board")
        self._place.card = CardLines("archipel.toml", {}, "Archipel")
        self._place.wifi = WifiOrders(folder / "board", self._place.orders, "boot")
        self._place.restart_board()
        self.readers = {name: getattr(self, f"_{name}")() for name in ("new", "set", "board", "plain")}

    def close(self) -> None:
        """Close what is open."""
        self._box.start.close()
        self._keepers.close()
        self._place.archive.close()

    def post(self) -> str:
        """One that was posted here."""
        return next(item.id[:12] for item in self._place.board.bulletins().items if item.corrected)

    def _new(self) -> Callable[[str, str], str]:
        def get(address: str, tag: str) -> str:
            starter = self._box.starter
            starter.client, starter.language = self._box.portal.test_client(), tag
            starter.go()
            if address != "/start":
                starter.enter((self._box.folder / START_CODE).read_text())
                starter.describe(language=tag)
                starter.go(address)
            return starter.page

        return get

    def _set(self) -> Callable[[str, str], str]:
        island = self._keepers.found_island("Place des Fêtes")
        for text in POSTS:
            island.board.post(Draft(Kind.BULLETIN, text))
        browser = Browser(island)
        browser.get("/keeper/groups")
        browser.press("Let the group sign here", name="AMAP du canal", new="trois chats gris dansent",
                      again="trois chats gris dansent")
        island.board.begin_handover("Nadia", "lea", "lea")
        return browser.get

    def _board(self) -> Callable[[str, str], str]:
        board = self._place.board
        board.sheet = lambda: SheetFacts(
            "http://archipel.lan/", "Île du canal", "", "Belleville", bytes(range(16)), 3, "K7QF-3MTX-9WHD",
            SAFE.fingerprint, SAFE.url, "http://169.254.77.77/")
        told = self._place.data / "told"  # as the box's program tells of a card that is in a reader
        told.mkdir()
        holds = [{"text": "%(system)s, called “%(name)s”.", "fields": {"system": "FAT", "name": "PHOTOS"}},
                 {"text": "%(files)s files.", "fields": {"files": 120}}]
        (told / TOLD_FILE).write_text(json.dumps({"stage": "idle", "readers": [
            {"name": "sda", "seen": "0" * 16, "title": "SanDisk Ultra", "size": 15_931_539_456, "holds": holds}]}))
        board.set_rests({RestPart.PORTAL: Rest(1320, 420)}, "lea")
        return Browser(self._place, create_app(board, replace(portal_settings(), safe=lambda: SAFE))).get

    def _plain(self) -> Callable[[str, str], str]:
        client = create_app(self._place.board, replace(portal_settings(), safe=lambda: SAFE)).test_client()
        return lambda address, tag: client.get(f"{address}?lang={tag}", headers=WIFI).get_data(as_text=True)


def keepers_pages(folder: Path) -> dict[str, str]:
    """What to show, by the picture's file."""
    islands = Islands(folder)
    made = {}
    for name, shot in PAGES.items():
        for tag in LANGUAGES:
            page = islands.readers[shot.island](shot.address.format(post=islands.post()), tag)
            made[f"{name}.{tag}.png"] = cut_out(page, *shot.cut) if shot.cut else page
    islands.close()
    return made


def cut_out(page: str, first: int, last: int) -> str:
    """A page with no more between its h1 and its end than what stands between two of its h2."""
    heads = [found.start() for found in re.finditer("<h2", page)] + [page.index("</main>")]
    return page[:page.index("<h1")] + page[heads[first]:heads[last]] + page[heads[-1]:]


def draw(page: str, file: Path, shot: Shot) -> None:
    """A picture of a page as a phone shows its beginning, or a sheet as a printer would print it."""
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "page.html"
        html.write_text(page, encoding="utf-8")
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars",
                        f"--window-size={shot.width},{shot.height}", f"--screenshot={folder}/drawn.png", html.as_uri()],
                       check=True, capture_output=True)
        subprocess.run(["convert", f"{folder}/drawn.png", "-strip", "-dither", "None", "-colors", str(COLOURS),
                        f"PNG8:{file}"], check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for picture, shown in keepers_pages(Path(scratch)).items():
            name = picture.partition(".")[0]
            if not sys.argv[1:] or name in sys.argv[1:]:
                draw(shown, FOLDER / picture, PAGES[name])
