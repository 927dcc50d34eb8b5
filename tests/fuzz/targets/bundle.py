"""A bundle, as it came and with its checks mended, in blocks of several sizes: the same records whatever the blocks are."""

import zlib
from collections import Counter

from node.transfer.bundle import (
    END,
    FRAME_BYTES,
    HEADER_BYTES,
    MAGIC,
    MAX_BUNDLE_BYTES,
    MAX_DAMAGE_BYTES,
    MAX_NAME_BYTES,
    RECORD,
    Bundle,
    write,
)
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors


def run(octets):
    read(octets)
    read(mended(octets))


def read(octets):
    whole = refusable(records, [octets])
    size = 7 if len(octets) < 10_000 else 65_536
    small = refusable(records, [octets[at:at + size] for at in range(0, len(octets), size)])
    assert whole == small or len(octets) > MAX_BUNDLE_BYTES  # what is too large is read as far as blocks go
    if whole and whole[0] and not whole[1] and whole[2]:
        header, _, raws = whole
        assert len(header.name.encode()) <= 3 * MAX_NAME_BYTES
        if len(header.name.encode()) <= MAX_NAME_BYTES:
            again = records(write(header, raws))
            assert again == (header, Counter(), raws)


def records(blocks):
    bundle = Bundle(iter(blocks))
    raws = list(bundle)
    assert bundle.count == len(raws)
    return bundle.header, +bundle.faults, raws


def mended(octets):
    """The same with the checks of its header and of each of its frames made right."""
    if len(octets) < HEADER_BYTES or not octets.startswith(MAGIC):
        return octets
    end = HEADER_BYTES + octets[HEADER_BYTES - 1]
    made, at = octets[:end] + crc(octets[:end]), end + 4
    while octets[at:at + 2] == RECORD:
        length = octets[at + 2:at + 4]
        raw = octets[at + FRAME_BYTES:at + FRAME_BYTES + int.from_bytes(length, "big")]
        made += RECORD + length + crc(length + raw) + raw
        at += FRAME_BYTES + len(raw)
    return made + octets[at:]


def crc(part):
    return zlib.crc32(part).to_bytes(4, "big")


def seeds():
    yield from octets_in(vectors("carry"), "bytes")
    whole = next(octets_in(vectors("carry"), "bytes"))
    yield whole[:80] + b"?" * (MAX_DAMAGE_BYTES + 9)
    yield whole[:80] + bytes(MAX_BUNDLE_BYTES)


TARGET = Target(run, ("node/transfer/bundle.py",), seeds, 8_192, (MAGIC, RECORD, END), aside={"a hundred thousand records: tests.prove_bundle": ("if self.count == MAX_RECORDS",)}, beside={
    "what we write": ("_header_bytes", "write",),
})
