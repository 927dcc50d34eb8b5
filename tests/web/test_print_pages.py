"""The board on paper and on a wall."""

import re

import pytest

from node.board.api import Draft
from node.model.event import Repetition, Rhythm
from node.model.record import Kind
from web.print_fit import LARGE, PAGE_HEIGHT_MM, SCALES, TITLE_PT, Block, height_mm, lines, pages_of, scale_of, sizes_of
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
    assert "Printed on 1 December 2025" in page
    assert taken_down(portal, f"{sheet}?lang=en") == ("7" if sheet == "/poster" else "1") + " December 2025"


def taken_down(portal, path):
    """After which day a sheet says that it is to be taken down; "" if it says nothing of it."""
    said = re.findall(r"Please take it down after \w+, ([^.]+)\.", text(portal, path))
    assert len(said) <= 1
    return said[0] if said else ""


def test_the_sheet_of_one_event_is_taken_down_when_it_is_over_and_not_before(portal, board):
    start = board.now() + 14 * 1_440
    later = board.post(Draft(Kind.EVENT, title="Vide-grenier", start=start, end=start + 2 * 1_440))
    again = board.post(Draft(Kind.EVENT, title="Chorale", start=start, end=start + 60,
                             repetition=Repetition(Rhythm.WEEKS, 1, 3)))
    for path in ("print", "letters", "print?as=strips"):
        page = f"/r/{later.id[:12]}/{path}"
        assert taken_down(portal, f"{page}{'&' if '?' in page else '?'}lang=en") == "17 December 2025"
        assert "Posted on 1 December 2025, " in text(portal, f"{page}{'&' if '?' in page else '?'}lang=en")
    assert taken_down(portal, f"/r/{again.id[:12]}/print?lang=en") == "29 December 2025"
    leaflets = text(portal, f"/r/{later.id[:12]}/print?as=leaflets&lang=en")
    assert leaflets.count("Valid until 17 December 2025.") == 4 == leaflets.count(f"/r/{later.id[:12]}</bdi>")


def test_a_sheet_is_taken_down_after_the_last_thing_that_is_on_it(portal, neighbourhood):
    board, day = neighbourhood.board, 1_440
    soon = board.now() + 3 * day
    board.post(Draft(Kind.EVENT, title="Troc", place="Halle", topic=4, start=soon, end=soon))
    later = board.post(Draft(Kind.EVENT, title="Troc", place="Halle", topic=8, start=board.now() + 20 * day,
                             end=board.now() + 20 * day))
    neighbourhood.archive.index(bytes.fromhex(later.id), board.now(), board.item(later.id).place)
    neighbourhood.bulletin("Une semaine de fête, dès mercredi", 4, urgent=True)
    assert taken_down(portal, "/leaflet?lang=en") == "4 December 2025"
    for about in ("topic=culture", "place=halle"):
        assert taken_down(portal, f"/poster?{about}&lang=en") == "21 December 2025", about
    assert taken_down(portal, "/poster?lang=en") == "7 December 2025"  # its bulletins last longer than its week
    by = next(item for item in board.bulletins().items if not item.author.here).author.key_id
    assert taken_down(portal, f"/poster?by={by}&lang=en") == "2 December 2025"
    assert portal.get("/poster?by=0123456789abcdef").status_code == 404 == portal.get("/poster?topic=nope").status_code


def test_a_sheet_with_nothing_on_it_needs_not_be_taken_down(neighbourhood, portal):
    neighbourhood.pass_days(3)
    page = text(portal, "/leaflet?lang=en")
    assert "Please take it down" not in page and "Printed on 4 December 2025" in page


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_kept_as_a_file_needs_nothing_else(portal, sheet):
    answer = portal.get(f"{sheet}?file=1")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert not re.search(r"(src|href)=", answer.get_data(as_text=True))


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_sheet_has_a_large_type_version(portal, sheet):
    pages = [text(portal, f"{sheet}?size={size}") for size in ("", "large")]
    normal, large = (re.search(r'<body class="(?:O )?(L?) f(\d)"', page) for page in pages)
    assert large[1] and not normal[1] and int(large[2]) >= LARGE


