"""What belongs to the set: corrections, retractions, quotas, the quarantine, expiry; the same on every island in any
order."""

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.errors import LocalMisuse
from node.model.record import Kind, Right, record_id
from node.replica.admission import MAX_FORGED
from node.replica.liveset import MAX_CHECKS, LiveSet
from tests.effort import EFFORT
from tests.sim.village import DAY, KEEPER, NOW, T0, Village, at, held, live, spoilt, take


def in_every_order(village, raws, now=NOW):
    """The ids that every order of arrival, one by one or in one batch, leads to."""
    expected = set(live(village, raws, now).ids())
    for seed in range(12):
        shuffled = random.Random(seed).sample(raws, len(raws))
        liveset = live(village)
        for raw in [*shuffled, *raws[:3]]:
            take(liveset, [raw], now)
        assert set(liveset.ids()) == expected
    return [record_id(raw) in expected for raw in raws]


# What is not a record of the set


def test_nothing_changes_before_a_change_is_applied():
    village = Village()
    liveset, raw = live(village), village.bulletin()
    change = liveset.propose([raw], NOW)
    assert [(entry.id, entry.raw) for entry in change.added] == [(record_id(raw), raw)] and len(liveset) == 0
    liveset.apply(change)
    assert liveset.raw(record_id(raw)) == raw and liveset.get(record_id(raw)).packed == b"bonjour"
    assert list(liveset.ids()) == [record_id(raw)] and record_id(raw) in liveset and len(liveset) == 1


def test_a_change_is_applied_once_and_only_to_the_set_it_was_proposed_on():
    village = Village()
    liveset = live(village)
    one, other = liveset.propose([village.bulletin()], NOW), liveset.propose([village.bulletin(text="salut")], NOW)
    liveset.apply(one)
    for stale in (one, other):
        with pytest.raises(LocalMisuse):
            liveset.apply(stale)


def test_each_record_gets_the_reason_it_is_refused_for():
    village = Village()
    good = village.bulletin()
    liveset = live(village, [good])
    forged = spoilt(village.bulletin(text="salut"))
    assert take(liveset, [good, b"noise", forged, village.bulletin("stranger"), village.bulletin(minute=-DAY, life=24),
                          village.bulletin(minute=DAY + 1), village.bulletin(text="neuf")]) == [
        "duplicate", "record-too-short", "signature", "penned", "expired", "early", "kept"]
    assert len(liveset) == 2


def test_a_record_that_comes_twice_in_one_batch_is_kept_once():
    village = Village()
    liveset, post = live(village), village.bulletin()
    change = liveset.propose([post, post], NOW)
    assert [verdict.reason for verdict in change.verdicts] == ["kept", "duplicate"]
    assert len(change.added) == 1


def test_what_comes_in_the_minute_its_authors_right_ends_comes_too_late():
    village = Village()
    vouch = village.vouch("founder", "ana", life=1)
    posts = [village.bulletin("ana", text, life=24) for text in ("un", "deux")]
    liveset = live(village, [vouch])
    assert take(liveset, posts[:1], at(59)) == ["kept"]
    assert take(liveset, posts[1:], at(60)) == ["penned"]


def test_what_a_key_signed_after_it_was_revoked_is_not_read_from_the_archive_either():
    village = Village()
    before, after = (village.bulletin("ana", minute=minute) for minute in (0, 30))
    credentials = [village.vouch("founder", "ana"), village.revoke("founder", "ana", since=20, minute=40)]
    liveset = live(village, credentials, at(50))
    assert liveset.read(before).created == T0
    assert liveset.read(after) is None
    assert liveset.read(spoilt(before)) is None


