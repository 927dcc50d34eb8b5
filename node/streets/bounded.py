"""A drawing made by a process of its own (`node.streets.worker`), of which nothing is taken but a sound one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Timer
from typing import Any

from node.board.api import DraftRefused
from node.board.street_map import MAX_FILE_BYTES, StreetMap, street_map_of
from node.i18n.sentence import Explained, Sentence, sentence

SAME_PROGRAM = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}  # not a stray node/ nearby
FEW_THREADS = {"OSMIUM_POOL_THREADS": "2"}  # else one for each core, whose stacks count as memory: 8 MB
# Octets of data. In all, a town took 50 MB, a city with a street each 25 m 80. An island on the SD image has 300 MB with
# all that it starts (archipel-island.service), and takes some 100 itself.
MEMORY_BYTES, MEMORY_BROUGHT_BYTES = 600_000_000, 150_000_000
WALL_S = 2 * 3_600.0  # twice what the worker may have of a processor (`node.streets.worker.CPU_S`): a slow card
WALL_BROUGHT_S = 50.0  # a page waits 60 s for its answer; 11 MB took 1 s of a desktop's core, a tenth as fast is a Pi
BEGINNINGS = {b"BZh": ".osm.bz2", b"\x1f\x8b": ".osm.gz", b"<": ".osm", b"\xef\xbb\xbf<": ".osm"}
_one_at_a_time = Lock()


@dataclass(frozen=True)
class Bounds:
    """What a drawing may take: seconds on the wall, octets of memory."""

    wall_s: float = WALL_S
    memory_bytes: int = MEMORY_BYTES


def draw_brought(content: bytes, centre: tuple[float, float], radius_m: int) -> bytes:
    """The file of the street map around `centre` of an extract that was handed in on a page. Raises Explained."""
    begun = content[:100].lstrip()
    ending = next((ending for begin, ending in BEGINNINGS.items() if begun.startswith(begin)), ".osm.pbf")
    if not _one_at_a_time.acquire(blocking=False):
        raise Explained(sentence("Another street map is being drawn. Please try again in a minute."))
    try:
        with TemporaryDirectory(prefix="archipel-map-") as folder:
            path = Path(folder) / f"brought{ending}"
            path.write_bytes(content)
            return draw(path, centre, radius_m, bounds=Bounds(WALL_BROUGHT_S, MEMORY_BROUGHT_BYTES)).svg().encode()
    finally:
        _one_at_a_time.release()


def draw(path: Path, centre: tuple[float, float], radius_m: int, done: Callable[[int], None] = lambda objects: None,
         bounds: Bounds = Bounds()) -> StreetMap:
    """The street map around `centre` (latitude, longitude) of the extract in a file; `done` is told now and then how many
    objects were read. Raises Explained."""
    command = [sys.executable, "-m", "node.streets.worker", str(path.absolute()), *map(str, centre), str(radius_m),
               str(bounds.memory_bytes)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # noqa: S603 - our own program
                          stderr=subprocess.DEVNULL, env={**os.environ, **SAME_PROGRAM, **FEW_THREADS}) as child:
        timer = Timer(bounds.wall_s, child.kill)
        timer.start()
        try:
            last = _last_word(child, done)
        finally:
            timer.cancel()
            child.kill()
    return _made(last, child.returncode)


def _last_word(child: "subprocess.Popen[bytes]", done: Callable[[int], None]) -> Any:
    """What it said last that was no number."""
    assert child.stdout
    while line := child.stdout.readline(MAX_FILE_BYTES):
        try:
            told = json.loads(line)
        except ValueError:
            return None
        if not isinstance(told, int):
            child.stdout.read(1)  # it ends then
            child.wait()
            return told
        done(told)
    child.wait()
    return None


def _made(last: Any, code: int) -> StreetMap:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Explained(sentence("Reading this extract takes too long. Please take a smaller one."))
    try:
        if isinstance(last, dict) and "sentence" in last:
            raise Explained(Sentence.of(last["sentence"]))
        return street_map_of(last["svg"].encode())
    except (TypeError, KeyError, AttributeError, ValueError, DraftRefused) as error:
        raise Explained(sentence("This file cannot be read as an OpenStreetMap extract (.osm.pbf or .osm). Was it fetched "
                                 "to its end?")) from error
