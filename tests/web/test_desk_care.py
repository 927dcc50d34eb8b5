"""Keepers care for their box on pages: its state, backups, the doctor's checks, starting again, updates, its end."""

import html
import io
import json
import re
import threading
from dataclasses import replace

import pytest

from node.board.care import BackupStage, CareAct, LastBackup
from node.board.status import MachineStatus
from node.daemon import care as real_care
from node.daemon.keyfiles import KeyFolder
from node.daemon.orders import WORDS
from node.daemon.restoring import restored
from node.store import sealed
from tests.sim.portals import PASSWORD, Neighbourhood, portal_settings, words
from tests.waiting import until
from web import create_app
from web.pages import MAX_PAGE_BYTES

LANGUAGES = ("fr", "en", "es", "ar")
SECRET = "la soupe du canal fume"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """A passphrase that is quick to try."""
    monkeypatch.setattr(sealed, "LOG_N", 4)


@pytest.fixture
def place(tmp_path):
    made = Neighbourhood(tmp_path).on_a_box()
    yield made
    made.archive.close()


@pytest.fixture
def box(place):
    """The same on the SD image, whose box takes every order."""
    return place.on_a_box(*WORDS)


class Desk:
    """A keeper who is signed in."""

    def __init__(self, place):
        self.client = create_app(place.board, portal_settings()).test_client()
        assert self.client.post("/keeper/login", data={"name": "lea", "password": PASSWORD}).status_code == 303
        self.csrf = re.search(r'name="csrf" value="([^"]*)"', self.client.get("/keeper").get_data(as_text=True))[1]

    def get(self, path, lang="en"):
        answer = self.client.get(path, query_string={"lang": lang})
        assert len(answer.get_data()) < MAX_PAGE_BYTES, path
        return answer

    def says(self, path, lang="en"):
        return words(self.get(path, lang))

    def post(self, path, **typed):
        return self.client.post(f"{path}?lang=en", data={"csrf": self.csrf, "password": PASSWORD, **typed})


@pytest.fixture
def desk(place):
    return Desk(place)


@pytest.fixture
def box_desk(box):
    return Desk(box)


def ordered(place):
    folder = place.data / "orders"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*"))] if folder.exists() else []


def acts(place):
    return [(entry.keeper, entry.action, entry.why) for entry in place.board.audit_log()]


def made_backup(place, desk):
    """The state of a backup that the page made."""
    assert desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET, why="avant les vacances").status_code == 303
    until(lambda: place.board.care.backup().stage is not BackupStage.MAKING)
    state = place.board.care.backup()
    assert state.stage is BackupStage.READY, state
    return state


# who may


@pytest.mark.parametrize("path", ["", "/backup", "/checkup", "/do/wipe", "/code", "/backup/ab/archipel.backup"])
def test_nobody_but_a_keeper_sees_or_does_anything(box, path):
    client = create_app(box.board, portal_settings()).test_client()
    address = f"/keeper/care{path}"
    assert "Password" in client.get(address, query_string={"lang": "en"}).get_data(as_text=True)
    client.post(address, data={"name": "Île du canal", "passphrase": SECRET, "again": SECRET})
    assert not ordered(box) and not acts(box) and box.board.care.backup().stage is BackupStage.NONE
    desk = Desk(box)
    desk.csrf = "another"
    assert desk.post("/keeper/care/do/wipe", name="Île du canal").status_code == 400 and not ordered(box)


@pytest.mark.parametrize("path", ["", "/backup", "/checkup", "/do/wipe", "/do/update", "/do/restart-box", "/code"])
@pytest.mark.parametrize("here", [True, False])
def test_each_page_is_small_and_kept_nowhere(place, here, path):
    if here:
        place.on_a_box(*WORDS)
    place.machine = MachineStatus(81.5, True)
    desk = Desk(place)
    for lang in LANGUAGES:
        answer = desk.get(f"/keeper/care{path}", lang)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        assert lang == "en" or "None" not in words(answer)


