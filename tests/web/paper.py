"""Whether every sheet fits its A4 page, however much is on the board: `python tests/web/paper.py [LANGUAGE ...]`."""

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
    """Far more than a sheet holds, in long words."""
    place = Neighbourhood(folder)
    for number in range(30):
        language = 4 if number % 2 else 1
        text = f"{number} {LONG[language] * 3}"
        place.bulletin(text, language=language, urgent=number % 8 == 0)
        place.event((text[:100], text[:150], text[:50], text), place.board.now() + number * 300)
    return place


def main() -> int:
    """0 if each sheet is one page."""
    with tempfile.TemporaryDirectory() as scratch:
        places = []
        for name, fill in (("empty", Neighbourhood), ("calm", filled), ("crowded", crowded)):
            (Path(scratch) / name).mkdir()
            places.append(fill(Path(scratch) / name))
        with served(*places) as boards:
            printed = subprocess.run(["node", str(HERE / "paper.mjs"), ",".join(sys.argv[1:] or TAGS), *boards], cwd=HERE,
                                     timeout=PATIENCE_S, check=False)
        return printed.returncode


if __name__ == "__main__":
    sys.exit(main())
