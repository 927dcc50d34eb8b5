"""What one island says of an urgent post of another one: that it is so, as its keepers know, or no longer that it is."""

from dataclasses import dataclass

TURNED = 0xAA  # of each octet of a target: the bits that are turned over in the root of a confirmation


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`holds`: the keepers of the author's island confirm that version of the post; False once they took that back."""

    holds: bool


def confirming_root(target: bytes) -> bytes:
    """The root of what one author says of the version that `target` (8 B) names: the next time takes the place of it."""
    return bytes(octet ^ TURNED for octet in target)