def test_every_single_bit_flip_of_a_record_is_refused():
    village = Village()
    samples = [village.bulletin(), village.event(), village.retraction(bytes(8)), village.vouch("founder", "ana"),
               village.revoke("founder", "ana"), village.sign("founder", Kind.REPLY, packed=b"oui", target=bytes(8)),
               village.sign("founder", Kind.CANCELLATION, packed=b"pluie", target=bytes(8))]
    more = [village.bulletin(text=f"numéro {number}", minute=number) for number in range(1_000 * (EFFORT - 1) // 19)]
    for raw in samples + more:
        liveset = live(village)
        flipped = [raw[:at_] + bytes([raw[at_] ^ 1 << bit]) + raw[at_ + 1:] for at_ in range(len(raw)) for bit in range(8)]
        assert "kept" not in take(liveset, flipped)
        assert len(liveset) == 0


def test_a_signature_is_not_checked_again_for_bytes_that_were_forged_once(monkeypatch):
    village = Village()
    liveset, forged = live(village), spoilt(village.bulletin())
    assert take(liveset, [forged]) == ["signature"]
    monkeypatch.setattr("node.replica.admission.verify", lambda *_: pytest.fail("checked again"))
    assert take(liveset, [forged]) == ["signature"]


def test_a_flood_of_forged_records_is_remembered_only_so_far(monkeypatch):
    village = Village()
    template, liveset = village.bulletin(text="12345678"), live(village)
    monkeypatch.setattr("node.replica.admission.verify", lambda *_: False)
    flood = [template[:16] + number.to_bytes(8, "big") + template[24:] for number in range(MAX_FORGED + 500)]
    assert set(take(liveset, flood)) == {"signature"}
    assert len(liveset._state.forged) == MAX_FORGED and record_id(flood[-1]) in liveset._state.forged
    assert len(liveset) == len(liveset._state.quarantine) == 0


def test_a_record_from_the_future_waits_and_enters_when_its_time_is_near():
    village = Village()
    raw = village.bulletin(minute=2 * DAY)
    liveset = live(village, [raw])
    assert held(liveset, raw) == [False]
    assert liveset.waiting(at(DAY - 1)) == []
    assert liveset.waiting(at(DAY)) == [raw]
    take(liveset, liveset.waiting(at(DAY)), at(DAY))
    assert held(liveset, raw) == [True]


# Corrections, retractions, cancellations, replies


def test_a_correction_takes_the_place_of_what_it_corrects_in_any_order():
    village = Village()
    first = village.bulletin(life=48)
    target = record_id(first)[:8]
    second = village.bulletin(text="mieux", minute=5, life=48, target=target)
    third = village.bulletin(text="encore mieux", minute=6, life=48, target=target)
    assert in_every_order(village, [first, second, third]) == [False, False, True]


def test_a_retraction_ends_every_version_and_nothing_brings_one_back():
    village = Village()
    first = village.bulletin(life=48)
    second = village.bulletin(text="mieux", minute=5, life=48, target=record_id(first)[:8])
    gone = village.retraction(record_id(first), minute=1, life=49)
    assert in_every_order(village, [first, second, gone]) == [False, False, True]
    liveset = live(village, [first, second, gone])
    assert take(liveset, [first, second]) == ["retracted", "retracted"]
    assert take(liveset, [first], at(48 * 60 - 1)) == ["retracted"]
    liveset.expire(at(48 * 60))
    assert take(liveset, [first], at(48 * 60)) == ["expired"]


def test_an_event_moved_to_an_earlier_day_does_not_come_back():
    village = Village()
    first = village.event(start=30 * DAY)
    moved = village.event(minute=5, start=10 * DAY, target=record_id(first)[:8], life=31 * 24 + 2)
    assert in_every_order(village, [first, moved]) == [False, True]
    assert take(live(village, [moved, first]), [first], at(29 * DAY)) == ["superseded"]


def test_what_would_end_before_its_target_does_not_touch_it():
    village = Village()
    first = village.bulletin(life=48)
    short = village.bulletin(text="court", minute=5, life=24, target=record_id(first)[:8])
    assert in_every_order(village, [first, short, village.retraction(record_id(first), life=3)])[0]


def test_nobody_corrects_or_retracts_what_another_wrote():
    village = Village()
    first = village.bulletin("ana", life=24)
    credentials = [village.vouch("founder", "ana"), village.vouch("founder", "ben", KEEPER)]
    forged = [act(record_id(first), author, life=99) for author in ("ben", "founder") for act in (village.retraction,)]
    forged += [village.bulletin("ben", text="faux", minute=5, life=99, target=record_id(first)[:8])]
    assert in_every_order(village, [*credentials, *forged, first])[-1]


def test_what_a_retraction_takes_back_is_told_so_also_when_a_longer_version_stands():
    village = Village()
    post = village.bulletin(life=24)
    correction = village.bulletin(text="neuf", minute=2, life=100, target=record_id(post)[:8])
    retraction = village.retraction(record_id(post), minute=1, life=48)
    for before in ([correction, retraction], [retraction, correction]):
        assert take(live(village, before), [post]) == ["retracted"]
    assert take(live(village), [post, correction, retraction]) == ["retracted", "kept", "kept"]


def test_a_post_that_ended_and_was_taken_back_does_not_wait_on_the_card_for_its_time_to_come_back():
    village = Village()
    post = village.bulletin(life=24)
    correction = village.bulletin(text="neuf", minute=2, life=100, target=record_id(post)[:8])
    liveset = LiveSet(village.charter)
    liveset.load([correction, village.retraction(record_id(post), minute=1, life=48), post], at(30 * 60))
    assert len(liveset) == 2 and liveset.fading() == []


def test_what_waits_for_its_time_and_is_taken_back_waits_no_more():
    village = Village()
    post = village.bulletin(minute=2 * DAY, life=24)
    liveset = live(village, [post])
    assert liveset.known_roots() == {record_id(post)[:8]}
    assert take(liveset, [village.retraction(record_id(post), minute=1, life=99)]) == ["kept"]
    assert liveset.known_roots() == set()


def test_a_retraction_is_not_retracted_and_vouches_are_not_either():
    village = Village()
    first = village.bulletin()
    gone = village.retraction(record_id(first), life=48)
    credential = village.vouch("founder", "ana")
    again = [village.retraction(record_id(gone), minute=2, life=90), village.retraction(record_id(credential), life=9_000)]
    assert in_every_order(village, [first, gone, credential, *again])[:3] == [False, True, True]


def test_a_reply_and_a_cancellation_can_be_retracted_and_belong_to_their_target():
    village = Village()
    event = village.event()
    reply = village.sign("founder", Kind.REPLY, 1, packed=b"oui", target=record_id(event)[:8])
    off = village.sign("founder", Kind.CANCELLATION, 2, 99, packed=b"pluie", target=record_id(event)[:8])
    liveset = live(village, [event, reply, off])
    assert set(liveset.about(record_id(event)[:8])) == {record_id(raw) for raw in (event, reply, off)}
    take(liveset, [village.retraction(record_id(reply)), village.retraction(record_id(off), life=120)])
    assert held(liveset, event, reply, off) == [True, False, False]
    assert record_id(event) in liveset.about(record_id(event)[:8])
    assert not {record_id(reply), record_id(off)} & set(liveset.about(record_id(event)[:8]))


def test_nothing_is_left_of_an_item_whose_last_record_went():
    village = Village()
    post = village.bulletin(life=24)
    liveset = live(village, [post])
    liveset.expire(at(DAY))
    assert liveset.roots() == [] and liveset.about(record_id(post)[:8]) == ()


def test_what_another_record_of_the_same_batch_puts_out_is_not_called_kept():
    village = Village()
    post = village.bulletin(minute=5, life=24)
    backdated = village.retraction(record_id(post), minute=0, life=25)
    liveset = live(village)
    assert take(liveset, [post, backdated]) == ["retracted", "kept"]
    assert held(liveset, post, backdated) == [False, True]


def test_one_version_is_shown_per_item_and_never_a_forged_one():
    village = Village()
    first = village.bulletin("ana", life=24)
    root = record_id(first)[:8]
    credentials = [village.vouch("founder", "ana"), village.vouch("founder", "ben")]
    forged = village.bulletin("ben", "faux", minute=5, life=99, target=root)
    short = village.bulletin("ana", "court", minute=5, life=1, target=root)
    liveset = live(village, [*credentials, forged, short, first])
    assert liveset.version(root) == record_id(first) and root in liveset.roots()
    better = village.bulletin("ana", "mieux", minute=3, life=24, target=root)
    take(liveset, [better])
    assert liveset.version(root) == record_id(better)
    assert liveset.version(bytes(8)) is None


items = st.lists(st.tuples(
    st.sampled_from(["ana", "ben"]), st.sampled_from(["first", "correct", "retract", "reply", "cancel"]),
    st.integers(0, 3), st.integers(0, 20), st.sampled_from([1, 2, 3, 48])), min_size=1, max_size=14, unique=True)


def written(village, acts):
    """Records of two authors about four bulletins; corrections and retractions name whichever was first written."""
    roots, raws = {}, [village.vouch("founder", name) for name in ("ana", "ben")]
    for author, what, item, minute, life in acts:
        target = roots.get(item, bytes(8))
        if what in ("first", "correct"):
            raw = village.bulletin(author, f"{item}", minute, life, target=target if what == "correct" else None)
        elif what == "retract":
            raw = village.retraction(target, author, minute, life)
        else:
            kind = Kind.REPLY if what == "reply" else Kind.CANCELLATION
            raw = village.sign(author, kind, minute, life, target=target)
        roots.setdefault(item, record_id(raw)[:8])
        raws.append(raw)
    return raws


@settings(max_examples=150 * EFFORT, deadline=None)
@given(items, st.randoms(use_true_random=False), st.lists(st.integers(20, 300), min_size=1, max_size=4), st.data())
def test_any_order_any_repetition_and_any_hour_of_expiry_lead_to_the_same_set(acts, rng, moments, data):
    village = Village()
    raws = written(village, acts)
    last = at(max(moments))
    whole = live(village, raws, last)
    pieces = live(village)
    rng.shuffle(raws)
    for moment in sorted(moments):
        take(pieces, rng.sample(raws, rng.randint(0, len(raws))), at(moment))
        pieces.expire(at(moment))
    take(pieces, raws, last)
    assert set(pieces.ids()) == set(whole.ids())


@settings(max_examples=80 * EFFORT, deadline=None)
@given(items, st.randoms(use_true_random=False))
def test_islands_that_exchange_only_what_is_live_agree(acts, rng):
    village = Village()
    raws = written(village, acts)
    assert len(raws) > 2  # who may write, and what somebody wrote
    islands = [live(village, posts=(3, 9_999)) for _ in range(3)]
    for raw in raws:
        for island in rng.sample(islands, rng.randint(1, 3)):
            take(island, [raw])
    for _ in range(8):
        for island in islands:
            for other in islands:
                take(island, [other.raw(id_) for id_ in other.ids() if id_ not in island])
    assert set(islands[0].ids()) == set(islands[1].ids()) == set(islands[2].ids())


# Time, restart, a card somebody wrote to


def test_what_expires_is_hidden_at_once_and_comes_back_if_the_clock_was_wrong():
    village = Village()
    liveset = live(village, [village.bulletin(life=24)])
    assert liveset.deadline == T0 + DAY
    gone = liveset.expire(at(10 * 365 * DAY))
    assert len(gone.removed) == 1 and gone.deleted == [] and len(liveset) == 0
    take(liveset, liveset.waiting(at(60)), at(60))
    assert len(liveset) == 1 and liveset.fading() == []
    liveset.expire(at(DAY))
    liveset.forget(liveset.fading())
    assert liveset.waiting(at(60)) == [] == liveset.fading()


def test_ids_as_of_a_minute_are_those_still_live_then():
    village = Village()
    short, long = village.bulletin(life=1), village.bulletin(life=2)
    liveset = live(village, [short, long])
    assert set(liveset.ids(T0 + 59)) == {record_id(short), record_id(long)}
    assert list(liveset.ids(T0 + 60)) == [record_id(long)]


def village_of_many(authors=10, posts=50):
    village = Village()
    raws = [village.vouch("founder", f"island {n}") for n in range(authors)]
    raws += [village.bulletin(f"island {island}", f"annonce {number}", minute=number, life=1000)
             for island in range(authors) for number in range(posts)]
    return village, raws


def test_after_a_restart_the_set_is_the_same_and_signatures_are_checked_when_read(monkeypatch):
    village, raws = village_of_many()
    before = live(village, raws)
    checked = []
    monkeypatch.setattr("node.replica.admission.verify", lambda *_: checked.append(1) or True)
    after = LiveSet(village.charter)
    after.load(random.Random(5).sample(raws, len(raws)), NOW)
    assert set(after.ids()) == set(before.ids())
    assert len(checked) == 10
    for _ in range(2):
        after.get(record_id(raws[-1]))
        after.raw(record_id(raws[-1]))
    assert len(checked) == 11


def test_what_somebody_wrote_to_the_card_is_neither_shown_nor_relayed():
    village, raws = village_of_many(2, 20)
    rng = random.Random(7)
    assert len(raws) > 20
    for raw in raws:
        position = rng.randrange(len(raw))
        edited = raw[:position] + bytes([raw[position] ^ 1 << rng.randrange(8)]) + raw[position + 1:]
        liveset = LiveSet(village.charter)
        liveset.load([*(other for other in raws if other != raw), edited], NOW)
        assert liveset.get(record_id(edited)) is None and liveset.raw(record_id(edited)) is None
        liveset.expire(at(1))
        assert record_id(edited) not in liveset


def test_a_forged_correction_or_retraction_on_the_card_does_not_hide_what_it_names():
    village = Village()
    first = village.bulletin(life=48)
    forged = spoilt(village.bulletin(text="faux", minute=3, life=48, target=record_id(first)[:8]))
    backdated = spoilt(village.retraction(record_id(first), minute=-5, life=60))
    for order in ([first, forged, backdated], [backdated, forged, first]):
        liveset = LiveSet(village.charter)
        liveset.load(order, NOW)
        assert liveset.raw(record_id(first)) == first and held(liveset, forged, backdated) == [False, False]


def test_what_expired_while_the_island_was_off_stays_hidden_but_known():
    village, raws = village_of_many(1, 3)
    liveset = LiveSet(village.charter)
    liveset.load(raws, at(1001 * 60))
    assert len(liveset) == 1 and len(liveset.fading()) == 3
    take(liveset, liveset.waiting(at(60)), at(60))
    assert len(liveset) == 4


def test_a_record_in_memory_takes_less_than_a_kilobyte_and_a_half_beside_its_encoding():
    village, raws = village_of_many(4, 250)
    liveset = LiveSet(village.charter)
    tracemalloc.start()
    liveset.load(raws, NOW)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / len(raws) < 1_500


def test_what_is_dated_ahead_tells_a_minute_once_its_signature_was_checked_and_few_are_checked_at_a_time():
    village = Village()
    true = village.bulletin(text="neuf", minute=2 * DAY)
    forged = [spoilt(village.bulletin(text=f"{number}", minute=3 * DAY + number)) for number in range(2 * MAX_CHECKS)]
    liveset = live(village)
    assert set(take(liveset, [true, *forged, village.bulletin("stranger", minute=2 * DAY)])) == {"early"}
    author = village.key("founder").key_id
    assert [liveset.dated_ahead(NOW) for _look in range(3)] == [{}, {}, {author: T0 + 2 * DAY}]
    assert set(take(liveset, forged)) == {"signature"}, "that is known now"
    assert liveset.dated_ahead(at(DAY)) == {}, "it enters by itself"


def test_what_came_while_the_clock_was_ahead_waits_again_once_it_is_set_back_and_enters_in_its_time():
    village = Village()
    before, soon = village.bulletin(life=200), village.bulletin(minute=DAY, life=200)
    ahead = village.bulletin(text="en avance", minute=3 * DAY)
    liveset = live(village, [before])
    liveset.apply(liveset.propose([ahead, soon], at(3 * DAY)))
    assert len(liveset) == 3
    change = liveset.expire(at(0))
    assert change.removed == [record_id(ahead)] and not change.deleted, "its row stays"
    assert set(liveset.ids()) == {record_id(before), record_id(soon)} and liveset.has_faded(record_id(ahead))
    assert not liveset.waiting(at(2 * DAY - 1)) and liveset.waiting(at(2 * DAY)) == [ahead]
    assert take(liveset, [ahead], at(2 * DAY)) == ["kept"] and not liveset.expire(at(2 * DAY))


def test_who_was_let_in_by_a_vouch_dated_ahead_waits_with_it():
    village = Village()
    vouch, post = village.vouch("founder", "ana", minute=3 * DAY), village.bulletin("ana", minute=3 * DAY + 1)
    liveset = live(village, [vouch, post], at(3 * DAY + 1))
    assert len(liveset) == 2
    assert len(liveset.expire(at(0)).removed) == 2 and not liveset.trust.may(village.key("ana").key_id, Right.WRITE, T0)
    assert take(liveset, liveset.waiting(at(3 * DAY)), at(3 * DAY)) == ["kept"] and len(liveset) == 2


def test_what_was_withdrawn_by_a_clock_that_was_ahead_is_gone_at_once_everywhere_and_stays_so():
    village = Village()
    post = village.bulletin(life=900)
    retraction = village.retraction(record_id(post), minute=3 * DAY, life=1000)
    elsewhere = live(village, [post])
    assert take(elsewhere, [retraction]) == ["kept"] and set(elsewhere.ids()) == {record_id(retraction)}
    here = live(village, [post], at(3 * DAY))
    assert take(here, [retraction], at(3 * DAY)) == ["kept"]
    here.expire(at(0))
    assert take(here, [post], at(0)) == ["retracted"] and set(here.ids()) == {record_id(retraction)}
