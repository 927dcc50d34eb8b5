"""Listens, while a keeper wants it, to what an island hears and sends, and tells its shape (`node.daemon.captures`).

An engine that sends nothing: idle, it costs a call an event. It is in memory only, ends by itself, and is forgotten when
nobody comes for what it has.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from node.daemon.capture_shapes import CaptureFull, TrafficShapes, counted_since, within
from node.daemon.captures import (
    MAX_LINE_OCTETS,
    MAX_LINES,
    MAX_MINUTES,
    MAX_OCTETS,
    MOST_DB,
    MOST_DBM,
    VERSION,
    Entry,
    is_sound,
    line_of,
    steps,
)
from node.daemon.membership import Membership
from node.daemon.rpc import Handler
from node.model.byte_reader import ByteReader
from node.model.clock import Clock
from node.model.errors import RemoteFault
from node.model.record import record_id
from node.sync.events import (
    Action,
    Event,
    LinkChanged,
    PacketReceived,
    RecordKept,
    RecordRefused,
    RecordsGone,
    Send,
    SendDone,
)
from node.sync.lora.packets import decode
from node.sync.mqtt.sealing import SLOT_BYTES, Seal
from node.transfer.lan import COMPARE, DIFFERENT, LATER, SAME, SHORT, SHORT_BYTES, TRADE, records_of
from radio.link import Link

log = logging.getLogger(__name__)

ABANDONED_S = 60.0  # without anybody who takes what there is: whoever asked for it comes each second
END_OCTETS = 10_000  # kept free for the end, which tells what was counted
MOST_TAGS = 1_024  # of packets, to know one that is repeated: twice what the engine for the air remembers
AIR = ("radio", "packet")
FORMER = "-before"  # of a link's name: it speaks with an earlier secret, and is not listened to


@dataclass
class _Running:
    """A capture under way, and what of it nobody has taken yet."""

    shapes: TrafficShapes
    began_s: float
    until_s: float
    counted: Mapping[str, int]
    taken_s: float
    waiting: list[str]
    octets: int = 0
    lines: int = 0
    left_out: int = 0
    packets: int = 0
    why: str = ""  # it ended


class CaptureTap:
    """See `node.replica.replica.Engine`; besides, `sent` hears of packets that go out, `lan` of messages on the network.

    `counters` are the replica's. Safe from any thread, but `begin` and `handle`, which are the runner's.
    """

    deadline: float | None = None

    def __init__(self, member: Membership, clock: Clock, most_octets: int = MAX_OCTETS):
        self._member, self._clock, self._most_octets = member, clock, most_octets
        self._patience_s = ABANDONED_S * clock.rate  # whoever comes for it lives by the machine's own time
        self._key, self._seal = member.charter.subkey("tag"), Seal(member.charter)
        self._lock = Lock()
        self._running: _Running | None = None
        self._tags: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._slots: dict[bytes, bytes] = {}  # of a broker, by what stands there of ours: the record's id
        self.counters: Mapping[str, int] = {}

    def begin(self, minutes: float, up: Iterable[str]) -> bool:
        """Begin a capture of so many minutes; `up`: the links that are. Whether none was under way."""
        now_s = self._clock.monotonic()
        with self._lock:
            if self._running and not self._running.why and now_s < self._running.taken_s + self._patience_s:
                return False
            identity = self._member.identity
            shapes = TrafficShapes(self._member.liveset, self._member.key.key_id, identity.address, self._note)
            self._forget()
            self._running = _Running(shapes, now_s, now_s + 60 * minutes, dict(self.counters), now_s, [])
            self._slots = {self._seal.slot(id_): id_ for id_ in self._member.liveset.ids()}
            self._put(self._running, {"is": "capture", "version": VERSION, "up": sorted(up)})
            self._set_deadline(self._running, now_s)
        return True

    def take(self) -> dict[str, Any]:
        """What is new of it: `lines`, and `over`, "" or why it has ended; then nothing is kept any more."""
        now_s = self._clock.monotonic()
        with self._lock:
            running = self._running
            if running is None:
                return {"lines": [], "over": "asked"}
            running.taken_s = now_s
            self._end_in_time(running, now_s)
            lines, running.waiting = running.waiting, []
            if running.why:
                self._forget()
            else:
                self._set_deadline(running, now_s)
            return {"lines": lines, "over": running.why}

    def end(self) -> dict[str, Any]:
        """End it, and take the rest."""
        with self._lock:
            if self._running and not self._running.why:
                self._end(self._running, "asked")
        return self.take()

    def handle(self, event: Event, now: float) -> Iterable[Action]:
        """See node.replica.replica.Engine."""
        if self._running is not None:
            with self._lock:
                self._hear(event, now)
        return ()

    def sent(self, send: Send) -> None:
        """A packet goes out."""
        if self._running is not None:
            with self._lock:
                self._tell(lambda running: self._sending(running, send))

    def lan(self, way: str, kind: int, content: bytes) -> None:
        """A message on the network, opened (`node.transfer.lan.LanService`)."""
        if self._running is not None:
            with self._lock:
                self._tell(lambda running: self._message(running, way, kind, content))

    # ends

    def _forget(self) -> None:
        self._running = self.deadline = None
        self._tags, self._slots = OrderedDict(), {}

    def _set_deadline(self, running: _Running, now_s: float) -> None:
        ends_s = min(running.until_s, running.taken_s + self._patience_s)
        self.deadline = self._clock.now() + max(ends_s - now_s, 0.0) + 1.0

    def _end_in_time(self, running: _Running, now_s: float) -> None:
        if not running.why and now_s >= running.until_s:
            self._end(running, "time")

    def _end(self, running: _Running, why: str) -> None:
        running.why = why
        end = {"is": "end", "why": why, "counted": counted_since(running.counted, dict(self.counters)),
               "left-out": running.left_out}
        self._put(running, self._dated(running, end))

    # what is told

    def _tell(self, shape: Callable[[_Running], Entry | None]) -> None:
        """Note what `shape(running)` makes of something, as long as there is room for it."""
        running, now_s = self._running, self._clock.monotonic()
        if running is None or running.why:
            return
        if now_s >= running.taken_s + self._patience_s:
            self._forget()
            return
        self._end_in_time(running, now_s)
        if running.why:
            return
        try:
            entry = shape(running)
        except CaptureFull:
            self._end(running, "full")
        except Exception:  # what listens must not break what it listens to
            log.exception("a capture ended")
            self._end(running, "trouble")
        else:
            if entry is not None:
                self._note(entry)

    def _note(self, entry: Entry) -> None:
        running = self._running
        if running is not None and not running.why:
            self._put(running, self._dated(running, entry))
            if running.octets > self._most_octets - END_OCTETS or running.lines >= MAX_LINES - 1:
                self._end(running, "full")

    def _dated(self, running: _Running, entry: Entry) -> Entry:
        return entry | {"at": int(1000 * (self._clock.monotonic() - running.began_s))}

    @staticmethod
    def _put(running: _Running, entry: Entry) -> None:
        line = line_of(entry)
        if len(line) > MAX_LINE_OCTETS or not is_sound(entry):
            running.left_out += 1
            return
        running.waiting.append(line.decode())
        running.octets += len(line)
        running.lines += 1

    # what is heard

    def _hear(self, event: Event, now: float) -> None:
        self._keep_slots(event)
        match event:
            case PacketReceived(link) if link in AIR:
                self._tell(lambda running: self._air(running, event, now))
            case PacketReceived(link) if FORMER not in link:
                self._tell(lambda running: self._broker(running, "heard", link, event.payload))
            case SendDone(link, outcome):
                self._tell(lambda running: {"is": "done", "link": link, "outcome": outcome})
            case LinkChanged(link, up):
                self._tell(lambda running: {"is": "link", "link": link, "up": int(up)})
            case RecordKept(id_, via, bulk):
                self._tell(lambda running: became(running.shapes.decided(id_), via, "kept", bulk))
            case RecordRefused(id_, via, reason):
                self._tell(lambda running: became(running.shapes.decided(id_), via, reason))
            case _:
                self._tell(lambda running: None)  # it may be over

    def _keep_slots(self, event: Event) -> None:
        if isinstance(event, RecordKept):
            self._slots[self._seal.slot(event.id)] = event.id
        elif isinstance(event, RecordsGone):
            for id_ in event.ids:
                self._slots.pop(self._seal.slot(id_), None)

    def _air(self, running: _Running, event: PacketReceived, now: float) -> Entry:
        shapes, number = running.shapes, running.packets
        running.packets += 1
        entry: Entry = {"is": "heard", "link": event.link, "node": shapes.radios.of(event.sender), "left": event.hops_left}
        if event.hops is not None:
            entry["hops"] = event.hops
        if event.relay:
            entry["relay"] = shapes.radios.of_end(event.relay)
        if event.rssi_dbm:
            entry |= {"rssi": within(event.rssi_dbm, MOST_DBM), "snr": within(event.snr_db or 0.0, MOST_DB)}
        try:
            packet = decode(event.payload, self._key)
        except RemoteFault as fault:
            return entry | {"refused": fault.reason, "octets": steps(len(event.payload))}
        again = self._tags.setdefault((event.link, event.payload[1:5]), number)
        if len(self._tags) > MOST_TAGS:
            self._tags.popitem(last=False)
        entry |= {"again": again} if again != number else {}
        return entry | {"island": shapes.island(packet.sender)} | shapes.packet(packet, now)

    def _broker(self, running: _Running, what: str, link: str, payload: bytes) -> Entry:
        slot, sealed = payload[:SLOT_BYTES], payload[SLOT_BYTES:]
        entry: Entry = {"is": what, "link": link}
        if len(slot) < SLOT_BYTES:
            return entry | {"refused": "slot-size"}
        ours = self._slots.get(slot)
        if not sealed:
            return entry | {"clears": running.shapes.held(ours) if ours else 0}
        try:
            raw = self._seal.open(slot, sealed)
            if self._seal.slot(record_id(raw)) != slot:
                raise RemoteFault("seal-slot")
        except RemoteFault as fault:
            entry["octets"] = steps(len(sealed))
            if ours is None:
                return entry | {"refused": fault.reason}
            return entry | {"refused": "seal-overwritten", "puts": running.shapes.held(ours)}
        return entry | {"puts": running.shapes.record(raw)}

    def _sending(self, running: _Running, send: Send) -> Entry | None:
        if FORMER in send.link:
            return None
        if send.link not in AIR:
            return self._broker(running, "sent", send.link, send.payload) | {"label": send.label}
        entry: Entry = {"is": "sent", "link": send.link, "label": send.label, "hops": send.hop_limit}
        entry |= {"to": running.shapes.radios.of(send.to)} if send.to else {}
        try:
            return entry | running.shapes.packet(decode(send.payload, self._key), self._clock.now())
        except RemoteFault:  # it leads those of an earlier secret
            return entry | {"octets": steps(len(send.payload))}

    # the network

    def _message(self, running: _Running, way: str, kind: int, content: bytes) -> Entry:
        entry: Entry = {"is": "lan", "way": way}
        asked = way in ("asked", "asking")
        if way == "refused":
            return entry | {"reason": content.decode()}
        if kind == COMPARE:
            return entry | {"about": "compare"} | ({} if asked else compared(content))
        if kind != TRADE:
            return entry
        entry["about"] = "trade"
        reader = ByteReader(content[1:] if asked else content, SHORT)
        with suppress(RemoteFault):  # it is refused, which is told by itself
            if asked:
                entry["ids"] = reader.number(4)
                reader.take(SHORT_BYTES * min(entry["ids"], reader.left))
            entry |= running.shapes.brought(records_of(reader))
        return entry


def became(number: int, via: str, reason: str, bulk: bool = False) -> Entry:
    """What became of a record that came by `via`."""
    return {"is": "became", "record": number, "via": via, "reason": reason, **({"bulk": 1} if bulk else {})}


def compared(content: bytes) -> Entry:
    """The answer to a comparison: the same, later, or how many ids."""
    if content in (SAME, LATER):
        return {"same": 1} if content == SAME else {"later": 1}
    return {"ids": max(len(content) - len(DIFFERENT) - 12, 0) // SHORT_BYTES}


def capture_handlers(tap: CaptureTap, call: Callable[[Callable[[], Any]], Any],
                     links: Iterable[Link]) -> dict[str, Handler]:
    """By the name of the request; `call` has the runner's thread do something."""
    def begin(minutes: int) -> bool:
        up = [link.name for link in links if link.up and FORMER not in link.name]
        return tap.begin(min(max(minutes, 1), MAX_MINUTES), up)

    return {
        "capture-begin": lambda request: call(lambda: begin(int(request["minutes"]))),
        "capture-take": lambda request: call(tap.take),
        "capture-end": lambda request: call(tap.end),
    }
