"""Which 32 octets can be somebody's Ed25519 key (RFC 8032, 5.1): what two libraries might read in two ways is nobody's."""

PUBLIC_KEY_BYTES = 32
_P = 2**255 - 19
# The y of the eight points of small order: with such a key, one signature holds for nearly every message. Found by
# multiplying points by the order of the base point (tests/model/test_public_key.py does it again).
_SMALL_ORDER = {
    0, 1, _P - 1,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
}


def is_usable_key(public: bytes) -> bool:
    """Whether it is 32 octets, the only encoding of its point, and that point not one of the eight of small order.

    Octets that are no point at all pass: nothing they sign is ever right, in any library.
    """
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    return len(public) == PUBLIC_KEY_BYTES and y < _P and y not in _SMALL_ORDER
