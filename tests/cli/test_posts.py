"""What is typed about posts: found, shown, hidden, withdrawn; and meeting the other islands without waiting."""

import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from node.cli.options import post_id
from node.daemon.keyfiles import KeyFolder
from tests.cli.islands import archipel, running, write_config
from tests.daemon.test_usb import plugged
from tests.waiting import until

pytestmark = pytest.mark.once


@pytest.fixture
def island(tmp_path):
    """A real `archipel run`; its settings file."""
    (tmp_path / "a").mkdir()
    with running(write_config(tmp_path / "a", "Place des Fêtes")) as settings:
        yield settings


def told(*arguments):
    """What a command says to programs."""
    code, output = archipel(*arguments, "--json")
    assert code == 0, output
    return json.loads(output)


def in_days(days):
    """A day to come."""
    return f"{datetime.now() + timedelta(days=days):%Y-%m-%d}"


def posted(island, text, *more):
    return told("post", text, "--config", island, *more)["id"]


def test_a_post_is_found_by_its_words_and_shown_whole(island):
    here = "--config", island
    soup = posted(island, "Soupe populaire\nApportez vos bols", "--days", "3")
    day = in_days(24)
    party = posted(island, "Avec la fanfare", "--title", "Fête du canal", "--start", f"{day} 18:00", "--place", "Le quai")
    until(lambda: archipel("search", "bols", *here)[1].startswith(soup[:8]))
    found, = told("search", "populaire", "apport", *here)
    assert found["text"] == "Soupe populaire\nApportez vos bols" and found["here"] and not found["past"]
    assert found["created"].endswith("Z") and found["expires"] > found["created"]
    assert archipel("search", "rien de tel", *here)[1] == "Nothing found.\n" and told("search", "zzz", *here) == []
    for typed in (party, party[:8], f"http://archipel.lan/r/{party}", f"/r/{party[:16]}?from=3#x", party.upper()):
        code, output = archipel("show", typed, *here)
        assert code == 0 and "Fête du canal" in output and "Le quai" in output and "Avec la fanfare" in output
        assert ", 18:00  Fête du canal" in output and "by Place des Fêtes" in output
    assert told("show", party, *here)["start"].startswith(day[:8])
    assert "there is no post" in archipel("show", "0" * 16, *here)[1]
    assert "is no post" in archipel("show", "bonjour", *here)[1]


