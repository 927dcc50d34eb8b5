"""The board's own state, what keepers and authors have decided on this island, and its one owner.

The state is one immutable value. Reading it takes no lock and never waits for the card. A change is worked out and
committed under one lock, together with its entry in the audit log: after a crash both are there, or neither.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from typing import Any

from node.board.api import AuditEntry, BoardClosed, Origin, Picture, Report
from node.board.care import LastBackup
from node.board.gathering import GatheredSource, GatherTerms
from node.board.handover import Handover
from node.board.host import NoteStore
from node.board.import_sources import ImportSource, ImportSources, Known
from node.board.island_settings import SettingsGroup, SettingsTrial
from node.board.night_rest import RestPlan, plan_as_json, plan_of
from node.board.reasons import ClosedReason, ReportReason, as_reason
from node.board.street_map import StreetMap, StreetName
from node.model.record import TARGET_BYTES, Kind, Record, decode, record_id
from node.store.index import StoreFailed

SHELVES = 64  # notes for what waits: of 1,000 posts some 16 are written again with one more
IN_ONE = "waiting"  # the one note for all of them that islands had before there were shelves
CODE = "word "  # before the root, in the name of the note of an edit code
REPORTS = "reports "  # before the root, in the name of the note of what was reported about a post
MAX_AUDIT_LOG = 100  # entries; the oldest go


@dataclass(frozen=True)
class Clearing:
    """What a keeper refused and withdrew with one press, by the same `id`: it may be undone before minute `until`."""

    id: str
    until: int
    keeper: str


@dataclass(frozen=True)
class PendingPost:
    """A post that waits: its encoding, whether a keeper must read it, and its minute (None: as soon as may be).

    `came` is the minute it was typed. `cleared`: a keeper has refused it, and may still undo that.
    """

    raw: bytes
    moderated: bool
    publish_at: int | None
    came: int = 0
    cleared: Clearing | None = None

    @property
    def id(self) -> str:
        """The id it will have on the board."""
        return record_id(self.raw).hex()

    @cached_property
    def record(self) -> Record:
        """What it says."""
        return decode(self.raw)

    @property
    def changes(self) -> bool:
        """Whether it corrects or cancels another post."""
        return self.record.corrects or self.record.kind is Kind.CANCELLATION

    @property
    def root(self) -> bytes:
        """The first 8 bytes of its first version's id, by which its edit code is known."""
        target = self.record.target
        return target if self.changes and target else record_id(self.raw)[:TARGET_BYTES]


@dataclass(frozen=True)
class PendingRevocation:
    """A revocation that a keeper signed and may still drop: its encoding, the key's name, and the minute it is sent."""

    raw: bytes
    name: str
    sent_at: int


@dataclass(frozen=True)
class BoardState:
    """All of it at one moment, edit codes aside (there is one for each post: `BoardNotes.edit_code`).

    `hidden` are roots (the first 8 bytes of a first version's id), `cleared` those that a keeper has withdrawn and may
    show again; `audit_log` has the newest entry last; `waiting` is by id, in the order they came, those refused that may
    still be brought back among them; `groups` are sealed seeds by name (`node.model.passphrase`, base64), `keepers`
    password hashes by name, `card_keepers` those of what the card's settings file has given, each counted once; `posting`
    is the rule that a keeper has set, "" if none has; `contact` says how to reach the keepers, "" if they have not;
    `reports` are by root, those of one post as they came. `settings` are what keepers have set on the desk, by name
    (`node.board.island_settings`), with the `trial` that goes on; `topics` the numbers of those offered, in their order, ()
    for all. `radio_for_keepers`: nobody else reads what the radio does. `gathered` are the sources that are asked by
    themselves, by id.
    """

    hidden: frozenset[bytes] = frozenset()
    cleared: Mapping[bytes, Clearing] = field(default_factory=dict)
    audit_log: tuple[AuditEntry, ...] = ()
    waiting: Mapping[str, PendingPost] = field(default_factory=dict)
    sources: ImportSources = field(default_factory=ImportSources)
    groups: Mapping[str, str] = field(default_factory=dict)
    keepers: Mapping[str, str] = field(default_factory=dict)
    card_keepers: Mapping[str, str] = field(default_factory=dict)
    posting: str = ""
    outline: str = ""
    picture: Picture | None = None
    streets: StreetMap | None = None
    revocations: Mapping[str, PendingRevocation] = field(default_factory=dict)
    promised: frozenset[str] = frozenset()
    contact: str = ""
    reports: Mapping[bytes, tuple[Report, ...]] = field(default_factory=dict)
    handover: Handover | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    trial: SettingsTrial | None = None
    welcome: str = ""
    topics: tuple[int, ...] = ()
    rests: RestPlan = field(default_factory=dict)
    backup: LastBackup | None = None
    radio_for_keepers: bool = False
    gathered: Mapping[str, GatheredSource] = field(default_factory=dict)

    @cached_property
    def unseen(self) -> frozenset[bytes]:
        """The roots of all that is not to be shown here."""
        return self.hidden | frozenset(self.cleared) if self.cleared else self.hidden

    def waits(self, item_id: str) -> PendingPost | None:
        """The post of this id that waits, None if it was refused too."""
        post = self.waiting.get(item_id)
        return None if post is None or post.cleared else post

    def with_waiting(self, post: PendingPost) -> "BoardState":
        """The same with a post that waits, in its old place if it waits already."""
        return replace(self, waiting={**self.waiting, post.id: post})

    def without_waiting(self, item_id: str) -> "BoardState":
        """The same without it."""
        return replace(self, waiting={id_: post for id_, post in self.waiting.items() if id_ != item_id})

    def without_reports(self, roots: Iterable[bytes]) -> "BoardState":
        """The same, what was reported about these posts forgotten; itself if nothing was."""
        gone = self.reports.keys() & set(roots)
        if not gone:
            return self
        return replace(self, reports={root: told for root, told in self.reports.items() if root not in gone})

    def logged(self, entry: AuditEntry) -> "BoardState":
        """The same with one entry more in the audit log."""
        return replace(self, audit_log=(*self.audit_log, entry)[-MAX_AUDIT_LOG:])


