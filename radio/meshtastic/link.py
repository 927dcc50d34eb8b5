"""The link to a Meshtastic radio, over TCP or a serial line. Survives radios that are absent, unplugged, restarted, full,
silent, without a region, or shared with somebody else (`radio.meshtastic.session` keeps the connection).

`send` returns when the packet has had its time on the air, or at the latest after `Patience`'s limits; nothing here waits
without bound. The facts about the firmware that this relies on are in docs/radio.md.
"""

import itertools
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radio.inbox import Inbox
from radio.link import Outcome, Received
from radio.lora import time_on_air_s
from radio.meshtastic.facts import (
    ADMIN_PORT,
    OFF,
    TEXT_PORT,
    Facts,
    SendStatus,
    hops_of,
    learn,
    relay_of,
    send_status_of,
    sender_of,
    snr_of,
)
from radio.meshtastic.protobuf import EVERYBODY, FromRadio, MeshPacket, OutgoingPacket, kind_of
from radio.meshtastic.session import Session
from radio.meshtastic.settings import MeshtasticSettings, split_address
from radio.meshtastic.setup import RadioWish, orders
from radio.meshtastic.wire import Wire, serial_paths, serial_wire, tcp_wire
from radio.regions import UNSET

MAX_TEXT_BYTES = 219
TEXT_PAUSE_S = 2.2  # the firmware refuses texts that follow each other within 2 s
MAX_REMEMBERED = 64
SET_UP_S = 90.0  # a radio restarts for some settings, 7 s after it was told, and joins its network again
ASK_AGAIN_S = 10.0
CONTENTION_SLOTS = 8
ALWAYS_ANSWERS = (2, 7)  # firmware from here on tells what became of each packet, if it works at all
MAX_UNANSWERED = 2  # packets in a row without a word from a radio that usually answers
# QueueStatus.res holds a Routing.Error (7, 9) or an error number of the firmware's own (src/mesh/MeshTypes.h)
OUTCOMES = {0: Outcome.SENT, 7: Outcome.TOO_LARGE, 9: Outcome.DUTY_CYCLE, 32: Outcome.QUEUE_FULL, 34: Outcome.REGION_UNSET}


@dataclass(frozen=True)
class HeardNode:
    """Somebody heard on our port: `node` as people write it, `at` of the monotonic clock, packets so far."""

    node: str
    at: float
    packets: int
    hops: int | None
    snr_db: float | None
    rssi_dbm: int


@dataclass(frozen=True)
class RadioTime:
    """A radio's clock: `utc` in seconds since 1970; `gps` whether its satellite receiver told it; in how many packets."""

    utc: float
    gps: bool
    packets: int


@dataclass(frozen=True)
class TextReceived:
    """A text message to us: from which node, on which of our channels, over how many hops (None unknown); `private`: it was
    encrypted for our key with the sender's own, so that nobody else can have written it in that node's name."""

    sender: str
    text: str
    channel: int = 0
    hops: int | None = None
    private: bool = False


