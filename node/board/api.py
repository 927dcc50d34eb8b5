"""What goes in and out of the board (`node.board.board.Board`), and what other rooms add to it (`Transfer`, `Imports`).

Moments are minutes since 2024 UTC (`node.model.clock`); ids are 32 hex digits. Every method is safe from any thread.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol

from node.board.alerts import Alert
from node.board.reasons import (
    ClosedReason,
    DeliveryProblem,
    ImportProblem,
    LeftOut,
    Pile,
    ProblemCode,
    ReportReason,
    VerdictReason,
    WaitReason,
)
from node.model.event import Event, Occasion, Repetition, Shift
from node.model.foreign import Foreign
from node.model.marks import NO_MARKS, Marks
from node.model.record import Kind

LANGUAGES = {1: "fr", 2: "en", 3: "es", 4: "ar"}  # a record's language number -> BCP 47 tag; 0 unknown
COMMAND_LINE, CARD_FILE = "$", "#"  # who acted, for the audit log, when it was no keeper by name: none can be called that
TOPICS = {
    0: "other", 1: "demonstration", 2: "meeting", 3: "mutual-aid", 4: "food", 5: "health", 6: "housing", 7: "work",
    8: "culture", 9: "children", 10: "lost-found", 11: "transport", 12: "danger", 13: "energy-water",
}


@dataclass(frozen=True)
class Draft:
    """What somebody typed, before it becomes a record. Event fields are ignored for other kinds.

    `text` is a bulletin's or a reply's whole text, an event's description, a cancellation's reason. `start` and `end` are
    minutes since 2024 UTC (of its first date), `offset` quarters of an hour east of UTC there and then, `shifts` when that
    changes before it is over. `whole_days`: from midnight to midnight. `target` is the id replied to or corrected.
    `life_days` is None for a correction that lives as long as what it takes the place of. `publish_at` is the minute to
    publish it, None for now. `by_radio`: typed on a radio in the hand. `own_code` is the edit code that its author chose,
    "" for a made one. `alert`: of a bulletin that passes on an official alert, whose it is. `foreign`: of an event that is
    taken over, with the name of its `source` and why it is `called_off`.
    """

    kind: Kind
    text: str = ""
    language: int = 1
    topic: int = 0
    life_days: int | None = 14
    urgent: bool = False
    title: str = ""
    place: str = ""
    organiser: str = ""
    link: str = ""
    start: int | None = None
    end: int | None = None
    offset: int = 0
    position: tuple[float, float] | None = None
    target: str | None = None
    publish_at: int | None = None
    by_radio: bool = False
    own_code: str = field(default="", repr=False)
    whole_days: bool = False
    shifts: tuple[Shift, ...] = ()
    repetition: Repetition | None = None
    alert: Alert | None = None
    foreign: Foreign | None = None
    source: str = ""
    called_off: str = ""
    marks: Marks = NO_MARKS

    @property
    def event(self) -> Event | None:
        """When it is, None if no start was told; its end may still be before it."""
        if self.start is None:
            return None
        length = (self.start if self.end is None else self.end) - self.start
        return Event(self.start, length, self.offset, self.whole_days, self.shifts, self.repetition,
                     self.foreign)


@dataclass(frozen=True)
class Problem:
    """Why a draft cannot be posted as it is: `node.board.explanations` words the `code`, `amount` goes into the sentence.

    `field` is a field of Draft, or `group`, `passphrase`, `word`. Codes: `empty`; `too-long` (amount: characters over);
    `control-character`; `not-offered` (language, topic or kind unknown); `life` (amount: most days); `start-missing`;
    `end-before-start`; `past`; `too-far` (amount: most days ahead); `lasts-too-long` (amount: most days); `offset`;
    `repeats` (amount: most dates); `several-days`; `weekday`; `end-hour`; `no-date`; `link`; `position`;
    `urgent-not-allowed` (to this island), `urgent-not-group` (to that group), `urgent-keepers` (the island may, its
    visitors may not); `target-gone`; `not-yours`; `not-signed-here`; `word-wrong`; `group-unknown`;
    `passphrase-wrong`; `members-only`; `share-used` (this author has too many live records); `tries` (whoever asks was
    wrong too often); `said-already`; and what a visitor has done often enough (amount: minutes until the next): `too-
    many-posts`, `too-many-changes`, `too-many-waiting`.
    """

    field: str
    code: ProblemCode
    amount: int = 0


class DraftRefused(Exception):
    """The draft has these problems; nothing was posted."""

    def __init__(self, problems: list[Problem]):
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = problems


class BoardClosed(Exception):
    """The island cannot keep posts now (card full, read-only, ...), or the set does not take this one."""

    def __init__(self, reason: ClosedReason | VerdictReason):
        super().__init__(reason)
        self.reason = reason


class Overtaken(Exception):
    """What somebody corrects is not what they saw any more; nothing was posted. `item` is what stands, or waits, now."""

    def __init__(self, item: "Item"):
        super().__init__(item.id)
        self.item = item


@dataclass(frozen=True)
class Cost:
    """What posting will take: bytes of the record, packets and seconds of air for one transmission of it."""

    record_bytes: int
    packets: int
    airtime_s: float


@dataclass(frozen=True)
class Author:
    """Who signed: `name`, whether a group or an island, who vouched, and whether it is this island."""

    key_id: str
    name: str
    group: bool = False
    vouched_by: str = ""
    here: bool = False


@dataclass(frozen=True)
class Origin:
    """The agenda that an event was taken from: what it calls itself, the address of its site ("" if unknown)."""

    name: str
    link: str = ""

    @property
    def site(self) -> str:
        """The name of its site, "" if unknown."""
        return self.link.partition("://")[2].strip("/")


@dataclass(frozen=True)
class Hearsay:
    """Of a foreign event: the names of the islands that tell this version of it, how many tell an earlier one only, and the
    minute at which one of them told something last."""

    alike: tuple[str, ...]
    earlier: int = 0
    latest: int = 0


@dataclass(frozen=True)
class Confirmed:
    """The other islands whose keepers confirm an urgent post, in the version that is shown, how many of them are asked for
    here (`needed`), and the minute at which one of them said something last."""

    by: tuple[Author, ...] = ()
    needed: int = 1
    latest: int = 0

    @property
    def enough(self) -> bool:
        """Whether it counts as confirmed."""
        return len(self.by) >= self.needed


@dataclass(frozen=True)
class Item:
    """One record as people see it. Of a repeated event `start`, `end` and what is beside them are those of one date: the
    one that an agenda shows, else the next; `event` has them all.
    """

    id: str
    kind: Kind
    text: str
    created: int
    expires: int
    author: Author
    urgent: bool = False
    language: int = 0
    topic: int = 0
    title: str = ""
    place: str = ""
    organiser: str = ""
    link: str = ""
    start: int | None = None
    end: int | None = None
    offset: int = 0
    position: tuple[float, float] | None = None
    target: str | None = None
    corrected: bool = False  # takes the place of an earlier version
    by_radio: bool = False  # typed on a radio in the hand
    cancelled: str | None = None  # the reason (may be ""), for an event that will not take place
    origin: Origin | None = None  # the agenda it was taken from, if it was
    first: str = ""  # the id of its first version (16 digits will do), the same through all corrections; "" if this is it
    replies: tuple["Item", ...] = field(default=(), compare=False)
    end_offset: int = 0
    whole_days: bool = False
    moved: bool = False  # this date alone
    off: bool = False  # likewise called off; it is `cancelled` too, without a reason
    tentative: bool = False  # not confirmed yet at its source
    changed: int = 0  # the minute of the last change: when this version was made, called off, or met
    event: Event | None = None
    alert: Alert | None = None  # an official alert that its author passes on: whose it is, as the author says
    before: "Item | None" = field(default=None, compare=False)  # of a corrected one: as it was first shown here, if it was
    marks: Marks = NO_MARKS
    met: int | None = None  # of a bulletin: the minute at which its author said that it is
    confirmed: Confirmed | None = None  # of what is urgent, live and in force, and no official alert


@dataclass(frozen=True)
class Announced:
    """What is known of one date of an event before its text is decoded. `root` names it through all its corrections (8
    bytes); `raw` is its encoding, `past` whether it is in the archive, `date` which one it is, the rest as in Item."""

    id: bytes
    raw: bytes
    root: bytes
    start: int
    end: int
    offset: int
    position: tuple[float, float] | None
    past: bool
    end_offset: int
    whole_days: bool
    date: Occasion
    foreign: Foreign | None = None
    marks: Marks = NO_MARKS


class TextPatience:
    """How long whoever asks waits for texts that were never decoded: as long as `left_s()` is above zero, in seconds.

    `unread`: how many were left out because it ended.
    """

    def __init__(self, left_s: Callable[[], float] = lambda: inf):
        self.left_s, self.unread = left_s, 0


@dataclass(frozen=True)
class Page:
    """A bounded part of a list; `after` is the opaque mark to ask for what follows, "" at the end."""

    items: list[Item]
    after: str = ""


@dataclass(frozen=True)
class Posted:
    """`edit_code` lets its author correct or withdraw it later, "" for a group's; only its hash is kept.

    `waiting` says for what it waits, "" if it is on the board.
    """

    id: str
    edit_code: str
    cost: Cost
    waiting: WaitReason | Literal[""] = ""


@dataclass(frozen=True)
class Waiting:
    """A post kept but not published: it waits for a keeper if `moderated`, and for the minute `publish_at` if set."""

    item: Item
    moderated: bool
    publish_at: int | None = None


@dataclass(frozen=True)
class Spread:
    """How many of `islands` that are heard were last known to hold a post: `held`. Of no island it is told which."""

    held: int
    islands: int


@dataclass(frozen=True)
class Handle:
    """One post as keepers take hold of it: where it is, and the minute it was typed or posted. Nothing of it is decoded."""

    id: str
    pile: Pile
    at: int


@dataclass(frozen=True)
class Cleared:
    """What a keeper refused and withdrew with one press, how much of each, and until which minute it may be undone."""

    id: str
    until: int
    keeper: str
    refused: int = 0
    withdrawn: int = 0


@dataclass(frozen=True)
class AuditEntry:
    """What a keeper did here, for other keepers to see.

    `action`: one of `node.board.reasons.AuditAction`. `keeper` is COMMAND_LINE for whoever is at the terminal, CARD_FILE
    for the settings file on the card, "" for the island itself.
    """

    at: int
    keeper: str
    action: str
    about: str = ""  # an item's id, how many, the new posting rule, the name of an agenda, a keeper or a group
    why: str = ""  # in the keeper's words, if they gave a reason


@dataclass(frozen=True)
class Report:
    """What somebody told the keepers about the post `item_id` (that version of it), in their own `words` ("" if none).

    `day` is the first minute of the day (UTC) on which it came; nothing else is kept of when, and nothing of who.
    """

    item_id: str
    reason: ReportReason
    words: str
    day: int

    @property
    def asks(self) -> bool:
        """Whether it is the author who asks for something, as whoever tells it says."""
        return self.reason in (ReportReason.MINE_CHANGE, ReportReason.MINE_WITHDRAW)


@dataclass(frozen=True)
class ReportedPost:
    """A post that is shown here, and what the keepers were told about it, the latest last."""

    item: Item
    reports: tuple[Report, ...]


@dataclass(frozen=True)
class ClockOutcome:
    """What setting the clock to `minute` would do: it goes `ahead_min` minutes ahead (or back, if less than 0), so many
    posts end and so many keys lose their rights (or come back), and so many posts that wait are `published`."""

    minute: int
    ahead_min: int
    posts_end: int = 0
    keys_end: int = 0
    posts_back: int = 0
    keys_back: int = 0
    published: int = 0
    posts_wait: int = 0


Corners = Sequence[tuple[float, float] | None]  # the top left one, the bottom right one


@dataclass(frozen=True)
class Picture:
    """What lies under the map: its media type, its bytes, the (latitude, longitude) of two corners; north is up."""

    media_type: str
    content: bytes
    top_left: tuple[float, float]
    bottom_right: tuple[float, float]


@dataclass(frozen=True)
class Delivery:
    """What a courier brought. `problem` says why nothing was taken, or why the rest was not: `bundle-mark` (no bundle),
    `bundle-version`, `other-set`, `busy`, `full`, `read-only`, `io-error`, `letters` (typed letters that are no record),
    and of a picture: `picture-type`, `picture-bytes`, `picture-side`, `no-code`, `no-reader` (no program here reads codes).

    `new` are the first of the new items, `bulletins`, `events`, `replies` how many are new, `changes` how many versions and
    endings, `keys` how many records about who may write. `known` were here already, `outdated` are expired or replaced,
    `waiting` wait for their author or their hour, `bad` are forged or damaged. `faults` are slugs of
    `node.transfer.bundle.Bundle`.
    """

    problem: DeliveryProblem | ClosedReason | Literal[""] = ""
    new: tuple[Item, ...] = ()
    bulletins: int = 0
    events: int = 0
    replies: int = 0
    changes: int = 0
    keys: int = 0
    known: int = 0
    outdated: int = 0
    waiting: int = 0
    bad: int = 0
    faults: tuple[str, ...] = ()
    island: str = ""
    made: int | None = None


@dataclass(frozen=True)
class LastBundle:
    """The last bundle of another island that came here: its name, the minutes it was made and taken in."""

    island: str
    made: int
    taken: int


@dataclass(frozen=True)
class Stick:
    """A USB stick that is or was plugged in here: `working` or not, how many records it brought, since which minute.

    `problem`, once it is done: "" (it has this board too), `full`, `read-only`, `gone` (pulled out too
    early, or broken), `failed` (this island keeps nothing more).
    """

    at: int
    working: bool
    new: int = 0
    problem: str = ""


class Transfer(Protocol):
    """What the board offers to couriers. `node.transfer.service` is behind it, in a room that stands on this one."""

    def bundle(self, topic: int | None = None) -> Iterator[bytes]:
        """The live records as a file, a piece at a time."""

    def deliver(self, blocks: Iterable[bytes]) -> Delivery:
        """Take in a file that somebody brought."""

    def carried(self) -> list[LastBundle]:
        """The last bundle of each other island, the latest first."""

    def stick(self) -> Stick | None:
        """The stick that is plugged in, or was within some minutes; cheap."""

    def trade(self, message: bytes) -> bytes | None:
        """The answer to what another island on this network asks (`node.transfer.lan`); None for whatever is no such
        question."""

    def letters(self, item_id: str) -> tuple[str, str]:
        """One record (32 digits) for paper: letters in groups to be typed, the text of its QR code; "" if it is gone."""

    def codes(self, item_ids: Iterable[str], most_letters: int, most: int) -> tuple[list[str], int]:
        """The texts of `most` QR codes at most, each of `most_letters` letters or little more, with these records (32
        digits each) and what lets their authors write; how many of the records found no room there."""

    def deliver_letters(self, text: str) -> Delivery:
        """Take in records that were typed, or read from their QR codes."""

    def deliver_picture(self, raw: bytes) -> Delivery:
        """Take in the records whose QR codes are in a PNG or JPEG."""


@dataclass(frozen=True)
class ImportSummary:
    """What an agenda of another program brings, or brought. `id` names it for `Imports.take`.

    `problem`, if nothing of it can be taken: `nothing` (no file), `agenda-size`, `agenda-mark` (no calendar), `stale` (it
    must be given again), `not-admitted` (this island may not post yet), or a reason of BoardClosed.
    `left_out` counts by reason: `past`, `too-far`, `lasts-too-long`, `repeats` (a rule that is not understood), `zone` (a
    time zone that nobody knows), `private`, `answer` (to an invitation), `broken`, `too-many`; `known` (here from
    elsewhere), `older` (than what is here), `gone` (withdrawn, hidden or cancelled here), `cancelled` (never was here),
    `later` (more than are taken at once), `share-used`, `refused` (by the board); of a source that is gathered: `topic`,
    `words`, `place`, `no-position`, `far`, `days`, `daily` (LeftOut).
    `named` are the first of them, each with its reason and its title. `unchanged` are here as they are. `cost` is that of
    the rest.
    """

    id: str = ""
    problem: ImportProblem | ClosedReason | VerdictReason | Literal[""] = ""
    origin: Origin = Origin("")
    new: tuple[Draft, ...] = ()
    changed: tuple[Draft, ...] = ()
    cancelled: tuple[Item, ...] = ()
    unchanged: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    named: tuple[tuple[str, str], ...] = ()
    cost: Cost = Cost(0, 0, 0.0)

    @property
    def size(self) -> int:
        """How many records it makes."""
        return len(self.new) + len(self.changed) + len(self.cancelled)


@dataclass(frozen=True)
class ImportBounds:
    """How much of what a source gives is taken over: what `leaves_out(draft)` does not leave out, at most so many `records`
    and seconds of air (`air_s`). What calls off an event that came before comes in any case."""

    leaves_out: Callable[[Draft], LeftOut | None]
    records: int
    air_s: float


class Imports(Protocol):
    """What the board offers to keepers with agendas of other programs. `node.ical.importer` is behind it, likewise."""

    def tag(self, address: str) -> str:
        """What the server at an address called the version that was taken; "" if it is to be fetched anew all the same."""

    def look(self, content: bytes, name: str, address: str = "", tag: str = "") -> ImportSummary:
        """What is in an iCalendar file, compared with the board; nothing is posted. `name`: the file's, if it has none.

        `address` is where it was fetched, `tag` its server's name for this version (ETag).
        """

    def look_within(self, content: bytes, address: str, tag: str, bounds: ImportBounds) -> ImportSummary:
        """As `look`, of a source that is gathered: `take` will post what its bounds let through."""

    def take(self, import_id: str, keeper: str) -> ImportSummary:
        """Post what `look` has shown, in one commit: what was posted."""
