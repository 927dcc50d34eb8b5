"""What a Meshtastic radio tells of itself and of packets, as plain values: protobuf in, dataclasses out."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import DecodeError

from radio.lora import LONG_FAST, PRESET_NAMES, PRESETS, Modem, widened
from radio.meshtastic.protobuf import (
    FromRadio,
    MeshPacket,
    config_pb2,
    kind_of,
    mesh_pb2,
    number_in,
    portnums_pb2,
    telemetry_pb2,
)
from radio.meshtastic.radio_clock import RadioClock
from radio.regions import REGIONS, channel_slot, region_name

TEXT_PORT, ADMIN_PORT = portnums_pb2.TEXT_MESSAGE_APP, portnums_pb2.ADMIN_APP
MAX_CHANNELS = 8
FIX_WITHIN_S = 60  # between a fix, the position that tells it, and the radio's clock
POLICIES = ("compatible", "balanced", "strict")  # by number, of SecurityConfig.packet_signature_policy
SIGNATURE_POLICY = 9  # its field, of which libraries of 2.7 know nothing
STRICT = POLICIES[2]
UNCLEAR = "unknown"  # what has a number that we know no name for
USUAL_HOPS = 3
HARMFUL_ROLES = {"CLIENT_MUTE": "mute-role", "REPEATER": "odd-role", "TRACKER": "odd-role", "SENSOR": "odd-role",
                 "LOST_AND_FOUND": "odd-role", "TAK": "odd-role", "TAK_TRACKER": "odd-role"}
HARMFUL_REBROADCASTS = {"CORE_PORTNUMS_ONLY": "core-ports", "KNOWN_ONLY": "known-only", "NONE": "mute-role"}
MAX_VOLTAGE_V, MAX_DEGREES_C, MAX_SNR_DB = 100.0, 100.0, 100.0  # beyond, a sensor is broken (NaN too)
BANDWIDTHS_KHZ = 7.8, 1625.0  # the narrowest of an SX1262, the widest of an SX1280 (Semtech's data sheets)
MAX_MHZ = 10_000.0
OFF = "\0"  # the name of a channel that is switched off, so that no name matches it


@dataclass(frozen=True)
class Facts:
    """What the radio said about itself. Shares are parts of 1; moments are of the caller's monotonic clock.

    `signature_policy`: which broadcasts firmware from 2.8 on takes in and passes on, of `POLICIES`; `role`, `rebroadcast`:
    as in the firmware's config.proto; `hop_limit`: how far its own packets go.
    `battery` is a part of 1, and above 1 where it is fed from outside; `temperature_c` that of a sensor beside the radio.
    `hearsay` is the radio's own clock, which any node's position may have set; `fix` what its satellite receiver said.
    """

    node: int = 0
    firmware: str = ""
    region: str = ""
    preset: str = "LONG_FAST"
    modem: Modem = LONG_FAST
    sends: bool = True  # transmission is not switched off in its settings
    slot: int = 0
    frequency_mhz: float = 0.0
    channels: tuple[str, ...] = ()
    channel_use: float | None = None
    own_use: float | None = None
    signature_policy: str = ""
    role: str = ""
    rebroadcast: str = ""
    hop_limit: int = USUAL_HOPS
    use_at: float = 0.0
    battery: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    hearsay: RadioClock = field(default_factory=RadioClock)
    fix: RadioClock = field(default_factory=RadioClock)
    lora: Any = field(default=None, repr=False, compare=False)  # the radio's LoRaConfig, for what depends on channels

    @property
    def signs(self) -> bool:
        """Whether this firmware (>= 2.8) signs small broadcasts."""
        return self.version >= (2, 8)

    @property
    def strict(self) -> bool:
        """Whether it hears only what other radios have signed, or sent to it alone."""
        return self.signs and self.signature_policy == STRICT

    @property
    def harms(self) -> tuple[str, ...]:
        """What in its settings harms an island, worst first (docs/radio.md, section 1): slugs."""
        rebroadcast, role = HARMFUL_REBROADCASTS.get(self.rebroadcast, ""), HARMFUL_ROLES.get(self.role, "")
        hops = "few-hops" if self.hop_limit < USUAL_HOPS else "many-hops" if self.hop_limit > USUAL_HOPS else ""
        found = (rebroadcast, "strict" if self.strict else "", role, hops)
        return tuple(dict.fromkeys(slug for slug in found if slug))

    @property
    def version(self) -> tuple[int, ...]:
        """The firmware's version as numbers, () if it told none."""
        return tuple(int(part) for part in self.firmware.split(".")[:3] if part.isdecimal())


