"""Reads and draws in a process of its own, whose time and memory are bounded: an extract may come from anywhere, and what
takes it apart is no code of ours.

`python -m node.streets.worker FILE LATITUDE LONGITUDE RADIUS`. It writes a line of JSON now and then, how many objects it
has read (a number); the last one is the drawing (`svg`), or why there is none (`sentence`).
"""

import json
import resource
import sys
from pathlib import Path

from node.i18n.sentence import Explained
from node.streets.drawing import Frame, drawn
from node.streets.extract import read
from node.streets.meanings import is_drawn

CPU_S = 3_600  # measured: 3 µs for a node, so the 450 million of France take less than twice 25 minutes of a desktop's core
MEMORY_BYTES = 600_000_000  # of data; an inner city out of 3 million nodes took 90 MB
AROUND = 1.5  # nodes are kept as far as this times what is drawn: a straight line may cross its edge


def main(arguments: list[str]) -> None:
    """Do it."""
    path, latitude, longitude, radius = arguments
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    frame = Frame((float(latitude), float(longitude)), int(radius))
    try:
        found = read(Path(path), frame.box(AROUND), is_drawn, tell)
        tell({"svg": drawn(found, frame).svg()})
    except Explained as error:
        tell({"sentence": error.sentence.to_json()})


def tell(what: object) -> None:
    """A line of JSON."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