def test_a_browser_that_was_left_signed_in_takes_nothing_and_ends_nothing_without_the_password(box, box_desk):
    code = KeyFolder(box.data).wipe_code()
    twice = {"passphrase": SECRET, "again": SECRET}
    for path, typed in (("backup", twice), ("do/wipe", {"name": "Île du canal"}), ("code", {})):
        answer = box_desk.post(f"/keeper/care/{path}", **typed, password="mot de passe")
        assert answer.status_code == 403 and "not your password" in words(answer) and code not in words(answer)
    assert not ordered(box) and not acts(box) and box.board.care.backup().stage is BackupStage.NONE
    statuses = [box_desk.post("/keeper/care/code", password=f"essai {number}").status_code for number in range(8)]
    assert statuses[-1] == 429, "guessing is slowed down"


# state


def test_the_state_of_the_box_is_told_and_what_is_not_measured_is_left_out(place, desk):
    told = desk.says("/keeper/care")
    assert "free" in told and "Version of Archipel" in told and "Clock: 1 December 2025, 10:00, from: a radio" in told
    assert "°C" not in told and "Power" not in told and "unknown" not in told.lower()
    place.machine = MachineStatus(48.3, False)
    told = desk.says("/keeper/care")
    assert "48.3 °C" in told and "strong enough" in told
    place.machine = MachineStatus(None, True)
    place.host = replace(place.host, machine=place.machine, card_errors=3)
    told = desk.says("/keeper/care")
    assert "too weak" in told and "°C" not in told and "Errors of the memory card: 3" in told
    assert "the power supply of the box is too weak" in desk.says("/keeper")


@pytest.mark.parametrize(("size", "said"), [(0, "0 kB"), (999, "1 kB"), (1_500, "1.5 kB"), (2_300_000, "2.3 MB"),
                                            (14_000_000_000, "14 GB")])
def test_sizes_are_said_as_people_do(desk, size, said):
    from web.desk_care import octets

    with desk.client.application.test_request_context("/?lang=en"):
        desk.client.application.preprocess_request()
        assert octets(size) == said


def test_outside_the_image_the_pages_say_what_cannot_be_done_here(place, desk):
    told = desk.says("/keeper/care")
    assert told.count("Not from here") == 2 and "Destroy this island" not in told
    for act in CareAct:
        assert "Not from here" in desk.says(f"/keeper/care/do/{act}")
        answer = desk.post(f"/keeper/care/do/{act}", name="Île du canal")
        assert answer.status_code == 422 and "only be ordered from here on the SD image" in words(answer)
    assert "cannot be erased by a stick" in desk.says("/keeper/care/code")
    assert not acts(place)


# backups


def test_a_backup_is_made_downloaded_and_makes_an_island_again(place, desk, tmp_path):
    assert "None was ever taken away" in desk.says("/keeper/care/backup")
    state = made_backup(place, desk)
    page = desk.get("/keeper/care/backup").get_data(as_text=True)
    address = html.unescape(re.search(r'href="(/keeper/care/backup/[^"?]*)', page)[1])
    assert acts(place) == [("lea", "backup", "avant les vacances")] and place.board.notes.state.backup is None
    answer = desk.client.get(address)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={state.name}"
    assert re.fullmatch(r"archipel-ile-du-canal-2025-12-\d\d\.backup", state.name)
    assert answer.content_length == state.size_bytes == len(answer.data)
    assert "taken away on 1 December 2025" in desk.says("/keeper/care")
    assert place.board.notes.state.backup == LastBackup(place.board.now(), state.size_bytes, "download")
    restored(io.BytesIO(answer.data), tmp_path / "new", SECRET)
    assert KeyFolder(tmp_path / "new").island_key().public == KeyFolder(place.data).island_key().public
    place.restart_board()
    assert place.board.notes.state.backup is not None


def test_who_only_asks_how_large_it_is_or_breaks_off_has_taken_nothing_away(place, desk):
    state = made_backup(place, desk)
    address = f"/keeper/care/backup/{state.label}/{state.name}"
    assert desk.client.head(address).content_length == state.size_bytes
    broken = desk.client.get(address, buffered=False)
    next(iter(broken.response))
    broken.close()
    assert place.board.notes.state.backup is None
    assert len(desk.client.get(address).data) == state.size_bytes and place.board.notes.state.backup


