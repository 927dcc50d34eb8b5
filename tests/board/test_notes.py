"""The board's state has one owner: nothing that keepers decide is lost, whoever decides what at the same time."""

import json
import threading
from dataclasses import fields, replace
from pathlib import Path

import pytest

from node.board.api import AuditEntry, BoardClosed, Draft, Origin, Picture, Report
from node.board.care import LastBackup
from node.board.gathering import GatheredSource, GatherTerms
from node.board.handover import Handover
from node.board.import_sources import ImportSource, ImportSources, Known
from node.board.island_settings import SettingsGroup, SettingsTrial
from node.board.night_rest import Rest, RestPart
from node.board.notes import (
    MAX_AUDIT_LOG,
    NOTES,
    BoardNotes,
    BoardState,
    Clearing,
    PendingPost,
    PendingRevocation,
)
from node.board.reasons import ReportReason
from node.board.street_map import StreetMap, StreetName
from node.model.record import Kind, Record
from node.replica.quota import Category, Limit
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.store.memory import MemoryStore
from tests.sim.places import ELSEWHERE, Place
from tests.sim.portals import Neighbourhood
from tests.sim.simulatedcard import Card, PowerCut

FOLDER = Path("/island")
ROUNDS = 30
ENTRY = AuditEntry(7, "lea", "hide", "ab", "insultes")


@pytest.fixture
def island(tmp_path):
    """An island whose store is a real one, on the card of this machine."""
    store = JournalStore(tmp_path / "island")
    place = Neighbourhood(tmp_path, store)
    yield place
    place.archive.close()
    store.close()


def at_once(*works):
    """Do all of it on a thread each, begun together."""
    barrier, failures = threading.Barrier(len(works)), []

    def run(work):
        barrier.wait()
        try:
            work()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def published(place, count):
    """The ids of so many bulletins of another island."""
    for number in range(count):
        place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=f"texte {number}".encode()), ELSEWHERE)
    return [item.id for item in place.board.bulletins(limit=200).items]


def test_two_keepers_who_hide_two_posts_at_once_both_succeed(island):
    for number in range(2 * ROUNDS):
        island.bulletin(f"texte {number}")
    ids = [item.id for item in island.board.bulletins(limit=200).items]
    board, tried = island.board, 0
    for one, other in zip(ids[::2], ids[1::2], strict=True):
        at_once(lambda one=one: board.hide(one, True, "lea"), lambda other=other: board.hide(other, True, "nadia"))
        log = {(entry.keeper, entry.action, entry.about) for entry in board.audit_log(2)}
        assert log == {("lea", "hide", one), ("nadia", "hide", other)}
        assert board.item(one) is None and board.item(other) is None
        tried += 1
    assert tried == ROUNDS and len(board.hidden()) == 2 * ROUNDS
    island.restart_board()
    assert {item.id for item in island.board.hidden()} == set(ids)


def test_however_many_are_hidden_all_stay_hidden_the_last_one_too(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(9_999, 9_999_999)})
    for number in range(520):
        record = Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=f"texte {number}".encode())
        place.board.hide(place.take(record, ELSEWHERE).id.hex(), True, "lea")
    place.board.retired([])
    assert place.board.bulletins(limit=200).items == []
    assert len(place.board.hidden()) == 520
    place.archive.close()


def test_a_hide_is_kept_beside_twenty_thousand_others(place):
    many = frozenset(number.to_bytes(8, "big") for number in range(20_000))
    place.board.notes.update(lambda state: replace(state, hidden=many))
    place.board.hide(published(place, 1)[0], True, "lea")
    kept = BoardNotes(place.store, threading.Lock()).state.hidden
    assert kept == place.board.notes.state.hidden and len(kept) == 20_001 and kept > many


def test_the_revision_grows_once_the_change_is_there():
    class Watched(BoardNotes):
        """Tells in which order it was changed."""

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            order.append(name)

    order = []
    notes = Watched(MemoryStore(), threading.Lock())
    order.clear()
    assert notes.update(lambda state: replace(state, outline="1,2"))
    assert order == ["state", "revision"], "a page made meanwhile would be kept as new, and be old"


