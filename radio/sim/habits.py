"""How a simulated radio passes on what others sent: its role, the age of its firmware, and what it makes of who sends much.

Source: the Meshtastic firmware, `FloodingRouter.cpp` (who cancels), `RadioInterface.cpp` (who goes first),
`RadioLibInterface.cpp` (who goes last), `TrafficManagementModule.cpp` (limits).
"""

from dataclasses import dataclass
from enum import Enum, auto


class Role(Enum):
    """What a radio does about other nodes' frames."""

    CLIENT = auto()  # passes on unless somebody else was faster
    ROUTER = auto()  # always passes on, and before clients
    ROUTER_LATE = auto()  # always passes on, but after the others if somebody else was faster
    CLIENT_MUTE = auto()  # passes nothing on


@dataclass(frozen=True, slots=True)
class SenderLimit:
    """At most so many frames of one origin are passed on in a window, which begins with the first
    (`TrafficManagementModule.cpp`: windows are whole multiples of 5 minutes)."""

    frames: int
    window_s: float = 300


@dataclass(frozen=True, slots=True)
class Habits:
    """How a radio passes on. `names_itself`: its copies say who sent them (`relay_node`; firmware from 2.6 on)."""

    role: Role = Role.CLIENT
    names_itself: bool = True
    limit: SenderLimit | None = None


USUAL = Habits()
