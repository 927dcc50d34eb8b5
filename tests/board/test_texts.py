"""A text is decoded once and for all, only for what is shown, and nobody waits for another's."""

import threading

import pytest

from node.board.api import Draft, TextPatience
from node.model.record import Kind, Record
from tests.sim.portals import ELSEWHERE, Neighbourhood

YEAR_MIN = 366 * 1440


@pytest.fixture
def neighbourhood(tmp_path):
    neighbourhood = Neighbourhood(tmp_path)
    yield neighbourhood
    neighbourhood.archive.close()


def announce(neighbourhood, count, start=60, **fields):
    """Events of another island, a minute apart, whose texts nobody here has decoded."""
    for number in range(count):
        neighbourhood.event((f"Réunion {number}", "Maison"), neighbourhood.board.now() + start + number, **fields)


def ends_after(texts):
    """A patience for so many texts."""
    left = iter([1.0] * texts)
    return TextPatience(lambda: next(left, 0.0))


def test_what_was_decoded_once_is_there_after_a_start(neighbourhood):
    announce(neighbourhood, 3)
    neighbourhood.board.post(Draft(Kind.BULLETIN, "Soupe ce soir"))
    before = [neighbourhood.board.events(0, 10**7), neighbourhood.board.bulletins().items]
    neighbourhood.archive.close()  # writes what waits
    neighbourhood.restart_board()
    assert [neighbourhood.board.events(0, 10**7), neighbourhood.board.bulletins().items] == before
    assert [len(items) for items in before] == [3, 1] and neighbourhood.board.reader.texts.decoded == 0


def test_what_waits_for_a_keeper_and_what_was_replaced_are_not_kept_as_texts(neighbourhood):
    board = neighbourhood.board
    posted = board.post(Draft(Kind.BULLETIN, "Premier mot"))
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "Second mot"))
    board.set_posting("moderated", "lea")
    waiting = board.post(Draft(Kind.BULLETIN, "Mot qui attend"))
    assert board.waiting()[0].item.text == "Mot qui attend"
    newest = board.bulletins().items[0]
    assert board.item(newest.id).before.text == "Premier mot"
    ids = [bytes.fromhex(id_) for id_ in (posted.id, newest.id, waiting.id)]
    neighbourhood.archive.sweep(lambda id_: id_ in neighbourhood.liveset)  # what was shown once, and replaced
    assert set(neighbourhood.archive.texts(ids).values()) == {"Second mot"}


def test_what_is_past_is_read_as_far_as_patience_goes_and_what_was_read_needs_none(neighbourhood):
    for number in range(3):
        neighbourhood.bulletin(f"Avis {number}", 12)
    rows = [row for row in neighbourhood.store.rows() if row.kind == Kind.BULLETIN]
    neighbourhood.clock.advance(30 * 86_400)
    neighbourhood.replica.handle_all([], neighbourhood.clock.now())
    neighbourhood.archive.keep(rows, {})
    patience = ends_after(2)
    shown = neighbourhood.board.past(limit=9, patience=patience).items
    assert len(shown) == 2 and patience.unread == 1
    again = ends_after(0)
    assert neighbourhood.board.past(limit=9, patience=again).items == shown and again.unread == 1


def test_counting_and_marking_days_decode_nothing_and_count_what_is_shown(neighbourhood):
    board, now = neighbourhood.board, neighbourhood.board.now()
    announce(neighbourhood, 450)
    hidden, moved = board.events(now, now + YEAR_MIN, limit=2)
    board.hide(hidden.id, True, "lea")
    mine = board.post(Draft(Kind.EVENT, "Venez", title="Bal", start=now + 9_000, end=now + 9_060))
    board.correct(mine.id, mine.edit_code, Draft(Kind.EVENT, "Venez", title="Bal", start=now + 9_100, end=now + 9_160))
    decoded = board.reader.texts.decoded
    announced = board.announced(now, now + YEAR_MIN)
    assert len(announced) == 450 and announced[-1].start == now + 9_100 and announced[0].id.hex() == moved.id
    assert board.reader.texts.decoded == decoded
    assert [one.id.hex() for one in announced] == [item.id for item in board.events(now, now + YEAR_MIN)]


def test_a_page_reads_only_what_it_shows(neighbourhood):
    announce(neighbourhood, 40)
    now, board = neighbourhood.board.now(), neighbourhood.board
    assert len(board.events(now, now + YEAR_MIN, limit=5)) == 5
    assert board.reader.texts.decoded == 6  # with their author's name
    shown = list(board.read(board.announced(now, now + YEAR_MIN)[10:13]))
    assert [item.title for item in shown] == ["Réunion 10", "Réunion 11", "Réunion 12"] and board.reader.texts.decoded == 9


