"""Maintenance leaves no trace of what was withdrawn, and loses nothing that is live."""

import base64

import pytest

from node.daemon.maintenance import INDEX_BATCH, POLITE_S, Maintenance
from node.model.confirmation import Confirmation
from node.model.record import Kind, record_id
from node.model.turnout import Turnout
from node.store.archive import Archive
from node.store.index import StoreFailed
from node.sync.events import RecordPosted
from tests.sim.village import NOW


def on_the_card(folder, raw, word):
    """The files in which a record's octets, or a word of its text, can be read."""
    traces = [base64.b64encode(raw), raw, word]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(trace in path.read_bytes() for trace in traces)]


def test_no_octet_of_a_withdrawn_post_is_left_on_the_card(island):
    maintenance = Maintenance(island)
    secret, other = island.village.bulletin(text="rendezvous confidentiel"), island.village.bulletin(text="soupe partagee")
    island.replica.handle_all([RecordPosted(secret), RecordPosted(other)], NOW)
    maintenance.index()
    assert island.archive.search("confidentiel")[0] == [record_id(secret)]
    island.replica.handle(RecordPosted(island.village.retraction(record_id(secret))), NOW)
    maintenance.erasure.look()
    assert on_the_card(island.folder, secret, b"confidentiel") == []
    assert on_the_card(island.folder, other, b"soupe") != []
    assert island.archive.search("soupe")[0] == [record_id(other)]


def test_a_post_is_found_at_once_though_an_import_of_many_waits(island):
    maintenance = Maintenance(island)
    many = [island.village.bulletin(text=f"texte importé {number}") for number in range(50)]
    island.replica.handle_all([RecordPosted(raw) for raw in many], NOW)
    post = island.village.bulletin(text="soupe ce soir")
    island.replica.handle(RecordPosted(post), NOW)
    maintenance.index()
    assert island.archive.search("soupe")[0] == [record_id(post)]
    maintenance.index()
    maintenance.index()
    assert len(island.archive.search("importe", limit=100)[0]) == 50


def test_what_a_correction_replaced_goes_with_it(island):
    maintenance = Maintenance(island)
    first = island.village.bulletin(text="rendezvous confidentiel")
    second = island.village.bulletin(text="rendezvous public", minute=1, target=record_id(first)[:8])
    for raw in (first, second, island.village.retraction(record_id(first), minute=2)):
        kept = island.store.get(record_id(second))
        island.replica.handle(RecordPosted(raw), NOW)
    assert kept.before == first
    maintenance.erasure.look()
    assert on_the_card(island.folder, first, b"confidentiel") == []


def hours(island, maintenance, count):
    """Let the island run for so many hours, retiring every hour."""
    for _ in range(count):
        island.timekeeper.running += 3600
        island.replica.handle_all([], island.timekeeper.now())
        maintenance.bring_back()
        maintenance.retire()


def test_what_ended_is_archived_once_the_floor_has_passed_it(island):
    post = island.village.bulletin(life=1)
    island.replica.handle(RecordPosted(post), NOW)
    maintenance = Maintenance(island)
    island.timekeeper.floor_stays = NOW
    hours(island, maintenance, 100)
    assert island.store.get(record_id(post)) and island.archive.get(record_id(post)) is None
    island.timekeeper.floor_stays = NOW + 3_700
    hours(island, maintenance, 1)
    assert island.store.get(record_id(post)) is None and island.archive.get(record_id(post)).raw == post
    assert island.liveset.fading() == []


def test_how_many_were_there_and_who_confirmed_it_is_kept_nowhere_once_it_is_over(island):
    post = island.village.bulletin(life=1)
    turnout = island.village.sign("founder", Kind.TURNOUT, 0, 1, target=record_id(post)[:8], detail=Turnout(0, 3))
    says = island.village.sign("founder", Kind.CONFIRMATION, 0, 1, target=record_id(post)[:8], detail=Confirmation(True))
    island.replica.handle_all([RecordPosted(post), RecordPosted(turnout), RecordPosted(says)], NOW)
    island.timekeeper.floor_stays = NOW + 3_700
    hours(island, Maintenance(island), 100)
    assert island.archive.get(record_id(post)) and island.archive.get(record_id(turnout)) is None
    assert island.archive.get(record_id(says)) is None
    assert island.store.get(record_id(turnout)) is None and island.store.get(record_id(says)) is None


def test_what_comes_back_while_it_is_archived_stays_on_the_card(island, tmp_path):
    class Slow(Archive):
        """While it writes, the clock is set right and the record is live again."""

        def keep(self, rows, texts):
            super().keep(rows, texts)
            island.timekeeper.ahead -= 100 * 86_400
            island.replica.handle_all([], island.timekeeper.now())

    post = island.village.bulletin(life=90 * 24)
    island.replica.handle(RecordPosted(post), NOW)
    island.archive = Slow(tmp_path / "slow.sqlite")
    island.timekeeper.ahead += 100 * 86_400
    hours(island, Maintenance(island), 49)
    assert record_id(post) in island.liveset and island.store.get(record_id(post)).raw == post
    assert island.archive.get(record_id(post)) is None, "it is no past"
    island.archive.close()


