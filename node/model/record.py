"""The record: what people post. Immutable, small, signed, always expiring; one record has exactly one encoding.

Layout (big-endian; docs/protocol.md, section "The record", has worked examples):

    0       version (high nibble, 1) | kind (low nibble)
    1       flags: 0x80 urgent (nothing about keys), 0x40 corrects, 0x20 position, 0x10 by radio | codec (low nibble)
    2       language (high nibble) | topic (low nibble)
    3-10    author key id
    11-13   created, minutes since 2024-01-01T00:00Z
    -       event: start (3, minute), length (2, minutes), clocks (1: 0x80 a shape follows, UTC offset in signed quarters of
            an hour); shape (1: 0x80 whole days, 0x40 repeated, 0x20 exemptions, 0x10 taken over, 0x08 marks follow, 0x04
            free, 0x03 shifts), marks (1: 0x02 step-free, 0x01 children), shifts (3 each: quarter of an hour after the
            start's, offset), rule (1: step, every), weekdays (1, that step only), count (1), exemptions (1 how many; each
            1: 0x80 moved, number; 2 minutes if moved), taken over: key (8), sequence (2: 0x8000 called off, 0x4000 not
            confirmed), last change (3, minute)
    -       every other kind, and an event that corrects: life (2, hours; of a bulletin also 0x8000 offer, 0x4000 need)
    -       target (8) if the flag says so, or for a reply, retraction, cancellation, turnout, confirmation
    -       position (3 + 3) if the flag says so
    -       vouch: subject public key (32), rights (1)   revocation: subject key id (8), since (3, minute)
    -       turnout: number of a date (1), level (1)   confirmation: 1 it holds, 0 taken back (1)
    -       renewal: since (3, minute), fingerprint of the new secret (16), ephemeral key (32), seats (8 + 32 each)
    -       packed text, as long as it lasts (a renewal, a turnout and a confirmation have none)
    last 64 Ed25519 signature (RFC 8032) over SIGNING_DOMAIN + set id + everything before it
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

from node.model.byte_reader import ByteReader
from node.model.clock import MAX_MINUTE
from node.model.confirmation import Confirmation
from node.model.errors import LocalMisuse, RemoteFault
from node.model.event import DAY_MIN, MAX_DATES, QUARTER_MIN, Event, Exempt, Repetition, Rhythm, Shift
from node.model.foreign import FOREIGN_KEY_BYTES, MAX_SEQUENCE, Foreign
from node.model.marks import BULLETIN_MARKS, EVENT_MARKS, NO_MARKS, Marks
from node.model.public_key import PUBLIC_KEY_BYTES, is_usable_key
from node.model.turnout import STEPS, Turnout

VERSION = 1
SIGNING_DOMAIN = b"archipel record 1"
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 8
ID_BYTES = 16
TARGET_BYTES = 8  # the first half of a record's id names it inside another record
LEAST_BODY_BYTES = 16  # before the signature
MAX_RECORD_BYTES = 8 * 219
EVENT_GRACE_MIN = DAY_MIN  # an event lives one day after its end
MAX_EVENT_AHEAD_MIN = 400 * DAY_MIN

FINGERPRINT_BYTES = 16
EPHEMERAL_BYTES = MASKED_BYTES = 32
SEAT_BYTES = KEY_ID_BYTES + MASKED_BYTES
RENEWAL_BYTES = 3 + FINGERPRINT_BYTES + EPHEMERAL_BYTES  # of its body, before the seats
MAX_SEATS = (MAX_RECORD_BYTES - LEAST_BODY_BYTES - SIGNATURE_BYTES - RENEWAL_BYTES) // SEAT_BYTES
MAX_WAIT_MIN = 7 * DAY_MIN  # from the making of a new secret to its use

URGENT, CORRECTS, POSITION, BY_RADIO = 0x80, 0x40, 0x20, 0x10
SHAPED, LEAST_CLOCKS = 0x80, 64  # of an event's clocks: a shape follows; how far from UTC they can say
WHOLE_DAYS, REPEATED, EXEMPT, FOREIGN, SHIFTS = 0x80, 0x40, 0x20, 0x10, 0x03
FOREIGN_OFF, FOREIGN_TENTATIVE = 0x8000, 0x4000
BULLETIN_LIFE = slice(14, 16)  # where the life of a bulletin stands
MARKED, FREE = 0x08, 0x04  # of a shape: marks follow; free, which needs no octet more
MARKS_THAT_FOLLOW = int(EVENT_MARKS & ~Marks.FREE)  # a number: what is no flag is none of "all flags but these"
LIFE_SHIFT = 14  # of the life of a bulletin: where its marks stand
MOVED = 0x80


class Kind(IntEnum):
    """What a record is."""

    BULLETIN = 0
    EVENT = 1
    REPLY = 2
    RETRACTION = 3
    CANCELLATION = 4
    VOUCH = 5
    REVOCATION = 6
    RENEWAL = 7
    TURNOUT = 8
    CONFIRMATION = 9


class Right(IntFlag):
    """What a vouch lets its subject do. Bits not named here must be 0."""

    WRITE = 1
    URGENT = 2
    VOUCH = 4
    INVITE = 8  # may admit one writer, once: the key inside an invitation
    GROUP = 16  # an association, union or collective rather than an island


_KINDS = tuple(Kind)
_WRONG = ("record-rights", "record-key", "record-flags", "record-event", "record-turnout",
          "record-confirmation")
"""What reading finds wrong, in the order of docs/protocol.md, 1.3: told once it is sure that no octet is missing."""

_NO_RIGHT = 0xE0
MAX_LIFE_H = {
    Kind.BULLETIN: 90 * 24,
    Kind.EVENT: 500 * 24,
    Kind.REPLY: 90 * 24,
    Kind.RETRACTION: 500 * 24,
    Kind.CANCELLATION: 500 * 24,
    Kind.VOUCH: 3 * 366 * 24,
    Kind.REVOCATION: 0xFFFF,
    Kind.TURNOUT: 500 * 24,
    Kind.CONFIRMATION: 500 * 24,
    Kind.RENEWAL: 3 * 366 * 24,  # who was off for so long asks for a new invitation; and no revocation ends before it
}
COUNTED = {Kind.TURNOUT, Kind.CONFIRMATION}  # what people read of several of them together, never one by one
TARGETED = {Kind.REPLY, Kind.RETRACTION, Kind.CANCELLATION, *COUNTED}
CORRECTABLE = {Kind.BULLETIN, Kind.EVENT}
POST_KINDS = {Kind.BULLETIN, Kind.EVENT, Kind.REPLY}
TRUST_KINDS = {Kind.VOUCH, Kind.REVOCATION, Kind.RENEWAL}


@dataclass(frozen=True, slots=True)
class Vouch:
    """Lets `subject` (a public key, 32 B) in, with `rights`; the record's text is its name."""

    subject: bytes
    rights: Right


