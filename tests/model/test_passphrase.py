"""A group's key is useless without its passphrase."""

import pytest

from node.model.errors import LocalMisuse
from node.model.passphrase import SALT_BYTES, WrongPassphrase, seal, unseal

SEED, SALT = bytes(range(32)), bytes(SALT_BYTES)


def test_a_seed_comes_back_with_its_passphrase_only():
    sealed = seal(SEED, "les cerises de mai", SALT)
    assert unseal(sealed, "les cerises de mai") == unseal(sealed, "  les cerises de mai\n") == SEED
    for wrong in ("", "les cerises de juin"):
        with pytest.raises(WrongPassphrase):
            unseal(sealed, wrong)
    assert SEED not in sealed and seal(SEED, "les cerises de mai", b"\1" * SALT_BYTES)[SALT_BYTES:] != sealed[SALT_BYTES:]


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
