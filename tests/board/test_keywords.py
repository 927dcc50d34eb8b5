"""Keys on paper: a founder writes down 24 words, and somebody types them years later, as people type."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.board.keywords import LISTS, WordTrouble, fingerprint_words, seed_of_words, seed_words

SEED = bytes(range(32))
LANGUAGES = ("fr", "en", "es", "ar")


@given(st.binary(min_size=32, max_size=32), st.sampled_from(LANGUAGES))
def test_the_words_of_a_seed_lead_back_to_it_in_every_language(seed, language):
    words = seed_words(seed, language)
    assert len(words) == 24
    assert seed_of_words(" ".join(words)) == seed


def test_the_words_are_those_of_bip_39():
    # From the reference vectors of BIP-39: 32 bytes of 0x7f, and of 0xff.
    assert " ".join(seed_words(b"\x7f" * 32, "en")) == "legal winner thank year wave sausage worth useful " * 2 + (
        "legal winner thank year wave sausage worth title")
    assert " ".join(seed_words(b"\xff" * 32, "en")) == "zoo " * 23 + "vote"
    assert seed_words(bytes(32), "fr")[0] == "abaisser"


def test_who_reads_arabic_is_given_the_french_words():
    assert seed_words(SEED, "ar") == seed_words(SEED, "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_read_however_they_are_typed(language):
    words = seed_words(SEED, language)
    plain = ["".join(sign for sign in unicodedata.normalize("NFKD", word) if sign.isascii()) for word in words]
    for typed in (" ".join(words).upper(), ", ".join(plain), "\r\n".join(words) + "\n",
                  "  ".join(f"{place}. {word}" for place, word in enumerate(words, 1)),
                  unicodedata.normalize("NFD", " ".join(words)), " ".join(word[:4] for word in plain)):
        assert seed_of_words(typed) == SEED, typed


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_word_is_named_with_its_place(language):
    words = [*seed_words(SEED, language)]
    words[6] = "xylofoon"
    with pytest.raises(WordTrouble, match="Word 7, “xylofoon”"):
        seed_of_words(" ".join(words))


def test_a_word_that_only_begins_like_one_of_the_list_is_another_word():
    words = [*seed_words(SEED, "en")]
    words[2] = words[2][:4] + "zzzz"
    with pytest.raises(WordTrouble, match="Word 3"):
        seed_of_words(" ".join(words))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_mistaken_for_another_or_out_of_its_place_is_found(language):
    words = [*seed_words(SEED, language)]
    words[0], words[1] = words[1], words[0]
    with pytest.raises(WordTrouble, match="do not belong together"):
        seed_of_words(" ".join(words))


@pytest.mark.parametrize("typed", ["", "un deux trois", " ".join(["zoo"] * 25), "\ud800" * 10, "é" * 100_000, "١ ٢ ٣"])
def test_what_is_no_key_is_refused_with_the_number_of_its_words(typed):
    with pytest.raises(WordTrouble, match="A key has 24 words"):
        seed_of_words(typed)


@given(st.text(max_size=400))
def test_no_text_does_harm(text):
    with pytest.raises(WordTrouble):
        seed_of_words(text)


def test_a_fingerprint_is_the_same_six_words_wherever_it_is_shown():
    set_id = bytes.fromhex("6e4870b3f3a6259f1cd808daad1bbd64")
    told = {language: fingerprint_words(set_id, language) for language in LANGUAGES}
    assert told["en"] == ("hour", "drum", "coconut", "trap", "girl", "sort")
    assert all(len(words) == 6 for words in told.values())
    assert told["ar"] == told["fr"] != told["es"]


def test_every_bit_of_the_first_66_changes_a_word_of_a_fingerprint():
    first = fingerprint_words(SEED[:16], "fr")
    for bit in range(66):
        other = (int.from_bytes(SEED[:16], "big") ^ 1 << 127 - bit).to_bytes(16, "big")
        assert sum(one != two for one, two in zip(first, fingerprint_words(other, "fr"), strict=True)) == 1


def test_every_language_has_a_list():
    assert set(LISTS) < set(LANGUAGES)