def test_what_others_read_cannot_be_changed():
    for kind in (BoardState, PendingPost, PendingRevocation, ImportSource, ImportSources, Known, AuditEntry, Picture,
                 Report):
        assert kind.__dataclass_params__.frozen, kind


def test_hides_are_forgotten_only_of_what_is_gone_for_good(tmp_path, monkeypatch):
    monkeypatch.setattr("node.board.board.SPARE_HIDES", 3)
    place = Place(tmp_path)
    live, fading, past, gone = published(place, 4)
    for id_ in (live, fading, past, gone):
        place.board.hide(id_, True, "lea")
    rows = {id_: place.store.get(bytes.fromhex(id_)) for id_ in (live, fading, past, gone)}
    place.pass_days(2)  # all four fade; then a clock set right brings the first one back
    place.archive.keep([rows[past]], {})
    place.store.commit(delete=[rows[past].id, rows[gone].id])
    place.liveset.forget([rows[past].id, rows[gone].id])
    place.clock.advance(-2 * 86_400)
    place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"autre"), ELSEWHERE)
    place.board.retired([])
    assert place.board.notes.state.hidden == {bytes.fromhex(id_)[:8] for id_ in (live, fading, past)}
    place.board._spare_hides = 2
    place.archive.close()
    for path in tmp_path.glob("archive.sqlite*"):
        path.write_bytes(b"no archive" * 1000)
    place.board.retired([])
    assert len(place.board.notes.state.hidden) == 3, "of an archive that cannot be read nobody knows what is in it"


def test_the_hide_of_a_reply_lasts_as_long_as_the_reply(tmp_path, monkeypatch):
    monkeypatch.setattr("node.board.board.SPARE_HIDES", 0)
    place = Place(tmp_path)
    question, = published(place, 1)
    reply = place.board.post(Draft(Kind.REPLY, "Menteur", target=question))
    place.board.hide(reply.id, True, "lea")
    place.board.retired([])
    assert not place.board.item(question).replies and place.board.notes.state.hidden


def test_an_edit_code_is_stray_only_when_its_post_is_neither_waiting_live_faded_nor_past(tmp_path):
    place = Place(tmp_path)
    fading, past, gone = published(place, 3)
    rows = {id_: place.store.get(bytes.fromhex(id_)) for id_ in (fading, past, gone)}
    place.pass_days(2)
    live, = published(place, 1)
    for id_ in (live, fading, past, gone):
        place.board.notes.keep_edit_code(bytes.fromhex(id_)[:8], "a hash")
    waiting = place.board.post(Draft(Kind.BULLETIN, text="plus tard", publish_at=place.minute + 500)).id
    assert len(place.board.notes.edit_codes()) == 5 and place.board.stray_codes() == set()
    place.archive.keep([rows[past]], {})
    place.store.commit(delete=[rows[past].id, rows[gone].id])
    place.liveset.forget([rows[past].id, rows[gone].id])
    root = bytes.fromhex(gone)[:8]
    assert place.board.stray_codes() == place.board.stray_codes() == {root}
    place.board.forget_codes({root})
    assert place.board.stray_codes() == set()
    assert place.board.notes.edit_codes() == {bytes.fromhex(id_)[:8] for id_ in (live, waiting, fading, past)}
    place.board._past_codes.clear()
    place.archive.close()
    for path in tmp_path.glob("archive.sqlite*"):
        path.write_bytes(b"no archive" * 1000)
    assert place.board.stray_codes() == set(), "of an archive that cannot be read nobody knows what is in it"


def test_a_post_that_two_keepers_approve_and_a_third_refuses_is_published_once_or_not_at_all(island):
    board, decided = island.board, set()
    board.set_posting("moderated", "lea")
    for number in range(ROUNDS):
        post = board.post(Draft(Kind.BULLETIN, f"annonce {number}"))
        at_once(lambda id_=post.id: board.approve(id_, "lea"), lambda id_=post.id: board.approve(id_, "nadia"),
                lambda id_=post.id: board.refuse(id_, "zoe"))
        (entry,) = [one for one in board.audit_log() if one.about == post.id]
        assert (board.item(post.id) is not None) == (entry.action == "approve")
        assert board.waiting() == []
        decided.add(entry.action)
    assert decided <= {"approve", "refuse"} and len(decided) > 0


