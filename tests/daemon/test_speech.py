"""Texts are read aloud by a program that gets nothing but the text, and is bounded."""

import threading

import pytest

from node.daemon import speech
from node.daemon.speech import KEPT, MOST_BYTES, MOST_LETTERS, VOICES, Speech, programs, speakable
from node.i18n.catalogue import TAGS
from node.model.errors import RemoteFault

pytestmark = [pytest.mark.process, pytest.mark.once]


def test_every_language_of_the_pages_has_a_voice_that_says_something_of_its_own():
    reader = Speech()
    assert reader.able and set(VOICES) == set(TAGS)
    read = {tag: reader.read("12 3", tag) for tag in TAGS}
    assert all(one.startswith(b"OggS") and b"OpusHead" in one for one in read.values())
    assert len({one[200:] for one in read.values()}) == len(TAGS)


def test_a_text_is_read_once_and_few_are_kept(monkeypatch):
    reader = Speech()
    first = reader.read("a", "fr")
    monkeypatch.setattr(speech, "programs", lambda: None)  # now nothing can be read any more
    assert reader.read("a", "fr") is first
    with pytest.raises(RemoteFault, match="no-voice"):
        reader.read("b", "fr")
    assert not reader.able
    for number in range(KEPT + 2):
        reader._kept[bytes([number])] = b""
    monkeypatch.undo()
    reader.read("c", "fr")
    assert len(reader._kept) == KEPT


def test_whatever_the_text_is_it_is_read_and_nothing_else_is_done(tmp_path):
    trace = tmp_path / "there"
    hostile = ["-f /etc/passwd", "--version", f"$(touch {trace}); `touch {trace}` | cat > {trace}", "<speak>x</speak>",
               "[[h@l'oU]]", "\0", "\ud7ff\ud800𒳋\u202e" * 9, "نص عربي"]
    made = Speech().read("\n".join(hostile), "fr")
    assert made.startswith(b"OggS") and len(made) < MOST_BYTES and not trace.exists()


def test_brackets_are_no_phonemes_and_a_text_has_its_bound():
    assert "[" not in speakable("[[a]]") and len(speakable("a" * 100_000)) == MOST_LETTERS


def test_what_fails_or_takes_too_long_is_ended_and_said(monkeypatch):
    reader = Speech()
    with monkeypatch.context() as patched:
        patched.setattr(speech, "programs", lambda: (["/bin/sh", "-c", "sleep 60", "-"], ["/bin/sh", "-c", "cat", "-"]))
        patched.setattr(speech, "PATIENCE_S", 0.01)
        with pytest.raises(RemoteFault, match="voice-failed"):
            reader.read("a", "fr")
    with monkeypatch.context() as patched:
        patched.setattr(speech, "WAIT_S", 0)
        assert reader._reading.acquire()
        with pytest.raises(RemoteFault, match="busy"):
            reader.read("a", "fr")
        reader._reading.release()
    assert reader.read("a", "fr") and programs()


def test_threads_that_ask_for_the_same_text_get_the_same_reading():
    reader, found = Speech(), []
    asking = [threading.Thread(target=lambda: found.append(reader.read("Bonjour", "fr"))) for _ in range(3)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(found) == 3 and len({id(one) for one in found}) == 1
