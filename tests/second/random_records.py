"""Records at random: good ones of every kind, with what lies at the edges; and the same spoilt."""

from node.model.clock import MAX_MINUTE
from node.model.confirmation import Confirmation
from node.model.errors import LocalMisuse
from node.model.event import DAY_MIN, Event, Exempt, Repetition, Rhythm, Shift
from node.model.foreign import Foreign
from node.model.marks import EVENT_MARKS, Marks
from node.model.record import (
    KEY_ID_BYTES,
    TARGETED,
    Kind,
    Record,
    Renewal,
    Revocation,
    Right,
    Seat,
    Vouch,
    signed_part,
)
from node.model.turnout import Turnout
from tests.sim.village import T0, key

GOOD_KEYS = [key(name).public for name in ("ana", "ben", "cleo")]
BAD_KEYS = [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f", b"\xee" + b"\xff" * 31]
QUARTER = 15
LONGEST_H = {  # docs/protocol.md, 1.2: not ours, which may be wrong
    Kind.BULLETIN: 2_160, Kind.EVENT: 12_000, Kind.REPLY: 2_160, Kind.RETRACTION: 12_000, Kind.CANCELLATION: 12_000,
    Kind.VOUCH: 26_352, Kind.REVOCATION: 65_535, Kind.RENEWAL: 26_352, Kind.TURNOUT: 12_000, Kind.CONFIRMATION: 12_000}


def any_record(rng):
    """An encoded record of any kind, most of them good; its signature is made of anything."""
    while True:
        try:
            return signed_part(_record(rng)) + rng.randbytes(64)
        except LocalMisuse:  # what cannot even be written
            continue


def spoilt_record(rng):
    """One that has been changed somewhere, most often in its first octets."""
    raw = bytearray(any_record(rng))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(min(len(raw), rng.choice((3, 24, 40, 2000))))
        match rng.randrange(6):
            case 0 | 1:
                raw[at] ^= 1 << rng.randrange(8)
            case 2:
                raw[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 3:
                del raw[at:at + rng.choice((1, 2, 8))]
            case 4:
                raw[at:at] = rng.randbytes(rng.choice((1, 2, 8)))
            case 5:
                del raw[rng.randrange(len(raw)):]
        raw = raw or bytearray(1)
    return bytes(raw)


def _record(rng):
    kind = rng.choice([*Kind, Kind.EVENT, Kind.EVENT, Kind.EVENT])
    created = rng.choice((T0, T0 + rng.randrange(-10_000, 10_000), rng.randrange(MAX_MINUTE),
                          MAX_MINUTE - rng.randrange(3000)))
    corrects = kind in (Kind.BULLETIN, Kind.EVENT) and rng.random() < 0.2
    event = _event(rng, created) if kind is Kind.EVENT else None
    life = 0 if event and not corrects else _life(rng, LONGEST_H[kind])
    packed = b"" if kind in (Kind.TURNOUT, Kind.CONFIRMATION, Kind.RENEWAL) else rng.randbytes(rng.choice((0, 5, 60)))
    return Record(
        kind, rng.randbytes(KEY_ID_BYTES), created, life, urgent=kind < Kind.VOUCH and rng.random() < 0.2,
        language=rng.randrange(16), topic=rng.randrange(16), codec=rng.randrange(16), packed=packed,
        target=rng.randbytes(8) if corrects or kind in TARGETED else None,
        position=_position(rng) if event and rng.random() < 0.3 else None, detail=event or _detail(rng, kind, created),
        by_radio=kind < Kind.RETRACTION and rng.random() < 0.1, marks=_marks(rng, kind))


def _life(rng, longest):
    return rng.choice((0, 1, 1, longest, longest, min(longest + 1, 0xFFFF), *(rng.randint(1, longest) for _ in range(2))))


def _position(rng):
    return tuple(rng.choice((0x7FFFFF, -0x7FFFFF, 0, rng.randrange(-0x800000, 0x800000))) for _ in range(2))


def _marks(rng, kind):
    if kind is Kind.BULLETIN:
        return rng.choice((Marks(0), Marks.OFFER, Marks.NEED))
    return Marks(rng.randrange(int(EVENT_MARKS) + 1)) if kind is Kind.EVENT else Marks(0)


def _detail(rng, kind, created):
    match kind:
        case Kind.VOUCH:
            return Vouch(rng.choice((*GOOD_KEYS, *GOOD_KEYS, *BAD_KEYS, rng.randbytes(32))), Right(rng.randrange(1, 32)))
        case Kind.REVOCATION:
            return Revocation(rng.randbytes(8), rng.randrange(MAX_MINUTE))
        case Kind.TURNOUT:
            return Turnout(rng.randrange(128), rng.randrange(1, 7))
        case Kind.CONFIRMATION:
            return Confirmation(rng.random() < 0.5)
        case Kind.RENEWAL:
            names = sorted(rng.randbytes(8) for _ in range(rng.randint(1, 4)))
            since = min(created + rng.choice((0, 60, 10_080, 10_081)), MAX_MINUTE)
            return Renewal(since, rng.randbytes(16), rng.randbytes(32),
                           tuple(Seat(name, rng.randbytes(32)) for name in names))
    return None


def _long_event(rng, created):
    """Its last date lies some 400 days after the first: the last day that may be, or the next."""
    start, last = max(0, created - 5 * DAY_MIN), rng.choice((398, 400, 401, 402))
    day = start // DAY_MIN
    weekdays = 1 << day % 7 | 1 << (day + last) % 7
    return Event(start, 60, 0, repetition=Repetition(Rhythm.WEEKDAYS, 1, 2 * (last // 7) + 2, weekdays))


def _event(rng, created):
    if rng.random() < 0.04:
        return _long_event(rng, created)
    offset = rng.choice((4, 8, 0, -20, 22, 56, -56, rng.randint(-57, 57)))
    whole = rng.random() < 0.25
    ahead = rng.choice((0, 600, 3 * DAY_MIN, 399 * DAY_MIN, -9 * DAY_MIN, rng.randrange(-3 * DAY_MIN, 60 * DAY_MIN)))
    start = max(0, min(created + ahead, MAX_MINUTE - 100))
    if whole or rng.random() < 0.3:
        start = max(0, start - (start + QUARTER * offset) % DAY_MIN)
    length = rng.choice((DAY_MIN, 2 * DAY_MIN)) if whole else rng.choice((0, 60, 90, DAY_MIN, rng.randrange(65_536)))
    repetition = _repetition(rng, (start + QUARTER * offset) // DAY_MIN, whole) if rng.random() < 0.6 else None
    shifts, since, now = [], start, offset
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
        since += rng.choice((QUARTER, 60, length, DAY_MIN, 7 * DAY_MIN - 60, rng.randrange(30 * DAY_MIN)))
        now += rng.choice((4, -4, 2, 0, 60)) if rng.random() < 0.9 else rng.randint(-57, 57)
        shifts.append(Shift(since - since % QUARTER, now))
    if whole and shifts:  # a day that is longer or shorter, as such days are
        length += QUARTER * (offset - shifts[0].offset) if shifts[0].since <= start + length else 0
    return Event(start, max(length, 0) & 0xFFFF, offset, whole, tuple(shifts), repetition, _foreign(rng, created))


def _repetition(rng, day, whole):
    rhythm = rng.choice(list(Rhythm))
    count = rng.choice((2, 3, 5, 5, 10, 13, 128, rng.randrange(1, 130)))
    weekdays = rng.choice((1 << day % 7 | 1 << rng.randrange(7), rng.randrange(256))) if rhythm is Rhythm.WEEKDAYS else 0
    numbers = sorted(rng.sample(range(min(count, 100)), rng.choice((0, 0, 1, min(2, count)))))
    moves = (None, None, DAY_MIN, -DAY_MIN, 2 * DAY_MIN, -30_000, 45, 0) if not whole else (None, DAY_MIN, -DAY_MIN, 60)
    return Repetition(rhythm, rng.choice((1, 1, 2, 3, rng.randrange(16))), count, weekdays,
                      tuple(Exempt(number, rng.choice(moves)) for number in numbers))


def _foreign(rng, created):
    if rng.random() < 0.8:
        return None
    modified = max(0, min(created + rng.choice((0, -60, DAY_MIN, DAY_MIN + 1, -90_000)), MAX_MINUTE))
    return Foreign(rng.randbytes(8), rng.choice((0, 1, 0x3FFF)), modified, rng.random() < 0.2, rng.random() < 0.2)
