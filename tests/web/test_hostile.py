"""Whatever is typed anywhere, the portal answers with a page of its own."""

from itertools import cycle
from urllib.parse import quote

import pytest

from node.board.api import Draft
from node.model.record import Kind
from web.forms import FIELDS

TYPED = ["", " ", "\0", "a\0b", "🍲" * 50, "é" * 30_000, "\u202eabc", "abc אבג عربي def", "<script>alert(1)</script>",
         "%s %(x)s {0} {{7*7}}", "1970-01-01", "2087-12-31", "9999-12-31", "0000-00-00", "99:99", "12h", "NaN, inf",
         "1e999, 0", "-91,0", "null", "../../etc/passwd", "\r\n\r\nX: y", "a" + "\u0300" * 40, "٢٠٢٦-٠٥-٠١", "²", "1" * 400]
EVENT = {"kind": "event", "title": "Bal", "text": "Venez", "start_date": "2025-12-20", "start_time": "18:00"}
MORE_FIELDS = ("token", "action", "at.x", "at.y", "drawn", "span")
ADDRESSES = ["/search?q=%s", "/search?q=a&after=%s", "/bulletins?after=%s", "/bulletins?topic=%s", "/agenda?week=%s",
             "/agenda?month=%s", "/agenda.ics?topic=%s", "/r/%s", "/r/%s.ics", "/r/%s/print", "/r/%s/letters", "/r/%s/edit",
             "/topics/%s", "/learn/%s", "/map.svg?span=%s", "/?lang=%s", "/?size=%s", "/post?kind=%s",
             "/post?kind=reply&target=%s", "/bundle?topic=%s", "/feed.atom?topic=%s"]


def assert_ours(answer, what):
    assert answer.status_code in (200, 308, 404, 422), what
    assert b"<script>alert" not in answer.data, what
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), what


@pytest.mark.parametrize("field", [*FIELDS, *MORE_FIELDS])
def test_nothing_typed_in_a_field_breaks_the_form(portal, field):
    some = TYPED[len(field) % 3::3]
    assert len(some) > 6
    for typed, action in zip(some, cycle(("preview", "publish", "edit", "map", "preview")), strict=False):
        answer = portal.post("/post", data={"token": "x", "action": action, **EVENT, field: typed})
        assert_ours(answer, (field, typed[:40], action))


@pytest.mark.parametrize("page", ["edit", "withdraw"])
def test_nothing_typed_breaks_what_corrects_and_withdraws(portal, board, page):
    start = board.now() + 600
    item = board.post(Draft(Kind.EVENT, "Venez", title="Bal", start=start, end=start + 60)).id
    assert board.item(item) and len(TYPED) > 20
    for number, field in enumerate(("word", "reason", "title", "start_date", "token", "position")):
        for typed in TYPED[number % 3::3]:
            answer = portal.post(f"/r/{item[:12]}/{page}", data={"token": "x", "action": "publish", **EVENT, field: typed})
            assert_ours(answer, (field, typed[:40]))


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_breaks_the_portal(portal, address):
    for typed in TYPED:
        assert_ours(portal.get(address % quote(typed[:2_000])), (address, typed[:40]))


def test_no_letters_break_the_couriers_page(portal):
    for typed in TYPED:
        assert_ours(portal.post("/courier", data={"letters": typed}), typed[:40])
