"""Posting: what is typed is never lost, and goes on the board once."""

import re
import threading
from dataclasses import replace
from html import unescape

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from node.board.api import Draft
from node.board.drafts import packed
from node.model.marks import Marks
from node.model.record import Kind
from tests.sim.places import add_group
from tests.sim.portals import PASSPHRASE
from web import create_app
from web.tokens import MAX_AGE_S

TEXT = "Soupe populaire ce soir.\nApportez vos bols & \"couverts\" <propres>."
EVENT = {"kind": "event", "title": "Assemblée", "start_date": "2026-12-20", "start_time": "18:30", "place": "Mairie"}


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page).group(1)


def fresh(portal, path="/post"):
    return token_of(portal.get(path).get_data(as_text=True))


def send(portal, path="/post", **fields):
    answer = portal.post(f"{path}?lang=en", data={"token": fresh(portal)} | fields)
    return answer, answer.get_data(as_text=True)


def publish(portal, **fields):
    answer, page = send(portal, action="publish", **fields)
    assert answer.status_code == 200, page
    return re.search(r"/r/([0-9a-f]+)[/?]", page).group(1), re.search(r'class="g"[^>]*>([^<]+)<', page).group(1)


def test_a_bulletin_goes_from_form_to_preview_to_board(portal, board):
    answer, preview = send(portal, kind="bulletin", text=TEXT, topic="food", language="fr", life_days="7", action="preview")
    assert answer.status_code == 200 and not board.bulletins().items
    assert "air time" not in preview
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', preview))
    fields |= dict(re.findall(r'<textarea name="(\w+)" hidden>\n([^<]*)</textarea>', preview))
    fields = {name: unescape(value) for name, value in fields.items()}
    done = portal.post("/post?lang=en", data=fields | {"action": "publish"})
    assert done.status_code == 200 and "Your edit code" in done.get_data(as_text=True)
    (item,) = board.bulletins().items
    assert (item.text, item.topic, item.language) == (TEXT, 4, 1)


def test_what_is_long_for_the_radio_is_told_what_it_takes_before_it_is_posted(board, settings):
    portal = create_app(board, replace(settings, costly_airtime_s=0.01)).test_client()
    answer, preview = send(portal, kind="bulletin", text=TEXT, topic="food", language="fr", action="preview")
    assert answer.status_code == 200 and re.search(r"\d+ bytes, 1 radio packet, [\d.]+ s of air time", preview)


@pytest.mark.parametrize("kind", ["bulletin", "event", "reply"])
def test_enter_in_a_field_looks_the_post_over_and_what_few_fill_in_is_folded(portal, board, kind):
    board.post(Draft(Kind.BULLETIN, "Bonjour"))
    target = board.bulletins().items[0].id[:12]
    page = portal.get(f"/post?kind={kind}&lang=en&target={target}").get_data(as_text=True)
    form = page.partition("<form")[2].partition("</form>")[0]
    first = re.search(r"<button[^>]*>", form)[0]  # what Enter presses (HTML, 4.10.21.2)
    assert 'value="preview"' in first and 'type="submit"' in first
    shown, _, folded = form.partition("<details>")
    assert 'name="language"' in folded and ('name="organiser"' in folded) == (kind == "event")
    assert not re.search(r'name="(organiser|link|position|language|life_days|publish_date|group)"', shown)
    assert ("publish_date" in page, "life_days" in page) == (kind != "reply", kind == "bulletin")


def test_what_is_folded_is_open_when_it_says_something_or_is_wrong(portal):
    for fields, is_open in (({}, False), ({"organiser": "Nous"}, True), ({"position": "x"}, True), ({"title": ""}, False)):
        _, page = send(portal, **EVENT | {"end_time": "20:00"} | fields, action="edit")
        assert ("<details open>" in page) == is_open, fields


def test_an_event_is_announced_with_all_its_fields(portal, board):
    publish(portal, **EVENT, end_time="20:00", text="Venez", organiser="Comité", link="https://example.org/",
            topic="meeting", position="48.87, 2.37")
    (item,) = board.events(0, 10**7)
    assert (item.title, item.place, item.organiser, item.link) == ("Assemblée", "Mairie", "Comité", "https://example.org/")
    assert item.end - item.start == 90 and item.position == pytest.approx((48.87, 2.37), abs=0.001)


