"""The radio operator's page shows all that the board tells of its links, soberly and safely."""

import csv
import io
import re
from dataclasses import replace

from node.board.air_orders import AirOrder, AirOrderKind
from node.board.air_words import STATE_REMEDIES
from node.board.status import AirHistory, LinkStatus, NeighbourStatus, QueueStatus
from tests.sim.portals import words
from tests.web.signing import desk_of
from web.pages import MAX_PAGE_BYTES
from web.radio_page import flat


def test_nested_state_becomes_rows_and_links_go_by_their_name():
    state = {"clock": {"sure": True}, "links": [{"name": "radio", "used_s": 1.5, "peers": ["a"]}], "none": None}
    assert list(flat(state)) == [("clock.sure", "yes"), ("links.radio.name", "radio"), ("links.radio.used_s", "1.5"),
                                 ("links.radio.peers.0", "a"), ("none", "")]


def test_the_page_and_the_csv_tell_the_same(portal):
    rows = dict(csv.reader(io.StringIO(portal.get("/radio.csv").get_data(as_text=True))))
    assert rows["rules.posting"] == "open"
    page = portal.get("/radio/all?lang=fr").get_data(as_text=True)
    assert "règles · publier" in page and "<td dir=\"auto\">oui</td>" in page


def test_what_a_neighbour_calls_itself_is_no_markup_and_no_formula(portal, neighbourhood):
    many = {f"counter {number}": number for number in range(2000)}
    neighbourhood.host = replace(neighbourhood.host, links=(LinkStatus("=cmd()", True, "<script>" * 50, many),))
    answer = portal.get("/radio/all")
    assert b"<script" not in answer.data and len(answer.data) < 14_000
    assert "\n=" not in portal.get("/radio.csv").get_data(as_text=True)


def test_what_a_link_or_a_neighbour_is_called_is_not_translated(portal, neighbourhood):
    near = NeighbourStatus("yes6", heard_s_ago=3, relays=0, loss=0.1, set="same", lacks=0)
    neighbourhood.host = replace(neighbourhood.host, links=(LinkStatus("radio", True, "up", neighbours=(near,)),))
    page = portal.get("/radio/all?lang=fr").get_data(as_text=True)
    assert '<td dir="auto">radio</td>' in page and "voisine · yes6 · part des paquets perdus" in page
    page = portal.get("/radio/all?lang=ar").get_data(as_text=True)
    assert '<td dir="auto">radio</td>' in page


def told(answer):
    """What a page says, without the blanks that its markup brings."""
    return words(answer).replace(" :", ":").replace(" ,", ",")


RADIO_PAGES = ("/radio", "/radio/heard", "/radio/queue", "/radio/all")


def test_every_page_of_the_radio_fits_in_every_language(portal):
    looked = [len(portal.get(f"{path}?lang={tag}").data) for path in RADIO_PAGES for tag in ("fr", "en", "es", "ar")]
    assert len(looked) == 16 and max(looked) < MAX_PAGE_BYTES - 900


def test_the_page_says_when_the_next_packet_goes_and_why(portal):
    page = told(portal.get("/radio?lang=en"))
    assert "The next packet goes at 10:36: this hour’s air is used; 22 s are kept for urgent calls." in page
    assert "Until 10:15 only what is urgent goes." in page
    assert "157.5 of 180 s of air are used." in page and "The law allows 360 s an hour" in page
    assert "Now 14 %" in page.replace("\N{NO-BREAK SPACE}", " ")


def test_every_picture_has_words_for_who_does_not_see_it(portal):
    pictures = [svg for path in RADIO_PAGES for svg in re.findall(r"<svg[^>]*>", portal.get(path).get_data(as_text=True))]
    assert len(pictures) > 8
    assert all('aria-hidden="true"' in svg or re.search(r'role="img" aria-label="[^"]{8,}"', svg) for svg in pictures)


def test_pictures_have_their_numbers_as_the_reader_writes_them(portal):
    for tag, point in (("fr", "."), ("en", ".0")):
        page = portal.get("/radio", headers={"Accept-Language": tag}).text
        numbers = re.findall(r"<text[^>]*>([^<]+)</text>", page)
        assert len(numbers) >= 2 and not [number for number in numbers if point in number], (tag, numbers)


def test_a_deaf_a_lossy_and_a_silent_neighbour_are_told_with_their_remedy(portal):
    page = words(portal.get("/radio/heard?lang=en"))
    deaf, lossy, silent = (page.index(one) for one in ("does not hear us", "half of it is lost", "not heard for hours"))
    assert page.index("Jardin du haut") < deaf < page.index("Ferme des Lilas") < lossy < page.index("b00d") < silent
    assert "SNR 6.5 dB, RSSI -92 dBm" in page and "lacks 31 records of ours" in page and "through 2 relays" in page


