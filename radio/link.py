"""The one interface of every link, real or simulated. Bytes in, bytes out.

A link file is the only importer of its library. Misuse by us raises; what a remote does wrong is dropped and
counted in `counters` and never raises. `send` may block (a full radio queue): only a link's own sender thread
calls it, never the runner.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """What became of one packet handed to a link."""

    SENT = "sent"
    TOO_LARGE = "too-large"
    DUTY_CYCLE = "duty-cycle"
    REGION_UNSET = "region-unset"
    QUEUE_FULL = "queue-full"
    DOWN = "down"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Received:
    """A packet from a link. `sender` is the link's own name for who sent it (never an identity), `hops` how many
    nodes passed it on (0 heard directly, None unknown), `hops_left` how many more may; `relay` is the end of the link's
    name for who sent this copy, "" where that is not told; `snr_db` and `rssi_dbm` where a radio tells them.
    """

    payload: bytes
    sender: str = ""
    hops: int | None = None
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hops_left: int = 0
    relay: str = ""


class Link(Protocol):
    """A way for packets to travel.

    `counters["connected"]` says how often it came up: who looks at `up` now and then may miss that it was down.
    """

    name: str
    max_payload: int

    @property
    def counters(self) -> Counter[str]:
        """What happened so far, by slug."""

    @property
    def up(self) -> bool:
        """Whether it can carry packets now."""

    @property
    def state(self) -> str:
        """"up", or a slug of why not."""

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Hand over one packet; may block until the link takes it. Raises ValueError above `max_payload`.

        `to`: a `Received.sender` that it is for, where the link can send to one node; "" is everybody who hears us.
        """

    def receive(self, timeout_s: float) -> Received | None:
        """The next packet, or None after `timeout_s`."""

    def close(self) -> None:
        """Stop; `receive` then returns None at once. Closing twice is allowed."""
