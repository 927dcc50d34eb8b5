"""Corrections through the form, five times over: whatever was not touched is what it was."""

import re
from dataclasses import fields as dataclass_fields
from html import unescape

import pytest

from node.board.api import Draft, Item
from node.model.record import Kind, Right
from tests.sim.places import add_group
from tests.sim.portals import GROUP, HERE, PASSPHRASE
from web import create_app

CHANGED = {"id", "created", "corrected", "changed", "first", "before", "replies", "expires", "text"}
TIMES = 5
INPUT = re.compile(r'<input [^>]*?name="([\w-]+)"[^>]*>')


def form_of(page):
    """What a browser would send of the form on a page if nothing was touched."""
    form = page.partition("<form method")[2].partition("</form>")[0]
    sent = {}
    for field in INPUT.finditer(form):
        value = re.search(r' value="([^"]*)"', field[0])
        if 'type="checkbox"' not in field[0] or " checked" in field[0]:
            sent[field[1]] = unescape(value[1]) if value else "on" if 'type="checkbox"' in field[0] else ""
    for name, options in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]* selected', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = unescape(chosen[1]) if chosen else ""
    texts = re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n([^<]*)</textarea>', form)
    return sent | {name: unescape(text) for name, text in texts}


def corrected(portal, neighbourhood, item_id, code, text):
    """Correct the words of a post by its form and its preview, as a browser does."""
    neighbourhood.clock.advance(7 * 60)
    page = portal.get(f"/r/{item_id}/edit").get_data(as_text=True)
    preview = portal.post(f"/r/{item_id}/edit", data=form_of(page) | {"text": text, "word": code, "action": "preview"})
    assert preview.status_code == 200, preview.get_data(as_text=True)
    done = portal.post(f"/r/{item_id}/edit", data=form_of(preview.get_data(as_text=True)) | {"action": "publish"})
    assert done.status_code == 200, done.get_data(as_text=True)
    return re.search(r"/r/([0-9a-f]+)[/?\"]", done.get_data(as_text=True).partition("<main")[2]).group(1)


POSTS = {
    "a bulletin": Draft(Kind.BULLETIN, "Un mot", topic=4, language=3, life_days=9),
    "a bulletin in no language": Draft(Kind.BULLETIN, "Un mot", language=0, topic=0),
    "an urgent bulletin": Draft(Kind.BULLETIN, "Un mot", topic=12, urgent=True, life_days=1),
    "one typed on a radio": Draft(Kind.BULLETIN, "Un mot", by_radio=True, life_days=90),
    "an event": Draft(Kind.EVENT, "Un mot", title="Bal « du » canal & Cie", place="Quai", organiser="Nous", topic=8,
                      link="https://exemple.org/?a=1&b=2", start=2_000, end=2_090, offset=4,
                      position=(48.870004, 2.376789)),
    "an urgent event": Draft(Kind.EVENT, "Un mot", title="Évacuation", start=2_000, end=2_090, offset=4, urgent=True),
    "an event without an end": Draft(Kind.EVENT, "Un mot", title="Départ", start=2_000, offset=4, language=4),
    "an event elsewhere in the world": Draft(Kind.EVENT, "Un mot", title="Bal", start=2_000, end=2_090, offset=-22,
                                             position=(-77.123456, -179.9999)),
    "an event across the change of hour": Draft(Kind.EVENT, "Un mot", title="Nuit", start=160_000, end=161_500, offset=4),
    "an event whose hour comes twice": Draft(Kind.EVENT, "Un mot", title="Nuit", start=452_310, end=452_340, offset=4),
}


@pytest.fixture
def portal(neighbourhood, settings):
    neighbourhood.vouch(HERE, Right.WRITE | Right.URGENT, "Île du canal")
    return create_app(neighbourhood.board, settings).test_client()


