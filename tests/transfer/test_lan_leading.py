"""On one network: who speaks with an earlier secret is led to the present one, and learns nothing else."""

import random
from dataclasses import replace

import pytest

from node.model.errors import RemoteFault
from node.model.record import record_id
from node.replica.generations import Generation, at_minute
from node.transfer.bulk import LeadingBulk, load_bundle, unload_bundle
from node.transfer.lan import ANSWERED, ASKED, COMPARE, TRADE, LanService, fingerprint
from tests.sim.village import T0, Village, secret_of
from tests.transfer.test_bulk import Shore, busy
from tests.transfer.test_lan import Post

OLD, NEW = bytes(32), secret_of(b"new")


@pytest.fixture
def village():
    return Village()


def subkey(village, secret):
    return replace(village.charter, secret=secret).subkey("lan")


def service(shore, village, seed, secret, *formers):
    return LanService(shore.bulk, subkey(village, secret), random.Random(seed).randbytes,
                      [subkey(village, former) for former in formers])


@pytest.fixture
def moved(village):
    """An island that has moved on, with what everybody had, the renewal, and a post made since."""
    shore = Shore(village).hold(*busy(village, 40), *village.renew("founder", "founder", "island", minute=200),
                                village.revoke("founder", "writer", minute=201), village.bulletin(text="après", minute=202))
    shore.minute = 300
    return shore


def test_who_was_left_out_does_not_learn_what_was_refused(moved, village):
    moved.hold(village.bulletin("writer", "trop tard", minute=250))
    assert moved.bulk.declined() and LeadingBulk(moved.bulk).declined() == frozenset()
    assert LeadingBulk(moved.bulk).unwanted() >= moved.bulk.declined(), "and it is not asked for again"


def late(village):
    """One that was off meanwhile, with a post of its own."""
    shore = Shore(village, "island").hold(*busy(village, 40), village.bulletin("island", "seule", minute=100))
    shore.minute = 300
    return shore


def moves(shore, village, who="island"):
    return at_minute((Generation(OLD),), shore.liveset, village.key(who), T0 + shore.minute)[0].secret == NEW


def test_who_asks_with_the_old_secret_gets_the_renewal_and_its_posts_are_taken(village, moved):
    island = late(village)
    asked = service(moved, village, 2, NEW, OLD)
    visited = service(island, village, 1, OLD).visit(asked.answer)
    assert visited.new == 2 and moves(island, village) and asked.earlier_minute == T0 + moved.minute
    assert record_id(village.bulletin("island", "seule", minute=100)) in moved.ids
    assert record_id(village.bulletin(text="après", minute=202)) not in island.ids
    service(island, village, 3, NEW, OLD).visit(service(moved, village, 4, NEW, OLD).answer)
    assert island.ids == moved.ids, "and then all is as before"


def test_one_that_speaks_the_old_secret_is_visited_and_told(village, moved):
    island = late(village)
    first, leading = service(moved, village, 1, NEW, OLD).tables
    with pytest.raises(RemoteFault, match="lan-seal"):
        first.visit(service(island, village, 2, OLD).answer)
    post = Post(service(island, village, 2, OLD))
    visited = leading.visit(post)
    assert visited.given == 2 and moves(island, village)
    assert sum(len(answer) for _, answer in post.carried[1:]) < 400, "what is here already is not asked for"
    assert record_id(village.bulletin("island", "seule", minute=100)) in moved.ids


def test_a_leaver_with_the_old_secret_learns_nothing_but_that_it_is_over(village, moved):
    """It asks for everything it can name, on every way that it knows."""
    answers = service(moved, village, 1, NEW, OLD)
    old = service(late(village), village, 2, OLD).tables[0].envelope
    new_post = record_id(village.bulletin(text="après", minute=202))
    question = old.close(ASKED, bytes([COMPARE]) + bytes(8) + fingerprint([]))
    told = old.open(ANSWERED, answers.answer(question), question[1:25])
    listed = {told[13 + at:21 + at] for at in range(0, len(told) - 13, 8)}
    assert len(listed) == 2 and new_post[:8] not in listed
    wanted = [id_[:8] for id_ in moved.ids]
    question = old.close(ASKED, bytes([TRADE]) + len(wanted).to_bytes(4, "big") + b"".join(wanted))
    answer = old.open(ANSWERED, answers.answer(question), question[1:25])
    assert "après".encode() not in answer and b"avis" not in answer
    leaver = Shore(village, "writer")
    leaver.hold(*busy(village, 40))
    service(leaver, village, 3, OLD).visit(answers.answer)
    leaver.minute = 300
    assert new_post not in leaver.ids and not moves(leaver, village, "writer")


def test_who_never_was_a_member_is_answered_nothing(village, moved):
    answers = service(moved, village, 1, NEW, OLD)
    stranger = LanService(late(village).bulk, bytes(32), random.Random(2).randbytes).tables[0].envelope
    with pytest.raises(RemoteFault, match="lan-seal"):
        answers.answer(stranger.close(ASKED, bytes([COMPARE]) + bytes(24)))


def test_a_question_with_the_old_secret_cannot_be_played_again(village, moved):
    answers = service(moved, village, 1, NEW, OLD)
    question = service(late(village), village, 2, OLD).tables[0].envelope.close(ASKED, bytes([COMPARE]) + bytes(24))
    answers.answer(question)
    with pytest.raises(RemoteFault, match="lan-replay"):
        answers.answer(question)


def test_a_bundle_leads_over_by_stick_alone(village, moved):
    island = late(village)
    unload_bundle(island.bulk, load_bundle(moved.bulk))
    assert moves(island, village) and moved.ids <= island.ids


def test_an_old_bundle_is_as_good_as_before(village, moved):
    island = late(village)
    bundle = b"".join(load_bundle(island.bulk))
    assert unload_bundle(moved.bulk, [bundle]).new.total() == 1
