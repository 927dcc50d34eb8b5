"""What islands say to each other on the air: one packet, several sections (docs/protocol.md, section 5).

    0       version (high nibble, 1), flags (low nibble): 1 the sender's radio hears only what is signed
    1-4     tag: keyed BLAKE2b over everything else
    5-6     sender's address in this set
    7       sequence number
    8-      sections: DATA (whole record or Reed-Solomon piece), SUM, HAVE, NEED, MORE, NEIGHBOURS; zeros fill up the rest
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from node.model.byte_reader import ByteReader
from node.model.errors import LocalMisuse, RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES, piece_bytes
from node.sync.codes.sketch import ELEMENT_BYTES

# All islands share these: docs/protocol.md, 5.1 (the packet) and 5.2 (its sections).
VERSION = 1
STRICT = 1  # a flag beside it
SIGNED_UP_TO_BYTES = 165  # firmware >= 2.8 adds a signature of 66 B to broadcasts of up to so many bytes (docs/radio.md)
HEADER_BYTES = 8
TAG_BYTES = 4  # a stranger hits it once in 4 billion packets
ADDRESS_BYTES = 2
SHORT_ID_BYTES = 4
MAX_PACKET_BYTES = 231  # what Meshtastic carries on a port from 256 on: it fills a frame of 255 B (docs/radio.md)
MAX_CAPACITY = 40  # 160 B of sketch, which 188 B hold, and 13 ms of a desktop core to decode it
MAX_NEEDED = 31  # the low five bits of its first octet
MAX_NEIGHBOURS = 15  # the low four bits of its first octet
MAX_RESPONDERS = 3  # each takes 2 B of the filter
MAX_DEPTH = 8  # bits of the salt
WHOLE_BYTES, PIECE_BYTES, SUM_BYTES, HAVE_BYTES, NEED_BYTES = 2, 8, 5, 8, 4  # of a section, before what varies
LEAST_MAX_PAYLOAD = HEADER_BYTES + PIECE_BYTES + piece_bytes(MAX_RECORD_BYTES, MAX_PARTS)  # for the longest record

_HAVE, _MORE, _NEIGHBOURS, _NEED, _SUM, _WHOLE, _PIECE = 0x01, 0x02, 0x10, 0x20, 0x40, 0x80, 0xC0


@dataclass(frozen=True, slots=True)
class Whole:
    """DATA: a record in one piece. `fresh`: it is new to the set, not a repair."""

    raw: bytes
    fresh: bool

    def encode(self) -> bytes:
        """2 B + the record."""
        return bytes([_WHOLE | self.fresh, len(self.raw)]) + self.raw


@dataclass(frozen=True, slots=True)
class Piece:
    """DATA: piece `index` of a record of `whole_bytes` cut into `parts`; `short_id` begins the record's id."""

    short_id: bytes
    parts: int
    index: int
    whole_bytes: int
    content: bytes
    fresh: bool

    def encode(self) -> bytes:
        """8 B + the piece."""
        first = _PIECE | self.fresh << 4 | self.parts - 1
        return bytes([first]) + self.short_id + bytes([self.index]) + self.whole_bytes.to_bytes(2, "big") + self.content


@dataclass(frozen=True, slots=True)
class Sum:
    """What the sender holds: of the records live at `as_of_h`, their number (mod 2^16) and a sketch of `capacity`."""

    as_of_h: int
    count: int
    capacity: int
    sketch: int

    def encode(self) -> bytes:
        """5 B + 4 B per unit of capacity."""
        head = bytes([_SUM | self.capacity]) + self.as_of_h.to_bytes(2, "big") + self.count.to_bytes(2, "big")
        return head + _turned(self.sketch.to_bytes(self.capacity * ELEMENT_BYTES, "big"))


