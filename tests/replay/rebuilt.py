"""Records, packets and messages that have the shape of those of a capture: made anew, with keys and words of our own."""

import hashlib
import json
import random
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

from node.daemon.captures import MAX_NUMBER
from node.model.clock import EPOCH_S, minute_of
from node.model.errors import LocalMisuse
from node.model.event import Event
from node.model.keys import Charter, SigningKey
from node.model.record import (
    SEAT_BYTES,
    Kind,
    Record,
    Renewal,
    Revocation,
    Right,
    Seat,
    Vouch,
    encode,
    record_id,
    sign,
)
from node.model.turnout import Turnout
from node.sync.codes.erasure import piece
from node.sync.lora import packets
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Sum, Whole
from node.sync.mqtt.sealing import NONCE_BYTES, SEALED_BYTES, TAG_BYTES, Seal

START = EPOCH_S + 2 * 365 * 86_400.0
NOW = minute_of(START)
VECTORS = Path(__file__).parents[1] / "vectors" / "records.json"
ALL_RIGHTS = Right.WRITE | Right.URGENT | Right.VOUCH  # the right to invite would stand alone
FORTNIGHT_H, YEAR_H = 14 * 24, 366 * 24
OURS = 0x0FFF  # the address of the island that the capture was made by
HELD_BY_A_FULL_AUTHOR = 1_024


def key(*name):
    """A signing key, always the same for a name."""
    return SigningKey(hashlib.blake2b(repr(name).encode(), digest_size=32).digest())


FOUNDER = key("founder")
CHARTER = Charter.found("a replay", [FOUNDER.public], b"\5" * 32)
TAG_KEY, SEAL = CHARTER.subkey("tag"), Seal(CHARTER)


