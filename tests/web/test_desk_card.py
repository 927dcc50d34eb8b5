"""Keepers have their box write a card for another one: what is in the reader, choices, a second look, how far it is."""

import json
import os
import re
import stat

import pytest

from node.board import cards
from node.board.cards import CardRefused, CardWish
from node.daemon import card_maker
from node.daemon.card_maker import SILENT_S, TAKEN_S
from node.daemon.card_order import BUNDLE_FILE, CARD_KEYS, TOLD_FILE, WISH_FILE, wish_in
from node.daemon.orders import WORDS
from node.model.record import Right
from tests.sim.portals import HERE, Neighbourhood, portal_settings
from tests.web.test_desk_care import LANGUAGES, Desk, ordered, words
from web import create_app

SEEN = "0123456789abcdef"
READER = {"name": "sda", "seen": SEEN, "title": "SanDisk Ultra", "size": 15_931_539_456,
          "holds": [{"text": "%(system)s, called “%(name)s”.", "fields": {"system": "FAT", "name": "PHOTOS"}},
                    {"text": "%(files)s files.", "fields": {"files": 120}}], "trouble": None}
CHOICE = {"name": "Gare", "language": "fr", "timezone": "Europe/Paris", "country": "France", "wifi": "",
          "wifi_password": "", "keeper": "", "keeper_password": ""}


@pytest.fixture
def box(tmp_path):
    made = Neighbourhood(tmp_path).on_a_box(*WORDS)
    yield made
    made.archive.close()


@pytest.fixture
def desk(box):
    return Desk(box)


def asked(box):
    """What the box is asked, as its program reads it; None for nothing."""
    path = box.data / "asked" / WISH_FILE
    return wish_in(path.read_bytes()) if path.exists() else None


def tell(box, stage, label=None, **facts):
    """What the box's program tells of the wish at hand."""
    (box.data / "told").mkdir(exist_ok=True)
    about = {"label": label or asked(box)["label"], "stage": stage, "at": box.clock.monotonic(), **facts}
    (box.data / "told" / TOLD_FILE).write_text(json.dumps(about))


def looked(box, desk, *readers):
    assert desk.post("/keeper/card/look").status_code == 303
    tell(box, "idle", readers=list(readers or [READER]))


def chosen(desk, **typed):
    """The page of the second look."""
    return desk.post(f"/keeper/card/sda/{SEEN}", **CHOICE | typed)


def label_on(page):
    return re.search(r'name="label" value="([^"]+)"', page.get_data(as_text=True))[1]


def test_nobody_but_a_keeper_sees_readers_or_has_anything_written(box):
    client = create_app(box.board, portal_settings()).test_client()
    for path in ("", "/look", f"/sda/{SEEN}", "/write"):
        assert "SanDisk" not in client.get(f"/keeper/card{path}").get_data(as_text=True)
        client.post(f"/keeper/card{path}", data=CHOICE)
    assert asked(box) is None and not ordered(box)
    desk = Desk(box)
    desk.csrf = "another"
    assert desk.post("/keeper/card/look").status_code == 400 and not ordered(box)


def test_where_no_box_writes_cards_the_page_says_where_it_works(tmp_path):
    place = Neighbourhood(tmp_path).on_a_box("restart")
    desk = Desk(place)
    assert "Here it cannot be done" in desk.says("/keeper/card") and "Raspberry Pi Imager" in desk.says("/keeper/card")
    assert desk.post("/keeper/card/look").status_code == 422 and not ordered(place)
    place.archive.close()


def test_what_is_in_the_reader_is_shown_once_the_box_has_looked(box, desk, request):
    before = os.umask(0o077)  # as the island's service has it
    request.addfinalizer(lambda: os.umask(before))
    assert "card reader" in desk.says("/keeper/card")
    assert desk.post("/keeper/card/look").status_code == 303
    assert ordered(box) == [{"do": "card"}] and asked(box)["what"] == "look"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (box.data / "asked", box.data / "asked" / WISH_FILE)] == [
        0o750, 0o640], "the program is another user, of the island's group"
    waiting = desk.get("/keeper/card").get_data(as_text=True)
    assert 'http-equiv="refresh"' in waiting and "looks into its readers" in waiting
    tell(box, "idle", readers=[READER])
    shown = desk.says("/keeper/card")
    assert "15.9 GB" in shown and "SanDisk Ultra" in shown and "PHOTOS" in shown and "120 files." in shown
    assert "refresh" not in desk.get("/keeper/card").get_data(as_text=True)
    tell(box, "idle", readers=[])
    assert "no card in the box but its own" in desk.says("/keeper/card")


