"""The file format by byte, and how little of the card a commit touches."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.store.disk import Disk
from node.store.index import StoreFailed
from node.store.journal import BLOCK_BYTES, HEADER, STEP_BYTES, Journal, line_of, payloads_in
from node.store.journalstore import JournalStore
from tests.sim.simulatedcard import Card, Held

PATH = Path("/island/a.journal")


def opened(card):
    journal = Journal(PATH, card)
    found = list(journal.read())
    if journal.in_doubt:
        journal.rewrite([])
    return journal, found


def image_of(*parts):
    """A journal's bytes: texts become lines where they stand, bytes stay as they are."""
    image = b""
    for part in parts:
        image += line_of(part.encode(), len(image)) if isinstance(part, str) else part
    return image


def test_a_line_is_as_the_documentation_has_it():
    assert line_of(b'{"notes":{"a":{"value":1}}}') == b'b16912aa 0000001b {"notes":{"a":{"value":1}}}\n'
    assert line_of(b'{"notes":{"a":{"value":1}}}', 4096) == b'fe9356e1 0000001b {"notes":{"a":{"value":1}}}\n'


def test_lines_zeros_and_damage_are_told_apart():
    one = line_of(b"one")
    for image, found in (
        (b"", []), (bytes(99), []), (image_of("one", "two"), [b"one", b"two"]),
        (image_of("one", bytes(50), "two", bytes(9)), [b"one", b"two"]),
        (image_of("one", "two").replace(b"one\n", b"oneX"), [b"one", b"two"]),  # the newline is for people
        (image_of(b"garbage", bytes(3), "two"), [None, b"two"]), (image_of(one[:-4] + b"\n", "two"), [None, b"two"]),
        (image_of("one", line_of(b"two")[:9]), [b"one", None]), (image_of(b"x", "one"), [None]),
        (image_of(b"\n", "one"), [None, b"one"]), (one + one, [b"one", None]),
    ):
        assert list(payloads_in(image)) == found, image


def test_what_looks_like_a_line_inside_a_damaged_one_is_none():
    text = b"\n" + line_of(b"forged") + b"\n" + line_of(b"forged", 100)
    image = bytearray(image_of("first", line_of(b"x" + text, len(line_of(b"first"))), "last"))
    assert list(payloads_in(bytes(image))) == [b"first", b"x" + text, b"last"]
    image[image.index(b"x")] ^= 1
    found = list(payloads_in(bytes(image)))
    assert [payload for payload in found if payload] == [b"first", b"last"]


def test_a_length_beyond_the_end_is_damage():
    assert list(payloads_in(image_of(line_of(b"a").replace(b"00000001", b"ffffffff"), "b"))) == [None, b"b"]


PARTS = st.lists(st.text("ab\0\n", max_size=9) | st.binary(max_size=30) | st.builds(bytes, st.integers(0, 9)) | st.builds(
    line_of, st.binary(max_size=9), st.integers(10_000, 10_099)), max_size=9)


@given(parts=PARTS)
def test_in_any_garbage_only_lines_that_were_written_are_found(parts):
    written = [part.encode() for part in parts if isinstance(part, str)]
    found = [payload for payload in payloads_in(image_of(*parts)) if payload is not None]
    assert [payload for payload in found if payload in written] == found
    if not any(isinstance(part, bytes) and part.strip(b"\0") for part in parts):
        assert found == written


def test_a_new_journal_is_a_header_and_zeros():
    card = Card()
    opened(card)
    assert card.seen[PATH].seen == line_of(HEADER).ljust(STEP_BYTES, b"\0")


def test_no_short_line_lies_across_two_blocks():
    card = Card()
    journal, _ = opened(card)
    payloads = [bytes([65 + number % 26]) * (number * 97 % 3900) for number in range(200)]
    for payload in payloads:
        journal.append([payload])
    image = bytes(card.seen[PATH].seen)
    for payload in payloads:
        start = image.index(b" %08x %s\n" % (len(payload), payload)) - 8
        assert start // BLOCK_BYTES == (start + len(line_of(payload)) - 1) // BLOCK_BYTES
    assert opened(Card({PATH: Held(image)}))[1] == payloads