def test_a_correction_or_a_withdrawal_that_comes_as_a_keeper_approves_counts_all_the_same(island):
    board = island.board
    board.set_posting("moderated", "lea")
    for number in range(8):
        post = board.post(Draft(Kind.BULLETIN, f"annonce {number}"))
        better = Draft(Kind.BULLETIN, f"annonce corrigée {number}")
        at_once(lambda id_=post.id: board.approve(id_, "lea"),
                lambda post=post, better=better: board.correct(post.id, post.edit_code, better))
        shown = [*(item.text for item in board.bulletins().items), *(one.item.text for one in board.waiting())]
        assert f"annonce corrigée {number}" in shown and f"annonce {number}" not in shown
    for number in range(8):
        post = board.post(Draft(Kind.BULLETIN, f"à retirer {number}"))
        at_once(lambda id_=post.id: board.approve(id_, "lea"), lambda post=post: board.withdraw(post.id, post.edit_code))
        assert board.item(post.id) is None and post.id not in board.notes.state.waiting


def test_groups_and_keepers_that_come_at_once_are_all_kept(island):
    board = island.board
    names = [f"groupe {number}" for number in range(ROUNDS)]
    for name in names:
        at_once(lambda name=name: board.add_group(name, "scellé"), lambda name=name: board.set_keeper(name, "haché"),
                lambda: board.set_outline("1,2 3,4", "lea"))
    island.restart_board()
    assert board.groups() == island.board.groups() == sorted(names)
    assert [island.board.password_hash(name) for name in names] == ["haché"] * ROUNDS


def test_a_group_s_key_is_never_overwritten(island):
    added = []
    at_once(*(lambda seal=seal: added.append(island.board.add_group("Syndicat", seal)) for seal in "ab"))
    assert sorted(added) == [False, True] and island.board.groups() == ["Syndicat"]


class Gate(threading.Event):
    """Tells when somebody waits for it."""

    def __init__(self):
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout=None):
        self.reached.set()
        return super().wait(timeout)


def test_reading_waits_neither_for_the_card_nor_for_who_waits_for_it():
    card = Card()
    notes = BoardNotes(JournalStore(FOLDER, card), threading.Lock())
    notes.update(lambda state: replace(state, outline="1,2 3,4"))
    card.gate = Gate()
    writing = threading.Thread(target=notes.update, args=(lambda state: replace(state, outline="5,6 7,8"),))
    writing.start()
    assert card.gate.reached.wait(60)
    assert notes.state.outline == "1,2 3,4" and notes.edit_code(bytes(8)) == ""  # while the other thread is at its sync
    card.gate.set()
    writing.join()
    assert notes.state.outline == "5,6 7,8"


def decide(notes):
    """Three decisions of one keeper."""
    for number in range(3):
        root = bytes([number]) * 8
        entry = replace(ENTRY, about=root.hex())
        notes.update(lambda state, root=root: replace(state, hidden=state.hidden | {root}), entry, {root: "kept"})


def test_after_a_power_cut_a_decision_is_there_with_its_entry_or_not_at_all():
    whole = Card()
    decide(BoardNotes(JournalStore(FOLDER, whole), threading.Lock()))
    seen = set()
    for cut_at in range(1, whole.steps + 1):
        card = Card(seed=cut_at, cut_at=cut_at)
        with pytest.raises(PowerCut):
            decide(BoardNotes(JournalStore(FOLDER, card), threading.Lock()))
        for share in (0, 1, 0.5, 0.8):
            found = BoardNotes(JournalStore(FOLDER, card.after_power_cut(cut_at, share)), threading.Lock())
            logged = {bytes.fromhex(entry.about) for entry in found.state.audit_log}
            assert found.state.hidden == logged == {root for root in logged if found.edit_code(root)}
            seen.add(len(logged))
    assert seen == {0, 1, 2, 3}, "it was cut in the midst of it"


class FullStore(MemoryStore):
    """A store whose card is full."""

    def set_notes(self, values):
        raise StoreFailed("full")