@dataclass(frozen=True)
class SendStatus:
    """An ACK (`error` 0) or NAK for packet `packet_id`, from node `sender` (our own for an implicit ACK or a local NAK)."""

    packet_id: int
    error: int
    sender: int


def learn(facts: Facts, message: FromRadio, now: float) -> Facts:
    """`facts` with what a FromRadio message adds."""
    match kind_of(message):
        case "my_info":
            return _met(facts, message.my_info.my_node_num)
        case "metadata":
            return replace(facts, firmware=message.metadata.firmware_version[:32])
        case "channel":
            return _with_channel(facts, message.channel)
        case "config":
            return _with_config(facts, message.config)
        case "node_info" if message.node_info.num == facts.node:
            facts = replace(facts, hearsay=facts.hearsay.dated(message.node_info.last_heard, now))
            return _with_metrics(facts, message.node_info.device_metrics, now)
        case "packet":
            return _from_packet(facts, message.packet, now)
    return facts


def sender_of(packet: MeshPacket) -> int:
    """Who sent a packet: `from` is a word of Python's."""
    return getattr(packet, "from")


def hops_of(packet: MeshPacket) -> int | None:
    """How many nodes passed it on; None if its firmware (before 2.3) does not tell."""
    if packet.hop_start:
        return max(packet.hop_start - packet.hop_limit, 0)
    return 0 if packet.decoded.HasField("bitfield") and not packet.hop_limit else None


def snr_of(packet: MeshPacket) -> float | None:
    """How far above the noise it was, in dB; None for what no receiver measures."""
    return packet.rx_snr if abs(packet.rx_snr) <= MAX_SNR_DB else None


def relay_of(packet: MeshPacket) -> str:
    """The last two hex digits of who sent this copy; "" if its firmware (before 2.6) does not tell, as 0 is nobody's."""
    return f"{packet.relay_node & 0xFF:02x}" if packet.relay_node else ""


def send_status_of(packet: MeshPacket) -> SendStatus | None:
    """The ACK or NAK in a routing packet, None in any other."""
    if packet.decoded.portnum != portnums_pb2.ROUTING_APP or not packet.decoded.request_id:
        return None
    routing = mesh_pb2.Routing()
    try:
        routing.ParseFromString(packet.decoded.payload)
    except DecodeError:
        return None
    return SendStatus(packet.decoded.request_id, routing.error_reason, sender_of(packet))


def _with_channel(facts: Facts, channel: Any) -> Facts:
    if not 0 <= channel.index < MAX_CHANNELS:
        return facts
    names = list(facts.channels) + [OFF] * (channel.index + 1 - len(facts.channels))
    names[channel.index] = channel.settings.name[:12] if channel.role else OFF
    return _tuned(replace(facts, channels=tuple(names)))


def _with_config(facts: Facts, config: Any) -> Facts:
    match config.WhichOneof("payload_variant"):
        case "lora":
            return _with_lora(facts, config.lora)
        case "device":
            device = config_pb2.Config.DeviceConfig
            return replace(facts, role=_name(device.Role, config.device.role),
                           rebroadcast=_name(device.RebroadcastMode, config.device.rebroadcast_mode))
        case "security":
            number = number_in(config.security, SIGNATURE_POLICY)
            return replace(facts, signature_policy=POLICIES[number] if number < len(POLICIES) else UNCLEAR)
    return facts


def _name(names: Any, number: int) -> str:
    return names.Name(number) if number in names.values() else UNCLEAR


def _with_lora(facts: Facts, lora: Any) -> Facts:
    preset = PRESET_NAMES[lora.modem_preset] if 0 <= lora.modem_preset < len(PRESET_NAMES) else "LONG_FAST"
    modem = PRESETS[preset]
    if not lora.use_preset:
        preset, modem = "custom", _custom(lora)
    region = region_name(lora.region)
    if region in REGIONS and REGIONS[region].wide:
        modem = widened(modem)
    return _tuned(replace(facts, region=region, preset=preset, modem=modem, sends=lora.tx_enabled, lora=lora,
                          hop_limit=lora.hop_limit))


