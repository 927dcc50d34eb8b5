"""`/wall.png`: what e-ink screens show of the board, and what is said where it cannot be drawn."""

import io
from dataclasses import replace

import pytest
from PIL import Image, features

from node.board.night_rest import Rest, RestPart
from web import wall_letters, wall_screen
from web.wall_letters import ELLIPSIS, Type, drawable, wrapped
from web.wall_picture import MOST_PAGES, RowKind, Screen, Wall, WallRow, pages_of, picture
from web.wall_screen import wall_now

SCREEN = Screen(800, 480)


def wall(*rows, today=0, **more):
    return Wall("Île du canal", "Mardi 2 décembre", tuple(rows), today, "archipel.lan", "", "Et %(num)s de plus", **more)


def events(count, title="Bal e{}e", day="Mercredi"):
    return [WallRow(RowKind.DAY, day), *(WallRow(RowKind.EVENT, title.format(number), "18:30", "Place")
                                         for number in range(count))]


def texts(page):
    return " ".join(line.text for row in page for line in row.lines)


def shown(portal):
    with portal.application.test_request_context("/wall.png?lang=en"):
        portal.application.preprocess_request()
        return wall_now()


def image(answer):
    return Image.open(io.BytesIO(answer.data))


@pytest.mark.parametrize("size", [(800, 480), (250, 122), (758, 1024), (2048, 2048), (120, 120)])
def test_it_has_the_size_that_was_asked_for_in_one_bit_a_dot(portal, neighbourhood, size):
    neighbourhood.event(("Assemblée", "Maison"), neighbourhood.board.now() + 60)
    answer = portal.get(f"/wall.png?w={size[0]}&h={size[1]}")
    drawn = image(answer)
    assert (answer.mimetype, drawn.size, drawn.mode) == ("image/png", size, "1")
    assert 0 < drawn.histogram()[0] < drawn.histogram()[-1], "black on white, not the other way round"


@pytest.mark.parametrize("asked", ["w=119&h=480", "w=800&h=2049", "w=-800&h=480", "w=800&h=", "w=1e3&h=480", "w=٨٠٠&h=480",
                                   "w=8.5&h=480", "w=99999999999&h=480", "minutes=0", "minutes=1441", "minutes=x"])
def test_another_size_is_refused_with_what_to_write(portal, asked):
    answer = portal.get(f"/wall.png?lang=en&{asked}")
    assert answer.status_code == 400 and answer.mimetype == "text/plain"
    assert "/wall.png?w=800&h=480&minutes=10" in answer.get_data(as_text=True)


