"""Official alerts (CAP): each that is read names its issuer, and becomes a post that ends."""

from node.board.alerts import MAX_PART, alert_of
from node.board.drafts import problems_of
from node.gather.cap_alerts import MAX_ALERTS, alerts_in, posts_of_alerts
from node.gather.source_reading import decoded, is_cap
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, texts_in
from tests.fuzz.targets.calendar import NOW

PARIS = 48.87, 2.36


def run(octets):
    text = decoded(octets)
    is_cap(text)
    alert_of(text.split("|"))
    told = refusable(alerts_in, text, 1)
    if told is None:
        return
    assert len(told) <= MAX_ALERTS
    for here in (PARIS, None):
        for post in posts_of_alerts(told, here, may_be_urgent=True):
            assert 0 < len(post.draft.alert.issuer) <= MAX_PART and post.draft.alert.is_sound()
            assert post.draft.text.startswith(post.draft.alert.issuer)
            assert problems_of(post.draft, NOW) == [], problems_of(post.draft, NOW)


def seeds():
    from tests.daemon.test_cap_alerts import cap, named

    yield cap()
    for more in ("<polygon>48,2 49,2 49,3 48,3 48,2</polygon>", "<circle>48.8,2.3 9</circle>", "<polygon>1,2 3</polygon>",
                 "<circle>0,0</circle>", "<circle>95,0 9</circle>", "<polygon>10,2 11,2 11,3 10,3 10,2</polygon>"):
        yield cap(more=more)
    for fields in ({"kind": "Cancel", "references": named("1")}, {"kind": "Update", "references": named("1") + " x"},
                   {"status": "Test"}, {"scope": "Private"}, {"kind": "Ack"}, {"urgency": "Soon"}, {"expires": "tomorrow"},
                   {"language": "en"}, {"headline": "", "description": "", "instruction": ""}, {"senderName": ""}):
        yield cap(**fields)
    two = cap("2", kind="Update", references=named("1")).split(b"?>")[1]
    yield b"<feed>" + cap().split(b"?>")[1] + two + b"</feed>"
    yield cap().replace(b"<sent>2025", b"<sent>x")
    yield cap().replace(b"<info>", b"").replace(b"</info>", b"")
    parts = ["Météo", "a@b", "1", "2025-12-01T01:00:00+01:00", "0000ffff0", "orages", "Paris", ""]
    for number in ("00000f6b40", "ffff0f6b40", "x"):
        yield "|".join([*parts[:4], number, *parts[5:]]).encode()
    yield cap().replace(b"veille@meteo.exemple", b"ve ille")
    yield from texts_in("tests/daemon/test_cap_alerts.py", 12)


TARGET = Target(run, ("node/gather/cap_alerts.py", "node/board/alerts.py"), seeds, words=(
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">', b"<info>", b"<area>", b"<polygon>", b"<circle>", b"<!DOCTYPE",
    b"<references>", b"<msgType>Cancel</msgType>"))
