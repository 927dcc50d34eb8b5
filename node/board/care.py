"""Care of the box: what state it is in, backups, and what keepers order of it. Values, and the part behind them.

The real part is `node.daemon.care`. Moments are minutes since 2024.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from node.board.status import MachineStatus
from node.i18n.sentence import Explained, Sentence, sentence

KEPT_MIN = 60  # a backup waits so long on the card to be taken away


@dataclass(frozen=True)
class LastBackup:
    """A backup that was taken away: its minute, its size in octets, and how: `download`, `stick` or `command`."""

    at: int
    size_bytes: int
    way: str


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what to do about it if anything. `about`: for programs, what it was."""

    level: Level
    what: Sentence
    remedy: Sentence | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found when the island was looked at last, at minute `at` (None: never yet). `working`: it is looked at now;
    `cut`: the last time something did not end in time, and is not among the findings."""

    findings: tuple[Finding, ...] = ()
    at: int | None = None
    working: bool = False
    cut: bool = False


class CareAct(StrEnum):
    """What keepers order of the box."""

    RESTART_ISLAND = "restart-island"
    RESTART_BOX = "restart-box"
    UPDATE = "update"
    WIPE = "wipe"


class BackupStage(StrEnum):
    """How far a backup is."""

    NONE = "none"
    MAKING = "making"
    READY = "ready"
    CARRYING = "carrying"  # the box puts it on the stick
    CARRIED = "carried"  # it is on the stick
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BackupState:
    """The backup that is being made, or waits to be taken away under the file name `name`; `label` finds it. `until`: the
    minute it goes from the card; `trouble` why there is none, or why it is not on the stick."""

    stage: BackupStage = BackupStage.NONE
    name: str = ""
    label: str = ""
    size_bytes: int = 0
    until: int = 0
    trouble: Sentence | None = None


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup to be handed over, a block at a time. One that is closed before its end was not taken away."""

    name: str
    size_bytes: int
    blocks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class UpdateState:
    """`version` is in use; `trial`: it has not shown yet that it answers. `seen`: the newest version on the stick that was
    last looked at, "" if there was none. `news`: what the box tells of its last updates."""

    version: str
    trial: bool = False
    seen: str = ""
    news: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class CareFacts:
    """The state of the box now. Sizes in octets; `machine` is what its sensors tell; `stick`: one is plugged in, and the
    box can put a backup on it; `acts`: what can be ordered here."""

    free_bytes: int
    whole_bytes: int
    journal_bytes: int
    archive_bytes: int
    uptime_s: float
    machine: MachineStatus
    update: UpdateState
    stick: bool
    acts: frozenset[CareAct]


class CareRefused(Explained):
    """It cannot be done here, or not now; the sentence says why."""


class Care(Protocol):
    """What keepers do for their box. `keeper` and `why` are for the audit log. Safe from any thread but the runner's."""

    def facts(self) -> CareFacts:
        """The state of the box; cheap."""

    def checkup(self) -> Checkup:
        """What was found last; cheap."""

    def examine(self) -> None:
        """Look at everything that `archipel doctor` looks at, on a thread of its own."""

    def backup(self) -> BackupState:
        """How far the backup is."""

    def make_backup(self, passphrase: str, keeper: str, why: str = "") -> None:
        """Begin one, in the place of one that waits; raises CareRefused, BoardClosed."""

    def take_backup(self, label: str, keeper: str) -> BackupFile | None:
        """The backup that waits, to be handed over; None if it has gone. Raises CareRefused while another takes it."""

    def carry_backup(self, keeper: str) -> None:
        """Have the box put it on the stick; raises CareRefused."""

    def drop_backup(self, keeper: str) -> None:
        """Remove it from the card, unless somebody is just taking it away."""

    def tidy(self) -> None:
        """Now and then: see how the box fares with the stick, and remove a backup that nobody took away in time."""

    def order(self, act: CareAct, keeper: str, why: str = "") -> None:
        """Have it done, within some seconds; raises CareRefused, BoardClosed."""

    def wipe_code(self) -> str:
        """What a stick has to hold to erase this box, for the keeper's sheet; "" where no stick can."""


BUSY = sentence("A backup is being made already. Wait until it is done.")
TAKEN_NOW = sentence("Somebody is taking this backup away just now. Try again in some minutes.")
NOT_HERE = sentence("This can only be ordered from here on the SD image of Archipel, whose box obeys its island.")
NO_STICK = sentence("There is no stick in the box. Plug one in and wait for a minute, then try again.")
STICK_TOOK_NONE = sentence("The stick did not take the backup: it is full, write-protected, or was pulled out. "
                           "Use another one, or download it.")
NO_ROOM = sentence("There is not enough room on the memory card to make a backup here. Keep posts in the archive for a "
                   "shorter time, or use a larger card.")
NOT_WHOLE = sentence("The backup was damaged on its way to the memory card, and thrown away. Make it again; "
                     "if this comes back, use another card.")
