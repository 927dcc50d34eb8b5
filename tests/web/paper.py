"""Whether what is printed has the pages it should, however much is on the board: `python tests/web/paper.py [LANGUAGE]`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from sample import filled, served  # noqa: E402 - runs from a checkout too

from tests.sim.portals import Neighbourhood  # noqa: E402
from web.languages import TAGS  # noqa: E402

PATIENCE_S = 600
LONG = {1: "Distribution de légumes à l’école, apportez des sacs et de quoi écrire. ",
        4: "اجتماع الجيران في دار الجمعيات مساء الغد. "}


def crowded(folder: Path) -> Neighbourhood:
    """Far more than a sheet or eight pages hold, in long texts."""
    place = Neighbourhood(folder)
    for number in range(60):
        language = 4 if number % 2 else 1
        text = f"{number} {LONG[language] * 3}"
        place.bulletin(text, language=language, urgent=number % 8 == 0)
        place.event((text[:100], text[:150], text[:50], text), place.board.now() + number * 300)
    return place


def some_posts(place: Neighbourhood) -> list[str]:
    """The addresses of two events and two bulletins of a board, if it has them."""
    found = place.board.events(place.board.now(), 10**7)[:2] + place.board.bulletins().items[:2]
    return [f"/r/{item.id[:12]}" for item in found]


def main() -> int:
    """0 if each has as many pages as it may."""
    with tempfile.TemporaryDirectory() as scratch:
        places = []
        for name, fill in (("empty", Neighbourhood), ("calm", filled), ("crowded", crowded)):
            (Path(scratch) / name).mkdir()
            places.append(fill(Path(scratch) / name))
        with served(*places) as addresses:
            boards = [{"board": address, "crowded": place is places[-1], "posts": some_posts(place)}
                      for address, place in zip(addresses, places, strict=True)]
            printed = subprocess.run(["node", str(HERE / "paper.mjs"), ",".join(sys.argv[1:] or TAGS), json.dumps(boards)],
                                     cwd=HERE, timeout=PATIENCE_S, check=False)
        return printed.returncode


if __name__ == "__main__":
    sys.exit(main())