def test_a_screen_that_has_it_already_is_told_so_until_something_else_is_shown(portal, neighbourhood):
    neighbourhood.event(("Assemblée", "Maison"), neighbourhood.board.now() + 600)
    first = portal.get("/wall.png")
    assert first.status_code == 200 and first.headers["Refresh"] == "600"
    known = {"If-None-Match": first.headers["ETag"]}
    neighbourhood.clock.advance(1_800)
    again = portal.get("/wall.png", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert portal.get("/wall.png?w=801", headers=known).status_code == 200
    neighbourhood.event(("Bal", "Place"), neighbourhood.board.now() + 700)
    assert portal.get("/wall.png", headers=known).status_code == 200
    neighbourhood.clock.advance(86_400)
    assert portal.get("/wall.png", headers=known).status_code == 200, "another day"


def test_all_of_today_is_on_the_first_page_as_large_as_it_can_be():
    few, many = (events(count, day="") for count in (2, 6))
    sizes = []
    for rows in (few[1:], many[1:]):
        first = pages_of(wall(*rows, *events(20), today=len(rows)), SCREEN)[0]
        assert all(row.said in texts(first) for row in rows)
        sizes.append(first[0].lines[0].type.size)
    assert sizes[0] > sizes[1]


def test_what_does_not_fit_is_counted_on_the_last_page():
    rows = [row for day in "abcdefg" for row in events(40, day)]
    pages = pages_of(wall(*rows, beyond=13), SCREEN)
    assert len(pages) == MOST_PAGES
    shown = sum(row.kind is RowKind.EVENT for page in pages for row in page)
    assert texts(pages[-1]).endswith(f"Et {280 - shown + 13} de plus") and 60 < shown < 280
    few = pages_of(wall(*events(3)), SCREEN)
    assert "de plus" not in texts(few[-1]) and sum(row.kind is RowKind.EVENT for page in few for row in page) == 3
    assert texts(pages_of(wall(*events(3), beyond=2), SCREEN)[-1]).endswith("Et 2 de plus")


def test_each_page_says_its_day_and_what_is_urgent():
    urgent = WallRow(RowKind.URGENT, "Fuite de gaz", below="Mardi 2 décembre, 18:00")
    pages = pages_of(wall(urgent, *events(60)), SCREEN)
    assert len(pages) > 2 and all("Fuite de gaz" in texts(page) and "Mercredi" in texts(page) for page in pages)
    assert not [page for page in pages if page[-1].kind is RowKind.DAY], "no day's name without an event under it"


def test_its_pages_follow_each_other_as_often_as_the_screen_asks(portal, neighbourhood):
    for number in range(12):
        neighbourhood.event((f"Bal e{number}e", "Place"), neighbourhood.board.now() + 600 + 700 * number)
    tags = []
    for _ in range(8):
        tags.append(portal.get("/wall.png?w=400&h=300&minutes=30").headers["ETag"])
        assert portal.get("/wall.png?w=400&h=300&page=-1").status_code == 200
        neighbourhood.clock.advance(1_800)
    pages = len(set(tags))
    assert pages > 1 and tags[0] == tags[pages] != tags[1]


def test_arabic_is_joined_and_begins_at_the_right():
    type_ = Type(40, True)
    assert type_.length("سلام", True) < sum(type_.length(letter, True) for letter in "سلام") * 0.9
    row = WallRow(RowKind.TEXT, "سلام")
    inks = [Image.open(io.BytesIO(picture(wall(row, rtl=rtl), SCREEN, 0))).crop((0, 100, 800, 440)).convert("L").point(
        lambda dot: 255 - dot).getbbox() for rtl in (True, False)]
    assert inks[0][0] > 400 and inks[1][2] < 400


def test_texts_are_cut_at_words_and_say_that_they_go_on():
    fits = lambda line: len(line) <= 10  # noqa: E731 - as long as the line below
    assert wrapped("une grande fête", fits, 2) == ["une grande", "fête"]
    assert wrapped("une grande fête au bord du canal", fits, 2) == ["une grande", f"fête au{ELLIPSIS}"]
    assert wrapped("abcdefghijklmnop", fits, 1) == [f"abcdefghi{ELLIPSIS}"] and wrapped("", fits, 2) == []
    assert wrapped("x", lambda line: False, 2) == ["x"], "a letter a line, where nothing fits"
    assert drawable("Fête \U0001f389  du ☀️ canal") == "Fête du ☀ canal"


def test_an_event_has_its_hour_title_and_place_and_a_day_without_any_says_so(portal, neighbourhood):
    assert [(row.kind, row.said) for row in shown(portal).rows] == [(RowKind.TEXT, "Nothing is announced for this day.")]
    now = neighbourhood.board.now()
    neighbourhood.event(("Bal <b>", "Place\nd’Italie"), now + 60)
    neighbourhood.event(("Fête", "Quai"), now + 90, length=3 * 1440)
    bal, fete, *_later = shown(portal).rows
    assert (bal.said, bal.hour, bal.below) == ("Bal <b>", "11:00", "Place d’Italie")
    assert (fete.said, fete.hour, fete.below) == ("Fête", "11:30", "until Thursday, 4 December · Quai")


def test_at_night_it_says_until_when_and_what_is_urgent(portal, neighbourhood):
    neighbourhood.told = replace(neighbourhood.told, source="gps")
    neighbourhood.board.set_rests({RestPart.PORTAL: Rest(0, 23 * 60)}, "lea")
    neighbourhood.bulletin("Une annonce")
    neighbourhood.bulletin("Fuite de gaz", urgent=True)
    assert portal.get("/wall.png?lang=en").status_code == 200
    assert [row.said for row in shown(portal).rows] == ["Fuite de gaz", "This island rests until 23:00."]


@pytest.mark.parametrize("missing,package", [("raqm", "libfribidi0"), ("fribidi", "libfribidi0"),
                                             ("", "fonts-dejavu-core")])
def test_where_letters_are_missing_it_says_what_to_install(portal, monkeypatch, missing, package):
    wall_letters._letters.cache_clear()
    pages_of.cache_clear()
    monkeypatch.setattr(features, "check", lambda name: name != missing)
    monkeypatch.setattr(wall_letters, "BOLD", "no-such-letters.ttf")
    answer = portal.get("/wall.png?lang=en")
    assert answer.status_code == 503 and answer.get_data(as_text=True).strip().endswith(f"sudo apt install {package}")


def test_while_another_one_is_drawn_it_asks_for_patience(portal, monkeypatch):
    monkeypatch.setattr(wall_screen, "DRAWING_S", 0)
    with wall_screen._drawing:
        answer = portal.get("/wall.png")
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
    assert portal.get("/wall.png").status_code == 200
