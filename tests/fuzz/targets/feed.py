"""What a source gives, whatever it is: its events are an agenda that is read again, its news are drafts to post."""


from node.board.drafts import problems_of
from node.gather.news import posts_of
from node.gather.source_reading import decoded, told_in
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
    for text in texts_in("daemon/test_gathered_formats.py", 12):
        yield text
        yield b"<!doctype html><div class='h-event'><time class='dt-start' datetime='2025-12-05'></time>" + text + b"</div>"
        yield b'<rss version="2.0"><channel><item><title>Bal</title><guid>1</guid>' + text + b"</item></channel></rss>"
        yield b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "title": "Bal", ' + text + b"}]}"


TARGET = Target(
    run, tuple(f"node/gather/{name}.py" for name in ("source_reading", "source_feeds", "source_pages", "told", "news")),
    seeds, words=(b'<rss version="2.0">', b"<item>", b"<feed>", b"<entry>", b'class="h-event"', b'"items": [{', b'"_event": {',
                  b'"start": "2025-12-05"', b'<time class="dt-start" datetime="', b"<link ", b"<georss:point>", b"<!--"))
