"""Packet radio: the air engine behind a KISS TNC, under an amateur's callsign.

What goes out is signed and tagged, never encrypted: amateurs may not hide what they send. A keeper says in the settings
that the members of the set know it (`public`), and under whose callsign; before that, nothing is sent.
"""

from collections.abc import Callable

from node.daemon.membership import Membership
from node.daemon.settings import PacketSettings
from node.sync.lora.context import Channel
from node.sync.lora.engine import AirEngine
from radio.airtime import Governor
from radio.kiss.frames import airtime_s
from radio.kiss.link import KissLink, KissSettings

PACKET = "packet"
MAX_PAYLOAD_BYTES = 231
KEY_UP_S = 0.4
NO_DUTY_CYCLE = "US"  # amateurs' bands have none: any region without one will do for the governor


def packet_ready(settings: PacketSettings) -> bool:
    """Whether there is a TNC and all that is needed to send by it."""
    return settings.connect != "none" and settings.public and bool(settings.callsign)


def packet_link(settings: PacketSettings, speed: float = 1.0) -> KissLink:
    """The link to the TNC; `speed` of time, in simulations."""
    return KissLink(KissSettings(settings.connect, settings.callsign, settings.baud, settings.bits_per_s, KEY_UP_S, speed),
                    PACKET)


def packet_governor(settings: PacketSettings, monotonic: Callable[[], float]) -> Governor:
    """The governor of this channel: no law limits it, the keeper's share does."""
    return Governor(NO_DUTY_CYCLE, settings.share / 100, monotonic)


def packet_engine(member: Membership, settings: PacketSettings, governor: Governor) -> AirEngine:
    """The same engine as for LoRa, with the times of this channel."""
    def on_air_s(payload_bytes: int, direct: bool = False) -> float:
        return airtime_s(payload_bytes, settings.bits_per_s, KEY_UP_S)  # a TNC sends to everybody

    governor.longest_s = on_air_s(MAX_PAYLOAD_BYTES)
    channel = Channel(PACKET, on_air_s, governor, MAX_PAYLOAD_BYTES)
    return AirEngine(channel, member.liveset, member.identity, member.rng)