def test_one_at_a_time_takes_it_away_and_one_that_stalls_does_not_hold_it_for_ever(place, desk, monkeypatch):
    monkeypatch.setattr(real_care, "BLOCK_BYTES", 100)
    state = made_backup(place, desk)
    address = f"/keeper/care/backup/{state.label}/{state.name}"
    first = place.board.care.take_backup(state.label, "lea")
    next(first.blocks)
    answer = desk.client.get(address, query_string={"lang": "en"})
    assert answer.status_code == 409 and "taking this backup away just now" in words(answer)
    assert desk.post("/keeper/care/backup/drop").status_code == 303 and place.board.care.backup().label
    place.clock.advance(real_care.STALLED_S)
    assert desk.client.get(address).status_code == 200


def test_a_passphrase_that_is_guessed_or_mistyped_makes_no_backup(place, desk):
    differ = desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET + "x")
    weak = desk.post("/keeper/care/backup", passphrase="archipel2025", again="archipel2025")
    assert differ.status_code == weak.status_code == 422 and "differ" in words(differ)
    assert place.board.care.backup().stage is BackupStage.NONE and not acts(place)
    assert SECRET not in weak.get_data(as_text=True)


def test_a_backup_that_nobody_takes_away_goes_after_an_hour_and_at_the_next_start(place, desk):
    state = made_backup(place, desk)
    place.clock.advance(3_599)
    assert place.board.care.backup().label
    place.clock.advance(2)
    assert place.board.care.backup().stage is BackupStage.NONE and not (place.data / "backup").exists()
    assert desk.get(f"/keeper/care/backup/{state.label}/{state.name}").status_code == 404
    state = made_backup(place, desk)
    place.restart_board()
    assert not (place.data / "backup").exists()
    assert Desk(place).get(f"/keeper/care/backup/{state.label}/{state.name}").status_code == 404


@pytest.mark.parametrize("path", ["x/{name}", "{label}/x", "{label}/..%2f..%2fkeys%2fisland.key", "/{name}"])
def test_only_the_backup_itself_is_handed_over(place, desk, path):
    state = made_backup(place, desk)
    assert desk.client.get("/keeper/care/backup/" + path.format(label=state.label, name=state.name)).status_code == 404


def test_a_card_without_room_or_that_fails_is_told(place, desk, monkeypatch):
    monkeypatch.setattr(real_care, "ROOM_BYTES", 1 << 60)
    answer = desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET)
    assert answer.status_code == 422 and "not enough room" in words(answer)
    monkeypatch.setattr(real_care, "ROOM_BYTES", 0)
    (place.data / "backup").write_text("in the way")
    assert desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET).status_code == 303
    until(lambda: place.board.care.backup().stage is BackupStage.FAILED)
    assert "could not be made" in desk.says("/keeper/care/backup")
    (place.data / "backup").unlink()
    made_backup(place, desk)


def test_a_backup_that_reads_back_damaged_is_thrown_away(place, desk, monkeypatch):
    written = sealed.FileSeal.write

    def damaged(self, stream, parts):
        written(self, stream, parts)
        stream.seek(-3, io.SEEK_END)
        stream.write(b"?")

    monkeypatch.setattr(sealed.FileSeal, "write", damaged)
    desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET)
    until(lambda: place.board.care.backup().stage is BackupStage.FAILED)
    assert "damaged on its way" in desk.says("/keeper/care/backup") and not (place.data / "backup").exists()


def test_while_one_is_made_the_page_says_so_and_no_other_begins(place, desk, monkeypatch):
    go, written = threading.Event(), sealed.FileSeal.write

    def slow(self, stream, parts):
        go.wait(60)
        written(self, stream, parts)

    monkeypatch.setattr(sealed.FileSeal, "write", slow)
    desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET)
    try:
        page = desk.get("/keeper/care/backup")
        assert "being made" in words(page) and 'http-equiv="refresh"' in page.get_data(as_text=True)
        assert desk.post("/keeper/care/backup", passphrase=SECRET, again=SECRET).status_code == 422
    finally:
        go.set()
    until(lambda: place.board.care.backup().stage is BackupStage.READY)


def test_a_backup_is_missed_on_the_desk_after_thirty_days_and_not_told_to_visitors(place, desk):
    place.board.backed_up(10, "download", "lea")
    place.pass_days(29)
    assert "last backup" not in desk.says("/keeper")
    place.pass_days(1)
    desk = Desk(place)
    assert "the last backup of this island is of 2025-12-" in desk.says("/keeper")
    visitor = create_app(place.board, portal_settings()).test_client()
    for path in ("/radio", "/radio.csv", "/"):
        assert "backup" not in visitor.get(path, query_string={"lang": "en"}).get_data(as_text=True)


