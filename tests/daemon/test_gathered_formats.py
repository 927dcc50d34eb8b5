"""Sources that give no iCalendar file: RSS, Atom, JSON Feed and pages with h-event; their events and their news."""

import json
import random

import pytest

from node.board.gathering import GatherRefused, GatherTerms
from node.gather.source_pages import MAX_DEPTH, MAX_TAGS
from node.gather.source_reading import told_in
from node.gather.told import calendar_of
from node.model.errors import RemoteFault
from tests.sim.web_site import WebSite

pytestmark = pytest.mark.once

ALL = GatherTerms(days=0, records=50, air_s=3_600)
EVENT_RSS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:ev="http://purl.org/rss/1.0/modules/event/"
 xmlns:georss="http://www.georss.org/georss"><channel><title>Un agenda</title><item><title>Bal &amp; soupe</title>
 <guid>urn:1</guid><link>/bal</link><ev:startdate>2025-12-05T19:00:00+01:00</ev:startdate>
 <ev:enddate>2025-12-05T23:00:00+01:00</ev:enddate><ev:location>Parc</ev:location><category>concert</category>
 <georss:point>48.87 2.36</georss:point><description>&lt;p&gt;Venez&lt;/p&gt;</description></item></channel></rss>"""
EVENT_ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:gd="http://schemas.google.com/g/2005">
 <title>Un agenda</title>
 <entry><id>urn:1</id><title>Bal &amp; soupe</title><link href="/bal"/><updated>2025-11-30T10:00:00Z</updated>
 <category term="concert"/><gd:when startTime="2025-12-05T19:00:00+01:00" endTime="2025-12-05T23:00:00+01:00"/>
 <content type="html">&lt;p&gt;Venez&lt;/p&gt;</content></entry></feed>"""
EVENT_JSON = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Un agenda", "items": [{
    "id": "urn:1", "url": "/bal", "title": "Bal & soupe", "content_html": "<p>Venez</p>", "tags": ["concert"],
    "_event": {"start": "2025-12-05T19:00:00+01:00", "end": "2025-12-05T23:00:00+01:00", "place": {"name": "Parc"}}}]})
EVENT_PAGE = """<!doctype html><div class="h-feed"><h1 class="p-name">Un agenda</h1><div class="h-event">
 <a class="u-url p-name" href="/bal">Bal &amp; soupe</a>
 <time class="dt-start" datetime="2025-12-05T19:00+01:00">ce soir</time>
 <time class="dt-end" datetime="2025-12-05T23:00+01:00">tard</time>
 <p class="p-location h-card"><b class="p-name">Parc</b></p>
 <div class="e-content"><p>Venez</p></div><i class="p-category">concert</i></div></div>"""
NEWS_RSS = """<rss version="2.0"><channel><title>La mairie</title>
 <item><title>Coupure d'eau</title><guid>1</guid><link>https://ville.exemple.org/eau</link>
 <description>&lt;p&gt;De 9 h à 12 h.&lt;/p&gt;</description><pubDate>Mon, 01 Dec 2025 08:00:00 GMT</pubDate></item>
 <item><title>Vieux</title><guid>2</guid><pubDate>Mon, 03 Nov 2025 08:00:00 GMT</pubDate></item></channel></rss>"""
FORMATS = {"RSS": EVENT_RSS, "Atom": EVENT_ATOM, "JSON Feed": EVENT_JSON, "h-event": EVENT_PAGE}


@pytest.fixture
def site():
    with WebSite() as made:
        yield made


def approved(neighbourhood, address, terms=ALL):
    return neighbourhood.gatherer.approve(neighbourhood.gatherer.look(address, terms).id, "lea")


def later(neighbourhood):
    neighbourhood.clock.advance(7 * 3600)
    neighbourhood.gatherer.gather_due()


def bulletins(board):
    return [item.text for item in board.bulletins().items]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_event_comes_whole_whatever_the_format(site, neighbourhood, board, kind):
    summary = approved(neighbourhood, site.gives("/feed", FORMATS[kind].encode()))
    assert summary.origin.name == "Un agenda"
    (item,) = board.events(board.now(), board.now() + 400 * 1440)
    assert (item.title, item.text, item.topic) == ("Bal & soupe", "Venez", 8)
    assert item.place == ("" if kind == "Atom" else "Parc") and item.end - item.start == 240 and item.offset == 4
    later(neighbourhood)
    assert str(neighbourhood.gatherer.sources()[0].said) == "0 new, 0 changed, 0 cancelled, 1 as they are here."