def test_a_poster_shows_every_event_of_the_week_in_whatever_type(portal, neighbourhood):
    calm = re.search(r'<body class=" f(\d)"', text(portal, "/poster"))[1]
    for number in range(40):
        title = f"Bal e{number}e " + "de rue " * 9
        neighbourhood.event((title, "Place " * 10, "", ""), neighbourhood.board.now() + 90 * number)
    crowded, large = text(portal, "/poster?lang=en"), text(portal, "/poster?lang=en&size=large")
    assert re.search(r'<body class=" f(\d)"', crowded)[1] < calm
    for page in (crowded, large):
        assert {f"e{number}e" for number in range(40)} <= set(re.findall(r"e\d+e", page)) and "more event" not in page
    leaflet = text(portal, "/leaflet?lang=en&size=large")
    shown = len(set(re.findall(r"e\d+e", leaflet)))
    assert 0 < shown < 10 and f"{41 - shown - 1} more events are on the board" in leaflet


def test_a_poster_of_more_events_than_any_wall_takes_says_how_many_are_on_the_board(portal, neighbourhood):
    for number in range(130):
        neighbourhood.event((f"Bal {number}",), neighbourhood.board.now() + 60 * number)
    page = portal.get("/poster?lang=en")
    assert "11 more events are on the board." in page.get_data(as_text=True) and len(page.data) < 60_000


def test_poster_and_leaflet_carry_two_qr_codes(portal):
    for sheet in ("/poster", "/leaflet"):
        page = text(portal, sheet)
        assert re.findall(r'<span role="img" aria-label="([^"]+)"><svg', page) == ["Archipel", "http://archipel.lan/"]


def test_an_item_has_its_own_sheet_with_its_qr_code(portal, event):
    for shape, name in (("poster", "aria-label"), ("strips", "aria-label"), ("leaflets", "alt")):
        page = text(portal, f"/r/{event.id[:12]}/print?as={shape}")
        assert f'{name}="http://archipel.lan/r/{event.id[:12]}"' in page and "Venez" in page
        assert page.count("Assemblée") >= {"poster": 2, "strips": 9, "leaflets": 5}[shape] and len(page.encode()) < 13_100
    assert portal.get(f"/r/{event.id[:12]}/print?as=nonsense").status_code == 404


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


def test_type_is_as_large_as_the_pages_take_it():
    few, many = [Block("x" * 40)] * 5, [Block("mot " * 30)] * 14
    assert scale_of(few, 0) == (len(SCALES) - 1, 1) and scale_of(many, 0)[0] < LARGE and scale_of(many, 0)[1] == 1
    scale, pages = scale_of(many, 40)
    assert pages == 1 and height_mm(many, 40, SCALES[scale]) <= PAGE_HEIGHT_MM < height_mm(many, 40, SCALES[scale + 1])
    scale, pages = scale_of(many * 9, 0, LARGE)
    assert scale >= LARGE and pages > 9  # whatever it takes


def test_texts_are_measured_by_their_words():
    assert lines("", 10) == 1 and lines("un\ndeux\n\ntrois", 100) == 4
    assert lines("mot " * 40, 25) < lines("mot " * 40, 25, bold=True) and lines("W" * 50, 10) == 5
    assert lines("suite", 12, before="Un titre bien long") > lines("suite", 12)
    pieces = [("a", 60, False), ("b", 30, True), ("c", 30, False), ("d", 200, False)]
    assert pages_of(pieces, 100) == [["a"], ["b", "c"], ["d"]]


def test_a_post_has_a_poster_with_the_largest_title_that_leaves_the_rest_room():
    short = sizes_of("Bal", ["Samedi 5 décembre", "20:30"], "", 182, 200)
    longer = sizes_of("Assemblée générale des locataires", ["Samedi 5 décembre", "20:30"], "Venez. " * 30, 182, 200)
    longest = sizes_of("mot " * 30, ["Samedi 5 décembre", "20:30"], "Venez. " * 200, 182, 200)
    assert TITLE_PT[short.title] > 150 > TITLE_PT[longer.title] >= 48 > TITLE_PT[longest.title] >= 22
    assert sizes_of("Bal", [], "mot " * 3_000, 182, 200) is None  # it runs on