@pytest.mark.parametrize("kind", POSTS)
@pytest.mark.parametrize("group", ["", "AMAP du canal"])
def test_five_corrections_of_the_words_change_the_words_alone(portal, neighbourhood, kind, group):
    board, draft = neighbourhood.board, POSTS[kind]
    if group:
        neighbourhood.vouch(GROUP, Right.WRITE | Right.GROUP | Right.URGENT, group)
        add_group(board, group, bytes([4]) * 32, PASSPHRASE)
    if draft.start is not None:
        ahead = board.now()
        draft = Draft(**{**vars(draft), "start": draft.start + ahead, "end": draft.end and draft.end + ahead})
    posted = board.post(draft, group, PASSPHRASE)
    first = board.item(posted.id)
    item_id = posted.id[:12]
    for number in range(1, TIMES + 1):
        item_id = corrected(portal, neighbourhood, item_id, posted.edit_code or PASSPHRASE, f"Un mot {number}")
        item = board.item(item_id)
        assert item.text == f"Un mot {number}"
        for field in dataclass_fields(Item):
            if field.name not in CHANGED:
                assert getattr(item, field.name) == getattr(first, field.name), (number, field.name)
        assert 0 <= item.expires - first.expires < 60 * number  # a life is whole hours, and outlives what it replaces
    assert number == TIMES


def test_a_post_that_waits_for_its_hour_keeps_all_but_its_words(portal, neighbourhood):
    board = neighbourhood.board
    posted = board.post(Draft(Kind.BULLETIN, "Un mot", topic=4, language=3, life_days=9, publish_at=board.now() + 600))
    first, item_id = board.waiting_post(posted.id).item, posted.id
    for number in range(TIMES):
        item_id = corrected(portal, neighbourhood, item_id, posted.edit_code, f"Un mot {number}")
        item = board.waiting_post(item_id).item
        assert (item.text, item.created, item.expires) == (f"Un mot {number}", first.created, first.expires)
        assert (item.topic, item.language) == (4, 3)


def test_what_is_touched_is_changed(portal, neighbourhood):
    board = neighbourhood.board
    start = board.now() + 3_000
    posted = board.post(Draft(Kind.EVENT, "Un mot", title="Bal", start=start, end=start + 60, offset=4, urgent=True))
    form = form_of(portal.get(f"/r/{posted.id}/edit").get_data(as_text=True))
    form.pop("urgent")
    day, hour = form["start_date"], form["start_time"]
    changed = form | {"word": posted.edit_code, "end_date": "", "end_time": "", "topic": "food", "start_time": "23:15"}
    assert portal.post(f"/r/{posted.id}/edit", data=changed | {"action": "publish"}).status_code == 200
    item = board.item(posted.id)
    assert (item.urgent, item.topic, item.end) == (False, 4, item.start) and item.start != start
    shown = form_of(portal.get(f"/r/{item.id}/edit").get_data(as_text=True))
    assert (shown["start_date"], shown["start_time"], shown["end_time"]) == (day, "23:15", "") and hour != "23:15"


def test_an_event_without_an_end_may_be_moved_later(portal, neighbourhood):
    start = neighbourhood.board.now() + 3_000
    posted = neighbourhood.board.post(Draft(Kind.EVENT, "Un mot", title="Bal", start=start, offset=4))
    form = form_of(portal.get(f"/r/{posted.id}/edit").get_data(as_text=True))
    moved = form | {"word": posted.edit_code, "start_date": "2025-12-24", "action": "publish"}
    assert portal.post(f"/r/{posted.id}/edit", data=moved).status_code == 200
    assert neighbourhood.board.item(posted.id).start > start


def test_a_bulletin_that_is_to_stay_longer_does_though_its_words_stay(portal, neighbourhood):
    portal.application.extensions["tokens"]._started_at += 60  # the form was opened before a restart
    posted = neighbourhood.board.post(Draft(Kind.BULLETIN, "Un mot", life_days=2))
    form = form_of(portal.get(f"/r/{posted.id}/edit").get_data(as_text=True))
    longer = form | {"word": posted.edit_code, "life_days": "30", "action": "publish"}
    assert portal.post(f"/r/{posted.id}/edit", data=longer).status_code == 200
    item = neighbourhood.board.item(posted.id)
    assert item.expires - item.created == 30 * 1440
