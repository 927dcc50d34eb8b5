"""The map of gatherings: where events are, seen from the island, drawn and told."""

import hashlib
import io
import re
from base64 import b64encode
from dataclasses import replace

import pytest

from node.board.api import Draft, Picture
from node.board.street_map import MARGIN as BEYOND
from node.i18n.sentence import Explained, sentence
from node.model.event import Repetition, Rhythm
from node.model.record import Kind
from tests.board.test_image import png
from tests.board.test_street_map import MAP
from tests.web.signing import desk_of
from web import create_app
from web.event_map import DAYS_AHEAD, MARGIN, SIDE, Chart, laid, laid_streets, strokes

CENTRE = (48.8710, 2.3650)
CHART = Chart(CENTRE, 2_000)


def announce(board, title, position, days=0):
    start = board.now() + 60 + 1_440 * days
    return board.post(Draft(Kind.EVENT, "", title=title, start=start, end=start + 60, position=position))


def north(metres):
    """So far north of the island."""
    return CENTRE[0] + metres / 111_320, CENTRE[1]


def with_streets(board, reach_m=1_087):
    board.set_streets(replace(MAP, centre=CENTRE, reach_m=reach_m).svg().encode(), "lea")


def page_of(portal, path):
    return portal.get(path).get_data(as_text=True)


def numbers(page):
    """The numbers on the dots, and those in the list."""
    return re.findall(r">(\d+)</text></a>", page), re.findall(r'<li id="n(\d+)"', page)