# the stick


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    """A stick in the box."""
    (tmp_path / "stick").touch()
    monkeypatch.setenv(real_care.STICK_VARIABLE, str(tmp_path / "stick"))


def test_the_box_puts_a_backup_on_the_stick_and_the_page_tells_when_it_is_there(box, box_desk, plugged):
    state = made_backup(box, box_desk)
    assert "Put it on the stick" in box_desk.says("/keeper/care/backup")
    assert box_desk.post("/keeper/care/backup/stick").status_code == 303
    assert ordered(box) == [{"do": "backup"}] and "Leave the stick in" in box_desk.says("/keeper/care/backup")
    (box.data / "backup/carried").touch()
    assert "You can take the stick out" in box_desk.says("/keeper/care/backup")
    assert box.board.notes.state.backup == LastBackup(box.board.now(), state.size_bytes, "stick")


@pytest.mark.parametrize("told", [True, False])
def test_a_stick_that_does_not_take_it_is_told_and_the_backup_can_still_be_downloaded(box, box_desk, plugged, told):
    state = made_backup(box, box_desk)
    box_desk.post("/keeper/care/backup/stick")
    if told:
        (box.data / "backup/not-carried").touch()
    else:
        box.clock.advance(real_care.CARRY_S)
    assert "The stick did not take the backup" in box_desk.says("/keeper/care/backup")
    assert box.board.notes.state.backup is None
    assert box_desk.client.get(f"/keeper/care/backup/{state.label}/{state.name}").status_code == 200


def test_without_a_stick_or_a_box_that_obeys_none_is_offered(place, box, box_desk):
    made_backup(box, box_desk)
    assert "Put it on the stick" not in box_desk.says("/keeper/care/backup")
    answer = box_desk.post("/keeper/care/backup/stick")
    assert answer.status_code == 422 and "no stick in the box" in words(answer) and not ordered(box)


# checks


def test_the_doctor_looks_in_the_background_and_each_finding_has_its_remedy(place, desk):
    assert "Nobody has looked" in desk.says("/keeper/care/checkup")
    assert desk.post("/keeper/care/checkup").status_code == 303
    until(lambda: not place.board.care.checkup().working)
    told = desk.says("/keeper/care/checkup")
    assert "can be written" in told and "the island runs" in told and "no radio is wanted" in told
    place.host = replace(place.host, card_errors=2)
    place.board.care.examine()
    until(lambda: not place.board.care.checkup().working)
    told = desk.says("/keeper/care/checkup")
    assert "failed 2 times" in told and "What to do: take a copy of the board" in told


def test_a_check_that_hangs_is_not_waited_for_and_no_other_begins_beside_it(place, desk, monkeypatch):
    go, began = threading.Event(), []

    def hanging(settings, status):
        began.append(1)
        yield from ()
        go.wait(60)

    monkeypatch.setattr(real_care, "CHECK_S", 0.05)
    monkeypatch.setattr(real_care, "examine", hanging)
    try:
        desk.post("/keeper/care/checkup")
        until(lambda: not place.board.care.checkup().working)
        assert "Not all of it ended in time" in desk.says("/keeper/care/checkup")
        desk.post("/keeper/care/checkup")
        assert len(began) == 1
    finally:
        go.set()


# orders


@pytest.mark.parametrize(("act", "order"), [
    ("restart-island", {"do": "restart", "what": "island"}), ("restart-box", {"do": "restart", "what": "box"}),
    ("update", {"do": "update"})])
def test_a_keeper_orders_the_box_after_a_second_look_and_the_others_see_who_and_why(box, box_desk, act, order):
    assert "Why, for the other keepers" in box_desk.says(f"/keeper/care/do/{act}") and not ordered(box)
    assert box_desk.post(f"/keeper/care/do/{act}", why="la page est lente").status_code == 200
    assert ordered(box) == [order] and acts(box) == [("lea", act, "la page est lente")]


@pytest.mark.parametrize("typed", ["", "oui", "Île du", "Ile"])
def test_to_destroy_the_island_its_name_must_be_typed(box, box_desk, typed):
    answer = box_desk.post("/keeper/care/do/wipe", name=typed, why="saisie du local")
    assert answer.status_code == 422 and "not the name" in words(answer) and not ordered(box) and not acts(box)
    assert 'value="saisie du local"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("typed", ["Île du canal", "  île  du Canal ", "I\u0302le du canal"])