def test_what_the_card_does_not_take_is_not_shown_either():
    notes = BoardNotes(FullStore(), threading.Lock())
    with pytest.raises(BoardClosed, match="full"):
        notes.update(lambda state: replace(state, outline="1,2 3,4"), ENTRY)
    assert notes.state == BoardState() and notes.revision == 0


ROOT = bytes(range(8))
FULL = BoardState(
    hidden=frozenset([ROOT]), cleared={ROOT: Clearing("c1", 9, "lea")}, audit_log=(ENTRY,),
    waiting={"ab": PendingPost(b"raw", True, 9, 5), "cd": PendingPost(b"other", False, None, 6, Clearing("c1", 9, "lea"))},
    sources=ImportSources({"a": ImportSource(Origin("A", "https://a.fr/"), "v1", {"k": Known(ROOT, (1, 2), 3)}, 8)}),
    groups={"Syndicat": "scellé"}, keepers={"lea": "haché"}, card_keepers={"lea": "haché"}, posting="members",
    outline="1,2 3,4", picture=Picture("image/png", b"png", (48.9, 2.3), (48.8, 2.4)),
    streets=StreetMap((48.9, 2.3), 1_087, {"street": "M1 2l3 4"}, (StreetName(1, 2, -30, 17, 1, "s", "R. des Lilas"),)),
    revocations={"cd": PendingRevocation(b"raw", "Île", 10)}, promised=frozenset(["ef"]),
    contact="samedi au marché",
    reports={ROOT: (Report("ab" * 16, ReportReason.FALSE, "C’est fini", 1_440),
                    Report("ab" * 16, ReportReason.DANGER, "", 2_880))},
    handover=Handover("Nadia", "lea", "lea", 7, {"papers": 9}), settings={"node name": "Île"},
    trial=SettingsTrial(SettingsGroup.RADIO, {"radio share": "5.0"}, 1, "lea"), welcome="Salut", topics=(4, 0),
    rests={RestPart.PORTAL: Rest(1320, 420, frozenset({0, 6}))}, backup=LastBackup(9, 1234, "stick"),
    radio_for_keepers=True,
    gathered={"163452af": GatheredSource(
        "https://exemple.org/a.ics", "Un agenda", GatherTerms((8,), ("bal",), ("canal",), 5, 30, 4, 60), "lea", 5, True,
        6, 7, 2, 1.5, True)})
ON_THE_CARD = {  # as islands have it
    "hidden": ["0001020304050607"],
    "acts": [[7, "lea", "hide", "ab", "insultes"]],
    "cleared": {"0001020304050607": ["c1", 9, "lea"]},
    "waiting 43": {"ab": {"raw": "cmF3", "moderated": True, "publish_at": 9, "came": 5, "number": 0}},
    "waiting 13": {"cd": {"raw": "b3RoZXI=", "moderated": False, "publish_at": None, "came": 6, "number": 1,
                          "cleared": ["c1", 9, "lea"]}},
    "agendas": {"a": {"name": "A", "link": "https://a.fr/", "tag": "v1", "known": {"k": ["0001020304050607", 1, 2, 3]},
                      "taken": 8}},
    "groups": {"Syndicat": "scellé"}, "keepers": {"lea": "haché"}, "card keepers": {"lea": "haché"}, "posting": "members",
    "outline": "1,2 3,4",
    "picture": ["image/png", "cG5n", [48.9, 2.3], [48.8, 2.4]],
    "streets": {"around": [48.9, 2.3], "reach": 1_087, "paths": {"street": "M1 2l3 4"},
                "names": [[1, 2, -30, 17, 1, "s", "R. des Lilas"]]},
    "word 0001020304050607": "0a0b", "contact": "samedi au marché",
    "reports 0001020304050607": [["ab" * 16, "false", "C’est fini", 1_440], ["ab" * 16, "danger", "", 2_880]],
    "handover": {"newcomer": "Nadia", "leaver": "lea", "keeper": "lea", "begun": 7, "done": {"papers": 9}},
    "settings": {"node name": "Île"}, "welcome": "Salut", "topics": [4, 0], "rests": {"portal": [1320, 420, [0, 6]]},
    "trial": {"group": "radio", "before": {"radio share": "5.0"}, "starts": 1, "keeper": "lea"},
    "revocations": {"cd": ["cmF3", "Île", 10]}, "promised": ["ef"], "backup": [9, 1234, "stick"],
    "radio for keepers": True,
    "gather": [{"address": "https://exemple.org/a.ics", "name": "Un agenda", "terms": {
        "topics": [8], "words": ["bal"], "places": ["canal"], "km": 5, "days": 30, "records": 4, "air_s": 60},
        "keeper": "lea", "since": 5, "paused": True, "asked": 6, "day": 7, "records": 2, "air_s": 1.5, "alerts": True}],
}


