"""Reads and draws in a process of its own, whose time and memory are bounded: an extract may come from anywhere, and what
takes it apart is no code of ours.

`python -m node.streets.worker FILE LATITUDE LONGITUDE RADIUS MEMORY`, the last in octets. It writes a line of JSON now and
then, how many objects it has read (a number); the last one is the drawing (`svg`), or why there is none (`sentence`).
"""

import contextlib
import json
import os
import resource
import sys
from pathlib import Path

from node.i18n.sentence import Explained, sentence

CPU_S = 3_600  # measured: 3 µs for a node, so the 450 million of France take less than twice 25 minutes of a desktop's core
NICE = 10  # readers of the portal first


def main(arguments: list[str]) -> None:
    """Do it."""
    *about, memory = arguments
    os.nice(NICE)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as first_to_go:
        first_to_go.write("1000")  # where memory is short, before the island
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tell(made(*about))


def made(path: str, latitude: str, longitude: str, radius: str) -> dict[str, object]:
    """What is told at last."""
    try:
        from node.streets.canvas import Canvas
        from node.streets.drawing import drawn
        from node.streets.extract import read
        from node.streets.meanings import is_drawn
    except ModuleNotFoundError:  # pyosmium is not everywhere
        return {"sentence": sentence("To read extracts of OpenStreetMap, this computer needs pyosmium: apt install "
                                     "python3-pyosmium, or pip install 'archipel[map]'.").to_json()}
    canvas = Canvas((float(latitude), float(longitude)), int(radius))
    try:
        return {"svg": drawn(read(Path(path), canvas, is_drawn, tell), canvas).svg()}
    except Explained as error:
        return {"sentence": error.sentence.to_json()}


def tell(what: object) -> None:
    """A line of JSON."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
