"""Texts of hand-held radios, several in a row: an answer is short, says nothing that was not said, and falls silent."""

import atexit
import shutil
import tempfile
from pathlib import Path

from node.handheld.cutting import parts_of
from node.handheld.words import own_words
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import texts_in
from tests.handheld.tasks import MOST_BYTES, WORDS, Radio, furnish
from tests.sim.places import Place

_kept: list = []


def place():
    """An island with an evening's board, made once: posts of one input are seen by the next, which is no harm."""
    if not _kept:
        folder = Path(tempfile.mkdtemp())
        _kept.append(furnish(Place(folder)))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(_kept[0].archive.close)
    return _kept[0]


def run(octets):
    """Lines of text; a line that begins with a star comes on a channel that all hear."""
    radio = Radio(place(), posting="moderated")
    for number, line in enumerate(octets.decode("utf-8", "replace").split("\n")[:6]):
        radio.private = not line.startswith("*")
        answer = radio.text(line.removeprefix("*"), 60.0 + number)
        assert answer is None or 0 < len(answer.encode()) <= MOST_BYTES
    for most in (30, MOST_BYTES):
        assert all(len(part.encode()) <= most for part in parts_of(octets.decode("utf-8", "replace"), most))
    try:
        own_words(octets.decode("utf-8", "replace"))
    except ValueError:
        return


def seeds():
    for by_language in WORDS.values():
        for texts in by_language.values():
            yield "\n".join(texts).encode()
    yield from texts_in("tests/handheld/test_answers.py", 1)
    yield from texts_in("tests/handheld/test_words.py", 1)
    yield ("mot " * 30 + "x" * 90 + " e\u0301\U0001F469\u200d\U0001F467 \U0001F3F4\U000E0067\U000E007F " + "é" * 99).encode()
    yield b"publie Lait demande\nannule\nreponds oui\nannule ABCDEFGH\nannule x\n*annule"
    yield b"publie Lait\nannule AAAAAAAA\nannule BBBBBBBB\nannule CCCCCCCC\nannule DDDDDDDD\nannule EEEEEEEE"
    yield b"?\n" * 8 + b"nouvelles 1\nreponds \n99"
    for before in ("agenda\n", "nouvelles\n2\n", "?\n", "langue\n"):
        yield from (before.encode() + text for text in texts_in("tests/handheld/test_answers.py", 1) if len(text) < 60)


TARGET = Target(
    run, (*(f"node/handheld/{name}.py" for name in ("commands", "cutting", "days", "words")),
          "node/handheld/answers.py: Answerer.answer Answerer._parts _answered _chosen _more _language _puzzled"), seeds, 600,
    share=3, aside={"questions here come a minute apart; tests/handheld asks faster": ("if not (talk.turns.take(now)",)})
