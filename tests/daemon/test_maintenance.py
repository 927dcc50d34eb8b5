"""Errands leave no trace of what was withdrawn, and lose nothing that is live."""

import base64
from types import SimpleNamespace

import pytest

from node.daemon.maintenance import Maintenance
from node.model.record import record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.archive import Archive
from node.store.journalstore import JournalStore
from node.sync.events import RecordPosted
from tests.sim.village import NOW, Village


class Clock:
    """One that can be wrong: time passes, and jumps."""

    rate, sure = 1, True

    def __init__(self):
        self.running, self.ahead = 0.0, NOW

    def now(self):
        return self.running + self.ahead

    def monotonic(self):
        return self.running


@pytest.fixture
def around(tmp_path):
    village, clock = Village(), Clock()
    store, archive, liveset = JournalStore(tmp_path), Archive(tmp_path / "archive.sqlite"), LiveSet(village.charter)
    forgotten = []
    reader = SimpleNamespace(text_of=lambda id_: liveset.get(id_).packed.decode(), words_of=lambda raw: "")
    board = SimpleNamespace(reader=reader, read_ahead=lambda: iter(()), publish_due=lambda: 0, retired=forgotten.extend)
    settings = SimpleNamespace(archive=SimpleNamespace(keep_days=3650))
    yield SimpleNamespace(village=village, folder=tmp_path, store=store, archive=archive, liveset=liveset, timekeeper=clock,
                          island=Replica(liveset, store, []), board=board, settings=settings, forgotten=forgotten,
                          runner=SimpleNamespace(call=lambda work: work()))
    archive.close()
    store.close()


def on_the_card(folder, raw, word):
    """The files in which a record's octets, or a word of its text, can be read."""
    traces = [base64.b64encode(raw), raw, word]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(trace in path.read_bytes() for trace in traces)]


def test_no_octet_of_a_withdrawn_post_is_left_on_the_card(around):
    errands = Maintenance(around)
    errands.close()
    secret, other = around.village.bulletin(text="rendezvous confidentiel"), around.village.bulletin(text="soupe partagee")
    around.island.handle_all([RecordPosted(secret), RecordPosted(other)], NOW)
    errands.index()
    assert around.archive.search("confidentiel")[0] == [record_id(secret)]
    around.island.handle(RecordPosted(around.village.retraction(record_id(secret))), NOW)
    errands.erase()
    assert on_the_card(around.folder, secret, b"confidentiel") == []
    assert on_the_card(around.folder, other, b"soupe") != []
    assert around.archive.search("soupe")[0] == [record_id(other)]


def test_a_post_is_found_at_once_though_an_import_of_many_waits(around):
    errands = restarted(around)
    many = [around.village.bulletin(text=f"texte importé {number}") for number in range(50)]
    around.island.handle_all([RecordPosted(raw) for raw in many], NOW)
    post = around.village.bulletin(text="soupe ce soir")
    around.island.handle(RecordPosted(post), NOW)
    errands.index()
    assert around.archive.search("soupe")[0] == [record_id(post)]
    errands.index()
    errands.index()
    assert len(around.archive.search("importe", limit=100)[0]) == 50


def test_what_a_correction_replaced_goes_with_it(around):
    errands = Maintenance(around)
    errands.close()
    first = around.village.bulletin(text="rendezvous confidentiel")
    second = around.village.bulletin(text="rendezvous public", minute=1, target=record_id(first)[:8])
    for raw in (first, second, around.village.retraction(record_id(first), minute=2)):
        kept = around.store.get(record_id(second))
        around.island.handle(RecordPosted(raw), NOW)
    assert kept.before == first
    errands.erase()
    assert on_the_card(around.folder, first, b"confidentiel") == []


def hours(around, errands, count):
    """Let the island run for so many hours, retiring every hour."""
    for _ in range(count):
        around.timekeeper.running += 3600
        around.island.handle_all([], around.timekeeper.now())
        errands.retire(around.timekeeper.monotonic())


def restarted(around):
    errands = Maintenance(around)
    errands.close()
    return errands


def test_what_expired_is_archived_after_a_day_of_running(around):
    post = around.village.bulletin(life=1)
    around.island.handle(RecordPosted(post), NOW)
    errands = restarted(around)
    hours(around, errands, 24)
    assert around.store.get(record_id(post)) and around.archive.get(record_id(post)) is None
    hours(around, errands, 25)
    assert around.store.get(record_id(post)) is None and around.archive.get(record_id(post)).raw == post
    assert around.liveset.fading() == []


def test_a_box_that_runs_a_few_hours_a_day_gets_there_too(around):
    post = around.village.bulletin(life=1)
    around.island.handle(RecordPosted(post), NOW)
    for _ in range(10):
        hours(around, restarted(around), 5)
        around.timekeeper.ahead += 19 * 3600
    assert around.store.get(record_id(post)) is None and around.archive.get(record_id(post)).raw == post


def test_a_clock_that_was_years_ahead_for_less_than_a_day_costs_nothing(around):
    post = around.village.bulletin(life=90 * 24)
    around.island.handle(RecordPosted(post), NOW)
    errands = restarted(around)
    around.timekeeper.ahead += 5 * 365 * 86_400
    hours(around, errands, 20)
    assert len(around.liveset) == 0
    around.timekeeper.ahead -= 5 * 365 * 86_400
    hours(around, restarted(around), 60)
    assert len(around.liveset) == 1 and around.store.get(record_id(post))


def test_nothing_is_archived_by_a_clock_that_is_not_sure(around):
    post = around.village.bulletin(life=1)
    around.island.handle(RecordPosted(post), NOW)
    around.timekeeper.sure = False
    hours(around, restarted(around), 60)
    assert around.store.get(record_id(post))


def test_an_edit_code_dies_with_its_post_and_not_before(around):
    post = around.village.bulletin("founder", life=90)
    claim = around.village.bulletin("ana", life=1, minute=1, target=record_id(post)[:8])  # says that it corrects it
    around.island.handle_all([RecordPosted(around.village.vouch("founder", "ana")), RecordPosted(post),
                              RecordPosted(claim)], NOW)
    errands = restarted(around)
    hours(around, errands, 60)
    assert around.archive.get(record_id(claim)) and around.forgotten == []
    hours(around, errands, 90)
    assert around.archive.get(record_id(post)) and around.forgotten == [record_id(post)[:8]]
