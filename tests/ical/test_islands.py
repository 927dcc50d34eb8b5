"""Islands that take the same event over before they meet, part, see it moved or cancelled, and meet again in any order."""

from itertools import permutations

import pytest

from node.board.api import Draft
from node.model.event import Event
from node.model.foreign import Foreign
from node.model.record import Kind, Record, Revocation, decode, encode, sign
from node.replica.liveset import LiveSet
from node.replica.witnesses import MAX_OVERRULED
from tests.ical.agendas import calendar, event
from tests.sim.portals import CHARTER, ELSEWHERE, FOUNDER, GROUP, HERE, Neighbourhood

KEYS = (HERE, ELSEWHERE, GROUP)
NAMES = ("Île du canal", "Île de la gare", "AMAP du canal")
UID = "204@semaphore.exemple.org"
FIRST = event("SEQUENCE:1", uid=UID)
MOVED = event("SEQUENCE:2", "LOCATION:Au hangar", uid=UID, start="20251206T190000Z")
CANCELLED = event("SEQUENCE:3", "STATUS:CANCELLED", "COMMENT:Fuite d’eau", uid=UID, start="20251206T190000Z")


@pytest.fixture
def islands(tmp_path):
    made = []
    for number, key in enumerate(KEYS):
        (tmp_path / str(number)).mkdir()
        made.append(Neighbourhood(tmp_path / str(number), key=key))
    yield made
    for island in made:
        island.archive.close()


def give(island, *events, name="agenda.ics", called="Le sémaphore"):
    """How many are new, changed, cancelled, unchanged."""
    importer = island.board.imports
    shown = importer.look(calendar(*events, name=called), name)
    done = importer.take(shown.id, "lea")
    return len(done.new), len(done.changed), len(done.cancelled), done.unchanged


def raws(island):
    return [island.liveset.raw(id_) for id_ in island.liveset.ids()]


def meet(one, other):
    for to, records in ((one, raws(other)), (other, raws(one))):
        verdicts = to._take_in(records, "stick")
        assert all(verdict.kept or verdict.reason in ("duplicate", "superseded") for verdict in verdicts), verdicts


def seen(island):
    board = island.board
    return [(item.title, item.place, item.start, item.cancelled) for item in board.events(board.now(), board.now() + 10**5)]


def item(island):
    (event,) = island.board.events(island.board.now(), island.board.now() + 10**5)
    return island.board.item(event.id)


def heard(island):
    return island.board.hearsay(item(island))


def test_islands_that_take_an_event_over_before_they_meet_end_with_one_and_know_who_says_so(islands):
    for number, island in enumerate(islands):
        assert give(island, FIRST, name=f"events ({number}).ics", called=("Le sémaphore", "", "Semaphore")[number])[0] == 1
    one, two, three = islands
    for pair in ((one, two), (two, three), (one, two)):
        meet(*pair)
    assert seen(one) == seen(two) == seen(three) and len(seen(one)) == 1
    assert len({item(island).id for island in islands}) == 1
    assert all(set(heard(island).alike) == set(NAMES) and not heard(island).earlier for island in islands)
    assert all(give(island, FIRST) == (0, 0, 0, 1) for island in islands)


def test_the_latest_version_is_shown_whoever_brings_it_and_in_whatever_order_islands_meet(islands):
    for island, told in zip(islands, (FIRST, MOVED, FIRST), strict=True):
        give(island, told)
    give(islands[2], MOVED)
    give(islands[0], MOVED, CANCELLED)
    records = [raws(island) for island in islands]
    expected = None
    for order in permutations(range(3)):
        for batches in (True, False):
            liveset = LiveSet(CHARTER)
            for number in order:
                for some in [records[number]] if batches else [[raw] for raw in records[number]]:
                    liveset.apply(liveset.propose(some, islands[0].clock.now()))
            (key,) = {record.detail.foreign.key for raw in records[0] if (record := decode(raw)).kind is Kind.EVENT}
            told = [one.id for one in liveset.witnesses(key)]
            expected = expected or told
            assert told == expected and len(told) == 3
    meet(islands[0], islands[1])
    meet(islands[1], islands[2])
    meet(islands[2], islands[0])
    assert seen(islands[0]) == seen(islands[1]) == seen(islands[2]) and seen(islands[0])[0][3] == "Fuite d’eau"
    told = heard(islands[1])
    assert (told.alike, told.earlier) == ((NAMES[0],), 2)


