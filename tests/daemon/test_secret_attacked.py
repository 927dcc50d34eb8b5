"""The set's secret under attack and in bad luck: stolen founders' keys, records lost for a day, islands that were off."""

import pytest

from node.daemon.keyfiles import KeyTrouble
from node.daemon.secret_keeper import SecretKeeper
from node.model.event import DAY_MIN
from node.replica.generations import MAX_FORMER, MAX_OF_ONE, Generation, former
from node.replica.quota import LIMITS, Category
from node.transfer.invitation import invitation_bytes, offer, prepare, to_text
from tests.sim.secrets_in_memory import SecretsInMemory
from tests.sim.village import T0, Village, at, held, live, secret_of, take

pytestmark = pytest.mark.once

OLD = bytes(32)  # the secret of every village's charter


class Isle:
    """One member's island, as the daemon keeps its secret, and how often it started anew."""

    def __init__(self, village, name, raws=(), minute=1):
        self.asked, self.minute = 0, minute
        self.liveset = live(village, raws, at(minute))
        self.secret = SecretKeeper(SecretsInMemory(Generation(OLD)), self.liveset, village.key(name), self._anew)
        self.secret.formers(T0)

    def _anew(self):
        self.asked += 1
        self.secret.formers(T0 + self.minute)

    def look(self, minute, *raws):
        self.minute = minute
        if raws:
            take(self.liveset, raws, at(minute))
        self.secret.look(T0 + minute)
        return self.secret.known[0].secret


@pytest.fixture
def village():
    return Village("founder", "second", "third")


def members(village, *names):
    return [village.vouch("founder", name) for name in names]


def cut_by_two(village, since, minute):
    return [village.revoke(name, "third", since=since, minute=minute) for name in ("founder", "second")]


def test_a_founder_that_was_cut_renews_no_more_and_what_it_dates_back_falls_with_an_earlier_cut(village):
    isle = Isle(village, "ana", members(village, "ana") + cut_by_two(village, since=5, minute=6), minute=6)
    after, back = (village.renew("third", "ana", minute=minute, secret=b"%d" % minute)[0] for minute in (7, 3))
    assert isle.look(8, after) == OLD and held(isle.liveset, after) == [False]
    assert isle.look(9, back) == secret_of(b"3"), "it may have been made before the key was stolen"
    assert isle.look(20, *cut_by_two(village, since=2, minute=20)) == OLD


def test_a_thousand_renewals_by_one_stolen_key_cost_few_restarts_and_end_with_it(village):
    good, = village.renew("second", "ana", minute=1, secret=b"good")
    isle = Isle(village, "ana", [*members(village, "ana"), good])
    assert isle.look(1) == secret_of(b"good")
    for minute in range(2, 1_002):
        isle.look(minute, *village.renew("third", "ana", minute=minute, secret=b"%d" % minute))
    assert 10 <= isle.asked <= 4 + 1_000 // 64, "a restart each hour at most, after the first three"
    assert sum(isle.liveset.raw(id_)[0] & 15 == 7 for id_ in isle.liveset.ids()) == 1 + LIMITS[Category.RENEWALS].records
    assert len(isle.secret.known) <= 1 + MAX_OF_ONE + 2 and len(former(isle.secret.known)) <= MAX_FORMER
    isle.look(1_002, *cut_by_two(village, since=2, minute=1_002))
    assert isle.look(1_002 + 64) == secret_of(b"good"), "all are back within an hour"
    assert sum(isle.liveset.raw(id_)[0] & 15 == 7 for id_ in isle.liveset.ids()) == 1
    mended, = village.renew("second", "ana", minute=1_070, secret=b"mended")
    isle.look(1_070, mended)
    assert isle.look(1_070 + 64) == secret_of(b"mended")


def test_an_island_that_was_off_for_two_renewals_speaks_with_the_second_at_once_and_leads_who_it_knows(village):
    papers = members(village, "ana", "ben")
    first, second = (village.renew("founder", "ana", "ben", minute=minute, secret=b"%d" % minute)[0]
                     for minute in (10, 200))
    ana, ben = Isle(village, "ana", papers), Isle(village, "ben", papers)
    ana.look(10, first)
    assert ana.look(200, second) == ben.look(9_000, second, first) == secret_of(b"200")
    assert (ana.asked, ben.asked) == (2, 1)
    assert [one.secret for one in former(ana.secret.known)] == [secret_of(b"10"), OLD]
    assert [one.secret for one in former(ben.secret.known)] == [OLD]
    assert not ben.secret.behind


@pytest.mark.parametrize("lost", range(5))
def test_of_a_secret_for_two_hundred_one_record_may_be_lost_for_a_day_and_its_members_follow_then(village, lost):
    names = [f"island {number}" for number in range(200)]
    parts = village.renew("founder", *names)
    assert len(parts) == 5
    papers = members(village, *names)
    late, *rest = parts[lost:] + parts[:lost]
    liveset = live(village, papers + rest, at(1))

    def spoken(name, minute):
        secret = SecretKeeper(SecretsInMemory(Generation(OLD)), liveset, village.key(name), lambda: None)
        secret.look(T0 + minute)
        return secret.known[0].secret, secret.behind

    told = [spoken(name, 2) for name in names]
    assert sorted(told) == sorted([(OLD, True)] * 40 + [(secret_of(b"new"), False)] * 160)
    take(liveset, [late], at(DAY_MIN))
    assert {spoken(name, DAY_MIN) for name in names} == {(secret_of(b"new"), False)}


def test_who_was_invited_with_a_thiefs_secret_takes_the_good_older_one_once_the_thief_is_cut(village):
    good, bad = (village.renew(name, "founder", minute=minute, secret=name.encode())[0]
                 for name, minute in (("second", 10), ("third", 20)))
    isle = Isle(village, "ana", [*members(village, "ana"), good, bad], minute=30)
    isle.secret.catch_up(invitation(village, "third", 20))
    assert isle.look(31) == secret_of(b"third")
    with pytest.raises(KeyTrouble, match="older secret"):
        isle.secret.catch_up(invitation(village, "second", 10))
    isle.look(40, *cut_by_two(village, since=15, minute=40))
    isle.secret.catch_up(invitation(village, "second", 10))
    assert isle.look(41) == secret_of(b"second") and not isle.secret.behind


def invitation(village, maker, made):
    """By a founder's island that speaks with the secret that `maker` made."""
    vouch = offer(village.key("founder").key_id, bytes(32), T0 + made, 24)
    spoken = Generation(secret_of(maker.encode()), T0 + made, T0 + made, village.key(maker).key_id)
    return to_text(invitation_bytes(prepare(village.charter, village.key("founder"), bytes(32), vouch, []).holding(spoken)))
