"""Edit codes: short enough to type, slow to guess, and only a hash of them is kept."""

import hashlib

from node.board.edit_codes import CODE_LETTERS, LETTERS, SALT_BYTES, hash_code, is_code, make_code

SALT = bytes(range(SALT_BYTES))


def test_a_code_has_eight_letters_that_nobody_mistakes():
    for seed in range(50):
        code = make_code(hashlib.sha256(bytes([seed])).digest())
        assert len(code.replace("-", "")) == CODE_LETTERS and set(code) <= set(LETTERS) | {"-"}
    assert not set("il1o0") & set(LETTERS)


def test_every_letter_can_come_out_and_other_randomness_gives_other_codes():
    assert {letter for octet in range(256) for letter in make_code(bytes([octet]) * 8)} == set(LETTERS) | {"-"}
    assert make_code(bytes(8)) != make_code(b"\xff" * 8)


def test_a_code_is_recognised_however_it_is_typed():
    kept = hash_code("abcd-efgh", SALT)
    assert all(is_code(typed, kept) for typed in ("abcd-efgh", "ABCD EFGH", " abcdefgh ", "abcd\u2011efgh"))
    assert not any(is_code(typed, kept) for typed in ("abcd-efgx", "", "abcd", "abcdefghi", "é" * 9_999))


def test_what_is_kept_does_not_hold_the_code_and_differs_for_the_same_code():
    kept, again = hash_code("abcd-efgh", SALT), hash_code("abcd-efgh", b"\1" * SALT_BYTES)
    assert "abcd" not in kept and b"abcd" not in bytes.fromhex(kept)
    assert kept[2 * SALT_BYTES:] != again[2 * SALT_BYTES:]