class BoardNotes:
    """The owner of a board's state, which it keeps in named notes of the store. Safe from any thread.

    `state` is read as it is. `gate` is the lock under which it changes. `revision` grows with every change, after it.
    """

    def __init__(self, store: NoteStore, gate: AbstractContextManager[Any]):
        self._store, self._gate = store, gate
        self.state = _state_in(store)
        self.revision = 0
        self._in_one = store.note(IN_ONE) is not None

    def log(self, entry: AuditEntry) -> None:
        """Keep an audit entry, with nothing else to change; raises BoardClosed."""
        self.update(replace, entry)

    def update(self, change: Callable[[BoardState], BoardState], entry: AuditEntry | None = None,
               codes: Mapping[bytes, str | None] | None = None) -> bool:
        """Make the state what `change` makes of it, durably, with its audit entry; whether it became another.

        `codes` are edit codes to keep or (None) to forget with it, by root. `change` is given the state as it then is, and
        nothing else changes that meanwhile; when it gives it back nothing is written, the entry neither. When it raises,
        or the card will not (BoardClosed), nothing has changed. It may publish: publishing never waits for this lock.
        """
        with self._gate:
            before = self.state
            after = change(before)
            if after is before:
                return False
            after = after.logged(entry) if entry else after
            kept = _changed(before, after) | _as_notes(codes or {}) | _shelved(None if self._in_one else before, after)
            kept |= _reported(before, after)
            self._keep(kept | ({IN_ONE: None} if self._in_one else {}))
            if self._in_one:
                self._in_one = False
            self.state = after
            self.revision += 1
        return True

    def edit_code(self, root: bytes) -> str:
        """What is kept of the edit code of a post, "" if it has none."""
        return self._store.note(_code_name(root)) or ""

    def keep_edit_code(self, root: bytes, kept: str) -> None:
        """Keep it, durably; raises BoardClosed. It takes no lock, so that posts made at the same time share a sync."""
        self._keep(_as_notes({root: kept}))

    def forget_edit_codes(self, roots: Iterable[bytes]) -> None:
        """Forget those of what is gone."""
        with suppress(BoardClosed):  # a hash kept too long does no harm
            self._keep(_as_notes(dict.fromkeys(roots)))

    def edit_codes(self) -> set[bytes]:
        """The roots of all posts that have one."""
        return {bytes.fromhex(name.removeprefix(CODE)) for name in self._store.names() if name.startswith(CODE)}

    def _keep(self, notes: Mapping[str, object]) -> None:
        try:
            self._store.set_notes(notes)
        except StoreFailed as failure:
            raise BoardClosed(as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)) from failure


def _as_notes(codes: Mapping[bytes, str | None]) -> dict[str, object]:
    return {_code_name(root): kept for root, kept in codes.items()}


def _code_name(root: bytes) -> str:
    return CODE + root.hex()


