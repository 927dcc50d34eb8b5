"""Two islands on one network trade what each lacks; who lacks the set's key learns nothing and changes nothing."""

import random
import tracemalloc
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.errors import RemoteFault
from node.transfer.lan import (
    ANSWERED,
    ASKED,
    COMPARE,
    MAX_FORGED,
    MAX_MESSAGE_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    TRADE,
    Envelope,
    LanService,
    fingerprint,
    tag_of,
)
from tests.sim.village import Village, spoilt
from tests.transfer.test_bulk import Shore, busy


class Post:
    """Carries messages to a service and keeps what it carried."""

    def __init__(self, service):
        self.service, self.carried = service, []

    def __call__(self, message):
        answer = self.service.answer(message)
        self.carried.append((message, answer))
        return answer

    @property
    def size(self):
        return sum(len(message) + len(answer) for message, answer in self.carried)


def service(shore, village, seed=1):
    return LanService(shore.bulk, village.charter.subkey("lan"), random.Random(seed).randbytes)


@pytest.fixture
def village():
    return Village()


@pytest.fixture
def pair(village):
    """Two islands with half of a set each, and their services."""
    raws = busy(village)
    here, there = Shore(village).hold(*raws[:3], *raws[3::2]), Shore(village, "island").hold(*raws[:3], *raws[4::2])
    return (here, service(here, village, 1)), (there, service(there, village, 2))


def test_one_visit_makes_both_alike_in_two_questions(pair):
    (here, asks), (there, answers) = pair
    post = Post(answers)
    visited = asks.visit(post)
    assert here.ids == there.ids and visited.new > 100 and visited.given > 100
    assert len(post.carried) == 2


def test_a_comparison_that_is_shorter_or_longer_than_one_is_refused(pair):
    (_, asks), (there, answers) = pair
    question = bytes([COMPARE]) + bytes(8) + fingerprint(there.bulk.shorts())
    for content in (question[:-1], question + b"x", bytes([COMPARE])):
        with pytest.raises(RemoteFault, match="lan-short"):
            answers.answer(asks.tables[0].envelope.close(ASKED, content))


class Meeting(Post):
    """Before the question with this number is carried, `also` happens: the other island visits too."""

    def __init__(self, service, number, also):
        super().__init__(service)
        self._number, self._also = number, also

    def __call__(self, message):
        if len(self.carried) == self._number:
            self._number = -1
            self._also()
        return super().__call__(message)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("seeds", [(1, 2), (2, 1)])
def test_two_islands_that_visit_each_other_at_once_send_each_record_once(village, number, seeds):
    raws = busy(village, 400)
    here, there = Shore(village).hold(*raws[:3], *raws[3::2]), Shore(village, "island").hold(*raws[:3], *raws[4::2])
    one, other = (service(shore, village, seed) for shore, seed in zip((here, there), seeds, strict=True))
    back, results = Post(one), []
    post = Meeting(other, number, lambda: results.append(other.visit(back)))
    results.append(one.visit(post))
    assert here.ids == there.ids and len(results) == 2
    assert sum(result.put_off for result in results) <= 1, "who comes when all is done is not put off"
    assert sum(result.new + result.given for result in results) == len(raws) - 3
    once = sum(map(len, raws))
    assert post.size + back.size < 1.4 * once, "what both hold is not sent, and everything else once"
    assert not one.visit(Post(other)).put_off and not other.visit(Post(one)).put_off


