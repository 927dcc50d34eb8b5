"""Official alerts on the pages and given on as CAP 1.2: always by their issuer's name."""

from dataclasses import replace
from xml.etree import ElementTree as xml

import pytest

from node.board.alerts import Alert
from node.board.api import Draft
from node.gather.cap_alerts import alerts_in
from node.model.record import Kind
from tests.sim.portals import ELSEWHERE, words

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
ALERT_ORDER = ["identifier", "sender", "sent", "status", "msgType", "scope", "note", "references", "info"]
INFO_ORDER = ["language", "category", "event", "urgency", "severity", "certainty", "onset", "expires", "senderName",
              "headline", "description", "web", "parameter", "area"]
ORAGES = Alert("Météo <b>Exemple", "veille@meteo.exemple", "1", "2025-12-01T08:00:00+01:00",
               ("Update", "Met", "Expected", "Severe", "Likely"), 1_010_000, "orages", "Paris",
               "veille@meteo.exemple,0,2025-12-01T07:00:00+01:00")


@pytest.fixture
def passed_on(neighbourhood):
    def pass_on(alert, text="Météo: Orages\n\nRestez chez vous."):
        draft = Draft(Kind.BULLETIN, text, 1, 12, 2, alert=alert)
        record = replace(neighbourhood.board.compose(draft).record, author=ELSEWHERE.key_id)
        neighbourhood.take(record)
        return neighbourhood.board.bulletins().items[0]
    return pass_on


def read(portal, path):
    answer = portal.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/cap+xml")
    message = xml.fromstring(answer.get_data())
    assert message.tag == CAP + "alert" and in_order(message, ALERT_ORDER)
    assert all(in_order(info, INFO_ORDER) for info in message.iter(CAP + "info"))
    return message


def in_order(element, order):
    places = [order.index(child.tag.removeprefix(CAP)) for child in element]
    return places == sorted(places)


def of(message, name):
    return [one.text for one in message.iter(CAP + name)]


def test_a_page_says_whose_an_alert_is_and_through_whom_it_came(portal, neighbourhood, passed_on):
    item = passed_on(ORAGES)
    page = portal.get(f"/r/{item.id[:12]}?lang=en").get_data(as_text=True)
    assert "official, from Météo &lt;b&gt;Exemple, received by Île de la gare" in words_kept(page)
    assert "It is for Paris." in words_kept(page) and f"/r/{item.id[:12]}.cap.xml" in page
    neighbourhood.board.post(Draft(Kind.BULLETIN, "Météo: Vent", 1, 12, 2, alert=replace(ORAGES, issuer="Vigie")))
    listed = words_kept(portal.get("/bulletins?lang=en").get_data(as_text=True))
    assert "official, from Météo" in listed and "official, from Vigie, received by this island" in listed


def words_kept(page):
    return " ".join(page.replace("<bdi>", "").replace("</bdi>", "").split())


def test_one_alert_is_given_on_by_its_own_name(portal, passed_on):
    item = passed_on(ORAGES)
    for path in ("/alerts.cap.xml", f"/r/{item.id[:12]}.cap.xml"):
        message = read(portal, path)
        assert (of(message, "identifier"), of(message, "sender"), of(message, "sent")) == (
            ["1"], ["veille@meteo.exemple"], ["2025-12-01T08:00:00+01:00"])
        assert of(message, "msgType") == ["Update"] and of(message, "references") == [ORAGES.replaces]
        assert of(message, "senderName") == ["Météo <b>Exemple"] and "Île de la gare" in of(message, "note")[0]
        assert of(message, "headline") == ["Météo: Orages"] and of(message, "areaDesc") == ["Paris"]
        (told,) = alerts_in(portal.get(path).get_data(as_text=True), 1)
        assert replace(told.alert, issuer=ORAGES.issuer) == ORAGES


def test_several_stand_in_one_message_each_by_its_issuer(portal, passed_on):
    passed_on(ORAGES)
    passed_on(replace(ORAGES, identifier="2", issuer="Préfecture", replaces=""), "Préfecture: Crue")
    message = read(portal, "/alerts.cap.xml")
    assert sorted(of(message, "senderName")) == ["Météo <b>Exemple", "Préfecture"] and of(message, "status") == ["Actual"]
    assert of(message, "sender")[0].startswith("archipel-") and ORAGES.reference in of(message, "value")


def test_none_is_a_message_of_the_system_and_a_post_of_a_neighbour_is_no_alert(portal, board, neighbourhood):
    posted = board.post(Draft(Kind.BULLETIN, "Attention, rue coupée", topic=12))
    message = read(portal, "/alerts.cap.xml")
    assert of(message, "status") == ["System"] and not of(message, "info")
    assert portal.get(f"/r/{posted.id[:12]}.cap.xml").status_code == 404


def test_a_post_with_parts_that_are_no_alert_is_not_shown(neighbourhood, board):
    board.post(Draft(Kind.BULLETIN, "Bonjour"))
    for parts in (("x",), ORAGES.parts[:-1], (*ORAGES.parts, "x"), ("\u202e", *ORAGES.parts[1:])):
        packed = "\x1f".join(("Alerte", *parts)).encode()
        record = replace(board.compose(Draft(Kind.BULLETIN, "x")).record, author=ELSEWHERE.key_id, codec=0, packed=packed)
        neighbourhood.take(record)
    assert [item.text for item in board.bulletins().items] == ["Bonjour"]


def test_a_visitor_cannot_type_an_alert(portal, board):
    text = "\x1f".join(("Alerte", *ORAGES.parts))
    answer = portal.post("/post?lang=en", data={"kind": "bulletin", "text": text, "action": "publish"})
    assert (answer.status_code == 422 and "cannot be seen" in words(answer)) or not board.bulletins().items
