"""What each task of somebody with a radio in the hand takes: messages sent, octets sent and octets back, by language.

`texts.py` prints the table of docs/radio-text.md.
"""

import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from node.handheld.words import TAGS  # noqa: E402 - runs from a checkout too
from tests.handheld.tasks import WORDS, furnish, octets  # noqa: E402
from tests.sim.places import Place  # noqa: E402


def measured(tag):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder))
        told, _radio = octets(furnish(place, tag), tag)
        place.archive.close()
        return told


def main():
    told = {tag: measured(tag) for tag in TAGS}
    print("| task | messages sent |", " | ".join(TAGS), "|\n|---|---|" + "---|" * len(TAGS))
    for task in WORDS:
        cells = " | ".join("{} + {}".format(*told[tag][task][1:]) for tag in TAGS)
        print(f"| {task} | {told['fr'][task][0]} | {cells} |")


if __name__ == "__main__":
    main()