class MeshtasticLink:
    """A `radio.link.Link` to a Meshtastic radio; starts at once, in the background. `on_text(text)` gets the text messages
    sent to us and nobody else; it is called from the link's thread and must return at once. `on_hung()` is called when a
    radio on a serial line hangs and the line cannot restart it, or has not helped: who can cut its power may do so.
    """

    def __init__(self, settings: MeshtasticSettings | None = None, name: str = "lora",
                 on_text: Callable[[TextReceived], None] | None = None, on_hung: Callable[[], None] | None = None):
        self.settings = settings or MeshtasticSettings()
        self.name, self.max_payload, self.on_text = name, self.settings.max_payload, on_text
        self.facts = Facts()
        self._telling: Facts | None = None  # what it has told so far in a handshake that has not ended
        self._attempts = itertools.count()
        self._inbox = Inbox()
        self._neighbours: OrderedDict[str, HeardNode] = OrderedDict()
        self._statuses: OrderedDict[int, Any] = OrderedDict()  # packet id -> QueueStatus
        self._wanted: frozenset[str] = frozenset()  # sections of its configuration that somebody waits for
        self._sections: dict[str, Any] | None = None  # these, once all of it was told
        self._collected: dict[str, Any] = {}
        self._texts: OrderedDict[int, tuple[int, float]] = OrderedDict()  # packet id -> whose ACK counts, since when
        self._free: int | None = None  # places in the radio's queue, None until it told
        self._answers, self._unanswered = False, 0  # whether it tells what became of each packet; how often not
        self._text_at = 0.0
        self._sending = threading.Lock()
        self._on_hung, self._line_tried = on_hung, False
        by_line = not self.settings.connect.startswith("tcp")
        self._session = Session(self._find_wire, self._hear, self.settings.patience, self._restart if by_line else None)
        self._session.start()

    # what others ask

    @property
    def counters(self) -> Counter[str]:
        """What happened so far, by slug."""
        return self._session.counters

    @property
    def up(self) -> bool:
        """Whether it can carry packets now."""
        return self.state == "up"

    @property
    def state(self) -> str:
        """`up`, or why not: `connecting`, `absent`, `no-answer`, `lost`, `silent`, `contested`, `region-unset`, `muted`,
        `channel-missing`, `closed`.
        """
        if self._session.closing:
            return "closed"
        if not self._session.configured:
            return self._session.problem
        if self.facts.region == UNSET:  # "" is a radio that did not tell
            return "region-unset"
        if not self.facts.sends:
            return "muted"
        return "up" if self._channel() is not None else "channel-missing"

    @property
    def neighbours(self) -> list[HeardNode]:
        """Who was heard on our port, latest last; the 64 latest at most."""
        with self._session.locked():
            return list(self._neighbours.values())

    @property
    def radio_time(self) -> RadioTime | None:
        """What the radio says; None while it is away or says nothing."""
        facts, fix = self.facts, self.facts.fix.first
        told = fix or facts.hearsay.first
        if told is None or not self._session.configured:
            return None
        return RadioTime(told.by(time.monotonic()), fix is not None, told.packets)

    def told(self) -> dict:
        """What the radio said of itself and whom it hears, as JSON values: for the status page and `archipel doctor`."""
        facts, now = self.facts, time.monotonic()
        return {
            "state": self.state, "node": node_name(facts.node), "firmware": facts.firmware, "region": facts.region,
            "preset": facts.preset, "slot": facts.slot, "frequency_mhz": facts.frequency_mhz,
            "channel_use": facts.channel_use, "own_use": facts.own_use, "harms": list(facts.harms),
            "neighbours": [{"node": one.node, "ago_s": round(now - one.at), "packets": one.packets, "hops": one.hops,
                            "snr_db": one.snr_db, "rssi_dbm": one.rssi_dbm} for one in self.neighbours],
        }

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Broadcast one packet, or send it `to` one node (`!` and 8 hex digits), which does not acknowledge it.

        Returns once it had its time on the air. Only the link's own sender thread calls this.
        """
        if len(payload) > self.max_payload:
            raise ValueError(f"{len(payload)} bytes are too many for one packet of {self.max_payload}")
        receiver = node_number(to) if to else EVERYBODY
        return self._post(OutgoingPacket(payload, self.settings.portnum, self._channel() or 0, hop_limit, receiver,
                                         urgent=urgent))

    def send_text(self, receiver: str, text: str, hop_limit: int = 3, channel: int = 0) -> Outcome:
        """Send a text message (219 bytes at most) to one node, `!` and 8 hex digits; its radio acknowledges it, ours
        repeats it (counted as `text-acked`, `text-failed`). To "" it is for everybody on one of the radio's channels: ours
        repeats it until it hears somebody pass it on, three times in all at most (`ReliableRouter`). Called like `send`.
        """
        payload = text.encode()
        if len(payload) > MAX_TEXT_BYTES:
            raise ValueError(f"{len(payload)} bytes are too many for a text message of {MAX_TEXT_BYTES}")
        self._session.pause(self._text_at + TEXT_PAUSE_S / self.settings.speed - time.monotonic())
        to = node_number(receiver) if receiver else EVERYBODY
        outcome = self._post(OutgoingPacket(payload, TEXT_PORT, channel, hop_limit, to, want_ack=True))
        self._text_at = time.monotonic()
        return outcome

    def set_up(self, wish: RadioWish, within_s: float = SET_UP_S) -> bool:
        """Set the radio up as wished, and wait until it says that it is so, at most `within_s`: it may restart meanwhile.
        Raises ValueError if it does not tell enough for that. Any thread but the session's may call this, one at a time.
        """
        until = time.monotonic() + within_s
        if not self._ask_sections(wish, until):
            return False
        told, self._sections = self._sections or {}, None
        for order in orders(wish, told):
            if not self._order(order):
                return False
        while not self._holds(wish) and self._patient(until):
            self._session.wait(lambda: self._holds(wish), min(ASK_AGAIN_S / self.settings.speed, until - time.monotonic()))
            if not self._holds(wish):
                self._session.ask_soon()
        return self._holds(wish)

    def _holds(self, wish: RadioWish) -> bool:
        return self._session.configured and wish.holds(self.facts)

    def _patient(self, until: float) -> bool:
        return time.monotonic() < until and not self._session.closing

    def _ask_sections(self, wish: RadioWish, until: float) -> bool:
        """Let the radio tell the sections that a wish changes, now."""
        self._wanted, self._sections = wish.sections, None
        self._session.ask_soon()
        self._session.wait(lambda: self._sections is not None, until - time.monotonic())
        self._wanted = frozenset()
        return self._sections is not None

    def _order(self, order: bytes) -> bool:
        wire = self._session.wire
        if wire is None:
            return False
        try:
            wire.post(OutgoingPacket(order, ADMIN_PORT, to=self.facts.node))
        except OSError:
            self._session.lose(wire)
            return False
        return True

    def forget_receivers(self, older_s: float) -> None:
        """Forget who was sent a text so long ago, if their radio never said a word."""
        for packet_id, (_, since) in tuple(self._texts.items()):
            if since <= time.monotonic() - older_s:
                self._texts.pop(packet_id, None)

    def receive(self, timeout_s: float) -> Received | None:
        """The next packet on our port, or None after `timeout_s`."""
        return self._inbox.take(timeout_s)

    def close(self) -> None:
        """Stop; `receive` then returns None at once. Closing twice is allowed."""
        self._session.close()
        self._inbox.close()

    # sending

    def _post(self, packet: OutgoingPacket) -> Outcome:
        with self._sending:
            outcome = self._attempt(packet)
        self.counters[outcome.value] += 1
        return outcome

    def _attempt(self, packet: OutgoingPacket) -> Outcome:
        if not self.up:
            return Outcome.REGION_UNSET if self.state in ("region-unset", "muted") else Outcome.DOWN
        wire = self._session.wire
        if wire is None:
            return Outcome.DOWN
        if not self._await_room(wire):
            return Outcome.QUEUE_FULL
        try:
            packet_id = wire.post(packet)
        except OSError:
            self._session.lose(wire)
            return Outcome.DOWN
        if packet.want_ack:
            self._remember(self._texts, packet_id, (packet.to, time.monotonic()))
        return self._follow(wire, packet_id, packet)

    def _await_room(self, wire: Wire) -> bool:
        """Wait until the radio's queue has a place; a radio that says nothing of its queue is believed to have one."""
        until = time.monotonic() + self.settings.patience.room
        while self._free == 0 and self._session.holds(wire):
            left_s = until - time.monotonic()
            if left_s <= 0:
                return False
            self._session.beat(wire)
            self._session.wait(lambda: self._free != 0 or not self._session.holds(wire), min(left_s, 2))
        return True

    def _follow(self, wire: Wire, packet_id: int, packet: OutgoingPacket) -> Outcome:
        """Wait for the radio's word on a packet, then for the packet to have had its time."""
        self._session.wait(lambda: packet_id in self._statuses or not self._session.holds(wire),
                           self.settings.patience.status)
        status = self._statuses.pop(packet_id, None)
        if status is None:
            return self._without_word(wire)
        self._answers, self._unanswered = True, 0
        outcome = OUTCOMES.get(status.res, Outcome.FAILED)
        if outcome is Outcome.SENT:
            self._take_turn(packet, max(status.maxlen - status.free, 1))
        return outcome

    def _without_word(self, wire: Wire) -> Outcome:
        if not self._session.holds(wire):
            return Outcome.DOWN
        self.counters["no-status"] += 1
        if not self._answers and self.facts.version < ALWAYS_ANSWERS:
            return Outcome.SENT  # a radio that never tells
        self._unanswered += 1
        if self._unanswered >= MAX_UNANSWERED:
            self._session.lose(wire)  # it may be gone without a word: call it again
        return Outcome.FAILED

    def _take_turn(self, packet: OutgoingPacket, queued: int) -> None:
        """Let what is in the radio's queue go out, so that there is one packet of ours in it at most."""
        facts = self.facts
        airtime_s = time_on_air_s(len(packet.payload), facts.modem, facts.signs, packet.to != EVERYBODY)
        turn_s = (queued * airtime_s + CONTENTION_SLOTS * facts.modem.slot_s) / self.settings.speed
        self._session.pause(min(turn_s, self.settings.patience.room))

    # the connection

    @property
    def finds_none(self) -> bool:
        """Whether there is nothing now that could be a radio: no use to wait for one."""
        return not self.settings.connect.startswith("tcp:") and not self._paths()

    def _paths(self) -> list[str]:
        _, _, where = self.settings.connect.partition(":")
        return [where] if where else serial_paths()

    def _find_wire(self) -> Wire | None:
        way, _, where = self.settings.connect.partition(":")
        if way == "tcp":
            host, port = split_address(where)
            return tcp_wire(host, port)
        paths = self._paths()
        return serial_wire(paths[next(self._attempts) % len(paths)]) if paths else None

    def _restart(self, wire: Wire) -> None:
        helped = wire.restart() and not self._line_tried
        self._line_tried = True
        if not helped and self._on_hung:
            self._on_hung()

    def _channel(self) -> int | None:
        """The index of our channel on this radio, None if it has no such channel."""
        wanted, names = self.settings.channel, self.facts.channels
        if isinstance(wanted, str) and wanted:
            return names.index(wanted) if wanted in names else None
        index = int(wanted or 0)
        return index if not names or (index < len(names) and names[index] != OFF) else None

    # what the radio says (called by the session, its lock held)

    def _hear(self, message: FromRadio) -> None:
        self._learn(message)
        match kind_of(message):
            case "my_info" if not self._session.configured:  # the beginning of a handshake, not merely asked again
                self._line_tried = False
                self._free, self._answers, self._unanswered = None, False, 0
                self._statuses.clear()
                self._texts.clear()
            case "queueStatus":
                self._free = message.queueStatus.free
                self._remember(self._statuses, message.queueStatus.mesh_packet_id, message.queueStatus)
            case "packet":
                self._take_packet(message.packet)

    def _learn(self, message: FromRadio) -> None:
        """What a radio tells in a handshake counts once all of it is told: half of it would be a radio without channels."""
        kind, now = kind_of(message), time.monotonic()
        self._collect(kind, message)
        if kind == "my_info":
            self._telling = learn(self.facts, message, now)
        elif self._telling is None or kind == "packet":
            self.facts = learn(self.facts, message, now)
        elif kind == "config_complete_id":
            self.facts, self._telling = self._telling, None
        else:
            self._telling = learn(self._telling, message, now)

    def _collect(self, kind: str, message: FromRadio) -> None:
        """Keep the sections of the configuration that somebody waits for."""
        section = message.config.WhichOneof("payload_variant") if kind == "config" else None
        if kind == "my_info" or not self._wanted:
            self._collected = {}
        elif section in self._wanted:
            self._collected[section] = getattr(message.config, section)
        elif kind == "config_complete_id" and self._wanted <= self._collected.keys():
            self._sections, self._collected = self._collected, {}

    def _take_packet(self, packet: MeshPacket) -> None:
        sender, status = sender_of(packet), send_status_of(packet)
        if status:
            self._note_status(status)
        elif sender == self.facts.node:
            return
        elif packet.decoded.portnum == self.settings.portnum:
            self._take_ours(packet, node_name(sender))
        elif packet.decoded.portnum == TEXT_PORT and packet.to == self.facts.node and self.on_text:
            self._take_text(packet, sender, self.on_text)

    def _take_text(self, packet: MeshPacket, sender: int, on_text: Callable[[TextReceived], None]) -> None:
        if packet.decoded.emoji:  # somebody liked one of our texts: that asks nothing
            self.counters["reactions"] += 1
            return
        self.counters["texts"] += 1
        text = packet.decoded.payload.decode(errors="replace")
        on_text(TextReceived(node_name(sender), text, packet.channel, hops_of(packet), packet.pki_encrypted))

    def _note_status(self, status: SendStatus) -> None:
        """An ACK from our own node only says that somebody passed the packet on."""
        receiver, _since = self._texts.get(status.packet_id, (None, 0.0))
        if receiver is not None and (status.error or status.sender == receiver):
            self._texts.pop(status.packet_id, None)
            self.counters["text-failed" if status.error else "text-acked"] += 1
        elif status.error:
            self.counters["refused"] += 1

    def _take_ours(self, packet: MeshPacket, node: str) -> None:
        hops, snr_db, known = hops_of(packet), snr_of(packet), self._neighbours.pop(node, None)
        packets = known.packets + 1 if known else 1
        neighbour = HeardNode(node, time.monotonic(), packets, hops, snr_db, packet.rx_rssi)
        self._remember(self._neighbours, node, neighbour)
        self.counters["received"] += 1
        if not self._inbox.put(Received(packet.decoded.payload, node, hops, snr_db, packet.rx_rssi,
                                        packet.hop_limit, relay_of(packet))):
            self.counters["inbound-full"] += 1

    @staticmethod
    def _remember(table: OrderedDict, key: Any, value: Any) -> None:
        table[key] = value
        if len(table) > MAX_REMEMBERED:
            table.popitem(last=False)


def node_name(number: int) -> str:
    """A node's number as people write it."""
    return f"!{number:08x}"


def node_number(name: str) -> int:
    """The number of a node named as people write it; raises ValueError."""
    return int(name.lstrip("!"), 16)