def test_a_cancellation_is_brought_by_any_island_when_the_first_one_is_gone_for_ever(islands):
    one, two, three = islands
    give(one, FIRST)
    meet(one, two)
    assert give(two, FIRST) == (0, 0, 0, 1), "nothing is announced twice"
    assert give(two, CANCELLED) == (0, 0, 1, 0)
    meet(two, three)
    assert seen(three) == seen(two) and len(seen(three)) == 1 and seen(three)[0][3] == "Fuite d’eau"
    assert item(three).origin.name == "Le sémaphore"


def test_a_move_is_seen_once_and_what_was_answered_stays_with_the_event(islands):
    one, two, _ = islands
    give(one, FIRST)
    one.board.post(Draft(Kind.REPLY, "J’apporte du pain", target=item(one).id))
    before = item(one).id
    meet(one, two)
    give(two, MOVED)
    meet(one, two)
    for island in (one, two):
        assert [(title, place) for title, place, *_ in seen(island)] == [("Bal", "Au hangar")]
        assert [reply.text for reply in item(island).replies] == ["J’apporte du pain"]
        assert island.board.reply_count(item(island)) == 1
        assert island.board.item(before).id == item(island).id, "its old address leads to it"


def test_an_island_that_told_an_earlier_version_says_so_too_once_it_reads_the_later_one(islands):
    one, two, _ = islands
    give(one, FIRST)
    give(two, FIRST)
    give(one, MOVED)
    meet(one, two)
    assert (heard(two).alike, heard(two).earlier) == ((NAMES[0],), 1)
    assert give(two, MOVED) == (0, 1, 0, 0) and give(two, MOVED) == (0, 0, 0, 1)
    meet(one, two)
    assert (set(heard(one).alike), heard(one).earlier) == (set(NAMES[:2]), 0)


def test_an_older_file_changes_nothing_on_any_island(islands):
    one, two, _ = islands
    give(one, MOVED)
    meet(one, two)
    assert two.board.imports.look(calendar(FIRST), "old.ics").left_out == {"older": 1}


def test_a_version_that_was_invented_is_seen_as_one_islands_word_and_goes_with_its_author(islands):
    one, two, three = islands
    give(one, FIRST)
    give(two, FIRST)
    give(three, event("SEQUENCE:9000", "LOCATION:Ailleurs", uid=UID))
    for pair in ((one, two), (one, three), (one, two)):
        meet(*pair)
    assert seen(two)[0][1] == "Ailleurs" and (heard(two).alike, heard(two).earlier) == ((NAMES[2],), 2)
    two.board.hide(item(two).id, keeper="lea")
    assert seen(two)[0][1] == "" and set(heard(two).alike) == set(NAMES[:2]), "hidden here, what the others say is seen"
    now = one.board.now()
    one.take(Record(Kind.REVOCATION, FOUNDER.key_id, now, 9_000, detail=Revocation(GROUP.key_id, now - 60)), FOUNDER)
    assert seen(one)[0][1] == "" and set(heard(one).alike) == set(NAMES[:2])


def test_what_one_author_overrules_is_bounded(islands):
    one, liveset = islands[0], LiveSet(CHARTER)
    now, many = one.board.now(), MAX_OVERRULED + 3
    liveset.apply(liveset.propose(raws(one), one.clock.now()))
    for key, sequence in ((HERE, 1), (ELSEWHERE, 2)):
        liveset.apply(liveset.propose([signed(key, now, number, sequence) for number in range(many)], one.clock.now()))
    speaking = [liveset.get(liveset.witnesses(number.to_bytes(8, "big"))[0].id).author for number in range(many)]
    assert speaking.count(ELSEWHERE.key_id) == MAX_OVERRULED and speaking.count(HERE.key_id) == 3


def signed(key, now, number, sequence):
    told = Foreign(number.to_bytes(8, "big"), sequence)
    record = Record(Kind.EVENT, key.key_id, now, packed=b"Bal", detail=Event(now + 900, 60, 4, foreign=told))
    return encode(sign(record, CHARTER.set_id, key.sign))


def test_a_past_event_is_in_the_agenda_once(islands):
    one, two, _ = islands
    give(one, FIRST)
    give(two, MOVED)
    meet(one, two)
    rows = [one.store.get(id_) for id_ in one.liveset.ids()]
    one.archive.keep([row for row in rows if row.kind is Kind.EVENT], {})
    one.pass_days(10)
    board = one.board
    assert [event.place for event in board.events(board.now() - 20 * 1440, board.now())] == ["Au hangar"]
