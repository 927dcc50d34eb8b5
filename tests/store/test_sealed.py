"""A sealed file gives back what was put in, or is refused: nothing in between."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.errors import LocalMisuse
from node.store import sealed
from node.store.sealed import BLOCK_BYTES, HEADER_BYTES, BackupRefused, seal, unseal

PARTS = [("settings", [b"abc", b"def"]), ("empty", []), ("big", [bytes(BLOCK_BYTES), b"x" * 70_000]), ("last", [b"z"])]


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """A passphrase that is quick to try."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "LOG_N", 4)
        yield


def put(parts, passphrase="phrase", salt=bytes(16)):
    stream = io.BytesIO()
    seal(stream, passphrase, parts, salt)
    return stream.getvalue()


def take(image, passphrase="phrase"):
    parts = {}
    for name, block in unseal(io.BytesIO(image), passphrase):
        parts[name] = parts.get(name, b"") + block
    return parts


def chunks(image):
    at, found = HEADER_BYTES, []
    while at < len(image):
        end = at + 4 + int.from_bytes(image[at:at + 4], "big")
        found.append(image[at:end])
        at = end
    return found


def refusal(image, passphrase="phrase"):
    with pytest.raises(BackupRefused) as refused:
        take(image, passphrase)
    return refused.value.reason


@given(parts=st.dictionaries(st.text(max_size=20), st.lists(st.binary(max_size=300), max_size=5), max_size=5))
def test_what_was_put_in_comes_out(parts):
    assert take(put(parts.items())) == {name: b"".join(blocks) for name, blocks in parts.items()}


def test_blocks_are_of_bounded_size_and_in_order():
    found = list(unseal(io.BytesIO(put(PARTS)), "phrase"))
    assert [name for name, _ in found] == ["settings", "settings", "empty", "big", "big", "big", "big", "last", "last"]
    assert all(len(block) <= BLOCK_BYTES for _, block in found)


def test_a_wrong_passphrase_is_refused_before_anything_is_given():
    with pytest.raises(BackupRefused) as refused:
        unseal(io.BytesIO(put(PARTS)), "Phrase")
    assert refused.value.reason == "passphrase"


def test_an_accent_may_be_typed_either_way_and_an_empty_passphrase_not_at_all():
    assert take(put(PARTS, "e\u0301te\u0301"), "été")["last"] == b"z"
    with pytest.raises(LocalMisuse):
        put(PARTS, "")


def test_a_file_cut_short_anywhere_is_refused():
    image = put([("a", [b"123"]), ("b", [b"456"])])
    assert {refusal(image[:size]) for size in range(16, len(image))} == {"cut-short"}
    assert {refusal(image[:size]) for size in range(16)} == {"not-a-backup"}


def test_any_changed_bit_is_refused():
    image = put([("a", [b"123"]), ("b", [b"456"])])
    assert len(image) > 100
    for at in range(len(image)):
        changed = bytearray(image)
        changed[at] ^= 1 << random.Random(at).randrange(8)
        if at != HEADER_BYTES - 19:  # log2 n of scrypt: another cost, another key
            refusal(bytes(changed))


def test_two_files_of_one_passphrase_have_nothing_in_common_and_a_short_salt_is_refused():
    one, other = put(PARTS), put(PARTS, salt=bytes(range(16)))
    assert not set(chunks(one)) & set(chunks(other))
    with pytest.raises(LocalMisuse):
        put(PARTS, salt=bytes(8))


def test_chunks_that_were_moved_left_out_repeated_or_added_are_refused():
    image = put(PARTS)
    header, parts = image[:HEADER_BYTES], chunks(image)
    other = chunks(put(PARTS, salt=bytes(range(16))))
    for wrong in (parts[:2] + parts[3:], [*parts[:2], parts[1], *parts[2:]], [parts[0], parts[2], parts[1], *parts[3:]],
                  [*parts, parts[-1]], [*parts[:3], other[3], *parts[4:]], [*parts, b"\0"], parts[:-2] + parts[-1:]):
        assert refusal(header + b"".join(wrong)) == "damaged"
    assert refusal(header + b"".join(parts[:-1])) == "cut-short"


@pytest.mark.parametrize("costs", [(40, 8, 1), (17, 255, 1), (17, 8, 255), (0, 8, 1)])
def test_a_file_cannot_make_us_use_more_memory_or_time_than_we_allow(costs):
    image = bytearray(put(PARTS))
    image[17:20] = bytes(costs)
    assert refusal(bytes(image)) == "newer"


def test_something_else_is_not_a_backup_and_a_later_version_is_said_to_be_one():
    assert refusal(b"") == refusal(b"PK\3\4" * 99) == "not-a-backup"
    image = put(PARTS)
    assert refusal(image[:16] + b"\2" + image[17:]) == "newer"