def _state_in(store: NoteStore) -> BoardState:
    """What is kept: a note for each field, whose name and JSON never change, as islands have them on their cards."""
    note = store.note
    return BoardState(
        hidden=frozenset(bytes.fromhex(root) for root in note("hidden") or ()),
        audit_log=tuple(AuditEntry(*entry) for entry in note("acts") or ()),
        cleared={bytes.fromhex(root): Clearing(*kept) for root, kept in (note("cleared") or {}).items()},
        waiting=_waiting_in(store),
        sources=ImportSources({name: _source_of(kept) for name, kept in (note("agendas") or {}).items()}),
        groups=note("groups") or {},
        keepers=note("keepers") or {},
        card_keepers=note("card keepers") or {},
        posting=note("posting") or "",
        outline=note("outline") or "",
        picture=_picture_of(note("picture")),
        streets=_streets_of(note("streets")),
        revocations={id_: PendingRevocation(b64decode(raw), name, at)
                     for id_, (raw, name, at) in (note("revocations") or {}).items()},
        promised=frozenset(note("promised") or ()),
        contact=note("contact") or "",
        reports=_reports_in(store),
        handover=_handover_of(note("handover")),
        settings=note("settings") or {},
        trial=_trial_of(note("trial")),
        welcome=note("welcome") or "",
        topics=tuple(note("topics") or ()),
        rests=plan_of(note("rests") or {}),
        backup=LastBackup(*note("backup")) if note("backup") else None,
        radio_for_keepers=bool(note("radio for keepers")),
        gathered={one.id: one for one in map(_gathered_of, note("gather") or ())},
    )


def _changed(before: BoardState, after: BoardState) -> dict[str, object]:
    """The notes that differ, as JSON; what is empty is no note."""
    return {name: as_json(getattr(after, part)) or None for part, (name, as_json) in NOTES.items()
            if getattr(after, part) is not getattr(before, part)}


def _waiting_in(store: NoteStore) -> dict[str, PendingPost]:
    """Posts that wait, in the order they came. They are on shelves, so that one more does not write them all again."""
    shelves = [store.note(_shelf_name(shelf)) or {} for shelf in range(SHELVES)]
    kept = dict(item for shelf in (store.note(IN_ONE) or {}, *shelves) for item in shelf.items())
    return {id_: _post_of(post) for id_, post in sorted(kept.items(), key=lambda item: _arrival(item[1]))}


def _arrival(kept: dict[str, Any]) -> tuple[int, int]:
    return kept.get("came", 0), kept.get("number", 0)


def _shelved(before: BoardState | None, after: BoardState) -> dict[str, object]:
    """The notes of the shelves that differ; all of them when nothing was on shelves before."""
    was = before.waiting if before else {}
    if was is after.waiting:
        return {}
    touched = {_shelf(id_) for id_ in was.keys() | after.waiting.keys() if was.get(id_) is not after.waiting.get(id_)}
    filled: dict[str, dict[str, object]] = {_shelf_name(shelf): {} for shelf in touched}
    for number, (id_, post) in enumerate(after.waiting.items()):
        if _shelf(id_) in touched:
            filled[_shelf_name(_shelf(id_))][id_] = _post(post, number)
    return {name: posts or None for name, posts in filled.items()}


def _reports_in(store: NoteStore) -> dict[bytes, tuple[Report, ...]]:
    """What was reported, by root, those posts last about which somebody told something last."""
    kept = {bytes.fromhex(name.removeprefix(REPORTS)): tuple(map(_report_of, store.note(name)))
            for name in store.names() if name.startswith(REPORTS)}
    return dict(sorted(kept.items(), key=lambda item: item[1][-1].day))


def _reported(before: BoardState, after: BoardState) -> dict[str, object]:
    """The notes of what was reported that differ: each post has its own, so that one report does not write all again."""
    was, now = before.reports, after.reports
    touched = [] if was is now else [root for root in was.keys() | now.keys() if was.get(root) is not now.get(root)]
    return {REPORTS + root.hex(): [_report(one) for one in now.get(root, ())] or None for root in touched}


def _report(report: Report) -> list[object]:
    return [report.item_id, report.reason, report.words, report.day]


def _report_of(kept: list[Any]) -> Report:
    item_id, reason, words, day = kept
    return Report(item_id, as_reason(ReportReason, reason, ReportReason.OTHER), words, day)


def _shelf(id_: str) -> int:
    return int(id_[:2], 16) % SHELVES


def _shelf_name(shelf: int) -> str:
    return f"waiting {shelf}"


def _post(post: PendingPost, number: int) -> dict[str, object]:
    kept = {"raw": b64encode(post.raw).decode(), "moderated": post.moderated, "publish_at": post.publish_at,
            "came": post.came, "number": number}
    return kept | ({"cleared": _clearing(post.cleared)} if post.cleared else {})


def _post_of(kept: dict[str, Any]) -> PendingPost:
    cleared = Clearing(*kept["cleared"]) if kept.get("cleared") else None
    return PendingPost(b64decode(kept["raw"]), kept["moderated"], kept["publish_at"], kept.get("came", 0), cleared)


