"""Records of authors not admitted yet wait in a bounded quarantine; strangers cannot fill more than that."""

import pytest

from node.model.record import decode
from node.replica.entry import Entry
from node.replica.quarantine import ALL, PER_AUTHOR, Quarantine
from node.replica.quota import Limit
from tests.sim.village import KEEPER, NOW, Village, held, live, take


def test_records_wait_in_the_quarantine_and_enter_when_the_vouch_arrives():
    village = Village()
    posts = [village.bulletin("ana", str(n)) for n in range(3)]
    deep = [village.vouch("keeper", "ana"), *posts]
    liveset = live(village, deep)
    assert len(liveset) == 0
    change = liveset.propose([village.vouch("founder", "keeper", KEEPER)], NOW)
    assert len(change.added) == 5 and [verdict.reason for verdict in change.verdicts] == ["kept"]
    liveset.apply(change)
    assert all(held(liveset, *deep))
    assert liveset.waiting(NOW) == []


def test_ten_thousand_fresh_keys_show_nothing_and_fill_no_more_than_the_quarantine(monkeypatch):
    village = Village()
    template = village.bulletin()
    flood = [template[:3] + number.to_bytes(8, "big") + template[11:] for number in range(10_000)]
    monkeypatch.setattr("node.replica.admission.verify", lambda *_: pytest.fail("a signature was checked"))
    liveset = live(village)
    for start in range(0, len(flood), 100):
        assert set(take(liveset, flood[start:start + 100])) == {"penned"}
    assert len(liveset) == 0
    assert len(liveset._state.quarantine) <= ALL.records
    assert len(liveset._state.quotas) == len(liveset._state.faded) == len(liveset._state.forged) == 0


def test_one_unknown_author_fills_only_a_part_of_the_quarantine():
    village = Village()
    liveset = live(village, [village.bulletin("patient")])
    take(liveset, [village.bulletin("pushy", str(n)) for n in range(3 * PER_AUTHOR.records)])
    take(liveset, [village.vouch("founder", "patient"), village.vouch("founder", "pushy")])
    assert len(liveset) == 2 + 1 + PER_AUTHOR.records


def test_strangers_vouches_and_revocations_do_not_make_trust_be_weighed_again(monkeypatch):
    village = Village()
    liveset = live(village, [village.vouch("founder", "ana", KEEPER)])
    monkeypatch.setattr("node.replica.admission.Trust", lambda *_: pytest.fail("weighed again"))
    assert take(liveset, [village.vouch("stranger", "ben"), village.revoke("stranger", "ana")]) == ["penned", "penned"]


def waiting(author, *sizes):
    """Entries of so many octets that wait."""
    village = Village()
    raws = [village.bulletin(author, "x" * size) for size in sizes]
    return [Entry.of(decode(raw), raw) for raw in raws]


def test_the_longest_waiting_goes_first():
    quarantine, entries = Quarantine(Limit(2, 10_000)), waiting("ana", 10, 20, 30)
    for entry in entries:
        quarantine.put(entry)
    assert list(quarantine) == entries[1:]


@pytest.mark.parametrize("rooms", [(Limit(99, 700), Limit(99, 9_999)), (Limit(99, 9_999), Limit(99, 700))])
def test_octets_are_bounded_for_all_and_for_each_author(rooms):
    quarantine, entries = Quarantine(*rooms), waiting("ana", 200, 201, 202)  # some 280 octets each
    for entry in entries:
        quarantine.put(entry)
    assert list(quarantine) == entries[1:]
    quarantine.discard(entries[1].id)
    quarantine.put(entries[0])
    assert list(quarantine) == [entries[2], entries[0]]  # what left makes room


def test_what_waits_already_does_not_wait_anew():
    quarantine, entries = Quarantine(Limit(99, 700)), waiting("ana", 200, 201)
    for entry in (*entries, *entries, *entries):
        quarantine.put(entry)
    assert list(quarantine) == entries and quarantine.of(entries[0].author) == entries


def test_an_author_with_nothing_waiting_is_forgotten():
    quarantine, (entry,) = Quarantine(), waiting("ana", 10)
    quarantine.put(entry)
    assert quarantine.authors() == [entry.author]
    quarantine.discard(entry.id)
    assert quarantine.authors() == [] and len(quarantine) == 0