def test_a_card_is_written_after_a_second_look_that_repeats_its_size_and_name(box, desk):
    looked(box, desk)
    form = desk.says(f"/keeper/card/sda/{SEEN}")
    assert "SanDisk Ultra" in form and "15.9 GB" in form
    sure = chosen(desk, name="Île de la gare", wifi="Gare", wifi_password="un mot de passe")
    page = sure.get_data(as_text=True)
    for told in ("15.9 GB", "SanDisk Ultra", "all that is on it is lost", "Île de la gare"):
        assert told in page
    assert "un mot de passe" not in page
    assert asked(box)["what"] == "look", "nothing is asked of the box before the second yes"
    assert desk.post("/keeper/card/write", label=label_on(sure), why="pour la gare").status_code == 303
    wish = asked(box)
    assert (wish["what"], wish["reader"], wish["seen"]) == ("write", "sda", SEEN)
    assert wish["invitation"] == "" and wish["board"] is False
    assert wish["settings"] == {"node name": "Île de la gare", "node language": "fr", "node timezone": "Europe/Paris",
                                "box country": "FR", "portal wifi": "Gare", "box wifi_password": "un mot de passe"}
    last = box.board.audit_log()[0]
    assert (last.keeper, last.action, last.about, last.why) == ("lea", "card", "SanDisk Ultra", "pour la gare")


def test_how_far_it_is_is_shown_without_a_script_until_it_can_be_taken(box, desk):
    looked(box, desk)
    desk.post("/keeper/card/write", label=label_on(chosen(desk)))
    tell(box, "writing", title="SanDisk Ultra", size=READER["size"], done=120_000_000, total=400_000_000, left=150)
    page = desk.get("/keeper/card").get_data(as_text=True)
    shown = desk.says("/keeper/card")
    assert 'http-equiv="refresh"' in page and '<progress max="400000000" value="120000000">' in page
    assert "being written" in shown and "120 MB of 400 MB" in shown and "3 minutes" in shown
    tell(box, "checking", done=399_000_000, total=400_000_000, left=2)
    assert "read back" in desk.says("/keeper/card") and "less than a minute" in desk.says("/keeper/card")
    assert desk.post("/keeper/card/look").status_code == 422, "one thing at a time"
    tell(box, "done")
    shown = desk.says("/keeper/card")
    assert "you can take it" in shown and "refresh" not in desk.get("/keeper/card").get_data(as_text=True)
    box.board.cards.tidy()
    assert asked(box) is None


def test_an_invitation_and_the_board_go_with_it_if_they_are_wanted(box, desk):
    box.bulletin("Chat perdu")
    looked(box, desk)
    typed = {"invite": "1", "days": "30", "board": "1", "keeper": "Samira", "keeper_password": "colza brouette nuage 48"}
    refused = desk.post("/keeper/card/write", label=label_on(chosen(desk, **typed)))
    assert refused.status_code == 422 and 'name="key"' in refused.get_data(as_text=True), "this island may not invite"
    assert asked(box)["what"] == "look" and not box.board.audit_log()
    box.vouch(HERE, Right.WRITE | Right.VOUCH, "Île du canal")
    sure = chosen(desk, **typed)
    page = words(sure)
    assert "an invitation into this set, good for 30 days" in page and "Keeper: Samira" in page
    assert "colza" not in page
    assert desk.post("/keeper/card/write", label=label_on(sure)).status_code == 303
    wish = asked(box)
    assert len(wish["invitation"]) > 300 and wish["settings"]["box keeper"] == "Samira"
    assert (box.data / "asked" / BUNDLE_FILE).stat().st_size > 100
    assert {entry.action for entry in box.board.audit_log()} >= {"card", "invite"}
    tell(box, "failed", trouble={"text": "gone"})
    box.board.cards.tidy()
    assert not (box.data / "asked" / BUNDLE_FILE).exists() and asked(box) is None


@pytest.mark.parametrize(("typed", "told"), [
    ({"country": "Atlantis"}, "Atlantis"), ({"wifi_password": "court"}, "8 to 63"),
    ({"keeper": "Samira"}, "keeper's name and a password"), ({"keeper_password": "colza brouette 48"}, "keeper's name"),
    ({"keeper": "Samira", "keeper_password": "court"}, "characters"), ({"board": "1"}, "invitation"),
    ({"language": "xx"}, "language")])