def _clearing(clearing: Clearing) -> list[object]:
    return [clearing.id, clearing.until, clearing.keeper]


def _source(source: ImportSource) -> dict[str, object]:
    known = {key: [one.root.hex(), *one.version, one.end] for key, one in source.known.items()}
    return {"name": source.origin.name, "link": source.origin.link, "tag": source.tag, "known": known,
            "taken": source.taken}


def _source_of(kept: dict[str, Any]) -> ImportSource:
    known = {key: Known(bytes.fromhex(root), (sequence, changed), end)
             for key, (root, sequence, changed, end) in kept["known"].items()}
    return ImportSource(Origin(kept["name"], kept["link"]), kept["tag"], known, kept.get("taken", 0))


def _gathered(source: GatheredSource) -> dict[str, object]:
    return {**vars(source), "terms": vars(source.terms)}


def _gathered_of(kept: dict[str, Any]) -> GatheredSource:
    told = kept["terms"]
    terms = GatherTerms(tuple(told["topics"]), tuple(told["words"]), tuple(told["places"]), told["km"], told["days"],
                        told["records"], told["air_s"])
    return GatheredSource(kept["address"], kept["name"], terms, kept["keeper"], kept["since"], kept["paused"],
                          kept["asked"], kept["day"], kept["records"], kept["air_s"], kept["alerts"])


def _picture(picture: Picture) -> list[object]:
    return [picture.media_type, b64encode(picture.content).decode(), picture.top_left, picture.bottom_right]


def _picture_of(kept: list[Any] | None) -> Picture | None:
    if not kept:
        return None
    media_type, content, (north, west), (south, east) = kept
    return Picture(media_type, b64decode(content), (north, west), (south, east))


def _streets(streets: StreetMap) -> dict[str, object]:
    return {"around": streets.centre, "reach": streets.reach_m, "paths": dict(streets.paths),
            "names": [list(astuple(name)) for name in streets.names]}


def _streets_of(kept: dict[str, Any] | None) -> StreetMap | None:
    if not kept:
        return None
    north, east = kept["around"]
    names = (StreetName(x, y, turn, below, level, sort, text) for x, y, turn, below, level, sort, text in kept["names"])
    return StreetMap((north, east), kept["reach"], kept["paths"], tuple(names))


def _handover_of(kept: dict[str, Any] | None) -> Handover | None:
    return Handover(kept["newcomer"], kept["leaver"], kept["keeper"], kept["begun"], kept["done"]) if kept else None


def _trial(trial: SettingsTrial) -> dict[str, object]:
    return {"group": trial.group.value, "before": dict(trial.before), "starts": trial.starts, "keeper": trial.keeper}


def _trial_of(kept: dict[str, Any] | None) -> SettingsTrial | None:
    return SettingsTrial(SettingsGroup(kept["group"]), kept["before"], kept["starts"], kept["keeper"]) if kept else None


NOTES: Mapping[str, tuple[str, Callable[[Any], object]]] = {  # by field of the state: its note, and how it is JSON
    "hidden": ("hidden", lambda roots: sorted(root.hex() for root in roots)),
    "audit_log": ("acts", lambda log: [[entry.at, entry.keeper, entry.action, entry.about, entry.why]
                                     for entry in log]),
    "cleared": ("cleared", lambda cleared: {root.hex(): _clearing(one) for root, one in cleared.items()}),
    "sources": ("agendas", lambda sources: {name: _source(source) for name, source in sources.by_name.items()}),
    "groups": ("groups", dict),
    "keepers": ("keepers", dict),
    "card_keepers": ("card keepers", dict),
    "posting": ("posting", str),
    "outline": ("outline", str),
    "revocations": ("revocations", lambda waiting: {id_: [b64encode(one.raw).decode(), one.name, one.sent_at]
                                                    for id_, one in waiting.items()}),
    "promised": ("promised", sorted),
    "contact": ("contact", str),
    "handover": ("handover", lambda handover: handover and {**vars(handover), "done": dict(handover.done)}),
    "settings": ("settings", dict),
    "trial": ("trial", lambda trial: trial and _trial(trial)),
    "welcome": ("welcome", str),
    "topics": ("topics", list),
    "rests": ("rests", plan_as_json),
    "backup": ("backup", lambda last: last and [last.at, last.size_bytes, last.way]),
    "radio_for_keepers": ("radio for keepers", bool),
    "gathered": ("gather", lambda sources: [_gathered(source) for source in sources.values()]),
    "picture": ("picture", lambda picture: picture and _picture(picture)),
    "streets": ("streets", lambda streets: streets and _streets(streets)),
}
