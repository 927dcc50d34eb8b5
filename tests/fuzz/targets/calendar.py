"""An agenda of another program: each event that is read can be posted as it is; nothing else is guessed of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from node.board.drafts import problems_of
from node.ical.parser import MAX_EVENTS, MAX_NAMED, MAX_REPEATS, MAX_TITLE, Locality, read
from node.ical.sanitise import readable, text_of
from node.ical.values import EPOCH
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, texts_in

PARIS = Locality(ZoneInfo("Europe/Paris"), 1)
NOW = (datetime(2025, 12, 1, 9) - EPOCH) // timedelta(minutes=1)
HEAD, TAIL = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1@exemple.org\nSUMMARY:Bal\n", b"\nEND:VEVENT\nEND:VCALENDAR\n"


def run(octets):
    """The octets as a file, and as the lines of one event."""
    look(octets)
    look(HEAD + octets + TAIL)


def look(content):
    agenda = refusable(read, content, PARIS, NOW)
    if agenda is None:
        return
    assert len(agenda.entries) <= MAX_EVENTS * MAX_REPEATS and len(agenda.named) <= MAX_NAMED
    assert all(len(title) <= MAX_TITLE for _, title in agenda.named)
    for entry in agenda.entries:
        assert problems_of(entry.draft, NOW) == [], problems_of(entry.draft, NOW)
        assert readable(entry.draft.text) == entry.draft.text
        assert entry.key and entry.version >= (0, 0) and text_of(entry.cancelled or "") == (entry.cancelled or "")
    again = read(content, PARIS, NOW)
    assert again.entries == agenda.entries and again.left_out == agenda.left_out


def seeds():
    from tests.ical import agendas

    for text in (agendas.GANCIO, agendas.DEMOSPHERE, agendas.MOBILIZON, agendas.AGENDA_DU_LIBRE):
        yield text.encode()
    zone = agendas.ZONE.format(name="La Lune").encode()
    for name in ("parser", "recurrence", "meanings", "importer", "differential"):
        for text in texts_in(f"ical/test_{name}.py", 8):
            yield text
            yield b"DTSTART:20251205T190000Z\n" + text
            yield b"DTSTART;TZID=La Lune:20251205T190000\n" + text + b"\nEND:VEVENT\n" + zone + b"\nBEGIN:VEVENT"
            yield b"DTSTART:20251205T190000Z\nRRULE:FREQ=WEEKLY;COUNT=4\n" + text


TARGET = Target(
    run, tuple(f"node/ical/{name}.py" for name in (
        "parser", "contentlines", "values", "series", "recurrence", "rhythms", "timezones", "vevent", "sanitise")), seeds,
    words=(b"BEGIN:VEVENT\n", b"\nRRULE:FREQ=", b";BYDAY=", b";UNTIL=", b"\nEXDATE:", b"\nRDATE;VALUE=PERIOD:",
           b"\nDURATION:", b"\nRECURRENCE-ID;RANGE=THISANDFUTURE:", b";TZID=", b"\nDTEND:", b"\nGEO:", b"\nBEGIN:VTIMEZONE\n", b"&eacute;",
           b"\nSTATUS:", b"\nSEQUENCE:", b";VALUE=DATE:20251205", b"\nX-ARCHIPEL-OFFSET:"))
