"""An agenda of another program: each event that is read can be posted as it is; nothing else is guessed of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from node.board.drafts import problems_of
from node.ical.parser import MAX_EVENTS, MAX_FILE_BYTES, MAX_NAMED, MAX_REPEATS, MAX_TITLE, Locality, read
from node.ical.sanitise import readable, text_of
from node.ical.values import EPOCH
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, texts_in

PARIS = Locality(ZoneInfo("Europe/Paris"), 1)
NOW = (datetime(2025, 12, 1, 9) - EPOCH) // timedelta(minutes=1)
RULES = (
    "FREQ=DAILY;COUNT=5", "FREQ=HOURLY;COUNT=5", "FREQ=HOURLY;BYHOUR=9,12;COUNT=5", "FREQ=HOURLY;INTERVAL=5;BYDAY=MO",
    "FREQ=WEEKLY;BYDAY=MO,TU;COUNT=9", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5", "FREQ=MONTHLY;BYDAY=1SU,-1SA;COUNT=5",
    "FREQ=MONTHLY;COUNT=5", "FREQ=YEARLY;BYMONTH=3,12;BYDAY=-1SU", "FREQ=YEARLY;BYWEEKNO=50;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=350,-1",
    "FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1", "FREQ=DAILY;BYHOUR=9,18;BYMINUTE=0,30;COUNT=9",
    "FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9,10,11,12;BYMINUTE=1,2,3,4,5,6,7,8,9", "FREQ=DAILY;BYMONTH=12;BYMONTHDAY=12,13", "FREQ=SECONDLY",
    "FREQ=MONTHLY;BYWEEKNO=5", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;BYHOUR=25", "FREQ=MONTHLY;BYDAY=9MO",
    "FREQ=YEARLY;BYDAY=53MO;BYMONTH=1", "FREQ=DAILY;UNTIL=20251210T190000Z", "FREQ=WEEKLY;INTERVAL=9999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;INTERVAL=3;COUNT=200", "FREQ=WEEKLY;WKST=SU;INTERVAL=2;BYDAY=SU,MO;COUNT=9", "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9;COUNT=4")
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
    yield HEAD + b"X" * MAX_FILE_BYTES
    yield b"".join(b"BEGIN:VEVENT\nUID:%d@a.org\nSUMMARY:Bal\nDTSTART:20251205T190000Z\nEND:VEVENT\n" % number
                   for number in range(MAX_EVENTS + 9)).join([b"BEGIN:VCALENDAR\n", b"END:VCALENDAR\n"])
    yield b"BEGIN:VCALENDAR\nMETHOD:REPLY\n" + HEAD.split(b"\n", 1)[1] + b"DTSTART:20251205T190000Z" + TAIL
    from tests.ical.test_parser import HOSTILE

    yield from (HOSTILE[name] for name in ("counts", "overflows", "zone names"))
    timed = b"DTSTART:20251205T190000Z"
    yield from (timed + line for line in (
        b"\nX-ARCHIPEL-KEY:0123456789abcdef", b"\nX-ARCHIPEL-OFFSET:8", b"\nLAST-MODIFIED:20251130T170500Z", b"\nEXDATE:", b"\nRDATE: "))
    yield b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Bal\n" + timed + b"\nDTSTAMP:20251130T170500Z" + TAIL
    for line in (b"X-LIC-LOCATION:Europe/Berlin\n", b""):
        yield b"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:La Lune\n" + line + b"BEGIN:STANDARD\nTZOFFSETFROM:+0100\nTZOFFSETTO:+9900\n" \
              b"DTSTART:19701025T030000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nSUMMARY:Bal\nDTSTART;TZID=La Lune:20251205T190000" + TAIL
    yield b"DTSTART;VALUE=DATE:20251205\nRRULE:FREQ=WEEKLY;COUNT=5\nRDATE;VALUE=DATE:20251224\nEXDATE;VALUE=DATE:20251212"
    for rule in RULES:
        for start in (b"20251205T190000Z", b"20240105T190000Z", b"20251205"):
            value = b";VALUE=DATE:" if len(start) == 8 else b":"
            yield b"DTSTART" + value + start + b"\nRRULE:" + rule.encode()
            yield b"DTSTART" + value + start + b"\nDURATION:P1D\nRRULE:" + rule.encode() + b"\nEXDATE" + value + b"20251212T190000Z"[:len(start)]
    series = b"DTSTART:20251205T190000Z\nDTEND:20251205T200000Z\nRRULE:FREQ=WEEKLY;COUNT=9"
    for other in (b"RECURRENCE-ID:20251212T190000Z\nDTSTART:20251213T190000Z", b"RECURRENCE-ID:20251212T190000Z\nSTATUS:CANCELLED",
                  b"RECURRENCE-ID;RANGE=THISANDFUTURE:20251212T190000Z\nDTSTART:20251213T180000Z", b"RECURRENCE-ID:20251212T190000Z\n"
                  b"DTSTART:20251213T190000Z\nSEQUENCE:3", b"RECURRENCE-ID:20271212T190000Z\nDTSTART:20251214T190000Z",
                  b"RECURRENCE-ID;VALUE=DATE:20251212\nDTSTART;VALUE=DATE:20251213", b"DTSTART:20251206T190000Z\nSEQUENCE:2"):
        next_one = b"\nEND:VEVENT\nBEGIN:VEVENT\nUID:1@exemple.org\nSUMMARY:Bal\n"
        yield series + next_one + other
        yield series + next_one + other + next_one + b"RECURRENCE-ID:20251219T190000Z\nDTSTART:20251220T190000Z"
    for name in ("parser", "recurrence", "meanings", "importer", "differential"):
        for text in texts_in(f"tests/ical/test_{name}.py", 8):
            yield text
            yield b"DTSTART:20251205T190000Z\n" + text
            yield b"DTSTART;TZID=La Lune:20251205T190000\n" + text + b"\nEND:VEVENT\n" + zone + b"\nBEGIN:VEVENT"
            yield b"DTSTART:20251205T190000Z\nRRULE:FREQ=WEEKLY;COUNT=4\n" + text


TARGET = Target(
    run, tuple(f"node/ical/{name}.py" for name in (
        "parser", "contentlines", "values", "series", "recurrence", "rhythms", "timezones", "vevent", "sanitise")), seeds,
    words=(b"BEGIN:VEVENT\n", b"\nRRULE:FREQ=", b";BYDAY=", b";UNTIL=", b"\nEXDATE:", b"\nRDATE;VALUE=PERIOD:",
           b"\nDURATION:", b"\nRECURRENCE-ID;RANGE=THISANDFUTURE:", b";TZID=", b"\nDTEND:", b"\nGEO:", b"\nBEGIN:VTIMEZONE\n", b"&eacute;",
           b"\nSTATUS:", b"\nSEQUENCE:", b";VALUE=DATE:20251205", b"\nX-ARCHIPEL-OFFSET:"), share=2)
