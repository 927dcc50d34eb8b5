"""One conversation with a radio of firmware 2.8, octet by octet: what a client says, what the radio answers.

    python -m tests.radio.sim.conversation            writes conversation.json anew, from the simulated radio
    python -m tests.radio.sim.conversation HOST PORT  holds the same conversation with a radio, and tells what differs

The file: `steps`, each `from` the client, from `another` (a client of a radio that ours hears) or from the `radio`; the
`octets` of the stream; what they mean; after a client's, how many seconds pass (`wait_s`). What a `radio` says differs
from one radio to another (keys, numbers, names); what must not differ between two of one firmware is said in `holds`.
"""

import json
import socket
import sys
import time
from pathlib import Path

from meshtastic.protobuf import mesh_pb2

from radio.meshtastic.framing import Deframer, framed
from radio.meshtastic.wire import WAKE
from radio.sim.simnodes import DeviceSettings

FILE = Path(__file__).with_name("conversation.json")
FIRMWARE = "2.8.0"
OURS, KNOWN, STRANGER = (DeviceSettings(number, firmware=FIRMWARE) for number in (1, 2, 3))
EVERYBODY, PRIVATE, TEXT, TELEMETRY = 0xFFFFFFFF, 256, 1, 67
CLIENT, ANOTHER, RADIO = "client", "another", "radio"
BURST = 40


def packet(packet_id, payload, to=EVERYBODY, port=PRIVATE, **fields):
    """The ToRadio that asks for a packet to be sent."""
    asked = mesh_pb2.MeshPacket(to=to, id=packet_id, decoded=mesh_pb2.Data(portnum=port, payload=payload), **fields)
    return framed(mesh_pb2.ToRadio(packet=asked).SerializeToString())


def script():
    """(who speaks, octets, what they mean, seconds that pass then)."""
    question = framed(mesh_pb2.ToRadio(want_config_id=0x12345678).SerializeToString())
    burst = b"".join(packet(0x100 + number, b"burst") for number in range(BURST))
    return [
        (CLIENT, WAKE + question, "wake up; tell me how you are set up", 0),
        (CLIENT, framed(mesh_pb2.ToRadio(heartbeat=mesh_pb2.Heartbeat()).SerializeToString()), "are you there?", 0),
        (CLIENT, packet(0x10, bytes(165)), "to everybody, 165 B: the most that is signed", 10),
        (CLIENT, packet(0x10, bytes(165)), "the same again: no answer", 0),
        (CLIENT, packet(0x11, bytes(231)), "231 B: the most that fits a frame, not signed", 10),
        (CLIENT, packet(0x12, bytes(232)), "232 B: too large", 0),
        (CLIENT, packet(0x13, bytes(234)), "234 B: more than the protocol allows", 0),
        (CLIENT, packet(0x14, b"x", channel=5), "on a channel that the radio does not have", 0),
        (CLIENT, packet(0x15, b"alone", to=STRANGER.node), "for one node whose key the radio lacks", 0),
        (CLIENT, packet(0x16, b"alone", to=KNOWN.node), "for one node whose key it has", 10),
        (CLIENT, packet(0x17, bytes(220), to=KNOWN.node), "for one node, 220 B: with its 12 B of encryption too large", 0),
        (CLIENT, packet(0x18, b"one", port=TEXT), "a text to everybody", 1),
        (CLIENT, packet(0x19, b"two", port=TEXT), "another text, 1 s later: believed sent, and dropped", 10),
        (CLIENT, packet(0x1A, b"hm?", to=KNOWN.node, port=TEXT, want_ack=True), "a text to one node; an ACK is wanted", 20),
        (CLIENT, burst, f"{BURST} packets at once: only the last ones are answered", 60),
        (ANOTHER, packet(0x20, bytes(100)), "somebody else to everybody, signed", 10),
        (ANOTHER, packet(0x21, bytes(200), hop_limit=3), "somebody else to everybody, not signed, with three hops", 20),
        (ANOTHER, packet(0x22, b"for you", to=OURS.node), "somebody else to us alone", 10),
        (CLIENT, framed(mesh_pb2.ToRadio(disconnect=True).SerializeToString()), "goodbye: it says nothing more", 60),
    ]


def meaning(message):
    """What a message of the radio is, in words."""
    match message.WhichOneof("payload_variant"):
        case None:
            return "region presets: a variant that the library does not know (19)"
        case "config" | "moduleConfig" as kind:
            return f"{kind}: {_part(getattr(message, kind))}"
        case "channel":
            return f"channel {message.channel.index}: {'primary' if message.channel.role else 'switched off'}"
        case "queueStatus":
            status = message.queueStatus
            return f"packet {status.mesh_packet_id:#x}: {status.res}; {status.free} of {status.maxlen} places in the queue"
        case "packet":
            return "a packet: " + ", ".join(f"{key} {value}" for key, value in holds(message).items() if key != "variant")
        case kind:
            return kind


def holds(message):
    """What any radio of this firmware must say in its place: field -> value; `variant` None is one that nobody knows."""
    kind = message.WhichOneof("payload_variant")
    found = {"variant": kind}
    if kind in ("config", "moduleConfig"):
        found["part"] = _part(getattr(message, kind))
    elif kind == "queueStatus":
        found |= {"res": message.queueStatus.res, "packet": message.queueStatus.mesh_packet_id}
    elif kind == "packet":
        found |= {"port": message.packet.decoded.portnum, "sealed": message.packet.pki_encrypted,
                  "hops": [message.packet.hop_start, message.packet.hop_limit]}
        if message.packet.decoded.request_id:
            error = mesh_pb2.Routing.FromString(message.packet.decoded.payload).error_reason
            found |= {"about": message.packet.decoded.request_id, "error": error}
    return found


def _part(config):
    """The part of the configuration that it is, as far as the library knows it."""
    return config.WhichOneof("payload_variant") or "unknown"


def told(octets):
    """The messages in what a radio said."""
    return [mesh_pb2.FromRadio.FromString(raw) for raw in Deframer().feed(octets)]


def compare(host, port):
    """Hold it with a radio; the lines that tell what differs."""
    steps = json.loads(FILE.read_text())["steps"]
    with socket.create_connection((host, port), 30) as line:
        line.settimeout(3)
        for at, step in enumerate(steps):
            if step["from"] == CLIENT:
                line.sendall(bytes.fromhex(step["octets"]))
                expected = []
                for answer in steps[at + 1 :]:
                    if answer["from"] != RADIO:
                        break
                    expected.append(answer["holds"])
                yield from differences(step, expected, _heard(line, step["wait_s"]))


def _heard(line, wait_s):
    octets, until = b"", time.monotonic() + max(wait_s, 3)
    while time.monotonic() < until:
        try:
            octets += line.recv(4096)
        except TimeoutError:
            continue
    return [holds(message) for message in told(octets)]


def differences(step, expected, heard):
    """What was expected and not heard, and the other way round; telemetry comes when it comes."""
    expected, heard = ([one for one in side if one.get("port") != TELEMETRY] for side in (expected, heard))
    for one in expected:
        if one in heard:
            heard.remove(one)
        else:
            yield f"{step['means']}: it did not say {one}"
    for one in heard:
        yield f"{step['means']}: it also said {one}"


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print("\n".join(compare(sys.argv[1], int(sys.argv[2]))))
    else:
        from tests.radio.sim.test_conversation import played

        FILE.write_text(json.dumps({"firmware": FIRMWARE, "steps": played()}, indent=1) + "\n")
