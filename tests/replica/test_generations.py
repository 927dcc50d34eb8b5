"""Which of the set's secrets an island speaks with: what founders say, whatever the order, and never what others say."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import MAX_SEATS, decode, encode, record_id, sign
from node.model.renewal import fingerprint_of
from node.replica.generations import (
    FIRST,
    LED_MIN,
    MAX_FORMER,
    MAX_OF_ONE,
    SWEPT_MIN,
    Generation,
    LeadingRecords,
    at_minute,
    former,
    left_behind,
    members,
)
from node.transfer.invitation import invitation_bytes, offer, prepare, read_invitation
from tests.effort import EFFORT
from tests.sim.village import DAY, KEEPER, T0, WRITER, Village, at, held, live, secret_of, take

OLD = bytes(32)  # the secret of every village's charter
FIRST_KNOWN = (Generation(OLD),)


def offered(village, spoken, minute):
    """What a newcomer knows by an invitation made at that minute."""
    seed = bytes(32)
    vouch = offer(village.key("founder").key_id, seed, T0 + minute, 24)
    made = prepare(village.charter, village.key("founder"), seed, vouch, []).holding(spoken)
    return (read_invitation(invitation_bytes(made)).spoken,)


@pytest.fixture
def village():
    return Village("founder", "second", "third")


def lived(village, *raws, minute=1):
    """A set in which ana and ben write, and what else is held."""
    return live(village, [village.vouch("founder", name) for name in ("ana", "ben")] + list(raws), at(minute))


def spoken(village, liveset, who="ana", known=FIRST_KNOWN, minute=1):
    return at_minute(known, liveset, village.key(who), T0 + minute)[0].secret


def test_who_has_a_seat_moves_and_who_has_none_stays(village):
    liveset = lived(village, *village.renew("founder", "ana", "founder"))
    assert spoken(village, liveset) == spoken(village, liveset, "founder") == secret_of(b"new")
    assert spoken(village, liveset, "ben") == OLD
    ben = at_minute(FIRST_KNOWN, liveset, village.key("ben"), T0 + 1)
    assert left_behind(ben, liveset, T0 + 1)
    ana = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    assert not left_behind(ana, liveset, T0 + 1)


def test_a_new_secret_is_spoken_from_its_minute_on(village):
    liveset = lived(village, *village.renew("founder", "ana", wait=60))
    assert spoken(village, liveset, minute=59) == OLD
    assert not left_behind(FIRST_KNOWN, liveset, T0 + 59)
    assert spoken(village, liveset, minute=60) == secret_of(b"new")


def test_a_clock_set_back_does_not_bring_the_old_secret_back(village):
    liveset = lived(village, *village.renew("founder", "ana", wait=60))
    moved = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 60)
    assert at_minute(moved, liveset, village.key("ana"), T0 + 1)[0].secret == secret_of(b"new")


@pytest.mark.parametrize("forger", ["keeper", "ana", "stranger"])
def test_a_renewal_by_anybody_but_a_founder_is_not_in_the_set(village, forger):
    forged = village.renew(forger, "ana", secret=b"forged")
    liveset = lived(village, village.vouch("founder", "keeper", KEEPER), *forged)
    assert held(liveset, *forged) == [False]
    assert spoken(village, liveset) == OLD


def test_a_renewal_signed_by_another_or_changed_on_the_way_is_no_signature(village):
    raw = village.renew("founder", "ana")[0]
    stolen = encode(replace(sign(decode(raw), village.charter.set_id, village.key("ana").sign)))
    changed = raw[:30] + bytes([raw[30] ^ 1]) + raw[31:]
    liveset = lived(village)
    assert take(liveset, [stolen, changed], at(1)) == ["signature", "signature"]


def test_a_seat_that_holds_another_secret_than_the_others_moves_nobody(village):
    record = decode(village.renew("founder", "ana", "ben")[0])
    first, *rest = record.detail.seats
    crooked = replace(record.detail, seats=(replace(first, masked=bytes(32)), *rest))
    raw = encode(sign(replace(record, detail=crooked), village.charter.set_id, village.key("founder").sign))
    liveset = lived(village, raw)
    names = {village.key(name).key_id: name for name in ("ana", "ben")}
    assert spoken(village, liveset, names[first.key]) == OLD
    assert spoken(village, liveset, names[rest[0].key]) == secret_of(b"new")


def test_of_two_founders_at_once_the_later_wins_and_in_one_minute_the_lower_fingerprint(village):
    earlier, later = village.renew("second", "ana", secret=b"a"), village.renew("third", "ana", minute=1, secret=b"b")
    for raws in (earlier + later, later + earlier):
        assert spoken(village, lived(village, *raws)) == secret_of(b"b")
    one, other = village.renew("second", "ana", secret=b"a"), village.renew("third", "ana", secret=b"c")
    lowest = min((secret_of(name) for name in (b"a", b"c")), key=lambda one: fingerprint_of(village.charter.set_id, one))
    for raws in (one + other, other + one):
        assert spoken(village, lived(village, *raws)) == lowest


def test_an_island_that_moved_once_moves_to_the_later_one_too(village):
    liveset = lived(village, *village.renew("second", "ana", secret=b"a"))
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    take(liveset, village.renew("third", "ana", minute=2, secret=b"b"), at(2))
    known = at_minute(known, liveset, village.key("ana"), T0 + 2)
    assert [one.secret for one in known] == [secret_of(b"b"), secret_of(b"a"), OLD]
    assert [one.left for one in known] == [None, T0 + 2, T0 + 1]


def test_the_renewal_of_a_founder_who_is_cut_before_falls_and_all_go_back(village):
    liveset = lived(village, *village.renew("second", "ana", minute=1, secret=b"good"),
                    *village.renew("third", "ana", minute=5, secret=b"bad"), minute=5)
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 5)
    assert known[0].secret == secret_of(b"bad")
    take(liveset, [village.revoke(name, "third", since=4, minute=9) for name in ("founder", "second")], at(9))
    known = at_minute(known, liveset, village.key("ana"), T0 + 9)
    assert known[0].secret == secret_of(b"good") and known[1].secret == secret_of(b"bad")
    assert former(known)[0].founder == village.key("third").key_id, "who follows it is led back"


def test_an_island_that_missed_the_good_one_opens_it_when_the_bad_one_falls(village):
    bad = village.renew("third", "ana", minute=5, secret=b"bad")
    liveset = lived(village, *village.renew("second", "ana", minute=1, secret=b"good"), *bad, minute=5)
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 5)
    assert secret_of(b"good") not in [one.secret for one in known], "only what is spoken is opened"
    take(liveset, [village.revoke(name, "third", since=5, minute=9) for name in ("founder", "second")], at(9))
    assert at_minute(known, liveset, village.key("ana"), T0 + 9)[0].secret == secret_of(b"good")


def test_what_a_founder_made_before_its_cut_stands(village):
    liveset = lived(village, *village.renew("third", "ana", minute=1, secret=b"good"))
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    take(liveset, [village.revoke(name, "third", since=2, minute=9) for name in ("founder", "second")], at(9))
    assert at_minute(known, liveset, village.key("ana"), T0 + 9)[0].secret == secret_of(b"good")


def test_an_expired_renewal_does_not_bring_the_old_secret_back(village):
    raw, = village.renew("founder", "ana")
    liveset = lived(village, raw)
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    after = decode(raw).expires + 1
    liveset.expire(at(after - T0))
    assert held(liveset, raw) == [False]
    known = at_minute(known, liveset, village.key("ana"), after)
    assert [one.secret for one in known] == [secret_of(b"new")], "and the old one is forgotten"


def test_a_founder_cannot_take_a_renewal_back_by_a_retraction(village):
    raw, = village.renew("founder", "ana")
    liveset = lived(village, raw, village.retraction(record_id(raw), life=90))
    assert held(liveset, raw) == [True]


def test_a_newcomer_learns_later_who_made_the_secret_it_was_invited_with(village):
    raw, = village.renew("third", "ana", minute=5, secret=b"new")
    invited = (Generation(secret_of(b"new"), T0 + 20, T0 + 20, village.key("second").key_id),)
    liveset = lived(village, raw, *village.renew("second", "ana", minute=4, secret=b"a"), minute=30)
    known = at_minute(invited, liveset, village.key("late"), T0 + 30)
    assert (known[0].created, known[0].founder) == (T0 + 5, village.key("third").key_id)
    assert not left_behind(known, liveset, T0 + 30)


def test_who_is_invited_while_a_renewal_waits_knows_that_the_old_secret_is_the_older_one(village):
    raw, = village.renew("third", "ana", minute=5, wait=60)
    liveset = lived(village, raw, minute=30)
    invited = offered(village, FIRST_KNOWN[0], minute=30)
    assert not left_behind(invited, liveset, T0 + 64) and left_behind(invited, liveset, T0 + 65)
    assert at_minute(invited, liveset, village.key("ana"), T0 + 65)[0].secret == secret_of(b"new")


def test_of_two_invitations_of_one_minute_the_one_with_the_later_secret_counts_whatever_the_fingerprints(village):
    for name in (b"a", b"b", b"c", b"d"):
        later = Generation(secret_of(name), T0 + 5, T0 + 5, village.key("third").key_id)
        both = (*offered(village, later, minute=20), *offered(village, FIRST_KNOWN[0], minute=20))
        for known in (both, both[::-1]):
            assert at_minute(known, lived(village), village.key("late"), T0 + 30)[0].secret == secret_of(name)


def test_whoever_names_one_secret_in_one_minute_the_same_founder_is_its_maker(village):
    raws = [village.renew(name, "ana", minute=5, secret=b"new")[0] for name in ("founder", "second", "third")]
    lowest = min(village.key(name).key_id for name in ("founder", "second", "third"))
    for some in (raws, raws[::-1]):
        assert at_minute(FIRST_KNOWN, lived(village, *some), village.key("ana"), T0 + 5)[0].founder == lowest


def test_a_secret_that_a_founder_names_again_later_is_none_the_newer_for_it(village):
    liveset = lived(village, *village.renew("second", "ana", minute=1, secret=b"a"))
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    again = village.renew("third", "ana", minute=5, secret=b"again")
    fake = replace(decode(again[0]).detail, fingerprint=fingerprint_of(village.charter.set_id, OLD))
    raw = encode(sign(replace(decode(again[0]), detail=fake), village.charter.set_id, village.key("third").sign))
    take(liveset, [raw], at(5))
    assert at_minute(known, liveset, village.key("ana"), T0 + 5)[0].secret == secret_of(b"a")


def test_earlier_secrets_are_kept_for_a_year_and_then_erased(village):
    liveset = lived(village, *village.renew("founder", "ana"))
    known = at_minute(FIRST_KNOWN, liveset, village.key("ana"), T0 + 1)
    assert len(at_minute(known, liveset, village.key("ana"), T0 + LED_MIN)) == 2
    assert len(at_minute(known, liveset, village.key("ana"), T0 + 1 + SWEPT_MIN)) == 1


def test_one_founders_many_renewals_push_out_nobody_elses(village):
    liveset, known = lived(village, *village.renew("second", "ana", secret=b"good")), FIRST_KNOWN
    known = at_minute(known, liveset, village.key("ana"), T0 + 1)
    for minute in range(2, 30):
        take(liveset, village.renew("third", "ana", minute=minute, secret=b"%d" % minute), at(minute))
        known = at_minute(known, liveset, village.key("ana"), T0 + minute)
    assert len(known) == 1 + MAX_OF_ONE + 2 and len(former(known)) == MAX_FORMER
    take(liveset, [village.revoke(name, "third", since=2, minute=40) for name in ("founder", "second")], at(40))
    assert at_minute(known, liveset, village.key("ana"), T0 + 40)[0].secret == secret_of(b"good")


def test_of_more_renewals_than_a_founder_may_have_the_newest_stand(village):
    raws = [village.renew("founder", "ana", minute=minute, secret=b"%d" % minute)[0] for minute in range(8)]
    liveset = live(village, raws, at(9), renewals=(3, 9_999))
    assert held(liveset, *raws) == [False] * 5 + [True] * 3


def test_all_who_may_write_are_sealed_for_and_nobody_else(village):
    liveset = lived(village, village.vouch("founder", "gone"), village.vouch("founder", "ticket", WRITER | 8),
                    village.revoke("founder", "gone", minute=1), minute=5)
    assert set(members(liveset.trust, T0 + 5)) == {
        village.key(name).key_id for name in ("founder", "second", "third", "ana", "ben")}


def test_a_large_set_takes_several_records_and_each_member_finds_its_own(village):
    names = [f"island {number}" for number in range(100)]
    raws = village.renew("founder", *names)
    assert len(raws) == -(-100 // MAX_SEATS) == 3
    liveset = live(village, [village.vouch("founder", name) for name in names] + raws, at(1))
    assert all(spoken(village, liveset, name) == secret_of(b"new") for name in names)
    assert spoken(village, liveset, "someone") == OLD


def test_what_leads_are_renewals_and_revocations_alone(village):
    raws = [*village.renew("founder", "ana"), village.revoke("founder", "ben", minute=1)]
    liveset = lived(village, *raws, village.bulletin("ana"))
    assert set(LeadingRecords(liveset).ids()) == {record_id(raw) for raw in raws}
    assert LeadingRecords(liveset).raw(record_id(village.bulletin("ana"))) is None
    assert list(LeadingRecords(liveset, over=True).ids()) == []


STEPS = st.lists(st.tuples(st.sampled_from(["founder", "second", "third"]), st.integers(0, 40), st.integers(0, 30)),
                 min_size=1, max_size=6)


@settings(max_examples=60 * EFFORT, deadline=None)
@given(steps=STEPS, cut=st.none() | st.tuples(st.sampled_from(["second", "third"]), st.integers(0, 50)), seed=st.integers())
def test_islands_that_hold_the_same_speak_alike_whatever_the_order(steps, cut, seed):
    village, rng = Village("founder", "second", "third"), random.Random(seed)
    raws = [raw for number, (founder, minute, wait) in enumerate(steps)
            for raw in village.renew(founder, "ana", "ben", minute=minute, wait=wait, secret=b"%d" % number)]
    if cut:
        others = {"founder", "second", "third"} - {cut[0]}
        raws += [village.revoke(name, cut[0], since=cut[1], minute=51) for name in sorted(others)]
    outcomes = set()
    for who in ("ana", "ben"):
        liveset, known = lived(village), FIRST_KNOWN
        for minute, raw in enumerate(rng.sample(raws, len(raws))):
            take(liveset, [raw], at(60 + minute))
            if rng.random() < 0.7:  # it looks now and then
                known = at_minute(known, liveset, village.key(who), T0 + 60 + minute)
        known = at_minute(known, liveset, village.key(who), T0 + DAY)
        assert at_minute(known, liveset, village.key(who), T0 + DAY) == known
        outcomes.add(known[0].secret)
    good = [(minute, number) for number, (founder, minute, _) in enumerate(steps)
            if not cut or founder != cut[0] or minute < cut[1]]
    assert len(outcomes) == 1 and (outcomes == {OLD}) == (not good)
    assert all(one.founder != FIRST or one.secret == OLD for one in known)
