"""Keys that two libraries might read in two ways are nobody's."""

import pytest

from node.model.errors import RemoteFault
from node.model.keys import SigningKey, verify
from node.model.public_key import is_usable_key
from node.model.record import decode
from tests.sim.village import Village
from tests.vectors.curve import BASE, L, P, encoded, mixed_key, small_order, times


def test_keys_that_people_make_are_usable():
    for number in range(20):
        assert is_usable_key(SigningKey(bytes([number]) * 32).public)


def test_none_of_the_eight_points_of_small_order_is_a_key_however_it_is_encoded():
    points = small_order()
    assert len(set(points)) == 8 and points[0] == (0, 1)
    tried = 0
    for x, y in points:
        for encoding in (y, y + P):
            for sign in (0, 1):
                if encoding < 1 << 255:
                    assert not is_usable_key((encoding | sign << 255).to_bytes(32, "little")), (x, y)
                    tried += 1
    assert tried > 16


def test_a_point_has_one_encoding():
    for y in (3, 4, 18):
        assert is_usable_key(y.to_bytes(32, "little"))
        assert not is_usable_key((y + P).to_bytes(32, "little"))
    assert not is_usable_key(bytes(31)) and not is_usable_key(b"\x05" * 33)


def test_a_vouch_for_such_a_key_cannot_be_read():
    village = Village()
    vouch = village.vouch("founder", "ana")
    for public in (encoded(small_order()[1]), (P + 3).to_bytes(32, "little"), bytes(32)):
        with pytest.raises(RemoteFault) as fault:
            decode(vouch[:16] + public + vouch[48:])
        assert fault.value.reason == "record-key"


def test_a_signature_is_right_octet_by_octet_and_with_its_number_below_the_order():
    """Nothing is multiplied by eight first: what is right but for a part of small order is wrong."""
    key, message = SigningKey(bytes(range(32))), b"Soupe ce soir"
    signature = key.sign(message)
    assert verify(key.public, signature, message)
    larger = int.from_bytes(signature[32:], "little") + L
    assert not verify(key.public, signature[:32] + larger.to_bytes(32, "little"), message)
    assert mixed_key(7) != encoded(times(7, BASE)) and is_usable_key(mixed_key(7))
