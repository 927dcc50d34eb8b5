"""What packets, messages and records look like in a capture: numbers in the place of names, and no octet of theirs."""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from node.daemon.captures import MAX_NUMBER, MAX_SAID, Entry, steps
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.keys import key_id
from node.model.record import KEY_ID_BYTES, Record, Revocation, Vouch, decode, record_id
from node.replica.liveset import LiveSet
from node.sync.lora.packets import SHORT_ID_BYTES, Have, More, Need, Neighbours, Packet, Piece, Section, Sum, Whole

HOUR_MIN, HOURS = 60, 1 << 16


class CaptureFull(Exception):
    """There are more things than a capture has numbers for."""


class Numbers:
    """Small numbers for things of one sort, in the order in which they are met; `first` has 0."""

    def __init__(self, first: object = None):
        self._known: dict[object, int] = {first: 0}

    def of(self, thing: object) -> int:
        """The number of a thing; raises CaptureFull."""
        number = self._known.setdefault(thing, len(self._known))
        if number > MAX_NUMBER:
            raise CaptureFull
        return number

    def __contains__(self, thing: object) -> bool:
        return thing in self._known


class RadioNumbers(Numbers):
    """Of radios, by their links' names. Of who passed a packet on only the end of such a name is known."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: dict[str, int] = {}

    def of(self, thing: object) -> int:
        """See Numbers."""
        number = super().of(thing)
        if isinstance(thing, str):
            self._ends.setdefault(thing[-2:], number)
        return number

    def of_end(self, end: str) -> int:
        """The number of the radio whose name ends so."""
        return self._ends[end] if end in self._ends else self.of(end)


class TrafficShapes:
    """The numbers of one capture. `tell(entry)` hears of each record when it is first met with its encoding."""

    def __init__(self, liveset: LiveSet, author: bytes, address: int, tell: Callable[[Entry], None]):
        self._liveset, self._tell = liveset, tell
        self.radios = RadioNumbers()
        self._records, self._authors, self._islands = Numbers(), Numbers(author), Numbers(address)
        self._told: set[int] = set()

    def island(self, address: int) -> int:
        """Of an address in the set; 0 is ours."""
        return self._islands.of(address)

    def record(self, raw: bytes) -> int:
        """Of an encoded record that came."""
        id_ = record_id(raw)
        return self._met(id_, raw, id_ in self._liveset)

    def piece(self, short_id: bytes, octets: int = 0) -> int:
        """Of a record of which only the first 4 B of the id are told, and how long it is."""
        if short_id in self._records:
            return self._records.of(short_id)
        id_ = next((held for held in self._liveset.ids() if held[:SHORT_ID_BYTES] == short_id), None)
        if id_ is not None and (raw := self._liveset.encoding(id_)):
            return self._met(id_, raw, True)
        number = self._records.of(short_id)
        if octets:
            self._tell({"is": "record", "number": number, "octets": steps(octets)})
        return number

    def held(self, id_: bytes) -> int:
        """Of a record that is in the set."""
        return self._met(id_, self._liveset.encoding(id_) or b"", True)

    def decided(self, id_: bytes) -> int:
        """Of a record that has just been let into the set or refused."""
        raw = self._liveset.encoding(id_)
        return self._met(id_, raw, False) if raw else self._records.of(id_[:SHORT_ID_BYTES])

    def _met(self, id_: bytes, raw: bytes, held: bool) -> int:
        number = self._records.of(id_[:SHORT_ID_BYTES])
        if number not in self._told:
            self._told.add(number)
            entry = {"is": "record", "number": number, "octets": steps(len(raw))} | self._facts(raw)
            self._tell(entry | {"held": 1} if held else entry)
        return number

    def _facts(self, raw: bytes) -> Entry:
        try:
            record = decode(raw)
        except RemoteFault:
            return {}
        facts: Entry = {"kind": record.kind.name.lower(), "author": self._authors.of(record.author)}
        if record.target is not None and record.target[:SHORT_ID_BYTES] in self._records:
            facts["about"] = self._records.of(record.target[:SHORT_ID_BYTES])
        whom = whom_of(record)
        if whom is not None:
            facts["whom"] = self._authors.of(whom)
        return facts | {name: 1 for name in ("corrects", "urgent") if getattr(record, name)}

    def packet(self, packet: Packet, now: float) -> Entry:
        """What a packet says."""
        said = [self._said(section, now) for section in packet.sections[:MAX_SAID]]
        return {"says": said, **({"strict": 1} if packet.strict else {})}

    def _said(self, section: Section, now: float) -> list[Any]:
        match section:
            case Whole(raw, fresh):
                return ["whole", self.record(raw), int(fresh)]
            case Piece(short_id, parts, index, whole_bytes, _, fresh):
                return ["piece", self.piece(short_id, whole_bytes), parts, index, int(fresh)]
            case Sum(as_of_h, count, capacity, _):
                return ["sum", hours_on(as_of_h, now), count, capacity]
            case Have(as_of_h, count, _, responders, bits, depth):
                return ["have", hours_on(as_of_h, now), count, len(bits), depth, *map(self.island, responders)]
            case Need(responder, _, elements):
                return ["need", self._asked(responder), len(elements)]
            case More(responder, short_id, parts, missing):
                return ["more", self._asked(responder), self.piece(short_id), parts, missing]
            case Neighbours(addresses):
                return ["near", *map(self.island, addresses)]

    def _asked(self, responder: int) -> int:
        """Anybody, whose address is 0, has no number of ours: who is asked last."""
        return self.island(responder) if responder else MAX_NUMBER

    def brought(self, raws: Iterable[bytes]) -> Entry:
        """Records that a message brings: the first of them by number, and how many `more`."""
        rest = iter(raws)
        numbers = [self.record(raw) for raw in islice(rest, MAX_SAID)]
        more = sum(1 for _ in rest)
        return {"brings": numbers, **({"more": more} if more else {})}


def whom_of(record: Record) -> bytes | None:
    """The key id that a vouch or a revocation is about."""
    match record.detail:
        case Vouch(subject, _):
            return key_id(subject)
        case Revocation(subject, _):
            return subject[:KEY_ID_BYTES]
    return None


def hours_on(as_of_h: int, now: float) -> int:
    """An hour of a packet, which has 16 bits, as hours from the next full one on."""
    ours = minute_of(now) // HOUR_MIN + 1
    return (as_of_h - ours + HOURS // 2) % HOURS - HOURS // 2


def counted_since(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """How much more was counted."""
    return {name: more for name, count in after.items() if (more := count - before.get(name, 0)) > 0}


def within(value: float, most: int) -> int:
    """A number as a radio tells it, whole and bounded: it may be any."""
    return round(min(max(value, -most), most)) if math.isfinite(value) else 0
