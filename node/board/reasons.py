"""Why something was refused, left out or is not whole: one closed list a family.

A reason is the slug that is kept and sent; `node.board.explanations` has the sentence for each. Rooms below this one have
slugs only: `as_reason` reads them, and `tests/board/test_reasons.py` finds one that is not listed here.
"""

from enum import StrEnum
from typing import TypeVar

Family = TypeVar("Family", bound=StrEnum)


def as_reason(family: type[Family], slug: str, otherwise: Family) -> Family:
    """The reason that a slug of another room (or version) names, `otherwise` if the family has none of that name."""
    try:
        return family(slug)
    except ValueError:
        return otherwise


class ProblemCode(StrEnum):
    """Why a draft cannot be posted as it is (`node.board.api.Problem.code`)."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    CONTROL_CHARACTER = "control-character"
    INVISIBLE = "invisible"
    NOT_OFFERED = "not-offered"
    LIFE = "life"
    START_MISSING = "start-missing"
    END_BEFORE_START = "end-before-start"
    PAST = "past"
    TOO_FAR = "too-far"
    LASTS_TOO_LONG = "lasts-too-long"
    MOMENT = "moment"
    OFFSET = "offset"
    REPEATS = "repeats"
    SEVERAL_DAYS = "several-days"
    WEEKDAY = "weekday"
    END_HOUR = "end-hour"
    NO_DATE = "no-date"
    LINK = "link"
    POSITION = "position"
    URGENT_NOT_ALLOWED = "urgent-not-allowed"
    URGENT_NOT_GROUP = "urgent-not-group"
    URGENT_KEEPERS = "urgent-keepers"
    TARGET_GONE = "target-gone"
    NOT_YOURS = "not-yours"
    NOT_SIGNED_HERE = "not-signed-here"
    WORD_WRONG = "word-wrong"
    CODE_SHORT = "code-short"
    CODE_LONG = "code-long"
    CODE_UNREADABLE = "code-unreadable"
    CODE_GUESSED = "code-guessed"
    GROUP_UNKNOWN = "group-unknown"
    PASSPHRASE_WRONG = "passphrase-wrong"  # noqa: S105 - a slug
    MEMBERS_ONLY = "members-only"
    SHARE_USED = "share-used"
    SAID_ALREADY = "said-already"
    TOO_MANY_POSTS = "too-many-posts"
    TOO_MANY_CHANGES = "too-many-changes"
    TOO_MANY_WAITING = "too-many-waiting"
    TOO_MANY_REPORTS = "too-many-reports"
    REPORTED_ENOUGH = "reported-enough"
    REPORTS_FULL = "reports-full"
    PICTURE_TYPE = "picture-type"
    PICTURE_BYTES = "picture-bytes"
    PICTURE_SIDE = "picture-side"
    PICTURE_CORNERS = "picture-corners"
    STREET_MAP = "street-map"
    STREET_MAP_BYTES = "street-map-bytes"
    NOT_TO_CONFIRM = "not-to-confirm"
    CONFIRMED_ENOUGH = "confirmed-enough"
    TOKEN = "token"  # noqa: S105 - a slug
    TRIES = "tries"


class DraftField(StrEnum):
    """What a problem is about: a field of Draft, or one of the form beside it."""

    TEXT = "text"
    TITLE = "title"
    PLACE = "place"
    ORGANISER = "organiser"
    LINK = "link"
    START = "start"
    END = "end"
    TOPIC = "topic"
    LANGUAGE = "language"
    LIFE_DAYS = "life_days"
    POSITION = "position"
    PUBLISH_AT = "publish_at"
    WORD = "word"
    OWN_CODE = "own_code"
    GROUP = "group"
    PASSPHRASE = "passphrase"  # noqa: S105 - a slug
    URGENT = "urgent"
    REASON = "reason"
    REPEAT = "repeat"
    OFF = "off"
    MOVED = "moved"
    MARKS = "marks"


class ClosedReason(StrEnum):
    """Why nothing can be kept now (`node.board.api.BoardClosed`, `node.store.index.StoreFailed`)."""

    NOT_ADMITTED = "not-admitted"
    WAITING_FULL = "waiting-full"
    SHARE_FULL = "share-full"
    TOO_LATE = "too-late"
    FULL = "full"
    READ_ONLY = "read-only"
    IO_ERROR = "io-error"
    CLOSED = "closed"
    NEWER = "newer"


class WaitReason(StrEnum):
    """For what a post waits (`node.board.api.Posted.waiting`)."""

    HOUR = "hour"
    RULE = "rule"
    PACE = "pace"


class Pile(StrEnum):
    """Where a post is, for keepers (`node.board.api.Handle.pile`)."""

    WAITING = "waiting"
    HERE = "here"
    ELSEWHERE = "elsewhere"
    HIDDEN = "hidden"


class ReportReason(StrEnum):
    """What people tell the keepers about a post (`node.board.api.Report.reason`)."""

    DANGER = "danger"
    INSULT = "insult"
    PRIVATE = "private"
    FALSE = "false"
    REPEATED = "repeated"
    OTHER = "other"
    MINE_CHANGE = "mine-change"
    MINE_WITHDRAW = "mine-withdraw"


IN_THE_SET = {"kept", "duplicate"}  # what became of a record that is there: no refusals


class VerdictReason(StrEnum):
    """What became of a record that was not kept; any other reason is one of bytes that are no record."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"
    OVER_SHARE = "over-share"
    PENNED = "penned"
    EARLY = "early"
    REVOKED = "revoked"
    SIGNATURE = "signature"