def _custom(lora: Any) -> Modem:
    """Settings of one's own; what is out of range becomes LongFast's, as in the firmware (`clampSpreadFactor`)."""
    narrow = {31: 31.25, 62: 62.5, 200: 203.125, 400: 406.25, 800: 812.5, 1600: 1625.0}
    spreading_factor = lora.spread_factor if 5 <= lora.spread_factor <= 12 else LONG_FAST.spreading_factor
    coding_rate = lora.coding_rate if 5 <= lora.coding_rate <= 8 else LONG_FAST.coding_rate
    bandwidth_khz, (least, most) = narrow.get(lora.bandwidth, float(lora.bandwidth)), BANDWIDTHS_KHZ
    bandwidth_hz = bandwidth_khz * 1e3 if least <= bandwidth_khz <= most else LONG_FAST.bandwidth_hz
    return Modem(spreading_factor, bandwidth_hz, coding_rate)


def _tuned(facts: Facts) -> Facts:
    """With slot and frequency, once region and channels are known. A slot that the band has not counts around, as in the
    firmware (`applyModemConfig`)."""
    region = REGIONS.get(facts.region)
    if facts.lora is None or region is None:
        return facts
    if override_mhz := facts.lora.override_frequency:
        return replace(facts, slot=0, frequency_mhz=round(override_mhz, 4) if 0 < override_mhz <= MAX_MHZ else 0.0)
    name = (facts.channels[0] if facts.channels else "") or facts.preset.title().replace("_", "")
    slots = region.slots(facts.modem)
    wanted = (facts.lora.channel_num - 1) % slots + 1 if facts.lora.channel_num else 0
    slot = wanted or region.slot or channel_slot(name, slots)
    return replace(facts, slot=slot, frequency_mhz=round(region.frequency_mhz(facts.modem, slot), 4))


def _with_metrics(facts: Facts, metrics: Any, now: float) -> Facts:
    used = replace(facts, channel_use=_share(metrics.channel_utilization), own_use=_share(metrics.air_util_tx), use_at=now)
    return used if metrics.DESCRIPTOR.name != "DeviceMetrics" else _with_power(used, metrics)


def _share(percent: float) -> float | None:
    return None if math.isnan(percent) else min(max(percent / 100, 0.0), 1.0)


def _with_power(facts: Facts, metrics: Any) -> Facts:
    battery = min(metrics.battery_level, 101) / 100 if metrics.HasField("battery_level") else facts.battery
    sane = metrics.HasField("voltage") and 0 < metrics.voltage < MAX_VOLTAGE_V
    return replace(facts, battery=battery, voltage_v=round(metrics.voltage, 2) if sane else facts.voltage_v)


def _met(facts: Facts, node: int) -> Facts:
    """A handshake begins. It may be with another radio, and this one may have been off: it tells everything anew."""
    known = facts if facts.node == node else Facts()
    return replace(known, node=node, channels=(), hearsay=RadioClock(), fix=RadioClock())


def _from_packet(facts: Facts, packet: MeshPacket, now: float) -> Facts:
    facts = replace(facts, hearsay=facts.hearsay.dated(packet.rx_time, now))
    if sender_of(packet) != facts.node or packet.rx_rssi:  # what came by air in our radio's name is somebody else's
        return facts
    try:
        if packet.decoded.portnum == portnums_pb2.TELEMETRY_APP:
            return _from_telemetry(facts, telemetry_pb2.Telemetry.FromString(packet.decoded.payload), now)
        if packet.decoded.portnum == portnums_pb2.POSITION_APP:
            return _from_position(facts, mesh_pb2.Position.FromString(packet.decoded.payload), packet.rx_time, now)
    except DecodeError:
        pass
    return facts


def _from_telemetry(facts: Facts, telemetry: Any, now: float) -> Facts:
    kind = telemetry.WhichOneof("variant")
    if kind in ("device_metrics", "local_stats"):
        return _with_metrics(facts, getattr(telemetry, kind), now)
    if kind == "environment_metrics" and telemetry.environment_metrics.HasField("temperature"):
        degrees = telemetry.environment_metrics.temperature
        return replace(facts, temperature_c=round(degrees, 1)) if abs(degrees) < MAX_DEGREES_C else facts
    return facts


def _from_position(facts: Facts, position: Any, rx_time: int, now: float) -> Facts:
    """The radio's own position: while its own receiver has a fix, the time in it is that of the satellites.

    An old fix is sent again and again, with the clock's time beside it (firmware `PositionModule`): not so if the fix has a
    date of its own or the radio itself says that it is another time.
    """
    if position.location_source != mesh_pb2.Position.LOC_INTERNAL:
        return facts
    if any(date and abs(date - position.time) > FIX_WITHIN_S for date in (position.timestamp, rx_time)):
        return facts
    return replace(facts, fix=facts.fix.dated(position.time, now))
