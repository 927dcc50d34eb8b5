"""A packet of the air, with a tag as it came and with one that is right: what is read is encoded the same."""

from node.sync.lora.packets import MAX_PACKET_BYTES, decode, encode, tag
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors

KEY = bytes(range(32))


def run(octets):
    refusable(decode, octets, KEY)
    tagged = octets[:1] + tag(octets[:1] + octets[5:], KEY) + octets[5:]
    packet = refusable(decode, tagged, KEY)
    if packet is not None:
        assert encode(packet, KEY, len(tagged)) == tagged


def seeds():
    yield from octets_in(vectors("packets"), "packet")


TARGET = Target(run, ("node/sync/lora/packets.py",), seeds, MAX_PACKET_BYTES + 1,
                aside={"what we write": ("if len(body) >",)})
