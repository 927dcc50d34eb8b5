"""What a broker holds tells it nothing, and nobody but a member can make it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.errors import RemoteFault
from node.model.keys import Charter
from node.model.record import MAX_RECORD_BYTES, record_id
from node.sync.mqtt.sealing import SEALED_BYTES, Seal
from tests.model.test_vectors import charter_of

SEAL = Seal(Charter.found("ours", [b"\1" * 32], b"\2" * 32))
SLOT = SEAL.slot(b"\3" * 16)
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealing.json").read_text(encoding="utf-8"))


WRITTEN = Seal(charter_of(VECTORS["charter"]))


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_a_record_is_sealed_as_written(vector):
    raw, slot = bytes.fromhex(vector["record"]), bytes.fromhex(vector["slot"])
    assert WRITTEN.slot(record_id(raw)) == slot
    assert WRITTEN.close(slot, raw).hex() == vector["sealed"]
    assert WRITTEN.open(slot, bytes.fromhex(vector["sealed"])) == raw


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_what_is_broken_is_refused_as_written(vector):
    with pytest.raises(RemoteFault) as fault:
        WRITTEN.open(bytes.fromhex(vector["slot"]), bytes.fromhex(vector["sealed"]))
    assert fault.value.reason == vector["reason"]


@given(st.binary(max_size=MAX_RECORD_BYTES))
def test_what_was_closed_opens_to_the_same_bytes_and_has_one_of_few_sizes(raw):
    sealed = SEAL.close(SLOT, raw)
    assert len(sealed) in SEALED_BYTES and SEAL.open(SLOT, sealed) == raw


def test_every_island_makes_the_same_bytes_of_the_same_record():
    other = Seal(Charter.found("ours", [b"\1" * 32], b"\2" * 32))
    assert other.close(SLOT, b"record") == SEAL.close(SLOT, b"record")
    assert other.slot(b"\3" * 16) == SLOT


def test_a_usual_record_takes_the_smallest_size():
    assert len(SEAL.close(SLOT, bytes(226))) == 256 < len(SEAL.close(SLOT, bytes(227)))


def test_another_set_sees_noise_under_other_names():
    other = Seal(Charter.found("ours", [b"\1" * 32], b"\4" * 32))
    assert other.slot(b"\3" * 16) != SLOT
    with pytest.raises(RemoteFault, match="seal"):
        other.open(SLOT, SEAL.close(SLOT, b"record"))


def test_a_record_moved_to_another_slot_does_not_open():
    with pytest.raises(RemoteFault, match="seal"):
        SEAL.open(bytes(16), SEAL.close(SLOT, b"record"))


@given(st.integers(0, 255), st.integers(0, 7))
def test_any_bit_changed_is_noticed(at, bit):
    sealed = bytearray(SEAL.close(SLOT, b"record"))
    sealed[at] ^= 1 << bit
    with pytest.raises(RemoteFault):
        SEAL.open(SLOT, bytes(sealed))


@given(st.binary(max_size=300))
def test_garbage_does_not_open(noise):
    with pytest.raises(RemoteFault):
        SEAL.open(SLOT, noise)


@pytest.mark.parametrize("plain", [b"\xff\xff" + bytes(226), b"\0\3abc" + bytes(222) + b"\1", b"\0\3" + bytes(482)])
def test_a_member_who_fills_it_in_another_way_is_refused(plain):
    nonce = SEAL.close(SLOT, b"abc")[:12]
    sealed = nonce + SEAL._cipher.encrypt(nonce, plain, SLOT)
    with pytest.raises(RemoteFault, match="seal-form"):
        SEAL.open(SLOT, sealed)
