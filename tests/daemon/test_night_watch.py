"""The night rest of whole islands in virtual time: by a sure clock, on the nights when clocks change, and on the air."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from node.board.night_rest import Rest, RestPart
from node.daemon.night_watch import AWAKE_S, NightWatch
from node.daemon.timekeeper import Timekeeper
from node.daemon.timerules import TimeSource
from node.model.clock import ManualClock, minute_of
from node.model.record import Kind, Record, encode, sign
from radio.airtime import Governor
from tests.sim.archipelago import CHARTER, KEY, START, Archipelago, bulletin, ids_of

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Rest(22 * 60, 7 * 60)
ALL = dict.fromkeys(RestPart, NIGHT)


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


class Night:
    """An island's watch from a moment on; its clock is sure unless told otherwise."""

    def __init__(self, text, plan, sure=True):
        self.clock, self.plan = ManualClock(seconds(text)), plan
        self.timekeeper = Timekeeper(self.clock)
        self.start()
        if sure:
            assert self.timekeeper.keeper_says(self.clock.now())

    def start(self):
        self.watch = NightWatch(lambda: self.plan, PARIS, self.timekeeper)

    def go_to(self, text):
        self.clock.advance(seconds(text) - self.clock.now())

    def resting(self):
        return {part for part in RestPart if self.watch.rests(part)}


def test_all_rest_from_when_to_when_it_is_planned():
    night = Night("2026-11-30 20:00", ALL)
    night.go_to("2026-11-30 21:59")
    assert night.resting() == set()
    night.go_to("2026-11-30 22:00")
    assert night.resting() == set(RestPart)
    night.go_to("2026-12-01 06:59")
    assert night.resting() == set(RestPart)
    night.go_to("2026-12-01 07:00")
    assert night.resting() == set()


def test_each_rests_by_its_own_plan_and_as_soon_as_that_is_another_one():
    night = Night("2026-11-30 20:00", {RestPart.RADIO: NIGHT, RestPart.WIFI: Rest(60, 300)})
    night.go_to("2026-11-30 23:00")
    assert night.resting() == {RestPart.RADIO}
    night.go_to("2026-12-01 02:00")
    assert night.resting() == {RestPart.RADIO, RestPart.WIFI}
    night.plan = {}
    assert night.resting() == set()


def test_a_start_within_the_rest_stays_awake_for_a_quarter_of_an_hour_by_wifi():
    night = Night("2026-11-30 23:00", ALL)
    assert night.resting() == {RestPart.PORTAL, RestPart.RADIO}
    night.clock.advance(AWAKE_S - 1)
    assert RestPart.WIFI not in night.resting()
    night.clock.advance(1)
    assert night.resting() == set(RestPart)
    night.start()
    assert RestPart.WIFI not in night.resting()


def test_nothing_rests_by_a_clock_that_is_not_sure():
    night = Night("2026-11-30 20:00", ALL, sure=False)
    night.go_to("2026-11-30 23:00")
    assert not night.timekeeper.sure and night.resting() == set()
    night.timekeeper.tell(TimeSource.RADIO, night.clock.now())
    assert night.resting() == set()
    night.timekeeper.keeper_says(night.clock.now())
    assert night.resting() == set(RestPart)


def test_a_keeper_who_sets_the_clock_to_the_day_wakes_the_island():
    night = Night("2026-11-30 20:00", ALL)
    night.go_to("2026-11-30 23:00")
    assert night.timekeeper.keeper_says(seconds("2026-12-01 12:00")) and night.resting() == set()


@pytest.mark.parametrize(("day", "hours"), [("2027-03-27", 8), ("2027-10-30", 10), ("2027-01-15", 9)])
def test_on_the_nights_when_clocks_change_the_island_rests_from_wall_clock_to_wall_clock(day, hours):
    night = Night(f"{day} 18:00", ALL)
    rested = 0
    for _quarter in range(4 * 18):
        night.clock.advance(900)
        wall = datetime.fromtimestamp(night.clock.now(), UTC).astimezone(PARIS)
        assert night.watch.rests(RestPart.RADIO) == (wall.hour >= 22 or wall.hour < 7), wall
        rested += night.watch.rests(RestPart.RADIO)
    assert rested == 4 * hours


def test_a_year_of_weekend_rests_counts_every_one_of_them():
    night = Night("2027-01-01 12:00", {RestPart.RADIO: Rest(23 * 60, 8 * 60, frozenset({4, 5}))})
    rested = 0
    for _hour in range(24 * 365):
        night.clock.advance(3600)
        rested += night.watch.rests(RestPart.RADIO)
    weekends = sum((datetime(2027, 1, 1) + timedelta(day)).weekday() in (4, 5) for day in range(365))
    assert rested == 9 * weekends, "those that clocks change in among them end on Sundays: one hour less, one hour more"


# the air


def test_a_radio_that_rests_lets_go_what_is_urgent_and_nothing_else_until_it_is_over():
    night, governor = Night("2026-11-30 20:00", {RestPart.RADIO: NIGHT}), Governor("EU_868")
    night.go_to("2026-12-01 05:00")
    night.watch.let_rest([governor], night.clock.now())
    now = night.clock.now()
    assert governor.wait_s(1.0, now) == 2 * 3600 and governor.wait_s(1.0, now, crowding=True) == 2 * 3600
    assert governor.wait_s(1.0, now, urgent=True) == 0
    night.go_to("2026-12-01 07:00")
    assert governor.wait_s(1.0, night.clock.now()) == 0
    night.go_to("2026-12-01 23:00")
    night.watch.let_rest([governor], night.clock.now())
    night.plan = {}
    night.watch.let_rest([governor], night.clock.now())
    assert governor.wait_s(1.0, night.clock.now()) == 0


def urgent_bulletin(number):
    record = Record(Kind.BULLETIN, KEY.key_id, minute_of(START), life=24, urgent=True, packed=b"u%d" % number)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def test_at_night_what_is_urgent_goes_from_island_to_island_and_the_rest_in_the_morning():
    world = Archipelago(7, [(0, 1), (1, 2)])
    world.start()
    world.run(1800)
    for member in world.members.values():
        member.engine.channel.governor.rest(8 * 3600.0, world.now)
    calm, urgent = bulletin(1), urgent_bulletin(1)
    world.post(0, calm)
    world.sends.clear()
    world.run(3600)
    assert not world.sends and not world.members[1].ids, "nothing was sent at all"
    world.post(0, urgent)
    world.run(3600)
    assert world.members[1].ids == world.members[2].ids == ids_of([urgent])
    sent_at_night = sum(world.sends.values())
    assert 0 < sent_at_night < 20
    world.run(6 * 3600.0)
    assert world.run(3600, until_equal=True)
    assert world.members[2].ids == ids_of([calm, urgent]) and sum(world.sends.values()) > sent_at_night