def test_each_row_of_the_queue_has_its_moment_and_its_reason(portal):
    page = told(portal.get("/radio/queue?lang=en"))
    assert "events · 2 packets · for 3 neighbours at 10:36: this hour’s air is used" in page
    assert "never: it is longer than all that may be sent here in an hour" in page
    assert "16 more wait behind them." in page
    assert "↓ Île de la gare: “I hold 214 records”, “I hear 3 islands”" in page
    assert "refused: the radio’s time is used" in page


def test_figures_are_in_the_readers_words_with_their_units(portal):
    page = words(portal.get("/radio/all?lang=fr")).replace("\N{NO-BREAK SPACE}", " ")
    assert "radio · occupation du canal 14 %" in page and "état fonctionne" in page and "pourquoi cela attend" in page
    assert " up " not in page and "hour-used" not in page


def test_a_radio_that_does_not_send_says_what_to_do(portal, neighbourhood):
    radio, = neighbourhood.host.links
    looked = 0
    for state in (*STATE_REMEDIES, "of-another-version"):
        neighbourhood.host = replace(neighbourhood.host, links=(replace(radio, up=False, state=state),))
        page = words(portal.get("/radio?lang=en"))
        assert STATE_REMEDIES.get(state, state) in page and "No packet goes: the radio" in page
        looked += 1
    assert looked == len(STATE_REMEDIES) + 1


def test_an_island_that_has_just_begun_and_one_without_a_radio_have_their_pages(portal, neighbourhood):
    radio, = neighbourhood.host.links
    new = replace(radio, neighbours=(), packets=(), history=AirHistory(600, {}, (None,), {}), queue=QueueStatus(0, 0),
                  radio=replace(radio.radio, channel_use=None, own_use=None))
    for links in ((new,), (), (replace(new, up=False, state="absent"),)):
        neighbourhood.host = replace(neighbourhood.host, links=links)
        for path in (*RADIO_PAGES, "/radio.csv", "/metrics"):
            assert portal.get(path).status_code == 200, (path, links)


def test_keepers_may_keep_the_radio_to_themselves(portal, board):
    board.set_radio_for_keepers(True, "lea")
    for path in (*RADIO_PAGES, "/radio.csv"):
        answer = portal.get(f"{path}?lang=en")
        assert answer.status_code == 403 and "keep what its radio does to themselves" in words(answer)
        assert b"Jardin du haut" not in answer.data
    assert b"Jardin du haut" not in portal.get("/keeper/radio/heard").data
    desk_of(portal)
    assert b"Jardin du haut" in portal.get("/keeper/radio/heard").data
    assert b"links.radio.airtime.used_s" in portal.get("/keeper/radio.csv").data


def test_a_keeper_steers_the_radio_for_a_while_and_it_is_in_the_audit_log(portal, board, neighbourhood):
    desk = desk_of(portal)
    assert desk("radio/do", kind="silence", minutes="60").status_code == 303
    assert desk("radio/do", kind="share", minutes="1440", percent="50").status_code == 303
    assert desk("radio/do", kind="only-urgent", minutes="").status_code == 303
    assert desk("radio/do", kind="summary").status_code == 303
    assert neighbourhood.steered == [
        AirOrder(AirOrderKind.SILENCE, 60), AirOrder(AirOrderKind.SHARE, 1_440, 50), AirOrder(AirOrderKind.ONLY_URGENT),
        AirOrder(AirOrderKind.SUMMARY)]
    assert [entry.action for entry in board.audit_log()][:4] == [
        "radio-summary", "radio-free", "radio-share", "radio-silence"]
    for wrong in ({"kind": "silence", "minutes": "100000"}, {"kind": "share", "minutes": "60", "percent": "100"},
                  {"kind": "jam"}, {"kind": "silence", "minutes": "an hour"}, {}):
        answer = desk("radio/do", **wrong)
        assert answer.status_code == 422 and "Choisissez parmi ce qui est proposé." in words(answer)
    assert len(neighbourhood.steered) == 4


def test_the_desk_shows_what_is_wished_and_ends_it(portal):
    desk_of(portal)
    page = portal.get("/keeper/radio/do?lang=en")
    assert "Until 10:15." in words(page) and "End it now" in words(page) and len(page.data) < MAX_PAGE_BYTES - 900


def test_nobody_but_a_keeper_steers_the_radio(portal, neighbourhood):
    portal.post("/keeper/radio/do", data={"kind": "silence", "minutes": "60"})
    portal.post("/keeper/radio/readers", data={"alone": "1"})
    assert neighbourhood.steered == [] and not neighbourhood.board.radio_for_keepers()
