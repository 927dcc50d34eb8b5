"""What was withdrawn is gone from an island's folder, whatever power cuts come between, and every island that held it."""

import json
import random
import signal
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest

from node.daemon.erasing import ERASE_AFTER_S, RETRY_S
from node.daemon.keyfiles import KeyFolder
from node.daemon.maintenance import Maintenance
from node.model.record import decode, record_id
from node.store.index import Row, StoreFailed
from node.sync.events import RecordPosted
from tests.daemon.test_maintenance import hours, on_the_card
from tests.effort import EFFORT
from tests.sim.village import NOW

ROOT = Path(__file__).parents[2]


def started(folder, seed, *how):
    command = [sys.executable, "-m", "tests.daemon.withdrawer", folder, str(seed), *how]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)


def kill_while_it_withdraws(folder, seed, chance):
    """What it said was withdrawn."""
    with started(folder, seed) as running:
        assert running.stdout.readline() == b"ready\n"
        said = [running.stdout.readline() for _ in range(chance.randrange(1, 25))]
        time.sleep(chance.uniform(0, 0.3))  # what it does at that moment is chance; that it did something is not
        running.send_signal(signal.SIGKILL)
        said += running.stdout.read().splitlines(keepends=True)
    return [json.loads(line) for line in said if line.endswith(b"}\n")]


def traces_in(folder, withdrawn):
    """(file, what) of every octet string found that was withdrawn: raw, in base64, its packed text, its words."""
    found = []
    for path in folder.rglob("*"):
        image = path.read_bytes() if path.is_file() else b""
        for one in withdrawn:
            raw = bytes.fromhex(one["raw"])
            shapes = {"raw": raw, "base64": b64encode(raw), "hex": raw.hex().encode(), "packed": decode(raw).packed,
                      "word": one["word"].encode()}
            found += [(path.name, name, one["word"]) for name, shape in shapes.items() if shape in image]
    return found


@pytest.mark.once
@pytest.mark.process
@pytest.mark.parametrize("seed", range(EFFORT))
def test_a_real_island_killed_while_people_withdraw_erases_it_after_the_next_start(tmp_path, seed):
    folder, chance, withdrawn = tmp_path / "a", random.Random(seed), []
    KeyFolder(folder).found("Belleville", "a")
    left = 0
    for number in range(3):
        withdrawn += kill_while_it_withdraws(folder, 10 * seed + number, chance)
        left += bool(traces_in(folder, withdrawn))
    assert withdrawn and left, "a kill leaves something to erase"
    with started(folder, 0, "settle") as running:
        assert running.stdout.readline() == b"ready\n" and running.stdout.readline() == b"erased\n"
        while_it_runs = traces_in(folder, withdrawn)
        running.communicate(b"\n")
    assert while_it_runs == [] and traces_in(folder, withdrawn) == []


@pytest.fixture
def kept(island):
    """Its maintenance, which has just found that nothing is to be erased."""
    maintenance = Maintenance(island)
    maintenance.erasure.look()
    assert maintenance.erasure.owed_s is None
    return maintenance


def withdraw(island, maintenance, **post):
    """Something that was posted, could be found, and is withdrawn."""
    raw = island.village.bulletin(text="rendezvous confidentiel", **post)
    island.replica.handle(RecordPosted(raw), island.timekeeper.now())
    maintenance.index()
    assert island.archive.search("confidentiel")[0] == [record_id(raw)]
    island.replica.handle(RecordPosted(island.village.retraction(record_id(raw), life=100)), island.timekeeper.now())
    return raw