def test_what_islands_have_on_their_cards_is_read_and_is_what_is_written():
    store, written = MemoryStore(), MemoryStore()
    store.set_notes(ON_THE_CARD)
    notes = BoardNotes(store, threading.Lock())
    assert notes.state == FULL and notes.edit_code(ROOT) == "0a0b"
    BoardNotes(written, threading.Lock()).update(lambda state: FULL, codes={ROOT: "0a0b"})
    assert {name: written.note(name) for name in ON_THE_CARD} == ON_THE_CARD


def test_what_keepers_did_before_they_could_give_reasons_is_read():
    store = MemoryStore()
    store.set_notes({"acts": [[7, "lea", "hide", "ab"]]})
    notes = BoardNotes(store, threading.Lock())
    assert notes.state.audit_log == (AuditEntry(7, "lea", "hide", "ab"),)


def test_posts_that_waited_in_one_note_wait_on_and_are_put_on_shelves_with_the_next_change():
    store = MemoryStore()
    store.set_notes({"waiting": {id_: {"raw": "cmF3", "moderated": True, "publish_at": None} for id_ in ("ab", "cd")}})
    notes = BoardNotes(store, threading.Lock())
    assert notes.state.waiting == {id_: PendingPost(b"raw", True, None) for id_ in ("ab", "cd")}
    notes.update(lambda state: state.without_waiting("ab"))
    assert store.note("waiting") is None and list(BoardNotes(store, threading.Lock()).state.waiting) == ["cd"]


def test_one_post_more_that_waits_does_not_write_all_the_others_again():
    class Counting(MemoryStore):
        """Counts what is written."""

        written = 0

        def set_notes(self, values):
            self.written += len(json.dumps(values))
            super().set_notes(values)

    store = Counting()
    notes = BoardNotes(store, threading.Lock())
    posts = [PendingPost(number.to_bytes(4, "big") * 400, True, None, number) for number in range(200)]
    for number, post in enumerate(posts):
        notes.update(lambda state, number=number, post=post: replace(
            state, waiting={**state.waiting, f"{number * 67 % 256:02x}{number:030x}": post}))
    every = sum(len(post.raw) for post in posts)
    assert store.written < 200 * every / 50
    assert list(BoardNotes(store, threading.Lock()).state.waiting.values()) == posts


def test_every_field_is_kept_and_can_be_emptied():
    store = MemoryStore()
    assert {*NOTES, "waiting", "reports"} == {field.name for field in fields(BoardState)}
    assert all(getattr(FULL, field.name) != getattr(BoardState(), field.name) for field in fields(BoardState))
    BoardNotes(store, threading.Lock()).update(lambda state: FULL)
    BoardNotes(store, threading.Lock()).update(lambda state: BoardState())
    assert BoardNotes(store, threading.Lock()).state == BoardState()


def test_the_audit_log_loses_its_oldest_entries_only():
    notes = BoardNotes(MemoryStore(), threading.Lock())
    for minute in range(MAX_AUDIT_LOG + 5):
        notes.update(lambda state: replace(state, outline="1,2"), replace(ENTRY, at=minute))
    assert [entry.at for entry in notes.state.audit_log] == list(range(5, MAX_AUDIT_LOG + 5))


def test_a_change_that_changes_nothing_costs_and_tells_nothing():
    notes = BoardNotes(FullStore(), threading.Lock())
    assert not notes.update(lambda state: state, ENTRY, {bytes(8): None})
    assert notes.state == BoardState() and notes.revision == 0