@pytest.mark.parametrize("seeds", [(1, 2), (2, 1)])
def test_of_two_that_begin_at_the_same_moment_one_is_put_off(village, seeds):
    raws = busy(village, 400)
    shores = Shore(village).hold(*raws[:3], *raws[3::2]), Shore(village, "island").hold(*raws[:3], *raws[4::2])
    services = [service(shore, village, seed) for shore, seed in zip(shores, seeds, strict=True)]
    both, posts, results = Barrier(2), [Post(one) for one in reversed(services)], []

    def visit(one, post):
        def carry(message):
            if not post.carried:
                both.wait(60)
            return post(message)

        results.append(one.visit(carry))

    threads = [Thread(target=visit, args=pair) for pair in zip(services, posts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.put_off for result in results) == [False, True]
    assert shores[0].ids == shores[1].ids and sum(post.size for post in posts) < 1.2 * sum(map(len, raws))


def test_a_visit_that_failed_puts_nobody_off(pair):
    (here, asks), (there, answers) = pair

    def fails(message):
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            asks.visit(fails)
    assert not answers.visit(Post(asks)).put_off and here.ids == there.ids


def test_after_visits_to_both_sides_nobody_is_put_off(pair, village):
    (here, asks), (there, answers) = pair
    for number in range(6):
        here.hold(village.bulletin(text=f"nouvelle {number}", minute=number))
        visitor, visited = (asks, answers) if number % 2 else (answers, asks)
        assert not visitor.visit(Post(visited)).put_off
        assert here.ids == there.ids


def test_equal_islands_need_one_small_question(pair):
    (_, asks), (_, answers) = pair
    asks.visit(Post(answers))
    post = Post(answers)
    assert asks.visit(post).new == 0
    assert len(post.carried) == 1 and post.size < 200


def test_an_empty_island_learns_everything_vouches_first(village):
    full, empty = Shore(village).hold(*busy(village, 2_000)), Shore(village, "island")
    service(empty, village, 1).visit(Post(service(full, village, 2)))
    assert empty.ids == full.ids


def test_more_than_one_message_holds_takes_more_trades(village):
    text = "Réunion publique sur l’eau du canal. " * 10
    full, empty = Shore(village), Shore(village, "island")
    full.hold(*(village.vouch("founder", f"writer {who}") for who in range(5)))
    for who in range(5):
        full.hold(*(village.bulletin(f"writer {who}", f"{text} {number}", minute=number) for number in range(600)))
    post = Post(service(full, village, 2))
    service(empty, village, 1).visit(post)
    assert empty.ids == full.ids and len(post.carried) == 3
    assert all(len(answer) <= MAX_MESSAGE_BYTES for _, answer in post.carried)
    other = Shore(village, "keeper")
    post = Post(service(other, village, 3))
    service(full, village, 4).visit(post)
    assert other.ids == full.ids and all(len(message) <= MAX_MESSAGE_BYTES for message, _ in post.carried)


def test_what_one_of_them_will_not_have_is_not_sent_again_and_again(village):
    here = Shore(village).hold(village.bulletin(life=1), village.bulletin(text="lasts", life=30))
    ahead = Shore(village, "island")
    ahead.minute = 90  # its clock is ahead: the first has expired there
    asks, post = service(here, village, 1), Post(service(ahead, village, 2))
    assert asks.visit(post).given == 2
    before = post.size
    assert asks.visit(post).given == 0 and post.size - before < 1_000
    back = service(ahead, village, 3)
    assert back.visit(Post(service(here, village, 4))).new == 0
    ahead.minute = 30  # set right: what was declined is welcome
    assert back.visit(Post(service(here, village, 5))).new == 1


def test_a_question_is_answered_once(pair):
    (_, asks), (there, answers) = pair
    post = Post(answers)
    asks.visit(post)
    before = there.ids
    assert len(post.carried) == 2
    for message, _ in post.carried:
        with pytest.raises(RemoteFault) as caught:
            answers.answer(message)
        assert caught.value.reason == "lan-replay"
    assert there.ids == before


def test_an_answer_recorded_earlier_is_refused(pair, village):
    (here, asks), (_, answers) = pair
    post = Post(answers)
    asks.visit(post)
    here.hold(village.bulletin("founder", "nouveau", minute=400))
    assert len(post.carried) == 2
    for _, answer in post.carried:
        with pytest.raises(RemoteFault):
            asks.visit(lambda _, answer=answer: answer)


def test_nobody_can_hide_news_by_saying_once_more_that_all_is_the_same(pair, village):
    (here, asks), (_, answers) = pair
    asks.visit(Post(answers))
    post = Post(answers)
    asks.visit(post)
    here.hold(village.bulletin("founder", "nouveau", minute=400))
    with pytest.raises(RemoteFault) as caught:
        asks.visit(lambda _: post.carried[0][1])
    assert caught.value.reason == "lan-seal"


def test_a_stranger_with_another_key_learns_nothing(pair):
    (_, asks), _ = pair
    stranger = Village("others")
    with pytest.raises(RemoteFault) as caught:
        service(Shore(stranger), stranger).visit(Post(asks))
    assert caught.value.reason == "lan-seal"


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_reason(noise):
    village = Village()
    with pytest.raises(RemoteFault):
        service(Shore(village), village).answer(b"\1" + noise)


@settings(max_examples=300)
@given(st.sampled_from([b"", bytes([COMPARE]), bytes([TRADE]), b"\7"]), st.binary(max_size=300))
def test_a_member_who_talks_nonsense_raises_nothing_but_faults(kind, noise):
    village = Village()
    shore = Shore(village).hold(village.bulletin())
    asks, answers = service(shore, village, 1), service(Shore(village), village, 2)
    try:
        answers.answer(asks.tables[0].envelope.close(ASKED, kind + noise))
    except RemoteFault as fault:
        assert fault.reason
    try:
        asks.visit(lambda question: answers.tables[0].envelope.close(ANSWERED, kind + noise, question[1:25]))
    except RemoteFault as fault:
        assert fault.reason
    assert len(shore.ids) == 1


def test_a_member_who_sends_forgeries_is_cut_off(pair, village):
    (here, asks), (_, answers) = pair
    raws = [spoilt(raw) for raw in
            (village.bulletin(text=f"faux {number}", minute=500) for number in range(4 * MAX_FORGED))]
    parcel = bytes([TRADE]) + bytes(4) + b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)
    before = here.ids
    with pytest.raises(RemoteFault) as caught:
        asks.answer(answers.tables[0].envelope.close(ASKED, parcel))
    assert caught.value.reason == "lan-forged" and here.ids == before