class DeliveryProblem(StrEnum):
    """Why nothing, or not all, of what somebody brought was taken in (`node.board.api.Delivery.problem`)."""

    NOTHING = "nothing"
    BUNDLE_MARK = "bundle-mark"
    BUNDLE_VERSION = "bundle-version"
    OTHER_SET = "other-set"
    LETTERS = "letters"
    PICTURE_TYPE = "picture-type"
    PICTURE_BYTES = "picture-bytes"
    PICTURE_SIDE = "picture-side"
    NO_CODE = "no-code"
    NO_READER = "no-reader"
    BUSY = "busy"
    FULL = "full"
    READ_ONLY = "read-only"
    IO_ERROR = "io-error"


class BundleFault(StrEnum):
    """What was not good in a bundle itself (the `faults` of a `node.transfer.bundle.Bundle`)."""

    HEADER = "header"
    DAMAGED = "damaged"
    CUT_SHORT = "cut-short"
    TOO_DAMAGED = "too-damaged"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    COUNT = "count"
    SUM = "sum"
    TOO_MANY_FORGED = "too-many-forged"


class StickProblem(StrEnum):
    """Why this island's board is not on a USB stick (`node.board.api.Stick.problem`); "" once it is."""

    NONE = ""
    FULL = "full"
    READ_ONLY = "read-only"
    GONE = "gone"
    FAILED = "failed"


class ImportProblem(StrEnum):
    """Why nothing of an agenda can be taken over; or a ClosedReason (`node.board.api.ImportSummary.problem`)."""

    NOTHING = "nothing"
    AGENDA_MARK = "agenda-mark"
    AGENDA_SIZE = "agenda-size"
    STALE = "stale"
    SOURCE_MARK = "source-mark"


class LeftOut(StrEnum):
    """Why an event of an agenda is not taken over (`node.board.api.ImportSummary.left_out`)."""

    PAST = "past"
    TOO_FAR = "too-far"
    LASTS_TOO_LONG = "lasts-too-long"
    REPEATS = "repeats"
    ZONE = "zone"
    PRIVATE = "private"
    ANSWER = "answer"
    BROKEN = "broken"
    TOO_MANY = "too-many"
    KNOWN = "known"
    OLDER = "older"
    GONE = "gone"
    CANCELLED = "cancelled"
    LATER = "later"
    SHARE_USED = "share-used"
    REFUSED = "refused"
    TOPIC = "topic"
    WORDS = "words"
    PLACE = "place"
    NO_POSITION = "no-position"
    FAR = "far"
    DAYS = "days"
    DAILY = "daily"
    MINOR = "minor"


class AuditAction(StrEnum):
    """What a keeper did (`node.board.api.AuditEntry.action`)."""

    HIDE = "hide"
    SHOW = "show"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    CORRECT = "correct"
    CANCEL = "cancel"
    MEET = "meet"
    CONFIRM = "confirm"
    CONFIRM_BACK = "confirm-back"
    CLEAR = "clear"
    UNDO = "undo"
    SETTLE = "settle"
    SETTLE_ALL = "settle-all"
    CONTACT = "contact"
    APPROVE_MANY = "approve-many"
    SHOW_MANY = "show-many"
    POSTING = "posting"
    SETTINGS = "settings"
    SETTINGS_TRIAL = "settings-trial"
    SETTINGS_KEPT = "settings-kept"
    SETTINGS_BACK = "settings-back"
    WELCOME = "welcome"
    TOPICS = "topics"
    RESTS = "rests"
    OUTLINE = "outline"
    PICTURE = "picture"
    STREETS = "streets"
    CLOCK = "clock"
    CLOCK_UNDO = "clock-undo"
    RADIO_SUMMARY = "radio-summary"
    RADIO_SILENCE = "radio-silence"
    RADIO_ONLY_URGENT = "radio-only-urgent"
    RADIO_SHARE = "radio-share"
    RADIO_FREE = "radio-free"
    RADIO_READERS = "radio-readers"
    IMPORT = "import"
    KEEPER = "keeper"
    KEEPER_GONE = "keeper-gone"
    GROUP = "group"
    GROUP_PASSPHRASE = "group-passphrase"  # noqa: S105 - a slug
    GROUP_GONE = "group-gone"
    VOUCH = "vouch"
    INVITE = "invite"
    REVOKE = "revoke"
    REVOKE_UNDO = "revoke-undo"
    REVOKE_FAILED = "revoke-failed"
    RENEW_SECRET = "renew-secret"  # noqa: S105 - a slug
    CATCH_UP = "catch-up"
    PAPER_KEY = "paper-key"
    HANDOVER = "handover"
    HANDOVER_END = "handover-end"
    BACKUP = "backup"
    BACKUP_TAKEN = "backup-taken"
    BACKUP_DROPPED = "backup-dropped"
    SESSION_END = "session-end"
    RESTART_ISLAND = "restart-island"
    RESTART_BOX = "restart-box"
    UPDATE = "update"
    WIPE = "wipe"
    CARD = "card"
    SOURCE_GONE = "source-gone"
    GATHER = "gather"
    GATHER_PAUSE = "gather-pause"
    GATHER_ON = "gather-on"
    GATHER_GONE = "gather-gone"
    REFOUND = "refound"