def test_past_events_are_counted_and_read_likewise(neighbourhood):
    announce(neighbourhood, 30)
    board, begin = neighbourhood.board, neighbourhood.board.now()
    rows = [neighbourhood.store.get(id_) for id_ in neighbourhood.liveset.ids() if board.reader.is_searched(id_)]
    neighbourhood.pass_days(40)
    neighbourhood.archive.keep(rows, {})
    neighbourhood.store.commit(delete=[row.id for row in rows])
    board.reader.texts.decoded = 0
    announced = board.announced(begin, begin + 1440)
    assert len(announced) == 30 and all(event.past for event in announced) and board.reader.texts.decoded == 0
    assert len(board.events(begin, begin + 1440, limit=4)) == 4 and board.reader.texts.decoded == 5  # and a name
    assert len(board.events(begin, begin + 1440)) == 30
    neighbourhood.archive.compact()
    assert len(neighbourhood.archive.texts([row.id for row in rows])) == 30
    neighbourhood.archive.forget([row.id for row in rows])
    assert neighbourhood.archive.texts([row.id for row in rows]) == {}


def test_patience_ends_and_what_is_left_out_is_counted_and_there_the_next_time(neighbourhood):
    announce(neighbourhood, 6)
    now, board = neighbourhood.board.now(), neighbourhood.board
    patience = ends_after(2)
    assert len(board.events(now, now + YEAR_MIN, limit=5, patience=patience)) == 2 and patience.unread == 3
    patience = ends_after(2)
    assert len(board.events(now, now + YEAR_MIN, limit=5, patience=patience)) == 4 and patience.unread == 1
    patience = ends_after(2)
    assert len(board.events(now, now + YEAR_MIN, limit=5, patience=patience)) == 5 and patience.unread == 0


@pytest.mark.parametrize("ask", [
    lambda board, root, patience: board.bulletins(limit=3, patience=patience).items,
    lambda board, root, patience: board.latest(limit=3, patience=patience).items,
    lambda board, root, patience: board.urgent(3, patience),
    lambda board, root, patience: list(board.item(root, patience).replies),
])
def test_every_list_ends_where_patience_does(neighbourhood, ask):
    root = neighbourhood.board.post(Draft(Kind.BULLETIN, "Soupe")).id
    neighbourhood.clock.advance(60)
    for number in range(3):
        neighbourhood.bulletin(f"Soupe {number}", urgent=True)
        neighbourhood.take(Record(Kind.REPLY, ELSEWHERE.key_id, neighbourhood.board.now(), 24,
                                  packed=b"Moi aussi %d" % number, target=bytes.fromhex(root)[:8]))
    patience = ends_after(0)
    assert ask(neighbourhood.board, root, patience) == [] and patience.unread == 3
    assert len(ask(neighbourhood.board, root, None)) == 3
    assert len(ask(neighbourhood.board, root, ends_after(0))) == 3


def test_who_needs_no_decoding_does_not_wait_for_who_does(neighbourhood):
    announce(neighbourhood, 2)
    now, board = neighbourhood.board.now(), neighbourhood.board
    first = board.events(now, now + YEAR_MIN, limit=1)
    turn = threading.Lock()
    board.reader.texts._turn = turn
    with turn:  # another page decodes, and goes on doing so
        patience = TextPatience(lambda: 0.01)
        assert board.events(now, now + YEAR_MIN, patience=patience) == first and patience.unread == 1
    assert len(board.events(now, now + YEAR_MIN)) == 2


def test_a_withdrawn_text_is_kept_nowhere(neighbourhood, tmp_path):
    board = neighbourhood.board
    start = board.now() + 60
    posted = board.post(Draft(Kind.EVENT, "Venez", title="Rendez-vous secret", start=start, end=start + 60))
    board.events(0, 10**7)
    neighbourhood.archive.compact()
    assert neighbourhood.archive.texts([bytes.fromhex(posted.id)])
    board.withdraw(posted.id, posted.edit_code)
    neighbourhood.archive.sweep(lambda id_: id_ in neighbourhood.liveset)
    neighbourhood.archive.compact()
    assert neighbourhood.archive.texts([bytes.fromhex(posted.id)]) == {}
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.glob("archive.sqlite*"))
