"""The map of gatherings: where events are, seen from the island, drawn and told."""

import re

import pytest

from node.board.api import Draft, Picture
from node.model.record import Kind
from tests.board.test_image import png
from web.event_map import MARGIN, SIDE, Chart, laid, strokes

CENTRE = (48.8710, 2.3650)
CHART = Chart(CENTRE, 2_000)


def announce(board, title, position):
    start = board.now() + 60
    return board.post(Draft(Kind.EVENT, "", title=title, start=start, end=start + 60, position=position))


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
    assert page.count('r="11"') == 2 and 'role="img"' in page


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