def test_the_centre_is_in_the_middle_and_north_is_up():
    assert CHART.xy(CENTRE) == (SIDE // 2, SIDE // 2)
    assert CHART.xy((CENTRE[0] + 2_000 / 111_320, CENTRE[1])) == (SIDE // 2, MARGIN)
    assert CHART.xy((CENTRE[0], CENTRE[1] + 0.01))[0] > SIDE // 2


def test_what_is_picked_is_where_it_was_touched():
    for x, y in ((10, 20), (150, 150), (280, 33)):
        assert CHART.xy(CHART.position(x, y)) == (x, y)
    for far in (Chart((89.9, 0.0), 500_000), Chart((0.0, 179.9), 500_000)):
        latitude, longitude = far.position(299, 0)
        assert -90 <= latitude <= 90 and -180 <= longitude <= 180


def test_the_other_side_of_the_date_line_is_near():
    east, _north = Chart((0.0, 179.9), 2_000).metres((0.0, -179.9))
    assert east == pytest.approx(0.2 * 111_320)


def test_gatherings_are_drawn_and_listed_with_distance_and_direction(portal, board):
    announce(board, "Au nord", (CENTRE[0] + 800 / 111_320, CENTRE[1]))
    announce(board, "Ici même", CENTRE)
    announce(board, "Sans lieu", None)
    page = portal.get("/map?lang=en").get_data(as_text=True)
    assert "800 m, north" in page and "right here" in page and "Sans lieu" not in page
    assert page.count('r="11"') == 2 and 'aria-labelledby="about"' in page


def test_the_keeper_s_outline_is_drawn_and_what_cannot_be_read_is_left_out(portal, board):
    outline = "48.8710,2.3650 48.8720,2.3660\nn'importe quoi\n1e999,2 3\n48.87,2.36,9"
    assert len(strokes(outline, CHART)) == 1
    board.set_outline("48.8710,2.3650 48.8720,2.3660", "lea")
    announce(board, "Au nord", (CENTRE[0] + 0.005, CENTRE[1]))
    assert "<polyline" in portal.get("/map").get_data(as_text=True)
    assert "<polyline" in portal.get("/map.svg").get_data(as_text=True)


def test_a_map_without_gatherings_says_so(portal):
    assert "has a position" in portal.get("/map?lang=en").get_data(as_text=True)


def test_the_keeper_s_picture_lies_under_the_map_where_its_corners_are(portal, board):
    announce(board, "Au nord", (CENTRE[0] + 0.005, CENTRE[1]))
    assert portal.get("/map/picture").status_code == 404 and "<image" not in portal.get("/map").get_data(as_text=True)
    board.set_picture(png(), [(48.8755, 2.3650), (48.8710, 2.3730)], "lea")
    found = re.search(r'<image x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"[^>]* xlink:href="([^"]+)"',
                      portal.get("/map").get_data(as_text=True))
    x, y, width, height = map(int, found.groups()[:4])
    assert (x, y + height) == (150, 150) and width > 50 and height > 50  # its lower left corner is the island
    answer = portal.get(found[5])
    assert (answer.data, answer.mimetype) == (png(), "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert portal.get(found[5], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert "data:image/png;base64,iVBOR" in portal.get("/map.svg").get_data(as_text=True)
    board.set_picture(None, [], "lea")
    assert portal.get("/map/picture").status_code == 404


@pytest.mark.parametrize("corners", [((49.9, 2.0), (49.8, 2.1)), ((48.5, 2.3), (48.4, 2.4)), ((48.9, 2.9), (48.8, 3.0)),
                                     ((48.9, 2.0), (48.8, 2.1)), ((90.0, -180.0), (-90.0, 180.0))])
def test_a_picture_of_elsewhere_is_not_drawn(corners):
    assert laid(Picture("image/png", b"", *corners), CHART, "") is None


def test_the_street_map_lies_under_the_map_where_it_is_and_is_credited(portal, board):
    announce(board, "Au nord", north(300))
    assert portal.get("/map/streets").status_code == 404 and "OpenStreetMap" not in page_of(portal, "/map")
    with_streets(board)
    page = page_of(portal, "/map?lang=en")
    source = re.search(r'<image x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)" xlink:href="(.*?)"', page)
    assert [round(float(part)) for part in source.groups()[:4]] == [0, 0, 300, 300]  # the chart is as wide as the map
    assert "openstreetmap.org/copyright" in page and "ODbL" in page and "500 m</text>" in page
    answer = portal.get(source[5].replace("&amp;", "&"))
    assert answer.mimetype == "image/svg+xml" and b'id="street"' in answer.data and b"OpenStreetMap" in answer.data
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert portal.get(source[5].replace("&amp;", "&"), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    board.set_streets(None, "lea")
    assert portal.get("/map/streets").status_code == 404


def test_the_style_of_the_street_map_is_allowed_where_it_is_looked_at_alone(portal, board):
    with_streets(board)
    answer = portal.get("/map/streets?span=1000")
    style = re.search(rb"<style>(.*?)</style>", answer.data)[1]
    digest = b64encode(hashlib.sha256(style).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"] and b"prefers-color-scheme:dark" in style


def test_the_streets_are_in_the_picture_on_which_a_place_is_picked(portal, board):
    with_streets(board)
    drawn = portal.get("/map.svg?span=1000").get_data(as_text=True)
    assert 'id="street"' in drawn and "/map/streets" not in drawn and "<style" not in drawn
    assert "© OpenStreetMap</text>" in drawn and "1 km</text>" in drawn and "500 m</text>" not in drawn


def test_a_far_event_does_not_make_the_streets_small(portal, board):
    with_streets(board)
    announce(board, "Tout près", north(300))
    announce(board, "Très loin", north(40_000))
    page = page_of(portal, "/map?lang=en")
    assert "500 m</text>" in page and "40 km, north" in page and "A white dot at the edge" in page
    assert numbers(page) == (["1", "2"], ["1", "2"])
    assert "A white dot" not in page_of(portal, "/map?lang=en&span=50000")


def test_events_at_one_place_share_a_dot_and_a_number(portal, board):
    for day, title in enumerate(("Soupe", "Concert", "Lecture", "Bal", "Tri")):
        announce(board, title, CENTRE, day)
    announce(board, "Ailleurs", north(700))
    page = page_of(portal, "/map?lang=en")
    assert numbers(page) == (["1", "2"], ["1", "2"]) and "2 more here" in page
    assert [title in page for title in ("Soupe", "Lecture", "Bal", "Ailleurs")] == [True, True, False, True]
    whole = page_of(portal, re.search(r'href="(/map\?at=[^"]+)"', page)[1].replace("&amp;", "&"))
    assert all(title in whole for title in ("Soupe", "Concert", "Lecture", "Bal", "Tri")) and "Ailleurs" not in whole


def test_from_an_event_one_gets_to_its_dot_and_back(portal, board):
    one = announce(board, "Tout près", CENTRE)
    other = announce(board, "Là-bas", north(700), 1)
    at = re.search(r'href="(/map\?[^"]+)">Sur la carte', page_of(portal, f"/r/{other.id[:12]}?lang=fr"))[1]
    page = page_of(portal, at.replace("&amp;", "&"))
    assert numbers(page) == (["2"], ["2"]) and 'r="16"' in page and "Tout près" not in page
    assert f"/r/{other.id[:12]}" in page and 'href="/map?lang=fr"' in page
    assert "Sur la carte" in page_of(portal, f"/r/{one.id[:12]}?lang=fr")
    nowhere = announce(board, "Nulle part", None)
    assert "/map?at" not in page_of(portal, f"/r/{nowhere.id[:12]}")
    assert portal.get(f"/map?at={nowhere.id[:12]}").status_code == 404 == portal.get("/map?at=abcdefabcdef").status_code


def test_an_event_that_is_not_among_those_of_two_weeks_is_shown_on_the_map_too(portal, board):
    later = announce(board, "Dans un mois", north(200), DAYS_AHEAD + 16)
    assert "Dans un mois" not in page_of(portal, "/map")
    page = page_of(portal, f"/map?at={later.id[:12]}")
    assert "Dans un mois" in page and numbers(page) == (["1"], ["1"])


def test_seen_nearer_an_event_far_from_the_island_is_in_the_middle(portal, board):
    other = announce(board, "Au loin", north(5_000))
    assert chart_near(portal, other, 250) == ["150", "150"]
    assert chart_near(portal, other, 5_000) != ["150", "150"]


def test_on_the_street_map_an_event_is_shown_nearer_than_all_places(portal, board):
    with_streets(board)
    near, far = announce(board, "À côté", north(300)), announce(board, "Au bord", north(800))
    assert "500 m</text>" in page_of(portal, "/map?lang=en")
    assert "250 m</text>" in page_of(portal, f"/map?at={near.id[:12]}&lang=en")
    page = page_of(portal, f"/map?at={far.id[:12]}&lang=en")
    assert "250 m</text>" in page and '<circle cx="150" cy="150" r="16"' in page and "The cross" not in page
    beyond = announce(board, "Plus loin", north(1_500))
    assert "1 km</text>" in page_of(portal, f"/map?at={beyond.id[:12]}&lang=en")


def chart_near(portal, event, span):
    """Where the event's dot is."""
    page = page_of(portal, f"/map?at={event.id[:12]}&span={span}&lang=en")
    assert "5 km, north" in page
    return list(re.search(r'<circle cx="(\d+)" cy="(\d+)" r="16"', page).groups())


def test_places_on_other_parts_of_the_list_are_specks(portal, board):
    for number in range(16):
        announce(board, f"Événement {number}", north(number * 120))
    first = page_of(portal, "/map")
    shown, listed = numbers(first)
    assert shown == listed and 5 < len(shown) < 16 and len(first.encode()) < 14_000
    assert first.count("h0") == 16 - len(shown)
    following = page_of(portal, re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&"))
    assert numbers(following)[1][0] == str(len(shown) + 1)


def test_a_repeated_event_is_listed_once(portal, board):
    start = board.now() + 60
    board.post(Draft(Kind.EVENT, "", title="Chaque jour", start=start, end=start + 60, position=CENTRE,
                     repetition=Repetition(Rhythm.DAYS, 1, 9)))
    assert page_of(portal, "/map").partition("<main")[2].count("Chaque jour") == 1


def test_a_street_map_of_elsewhere_is_not_drawn():
    assert laid_streets(replace(MAP, centre=(43.3, 5.4)), CHART) is None
    assert laid_streets(replace(MAP, centre=CENTRE), Chart(CENTRE, 100_000)) is None
    seen = laid_streets(replace(MAP, centre=CENTRE, reach_m=round(500 * BEYOND)), Chart(CENTRE, 1_000))
    assert (round(seen.x), round(seen.width)) == (75, 150)


def test_without_a_place_of_its_own_an_island_shows_its_streets(board, settings):
    portal = create_app(board, replace(settings, position=None)).test_client()
    assert "has a position" in page_of(portal, "/map?lang=en")
    with_streets(board)
    page = page_of(portal, "/map?lang=en")
    assert "<image" in page and "The cross is this island" not in page


def test_the_keeper_hands_in_a_street_map_and_removes_it(portal, board):
    desk = desk_of(portal)
    told = desk("streets", streets=(io.BytesIO(b"<svg>no</svg>"), "x.svg"))
    assert told.status_code == 422 and "archipel map" in told.get_data(as_text=True) and board.streets() is None
    desk("streets", streets=(io.BytesIO(MAP.svg().encode()), "map.svg"))
    assert board.streets() == MAP and board.audit_log()[0].action == "streets"
    assert "48.8710, 2.3650" in page_of(portal, "/keeper/map")
    desk("streets", action="remove")
    assert board.streets() is None


def test_the_keeper_hands_in_an_extract_and_it_is_drawn(board, settings):
    asked = []

    def draw(content, place, radius_m):
        asked.append((content, place, radius_m))
        if content == b"broken":
            raise Explained(sentence("This file is broken."))
        return MAP.svg().encode()

    desk = desk_of(create_app(board, replace(settings, draw_streets=draw)).test_client())
    assert desk("streets", streets=(io.BytesIO(b"<osm>"), "map.osm")).status_code == 303 and board.streets() == MAP
    refused = desk("streets", streets=(io.BytesIO(b"broken"), "map.osm"), around="43.3, 5.4", radius="500", why="exprès")
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "This file is broken." in text and "43.3, 5.4" in text and "exprès" in text
    assert asked == [(b"<osm>", settings.position, 1_000), (b"broken", (43.3, 5.4), 500)]
    nowhere = desk_of(create_app(board, replace(settings, draw_streets=draw, position=None)).test_client())
    told = nowhere("streets", streets=(io.BytesIO(b"<osm>"), "map.osm"))
    assert told.status_code == 422 and len(asked) == 2 and "latitude, longitude" in told.get_data(as_text=True)