@dataclass(frozen=True, slots=True)
class Have:
    """What the sender holds, when that is far from what others hold: a Bloom filter (`node.sync.codes.bloom`).

    Of a large set it is about a part: `count` elements, whose first `depth` bits are those of the salt. The n `responders`
    share out what it lacks: the i-th sends the elements that leave i when divided by n.
    """

    as_of_h: int
    count: int
    salt: int
    responders: tuple[int, ...]
    bits: bytes
    depth: int = 0

    def encode(self) -> bytes:
        """8 B + 2 B per responder + the filter."""
        head = bytes([_HAVE, len(self.bits)]) + self.as_of_h.to_bytes(2, "big") + self.count.to_bytes(2, "big")
        named = b"".join(address.to_bytes(ADDRESS_BYTES, "big") for address in self.responders)
        return head + bytes([self.salt, self.depth << 4 | len(self.responders)]) + named + self.bits


@dataclass(frozen=True, slots=True)
class Need:
    """Elements the sender lacks, `responder` to answer first. `day` (mod 256) says how the elements are salted."""

    responder: int
    day: int
    elements: tuple[int, ...]

    def encode(self) -> bytes:
        """4 B + 4 B per element."""
        head = bytes([_NEED | len(self.elements)]) + self.responder.to_bytes(ADDRESS_BYTES, "big") + bytes([self.day])
        return head + b"".join(element.to_bytes(ELEMENT_BYTES, "big") for element in self.elements)


@dataclass(frozen=True, slots=True)
class More:
    """The sender holds pieces of a record and lacks `missing` of `parts` (any will do)."""

    responder: int
    short_id: bytes
    parts: int
    missing: int

    def encode(self) -> bytes:
        """8 B."""
        head = bytes([_MORE]) + self.responder.to_bytes(ADDRESS_BYTES, "big") + self.short_id
        return head + bytes([self.parts - 1 << 4 | self.missing])


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom the sender hears directly."""

    addresses: tuple[int, ...]

    def encode(self) -> bytes:
        """1 B + 2 B per address."""
        head = bytes([_NEIGHBOURS | len(self.addresses)])
        return head + b"".join(address.to_bytes(ADDRESS_BYTES, "big") for address in self.addresses)


Section = Whole | Piece | Sum | Have | Need | More | Neighbours


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `sender` is an address of 16 bits, good enough to tell neighbours apart, never an identity. `strict`: its
    radio hears only what other radios have signed, or sent to it alone."""

    sender: int
    sequence: int
    sections: tuple[Section, ...]
    strict: bool = False


def encode(packet: Packet, key: bytes, min_bytes: int = 0) -> bytes:
    """The packet, tagged with the set's key and filled up with zeros to `min_bytes`; raises LocalMisuse if too long."""
    body = packet.sender.to_bytes(ADDRESS_BYTES, "big") + bytes([packet.sequence])
    body += b"".join(section.encode() for section in packet.sections)
    body = body.ljust(min_bytes - 1 - TAG_BYTES, b"\0")
    if len(body) > MAX_PACKET_BYTES - 1 - TAG_BYTES:
        raise LocalMisuse("packet too long")
    first = bytes([VERSION << 4 | STRICT * packet.strict])
    return first + tag(first + body, key) + body


def _turned(sums: bytes) -> bytes:
    """The sums of a sketch in the opposite order: on the air the first power comes first."""
    return b"".join(sums[at : at + ELEMENT_BYTES] for at in range(len(sums) - ELEMENT_BYTES, -1, -ELEMENT_BYTES))


def tag(content: bytes, key: bytes) -> bytes:
    """4 B that only members can make: keyed BLAKE2b."""
    return hashlib.blake2b(content, key=key, digest_size=TAG_BYTES, person=b"archipel-packet").digest()


