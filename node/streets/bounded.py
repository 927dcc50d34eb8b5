"""A drawing made by a process of its own (`node.streets.worker`), of which nothing is taken but a sound one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any

from node.board.api import DraftRefused
from node.board.street_map import MAX_FILE_BYTES, StreetMap, street_map_of
from node.i18n.sentence import Explained, Sentence, sentence

LIBRARY = "osmium"
SAME_PROGRAM = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}  # not a stray node/ nearby
WALL_S = 2 * 3_600.0  # twice what the worker may have of a processor (`node.streets.worker.CPU_S`): a slow card


def draw(path: Path, centre: tuple[float, float], radius_m: int, done: Callable[[int], None]) -> StreetMap:
    """The street map around `centre` (latitude, longitude) of the extract in a file; `done` is told now and then how many
    objects were read. Raises Explained."""
    if find_spec(LIBRARY) is None:
        raise Explained(sentence("to read extracts of OpenStreetMap, install pyosmium: apt install python3-pyosmium, "
                                 "or pip install archipel[map]"))
    command = [sys.executable, "-m", "node.streets.worker", str(path.absolute()), *map(str, centre), str(radius_m)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # noqa: S603 - our own program
                          stderr=subprocess.DEVNULL, env={**os.environ, **SAME_PROGRAM}) as child:
        timer = Timer(WALL_S, child.kill)
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
        raise Explained(sentence("reading this extract takes too long. Please take a smaller one, of your town or county."))
    try:
        if isinstance(last, dict) and "sentence" in last:
            raise Explained(Sentence.of(last["sentence"]))
        return street_map_of(last["svg"].encode())
    except (TypeError, KeyError, AttributeError, ValueError, DraftRefused) as error:
        raise Explained(sentence("this file cannot be read as an OpenStreetMap extract (.osm.pbf or .osm). Was it fetched "
                                 "to its end?")) from error