def test_what_is_wrong_comes_back_with_everything_typed_and_a_sentence(portal, board):
    wrong = EVENT | {"start_date": "31/02/2026", "text": TEXT, "organiser": "Comité & Cie"}
    answer, page = send(portal, **wrong, action="publish")
    assert answer.status_code == 422 and not board.events(0, 10**7)
    assert "This date or time cannot be read." in page
    for typed in ("Assemblée", "31/02/2026", "18:30", "Mairie", "Comité & Cie", TEXT):
        assert typed in unescape(page)
    assert 'aria-invalid="true"' in page and 'href="#start_date"' in page


def test_a_text_too_long_comes_back_whole_with_how_much_to_cut(portal, board):
    text = "Des légumes, beaucoup de légumes différents. " * 400
    answer, page = send(portal, kind="bulletin", text=text, action="publish")
    assert answer.status_code == 422 and not board.bulletins().items
    assert re.search(r"Please shorten this by about [\d,]+ characters?\.", page)
    assert text.strip() in page


def test_an_empty_bulletin_is_refused_kindly(portal):
    answer, page = send(portal, kind="bulletin", text="   ", action="preview")
    assert answer.status_code == 422 and "Please write something here." in page


def test_going_back_to_change_keeps_everything(portal):
    answer, page = send(portal, kind="bulletin", text=TEXT, topic="food", life_days="3", action="edit")
    assert answer.status_code == 200 and TEXT in unescape(page)
    assert '<option value="food" selected>' in page and 'value="3"' in page


