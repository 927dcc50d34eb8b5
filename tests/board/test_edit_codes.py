"""Private words: short enough to type, slow to guess, and only a hash of them is kept."""

import hashlib

from node.board.edit_codes import LETTERS, SALT_BYTES, WORD_LETTERS, hash_word, is_word, make_word

SALT = bytes(range(SALT_BYTES))


def test_a_word_has_eight_letters_that_nobody_mistakes():
    for seed in range(50):
        word = make_word(hashlib.sha256(bytes([seed])).digest())
        assert len(word.replace("-", "")) == WORD_LETTERS and set(word) <= set(LETTERS) | {"-"}
    assert not set("il1o0") & set(LETTERS)


def test_every_letter_can_come_out_and_other_randomness_gives_other_words():
    assert {letter for octet in range(256) for letter in make_word(bytes([octet]) * 8)} == set(LETTERS) | {"-"}
    assert make_word(bytes(8)) != make_word(b"\xff" * 8)


def test_a_word_is_recognised_however_it_is_typed():
    kept = hash_word("abcd-efgh", SALT)
    assert all(is_word(typed, kept) for typed in ("abcd-efgh", "ABCD EFGH", " abcdefgh ", "abcd\u2011efgh"))
    assert not any(is_word(typed, kept) for typed in ("abcd-efgx", "", "abcd", "abcdefghi", "é" * 9_999))


def test_what_is_kept_does_not_hold_the_word_and_differs_for_the_same_word():
    kept, again = hash_word("abcd-efgh", SALT), hash_word("abcd-efgh", b"\1" * SALT_BYTES)
    assert "abcd" not in kept and b"abcd" not in bytes.fromhex(kept)
    assert kept[2 * SALT_BYTES:] != again[2 * SALT_BYTES:]
