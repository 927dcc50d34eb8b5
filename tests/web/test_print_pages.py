"""The board on paper and on a wall."""

import re

import pytest

from node.board.api import Draft
from node.model.record import Kind
from web.print_fit import LARGE, PAGE_HEIGHT_MM, SCALES, Block, fill, height_mm, largest
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


def test_the_sheet_of_one_event_is_taken_down_when_it_is_over_and_not_before(portal, board):
    start = board.now() + 14 * 1_440
    later = board.post(Draft(Kind.EVENT, title="Vide-grenier", start=start, end=start + 60))
    for path in (f"/r/{later.id[:12]}/print", f"/r/{later.id[:12]}/letters"):
        page = text(portal, f"{path}?lang=en")
        valid = re.search(r"Valid until ([^.]+)\.", page)[1]
        assert valid.endswith("December 2025") and f"Out of date on {valid}: " in page
        assert "Posted on 1 December 2025, " in page


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_kept_as_a_file_needs_nothing_else(portal, sheet):
    answer = portal.get(f"{sheet}?file=1")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert not re.search(r"(src|href)=", answer.get_data(as_text=True))


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_sheet_has_a_large_type_version(portal, sheet):
    pages = [text(portal, f"{sheet}?size={size}") for size in ("", "large")]
    normal, large = (re.search(r'<body class="(\w*) f(\d)"', page) for page in pages)
    assert (normal[1], large[1]) == ("", "L") and int(large[2]) >= LARGE


def test_a_crowded_sheet_has_smaller_type_and_in_large_type_fewer_rows(portal, neighbourhood):
    calm = re.search(r'<body class=" f(\d)"', text(portal, "/poster"))[1]
    for number in range(12):
        parts = (f"Bal {number} " + "de rue " * 9, "Place " * 10, "", "")
        neighbourhood.event(parts, neighbourhood.board.now() + 90 * number)
    crowded, large = text(portal, "/poster"), text(portal, "/poster?size=large")
    assert re.search(r'<body class=" f(\d)"', crowded)[1] < calm
    assert len(re.findall("Bal", crowded)) > len(re.findall("Bal", large)) > 0


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


def test_the_wall_turns_its_pages_until_all_of_the_week_and_the_board_was_shown(portal, neighbourhood):
    for number in range(30):
        neighbourhood.event((f"Bal e{number}e", "Place"), neighbourhood.board.now() + 200 * number)
        neighbourhood.bulletin(f"Annonce b{number}b", urgent=not number)
    path, seen, pages = "/wall?lang=en", [], 0
    while True:
        answer = portal.get(path)
        page, pages = answer.get_data(as_text=True), pages + 1
        assert len(answer.data) + 900 <= 14_000 and 0 < len(re.findall('class="r"', page)) <= 8 and "b0b" in page
        seen += re.findall(r"e\d+e|b\d+b", page)
        pace, path = answer.headers["Refresh"].split("; url=")
        assert 10 <= int(pace) <= 60 and "lang=en" in path
        if "page=" not in path:
            break
    assert pages > 3 and {f"e{number}e" for number in range(30)} | {f"b{number}b" for number in range(30)} <= set(seen)
    assert portal.get("/wall?page=1000").status_code == 200 == portal.get("/wall?page=-3").status_code


def test_type_is_as_large_as_the_page_takes_it():
    few, many = [Block(40)] * 5, [Block(120)] * 14
    assert largest(few, 0) == len(SCALES) - 1 and largest(many, 0) < LARGE and largest(many * 9, 0) is None
    scale = largest(many, 40)
    assert height_mm(many, 40, SCALES[scale]) <= PAGE_HEIGHT_MM < height_mm(many, 40, SCALES[scale + 1])
    rows, scale = fill(14, LARGE, lambda rows: (many[:rows], 40))
    assert 1 < rows < 14 and scale >= LARGE and fill(25, 0, lambda rows: (many * 9, 0)) == (1, 0)