class Rebuilder:
    """The records of a capture, by number: each so that the same becomes of it."""

    def __init__(self, capture):
        self.facts, self.fates = defaultdict(dict), defaultdict(list)
        for entry in capture.of("record"):
            self.facts[entry["number"]] |= entry
        for entry in capture.of("became"):
            self.fates[entry["record"]].append((entry["via"], entry["reason"]))
        self.seeds, self._raws, self._sequences = [], {}, Counter()
        vectors = [one for one in json.loads(VECTORS.read_text())["refused"] if one["reason"].startswith("record-")]
        shortest_last = sorted(vectors, key=lambda one: -len(one["hex"]))  # so that a packet has room for it
        self._refused = {one["reason"]: bytes.fromhex(one["hex"]) for one in shortest_last}
        self._let_in_later = {self.facts[number].get("author") for number, fates in self.fates.items()
                              if ("quarantine", "kept") in fates}
        self._vouched = set()
        for number in sorted({*self.facts, *self.fates}):
            self.raw(number)
        self.seeds += [self._raws[number] for number in sorted(self.facts) if self.facts[number].get("held")]

    # records

    def raw(self, number):
        """A record's encoding."""
        if number not in self._raws:
            self._raws[number] = b""  # what is about itself is about nothing
            self._raws[number] = self._made(number)
        return self._raws[number]

    def _made(self, number):
        facts, reasons = self.facts[number], [reason for _, reason in self.fates[number]]
        fate = next((reason for reason in reasons if reason != "duplicate"), "kept")
        if fate in self._refused:
            return self._refused[fate]
        kind = Kind[facts.get("kind", "bulletin").upper()]
        signer = self._signer(kind, facts.get("author", MAX_NUMBER), fate)
        created = NOW - 1_440 + min(number, 1_400)
        if fate in ("expired", "early", "over-share"):
            created += {"expired": -7_200, "early": 4 * 1_440, "over-share": -1_440}[fate]
        raw = self._filled(number, kind, signer, created, fate)
        if fate == "signature":
            return raw[:-1] + bytes([raw[-1] ^ 1])
        if fate in ("superseded", "retracted") and not self._comes_to_be(number, fate):
            self._end(raw, signer, created, fate)
        return raw

    def _signer(self, kind, author, fate):
        """The key that signs, let in or not as it must be for this to become of the record."""
        if kind is Kind.RENEWAL:
            return FOUNDER
        standing = {"penned": "stranger", "revoked": "revoked", "over-share": "full"}.get(fate, "")
        if author in self._let_in_later:
            standing = ""
        signer = key("author", author, standing)
        if (author, standing) in self._vouched or standing == "stranger" or author in self._let_in_later:
            return signer
        self._vouched.add((author, standing))
        self.seeds.append(signed(Kind.VOUCH, FOUNDER, NOW - 10_000, YEAR_H, detail=Vouch(signer.public, ALL_RIGHTS)))
        if standing == "revoked":
            since = Revocation(signer.key_id, NOW - 9_000)
            self.seeds.append(signed(Kind.REVOCATION, FOUNDER, NOW - 9_000, YEAR_H, detail=since))
        if standing == "full":
            self.seeds += [signed(Kind.BULLETIN, signer, NOW - 1_000, FORTNIGHT_H, packed=b"%d" % one)
                           for one in range(HELD_BY_A_FULL_AUTHOR)]
        return signer

    def _filled(self, number, kind, signer, created, fate):
        """Signed, of the octets that it had, as far as its kind goes."""
        facts, rng = self.facts[number], random.Random(number)
        about, corrects = facts.get("about"), "corrects" in facts and kind in (Kind.BULLETIN, Kind.EVENT)
        target = record_id(self.raw(about))[:8] if about and self._raws.get(about) != b"" else rng.randbytes(8)
        aimed = corrects or kind in (Kind.REPLY, Kind.RETRACTION, Kind.CANCELLATION, Kind.TURNOUT)
        fields = {"urgent": "urgent" in facts and kind in (Kind.BULLETIN, Kind.EVENT, Kind.REPLY),
                  "target": target if aimed else None, "life": 1 if fate == "expired" else FORTNIGHT_H}
        wanted = facts.get("octets", 160)
        fields |= self._detail(kind, facts, created, wanted, rng)
        if kind is Kind.EVENT and not corrects:
            fields["life"] = 0
        least = signed(kind, signer, created, **fields)
        room = 0 if kind in (Kind.RENEWAL, Kind.TURNOUT) else max(wanted - len(least), 0)
        return signed(kind, signer, created, **fields, packed=rng.randbytes(room)) if room else least

    def _detail(self, kind, facts, created, wanted, rng):
        whom = key("author", facts.get("whom", MAX_NUMBER - 1), "")
        match kind:
            case Kind.EVENT:
                return {"detail": Event(created + 600, 60, 4)}
            case Kind.VOUCH:
                return {"detail": Vouch(whom.public, ALL_RIGHTS)}
            case Kind.REVOCATION:
                return {"detail": Revocation(whom.key_id, created)}
            case Kind.TURNOUT:
                return {"detail": Turnout(0, 1)}
            case Kind.RENEWAL:
                seats = max((wanted - 131) // SEAT_BYTES, 1)
                return {"detail": Renewal(created, rng.randbytes(16), rng.randbytes(32), tuple(
                    Seat(one.to_bytes(8, "big"), rng.randbytes(32)) for one in range(seats)))}
        return {}

    def _comes_to_be(self, number, fate):
        """Whether the capture itself has what puts this record out."""
        what = ("corrects",) if fate == "superseded" else ()
        return any(facts.get("about") == number and all(name in facts for name in what)
                   and (fate == "superseded" or facts.get("kind") == "retraction")
                   and (facts.get("held") or any(reason == "kept" for _, reason in self.fates[other]))
                   for other, facts in list(self.facts.items()))

    def _end(self, raw, signer, created, fate):
        kind = Kind.RETRACTION if fate == "retracted" else Kind.BULLETIN
        self.seeds.append(signed(kind, signer, created + 1, FORTNIGHT_H, target=record_id(raw)[:8]))

    # packets

    def packet(self, entry, held, hour):
        """A packet of another island as octets; raises LocalMisuse or ValueError for what none can say. `held`: elements of
        what the island holds, the newest first."""
        sender = address(entry["island"])
        self._sequences[sender] += 1
        again, sequence = divmod(self._sequences[sender], 256)
        said = tuple(self._section(told, held, hour) for told in entry["says"])
        packet = Packet(sender, sequence, said, "strict" in entry)
        whole = packets.encode(packet, TAG_KEY)
        return packets.encode(packet, TAG_KEY, len(whole) + again % 8) if again else whole

    def _section(self, told, held, hour):
        name, *rest = told
        match name:
            case "whole":
                return Whole(self.raw(rest[0]), bool(rest[1]))
            case "piece":
                return self._piece(*rest)
            case "sum":
                sums = packets_sketch(held, rest[1], rest[2])
                return Sum((hour + rest[0]) % 65_536, rest[1], rest[2], sums)
            case "have":
                hours, count, octets, depth, *named = rest
                return Have((hour + hours) % 65_536, count, 0, tuple(map(address, named)), bytes(octets), depth)
            case "need":
                return Need(asked(rest[0]), 0, tuple((held + [1] * 31)[:rest[1]]))
            case "more":
                return More(asked(rest[0]), record_id(self.raw(rest[1]))[:4], rest[2], rest[3])
        return Neighbours(tuple(map(address, rest)))

    def _piece(self, number, parts, index, fresh):
        raw = self.raw(number)
        return Piece(record_id(raw)[:4], parts, index, len(raw), piece(raw, parts, index), bool(fresh))

    @cached_property
    def broken_packets(self):
        """By reason, a packet that is refused for it."""
        rng = random.Random(1)
        return {reason: self._broken(reason, rng) for reason in (
            "packet-size", "packet-version", "packet-tag", "packet-flags", *BROKEN_SECTIONS)}

    def _broken(self, reason, rng):
        if reason == "packet-size":
            return b"\x10" * 7
        first = {"packet-version": 0x20, "packet-flags": 0x12}.get(reason, 0x10)
        body = address(1).to_bytes(2, "big") + b"\0" + BROKEN_SECTIONS.get(reason, b"")
        tag = rng.randbytes(4) if reason == "packet-tag" else packets.tag(bytes([first]) + body, TAG_KEY)
        return bytes([first]) + tag + body


BROKEN_SECTIONS = {
    "packet-section": b"\xff", "packet-short": b"\x80\xc8", "packet-padding": b"\0\1", "packet-capacity": b"\x40",
    "packet-piece": b"\xc0" + bytes(8), "packet-have": b"\x01" + bytes(9), "packet-need": b"\x20",
    "packet-more": b"\x02" + bytes(7)}


def signed(kind, signer, created, life=FORTNIGHT_H, **fields):
    """A record's encoding."""
    return encode(sign(Record(kind, signer.key_id, created, life, **fields), CHARTER.set_id, signer.sign))


def address(number):
    """The address of an island of the capture; 0 is who made it."""
    return (0x1000 + number) & 0xFFFF if number else OURS


def asked(number):
    """Who is asked: an island, or (the last number) anybody."""
    return 0 if number == MAX_NUMBER else address(number)


def packets_sketch(held, count, capacity):
    """A sketch of so many elements: first those that we hold, then others; of 2,000 at most."""
    from node.sync.codes.sketch import sketch

    others = [0xE000_0000 + number for number in range(max(min(count, 2_000) - len(held), 0))]
    return sketch([*held[:count], *others], capacity)


def put(raw):
    """What stands in a broker's slot."""
    slot = SEAL.slot(record_id(raw))
    return slot + SEAL.close(slot, raw)


def broken_put(reason, raw):
    """A message of a broker that is refused for this reason; None if nobody knows how. `raw`: whose slot it is."""
    slot = SEAL.slot(record_id(raw))
    match reason:
        case "seal-overwritten":
            return slot + bytes(SEALED_BYTES[0])
        case "slot-size":
            return slot[:3]
        case "seal-size":
            return slot + bytes(10)
        case "seal":
            return slot + bytes(SEALED_BYTES[0])
        case "seal-slot":
            other = SEAL.slot(b"another")
            return other + SEAL.close(other, raw)
        case "seal-form":
            nonce = bytes(NONCE_BYTES)
            plain = (len(raw).to_bytes(2, "big") + raw).ljust(SEALED_BYTES[1] - NONCE_BYTES - TAG_BYTES, b"\0")
            return slot + nonce + SEAL._cipher.encrypt(nonce, plain, slot)
    return None


def fits(work):
    """What `work()` returns, None if no packet can say that."""
    try:
        return work()
    except (LocalMisuse, ValueError, OverflowError):
        return None
