"""Meshtastic's messages, as the `meshtastic` library defines them: what we say to a radio, and what it says.

Only the definitions are taken. What else `import meshtastic` brings (requests, urllib3, pubsub, a thread) is 20 MB of
memory and four fifths of the time it takes, and is of no use to us.
"""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from google.protobuf.message import DecodeError

EVERYBODY = 0xFFFFFFFF
FromRadio = Any  # the library brings no types
MeshPacket = Any


def definitions(*names: str) -> list[ModuleType]:
    """Modules of `meshtastic.protobuf`; the library itself is left to be imported by who wants it."""
    library = importlib.util.find_spec("meshtastic") if "meshtastic" not in sys.modules else None
    if library is None:
        return [importlib.import_module(f"meshtastic.protobuf.{name}") for name in names]
    sys.modules["meshtastic"] = importlib.util.module_from_spec(library)  # says where its parts are, and runs nothing
    try:
        return [importlib.import_module(f"meshtastic.protobuf.{name}") for name in names]
    finally:
        del sys.modules["meshtastic"]


channel_pb2: Any
config_pb2: Any
mesh_pb2: Any
portnums_pb2: Any
telemetry_pb2: Any
channel_pb2, config_pb2, mesh_pb2, portnums_pb2, telemetry_pb2 = definitions(
    "channel_pb2", "config_pb2", "mesh_pb2", "portnums_pb2", "telemetry_pb2")


@dataclass(frozen=True)
class OutgoingPacket:
    """One packet for the radio to send. `to` is a node number."""

    payload: bytes
    portnum: int
    channel: int = 0
    hop_limit: int = 0
    to: int = EVERYBODY
    want_ack: bool = False
    urgent: bool = False


def request_to_send(packet: OutgoingPacket, packet_id: int) -> bytes:
    """The ToRadio that asks for `packet` to be sent under an id of our own."""
    priorities = mesh_pb2.MeshPacket.Priority
    data = mesh_pb2.Data(portnum=packet.portnum, payload=packet.payload)
    asked = mesh_pb2.MeshPacket(
        id=packet_id, to=packet.to, channel=packet.channel, decoded=data, hop_limit=packet.hop_limit,
        want_ack=packet.want_ack, priority=priorities.HIGH if packet.urgent else priorities.DEFAULT)
    return mesh_pb2.ToRadio(packet=asked).SerializeToString()


def request_for_configuration(config_id: int) -> bytes:
    """The ToRadio that begins a handshake; its answers end with `config_complete_id`, the same number."""
    return mesh_pb2.ToRadio(want_config_id=config_id).SerializeToString()


def heartbeat() -> bytes:
    """The ToRadio that keeps the radio listening to us."""
    return mesh_pb2.ToRadio(heartbeat=mesh_pb2.Heartbeat()).SerializeToString()


def goodbye() -> bytes:
    """The ToRadio that ends it."""
    return mesh_pb2.ToRadio(disconnect=True).SerializeToString()


def read_from_radio(raw: bytes) -> FromRadio | None:
    """What a radio says; None for what is no message."""
    message = mesh_pb2.FromRadio()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        return None
    return message


def kind_of(message: FromRadio) -> str:
    """Which of its variants a FromRadio is; "" if this library does not know it."""
    return message.WhichOneof("payload_variant") or ""


def number_in(message: Any, field: int) -> int:
    """A number in a message, by its field, whether or not this library has a name for it; 0 if it is not there."""
    raw, at, found = message.SerializeToString(), 0, 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        match tag & 7:
            case 0:
                value, at = _varint(raw, at)
                found = value if tag >> 3 == field else found
            case 1:
                at += 8
            case 2:
                length, at = _varint(raw, at)
                at += length
            case 5:
                at += 4
            case _:  # groups, which nobody uses any more
                return found
    return found


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends; a message that was read is whole."""
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            return value, at
