"""Whole islands whose clock is lied to: the board comes back, on the card too, whatever was hidden and however long."""

from contextlib import contextmanager

import pytest

from node.board.api import Draft
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import LanSettings, MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.timerules import DAY_S, HOUR_S, TimeSource, Voice
from node.model.clock import RELEASED_AT, ManualClock, minute_of
from node.model.record import Kind, Record, encode, sign
from node.store.journalstore import JournalStore
from radio.meshtastic.link import MeshtasticLink, RadioTime
from tests.sim.village import spoilt
from tests.waiting import until

NOON = RELEASED_AT + 30 * DAY_S + 43_200


@pytest.fixture
def folder(tmp_path):
    KeyFolder(tmp_path / "a").found("Belleville", "a")
    return tmp_path / "a"


@pytest.fixture(autouse=True)
def no_time_server(monkeypatch):
    """The machine's clock is set by nobody."""
    monkeypatch.setattr("node.daemon.app.system_is_synchronised", lambda: False)


@contextmanager
def running(folder, clock, radio="none"):
    settings = Settings(NodeSettings("a", folder), PortalSettings(), RadioSettings(connect=radio), MqttSettings("none"),
                        lan=LanSettings(discover=False))
    island = App(settings, clock)
    try:
        island.portal = island.open()
        yield island
    finally:
        island.close()


def post(island, text, **fields):
    return island.board.post(Draft(Kind.BULLETIN, text=text, **fields))


def texts(island):
    return {item.text for item in island.board.bulletins().items}


def tell(island, source, utc):
    voice = "machine" if source is TimeSource.SYSTEM else "radio"
    return island.runner.call(lambda: island.timekeeper.tell(source, utc, Voice(voice, voice)))


def look(island):
    """What the runner does each 20 s, now."""
    island.runner.call(lambda: island._tell_time(island.timekeeper.now()))


def run(island, clock, days):
    """Let it run: the floor follows, what has certainly ended is archived."""
    def hour():
        island._keep_notes(island.timekeeper.now())
        island.runner.react([])

    for _ in range(round(24 * days)):
        clock.advance(HOUR_S)
        island.runner.call(hour)
        island.maintenance.bring_back()
        island.board.publish_due()
        island.maintenance.retire()


def radio_says(monkeypatch, told):
    """What the radio plugged in tells of the time."""
    monkeypatch.setattr(MeshtasticLink, "radio_time", property(lambda link: told()))


@pytest.mark.parametrize("lie_s", [-200 * DAY_S, 3 * DAY_S, 200 * DAY_S, 4_000 * DAY_S])
def test_a_radio_without_satellites_that_is_wrong_hides_nothing_and_the_pages_say_so(folder, monkeypatch, lie_s):
    clock = ManualClock(NOON)
    radio_says(monkeypatch, lambda: RadioTime(clock.now() + lie_s, False, 9))
    with running(folder, clock, "tcp:127.0.0.1:1") as one:
        post(one, "soupe")
        for _ in range(5):
            look(one)
            clock.advance(20)
        run(one, clock, 0.2)
        assert texts(one) == {"soupe"} and one.board.now() == minute_of(clock.now())
        one.runner.call(lambda: one.reporter.refresh(one.timekeeper.now()))
        assert "not sure what day it is" in one.portal.test_client().get("/?lang=en").text
    with running(folder, clock) as one:
        assert texts(one) == {"soupe"}


@pytest.mark.parametrize("liar", [TimeSource.SYSTEM, TimeSource.GPS])
@pytest.mark.parametrize("days", [0.3, 1.5, 6])
@pytest.mark.parametrize("restarted", [False, True])
def test_what_a_wrong_step_hid_comes_back_from_the_card_and_from_the_archive(folder, liar, days, restarted):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        tell(one, TimeSource.SYSTEM, NOON)
        kept = post(one, "soupe", life_days=90)
        code = kept.edit_code
        waiting = post(one, "demain", publish_at=one.board.now() + 30 * 1_440)
        run(one, clock, 0.1)
    with running(folder, clock) as one:
        tell(one, liar, clock.now() + 200 * DAY_S)
        assert texts(one) == set()
        run(one, clock, days)
        if days > 3:
            assert one.store.get(bytes.fromhex(kept.id)) is None and one.archive.get(bytes.fromhex(kept.id))
        if not restarted:
            tell(one, TimeSource.SYSTEM, clock.now())
            clock.advance(HOUR_S)
            run(one, clock, 0.1)
    with running(folder, clock) as one:
        tell(one, TimeSource.SYSTEM, clock.now())
        run(one, clock, 0.1)
        assert "soupe" in texts(one) and one.board.now() == minute_of(clock.now())
        assert one.store.get(bytes.fromhex(kept.id)) is not None
        assert waiting.id in {post.item.id for post in one.board.waiting()}
        one.board.withdraw(kept.id, code)
        assert texts(one) == set(), "its edit code was kept too"


def test_a_scheduled_post_that_ends_before_a_wrong_clock_waits_on_and_is_published_in_its_time(folder):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        tell(one, TimeSource.SYSTEM, NOON)
        post(one, "demain", life_days=7, publish_at=one.board.now() + 3 * 1_440)
        assert tell(one, TimeSource.SYSTEM, NOON + 200 * DAY_S)
        run(one, clock, 0.5)
        assert len(one.board.waiting()) == 1
        assert tell(one, TimeSource.SYSTEM, NOON + 4 * DAY_S)
        assert one.board.publish_due() <= 1
        until(lambda: texts(one) == {"demain"})


