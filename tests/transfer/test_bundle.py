"""A bundle gives back what was put in, and whatever happened to the file, what is still good of it."""

import random
import tracemalloc
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.errors import LocalMisuse, RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.transfer.bundle import END_BYTES, MAX_BUNDLE_BYTES, MAX_RECORDS, Bundle, Header, write

HEADER = Header(bytes(range(16)), b"island-A", 1_234_567, "Place des Fêtes")
raws = st.lists(st.binary(min_size=1, max_size=300), max_size=30)


def bundled(records):
    return b"".join(write(HEADER, records))


def in_blocks(whole, size):
    return [whole[at:at + size] for at in range(0, len(whole), size)]


def usual(number, seed=1):
    rng = random.Random(seed)
    return [rng.randbytes(rng.randint(155, 168)) for _ in range(number)]


@given(raws, st.integers(1, 700))
def test_what_went_in_comes_out_whatever_the_blocks(records, size):
    bundle = Bundle(in_blocks(bundled(records), size))
    assert bundle.header == HEADER
    assert list(bundle) == records and not bundle.faults


def test_a_thousand_usual_records_take_less_than_200_kilobytes():
    assert len(bundled(usual(1000))) < 200_000


@given(st.integers(0, 4_000), st.integers(1, 255))
def test_one_changed_byte_costs_at_most_one_record_and_is_told(at, change):
    records = usual(20)
    whole = bytearray(bundled(records))
    at %= len(whole)
    whole[at] ^= change
    try:
        bundle = Bundle([bytes(whole)])
    except RemoteFault:
        assert at < 17
        return
    got = list(bundle)
    assert bundle.faults
    assert len(got) >= 19 and set(got) <= set(records)


@given(st.integers(0, 4_000))
def test_a_bundle_cut_short_gives_what_came_before(cut):
    records = usual(20)
    whole = bundled(records)
    cut = 60 + cut % (len(whole) - 60)
    bundle = Bundle([whole[:cut]])
    got = list(bundle)
    assert got == records[:len(got)]
    assert bundle.faults["cut-short"] or not bundle.header
    assert len(got) >= (cut - 100) // 180


def test_a_lost_sector_costs_only_what_was_in_it():
    records = usual(200)
    whole = bundled(records)
    bundle = Bundle([whole[:8192] + bytes(512) + whole[8704:]])
    got = list(bundle)
    assert len(got) >= 195 and set(got) <= set(records)
    assert bundle.faults["damaged"] == 1 and bundle.faults["count"] == 1


def test_a_damaged_header_does_not_hide_the_records():
    whole = bytearray(bundled(usual(3)))
    whole[20] ^= 1
    bundle = Bundle([bytes(whole)])
    assert bundle.header is None and list(bundle) == usual(3) and bundle.faults["header"]


@pytest.mark.parametrize(("whole", "reason"), [
    (b"", "bundle-mark"), (b"PK\3\4" + bytes(60), "bundle-mark"), (b"archipel bundle\n\2" + bytes(60), "bundle-version"),
])
def test_what_is_no_bundle_is_refused_at_once(whole, reason):
    with pytest.raises(RemoteFault) as caught:
        Bundle([whole] if whole else [])
    assert caught.value.reason == reason


@given(st.binary(max_size=2_000))
def test_noise_after_a_header_never_raises(noise):
    bundle = Bundle([bundled([])[:-END_BYTES] + noise])
    list(bundle)
    assert bundle.faults


def test_an_endless_file_is_left_in_bounded_memory():
    head = bundled([])[:-END_BYTES]

    def endless(filling):
        yield head
        yield from repeat(filling)

    for filling in (bytes(65_536), b"\xa7" * 65_536, b"\xa7R" * 32_768, b"\xa7R\6\xa7" * 16_384):
        bundle = Bundle(endless(filling))
        assert list(bundle) == [] and bundle.faults["too-damaged"]
    frames = b"".join(write(HEADER, [bytes(MAX_RECORD_BYTES)] * 37))[len(head):-END_BYTES]
    tracemalloc.start()
    bundle = Bundle(endless(frames))
    assert sum(map(len, bundle)) < MAX_BUNDLE_BYTES and bundle.faults["too-large"]
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_million_tiny_records_stop_at_the_limit():
    tiny = b"".join(write(HEADER, [b"x"] * 1_000))
    head = b"".join(write(HEADER, []))[:-END_BYTES]
    bundle = Bundle([head, *repeat(tiny[len(head):-END_BYTES], 1_000)])
    assert sum(1 for _ in bundle) == MAX_RECORDS and bundle.faults["too-many"]


def test_a_writer_stays_within_what_a_reader_takes():
    bundle = Bundle(write(HEADER, repeat(bytes(MAX_RECORD_BYTES), 15_000)))
    assert sum(1 for _ in bundle) > 9_400 and not bundle.faults


@pytest.mark.parametrize("raw", [b"", bytes(MAX_RECORD_BYTES + 1)])
def test_what_no_record_can_be_is_not_written(raw):
    with pytest.raises(LocalMisuse):
        bundled([raw])


def test_an_island_cannot_name_itself_at_length():
    with pytest.raises(LocalMisuse):
        list(write(Header(bytes(16), bytes(8), 0, "é" * 81), []))


@pytest.mark.parametrize(("spare", "faults"), [(0, 0), (-1, 1)])
def test_a_bundle_may_be_as_large_as_the_largest_to_the_last_octet(monkeypatch, spare, faults):
    whole = bundled(usual(20))
    monkeypatch.setattr("node.transfer.bundle.MAX_BUNDLE_BYTES", len(whole) + spare)
    bundle = Bundle([whole])
    assert len(list(bundle)) >= 19 and bundle.faults["too-large"] == faults