def decode(payload: bytes, key: bytes) -> Packet:
    """Read a packet; raises RemoteFault. The tag is checked before anything but the version."""
    if len(payload) < HEADER_BYTES or len(payload) > MAX_PACKET_BYTES:
        raise RemoteFault("packet-size")
    if payload[0] >> 4 != VERSION:
        raise RemoteFault("packet-version")
    if not hmac.compare_digest(payload[1:5], tag(payload[:1] + payload[5:], key)):
        raise RemoteFault("packet-tag")
    if payload[0] & 15 & ~STRICT:
        raise RemoteFault("packet-flags")
    sections = tuple(_sections(ByteReader(payload[HEADER_BYTES:], "packet-short")))
    return Packet(int.from_bytes(payload[5:7], "big"), payload[7], sections, bool(payload[0] & STRICT))


def _sections(reader: ByteReader) -> Iterator[Section]:
    while reader.left:
        first = reader.number(1)
        if first == 0:
            if any(reader.rest()):
                raise RemoteFault("packet-padding")
            return
        yield _reading(first)(first, reader)


def _reading(first: int) -> Callable[[int, ByteReader], Section]:
    for mask, kind, read in _READINGS:
        if first & mask == kind:
            return read
    raise RemoteFault("packet-section")


def _read_whole(first: int, reader: ByteReader) -> Whole:
    return Whole(reader.take(reader.number(1)), bool(first & 1))


def _read_piece(first: int, reader: ByteReader) -> Piece:
    short_id, parts = reader.take(SHORT_ID_BYTES), (first & 15) + 1
    index, whole_bytes = reader.number(1), reader.number(2)
    if parts < 2 or index >= MAX_PIECES or not parts <= whole_bytes <= MAX_RECORD_BYTES:
        raise RemoteFault("packet-piece")
    content = reader.take(piece_bytes(whole_bytes, parts))
    return Piece(short_id, parts, index, whole_bytes, content, bool(first & 16))


def _read_sum(first: int, reader: ByteReader) -> Sum:
    capacity = first & 63
    if not 1 <= capacity <= MAX_CAPACITY:
        raise RemoteFault("packet-capacity")
    as_of_h, count, sums = reader.number(2), reader.number(2), reader.take(capacity * ELEMENT_BYTES)
    return Sum(as_of_h, count, capacity, int.from_bytes(_turned(sums), "big"))


def _read_have(first: int, reader: ByteReader) -> Have:
    size = reader.number(1)
    as_of_h, count, salt, last = reader.number(2), reader.number(2), reader.number(1), reader.number(1)
    depth, named = last >> 4, last & 15
    if not size or not 1 <= named <= MAX_RESPONDERS or depth > MAX_DEPTH:
        raise RemoteFault("packet-have")
    responders = tuple(reader.number(ADDRESS_BYTES) for _ in range(named))
    return Have(as_of_h, count, salt, responders, reader.take(size), depth)


def _read_need(first: int, reader: ByteReader) -> Need:
    if not first & 31:
        raise RemoteFault("packet-need")
    responder, day = reader.number(ADDRESS_BYTES), reader.number(1)
    return Need(responder, day, tuple(reader.number(ELEMENT_BYTES) for _ in range(first & 31)))


def _read_more(first: int, reader: ByteReader) -> More:
    responder, short_id, last = reader.number(ADDRESS_BYTES), reader.take(SHORT_ID_BYTES), reader.number(1)
    parts, missing = (last >> 4) + 1, last & 15
    if not 2 <= parts <= MAX_PARTS or not 1 <= missing < parts:
        raise RemoteFault("packet-more")
    return More(responder, short_id, parts, missing)


def _read_neighbours(first: int, reader: ByteReader) -> Neighbours:
    return Neighbours(tuple(reader.number(ADDRESS_BYTES) for _ in range(first & 15)))


_READINGS = (
    (0xFE, _WHOLE, _read_whole),
    (0xE0, _PIECE, _read_piece),
    (0xC0, _SUM, _read_sum),
    (0xE0, _NEED, _read_need),
    (0xF0, _NEIGHBOURS, _read_neighbours),
    (0xFF, _HAVE, _read_have),
    (0xFF, _MORE, _read_more),
)
