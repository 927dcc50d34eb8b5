"""An invitation as octets, with its check made right, and as letters: what is read is written the same."""


from node.model.clock import MAX_MINUTE
from node.transfer.invitation import (
    CHECK_BYTES,
    INVITATION_MARK,
    accept,
    from_text,
    invitation_bytes,
    read_invitation,
    to_text,
)
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors
from tests.fuzz.targets.charter import NEWCOMER, checked


def run(octets):
    letters = refusable(from_text, octets.decode("utf-8", "replace"))
    assert letters is None or from_text(to_text(letters)) == letters
    refusable(read_invitation, octets)
    body = octets[:-CHECK_BYTES].removeprefix(INVITATION_MARK)
    size = int.from_bytes(body[:2], "big")
    whole = checked(INVITATION_MARK + body[:2] + checked(body[2:2 + size][:-CHECK_BYTES]) + body[2 + size:])
    invitation = refusable(read_invitation, whole)
    if invitation is None:
        return
    assert invitation_bytes(invitation) == whole
    assert invitation.vouch.expires == invitation.expires
    refusable(accept, invitation, NEWCOMER, "Café", invitation.vouch.created)
    assert refusable(accept, invitation, NEWCOMER, "Café", MAX_MINUTE) is None


def seeds():
    yield from octets_in(vectors("invitation"), "hex", "invitation")
    yield vectors("invitation")["accepted"]["text"].encode()


TARGET = Target(run, ("node/transfer/invitation.py",), seeds, 2_048, (INVITATION_MARK,), beside={
    "what we write": ("charter_bytes", "prepare", "offer", "Invitation.holding",),
    "of our own vouches": ("chain_of",),
    "the target `charter`": ("read_charter",),
})
