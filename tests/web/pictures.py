"""The pictures of the keepers' pages in the guides, made anew: `python -m tests.web.pictures` (needs chromium).

A page more: one line in PAGES, and `![...](pictures/NAME.TAG.png)` in both guides; `test_pictures` holds the two together.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.keepers import Keepers
from tests.web.test_desk_keys import Browser

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LANGUAGES = ("fr", "en")
PAGES = {  # by the picture's name: address, height in pixels
    "desk": ("/keeper", 620), "keys": ("/keeper/keys", 620), "people": ("/keeper/people", 620),
    "handover": ("/keeper/handover", 620)}
WIDTH = 360  # pixels, as a phone has
POSTS = ("Cantine solidaire ce soir dès 19 h, apportez vos bols.", "Trouvé un chat gris devant la boulangerie.")


def keepers_pages(folder: Path) -> dict[str, str]:
    """What to show, by the picture's file: an island with some posts, a group, a second island, a handover under way."""
    keepers = Keepers(folder)
    island = keepers.found_island("Place des Fêtes")
    for text in POSTS:
        island.board.post(Draft(Kind.BULLETIN, text))
    browser = Browser(island)
    island.board.begin_handover("Nadia", "lea", "lea")
    made = {f"{name}.{tag}.png": browser.get(address, tag) for name, (address, _) in PAGES.items() for tag in LANGUAGES}
    keepers.close()
    return made


def draw(page: str, file: Path, height: int) -> None:
    """A picture of a page as a phone shows its beginning."""
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "page.html"
        html.write_text(page, encoding="utf-8")
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{height}",
                        f"--screenshot={file}", html.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for file, page in keepers_pages(Path(folder)).items():
            if not sys.argv[1:] or file.partition(".")[0] in sys.argv[1:]:
                draw(page, FOLDER / file, PAGES[file.partition(".")[0]][1])
