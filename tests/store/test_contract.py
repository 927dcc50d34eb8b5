"""What every store promises: in memory, on a journal, and on a journal that is opened anew before every look."""

import itertools
import random

import pytest

from node.model.event import Event
from node.model.keys import SigningKey
from node.model.record import Kind, Record, encode, sign
from node.store.index import Row, Slice
from node.store.journalstore import JournalStore
from node.store.memory import MemoryStore
from tests.store.storerows import all_pages, made_up


def row(number, **fields):
    return made_up(number, **{"start": 2000 - number if number % 2 else None} | fields)


class Reopened:
    """A journal store that is closed and opened again before whatever it is asked."""

    def __init__(self, folder):
        self._folder, self._store = folder, JournalStore(folder)

    def __getattr__(self, name):
        self._store.close()
        self._store = JournalStore(self._folder)
        return getattr(self._store, name)

    def __len__(self):
        return self.__getattr__("__len__")()


@pytest.fixture(params=[lambda folder: MemoryStore(), JournalStore, Reopened], ids=["memory", "journal", "reopened"])
def store(request, tmp_path):
    return request.param(tmp_path / "island")


def test_what_was_committed_is_there_and_what_was_deleted_is_not(store):
    store.commit(put=[row(1), row(2)])
    store.commit(put=[row(3)], delete=[row(1).id, row(99).id])
    assert {found.id for found in store.rows()} == {row(2).id, row(3).id} and len(store) == 2
    assert store.get(row(2).id) == row(2) and store.get(row(1).id) is None


def test_a_row_put_again_takes_the_place_of_the_old_one(store):
    store.commit(put=[row(1)])
    store.commit(put=[row(1, created=7, kind=5, start=None)])
    assert all_pages(store, Slice(), 10) == [row(1, created=7, kind=5, start=None)]
    assert all_pages(store, Slice("start"), 10) == []


SLICES = list(itertools.product(
    ["created", "start"], [None, [0], [0, 1, 4]], [(0, 1 << 24), (5, 15), (1980, 1995)], [None, 2], [False, True]))


@pytest.mark.parametrize("limit", [4, 1000])
def test_pages_put_together_are_the_sorted_selection(store, limit):
    rows = [row(number, created=random.Random(number).randrange(20)) for number in range(30)]
    store.commit(put=rows)
    for order, kinds, (since, until), topic, newest_first in SLICES:
        expected = sorted(
            (found for found in rows if getattr(found, order) is not None and since <= getattr(found, order) < until
             and (kinds is None or found.kind in kinds) and topic in (None, found.topic)),
            key=lambda found: (getattr(found, order), found.id), reverse=newest_first)
        assert all_pages(store, Slice(order, kinds, since, until, topic, newest_first), limit) == expected


def test_a_page_goes_on_after_the_row_it_ended_with_was_deleted(store):
    store.commit(put=[row(number) for number in range(6)])
    first, after = store.page(Slice(), limit=3)
    store.commit(delete=[first[-1].id])
    assert [found.created for found in store.page(Slice(), after, 3)[0]] == [1003, 1004, 1005]


def test_a_mark_from_elsewhere_gives_nothing_beyond_the_slice(store):
    store.commit(put=[row(number) for number in range(9)])
    first, last = "00000000" + "00" * 16, "00ffffff" + "ff" * 16
    for mark, newest_first in ((last, True), (first, False)):
        rows, _ = store.page(Slice(since=1002, until=1005, newest_first=newest_first), mark, 20)
        assert sorted(found.created for found in rows) == [1002, 1003, 1004]


@pytest.mark.parametrize("mark", ["zz", "0", "00" * 19, "é", " "])
def test_a_mark_somebody_edited_starts_anew(store, mark):
    store.commit(put=[row(1)])
    assert store.page(Slice(), mark) == ([row(1)], "")


def test_what_a_correction_said_before_is_kept_with_it(store):
    store.commit(put=[row(3, before=b"\0 old \xff")])
    assert store.get(row(3).id).before == b"\0 old \xff"


def test_notes_are_values_of_their_own(store):
    value = {"a": [1, 2]}
    store.set_note("peers", value)
    value["a"].append(3)
    assert store.note("peers") == {"a": [1, 2]} and store.note("nothing") is None
    store.set_note("peers", None)
    assert store.note("peers") is None


def test_notes_set_together_are_kept_or_refused_together(store):
    store.set_notes({"hidden": ["a"], "acts": [1], "peers": None})
    with pytest.raises(TypeError):
        store.set_notes({"hidden": ["a", "b"], "acts": b"no JSON"})
    assert [store.note(name) for name in ("hidden", "acts", "peers")] == [["a"], [1], None]
    store.set_notes({"hidden": None, "acts": [1, 2]})
    assert [store.note(name) for name in ("hidden", "acts")] == [None, [1, 2]]


def test_a_row_is_made_from_its_record():
    draft = Record(Kind.EVENT, b"a" * 8, 100, topic=3, detail=Event(500, 60, 4))
    record = sign(draft, b"s" * 16, SigningKey(b"k" * 32).sign)
    made = Row.of(record, encode(record), 101, b"old")
    assert (made.id, made.kind, made.start, made.expires, made.topic) == (record.id, 1, 500, 560 + 1440, 3)
    assert (made.received, made.before) == (101, b"old")
