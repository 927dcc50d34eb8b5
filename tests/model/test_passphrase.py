"""What people keep secret is hard to guess, and a group's key is useless without its passphrase."""

import unicodedata

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.model.errors import LocalMisuse
from node.model.passphrase import (
    LEAST,
    MOST,
    SALT_BYTES,
    SCRYPT_N,
    WrongPassphrase,
    passphrase_fault,
    seal,
    spellings,
    unseal,
)

SEED, SALT = bytes(range(32)), bytes(SALT_BYTES)


def test_a_seed_comes_back_with_its_passphrase_only():
    sealed = seal(SEED, "les cerises de mai", SALT)
    assert unseal(sealed, "les cerises de mai") == unseal(sealed, "  les cerises de mai\n") == SEED
    for wrong in ("", "les cerises de juin"):
        with pytest.raises(WrongPassphrase):
            unseal(sealed, wrong)
    assert SEED not in sealed and seal(SEED, "les cerises de mai", b"\1" * SALT_BYTES)[SALT_BYTES:] != sealed[SALT_BYTES:]


def test_who_guesses_at_a_seed_needs_32_megabytes_for_each_try_and_a_seed_of_today_opens_for_ever():
    sealed = bytes.fromhex("00000000000000000000000000000000"  # the salt
                           "47a6dffdc8bdbb4dd17a5ca0961e64885c76a3478091082b3589d8a1daf52017768c9a436bb10c24b357f3865a86cb41")
    assert seal(SEED, "les cerises de mai", SALT) == sealed and unseal(sealed, "les cerises de mai") == SEED


@pytest.mark.parametrize("at", [0, SALT_BYTES, -1])
def test_a_damaged_seal_is_refused(at):
    sealed = bytearray(seal(SEED, "motdepasse", SALT))
    sealed[at] ^= 1
    with pytest.raises(WrongPassphrase):
        unseal(bytes(sealed), "motdepasse")


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(SALT_BYTES), bytes(SALT_BYTES + 8)])
def test_what_is_too_short_to_be_a_seal_is_refused(sealed):
    with pytest.raises(WrongPassphrase):
        unseal(sealed, "motdepasse")


def test_a_salt_of_another_length_is_misuse():
    with pytest.raises(LocalMisuse):
        seal(SEED, "motdepasse", b"short")


@pytest.mark.parametrize("typed", [
    "quatre mots au hasard", "un deux trois", "k7f3x9q2m4", "صباح الخير يا جارتي", "доброе утро соседи", "x7?k-Q9!vRt2",
    "trois\u00a0chats\u00a0noirs", "e\u0301le\u0301phant et bicyclette", "correct horse battery staple",
    "x1" + "yz8q" * 49,
])
def test_what_is_hard_to_guess_is_taken(typed):
    assert passphrase_fault(typed, "Samira", "Place des Fêtes") is None


@pytest.mark.parametrize(("typed", "fault"), [
    ("", "short"), ("   ", "short"), ("\n", "short"), ("a", "short"), ("sésame", "short"), ("x7k2q9m4t", "short"),
    ("a" + " " * 30, "short"), ("x7k2q9m4tz" * 21, "long"),
    ("trois chats\x00noirs", "unreadable"), ("trois chats\u202enoirs", "unreadable"), ("trois chats\nnoirs", "unreadable"),
    ("trois chats\u200bnoirs", "unreadable"), ("trois chats\udcffnoirs", "unreadable"),
    ("aaaaaaaaaaaa", "guessed"), ("abababababab", "guessed"), ("1234567890", "guessed"), ("0612345678", "guessed"),
    ("21/03/1987 !", "guessed"), ("password1234", "guessed"), ("Passw0rd 2026", "guessed"), ("Mot de passe 1", "guessed"),
    ("archipel2026", "guessed"), ("ARCHIPEL-archipel", "guessed"), ("azertyuiop12", "guessed"), ("abcdefghijkl", "guessed"),
    ("Samira1987!!", "guessed"), ("samirasamira", "guessed"), ("SÁMIRA samira", "guessed"),
    ("Place des Fêtes 75", "guessed"), ("placedesfetes", "guessed"), ("!!!???...;;;", "guessed"),
    ("sesamesesame", "guessed"), ("كلمة السر 123", "guessed"),
])
def test_what_anybody_would_try_first_is_not(typed, fault):
    assert passphrase_fault(typed, "Samira", "Place des Fêtes") == fault


def test_the_bounds_are_counted_in_characters_as_people_see_them():
    assert passphrase_fault("e\u0301" * 4 + "hjkq", "") == "short", "8, however they are written"
    assert passphrase_fault("e\u0301te\u0301 aux ble\u0301s") is None and LEAST == 10
    assert passphrase_fault(("x7k2q9m4tz" * 20)[:MOST]) is None


def test_a_passphrase_opens_what_it_sealed_however_a_keyboard_writes_it():
    sealed = seal(SEED, "déjà vu… au canal", SALT)
    for typed in ("de\u0301ja\u0300 vu… au canal", "déjà vu... au canal", "déjà\u00a0vu… au canal", " déjà vu… au canal\n"):
        assert unseal(sealed, typed) == SEED
    assert len(spellings("vu…")) == 2 and spellings("de\u0301ja\u0300") == ("déjà",)


def test_a_seed_sealed_before_compatible_letters_counted_as_one_still_opens():
    typed = "le prix : 10 € ² … ﬁn"
    key = Scrypt(SALT, 32, SCRYPT_N, 8, 1).derive(unicodedata.normalize("NFC", typed).encode())
    assert unseal(SALT + ChaCha20Poly1305(key).encrypt(bytes(12), SEED, None), typed) == SEED