def test_hours_are_the_islands_and_not_the_machines(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    (tmp_path / "a").mkdir()
    day = datetime.now(ZoneInfo("Europe/Paris")) + timedelta(days=24)
    try:
        with running(write_config(tmp_path / "a", "Place des Fêtes")) as island:
            here = "--config", island
            party = posted(island, "", "--title", "Fête", "--start", f"{day:%d/%m} 19h", "--end", "1h30")
            fair = posted(island, "", "--title", "Foire", "--start", f"{day:%d/%m}", "--whole-day")
            start = day.replace(hour=19, minute=0).astimezone(UTC)
            assert told("show", party, *here)["start"] == f"{start:%Y-%m-%dT%H:%M}Z"
            assert told("show", fair, *here)["whole_days"]
            listed = archipel("list", *here)[1]
            assert ", 19:00 – 01:30  Fête" in listed and ", all day  Foire" in listed
            code, output = archipel("post", "", "--title", "Fête", "--start", "31/2 19h", *here)
            assert code == 1 and "cannot be read" in output
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_found_is_given_in_parts_up_to_the_limit(island):
    for number in range(7):
        posted(island, f"Annonce numéro {number}")
    here = "--config", island
    until(lambda: len(told("search", "annonce", *here)) == 7)
    assert len(told("search", "annonce", "--limit", "3", *here)) == 3 == len(told("list", "--limit", "3", *here))


def test_a_post_is_hidden_here_and_shown_again_with_its_reason_in_the_log(island):
    here, item_id = ("--config", island), posted(island, "À cacher")
    code, output = archipel("hide", item_id, "--reason", "hors sujet", *here)
    assert code == 0 and "archipel hide" in output and told("list", *here) == []
    assert "no post" in archipel("hide", item_id, *here)[1]
    code, output = archipel("hide", item_id, "--show", *here)
    assert code == 0 and told("list", *here)[0]["id"] == item_id
    assert "no post" in archipel("hide", item_id, "--show", *here)[1]


def test_a_post_of_this_island_is_withdrawn_after_a_second_look_and_may_be_brought_back(island):
    here, item_id = ("--config", island), posted(island, "À retirer")
    code, output = archipel("retract", item_id[:8], *here, typed="n\n")
    assert code == 1 and "Withdraw it everywhere? À retirer" in output and told("list", *here)
    code, output = archipel("retract", item_id[:8], "--reason", "doublon", "--yes", *here)
    assert code == 0 and "in 10 minutes" in output and told("list", *here) == []
    undo = output.split("archipel retract ")[1].split()[0]
    assert archipel("retract", undo, "--undo", *here) == (0, "1 post is back.\n")
    assert told("list", *here)[0]["id"] == item_id
    assert "nothing of that is left" in archipel("retract", item_id, "--undo", *here)[1]


def test_a_board_is_published_as_files_and_a_script_is_told_how_many(island, tmp_path):
    here, folder = ("--config", island), tmp_path / "copy"
    posted(island, "À publier")
    made = told("publish", folder, "--one-language", "--address", "https://exemple.org/tableau/", *here)
    assert (made["folder"], made["unchanged"], made["removed"], made["taken"]) == (str(folder), 0, 0, [])
    assert made["written"] == sum(path.is_file() for path in folder.rglob("*")) - 1, "and the list of what is ours"
    assert 'href="https://exemple.org/tableau/fr/' in (folder / "fr" / "feed.atom").read_text()
    code, output = archipel("publish", folder, "--address", "exemple.org", *here)
    assert code == 1 and "begins with http:// or https://" in output


def test_what_waits_says_so_and_can_be_withdrawn(island):
    here = "--config", island
    code, output = archipel("post", "Plus tard", "--at", f"{in_days(20)} 10:00", *here)
    assert code == 0 and "Waiting as" in output and "shown at its time" in output and "packets" not in output
    item_id = output.split("Waiting as ")[1].split(".")[0]
    assert archipel("retract", item_id, "--yes", *here)[0] == 0
    assert archipel("retract", item_id, "--undo", *here)[0] == 0


def test_what_another_island_signed_can_only_be_hidden_and_what_it_marks_as_urgent_confirmed(island, tmp_path):
    other = tmp_path / "b"
    other.mkdir()
    config, bundle = write_config(other, "Café"), tmp_path / "b.bundle"
    (tmp_path / "invitation").write_text(KeyFolder(island.parent / "data").invite())
    assert archipel("join", tmp_path / "invitation", "--config", config)[0] == 0
    urgent, there = posted(island, "Fuite de gaz", "--urgent"), ("--config", config)
    assert archipel("export", bundle, "--config", island)[0] == 0
    with running(config):
        item_id = posted(config, "Venu du café")
        assert told("import", bundle, *there)[str(bundle)]["new"] == 1
        assert "[not confirmed] Fuite de gaz" in archipel("list", *there)[1]
        assert archipel("confirm", urgent[:8], *there) == (
            0, "This island confirms it: Fuite de gaz\nNot confirmed yet: 1 of 2 islands\n")
        assert "confirmed by: Café" in archipel("show", urgent, *there)[1]
        assert told("confirm", urgent, "--back", *there)["confirmed"] == {"by": [], "needed": 2, "enough": False}
        code, output = archipel("confirm", item_id, *there)
        assert code == 1 and "There is nothing to confirm" in output
        assert archipel("export", bundle, "--config", config)[0] == 0
    here = "--config", island
    assert told("import", bundle, *here)[str(bundle)]["new"] == 2, "its post, and what it took back"
    assert told("import", bundle, *here)[str(bundle)]["new"] == 0
    assert item_id in {one["id"] for one in told("list", *here)}
    code, output = archipel("retract", item_id, "--yes", *here)
    assert code == 1 and "Café signed that post" in output
    assert archipel("hide", item_id, *here)[0] == 0


@pytest.mark.process
def test_two_islands_meet_at_once_and_say_what_came_of_it(island, tmp_path, monkeypatch):
    other = tmp_path / "b"
    other.mkdir()
    config = write_config(other, "Café")
    port = island.read_text().split("127.0.0.1:")[1].split('"')[0]
    config.write_text(config.read_text() + f'[lan]\ndiscover = false\npeers = "127.0.0.1:{port}"\n')
    (tmp_path / "invitation").write_text(KeyFolder(island.parent / "data").invite())
    assert archipel("join", tmp_path / "invitation", "--config", config)[0] == 0
    posted(island, "Bonjour du quartier")
    with plugged(tmp_path, 2048) as stick, running(config):
        (stick / "archipel").mkdir()
        monkeypatch.setattr("node.cli.sync_now.sticks", lambda: [stick])
        made = told("sync", "--wait", "60", "--config", config)
        assert made["lan"][0]["up"] and not made["busy"] and not made["sticks"][str(stick)]["problem"]
        assert list(stick.rglob("*.bundle"))
        assert "Bonjour du quartier" in archipel("list", "--config", config)[1]
        code, output = archipel("sync", "--wait", "60", "--config", config)
        assert code == 0 and "on this network: 0 new here" in output and "USB stick: done" in output


@pytest.mark.parametrize(("typed", "id_"), [
    ("0123abcd", "0123abcd"), ("http://archipel.lan/r/0123ABCD/edit", "0123abcd"), (" 0123abcd\n", "0123abcd"),
])
def test_a_post_is_named_by_its_digits_or_its_address(typed, id_):
    assert post_id(typed) == id_
