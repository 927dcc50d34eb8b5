"""Records have one encoding each, and nothing malformed is read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.confirmation import Confirmation
from node.model.errors import LocalMisuse, RemoteFault
from node.model.event import Event
from node.model.keys import Charter, SigningKey, key_id, verify
from node.model.marks import BULLETIN_MARKS, EVENT_MARKS, NO_MARKS, Marks
from node.model.public_key import is_usable_key
from node.model.record import (
    CORRECTABLE,
    COUNTED,
    MAX_SEATS,
    MAX_WAIT_MIN,
    TARGETED,
    TRUST_KINDS,
    Kind,
    Record,
    Renewal,
    Revocation,
    Right,
    Seat,
    Vouch,
    angle,
    decode,
    degrees,
    encode,
    record_id,
    sign,
    signed_part,
    signing_message,
)
from node.model.turnout import STEPS, Turnout

KEY = SigningKey(bytes(range(32)))
SET_ID = bytes(16)
minutes = st.integers(1, 9_000_000)


def detail_of(draw, kind, created):
    if kind is Kind.EVENT:
        return Event(created + draw(st.integers(0, 9_000)), draw(st.integers(0, 5_000)), draw(st.integers(-56, 56)))
    if kind is Kind.VOUCH:
        return Vouch(draw(st.binary(min_size=32, max_size=32).filter(is_usable_key)), Right(draw(st.integers(1, 31))))
    if kind is Kind.REVOCATION:
        return Revocation(draw(st.binary(min_size=8, max_size=8)), draw(minutes))
    if kind is Kind.TURNOUT:
        return Turnout(draw(st.integers(0, 127)), draw(st.integers(1, len(STEPS))))
    if kind is Kind.CONFIRMATION:
        return Confirmation(draw(st.booleans()))
    if kind is not Kind.RENEWAL:
        return None
    seats = draw(st.dictionaries(st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32), min_size=1,
                                 max_size=MAX_SEATS))
    return Renewal(created + draw(st.integers(0, MAX_WAIT_MIN)), draw(st.binary(min_size=16, max_size=16)),
                   draw(st.binary(min_size=32, max_size=32)), tuple(Seat(*one) for one in sorted(seats.items())))


def marks_of(draw, kind):
    if kind is Kind.BULLETIN:
        return draw(st.sampled_from(BULLETIN_MARKS))
    return Marks(draw(st.integers(0, EVENT_MARKS))) if kind is Kind.EVENT else NO_MARKS


@st.composite
def records(draw):
    kind = draw(st.sampled_from(Kind))
    created = draw(minutes)
    targeted = kind in TARGETED or (kind in CORRECTABLE and draw(st.booleans()))
    life = draw(st.integers(0, 500 * 24)) * targeted if kind is Kind.EVENT else 24
    urgent = kind not in TRUST_KINDS | COUNTED and draw(st.booleans())
    small = st.integers(0, 15)
    angles = st.integers(-0x7FFFFF, 0x7FFFFF)
    return sign(Record(
        kind, KEY.key_id, created, life, urgent, draw(small), draw(small), draw(small),
        b"" if kind in {Kind.RENEWAL, *COUNTED} else draw(st.binary(max_size=300)),
        draw(st.binary(min_size=8, max_size=8)) if targeted else None,
        draw(st.tuples(angles, angles)) if kind is Kind.EVENT and draw(st.booleans()) else None,
        detail_of(draw, kind, created), marks=marks_of(draw, kind),
    ), SET_ID, KEY.sign)


@given(records())
def test_a_record_survives_encoding_and_decoding(record):
    assert decode(encode(record)) == record


@given(st.one_of(st.binary(max_size=400), st.builds(
    lambda record, at, bit: _flip(encode(record), at, bit), records(), st.integers(0, 90), st.integers(0, 7))))
def test_whatever_is_accepted_encodes_to_the_same_bytes(raw):
    try:
        record = decode(raw)
    except RemoteFault:
        return
    assert encode(record) == raw


def _flip(raw, at, bit):
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1:]


def test_a_plain_bulletin_costs_80_bytes_beside_its_text():
    record = sign(Record(Kind.BULLETIN, KEY.key_id, 1_000, 14 * 24, packed=b"bonjour"), SET_ID, KEY.sign)
    assert len(encode(record)) == 80 + len(b"bonjour")


def test_the_signature_covers_the_set_and_every_bit_of_the_record():
    record = sign(Record(Kind.BULLETIN, KEY.key_id, 1_000, 24, packed=b"bonjour"), SET_ID, KEY.sign)
    body = signed_part(record)
    assert verify(KEY.public, record.signature, signing_message(body, SET_ID))
    assert not verify(KEY.public, record.signature, signing_message(body, b"\1" * 16))
    for at in range(len(body)):
        for bit in range(8):
            assert not verify(KEY.public, record.signature, signing_message(_flip(body, at, bit), SET_ID))


@pytest.mark.parametrize(("raw", "reason"), [
    (b"", "record-too-short"),
    (bytes(79), "record-too-short"),
    (bytes(2000), "record-too-long"),
    (b"\x20" + bytes(100), "record-version"),
    (b"\x1f" + bytes(100), "record-kind"),
    (b"\x13\x10" + bytes(100), "record-flags"),
    (b"\x12\x40" + bytes(100), "record-flags"),
    (b"\x15\x80" + bytes(120), "record-rights"),
    (b"\x16\x80" + bytes(120), "record-flags"),
    (b"\x10\x20" + bytes(100), "record-life"),
    (b"\x15" + bytes(120), "record-rights"),
])
def test_malformed_bytes_are_refused_with_their_reason(raw, reason):
    with pytest.raises(RemoteFault) as fault:
        decode(raw)
    assert fault.value.reason == reason


@pytest.mark.parametrize("change", [
    {"life": 0}, {"life": 91 * 24}, {"kind": Kind.EVENT, "detail": Event(2_000_000, 60, 0), "life": 0},
    {"position": (1, 1)}, {"kind": Kind.EVENT, "detail": Event(2_000, 60, 0), "life": 501 * 24, "target": bytes(8)},
])
def test_what_breaks_a_limit_is_refused_when_read(change):
    record = sign(replace(Record(Kind.BULLETIN, KEY.key_id, 1_000, 24), **change), SET_ID, KEY.sign)
    with pytest.raises(RemoteFault):
        decode(encode(record))


def test_misuse_by_us_is_raised_at_once():
    good = Record(Kind.BULLETIN, KEY.key_id, 1_000, 24)
    with pytest.raises(LocalMisuse):
        signed_part(Record(Kind.EVENT, KEY.key_id, 1_000, life=24, detail=Event(2_000, 60, 0)))
    for change in ({"author": b"short"}, {"language": 16}, {"created": -1}, {"packed": bytes(1800)}):
        with pytest.raises(LocalMisuse):
            signed_part(replace(good, **change))
    with pytest.raises(LocalMisuse):
        encode(good)


def test_a_position_is_kept_within_a_few_metres():
    assert abs(degrees(angle(48.8566, 90), 90) - 48.8566) < 0.00003
    assert abs(degrees(angle(-178.5, 180), 180) + 178.5) < 0.00003


def test_an_event_expires_a_day_after_its_end_and_a_bulletin_after_its_life():
    event = Record(Kind.EVENT, KEY.key_id, 1_000, detail=Event(2_000, 90, 4))
    assert event.expires == 2_000 + 90 + 1440
    assert Record(Kind.BULLETIN, KEY.key_id, 1_000, 2).expires == 1_120


def test_an_event_moved_to_an_earlier_day_can_outlive_the_version_it_corrects():
    first = Record(Kind.EVENT, KEY.key_id, 1_000, detail=Event(50_000, 60, 0))
    moved = Record(Kind.EVENT, KEY.key_id, 1_100, 900, target=bytes(8), detail=Event(5_000, 60, 0))
    assert moved.expires >= first.expires
    assert decode(encode(sign(moved, SET_ID, KEY.sign))).expires == moved.expires


def test_ids_of_keys_and_records_differ_by_purpose():
    assert key_id(KEY.public) == KEY.key_id
    assert record_id(KEY.public)[:8] != KEY.key_id


def test_a_charter_is_named_by_its_founders_in_any_order_and_its_subkeys_differ():
    other = SigningKey(b"\1" * 32).public
    one = Charter.found("Belleville", [KEY.public, other], bytes(32))
    two = Charter.found("Belleville", [other, KEY.public, other], bytes(32))
    assert one.set_id == two.set_id != Charter.found("Belleville", [other], bytes(32)).set_id
    assert one.subkey("tag") != one.subkey("seal")
    assert one.subkey("tag") != Charter.found("Belleville", [KEY.public, other], b"\1" * 32).subkey("tag")
