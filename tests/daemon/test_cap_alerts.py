"""Official alerts (CAP): urgent, by their issuer's name, until they end; corrected and taken back as the issuer does it."""

from dataclasses import replace

import pytest

from node.board.alerts import CODED, MAX_PART, Alert, alert_of
from node.board.api import Draft
from node.board.gathering import GatherTerms
from node.gather.cap_alerts import alerts_in, posts_of_alerts
from node.model.errors import RemoteFault
from node.model.record import Kind, Right
from tests.sim.portals import ELSEWHERE, HERE
from tests.sim.web_site import WebSite

ALL = GatherTerms(records=50, air_s=3_600)


def cap(identifier="1", kind="Alert", references="", status="Actual", scope="Public", more="", **info):
    told = {"language": "fr-FR", "category": "Met", "event": "orages", "urgency": "Expected", "severity": "Severe",
            "certainty": "Likely", "expires": "2025-12-02T18:00:00+01:00", "senderName": "Météo-Exemple",
            "headline": "Orages violents", "description": "De 14 h à 18 h.", "instruction": "Restez chez vous."} | info
    fields = "".join(f"<{name}>{text}</{name}>" for name, text in told.items())
    return (f'<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
            f"<identifier>{identifier}</identifier><sender>veille@meteo.exemple</sender>"
            f"<sent>2025-12-01T0{identifier[-1]}:00:00+01:00</sent><status>{status}</status><msgType>{kind}</msgType>"
            f"<scope>{scope}</scope>{f'<references>{references}</references>' if references else ''}"
            f"<info>{fields}<area><areaDesc>Paris</areaDesc>{more}</area></info></alert>").encode()


def named(identifier):
    return f"veille@meteo.exemple,{identifier},2025-12-01T0{identifier[-1]}:00:00+01:00"


@pytest.fixture
def site():
    with WebSite() as made:
        yield made


@pytest.fixture
def island(neighbourhood):
    neighbourhood.vouch(HERE, Right.WRITE | Right.URGENT, "Île du canal")
    return neighbourhood


def approved(island, address, terms=ALL):
    return island.gatherer.approve(island.gatherer.look(address, terms).id, "lea")


def later(island):
    island.clock.advance(20 * 60)
    island.gatherer.gather_due()


def on_the_board(island):
    return [item for item in island.board.bulletins().items if item.alert]


def test_an_alert_is_urgent_by_its_issuers_name_and_ends_when_it_does(site, island):
    approved(island, site.gives("/alert", cap()))
    (item,) = island.board.urgent()
    assert item.text == "Météo-Exemple: Orages violents\n\nDe 14 h à 18 h.\n\nRestez chez vous." and item.topic == 12
    assert (item.alert.issuer, item.alert.reference, item.alert.area) == ("Météo-Exemple", named("1"), "Paris")
    assert item.alert.codes == ("Alert", "Met", "Expected", "Severe", "Likely")
    assert 0 <= item.expires - item.alert.expires < 60
    island.clock.advance(2 * 86_400)
    island.replica.handle_all([], island.clock.now())
    assert not island.board.urgent()


def test_an_island_that_may_not_mark_posts_as_urgent_passes_it_on_all_the_same(site, neighbourhood):
    approved(neighbourhood, site.gives("/alert", cap()))
    (item,) = on_the_board(neighbourhood)
    assert not item.urgent


def test_an_update_takes_its_place_and_a_cancellation_ends_it(site, island):
    approved(island, site.gives("/alert", cap()))
    (first,) = on_the_board(island)
    site.gives("/alert", cap("2", "Update", named("1"), headline="Orages très violents"))
    later(island)
    (second,) = on_the_board(island)
    assert "très violents" in second.text and second.first == first.id[:16] and second.alert.replaces == named("1")
    later(island)
    assert on_the_board(island) == [second]
    site.gives("/alert", cap("3", "Cancel", f"{named('1')} {named('2')}"))
    later(island)
    assert not on_the_board(island)
    later(island)
    assert str(island.gatherer.sources()[0].said).startswith("0 new, 0 changed, 0 cancelled")


def test_alerts_are_asked_for_often(site, island):
    approved(island, site.gives("/alert", cap()))
    assert island.gatherer.sources()[0].wait_min == 15


@pytest.mark.parametrize("told", [
    {"status": "Test"}, {"status": "Exercise"}, {"scope": "Private"}, {"kind": "Ack"}, {"identifier": "a b1"},
])
def test_what_is_not_meant_for_everybody_is_not_passed_on(told):
    assert not alerts_in(cap(**told).decode(), 1)