def test_pressing_twice_posts_once_and_shows_the_same_edit_code(portal, board):
    data = {"token": fresh(portal), "kind": "bulletin", "text": TEXT, "action": "publish"}
    pages = []
    threads = [threading.Thread(target=lambda: pages.append(portal.application.test_client().post("/post", data=data)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(board.bulletins().items) == 1
    assert len({re.search(r'class="g"[^>]*>([^<]+)<', page.get_data(as_text=True)).group(1) for page in pages}) == 1


def test_a_form_opened_before_a_restart_still_posts_and_only_once(portal, neighbourhood, board, settings):
    data = {"token": fresh(portal), "kind": "bulletin", "text": TEXT, "action": "publish"}
    assert portal.post("/post", data=data).status_code == 200
    neighbourhood.clock.advance(120)  # the same text in the same minute would be the same record
    restarted = create_app(board, settings)
    restarted.extensions["tokens"]._started_at += 60
    again = restarted.test_client().post("/post", data=data)
    assert again.status_code == 200 and len(board.bulletins().items) == 1


def test_after_a_restart_what_another_island_has_said_too_is_still_to_be_posted(neighbourhood, board, settings, portal):
    data = {"token": fresh(portal), "kind": "bulletin", "text": "À 18 h !", "action": "publish"}
    neighbourhood.bulletin("À 18 h !")
    restarted = create_app(board, settings)
    restarted.extensions["tokens"]._started_at += 60
    assert restarted.test_client().post("/post", data=data).status_code == 200
    assert [item.author.here for item in board.bulletins().items].count(True) == 1


class OlderSigner(TimestampSigner):
    """Signs as the portal did some seconds ago."""

    age_s = 0

    def get_timestamp(self):
        return super().get_timestamp() - self.age_s


@pytest.mark.parametrize(("age_s", "posted"), [(MAX_AGE_S - 600, True), (MAX_AGE_S + 600, False), (400 * 86_400, False)])
def test_a_form_that_was_open_for_more_than_a_day_is_looked_over_again(portal, board, settings, age_s, posted):
    signer = type("Signer", (OlderSigner,), {"age_s": age_s})
    token = URLSafeTimedSerializer(settings.secret_key, salt="public form", signer=signer).dumps("nonce")
    answer = portal.post("/post?lang=en", data={"token": token, "kind": "bulletin", "text": TEXT, "action": "publish"})
    assert answer.status_code == (200 if posted else 422) and len(board.bulletins().items) == posted
    assert posted or TEXT in unescape(answer.get_data(as_text=True))


@pytest.mark.parametrize("token", ["", "x", "eyJhIjoxfQ.aaaa.bbbb"])
def test_a_token_that_is_not_ours_brings_the_form_back_with_everything(portal, board, token):
    answer = portal.post("/post?lang=en", data={"token": token, "kind": "bulletin", "text": TEXT, "action": "publish"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and not board.bulletins().items
    assert "open for too long" in page and TEXT in unescape(page)
    again = portal.post("/post", data={"token": token_of(page), "kind": "bulletin", "text": TEXT, "action": "publish"})
    assert again.status_code == 200 and len(board.bulletins().items) == 1


def test_the_edit_code_corrects_and_withdraws_and_no_other_does(portal, board):
    item_id, word = publish(portal, kind="bulletin", text=TEXT, language="fr")
    assert TEXT in unescape(portal.get(f"/r/{item_id}/edit").get_data(as_text=True))
    wrong, page = send(portal, f"/r/{item_id}/edit", kind="bulletin", text="Autre", word="faux", action="publish")
    assert wrong.status_code == 422 and "not the edit code" in page
    right, _page = send(portal, f"/r/{item_id}/edit", kind="bulletin", text="Autre", word=f" {word} ", action="publish")
    (item,) = board.bulletins().items
    assert right.status_code == 200 and (item.text, item.corrected) == ("Autre", True)
    gone, _page = send(portal, f"/r/{item.id[:12]}/withdraw", word=word, action="withdraw")
    assert gone.status_code == 200 and not board.bulletins().items


def test_an_event_can_be_shown_as_cancelled_with_a_reason(portal, board):
    item_id, word = publish(portal, **EVENT)
    send(portal, f"/r/{item_id}/withdraw", word=word, reason="La salle est prise", action="cancel")
    (item,) = board.events(0, 10**7)
    assert item.cancelled == "La salle est prise"
    assert "La salle est prise" in portal.get(f"/r/{item.id[:12]}").get_data(as_text=True)


def test_a_reply_shows_under_what_it_answers(portal, board):
    item_id, _word = publish(portal, kind="bulletin", text=TEXT)
    form = portal.get(f"/post?kind=reply&target={item_id}").get_data(as_text=True)
    target = re.search(r'name="target" value="([0-9a-f]+)"', form).group(1)
    publish(portal, kind="reply", target=target, text="J’apporte du pain")
    assert "J’apporte du pain" in portal.get(f"/r/{item_id}").get_data(as_text=True)


def test_a_scheduled_post_waits(portal, board):
    later = {"publish_date": "2025-12-20", "publish_time": "08:00"}
    answer, page = send(portal, kind="bulletin", text=TEXT, action="publish", **later)
    assert answer.status_code == 200 and "shown at its time" in page
    assert not board.bulletins().items and len(board.waiting()) == 1


def test_a_post_that_waits_is_read_by_its_author_alone_and_can_be_withdrawn(portal, board):
    later = {"publish_date": "2025-12-20", "publish_time": "08:00"}
    _answer, page = send(portal, kind="bulletin", text=TEXT, action="publish", **later)
    word = re.search(r'class="g"[^>]*>([^<]+)<', page).group(1)
    edit = re.search(r'href="(/r/[0-9a-f]{32}/edit)', page).group(1)
    assert TEXT in unescape(portal.get(edit).get_data(as_text=True))
    assert portal.get(edit.replace("/edit", "")).status_code == 404 == portal.get(f"{edit[:15]}/edit").status_code
    send(portal, edit.replace("edit", "withdraw"), word=word, action="withdraw")
    assert not board.waiting()


def test_a_group_signs_with_its_passphrase_and_corrects_with_it(portal, board):
    add_group(board, "AMAP du canal", bytes([4]) * 32, PASSPHRASE)
    fields = {"kind": "bulletin", "text": "Légumes", "group": "AMAP du canal", "passphrase": "faux"}
    answer, page = send(portal, action="publish", **fields)
    assert answer.status_code == 422 and "not the passphrase of this group" in page
    send(portal, action="publish", **fields | {"passphrase": PASSPHRASE})
    (item,) = board.bulletins().items
    assert item.author.group and "AMAP du canal" in portal.get(f"/r/{item.id[:12]}").get_data(as_text=True)
    assert f"/r/{item.id[:12]}/edit" in portal.get(f"/r/{item.id[:12]}").get_data(as_text=True)
    send(portal, f"/r/{item.id[:12]}/edit", kind="bulletin", text="Légumes et pain", word=PASSPHRASE, action="publish")
    assert board.bulletins().items[0].text == "Légumes et pain"


def test_a_members_board_takes_posts_of_groups_only(portal, board):
    board.set_posting("members", "lea")
    answer, page = send(portal, kind="bulletin", text=TEXT, action="publish")
    assert answer.status_code == 422 and "Only groups post on this island" in page and not board.bulletins().items


def test_a_moderated_board_says_so_and_lets_the_post_wait(portal, board):
    board.set_posting("moderated", "lea")
    assert "a keeper reads each post" in portal.get("/post?lang=en").get_data(as_text=True)
    publish(portal, kind="bulletin", text=TEXT)
    assert not board.bulletins().items and board.waiting()[0].moderated


def test_a_touch_on_the_map_fills_in_the_position(portal):
    _answer, pick = send(portal, **EVENT, action="map")
    assert 'type="image"' in pick and "Assemblée" in pick
    answer, form = send(portal, **EVENT, drawn="2000", **{"at.x": "150", "at.y": "12"})
    assert answer.status_code == 200 and "Assemblée" in form
    latitude, longitude = map(float, re.search(r'name="position"[^>]* value="([\d., -]+)"', form).group(1).split(","))
    assert latitude == pytest.approx(48.871 + 2000 / 111_320, abs=1e-4) and longitude == pytest.approx(2.365, abs=1e-4)


HOSTILE = ["<script>alert(1)</script>", "\u202egnp.exe", "a\u0300" * 500, "a\x00b", "\x1b[31m", "\ud83d", "%00%ff",
           "x" * 5000, "'\"><svg onload=1>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_field_is_refused_or_shown_harmless(portal, text):
    text = text.encode("utf-8", "surrogatepass")
    for kind in ("bulletin", "event", "reply"):
        fields = {name: text for name in ("text", "title", "place", "organiser", "link", "topic", "language", "life_days",
                                          "start_date", "start_time", "end_date", "position", "publish_date", "group",
                                          "passphrase", "target", "word", "drawn", "span")}
        for action in ("preview", "edit", "publish"):
            answer = portal.post("/post", data=fields | {"kind": kind, "token": "x", "action": action})
            assert answer.status_code in (200, 404, 422)
            assert b"<script" not in answer.data and b"<svg onload" not in answer.data
    for page in ("/", "/bulletins", "/agenda"):
        assert b"<script" not in portal.get(page).data


def test_ten_megabytes_are_turned_away_with_a_sentence(portal):
    answer = portal.post("/post?lang=en", data={"text": "x" * 10_000_000})
    assert answer.status_code == 413 and "far longer than a post can be" in answer.get_data(as_text=True)


def test_publishing_composes_the_post_once(portal, board):
    data = {"token": fresh(portal), "kind": "bulletin", "text": TEXT, "action": "publish"}
    before = packed.cache_info()
    assert portal.post("/post", data=data).status_code == 200
    after = packed.cache_info()
    assert (after.hits + after.misses) - (before.hits + before.misses) == 1


WEEKLY = EVENT | {"start_date": "1/12", "start_time": "18h30", "repeat": "1.1", "repeat_times": "4", "language": "en"}


def test_all_that_is_wrong_with_an_event_is_said_in_one_round(portal):
    answer, page = send(portal, kind="event", start_date="31/2", end_time="25h", link="ici", repeat="1.1", action="preview")
    assert answer.status_code == 422
    assert {"#title", "#start_date", "#end_date", "#link"} <= set(re.findall(r'href="(#\w+)"', page))
    assert page.count("cannot be read") >= 2 and "at what time it starts" not in page


def test_what_was_typed_its_own_way_is_shown_back_in_words_before_it_is_posted(portal):
    _answer, page = send(portal, **WEEKLY | {"start_date": "samedi 6/12", "start_time": "6:30 pm", "end_time": "1h30"},
                         action="preview")
    assert "Saturday, 6 December, 18:30 – 01:30" in page and "Each Saturday, until Saturday, 27 December 2025" in page
    _answer, back = send(portal, **WEEKLY | {"start_date": "samedi 6/12"}, action="edit")
    assert 'type="text" value="samedi 6/12"' in back, "a picker of days would lose it"


def test_dates_that_are_called_off_or_moved_are_shown_before_an_event_is_posted(portal):
    _answer, page = send(portal, **WEEKLY | {"off": "8/12", "moved": "15/12 > 16/12 20h"}, action="preview")
    dates = re.sub(r"<[^>]+>", "", page[page.index("The next dates"):page.index("</details>")])
    assert "Monday, 8 December, 18:30 – Cancelled" in dates and "Tuesday, 16 December, 20:00 – Moved" in dates
    assert "Monday, 22 December, 18:30" in dates and "15 December" not in dates
    assert "The next dates" not in send(portal, **EVENT, action="preview")[1]


def test_a_single_date_is_called_off_and_another_moved_and_both_stand_on_their_days(portal, board):
    item_id, word = publish(portal, **WEEKLY)
    changed = {"word": word, "off": "8/12", "moved": "15/12 > 16/12 20h", "action": "publish"}
    answer, page = send(portal, f"/r/{item_id}/edit", **WEEKLY | changed)
    assert answer.status_code == 200, page
    shown = [(item.start, item.cancelled, item.moved) for item in board.events(0, 10**7)]
    assert [moved for *_rest, moved in shown] == [False, False, True, False]
    assert [cancelled for _start, cancelled, _moved in shown] == [None, "", None, None]
    agenda = portal.get("/agenda?month=2025-12&lang=en").get_data(as_text=True)
    assert "Cancelled" in agenda and "Moved" in agenda
    form = portal.get(f"/r/{board.events(0, 10**7)[0].id[:12]}/edit").get_data(as_text=True)
    assert 'value="2025-12-08"' in form and "2025-12-15 &gt; 2025-12-16 20:00" in form


def test_an_event_is_announced_again_with_all_but_its_days(portal):
    item_id, _word = publish(portal, **WEEKLY | {"text": "Venez", "end_time": "20:00"})
    page = portal.get(f"/r/{item_id}?lang=en").get_data(as_text=True)
    again = unescape(re.search(r'href="([^"]*again=[^"]*)"', page).group(1))
    form = portal.get(again).get_data(as_text=True)
    assert 'value="Assemblée"' in form and 'value="18:30"' in form and 'value="20:00"' in form and "Venez" in form
    assert not re.search(r'name="(?:start|end)_date" type="\w+" value="[^"]', form)


def test_an_event_without_an_end_is_moved_later_and_none_is_invented(portal, board):
    item_id, word = publish(portal, **EVENT)
    form = portal.get(f"/r/{item_id}/edit").get_data(as_text=True)
    assert not re.search(r'name="end_(?:date|time)" type="\w+" value="[^"]', form)
    answer, page = send(portal, f"/r/{item_id}/edit", **EVENT | {"start_time": "21:00", "word": word, "action": "publish"})
    assert answer.status_code == 200, page
    (item,) = board.events(0, 10**7)
    assert item.end == item.start


def test_a_repeated_event_is_found_with_its_next_date(portal, board, neighbourhood):
    publish(portal, **WEEKLY | {"urgent": ""})
    neighbourhood.pass_days(8)
    (event,) = [item for item in board.latest().items if item.start is not None]
    assert event.start > board.now() and event.start - board.now() < 7 * 1440


def test_no_page_with_an_edit_code_in_it_is_kept_by_a_browser(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Je donne un vélo", marks=Marks.OFFER))
    leads = f"/r/{posted.id[:12]}/withdraw?word={posted.edit_code}"
    refused = portal.post(leads, data={"action": "settled", "word": posted.edit_code, "token": ""})
    for answer in (portal.get(leads), refused):
        assert posted.edit_code in answer.get_data(as_text=True) and answer.headers["Cache-Control"] == "no-store"
