"""A simulated Meshtastic device: what the firmware does between a client's stream and the air. No socket, no clock.

Faithful to firmware 2.7.26 and 2.8.0 as far as `docs/radio.md`, section 3, says. Bytes from a client come in with
`receive`, bytes for it are taken with `take`; what happens on the air comes in with `happened`.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError

from radio.airtime import Window
from radio.lora import MAX_FRAME_BYTES, PKI_BYTES, SIGNATURE_BYTES
from radio.meshtastic.framing import Deframer, framed
from radio.meshtastic.protobuf import EVERYBODY, mesh_pb2, portnums_pb2, telemetry_pb2
from radio.regions import REGIONS, UNSET
from radio.sim.air import MAX_QUEUE, Air, Delivered, Frame, Happening, Overheard, Sent
from radio.sim.simgreeting import administered, greeting
from radio.sim.simnodes import DeviceSettings, NodeList, data_bytes, signable, user_of

MAX_WAITING = 32  # packets kept for a client that is not there; newer ones are dropped
MAX_STATUSES = 2  # kept for a client: of a burst it sees the last ones (MAX_RX_QUEUESTATUS_TOPHONE)
MAX_RECENT_IDS = 20  # a client's packets, so that one sent twice goes on the air once
MAX_REMEMBERED = 64
NEVER_SEALED = {portnums_pb2.ROUTING_APP, portnums_pb2.NODEINFO_APP, portnums_pb2.POSITION_APP, portnums_pb2.TRACEROUTE_APP}
TRANSMISSIONS = 3
PROCESSING_S = 4.5
TELEMETRY_S = 60
TEXT_PAUSE_S = 2  # between a client's text messages
HOUR_S = 3600
FIRST_INTRODUCTION_S, INTRODUCTIONS_S = 30, 3 * HOUR_S  # a node tells who it is
INTRODUCTION_PAUSE_S = 600  # and never twice within so long
REPLY_PAUSE_S = 12 * HOUR_S  # nor twice to one that asks
NEW_NODE_USE, REPLY_USE = 0.25, 0.4  # parts of the last minute: with a busier channel it tells nothing
MAX_HOPS = 7
ERRNO_UNKNOWN, ERRNO_DISABLED, ERRNO_SHOULD_RELEASE = 32, 34, 35  # the firmware's src/mesh/MeshTypes.h
PKI_SEND_FAIL_PUBLIC_KEY = 39  # older libraries have no name for it
XEDDSA_SIGNED = b"\xb0\x01\x01"  # a field of MeshPacket since 2.8 (22, true), of which the library knows nothing
Error = mesh_pb2.Routing.Error


@dataclass(slots=True)
class _Pending:
    """A packet sent with want_ack: how often it was sent, when it is sent again."""

    frame: Frame
    due_at: float
    sent: int = 1
    silent: bool = False  # an implicit ACK came: no more repeats


class Device:
    """One radio. `now` is the air's time in seconds. `nodes`: what it knew of others when it was switched off."""

    def __init__(self, air: Air, settings: DeviceSettings, now: float = 0.0, nodes: NodeList | None = None):
        self.settings, self.attached = settings, False
        self.numb, self.misses = False, 0  # it does nothing but answer heartbeats; it misses so many questions
        self.wanted: DeviceSettings | None = None  # how a client wants it set up, for which it must restart
        self.nodes = nodes or NodeList(settings)
        self._air, self._number = air, settings.node
        self._out = bytearray()
        self._statuses: deque[mesh_pb2.QueueStatus] = deque(maxlen=MAX_STATUSES)
        self._for_client: list[mesh_pb2.FromRadio] = []
        self._deframer = Deframer()
        self._ready = False  # a client has asked for the configuration and got it
        self._waiting: deque[mesh_pb2.MeshPacket] = deque()
        self._recent: deque[int] = deque(maxlen=MAX_RECENT_IDS)
        self._pending: dict[int, _Pending] = {}
        self._relayers: dict[int, set[int]] = {}  # by packet of ours: the last bytes of who passed it on
        self._left_to_others: deque[int] = deque(maxlen=MAX_REMEMBERED)  # packets that another was to pass on
        self._sent = Window(HOUR_S, 60)
        self._told_full = False
        self._text_at = self._introduced_at = float("-inf")
        self._telemetry_at: float = now + TELEMETRY_S
        soon_s = FIRST_INTRODUCTION_S + self._number % FIRST_INTRODUCTION_S  # not all were switched on in one second
        self._introduce_at: float = now + (INTRODUCTIONS_S if settings.acquainted else soon_s)
        self._last_id = self._number & 0xFFFF
        air.run(self._number, self)

    # the client's side

    def attach(self) -> None:
        """A client opened the stream."""
        self.attached, self._ready, self._deframer = True, False, Deframer()
        self._forget_client()

    def detach(self) -> None:
        """The client is gone."""
        self.attached = self._ready = False
        self._forget_client()

    def _forget_client(self) -> None:
        self._out.clear()
        self._statuses.clear()
        self._for_client.clear()

    def say_rebooted(self) -> None:
        """What a radio says on a serial line when it has started."""
        self._tell(rebooted=True)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the client; whatever is no message is ignored, as the firmware does."""
        for message in self._deframer.feed(data):
            to_radio = mesh_pb2.ToRadio()
            try:
                to_radio.ParseFromString(message)
            except DecodeError:
                continue
            self._obey(to_radio, now)

    def take(self) -> bytes:
        """Bytes for the client: of what happened at once, states of the queue come before packets."""
        statuses = [mesh_pb2.FromRadio(queueStatus=status) for status in self._statuses]
        for message in [*statuses, *self._for_client]:
            self._out += framed(message.SerializeToString())
        out = bytes(self._out)
        self._forget_client()
        return out

    def _tell(self, **message: Any) -> None:
        if self.attached:
            self._for_client.append(mesh_pb2.FromRadio(**message))

    def _obey(self, to_radio: mesh_pb2.ToRadio, now: float) -> None:
        kind = to_radio.WhichOneof("payload_variant")
        if self.numb and kind != "heartbeat":
            return
        match kind:
            case "want_config_id" if self.misses:
                self.misses -= 1
            case "want_config_id":
                self._greet(to_radio.want_config_id, now)
            case "heartbeat":
                self._tell_queue()  # since 2.7
            case "disconnect":
                self.detach()
            case "packet":
                self._take_packet(to_radio.packet, now)

    def _greet(self, config_id: int, now: float) -> None:
        others = [(number, node) for number, node in self.nodes if node.user]
        complete = mesh_pb2.FromRadio(config_complete_id=config_id).SerializeToString()
        for message in [*greeting(self.settings, others, self._metrics(now)), complete]:
            self._out += framed(message)
        self._ready = True
        while self._waiting:
            self._tell(packet=self._waiting.popleft())

    def _tell_queue(self, packet_id: int = 0, res: int = 0) -> None:
        free = MAX_QUEUE - self._air.queued(self._number)
        self._told_full = free == 0
        if self.attached:
            self._statuses.append(mesh_pb2.QueueStatus(res=res, free=free, maxlen=MAX_QUEUE, mesh_packet_id=packet_id))

    def _hand_over(self, packet: mesh_pb2.MeshPacket) -> None:
        """A packet for the client, now or when there is one."""
        if self.settings.clock:
            packet.rx_time = self.settings.clock()
        if self._ready:
            self._tell(packet=packet)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(packet)

    # sending

    def _take_packet(self, packet: mesh_pb2.MeshPacket, now: float) -> None:
        packet.id = packet.id or self._new_id()
        if packet.id in self._recent:
            return  # the client repeats itself
        self._recent.append(packet.id)
        text = packet.decoded.portnum == portnums_pb2.TEXT_MESSAGE_APP
        if text and now - self._text_at < TEXT_PAUSE_S:
            self._tell_queue(packet.id)  # and not sent: the NAK goes to node 0, which is nobody (sendRoutingErrorResponse)
            return
        if text:
            self._text_at = now
        setattr(packet, "from", self._number)
        if packet.to == self._number:
            self.wanted = administered(self.wanted or self.settings, packet) or self.wanted
            self._tell_queue(packet.id, 0 if self.settings.signs else ERRNO_SHOULD_RELEASE)
            return
        if packet.want_ack and not packet.hop_limit:
            packet.hop_limit = self.settings.hop_limit  # who wants an answer has "no preference"
        self._tell_queue(packet.id, self._send(packet, now))

    def _send(self, packet: mesh_pb2.MeshPacket, now: float) -> int:
        """Queue a packet of our own for the air; the result as QueueStatus tells it."""
        fault = self._over_limit(now) or self._seal(packet)
        if fault:
            self._hand_over(self._routing(packet.id, fault))
            return fault
        if self.settings.region == UNSET or not self.settings.sends:
            return ERRNO_DISABLED
        packet.hop_limit = packet.hop_limit if packet.hop_limit <= MAX_HOPS else self.settings.hop_limit
        packet.hop_start = packet.hop_limit
        packet.next_hop = self.nodes.next_hop(packet.to) if packet.hop_limit else 0
        frame = self._frame(packet)
        if not self._air.transmit(self._number, frame, now):
            return ERRNO_UNKNOWN
        if packet.want_ack:
            self._pending[packet.id] = _Pending(frame, now + self._patience_s(frame, now))
        return 0

    def _over_limit(self, now: float) -> int:
        region = REGIONS.get(self.settings.region)
        if region is None or region.duty_cycle >= 1 or self._sent.used_s(now) <= HOUR_S * region.duty_cycle:
            return 0
        notice = "Duty cycle limit exceeded. You can send again in a while"
        self._tell(clientNotification=mesh_pb2.ClientNotification(message=notice, level=30))
        return Error.DUTY_CYCLE_LIMIT

    def _seal(self, packet: mesh_pb2.MeshPacket) -> int:
        """Encrypt a packet, for one node alone if it is for one; 0, or why not: `perhapsEncode`."""
        size_bytes = data_bytes(packet)
        if size_bytes > MAX_FRAME_BYTES:
            return Error.TOO_LARGE
        if packet.to != EVERYBODY and packet.decoded.portnum not in NEVER_SEALED and not self.settings.licensed:
            if size_bytes + PKI_BYTES > MAX_FRAME_BYTES:
                return Error.TOO_LARGE
            return 0 if self.nodes.seal(packet) else PKI_SEND_FAIL_PUBLIC_KEY
        if packet.pki_encrypted:
            return Error.PKI_FAILED
        if packet.channel >= len(self.settings.channels):
            return Error.NO_CHANNEL
        packet.channel = channel_hash(self.settings, packet.channel)
        if packet.to == EVERYBODY and self.settings.signs and signable(packet):
            packet.public_key = self.settings.public_key
        return 0

    def _frame(self, packet: mesh_pb2.MeshPacket) -> Frame:
        packet.decoded.bitfield = packet.decoded.bitfield  # present from here on, as on a real air
        more_bytes = PKI_BYTES if packet.pki_encrypted else SIGNATURE_BYTES if packet.public_key else 0
        to = None if packet.to == EVERYBODY else packet.to
        return Frame(self._number, packet.id, packet.SerializeToString(), data_bytes(packet) + more_bytes, packet.hop_limit,
                     packet.hop_limit, to)

    def _patience_s(self, frame: Frame, now: float) -> float:
        """How long the firmware waits for an ACK: `getRetransmissionMsec` in RadioInterface.cpp."""
        slots = 2 ** (3 + int(5 * min(self._air.utilisation(self._number, now), 1))) + 2 * 8 + 2**5
        modem = self._air.modem
        return 2 * modem.time_on_air_s(frame.size_bytes) + slots * modem.slot_s + PROCESSING_S

    # the air's side

    def next_at(self) -> float:
        """When this device has something to do by itself."""
        return min([self._telemetry_at, self._introduce_at, *(pending.due_at for pending in self._pending.values())])

    def tick(self, now: float) -> None:
        """Do what is due: repeats of what nobody acknowledged, telemetry for the client, who we are for everybody."""
        for packet_id, pending in list(self._pending.items()):
            if pending.due_at <= now:
                self._try_again(packet_id, pending, now)
        if self._telemetry_at <= now:
            self._telemetry_at = now + TELEMETRY_S
            self._tell_telemetry(now)
        if self._introduce_at <= now:
            self._introduce_at = now + INTRODUCTIONS_S
            self._introduce(EVERYBODY, now)

    def _try_again(self, packet_id: int, pending: _Pending, now: float) -> None:
        if pending.silent or pending.sent >= TRANSMISSIONS:
            del self._pending[packet_id]
            if not pending.silent:
                self._hand_over(self._routing(packet_id, Error.MAX_RETRANSMIT))
            return
        pending.sent += 1
        if pending.sent == TRANSMISSIONS:
            pending.frame = self._for_anybody(pending.frame)
        self._air.transmit(self._number, pending.frame, now)
        pending.due_at = now + self._patience_s(pending.frame, now)

    def _for_anybody(self, frame: Frame) -> Frame:
        """A packet that was to take one way only, to be passed on by all after all; the way is forgotten."""
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        if packet.next_hop:
            self.nodes.get(packet.to).next_hop = packet.next_hop = 0
        return replace(frame, payload=packet.SerializeToString())

    def admits(self, frame: Frame) -> bool:
        """See radio.sim.air.Firmware: what 2.8 refuses it neither hears nor passes on. What it cannot read it passes on."""
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        if packet.pki_encrypted:
            return not self.settings.signs or packet.to != self._number or self.nodes.opens(packet)
        return packet.channel not in self._channels() or self.nodes.admits(packet)

    def passed_on(self, frame: Frame, again: bool) -> Frame | None:
        """See radio.sim.air.Firmware: not what another is to pass on, until nobody is named."""
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        if again and (frame.id not in self._left_to_others or packet.next_hop):
            return None
        if packet.next_hop not in (0, self._number & 0xFF):
            self._left_to_others.append(frame.id)
            return None
        if again:
            self._left_to_others.remove(frame.id)
        packet.next_hop = self.nodes.next_hop(packet.to) if packet.next_hop else 0
        return replace(frame, payload=packet.SerializeToString())

    def happened(self, happening: Happening) -> None:
        """Something happened on the air to this node."""
        match happening:
            case Sent(at, _, frame):
                self._sent.add(self._air.modem.time_on_air_s(frame.size_bytes), at)
                if self._told_full:
                    self._tell_queue()
            case Delivered():
                self._hear(happening)
            case Overheard(at, _, frame, sender):
                self._overhear(frame, sender, at)

    def _overhear(self, frame: Frame, sender: int, at: float) -> None:
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        if frame.origin == self._number:
            self._relayers.setdefault(frame.id, set()).add(sender & 0xFF)
            if len(self._relayers) > MAX_REMEMBERED:
                del self._relayers[next(iter(self._relayers))]
            self._acknowledge_implicitly(packet)
        elif frame.to == self._number and packet.want_ack:
            packet.hop_limit = frame.hop_limit
            self._acknowledge(packet, at)  # our first ACK got lost

    def _acknowledge_implicitly(self, packet: mesh_pb2.MeshPacket) -> None:
        """Somebody passed on what is ours. Newer firmware cannot tell so of what is sealed: it does not read it."""
        pending = self._pending.get(packet.id)
        if pending and not pending.silent and not (packet.pki_encrypted and self.settings.signs):
            pending.silent = True
            self._hand_over(self._routing(packet.id, Error.NONE))

    def _hear(self, heard: Delivered) -> None:
        frame = heard.frame
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        if not self._open(packet):
            return
        packet.hop_limit, packet.hop_start = frame.hop_limit, frame.hop_start
        packet.rx_snr, packet.rx_rssi = heard.snr_db, heard.rssi_dbm
        packet.relay_node = 0 if heard.relay is None else heard.relay & 0xFF
        for_us = frame.to == self._number
        if for_us and packet.want_ack:
            self._acknowledge(packet, heard.at)
        if for_us and packet.decoded.request_id:
            self._answered(packet, heard.hops)
        self._meet(packet, heard.hops, heard.at)
        if frame.to in (None, self._number):
            self._hand_over(_as_told(packet, self.settings))

    def _open(self, packet: mesh_pb2.MeshPacket) -> bool:
        """Whether we can read it; its channel is then the index of one of ours."""
        if packet.pki_encrypted:
            return packet.to == self._number and self.nodes.opens(packet)
        channels = self._channels()
        if packet.channel not in channels:
            return False
        packet.channel = channels.index(packet.channel)
        return True

    def _channels(self) -> list[int]:
        return [channel_hash(self.settings, index) for index in range(len(self.settings.channels))]

    def _answered(self, packet: mesh_pb2.MeshPacket, hops: int) -> None:
        """An ACK or an answer: no more repeats; and who passed on both this and what it answers is the way there."""
        self._pending.pop(packet.decoded.request_id, None)
        if hops and packet.relay_node in self._relayers.get(packet.decoded.request_id, ()):
            self.nodes.get(getattr(packet, "from")).next_hop = packet.relay_node

    def _acknowledge(self, packet: mesh_pb2.MeshPacket, at: float) -> None:
        ack = self._routing(packet.id, Error.NONE)
        ack.to, ack.hop_limit = getattr(packet, "from"), self._hops_back(packet)
        self._send(ack, at)

    def _hops_back(self, packet: mesh_pb2.MeshPacket) -> int:
        """How far an answer to it goes: `getHopLimitForResponse`."""
        hops, usual = packet.hop_start - packet.hop_limit, self.settings.hop_limit
        if not packet.hop_start:
            return 0
        return hops if hops > usual else min(hops + 2, usual)

    # who is who

    def _meet(self, packet: mesh_pb2.MeshPacket, hops: int, at: float) -> None:
        """Learn who others are, tell a stranger who we are and ask it back, answer who asks us."""
        sender, user = getattr(packet, "from"), user_of(packet)
        node = self.nodes.get(sender)
        node.hops, node.snr_db = hops, packet.rx_snr
        if user is not None:
            self.nodes.introduce(user, sender, signed=bool(packet.public_key))
        if packet.to not in (EVERYBODY, self._number):
            return
        if user is not None and packet.decoded.want_response:
            if at - node.answered_at >= REPLY_PAUSE_S:
                self._introduce(sender, at, answering=packet)
            node.answered_at = at
        elif node.user is None and self._air.utilisation(self._number, at) < NEW_NODE_USE:
            self._introduce(sender, at, want_response=True)

    def _introduce(self, to: int, now: float, want_response: bool = False,
                   answering: mesh_pb2.MeshPacket | None = None) -> None:
        if now - self._introduced_at < INTRODUCTION_PAUSE_S or self._air.utilisation(self._number, now) >= REPLY_USE:
            return
        self._introduced_at = now
        decoded = mesh_pb2.Data(portnum=portnums_pb2.NODEINFO_APP, payload=self.settings.user.SerializeToString(),
                                want_response=want_response, bitfield=0)
        packet = mesh_pb2.MeshPacket(to=to, id=self._new_id(), decoded=decoded, hop_limit=self.settings.hop_limit)
        if answering is not None:
            packet.decoded.request_id = answering.id
            packet.hop_limit = self._hops_back(answering)
        setattr(packet, "from", self._number)
        self._send(packet, now)

    # packets of its own

    def _routing(self, request_id: int, error: int) -> mesh_pb2.MeshPacket:
        """An ACK or NAK, to ourselves unless told otherwise."""
        routing = mesh_pb2.Routing(error_reason=error)
        decoded = mesh_pb2.Data(portnum=portnums_pb2.ROUTING_APP, payload=routing.SerializeToString(),
                                request_id=request_id, bitfield=0)
        packet = mesh_pb2.MeshPacket(to=self._number, id=self._new_id(), decoded=decoded,
                                     priority=mesh_pb2.MeshPacket.Priority.ACK)
        setattr(packet, "from", self._number)
        return packet

    def _metrics(self, now: float) -> telemetry_pb2.DeviceMetrics:
        return telemetry_pb2.DeviceMetrics(
            battery_level=101, voltage=5.0, uptime_seconds=int(now),
            channel_utilization=100 * self._air.utilisation(self._number, now),
            air_util_tx=100 * self._sent.used_s(now) / HOUR_S,
        )

    def _tell_telemetry(self, now: float) -> None:
        telemetry = telemetry_pb2.Telemetry(device_metrics=self._metrics(now))
        decoded = mesh_pb2.Data(portnum=portnums_pb2.TELEMETRY_APP, payload=telemetry.SerializeToString(), bitfield=0)
        packet = mesh_pb2.MeshPacket(to=EVERYBODY, id=self._new_id(), decoded=decoded, hop_limit=self.settings.hop_limit)
        setattr(packet, "from", self._number)
        if self._ready:
            self._hand_over(packet)

    def _new_id(self) -> int:
        self._last_id = (self._last_id + 0x10001) & 0xFFFFFFFF or 1
        return self._last_id


def channel_hash(settings: DeviceSettings, index: int) -> int:
    """The byte in a frame's header that says which channel it is on: name and key folded by exclusive or."""
    name = settings.channels[index] or settings.preset.title().replace("_", "")
    folded = 1  # the default key is the single byte 1
    for byte in name.encode():
        folded ^= byte
    return folded


def _as_told(packet: mesh_pb2.MeshPacket, settings: DeviceSettings) -> mesh_pb2.MeshPacket:
    """A packet from the air as the client gets it."""
    signed = bool(packet.public_key) and not packet.pki_encrypted
    told = mesh_pb2.MeshPacket.FromString(packet.SerializeToString())
    if not packet.pki_encrypted:
        told.ClearField("public_key")
    if signed and settings.signs:
        told.MergeFromString(XEDDSA_SIGNED)
    return told


def acquaint(devices: Iterable[Device]) -> None:
    """Let those that are `acquainted` know everybody, as if they had been there for days."""
    everybody = list(devices)
    for device in (one for one in everybody if one.settings.acquainted):
        for other in everybody:
            if other is not device:
                device.nodes.introduce(other.settings.user, other.settings.node, other.settings.signs)