def test_of_several_what_was_replaced_is_left_out_and_the_gravest_comes_first():
    documents = (cap("1", severity="Minor"), cap("2", severity="Moderate"), cap("3", severity="Extreme"),
                 cap("4", "Update", named("2"), severity="Severe"))
    told = [alert for document in documents for alert in alerts_in(document.decode(), 1)]
    assert [post.draft.alert.identifier for post in posts_of_alerts(told, None, True)] == ["3", "4", "1"]


def test_what_is_past_or_of_little_severity_or_elsewhere_is_left_out(site, island):
    far = "<circle>43.3,5.4 20</circle>"
    near = "<polygon>48.8,2.3 48.8,2.4 48.9,2.4 48.9,2.3 48.8,2.3</polygon>"
    for content, terms, reason in (
            (cap(severity="Minor"), ALL, "minor"), (cap(expires="2025-12-01T09:00:00+01:00"), ALL, "past"),
            (cap(more=far), GatherTerms(km=10), "far"), (cap(), GatherTerms(places=("Lyon",)), "place"),
            (cap(kind="Cancel", references=named("9")), ALL, "cancelled"),
            (cap(more=near), GatherTerms(km=10), None), (cap(), GatherTerms(places=("paris",)), None)):
        summary = island.gatherer.look(site.gives("/alert", content), terms).summary
        assert dict(summary.left_out) == ({reason: 1} if reason else {}) and summary.size == (not reason), reason


def passed_on(island, alert, text="Météo-Exemple: Orages"):
    """Another island has passed it on already."""
    draft = Draft(Kind.BULLETIN, text, 1, 12, 2, alert=alert)
    record = replace(island.board.compose(draft).record, author=ELSEWHERE.key_id)
    island.take(record)


ALERT = Alert("Météo-Exemple", "veille@meteo.exemple", "1", "2025-12-01T01:00:00+01:00",
              ("Alert", "Met", "Expected", "Severe", "Likely"), 1_010_000, "orages", "Paris")


def test_what_another_island_passed_on_is_not_said_twice_and_its_end_stands_beside_it(site, island):
    passed_on(island, ALERT)
    approved(island, site.gives("/alert", cap()))
    assert len(on_the_board(island)) == 1 and not on_the_board(island)[0].author.here
    site.gives("/alert", cap("2", "Cancel", named("1"), headline="Fin des orages"))
    later(island)
    texts = [item.text.partition("\n")[0] for item in on_the_board(island)]
    assert texts == ["Météo-Exemple: Fin des orages", "Météo-Exemple: Orages"], "nobody ends what another island said"


def test_a_feed_that_lists_alerts_is_followed(site, island):
    first, second = site.gives("/1", cap("1")), site.gives("/2", cap("2", headline="Crue"))
    entries = "".join(f'<entry><id>{link}</id><title>x</title><link type="application/cap+xml" href="{link}"/></entry>'
                      for link in (first, second, f"http://localhost:{site.port}/1"))
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Vigilance</title>{entries}</feed>'
    approved(island, site.gives("/feed", feed.encode()))
    assert {item.alert.identifier for item in on_the_board(island)} == {"1", "2"}
    assert len(site.asked) == 3, "the private address is not asked"


@pytest.mark.parametrize("damage", [
    b"", b"<alert", cap()[:-9], cap().replace(b"<alert", b"<!DOCTYPE x [<!ENTITY a 'b'>]><alert"),
    cap().replace(b"1.2", b"9.9"),
])
def test_what_is_no_alert_is_refused(damage):
    with pytest.raises(RemoteFault):
        alerts_in(damage.decode(), 1)


def test_an_alert_reads_as_it_was_written_and_nothing_else_is_one():
    full = replace(ALERT, replaces=named("0"))
    longest = replace(full, issuer="é" * MAX_PART, event="é" * MAX_PART, area="é" * MAX_PART)
    for alert in (ALERT, full, longest):
        assert alert_of(list(alert.parts)) == alert
    for name in ("issuer", "event", "area"):
        assert alert_of(list(replace(full, **{name: "é" * (MAX_PART + 1)}).parts)) is None
    for at, part in enumerate(full.parts):
        for bad in ("", "x" * 300, "<"):
            parts = list(full.parts)
            parts[at] = bad
            assert at in (0, 5, 6, 7) or alert_of(parts) is None, (at, bad, part)
    assert alert_of([]) is None and alert_of(list(full.parts)[:-1]) is None and len(CODED) == 5