def test_a_commit_dirties_one_block_and_the_length_changes_only_at_each_step():
    card = Card()
    journal, _ = opened(card)
    sizes = set()
    for _ in range(1000):
        writes = len(card.log)
        journal.append([b"x" * 700])
        sizes.add(len(card.seen[PATH].seen))
        made = card.log[writes:]
        assert made == ["write", "sync"] or (made[-2:] == ["write", "sync"] and len(made) == 2 + STEP_BYTES // BLOCK_BYTES)
    assert sizes == {STEP_BYTES * step for step in range(1, 1 + max(sizes) // STEP_BYTES)} and len(sizes) > 2


def test_a_long_line_takes_the_room_it_needs():
    journal, _ = opened(card := Card())
    for size in (BLOCK_BYTES, 3 * STEP_BYTES, 1):
        journal.append([b"y" * size])
    assert [len(payload) for payload in opened(Card({PATH: card.seen[PATH]}))[1]] == [BLOCK_BYTES, 3 * STEP_BYTES, 1]


def test_a_rewrite_leaves_nothing_of_what_was_there_and_no_second_file():
    journal, _ = opened(card := Card())
    journal.append([b"secret"] * 3)
    journal.rewrite([b"kept"])
    journal.append([b"more"])
    assert b"secret" not in card.seen[PATH].seen and list(card.seen) == [PATH]
    assert opened(Card({PATH: card.seen[PATH]}))[1] == [b"kept", b"more"]


def test_what_an_interrupted_rewrite_left_is_removed():
    left = PATH.with_name("a.journal.new")
    card = Card({left: Held(b"secret")})
    opened(card)
    assert left not in card.seen


def test_a_journal_of_a_later_version_is_left_alone():
    card = Card({PATH: Held(image_of("archipel journal 2", "?"))})
    with pytest.raises(StoreFailed) as refused:
        list(Journal(PATH, card).read())
    assert refused.value.reason == "newer" and "write" not in card.log


def test_what_a_killed_process_left_in_memory_is_on_the_card_before_anybody_believes_it():
    opened(card := Card())
    end = len(line_of(HEADER)) + 1
    card.open(PATH).write(line_of(b"left", end), end)
    assert opened(card.after_power_cut(0, 0))[1] == []
    assert opened(card)[1] == [b"left"]
    assert opened(card.after_power_cut(0, 0))[1] == [b"left"]


def test_room_that_was_made_is_on_the_card():
    journal, _ = opened(card := Card())
    journal.reserve()
    assert len(card.after_power_cut(0, 0).seen[PATH].seen) == 2 * STEP_BYTES and not journal.in_doubt
    card.fails = {card.steps + step: errno.EIO for step in range(1, 200)}
    with pytest.raises(OSError, match="as planned"):
        journal.reserve()


def test_a_growth_that_fails_gives_back_the_room_it_took(tmp_path):
    class Full(Disk):
        def open(self, path):
            file, write = super().open(path), super().open(path).write

            def limited(block, at):
                if at > STEP_BYTES + 9000:
                    raise OSError(28, "no space left")
                write(block, at)

            file.write = limited
            return file

    Journal(tmp_path / "j", Disk()).rewrite([])
    journal = Journal(tmp_path / "j", Full())
    assert list(journal.read()) == []
    with pytest.raises(OSError, match="no space"):
        journal.append([b"z" * STEP_BYTES])
    assert (tmp_path / "j").stat().st_size == STEP_BYTES and not journal.in_doubt
    journal.append([b"short"])
    assert list(Journal(tmp_path / "j", Disk()).read()) == [b"short"]


def test_what_is_read_after_a_program_was_killed_is_there_after_a_power_cut_too():
    """Its writes were in the machine's memory, and were read from there; nothing had them on the card."""
    held = Held(image_of(HEADER.decode(), "one", bytes(100)))
    held.write(line_of(b"two", 60), 60)
    card = Card({PATH: held})
    journal = Journal(PATH, card)
    assert list(journal.read()) == [b"one", b"two"]
    assert list(Journal(PATH, card.after_power_cut(1, 0)).read()) == [b"one", b"two"]


def test_room_that_was_made_sure_of_is_on_the_card():
    card = Card()
    journal, _ = opened(card)
    journal.append([b"one"])
    before = len(card.after_power_cut(1, 0).read(PATH))
    journal.reserve()
    after = card.after_power_cut(1, 0)
    assert len(after.read(PATH)) > before and list(Journal(PATH, after).read()) == [b"one"]


def test_a_note_that_says_nothing_and_what_is_no_note_keep_nobody_from_the_others():
    image = image_of(HEADER.decode(), '{"notes":{"empty":{},"good":{"value":1}}}', '{"notes":{"bad":[]}}')
    store = JournalStore(PATH.parent, Card({PATH.parent / "notes.journal": Held(image)}))
    assert (store.note("empty"), store.note("good"), store.note("bad"), store.damaged) == (None, 1, None, 1)
