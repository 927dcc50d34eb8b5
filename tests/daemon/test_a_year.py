"""A box alone for a year: no internet, no radio, nobody who looks after it, its power cut once a month.

The real island runs in virtual time: posts, expiry, archive, erasing, clock. What a keeper would see is printed each month
(`pytest -s tests/daemon/test_a_year.py`).
"""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.concerns import concerns_in
from node.board.status import as_json
from node.daemon.app import App
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import ArchiveSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import RELEASED_AT, minute_of
from node.model.record import Kind
from tests.effort import EFFORT

pytestmark = pytest.mark.once

DAY_S = 86_400.0
STEP_S = DAY_S if EFFORT == 1 else DAY_S / 4  # between two rounds of what is done now and then
POSTS_A_DAY, LIFE_DAYS, KEEP_DAYS, DAYS = 3, 14, 180, 365
MONTH_DAYS = 30
LIVE = POSTS_A_DAY * (LIFE_DAYS + 3)  # what ended is moved a day of running later


class BoxClock:
    """A Pi's: at each start it says what the image says, and monotonic time begins anew."""

    rate = 1.0

    def __init__(self):
        self.up_s = 60.0

    def now(self):
        return RELEASED_AT + self.up_s

    def monotonic(self):
        return self.up_s


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Settings of an island alone, whose clock nobody sets but its keeper, once."""
    monkeypatch.setattr("node.daemon.app.system_is_synchronised", lambda: False)
    monkeypatch.setattr("node.daemon.app.has_battery_clock", lambda now: False)
    KeyFolder(tmp_path).found("Belleville", "Belleville")
    base = Settings(NodeSettings("Belleville", tmp_path), PortalSettings(), RadioSettings(connect="none"))
    return replace(base, lan=replace(base.lan, discover=False), archive=ArchiveSettings(KEEP_DAYS))


@contextmanager
def started(settings):
    """An island whose maintenance is done by hand, and its clock."""
    clock = BoxClock()
    island = App(settings, clock)
    try:
        island.open()
        island.maintenance.close()
        yield island, clock
    finally:
        island.close()


def let_pass(island, clock, seconds):
    """Time passes, and everything that is done now and then is done."""
    clock.up_s += seconds
    island.runner.call(lambda: None)
    for task in island.maintenance._tasks:
        task()
    while island.maintenance.has_more:
        island.maintenance.index()
    island.runner.call(lambda: island.reporter.refresh(island.timekeeper.now()))


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def seen(island, folder):
    """What a keeper would see."""
    told = as_json(island.board.status())
    return {"records": told["records"], "archived": told["archive"]["records"], "kB": size_of(folder) // 1000,
            "files": sum(path.is_file() for path in folder.rglob("*")), "store": told["store"]["reason"],
            "archive": told["archive"]["reason"], "concerns": [one.slug for one in concerns_in(told)],
            "pressing": [str(one.what) for one in concerns_in(told) if one.presses], "notices": list(told["notices"])}


@pytest.mark.parametrize("clock_set", ["never", "once"][:EFFORT])  # more of them with more effort
def test_a_year_alone_fills_nothing_ends_nothing_and_what_there_is_to_see_to_is_told(alone, tmp_path, clock_set):
    months, day = [], 0
    while day < DAYS:
        with started(alone) as (island, clock):
            if day == 0 and clock_set == "once":
                assert island.board.set_clock(minute_of(RELEASED_AT + DAY_S), "nadia")
            for _ in range(min(MONTH_DAYS, DAYS - day)):
                for number in range(POSTS_A_DAY):
                    text = f"Avis {number} du jour {day % MONTH_DAYS}: soupe à 19 h"
                    island.board.post(Draft(Kind.BULLETIN, text=text, life_days=LIFE_DAYS))
                for _ in range(int(DAY_S / STEP_S)):
                    let_pass(island, clock, STEP_S)
                day += 1
            months.append(seen(island, tmp_path))
            print(f"month {len(months)}: {json.dumps(months[-1], ensure_ascii=False)}")
            assert f"du jour {(day - 1) % MONTH_DAYS}:" in island.board.bulletins().items[0].text
            assert abs(island.timekeeper.now() - (RELEASED_AT + DAY_S * day)) < 2 * DAY_S
    assert len(months) == 13
    assert all(month["records"] <= LIVE and month["archived"] <= POSTS_A_DAY * (KEEP_DAYS + 3) for month in months), months
    assert max(month["kB"] for month in months) < 2_000 and max(month["files"] for month in months) < 20
    assert min(month["archived"] for month in months[8:]) > 400  # what ended leaves the journal, and the archive forgets it
    assert not any(month["pressing"] for month in months)
    assert all(month["concerns"] == ["clock-untold", "backup-old"] for month in months[1:])
    assert all(month["store"] == month["archive"] == "" for month in months)
