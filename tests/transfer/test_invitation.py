"""A set is handed over on paper or a stick: what is written is read back, and what was damaged is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.clock import seconds_of
from node.model.errors import LocalMisuse, RemoteFault
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, Right, Vouch, encode, sign
from node.replica.liveset import LiveSet
from node.transfer.invitation import (
    accept,
    charter_bytes,
    from_text,
    invitation_bytes,
    offer,
    prepare,
    read_charter,
    read_invitation,
    to_text,
)

FOUNDER, KEEPER, NEWCOMER = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
CHARTER = Charter.found("Belleville", [FOUNDER.public], b"\5" * 32)
SEED = b"\7" * 32
NOW = 1_000_000


def vouch_for_keeper():
    record = Record(Kind.VOUCH, FOUNDER.key_id, NOW - 10, 24 * 365, detail=Vouch(KEEPER.public, Right.WRITE | Right.VOUCH))
    return sign(record, CHARTER.set_id, FOUNDER.sign)


def invitation():
    return prepare(CHARTER, KEEPER, SEED, offer(KEEPER.key_id, SEED, NOW, 24 * 30), [vouch_for_keeper()])


def test_a_charter_survives_being_written_and_read():
    assert read_charter(charter_bytes(CHARTER)) == CHARTER
    assert read_charter(from_text(to_text(charter_bytes(CHARTER)).lower().replace(" ", "-"))) == CHARTER


def test_an_invitation_survives_being_written_and_read():
    assert read_invitation(from_text(to_text(invitation_bytes(invitation())))) == invitation()


def test_an_invitation_fits_a_qr_code():
    assert len(to_text(invitation_bytes(invitation()))) < 1_200


def test_whoever_accepts_is_let_in_by_islands_that_never_heard_of_them():
    given_out = read_invitation(invitation_bytes(invitation()))
    admission = accept(given_out, NEWCOMER.public, "Café des Sports", NOW + 60)
    post = sign(Record(Kind.BULLETIN, NEWCOMER.key_id, NOW + 61, 24, packed=b"bonjour"), CHARTER.set_id, NEWCOMER.sign)
    liveset = LiveSet(CHARTER)
    for raw in (*given_out.credentials, encode(admission), encode(post)):
        liveset.apply(liveset.propose([raw], seconds_of(NOW + 62)))
    assert liveset.get(post.id) == post


def test_an_invitation_is_refused_when_its_time_is_over():
    with pytest.raises(RemoteFault, match="expired"):
        accept(invitation(), NEWCOMER.public, "late", NOW + 24 * 30 * 60)


@given(st.integers(0, 5_000), st.integers(0, 7))
def test_a_single_wrong_bit_is_noticed(at, bit):
    raw = bytearray(invitation_bytes(invitation()))
    raw[at % len(raw)] ^= 1 << bit
    with pytest.raises(RemoteFault):
        read_invitation(bytes(raw))


@given(st.binary(max_size=300))
def test_nonsense_is_refused(raw):
    for read in (read_charter, read_invitation):
        with pytest.raises(RemoteFault):
            read(raw)


@pytest.mark.parametrize("text", ["", "Zut alors!", "1" * 20])
def test_text_that_is_no_invitation_is_refused(text):
    with pytest.raises(RemoteFault):
        read_invitation(from_text(text))


def test_a_charter_without_founders_or_with_an_endless_name_is_misuse():
    for charter in (Charter("x", (), bytes(32)), Charter.found("x" * 200, [FOUNDER.public], bytes(32))):
        with pytest.raises(LocalMisuse):
            charter_bytes(charter)
