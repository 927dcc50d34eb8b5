"""A simulated Meshtastic device: what the firmware does between a client's stream and the air. No socket, no clock.

Faithful to firmware 2.7.26 (and 2.8 where it signs) as far as `docs/radio.md` says. Bytes from a client come in with
`receive`, bytes for it are taken with `take`; what happens on the air comes in with `happened`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from radio.airtime import Window
from radio.lora import BITFIELD_BYTES, HEADER_BYTES, MAX_FRAME_BYTES, PKI_BYTES, PRESET_NAMES, SIGNATURE_BYTES
from radio.meshtastic.framing import Deframer, framed
from radio.meshtastic.protobuf import EVERYBODY, channel_pb2, config_pb2, mesh_pb2, portnums_pb2, telemetry_pb2
from radio.regions import REGIONS, UNSET
from radio.sim.air import MAX_QUEUE, Air, Delivered, Frame, Happening, Overheard, Sent

MAX_WAITING = 32  # packets kept for a client that is not there; newer ones are dropped
MAX_RECENT_IDS = 20  # a client's packets, so that one sent twice goes on the air once
DATA_BYTES = 233  # what a client may put into one packet
PKI_NUMBER_PORTS = {portnums_pb2.ROUTING_APP, portnums_pb2.NODEINFO_APP, portnums_pb2.POSITION_APP}
TRANSMISSIONS = 3
PROCESSING_S = 4.5
TELEMETRY_S = 60
TEXT_PAUSE_S = 2  # between a client's text messages
HOUR_S = 3600
MAX_HOPS, DEFAULT_HOPS = 7, 3
ERRNO_UNKNOWN, ERRNO_DISABLED = 32, 34  # the firmware's src/mesh/MeshTypes.h
RATE_LIMIT_EXCEEDED, PKI_SEND_FAIL_PUBLIC_KEY = 38, 39  # older libraries have no names for these
Error = mesh_pb2.Routing.Error


@dataclass(frozen=True)
class DeviceSettings:
    """How a device is set up. `channels` are names, the first is the primary ("" is the preset's own)."""

    number: int
    firmware: str = "2.7.26.54e0d8d"
    region: str = "EU_868"
    preset: str = "LONG_FAST"
    channels: tuple[str, ...] = ("",)
    clock: Callable[[], int] | None = None  # seconds since 1970, if the radio knows the time

    @property
    def name(self) -> str:
        """The node's id as people write it."""
        return f"!{self.number:08x}"

    @property
    def signs(self) -> bool:
        """Whether this firmware signs the broadcasts that leave room for it."""
        major, minor = self.firmware.split(".")[:2]
        return (int(major), int(minor)) >= (2, 8)


@dataclass(slots=True)
class _Pending:
    """A packet sent with want_ack: how often it was sent, when it is sent again."""

    frame: Frame
    due_at: float
    sent: int = 1
    silent: bool = False  # an implicit ACK came: no more repeats


class Device:
    """One radio. `now` is the air's time in seconds."""

    def __init__(self, air: Air, settings: DeviceSettings):
        self.settings, self.attached = settings, False
        self._air, self._number = air, settings.number
        self._out = bytearray()
        self._deframer = Deframer()
        self._ready = False  # a client has asked for the configuration and got it
        self._waiting: deque[mesh_pb2.MeshPacket] = deque()
        self._recent: deque[int] = deque(maxlen=MAX_RECENT_IDS)
        self._pending: dict[int, _Pending] = {}
        self._sent = Window(HOUR_S, 60)
        self._told_full = False
        self._text_at = float("-inf")
        self._telemetry_at: float = TELEMETRY_S
        self._last_id = settings.number & 0xFFFF

    # the client's side

    def attach(self) -> None:
        """A client opened the stream."""
        self.attached, self._ready, self._deframer = True, False, Deframer()
        self._out.clear()

    def detach(self) -> None:
        """The client is gone."""
        self.attached = self._ready = False
        self._out.clear()

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
        """Bytes for the client."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _tell(self, **message: Any) -> None:
        if self.attached:
            self._out += framed(mesh_pb2.FromRadio(**message).SerializeToString())

    def _obey(self, to_radio: mesh_pb2.ToRadio, now: float) -> None:
        match to_radio.WhichOneof("payload_variant"):
            case "want_config_id":
                self._greet(to_radio.want_config_id, now)
            case "heartbeat":
                self._tell_queue()  # since 2.7
            case "disconnect":
                self.detach()
            case "packet":
                self._take_packet(to_radio.packet, now)

    def _greet(self, config_id: int, now: float) -> None:
        for message in greeting(self.settings, self._metrics(now)):
            self._tell(**message)
        self._tell(config_complete_id=config_id)
        self._ready = True
        while self._waiting:
            self._tell(packet=self._waiting.popleft())

    def _tell_queue(self, packet_id: int = 0, res: int = 0) -> None:
        free = MAX_QUEUE - self._air.queued(self._number)
        self._told_full = free == 0
        status = mesh_pb2.QueueStatus(res=res, free=free, maxlen=MAX_QUEUE, mesh_packet_id=packet_id)
        self._tell(queueStatus=status)

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
        if len(packet.decoded.payload) > DATA_BYTES or packet.id in self._recent:
            return  # nanopb cannot read it; or the client repeats itself
        self._recent.append(packet.id)
        if packet.decoded.portnum == portnums_pb2.TEXT_MESSAGE_APP and now - self._text_at < TEXT_PAUSE_S:
            self._tell_queue(packet.id)
            self._hand_over(self._routing(packet.id, RATE_LIMIT_EXCEEDED))
            return
        if packet.decoded.portnum == portnums_pb2.TEXT_MESSAGE_APP:
            self._text_at = now
        self._tell_queue(packet.id, self._send(packet, now))

    def _send(self, packet: mesh_pb2.MeshPacket, now: float) -> int:
        """Queue a client's packet for the air; the result as QueueStatus tells it."""
        if self.settings.region == UNSET:
            return ERRNO_DISABLED
        fault = self._refusal(packet, now)
        if fault:
            self._hand_over(self._routing(packet.id, fault))
            return fault
        setattr(packet, "from", self._number)
        packet.hop_limit = packet.hop_limit if packet.hop_limit <= MAX_HOPS else DEFAULT_HOPS
        packet.hop_start = packet.hop_limit
        frame = self._frame(packet)
        if not self._air.transmit(self._number, frame, now):
            return ERRNO_UNKNOWN
        if packet.want_ack:
            self._pending[packet.id] = _Pending(frame, now + self._patience_s(frame, now))
        return 0

    def _refusal(self, packet: mesh_pb2.MeshPacket, now: float) -> int:
        if packet.channel >= len(self.settings.channels):
            return Error.NO_CHANNEL
        if packet.pki_encrypted and packet.to not in self._air:
            return PKI_SEND_FAIL_PUBLIC_KEY
        if self._frame_bytes(packet) > MAX_FRAME_BYTES:
            return Error.TOO_LARGE
        duty_cycle = REGIONS[self.settings.region].duty_cycle
        if duty_cycle < 1 and self._sent.used_s(now) > HOUR_S * duty_cycle:
            notice = "Duty cycle limit exceeded. You can send again in a while"
            self._tell(clientNotification=mesh_pb2.ClientNotification(message=notice, level=30))
            return Error.DUTY_CYCLE_LIMIT
        return 0

    def _frame_bytes(self, packet: mesh_pb2.MeshPacket) -> int:
        size = HEADER_BYTES + packet.decoded.ByteSize() + BITFIELD_BYTES * (not packet.decoded.HasField("bitfield"))
        if packet.to != EVERYBODY and packet.to in self._air and packet.decoded.portnum not in PKI_NUMBER_PORTS:
            return size + PKI_BYTES  # devices here know each other's public keys
        signed = packet.to == EVERYBODY and self.settings.signs and size + SIGNATURE_BYTES <= MAX_FRAME_BYTES
        return size + SIGNATURE_BYTES * signed

    def _frame(self, packet: mesh_pb2.MeshPacket) -> Frame:
        size_bytes = self._frame_bytes(packet)
        packet.decoded.bitfield = packet.decoded.bitfield  # present from here on, as on a real air
        channel = packet.channel
        packet.channel = channel_hash(self.settings, channel)
        to = None if packet.to == EVERYBODY else packet.to
        frame = Frame(self._number, packet.id, packet.SerializeToString(), size_bytes, packet.hop_limit,
                      packet.hop_limit, to)
        packet.channel = channel
        return frame

    def _patience_s(self, frame: Frame, now: float) -> float:
        """How long the firmware waits for an ACK: `getRetransmissionMsec` in RadioInterface.cpp."""
        slots = 2 ** (3 + int(5 * min(self._air.utilisation(self._number, now), 1))) + 2 * 8 + 2**5
        modem = self._air.modem
        return 2 * modem.time_on_air_s(frame.size_bytes) + slots * modem.slot_s + PROCESSING_S

    # the air's side

    def next_at(self) -> float:
        """When this device has something to do by itself."""
        return min([self._telemetry_at, *(pending.due_at for pending in self._pending.values())])

    def tick(self, now: float) -> None:
        """Do what is due: repeats of what nobody acknowledged, telemetry for the client."""
        for packet_id, pending in list(self._pending.items()):
            if pending.due_at <= now:
                self._try_again(packet_id, pending, now)
        if self._telemetry_at <= now:
            self._telemetry_at = now + TELEMETRY_S
            self._tell_telemetry(now)

    def _try_again(self, packet_id: int, pending: _Pending, now: float) -> None:
        if pending.silent or pending.sent >= TRANSMISSIONS:
            del self._pending[packet_id]
            if not pending.silent:
                self._hand_over(self._routing(packet_id, Error.MAX_RETRANSMIT))
            return
        self._air.transmit(self._number, pending.frame, now)
        pending.sent += 1
        pending.due_at = now + self._patience_s(pending.frame, now)

    def happened(self, happening: Happening) -> None:
        """Something happened on the air to this node."""
        match happening:
            case Sent(at, _, frame):
                self._sent.add(self._air.modem.time_on_air_s(frame.size_bytes), at)
                if self._told_full:
                    self._tell_queue()
            case Delivered():
                self._hear(happening)
            case Overheard(at, _, frame, _):
                self._overhear(frame, at)

    def _overhear(self, frame: Frame, at: float) -> None:
        pending = self._pending.get(frame.id)
        if frame.origin == self._number and pending and not pending.silent:
            pending.silent = True
            self._hand_over(self._routing(frame.id, Error.NONE))
        elif frame.to == self._number:
            packet = mesh_pb2.MeshPacket.FromString(frame.payload)
            if packet.want_ack:
                self._acknowledge(packet, frame, at)  # our first ACK got lost

    def _hear(self, heard: Delivered) -> None:
        frame = heard.frame
        packet = mesh_pb2.MeshPacket.FromString(frame.payload)
        channels = [channel_hash(self.settings, index) for index in range(len(self.settings.channels))]
        if frame.to not in (None, self._number) or packet.channel not in channels:
            return
        if frame.to == self._number and packet.want_ack:
            self._acknowledge(packet, frame, heard.at)
        if packet.decoded.portnum == portnums_pb2.ROUTING_APP:
            self._pending.pop(packet.decoded.request_id, None)
        packet.channel = channels.index(packet.channel)
        packet.hop_limit, packet.hop_start = frame.hop_limit, frame.hop_start
        packet.rx_snr, packet.rx_rssi = heard.snr_db, heard.rssi_dbm
        packet.relay_node = heard.sender & 0xFF
        self._hand_over(packet)

    def _acknowledge(self, packet: mesh_pb2.MeshPacket, frame: Frame, at: float) -> None:
        ack = self._routing(packet.id, Error.NONE)
        ack.to, ack.channel = getattr(packet, "from"), 0
        ack.hop_limit = min(frame.hop_start - frame.hop_limit + 2, MAX_HOPS) if frame.hop_start else 0
        self._air.transmit(self._number, self._frame(ack), at)

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
        packet = mesh_pb2.MeshPacket(to=EVERYBODY, id=self._new_id(), decoded=decoded)
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


def greeting(settings: DeviceSettings, metrics: telemetry_pb2.DeviceMetrics) -> list[dict]:
    """What a device tells a client that asks for its configuration, in the firmware's order, without the last word."""
    user = mesh_pb2.User(id=settings.name, long_name=f"Simulated {settings.name[-4:]}", short_name=settings.name[-4:],
                         hw_model=mesh_pb2.HardwareModel.PORTDUINO)
    info = mesh_pb2.NodeInfo(num=settings.number, user=user, device_metrics=metrics)
    if settings.clock:
        info.last_heard = settings.clock()
    region = REGIONS.get(settings.region)
    lora = config_pb2.Config.LoRaConfig(
        use_preset=True, modem_preset=PRESET_NAMES.index(settings.preset), region=region.code if region else 0,
        hop_limit=DEFAULT_HOPS, tx_enabled=True, tx_power=27,
    )
    return [
        {"my_info": mesh_pb2.MyNodeInfo(my_node_num=settings.number, min_app_version=30200)},
        {"node_info": info},
        {"metadata": mesh_pb2.DeviceMetadata(firmware_version=settings.firmware, device_state_version=24,
                                             hw_model=mesh_pb2.HardwareModel.PORTDUINO, hasPKC=True)},
        *({"channel": channel} for channel in _channels(settings.channels)),
        {"config": config_pb2.Config(device=config_pb2.Config.DeviceConfig())},
        {"config": config_pb2.Config(lora=lora)},
    ]


def _channels(names: tuple[str, ...]) -> list[channel_pb2.Channel]:
    roles = channel_pb2.Channel.Role
    channels = []
    for index in range(8):
        role = roles.PRIMARY if index == 0 else roles.SECONDARY if index < len(names) else roles.DISABLED
        channel = channel_pb2.Channel(index=index, role=role)
        if index < len(names):
            channel.settings.name, channel.settings.psk = names[index], b"\x01"
        channels.append(channel)
    return channels