def test_news_become_posts_once_and_are_corrected(site, neighbourhood, board):
    look = neighbourhood.gatherer.look(site.gives("/news", NEWS_RSS.encode()), ALL)
    assert look.summary.size == 1 and look.summary.cost.airtime_s > 0 and not bulletins(board)
    neighbourhood.gatherer.approve(look.id, "lea")
    assert bulletins(board) == ["Coupure d'eau\n\nDe 9 h à 12 h.\n\nhttps://ville.exemple.org/eau"]
    (item,) = board.bulletins().items
    assert board.item(item.id).origin.name == "La mairie" and item.author.here
    later(neighbourhood)
    assert len(bulletins(board)) == 1
    site.gives("/news", NEWS_RSS.replace("12 h", "14 h").encode())
    later(neighbourhood)
    assert bulletins(board) == ["Coupure d'eau\n\nDe 9 h à 14 h.\n\nhttps://ville.exemple.org/eau"]
    board.hide(item.id, True, "lea")
    site.gives("/news", NEWS_RSS.replace("12 h", "15 h").encode())
    later(neighbourhood)
    assert "14 h" in str([one.text for one in board.hidden()]), "what keepers hid is not announced again"


def test_news_keep_to_the_terms_and_to_the_day(site, neighbourhood):
    items = "".join(f"<item><title>Avis {number}</title><guid>{number}</guid></item>" for number in range(20))
    address = site.gives("/news", f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode())
    for terms, size, left_out in ((ALL, 10, {}), (GatherTerms(words=("avis 7",)), 1, {"words": 9}),
                                  (GatherTerms(records=3), 3, {"daily": 7}), (GatherTerms(topics=(4,)), 0, {"topic": 10})):
        summary = neighbourhood.gatherer.look(address, terms).summary
        assert (summary.size, dict(summary.left_out)) == (size, left_out), terms


def test_entities_are_off():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY e SYSTEM "file:///etc/passwd">]>'
    for text in (bomb + NEWS_RSS, (bomb + NEWS_RSS).replace("Coupure", "&e;")):
        for content in (text.encode(), text.encode("utf-16")):
            with pytest.raises(RemoteFault, match="source-mark"):
                told_in(content, "https://exemple.org/")


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"{}", b'{"version": 3}', b"<html>", b"<rss", b"<p class=h-event>", b"\xff\xfe", b"\0" * 99,
    b'{"version": "https://jsonfeed.org/version/1"' + b"[" * 90_000, b"<html>" + b"<div class='h-event'>" * 20_000,
    b"<html>h-event" + b"<!--" * 100_000, b"<html>h-event" + b"<b>" * 100_000,
])
def test_what_is_no_source_is_refused_in_words(content):
    with pytest.raises(RemoteFault, match="source-mark"):
        told_in(content, "https://exemple.org/")


def test_a_feed_of_nothing_but_tags_is_too_large():
    for tag in (b"<", b"<a>", b"<item>"):
        with pytest.raises(RemoteFault, match="source-size"):
            told_in(b'<rss version="2.0">' + tag * 50_000, "https://exemple.org/")


def test_a_text_cannot_smuggle_lines_into_the_calendar(site, neighbourhood, board):
    feed = json.loads(EVENT_JSON)
    feed["items"][0] |= {"title": "Bal\r\nSTATUS:CANCELLED\u2028X:\x0by", "id": "1\nDTSTART:20251206T100000Z",
                         "url": "https://exemple.org/\nSTATUS:CANCELLED"}
    approved(neighbourhood, site.gives("/feed", json.dumps(feed).encode()))
    (item,) = board.events(board.now(), board.now() + 400 * 1440)
    assert item.cancelled is None and item.title.startswith("Bal STATUS:CANCELLED")


@pytest.mark.parametrize("declared,encoding", [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("UTF-8", "utf-8")])
def test_letters_come_as_they_were_written(declared, encoding):
    text = f'<?xml version="1.0" encoding="{declared}"?>' + NEWS_RSS.replace("Coupure", "Fête")
    assert told_in(text.encode(encoding), "").news[0].title == "Fête d'eau"


def test_whatever_is_damaged_raises_nothing_but_a_fault():
    rng, read = random.Random(18), 0
    for kind in (*FORMATS.values(), NEWS_RSS):
        for _ in range(60):
            content = bytearray(kind.encode())
            for _ in range(rng.randrange(1, 8)):
                at = rng.randrange(len(content))
                content[at:at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            try:
                told = told_in(bytes(content), "https://exemple.org/")
                read += bool(told and calendar_of(told))
            except RemoteFault:
                continue
    assert read > 100


def test_a_page_without_events_says_what_is_missing(site, neighbourhood):
    with pytest.raises(GatherRefused, match="Neither an agenda"):
        neighbourhood.gatherer.look(site.gives("/", b"<!doctype html><p>Bonjour"), ALL)


@pytest.mark.parametrize(("before", "after"), [("<b>" * MAX_DEPTH, "</b>" * MAX_DEPTH), ("<br>" * MAX_TAGS, "")])
def test_a_page_of_many_elements_or_of_elements_deep_in_each_other_is_not_even_parsed(before, after):
    page = EVENT_PAGE.replace("<!doctype html>", "")
    assert told_in(f"<!doctype html><p>{page}".encode(), "https://exemple.org/").events
    with pytest.raises(RemoteFault, match="source-mark"):
        told_in(f"<!doctype html>{before}{page}{after}".encode(), "https://exemple.org/")