def test_a_keepers_2028_for_2026_says_what_it_would_do_and_is_undone_after_a_restart(folder):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        for number in range(14):
            post(one, f"annonce {number}")
        now = one.board.now()
        outcome = one.board.clock_outcome(now + 2 * 525_960)
        assert (outcome.ahead_min, outcome.posts_end, outcome.keys_end) == (2 * 525_960, 14, 0)
        assert one.board.set_clock(now + 2 * 525_960, "nadia") and texts(one) == set()
        run(one, clock, 3)
    with running(folder, clock) as one:
        assert texts(one) == set()
        assert one.board.clock_outcome(now + 4_320).posts_back == 14
        assert one.board.undo_clock("nadia") and len(texts(one)) == 14
        assert abs(one.board.now() - now - 3 * 1_440) <= 1
    with running(folder, clock) as one:
        assert len(texts(one)) == 14


@pytest.mark.parametrize("machine", [0.0, 3_700_000_000.0, NOON - DAY_S, NOON + 300 * DAY_S])
def test_an_island_without_a_source_shows_its_board_whatever_its_machine_says_at_the_start(folder, machine):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        post(one, "soupe")
        run(one, clock, 0.1)
    for _ in range(3):
        with running(folder, ManualClock(machine)) as one:
            assert texts(one) == {"soupe"} and one.board.now() >= minute_of(NOON)
    with running(folder, ManualClock(machine)) as one:
        assert one.board.set_clock(minute_of(NOON + 10 * DAY_S), "nadia") and one.board.status().host.clock.sure


@pytest.mark.parametrize("days", [399, 401, 1_500])
def test_years_after_the_release_an_island_that_nobody_ever_told_the_time_still_shows_what_is_posted(folder, days):
    clock = ManualClock(RELEASED_AT + 390 * DAY_S)
    with running(folder, clock) as one:
        post(one, "avant", life_days=90)
    with running(folder, ManualClock(RELEASED_AT + days * DAY_S)) as one:
        post(one, "soupe")
        assert texts(one) == {"avant", "soupe"}
    with running(folder, ManualClock(0)) as one:
        assert texts(one) == {"avant", "soupe"}
        assert tell(one, TimeSource.SYSTEM, RELEASED_AT + (days + 1) * DAY_S)


def signed_ahead(island, key, at):
    """A bulletin that its author dates so."""
    record = Record(Kind.BULLETIN, key.key_id, minute_of(at), 2_000, packed=b"x")
    return encode(sign(record, island.charter.set_id, key.sign))


def test_records_of_one_author_move_no_clock_and_of_two_they_do_by_whatever_way_they_came(folder, tmp_path):
    others = [KeyFolder(tmp_path / letter) for letter in "bc"]
    for other in others:
        other.join(KeyFolder(folder).invite(), "other")
    keys = [other.island_key() for other in others]
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        post(one, "soupe", life_days=7)
        for other in others:
            one.runner.take_in(other.credentials(), "lan")
        later = clock.now() + 90 * DAY_S
        one.runner.take_in([signed_ahead(one, keys[0], later + 60 * number) for number in range(3)], "lan")
        look(one)
        assert texts(one) == {"soupe"} and not one.timekeeper.told
        forged = spoilt(signed_ahead(one, keys[1], later))
        one.runner.take_in([forged], "mqtt")
        look(one)
        assert not one.timekeeper.told, "a signature that is wrong says nothing"
        one.runner.take_in([signed_ahead(one, keys[1], later + HOUR_S)], "usb")
        look(one)
        assert one.timekeeper.source is TimeSource.AGREED
        assert abs(one.timekeeper.now() - later) <= 3 * HOUR_S
        assert one.board.set_clock(minute_of(clock.now()), "nadia") and texts(one) >= {"soupe"}


def test_a_power_cut_right_after_a_keeper_set_the_clock_loses_nothing_of_it(folder):
    with running(folder, ManualClock(NOON)) as one:
        assert one.board.set_clock(minute_of(NOON + 90 * DAY_S), "nadia")
        note = one.store.note("clock")
        one.store.close()  # the power goes: nothing is written any more
    store = JournalStore(folder)
    assert store.note("clock") == note and note["seen"] >= NOON + 90 * DAY_S - 60 and note["before"]
    store.close()


def test_what_was_posted_by_a_clock_that_was_ahead_is_hidden_when_it_is_set_back_and_shown_in_its_time(folder):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        assert tell(one, TimeSource.SYSTEM, NOON + 3 * DAY_S)
        post(one, "soupe"), post(one, "bal")
        until(lambda: texts(one) == {"soupe", "bal"})
        assert tell(one, TimeSource.SYSTEM, NOON) and texts(one) == set()
    with running(folder, clock) as one:
        assert texts(one) == set()
        run(one, clock, 1.9)
        assert texts(one) == set()
        run(one, clock, 0.2)
        assert texts(one) == {"soupe", "bal"}


def test_who_posted_by_a_clock_that_was_ahead_can_withdraw_it_while_it_is_hidden(folder):
    clock = ManualClock(NOON)
    with running(folder, clock) as one:
        assert tell(one, TimeSource.SYSTEM, NOON + 3 * DAY_S)
        kept, gone = post(one, "soupe"), post(one, "bal")
        assert tell(one, TimeSource.SYSTEM, NOON) and texts(one) == set()
        one.board.withdraw(gone.id, gone.edit_code)
        run(one, clock, 3.1)
        assert texts(one) == {"soupe"} and one.store.get(bytes.fromhex(gone.id)) is None
        assert one.store.get(bytes.fromhex(kept.id)) is not None
