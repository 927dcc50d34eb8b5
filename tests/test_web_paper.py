"""The board on paper and on a wall."""

import re

import pytest

from node.board import Draft
from node.records import Kind
from web.qr import wifi

SHEETS = ["/poster", "/leaflet", "/copy"]


@pytest.fixture(autouse=True)
def event(board):
    start = board.now() + 60
    board.post(Draft(Kind.BULLETIN, "Cantine solidaire"))
    return board.post(Draft(Kind.EVENT, "Venez", title="Assemblée", place="Mairie", start=start, end=start + 60))


def text(portal, path):
    return portal.get(path).get_data(as_text=True)


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_says_what_happens_where_the_board_is_and_when_it_is_out_of_date(portal, sheet):
    page = text(portal, f"{sheet}?lang=en")
    assert "Assemblée" in page and "http://archipel.lan/" in page
    assert "Printed on" in page and "Out of date on" in page


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_kept_as_a_file_needs_nothing_else(portal, sheet):
    answer = portal.get(f"{sheet}?file=1")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert not re.search(r"(src|href)=", answer.get_data(as_text=True))


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_sheet_has_a_large_type_version(portal, sheet):
    assert '<body class="L">' in text(portal, f"{sheet}?size=large")


def test_poster_and_leaflet_carry_two_qr_codes(portal):
    for sheet in ("/poster", "/leaflet"):
        page = text(portal, sheet)
        assert re.findall(r'<span role="img" aria-label="([^"]+)"><svg', page) == ["Archipel", "http://archipel.lan/"]


def test_an_item_has_its_own_sheet_with_its_qr_code(portal, event):
    page = text(portal, f"/r/{event.id[:12]}/print")
    assert f'aria-label="http://archipel.lan/r/{event.id[:12]}"' in page and "Venez" in page


def test_a_wi_fi_name_is_escaped_in_its_qr_code():
    assert wifi('A;b:"c"\\') == 'WIFI:T:nopass;S:A\\;b\\:\\"c\\"\\\\;;'


def test_the_wall_comes_back_by_itself_and_has_no_controls(portal):
    answer = portal.get("/wall")
    page = answer.get_data(as_text=True)
    assert int(answer.headers["Refresh"]) >= 60 and "Assemblée" in page
    assert not re.search(r"<(a|form|input|button|script|meta http-equiv)\b", page)
