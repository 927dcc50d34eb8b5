"""Official alerts that an island passes on: who issued them, and by what name programs know them (OASIS CAP 1.2).

An alert is a bulletin whose text has parts after the words that people read, each parted by U+001F: issuer, sender,
identifier, when it was sent (as its issuer wrote it), codes and the minute it ends, event, area, what it replaces. That an
island says so is all that is known: the issuer's own signature is too long for the air.
"""

import re
from dataclasses import dataclass

from node.model.clock import MAX_MINUTE

CATEGORIES = ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
KINDS = ("Alert", "Update", "Cancel")
CODED = (KINDS, CATEGORIES, URGENCIES, SEVERITIES, CERTAINTIES)
SENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")  # CAP 1.2, 3.3.2
REFERENCE = re.compile(rf"[^\s,<&]{{1,120}},[^\s,<&]{{1,120}},{SENT.pattern}")
MAX_PART, MAX_REFERENCE = 120, 280  # characters
PARTS = 8


@dataclass(frozen=True)
class Alert:
    """Whose a post is that an island passes on. `issuer`: its name; `sender`, `identifier`, `sent`: what names it among
    programs; `codes`: kind, category, urgency, severity, certainty, in CAP's words; `expires`: the minute it ends;
    `event`, `area`: what, and where; `replaces`: the reference of an earlier one, "" for none."""

    issuer: str
    sender: str
    identifier: str
    sent: str
    codes: tuple[str, str, str, str, str]
    expires: int
    event: str
    area: str
    replaces: str = ""

    @property
    def reference(self) -> str:
        """As other alerts name it."""
        return f"{self.sender},{self.identifier},{self.sent}"

    @property
    def parts(self) -> tuple[str, ...]:
        """As they follow the words in a record."""
        codes = "".join(f"{words.index(code):x}" for words, code in zip(CODED, self.codes, strict=True))
        return (self.issuer, self.sender, self.identifier, self.sent, f"{codes}{self.expires:x}", self.event, self.area,
                self.replaces)

    @property
    def severity(self) -> str:
        """How grave it is, in CAP's words."""
        return self.codes[3]

    def is_sound(self) -> bool:
        """Whether programs can be told of it."""
        named = all(re.fullmatch(r"[^\s,<&]{1,120}", one) for one in (self.sender, self.identifier))
        short = all(len(part) <= MAX_PART for part in self.parts[:-1]) and len(self.replaces) <= MAX_REFERENCE
        referring = not self.replaces or REFERENCE.fullmatch(self.replaces)
        return bool(named and short and referring and SENT.fullmatch(self.sent) and self.issuer and self.event
                    and 0 < self.expires < MAX_MINUTE)


def alert_of(parts: list[str]) -> Alert | None:
    """What the parts after the words of a record say, None if they say no alert."""
    if len(parts) != PARTS or not re.fullmatch(r"[0-9a-f]{6,11}", parts[4]):
        return None
    numbers = [int(digit, 16) for digit in parts[4][:len(CODED)]]
    if any(number >= len(words) for words, number in zip(CODED, numbers, strict=True)):
        return None
    kind, category, urgency, severity, certainty = (
        words[number] for words, number in zip(CODED, numbers, strict=True))
    alert = Alert(parts[0], parts[1], parts[2], parts[3], (kind, category, urgency, severity, certainty),
                  int(parts[4][len(CODED):], 16), parts[5], parts[6], parts[7])
    return alert if alert.is_sound() else None
