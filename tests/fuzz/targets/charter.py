"""A charter, as it came and with its check made right: what is read is written the same."""

import hashlib

from node.model.keys import SigningKey
from node.transfer.invitation import CHARTER_MARK, CHECK_BYTES, charter_bytes, read_charter
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors

NEWCOMER = SigningKey(bytes(32)).public


def run(octets):
    refusable(read_charter, octets)
    whole = checked(octets[:-CHECK_BYTES])
    charter = refusable(read_charter, whole)
    if charter is not None:
        assert charter_bytes(charter) == whole


def checked(body):
    """With the check that belongs behind it."""
    return body + hashlib.blake2b(body, digest_size=CHECK_BYTES).digest()


def seeds():
    yield from octets_in(vectors("invitation"), "charter", "hex")
    for many in (0, 1, 2, 16, 17):
        keys = sorted(SigningKey(bytes([number]) * 32).public for number in range(many))
        yield checked(CHARTER_MARK + b"\x06Canal!" + bytes([many]) + b"".join(keys) + bytes(32))


TARGET = Target(run, ("node/transfer/invitation.py", "node/model/public_key.py"), seeds, 1_024, (CHARTER_MARK,), beside={
    "what we write, or the target `invitation`": (
        "prepare", "offer", "accept", "charter_bytes", "invitation_bytes", "read_invitation", "to_text", "from_text",
        "chain_of", "_said", "Invitation.vouch", "Invitation.holding", "Invitation.spoken", "Invitation.expires"),
})