def test_a_keeper_who_types_the_name_ends_the_island(box, box_desk, typed):
    assert "Nothing brings it back" in box_desk.says("/keeper/care/do/wipe")
    assert box_desk.post("/keeper/care/do/wipe", name=typed).status_code == 200
    assert ordered(box) == [{"do": "wipe"}] and acts(box) == [("lea", "wipe", "")]


def test_an_act_that_does_not_exist_is_a_page_that_does_not_exist(box, box_desk):
    assert box_desk.get("/keeper/care/do/format").status_code == box_desk.post("/keeper/care/do/format").status_code == 404


def test_a_card_that_takes_no_order_is_told(box, box_desk):
    (box.data / "orders").write_text("in the way")
    answer = box_desk.post("/keeper/care/do/restart-box")
    assert answer.status_code == 422 and "does not take the order" in words(answer)


def test_the_wipe_code_is_shown_to_keepers_and_is_that_of_the_sheet(box, box_desk):
    code = KeyFolder(box.data).wipe_code()
    assert code in words(box_desk.post("/keeper/care/code")) and box.board.care.wipe_code() == code
    assert code not in box_desk.get("/keeper/care/code").get_data(as_text=True)
    assert code not in box_desk.get("/keeper/care").get_data(as_text=True)


def test_what_updates_did_and_what_the_stick_held_is_told(box, box_desk, tmp_path, monkeypatch):
    app = tmp_path / "app"
    app.mkdir()
    (app / "seen").write_text("0.9.1")
    (app / "trial").write_text("0.9.1 \n")
    (app / "notices").write_text(json.dumps({"text": "Version %(version)s of Archipel is installed and works.",
                                             "fields": {"version": "0.9.0"}}) + "\n")
    monkeypatch.setenv(real_care.UPDATES_VARIABLE, str(app))
    told = box_desk.says("/keeper/care")
    assert "holds version 0.9.1" in told and "Version 0.9.0 of Archipel is installed" in told and "on trial" in told


# agendas


CALENDAR = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//x//FR", "X-WR-CALNAME:Agenda du canal", "BEGIN:VEVENT", "UID:1",
    "DTSTAMP:20251201T000000Z", "DTSTART:20251220T180000Z", "DTEND:20251220T200000Z", "SUMMARY:Assemblée", "END:VEVENT",
    "END:VCALENDAR", ""]).encode()


def test_agendas_that_were_taken_over_are_listed_and_one_can_be_forgotten(place, desk):
    assert "No agenda was taken over yet" in desk.says("/keeper/agenda/sources")
    looked = place.board.imports.look(CALENDAR, "canal.ics", "https://agenda.example/canal.ics?secret=1")
    assert place.board.imports.take(looked.id, "ana").size == 1
    page = desk.get("/keeper/agenda/sources")
    told = words(page)
    assert "Agenda du canal" in told and "agenda.example" in told and "taken over last on" in told and "1 event" in told
    address = html.unescape(re.search(r'href="(/keeper/agenda/sources/forget[^"]*)"', page.get_data(as_text=True))[1])
    asked = desk.client.get(address)
    assert "stays on the board" in words(asked)
    name = html.unescape(re.search(r'name="name" value="([^"]*)"', asked.get_data(as_text=True))[1])
    assert desk.post("/keeper/agenda/sources/forget", name=name, why="site fermé").status_code == 303
    assert "No agenda was taken over yet" in desk.says("/keeper/agenda/sources")
    assert acts(place)[0] == ("lea", "source-gone", "site fermé")
    assert len(place.board.events(place.board.now(), place.board.now() + 60 * 1440)) == 1
    before = acts(place)
    assert desk.post("/keeper/agenda/sources/forget", name="another").status_code == 303 and acts(place) == before
    assert desk.client.get("/keeper/agenda/sources/forget?name=another").status_code == 404


def test_the_same_file_again_tells_no_newer_date_unless_it_brings_something(place):
    for hours in (0, 5):
        place.clock.advance(hours * 3_600)
        looked = place.board.imports.look(CALENDAR, "canal.ics")
        place.board.imports.take(looked.id, "ana")
    source, = place.board.notes.state.sources.by_name.values()
    assert source.taken == place.board.now() - 300
