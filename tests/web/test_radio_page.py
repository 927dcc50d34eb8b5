"""The radio operator's page shows all that the board tells of its links, soberly and safely."""

import csv
import io
from dataclasses import replace

from node.board.status import LinkStatus, NeighbourStatus
from web.radio_page import flat


def test_nested_state_becomes_rows_and_links_go_by_their_name():
    state = {"clock": {"sure": True}, "links": [{"name": "radio", "used_s": 1.5, "peers": ["a"]}], "none": None}
    assert list(flat(state)) == [("clock.sure", "yes"), ("links.radio.name", "radio"), ("links.radio.used_s", "1.5"),
                                 ("links.radio.peers.0", "a"), ("none", "")]


def test_the_page_and_the_csv_tell_the_same(portal):
    rows = dict(csv.reader(io.StringIO(portal.get("/radio.csv").get_data(as_text=True))))
    assert rows["rules.posting"] == "open"
    page = portal.get("/radio?lang=fr").get_data(as_text=True)
    assert "règles · publier" in page and "<td dir=\"auto\">oui</td>" in page


def test_what_a_neighbour_calls_itself_is_no_markup_and_no_formula(portal, neighbourhood):
    many = {f"counter {number}": number for number in range(2000)}
    neighbourhood.host = replace(neighbourhood.host, links=(LinkStatus("=cmd()", True, "<script>" * 50, many),))
    answer = portal.get("/radio")
    assert b"<script" not in answer.data and len(answer.data) < 14_000
    assert "\n=" not in portal.get("/radio.csv").get_data(as_text=True)


def test_what_a_link_or_a_neighbour_is_called_is_not_translated(portal, neighbourhood):
    near = NeighbourStatus("yes6", heard_s_ago=3, relays=0, loss=0.1, set="same", lacks=0)
    neighbourhood.host = replace(neighbourhood.host, links=(LinkStatus("radio", True, "up", neighbours=(near,)),))
    page = portal.get("/radio?lang=fr").get_data(as_text=True)
    assert '<td dir="auto">radio</td>' in page and "voisine · yes6 · part des paquets perdus" in page
    page = portal.get("/radio?lang=ar").get_data(as_text=True)
    assert '<td dir="auto">radio</td>' in page