@dataclass(frozen=True, slots=True)
class Revocation:
    """Ends the key `subject` (a key id, 8 B) from minute `since` on."""

    subject: bytes
    since: int


@dataclass(frozen=True, slots=True)
class Seat:
    """One member's copy of a new secret: the member's key id (8 B), and the secret under its mask (32 B)."""

    key: bytes
    masked: bytes


@dataclass(frozen=True, slots=True)
class Renewal:
    """A new secret of the set, to be spoken with from minute `since` on (`node.model.renewal` seals and opens it)."""

    since: int
    fingerprint: bytes
    ephemeral: bytes
    seats: tuple[Seat, ...]


Detail = Event | Vouch | Revocation | Renewal | Turnout | Confirmation


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `created` is a minute since 2024, `target` half an id or None, `life` hours.

    An event lives by its end, and has a life too when it corrects another one: moved to an earlier day, it still outlives
    the version it takes the place of. `position` is (latitude, longitude), each a signed 24-bit part of 90 and 180 degrees
    (`angle`, `degrees`). `by_radio`: a post that was typed on a radio in the hand. `detail` is what its kind adds.
    `marks` are of an event or a bulletin. `packed` is the text as `node.textpack` made it with `codec`.
    """

    kind: Kind
    author: bytes
    created: int
    life: int = 0
    urgent: bool = False
    language: int = 0
    topic: int = 0
    codec: int = 0
    packed: bytes = b""
    target: bytes | None = None
    position: tuple[int, int] | None = None
    detail: Detail | None = None
    signature: bytes = b""
    by_radio: bool = False
    marks: Marks = NO_MARKS

    @property
    def expires(self) -> int:
        """The minute from which this record is no longer in any set."""
        by_life = self.created + 60 * self.life
        if isinstance(self.detail, Event):
            return max(self.detail.over + EVENT_GRACE_MIN, by_life)
        return by_life

    @property
    def id(self) -> bytes:
        """16 bytes: BLAKE2b of the encoding, signature included."""
        return record_id(encode(self))

    @property
    def corrects(self) -> bool:
        """Whether it takes the place of `target`."""
        return self.target is not None and self.kind in CORRECTABLE


def record_id(raw: bytes) -> bytes:
    """The id of an encoded record."""
    return hashlib.blake2b(raw, digest_size=ID_BYTES, person=b"archipel-record").digest()


def signed_part(record: Record) -> bytes:
    """The encoding without its signature; raises LocalMisuse when a field is out of range."""
    try:
        body = _signed_part(record)
    except (struct.error, OverflowError, ValueError) as error:
        raise LocalMisuse(f"field out of range: {error}") from error
    if len(body) + SIGNATURE_BYTES > MAX_RECORD_BYTES:
        raise LocalMisuse("record too long")
    return body


def encode(record: Record) -> bytes:
    """The one encoding of a signed record."""
    if len(record.signature) != SIGNATURE_BYTES:
        raise LocalMisuse("record is not signed")
    return signed_part(record) + record.signature


def sign(record: Record, set_id: bytes, signer: Callable[[bytes], bytes]) -> Record:
    """`record` with the signature that `signer(message)` gives for this set."""
    return replace(record, signature=signer(signing_message(signed_part(record), set_id)))


def signing_message(body: bytes, set_id: bytes) -> bytes:
    """What a signature covers: the domain, the set it belongs to, the bytes before the signature."""
    return SIGNING_DOMAIN + set_id + body


def decode(raw: bytes) -> Record:
    """Read one encoded record; raises RemoteFault. Does not check the signature (`node.replica.trust` does)."""
    if len(raw) > MAX_RECORD_BYTES:
        raise RemoteFault("record-too-long")
    if len(raw) < LEAST_BODY_BYTES + SIGNATURE_BYTES:
        raise RemoteFault("record-too-short")
    wrong: set[str] = set()
    record = _parse(ByteReader(raw[:-SIGNATURE_BYTES], "record-too-short"), raw[-SIGNATURE_BYTES:], wrong)
    if wrong:
        raise RemoteFault(min(wrong, key=_WRONG.index))
    _check(record)
    return record


def marks_of(raw: bytes) -> Marks:
    """The marks of an encoded bulletin."""
    return _bulletin_marks(int.from_bytes(raw[BULLETIN_LIFE], "big"))


def angle(degrees: float, half_turn: int) -> int:
    """`degrees` as a signed 24-bit part of `half_turn` (90 for latitude, 180 for longitude)."""
    return round(degrees * 0x7FFFFF / half_turn)


def degrees(angle: int, half_turn: int) -> float:
    """The inverse of `angle`, within 0.00003 degrees."""
    return angle * half_turn / 0x7FFFFF


def _signed_part(record: Record) -> bytes:
    flags = URGENT * record.urgent | CORRECTS * record.corrects | POSITION * (record.position is not None)
    flags |= BY_RADIO * record.by_radio
    body = bytes([VERSION << 4 | record.kind, flags | _nibble(record.codec), _nibble(record.language) << 4
                  | _nibble(record.topic)])
    body += _exactly(record.author, KEY_ID_BYTES) + record.created.to_bytes(3, "big")
    if not _may_be_marked(record.kind, record.marks):
        raise ValueError("no such marks")
    if isinstance(record.detail, Event):
        body += _when(record.detail, record.marks)
    if _has_life(record.kind, flags):
        body += struct.pack(">H", _marked_life(record))
    elif record.life:
        raise ValueError("only an event that corrects has a life beside its end")
    if record.target is not None:
        body += _exactly(record.target, TARGET_BYTES)
    for angle_ in record.position or ():
        body += angle_.to_bytes(3, "big", signed=True)
    return body + _subject(record.detail) + record.packed


def _may_be_marked(kind: Kind, marks: Marks) -> bool:
    if kind is Kind.BULLETIN:
        return marks in BULLETIN_MARKS
    return not int(marks) & ~int(EVENT_MARKS) if kind is Kind.EVENT else not marks


def _marked_life(record: Record) -> int:
    if record.life >> LIFE_SHIFT and record.kind is Kind.BULLETIN:
        raise ValueError("too long a life")
    return record.life | (record.marks >> EVENT_MARKS.bit_length()) << LIFE_SHIFT


def _bulletin_marks(life: int) -> Marks:
    return Marks(life >> LIFE_SHIFT << EVENT_MARKS.bit_length())


def _when(event: Event, marks: Marks) -> bytes:
    """The fields of an event."""
    rule = event.repetition
    shape = WHOLE_DAYS * event.whole_days | REPEATED * (rule is not None) | len(event.shifts) & SHIFTS
    others = marks & ~Marks.FREE
    shape |= EXEMPT * bool(rule and rule.exempt) | FREE * (Marks.FREE in marks) | MARKED * bool(others)
    shape |= FOREIGN * (event.foreign is not None)
    if abs(event.offset) > LEAST_CLOCKS or len(event.shifts) > SHIFTS:
        raise ValueError("no such clocks")
    clocks = SHAPED * bool(shape) | event.offset & ~SHAPED & 0xFF
    head = event.start.to_bytes(3, "big") + struct.pack(">HB", event.length, clocks)
    if not shape:
        return head
    quarter = event.start // QUARTER_MIN
    shifts = b"".join(struct.pack(">Hb", shift.since // QUARTER_MIN - quarter, shift.offset) for shift in event.shifts)
    parts = _rule(rule) if rule else b"", _origin(event.foreign) if event.foreign else b""
    return head + bytes([shape, *([others] if others else [])]) + shifts + b"".join(parts)


def _origin(foreign: Foreign) -> bytes:
    if not 0 <= foreign.sequence <= MAX_SEQUENCE:
        raise ValueError("no such sequence")
    told = foreign.sequence | FOREIGN_OFF * foreign.off | FOREIGN_TENTATIVE * foreign.tentative
    return _exactly(foreign.key, FOREIGN_KEY_BYTES) + told.to_bytes(2, "big") + foreign.modified.to_bytes(3, "big")


def _rule(rule: Repetition) -> bytes:
    body = bytes([rule.rhythm << 4 | _nibble(rule.every)])
    body += bytes([rule.weekdays, rule.count]) if rule.rhythm is Rhythm.WEEKDAYS else bytes([rule.count])
    if rule.exempt:
        body += bytes([len(rule.exempt)])
    for one in rule.exempt:
        body += bytes([one.number]) if one.by is None else struct.pack(">Bh", MOVED | one.number, one.by)
    return body


def _has_life(kind: Kind, flags: int) -> bool:
    return kind is not Kind.EVENT or bool(flags & CORRECTS)


def _subject(detail: Detail | None) -> bytes:
    match detail:
        case Vouch(subject, rights):
            return _exactly(subject, PUBLIC_KEY_BYTES) + bytes([rights])
        case Revocation(subject, since):
            return _exactly(subject, KEY_ID_BYTES) + since.to_bytes(3, "big")
        case Turnout(number, level):
            return bytes([number, level])
        case Confirmation(holds):
            return bytes([holds])
        case Renewal(since, fingerprint, ephemeral, seats):
            head = since.to_bytes(3, "big") + _exactly(fingerprint, FINGERPRINT_BYTES)
            head += _exactly(ephemeral, EPHEMERAL_BYTES)
            return head + b"".join(_exactly(seat.key, KEY_ID_BYTES) + _exactly(seat.masked, MASKED_BYTES)
                                   for seat in seats)
    return b""


def _nibble(value: int) -> int:
    if not 0 <= value <= 15:
        raise ValueError(f"{value} does not fit four bits")
    return value


def _exactly(part: bytes, size: int) -> bytes:
    if len(part) != size:
        raise ValueError(f"{len(part)} bytes where {size} belong")
    return part


def _parse(reader: ByteReader, signature: bytes, wrong: set[str]) -> Record:
    first, flags, sort = reader.take(3)
    if first >> 4 != VERSION:
        raise RemoteFault("record-version")
    if first & 15 >= len(_KINDS):
        raise RemoteFault("record-kind")
    kind = _KINDS[first & 15]
    author, created = reader.take(KEY_ID_BYTES), reader.number(3)
    event, marks = _parse_event(reader, wrong) if kind is Kind.EVENT else (None, NO_MARKS)
    life = reader.number(2) if _has_life(kind, flags) else 0
    if kind is Kind.BULLETIN:
        life, marks = life & (1 << LIFE_SHIFT) - 1, _bulletin_marks(life)
    target = reader.take(TARGET_BYTES) if flags & CORRECTS or kind in TARGETED else None
    position = (reader.number(3, signed=True), reader.number(3, signed=True)) if flags & POSITION else None
    detail = event or _parse_subject(kind, reader, wrong)
    if not (_may_have(kind, flags) and _may_be_marked(kind, marks)):
        wrong.add("record-flags")
    return Record(kind, author, created, life, bool(flags & URGENT), sort >> 4, sort & 15, flags & 15, reader.rest(),
                  target, position, detail, signature, bool(flags & BY_RADIO), marks)


def _may_have(kind: Kind, flags: int) -> bool:
    """Whether a record of this kind may have these flags."""
    return not ((flags & BY_RADIO and kind not in POST_KINDS) or (flags & CORRECTS and kind not in CORRECTABLE)
                or (flags & URGENT and kind in TRUST_KINDS | COUNTED))


def _parse_event(reader: ByteReader, wrong: set[str]) -> tuple[Event, Marks]:
    start, length, clocks = reader.number(3), reader.number(2), reader.number(1)
    offset = (clocks & ~SHAPED ^ LEAST_CLOCKS) - LEAST_CLOCKS
    if not clocks & SHAPED:
        return Event(start, length, offset), NO_MARKS
    shape, since = reader.number(1), start - start % QUARTER_MIN
    if not shape or (shape & EXEMPT and not shape & REPEATED):
        wrong.add("record-event")
    marks = _parse_marks(shape, reader, wrong)
    shifts = tuple(Shift(since + QUARTER_MIN * reader.number(2), reader.number(1, signed=True))
                   for _ in range(shape & SHIFTS))
    rule = _parse_rule(reader, bool(shape & EXEMPT), wrong) if shape & REPEATED else None
    foreign = _parse_origin(reader) if shape & FOREIGN else None
    return Event(start, length, offset, bool(shape & WHOLE_DAYS), shifts, rule, foreign), marks


def _parse_origin(reader: ByteReader) -> Foreign:
    key, told, modified = reader.take(FOREIGN_KEY_BYTES), reader.number(2), reader.number(3)
    return Foreign(key, told & MAX_SEQUENCE, modified, bool(told & FOREIGN_OFF), bool(told & FOREIGN_TENTATIVE))


def _parse_marks(shape: int, reader: ByteReader, wrong: set[str]) -> Marks:
    others = reader.number(1) if shape & MARKED else 0
    if bool(shape & MARKED) != bool(others) or others & ~MARKS_THAT_FOLLOW:
        wrong.add("record-event")
    return Marks(others & MARKS_THAT_FOLLOW) | (Marks.FREE if shape & FREE else NO_MARKS)


def _parse_rule(reader: ByteReader, exempt: bool, wrong: set[str]) -> Repetition:
    first = reader.number(1)
    rhythm = Rhythm(first >> 4) if first >> 4 <= max(Rhythm) else Rhythm.DAYS
    weekdays, count = reader.number(1) if rhythm is Rhythm.WEEKDAYS else 0, reader.number(1)
    several = reader.number(1) if exempt else 0
    if first >> 4 != rhythm or (exempt and not several):
        wrong.add("record-event")
    return Repetition(rhythm, first & 15, count, weekdays, tuple(_parse_exempt(reader) for _ in range(several)))


def _parse_exempt(reader: ByteReader) -> Exempt:
    number = reader.number(1)
    return Exempt(number & ~MOVED, reader.number(2, signed=True) if number & MOVED else None)


def _parse_subject(kind: Kind, reader: ByteReader, wrong: set[str]) -> Detail | None:
    if kind is Kind.VOUCH:
        subject, rights = reader.take(PUBLIC_KEY_BYTES), reader.number(1)
        if rights & _NO_RIGHT or not rights:
            wrong.add("record-rights")
        if not is_usable_key(subject):
            wrong.add("record-key")
        return Vouch(subject, Right(rights))
    if kind is Kind.REVOCATION:
        return Revocation(reader.take(KEY_ID_BYTES), reader.number(3))
    if kind is Kind.RENEWAL:
        return _parse_renewal(reader)
    if kind is Kind.CONFIRMATION:
        return _parse_confirmation(reader, wrong)
    return _parse_turnout(reader, wrong) if kind is Kind.TURNOUT else None


def _parse_renewal(reader: ByteReader) -> Renewal:
    since, fingerprint, ephemeral = reader.number(3), reader.take(FINGERPRINT_BYTES), reader.take(EPHEMERAL_BYTES)
    count = max(-(-reader.left // SEAT_BYTES), 1)
    return Renewal(since, fingerprint, ephemeral,
                   tuple(Seat(reader.take(KEY_ID_BYTES), reader.take(MASKED_BYTES)) for _ in range(count)))


def _parse_turnout(reader: ByteReader, wrong: set[str]) -> Turnout:
    number, level = reader.take(2)
    if number >= MAX_DATES or not 1 <= level <= len(STEPS) or reader.left:
        wrong.add("record-turnout")
    return Turnout(number, level)


def _parse_confirmation(reader: ByteReader, wrong: set[str]) -> Confirmation:
    holds = reader.number(1)
    if holds > 1 or reader.left:
        wrong.add("record-confirmation")
    return Confirmation(bool(holds))


def _check(record: Record) -> None:
    """The limits every island applies alike: they depend on the record alone."""
    event = record.detail if isinstance(record.detail, Event) else None
    if event and (not event.is_sound() or event.over > record.created + MAX_EVENT_AHEAD_MIN):
        raise RemoteFault("record-event")
    if event and event.foreign and not event.foreign.is_sound(record.created, DAY_MIN):
        raise RemoteFault("record-event")
    if not (0 if event else 1) <= record.life <= MAX_LIFE_H[record.kind]:
        raise RemoteFault("record-life")
    if not record.created < record.expires <= MAX_MINUTE:
        raise RemoteFault("record-life")
    if isinstance(record.detail, Renewal):
        _check_renewal(record, record.detail)
    if record.position is not None and (event is None or -0x800000 in record.position):
        raise RemoteFault("record-position")


def _check_renewal(record: Record, renewal: Renewal) -> None:
    """It begins within a week, and its seats stand in order, one for each: there is one way to write it."""
    keys = [seat.key for seat in renewal.seats]
    if not record.created <= renewal.since <= record.created + MAX_WAIT_MIN or keys != sorted(set(keys)):
        raise RemoteFault("record-renewal")