def test_a_card_that_fails_while_something_is_archived_costs_no_record(island):
    post = island.village.bulletin(life=1)
    island.replica.handle(RecordPosted(post), NOW)
    commit = island.store.commit

    def fails(put=(), delete=()):
        raise StoreFailed("io-error")

    island.store.commit = fails
    hours(island, Maintenance(island), 49)
    assert island.archive.get(record_id(post)) and island.store.get(record_id(post)).raw == post
    assert island.liveset.fading() == [record_id(post)]
    island.store.commit = commit
    island.timekeeper.ahead -= 49 * 3600  # the clock is set right: it is live, and has its row
    island.replica.handle_all([], island.timekeeper.now())
    assert record_id(post) in island.liveset and island.store.get(record_id(post)).raw == post


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_archived_by_a_clock_that_was_wrong_is_live_and_found_again_once_it_is_set_back(island, restarted):
    posts = [island.village.bulletin(life=90 * 24, minute=minute, text=f"soupe {minute}") for minute in range(450)]
    for post in posts:
        island.replica.handle(RecordPosted(post), NOW)
    maintenance = Maintenance(island)
    island.timekeeper.ahead += 2 * 365 * 86_400
    hours(island, maintenance, 2)
    assert len(island.liveset) == 0 and len(island.archive) == 450 and next(iter(island.store.rows()), None) is None
    island.timekeeper.ahead -= 2 * 365 * 86_400
    maintenance = Maintenance(island) if restarted else maintenance
    hours(island, maintenance, 1)
    assert len(island.liveset) == 450 and len(island.archive) == 0
    assert all(island.store.get(record_id(post)).raw == post for post in posts)
    maintenance.index()
    assert island.archive.search("soupe", limit=50)[0]


def test_what_is_archived_and_not_to_come_back_stays_there(island):
    mine, theirs = island.village.bulletin(life=90 * 24), island.village.bulletin("ana", life=90 * 24)
    for raw in (island.village.vouch("founder", "ana", life=1), mine, theirs):
        island.replica.handle(RecordPosted(raw), NOW)
    island.timekeeper.ahead += 100 * 86_400
    hours(island, Maintenance(island), 2)
    assert island.archive.get(record_id(mine)) and island.archive.get(record_id(theirs))
    island.timekeeper.ahead -= 100 * 86_400
    hours(island, Maintenance(island), 2)
    assert record_id(mine) in island.liveset and island.archive.get(record_id(mine)) is None
    assert record_id(theirs) not in island.liveset and island.archive.get(record_id(theirs)).raw == theirs


@pytest.mark.parametrize("keep_days", [0, 3])
def test_an_edit_code_goes_when_neither_the_set_nor_the_archive_has_its_post(island, keep_days):
    island.settings.archive.keep_days = keep_days
    post = island.village.bulletin("founder", life=90)
    claim = island.village.bulletin("ana", life=1, minute=1, target=record_id(post)[:8])  # says that it corrects it
    island.replica.handle_all([RecordPosted(island.village.vouch("founder", "ana")), RecordPosted(post),
                              RecordPosted(claim)], NOW)
    maintenance = Maintenance(island)
    hours(island, maintenance, 85)
    assert island.store.get(record_id(claim)) is None and island.forgotten == []
    hours(island, maintenance, 24 * keep_days)
    assert island.forgotten == []
    hours(island, maintenance, 10 if keep_days == 0 else 30)  # the archive forgets once a day
    assert island.store.get(record_id(post)) is None and set(island.forgotten) == {record_id(post)[:8]}


def test_texts_that_could_not_be_indexed_are_indexed_the_next_time(island):
    maintenance, post = Maintenance(island), island.village.bulletin(text="soupe ce soir")
    island.replica.handle(RecordPosted(post), NOW)
    right, asked = island.board.reader.text_of, []

    def fails_once(id_):
        asked.append(id_)
        if len(asked) == 1:
            raise StoreFailed("io-error")
        return right(id_)

    island.board.reader.text_of = fails_once
    with pytest.raises(StoreFailed):
        maintenance.index()
    assert not maintenance.has_more, "no haste after a failure"
    maintenance.index()
    assert island.archive.search("soupe")[0] == [record_id(post)]


def test_it_says_how_far_it_is_and_reads_what_the_first_pages_show_first(island):
    maintenance = Maintenance(island)
    many = [island.village.bulletin(text=f"texte {number}") for number in range(50)]
    island.replica.handle_all([RecordPosted(raw) for raw in many], NOW)
    oldest = record_id(many[0])
    island.board.on_first_pages = lambda: [oldest]
    maintenance.index()
    maintenance.look_at_archive()
    assert (maintenance.archive_status.searched, maintenance.archive_status.unread) == (50, 50 - INDEX_BATCH)
    assert oldest in island.archive.search("texte", limit=50)[0]
    for _ in range(3):
        maintenance.index()
    maintenance.look_at_archive()
    assert maintenance.archive_status.unread == 0 and not maintenance.has_more


def test_what_has_no_words_is_looked_at_once(island):
    maintenance, asked = Maintenance(island), []
    island.board.reader.text_of = lambda id_: asked.append(id_)
    island.replica.handle(RecordPosted(island.village.bulletin(text="rien")), NOW)
    for number in range(3):
        maintenance.index()
        island.replica.handle(RecordPosted(island.village.bulletin(text=f"autre {number}")), NOW)
    assert len(asked) == len(set(asked)) == 3 and not maintenance.has_more


def test_texts_let_people_pass_but_not_for_ever(island):
    waited = []
    island.attendance.let_pass = waited.append
    maintenance = Maintenance(island)
    island.replica.handle_all([RecordPosted(island.village.bulletin(text=f"texte {number}")) for number in range(3)], NOW)
    maintenance.index()
    assert waited == [POLITE_S] * 3


@pytest.mark.parametrize("error", [RuntimeError, OSError, KeyError])
def test_whatever_a_task_fails_at_the_others_have_their_turn(error):
    tried = []

    def fail():
        tried.append(error)
        raise error("this task")

    Maintenance._do(fail)
    assert tried == [error]
