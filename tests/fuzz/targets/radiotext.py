"""Texts of hand-held radios, several in a row: an answer is short, says nothing that was not said, and falls silent."""

import tempfile
from pathlib import Path

from node.handheld.words import own_words
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import texts_in
from tests.handheld.tasks import MOST_BYTES, WORDS, Radio, furnish
from tests.sim.places import Place

_kept: list = []


def place():
    """An island with an evening's board, made once: posts of one input are seen by the next, which is no harm."""
    if not _kept:
        _kept.append(tempfile.TemporaryDirectory())
        _kept.append(furnish(Place(Path(_kept[0].name))))
    return _kept[1]


def run(octets):
    """Lines of text; a line that begins with a star comes on a channel that all hear."""
    radio = Radio(place(), posting="moderated")
    for number, line in enumerate(octets.decode("utf-8", "replace").split("\n")[:6]):
        radio.private = not line.startswith("*")
        answer = radio.text(line.removeprefix("*"), 60.0 + number)
        assert answer is None or 0 < len(answer.encode()) <= MOST_BYTES
    try:
        own_words(octets.decode("utf-8", "replace"))
    except ValueError:
        return


def seeds():
    for by_language in WORDS.values():
        for texts in by_language.values():
            yield "\n".join(texts).encode()
    yield from texts_in("handheld/test_answers.py", 1)
    yield from texts_in("handheld/test_words.py", 1)
    for before in ("agenda\n", "nouvelles\n2\n", "?\n", "langue\n"):
        yield from (before.encode() + text for text in texts_in("handheld/test_answers.py", 1) if len(text) < 60)


TARGET = Target(run, tuple(f"node/handheld/{name}.py" for name in (
    "answers", "authoring", "commands", "cutting", "days", "lookup", "wording", "words", "talks")), seeds, 600)
