"""What people look for in events and bulletins, in bits that cost next to nothing (docs/protocol.md, 1.2)."""

from enum import IntFlag


class Marks(IntFlag):
    """What an event is (the first three), or what a bulletin is for (one of the others)."""

    CHILDREN = 1
    STEP_FREE = 2
    FREE = 4
    NEED = 8
    OFFER = 16


NO_MARKS = Marks(0)
EVENT_MARKS = Marks.CHILDREN | Marks.STEP_FREE | Marks.FREE
BULLETIN_MARKS = (NO_MARKS, Marks.NEED, Marks.OFFER)