def test_a_peer_that_promises_what_it_never_gives_is_left(pair, village):
    (_, asks), (_, answers) = pair
    rng, posts = random.Random(3), []

    def post(question):
        posts.append(1)
        first = b"\1" + (60_000).to_bytes(4, "big") + rng.randbytes(480_000)
        return answers.tables[0].envelope.close(ANSWERED, first if len(posts) == 1 else b"", question[1:25])

    asks.visit(post)
    assert len(posts) == 2


def test_a_peer_that_gives_what_nobody_asked_for_is_left(pair, village):
    (_, asks), (_, answers) = pair
    unasked, posts = village.bulletin(text="personne ne l’a demandé"), []

    def post(question):
        posts.append(1)
        first = b"\1" + bytes(8) + (2).to_bytes(4, "big") + b"abcdefgh" + b"ijklmnop"
        given = first if len(posts) == 1 else len(unasked).to_bytes(2, "big") + unasked
        return answers.tables[0].envelope.close(ANSWERED, given, question[1:25])

    with pytest.raises(RemoteFault) as caught:
        asks.visit(post)
    assert caught.value.reason == "lan-unasked" and len(posts) == 2


def test_a_thousand_strangers_cost_little_memory(pair):
    (_, asks), _ = pair
    rng = random.Random(4)
    tracemalloc.start()
    for _ in range(1_000):
        with pytest.raises(RemoteFault):
            asks.answer(b"\1" + rng.randbytes(2_000))
    assert tracemalloc.get_traced_memory()[0] < 500_000
    tracemalloc.stop()


def test_the_fingerprint_is_that_of_the_ids_and_the_tag_tells_members_only(pair, village):
    (here, _), (there, _) = pair
    assert fingerprint(here.bulk.shorts()) != fingerprint(there.bulk.shorts())
    assert fingerprint(sorted(here.bulk.shorts())) == fingerprint(here.bulk.shorts())
    assert tag_of(village.charter.subkey("lan"), "a") != tag_of(village.charter.subkey("lan"), "b")
    assert tag_of(Village("others").charter.subkey("lan"), "a") != tag_of(bytes(32), "a")


def test_a_message_that_is_larger_than_any_is_refused_unopened():
    envelope = Envelope(bytes(32), lambda size: bytes(size))
    for spare in (0, 1):
        message = envelope.close(ASKED, bytes(MAX_MESSAGE_BYTES - 1 - SALT_BYTES - TAG_BYTES + spare))
        if spare:
            with pytest.raises(RemoteFault, match="lan-form"):
                envelope.open(ASKED, message)
        else:
            assert envelope.open(ASKED, message)