def run(island, maintenance, seconds):
    """Let the island run so long, with a round of maintenance each minute."""
    for _ in range(int(seconds // 60)):
        island.timekeeper.running += 60
        maintenance.erasure.look()


@pytest.mark.parametrize("floor", [None, 0.0])
def test_it_is_erased_within_an_hour_and_said_until_then_whatever_the_clock_is_worth(island, kept, floor):
    island.timekeeper.floor_stays = floor
    raw = withdraw(island, kept)
    run(island, kept, 600)
    assert 500 < kept.erasure.owed_s <= 600 and on_the_card(island.folder, raw, b"confidentiel")
    run(island, kept, ERASE_AFTER_S - 300)
    assert kept.erasure.owed_s is None and on_the_card(island.folder, raw, b"confidentiel") == []
    assert ERASE_AFTER_S <= 2400, "an hour is promised, and a round of maintenance may take long"


def test_after_a_start_it_is_erased_at_once(island, kept):
    raw = withdraw(island, kept)
    again = Maintenance(island)
    assert again.erasure.owed_s is not None, "nobody knows yet"
    again.erasure.look()
    assert again.erasure.owed_s is None and on_the_card(island.folder, raw, b"confidentiel") == []


@pytest.mark.parametrize(("part", "step"), [("store", "erase"), ("replica", "delete_strays")])
def test_what_could_not_be_erased_is_owed_and_tried_again(island, kept, monkeypatch, part, step):
    raw = withdraw(island, kept)
    monkeypatch.setattr(getattr(island, part), step, lambda: (_ for _ in ()).throw(StoreFailed("full")))
    run(island, kept, 7200)
    assert 7000 < kept.erasure.owed_s <= 7200
    assert "archive.sqlite" not in on_the_card(island.folder, raw, b"confidentiel"), "one that fails stops no other"
    monkeypatch.undo()
    run(island, kept, 600)
    assert kept.erasure.owed_s is None and on_the_card(island.folder, raw, b"confidentiel") == []


def test_a_broken_archive_keeps_no_journal_from_being_erased(island, kept):
    raw = withdraw(island, kept)
    compact, island.archive.compact = island.archive.compact, lambda: (_ for _ in ()).throw(ValueError("as planned"))
    run(island, kept, 3600)
    assert "records.journal" not in on_the_card(island.folder, raw, b"confidentiel") and kept.erasure.owed_s
    island.archive.compact = compact
    run(island, kept, 600)
    assert kept.erasure.owed_s is None and on_the_card(island.folder, raw, b"confidentiel") == []


def test_an_island_that_was_off_erases_what_it_had_archived_meanwhile(island, kept):
    post = island.village.bulletin(text="rendezvous confidentiel", life=1)
    better = island.village.bulletin(text="rendezvous clandestin", minute=1, life=1, target=record_id(post)[:8])
    other = island.village.bulletin(text="soupe", life=1)
    for raw in (post, better, other):
        island.replica.handle(RecordPosted(raw), NOW)
    island.board.reader.words_of = lambda raw: decode(raw).packed.decode()
    hours(island, kept, 50)
    assert len(island.archive) == 2 and island.archive.search("clandestin")[0]
    island.archive.keep([Row.of(decode(post), post, 0)], {record_id(post): "confidentiel"})  # it had the first one, too
    island.replica.handle(RecordPosted(island.village.retraction(record_id(post), life=100)), island.timekeeper.now())
    run(island, kept, 3600)
    assert kept.erasure.owed_s is None and [row.raw for row in island.archive.rows()] == [other]
    for raw, word in ((post, b"confidentiel"), (better, b"clandestin")):
        assert on_the_card(island.folder, raw, word) == []
    assert island.archive.search("soupe")[0] == [record_id(other)]


def test_somebody_elses_retraction_takes_nothing_from_the_archive(island, kept):
    post = island.village.bulletin(life=1)
    island.replica.handle_all([RecordPosted(post), RecordPosted(island.village.vouch("founder", "ana"))], NOW)
    hours(island, kept, 50)
    claim = island.village.retraction(record_id(post), "ana", life=100)
    island.replica.handle(RecordPosted(claim), island.timekeeper.now())
    run(island, kept, 3600)
    assert island.archive.get(record_id(post)).raw == post


def test_a_retraction_that_somebody_wrote_to_the_card_takes_nothing_from_the_archive(island, kept):
    post = island.village.bulletin(life=1)
    island.replica.handle(RecordPosted(post), NOW)
    hours(island, kept, 50)
    good = island.village.retraction(record_id(post), life=100)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    island.liveset.load([forged], island.timekeeper.now())
    run(island, kept, 3600)
    assert island.archive.get(record_id(post)).raw == post


def test_an_edit_code_that_a_crash_left_goes_and_one_whose_post_is_on_its_way_stays(island, kept):
    left, fresh = b"left----", b"fresh---"
    codes = {left}
    island.board.stray_codes = lambda: set(codes)
    again = Maintenance(island)
    again.erasure.look()
    codes.add(fresh)
    assert island.forgotten == [] and again.erasure.owed_s is not None
    run(island, again, RETRY_S)
    assert island.forgotten == [left]
    codes.clear()  # the post of the other one is there now
    run(island, again, 600)
    assert island.forgotten == [left] and again.erasure.owed_s is None


def test_nothing_is_written_anew_while_nothing_is_owed(island, kept):
    island.replica.handle(RecordPosted(island.village.bulletin()), NOW)
    island.store.set_note("clock", 1)
    before = {path.name: path.stat().st_ino for path in island.folder.iterdir()}
    run(island, kept, 7200)
    assert kept.erasure.owed_s is None
    assert before == {path.name: path.stat().st_ino for path in island.folder.iterdir()}
