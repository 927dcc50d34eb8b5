"""An image as a gzip file (RFC 1951, RFC 1952) whose every octet is known beforehand, so that a download can be resumed.

The root is compressed already, and to compress it once more would keep a Pi busy for minutes: what is not empty is stored
as it is, what is empty becomes a block that was made once. So the file has the size of what is in the image, and costs no
more than reading it.
"""

import struct
import zlib

BLOCK_BYTES = 1 << 20
STORED_BYTES = 1 << 15  # of one stored block, which holds 65,535 at most
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no moment
END = b"\x01\x00\x00\xff\xff"  # a last block, empty


def _packed_zeros() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(BLOCK_BYTES)) + packer.flush(zlib.Z_FULL_FLUSH)  # ends at an octet's end


ZEROS = _packed_zeros()
STORED_SIZE = BLOCK_BYTES + BLOCK_BYTES // STORED_BYTES * 5


def packed(block: bytes) -> bytes:
    """One block of BLOCK_BYTES."""
    if block.count(0) == len(block):
        return ZEROS
    parts = []
    for at in range(0, len(block), STORED_BYTES):
        part = block[at:at + STORED_BYTES]
        parts += [struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF), part]
    return b"".join(parts)


def packed_size(empty: bool) -> int:
    """The size of a block, packed."""
    return len(ZEROS) if empty else STORED_SIZE


def tail(crc: int, size: int) -> bytes:
    """What ends the file: `crc` is the CRC-32 of all that is in it."""
    return END + struct.pack("<II", crc, size & 0xFFFFFFFF)
