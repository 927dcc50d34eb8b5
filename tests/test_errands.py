"""Errands leave no trace of what was withdrawn, and lose nothing that is live."""

import base64
from types import SimpleNamespace

import pytest

from node.archive import Archive
from node.clock import ManualClock
from node.errands import Errands
from node.island import Island
from node.liveset import LiveSet
from node.records import record_id
from node.store import JournalStore
from node.sync.events import Posted
from tests.village import NOW, Village


class Surroundings(SimpleNamespace):
    """What errands see of an island; its thread never gets to run, the tests call what they want."""


@pytest.fixture
def around(tmp_path):
    village, clock = Village(), ManualClock(NOW)
    clock.rate, clock.sure = 1, True
    store, archive, liveset = JournalStore(tmp_path), Archive(tmp_path / "archive.sqlite"), LiveSet(village.charter)
    board = SimpleNamespace(reader=SimpleNamespace(text_of=lambda id_: liveset.get(id_).packed.decode()),
                            desk=SimpleNamespace(publish_due=lambda: 0))
    yield Surroundings(village=village, folder=tmp_path, store=store, archive=archive, liveset=liveset, timekeeper=clock,
                       island=Island(liveset, store, []), board=board)
    archive.close()
    store.close()


def on_the_card(folder, raw, word):
    """The files in which a record's octets, or a word of its text, can be read."""
    traces = [base64.b64encode(raw), raw, word]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(trace in path.read_bytes() for trace in traces)]


def test_no_octet_of_a_withdrawn_post_is_left_on_the_card(around):
    errands = Errands(around)
    errands.close()
    secret, other = around.village.bulletin(text="rendezvous confidentiel"), around.village.bulletin(text="soupe partagee")
    around.island.handle_all([Posted(secret), Posted(other)], NOW)
    errands.index()
    assert around.archive.search("confidentiel")[0] == [record_id(secret)]
    around.island.handle(Posted(around.village.retraction(record_id(secret))), NOW)
    errands.erase()
    assert on_the_card(around.folder, secret, b"confidentiel") == []
    assert on_the_card(around.folder, other, b"soupe") != []
    assert around.archive.search("soupe")[0] == [record_id(other)]
