"""Where an event comes from that was taken over from an agenda elsewhere, as its record says it (docs/protocol.md, 1.2).

Every island that takes the same event over gives it the same key, whatever file or address it had it from.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

FOREIGN_KEY_BYTES = 8
MAX_SEQUENCE = 0x3FFF
PERSON = b"archipel-foreign"
SURELY_OWN = 20  # characters: a name as long is nobody else's, such as a UUID


@dataclass(frozen=True, slots=True)
class Foreign:
    """The `key` (8 B) of a foreign event, the version of it that is told (its SEQUENCE, the minute of its last change),
    and whether it is called off, or not confirmed yet, at its source."""

    key: bytes
    sequence: int = 0
    modified: int = 0
    off: bool = False
    tentative: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """What grows from version to version."""
        return self.sequence, self.modified

    def is_sound(self, created: int, ahead: int) -> bool:
        """Whether a record made at minute `created` may say so: `ahead` minutes later at most, and one thing at a time."""
        return self.modified <= created + ahead and not (self.off and self.tentative) and self.sequence <= MAX_SEQUENCE


def foreign_key(uid: str, which: str, origin: str) -> bytes:
    """The key of an event by its UID and, of one that is repeated, `which` of its dates ("" for all).

    `origin` (its site, or else the name of its calendar) counts only for a UID that others may have too: one that is
    neither long nor made with the name of a site.
    """
    own = len(uid) >= SURELY_OWN or re.search(r"@[^@\s]+\.[^@\s.]+$", uid)
    parts = "\n".join((uid, which, "" if own else origin))
    return blake2b(parts.encode("utf-8", "replace"), digest_size=FOREIGN_KEY_BYTES, person=PERSON).digest()
