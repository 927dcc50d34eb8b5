"""What a source gives, whatever it is: its events are an agenda that is read again, its news are drafts to post."""


from node.board.drafts import problems_of
from node.gather.news import posts_of
from node.gather.source_feeds import MAX_BRACKETS
from node.gather.source_reading import MAX_SOURCE_BYTES, decoded, told_in
from node.gather.told import ToldSource, calendar_of
from node.ical.parser import read
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, texts_in
from tests.fuzz.targets.calendar import NOW, PARIS

ADDRESS = "https://exemple.org/feed"


def run(octets):
    told = refusable(told_in, octets, ADDRESS)
    if told is None:
        return
    assert isinstance(told, ToldSource) and isinstance(decoded(octets), str)
    calendar = calendar_of(told)
    lines = calendar.decode().splitlines()
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(told.events)
    assert lines[0] == "BEGIN:VCALENDAR" and lines.count("END:VCALENDAR") == 1
    read(calendar, PARIS, NOW)
    for post in posts_of(told.news, 1, NOW):
        assert len(post.key) == 16 and problems_of(post.draft, NOW) == [], problems_of(post.draft, NOW)


def seeds():
    from tests.daemon import test_gathered_formats as formats

    for text in (formats.EVENT_RSS, formats.EVENT_ATOM, formats.EVENT_JSON, formats.EVENT_PAGE, formats.NEWS_RSS):
        yield text.encode()
        yield b"\xff\xfe" + text.encode("utf-16-le")
    yield formats.NEWS_RSS.encode().replace(b"utf-8", b"iso-8859-1")
    yield b" " * (MAX_SOURCE_BYTES + 1)
    yield b'<rss version="2.0">' + b"<a>" * (MAX_BRACKETS + 1)
    yield b"BEGIN:VCALENDAR\n"
    yield b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
    begun = '<rss version="2.0" xmlns:georss="g" xmlns:ev="http://purl.org/rss/1.0/modules/event/"><channel><item><title>Bal</title>'
    for inner in ("<ev:startdate>2025-12-05</ev:startdate><georss:point>48.87 2.36</georss:point>", "<guid>1</guid><title></title>",
                  '<link href="a.xml" type="application/cap+xml" rel="alternate"/>', "<guid>1</guid><description> </description>"):
        yield (begun + inner + "</item></channel></rss>").encode()
    yield b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="alternate" type="application/cap+xml" href="a"/></entry></feed>'
    version = b'{"version": "https://jsonfeed.org/version/1.1", "items": '
    for items in (b'[7, {"id": "1"}, {"id": "2", "title": "\u202e"}]}', b'[{"id": "1", "title": "Bal", "_event": {"start": "2025-12-05T19:00:00", '
                  b'"status": "Cancelled"}}]}', b'7}', b'[{"id": "3", "content_text": "x", "date_modified": "2025-11-30T00:00:00Z"}]}'):
        yield version + items
    yield b'<div class="h-feed"><div class="h-event"><a class="u-url" href="/b">B</a><time class="dt-start" datetime="2025-12-05T19:00:00">' \
          b'</time><p class="p-location h-geo"><data class="p-latitude" value="48.8"></data><data class="p-longitude" value="2.3"></data></p></div>text</div>'
    for text in texts_in("tests/daemon/test_gathered_formats.py", 12):
        yield text
        yield b"<!doctype html><div class='h-event'><time class='dt-start' datetime='2025-12-05'></time>" + text + b"</div>"
        yield b'<rss version="2.0"><channel><item><title>Bal</title><guid>1</guid>' + text + b"</item></channel></rss>"
        yield b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "title": "Bal", ' + text + b"}]}"


TARGET = Target(
    run, tuple(f"node/gather/{name}.py" for name in ("source_reading", "source_feeds", "source_pages", "told", "news")),
    seeds, words=(b'<rss version="2.0">', b"<item>", b"<feed>", b"<entry>", b'class="h-event"', b'"items": [{', b'"_event": {',
                  b'"start": "2025-12-05"', b'<time class="dt-start" datetime="', b"<link ", b"<georss:point>", b"<!--"))