def test_what_cannot_be_meant_is_told_and_nothing_else_that_was_typed_is_lost(box, desk, typed, told):
    looked(box, desk)
    answer = chosen(desk, **{"name": "Île de la gare"} | typed)
    assert answer.status_code == 422 and told in words(answer)
    shown = answer.get_data(as_text=True)
    kept = {**{"name": "Île de la gare"}, **typed}["name"]
    assert f'value="{kept}"' in shown
    assert asked(box)["what"] == "look"


def test_another_card_than_the_one_that_was_shown_is_not_written(box, desk):
    looked(box, desk)
    label = label_on(chosen(desk))
    looked(box, desk, READER | {"seen": "f" * 16})
    assert desk.get(f"/keeper/card/sda/{SEEN}").status_code == 409
    answer = desk.post("/keeper/card/write", label=label)
    assert answer.status_code == 409 and "not what was in the reader" in words(answer)
    looked(box, desk, READER | {"trouble": {"text": "It is locked."}})
    assert "It is locked." in words(chosen(desk)) and desk.post("/keeper/card/write", label=label).status_code == 409
    assert asked(box)["what"] == "look"
    assert desk.post("/keeper/card/write", label="forgotten").status_code == 409


def test_a_box_that_does_not_answer_or_falls_silent_is_told_and_can_be_asked_again(box, desk):
    desk.post("/keeper/card/look")
    box.clock.advance(TAKEN_S)
    assert "did not look into its readers" in desk.says("/keeper/card")
    looked(box, desk)
    desk.post("/keeper/card/write", label=label_on(chosen(desk)))
    tell(box, "writing", done=1, total=2)
    box.clock.advance(SILENT_S)
    assert "stopped writing before the end" in desk.says("/keeper/card")
    box.board.cards.tidy()
    assert asked(box) is None
    looked(box, desk)
    assert "SanDisk" in desk.says("/keeper/card")


@pytest.mark.parametrize("told", [b"", b"null", b"[]", b'{"stage": 7, "readers": 3}', b'{"readers": [1, {"holds": 5}]}',
                                  b'{"stage": "writing", "at": "x", "done": [], "left": {}}', b"[" * 50_000, b"\xff" * 99,
                                  b'{"trouble": {"text": "%(a)s"}, "title": 7, "size": 1e999}'])
def test_whatever_the_program_tells_the_page_comes(box, desk, told):
    (box.data / "told").mkdir()
    (box.data / "told" / TOLD_FILE).write_bytes(told)
    assert desk.get("/keeper/card").status_code == 200


def test_each_page_is_small_in_every_language(box, desk):
    looked(box, desk, *[READER | {"name": f"sd{letter}"} for letter in "abcd"])
    for lang in LANGUAGES:
        for path in ("/keeper/card", f"/keeper/card/sda/{SEEN}"):
            answer = desk.get(path, lang)
            assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"


# the wish, as the box's program takes it


def test_a_wish_is_of_the_closed_list_or_nothing(box, desk):
    looked(box, desk)
    desk.post("/keeper/card/write", label=label_on(chosen(desk)))
    good = asked(box)
    assert wish_in(json.dumps(good).encode()) == good
    wrong = [{"reader": "sda1"}, {"reader": "../sda"}, {"seen": "x"}, {"label": ""}, {"settings": {"box ssh_key": "x"}},
             {"settings": {"node name": 7}}, {"settings": {"box country": "Atlantis"}}, {"settings": []}, {"board": "yes"},
             {"invitation": "é"}, {"invitation": "A" * 20_001}, {"what": "erase"}, {"more": 1}]
    for change in wrong:
        assert wish_in(json.dumps(good | change).encode()) is None, change
    assert wish_in(b"[" * 10_000) is None and wish_in(json.dumps({**good, "seen": "a" * 70_000}).encode()) is None


def test_nothing_but_what_a_keeper_may_choose_is_kept_of_a_wish(box):
    looked(box, Desk(box))
    label = box.board.cards.prepare(CardWish("sda", SEEN, {"box ssh_key": "ssh-ed25519 AAAA", "node name": "Gare"}))
    assert box.board.cards.prepared(label).settings == {"node name": "Gare"} and "box ssh_key" not in CARD_KEYS


def test_a_board_that_is_too_large_for_a_card_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(card_maker, "MAX_BUNDLE_BYTES", 100)
    pieces = iter([bytes(60)] * 9)
    with pytest.raises(CardRefused) as refused:
        card_maker._leave(tmp_path, {"board": True}, pieces)
    assert refused.value.sentence == cards.TOO_MUCH and len(list(pieces)) == 7
    assert (tmp_path / BUNDLE_FILE).stat().st_size <= 100 and not (tmp_path / WISH_FILE).exists()
