"""Records as people see them: texts decoded when first shown, authors named, versions, cancellations, replies together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from node.board.alerts import alert_of
from node.board.api import Announced, Author, Confirmed, Hearsay, Item, Origin, TextPatience
from node.board.drafts import FIELD_MARK, fields_of, is_link, is_readable, site_of, source_of
from node.board.host import PastRecords, Turn
from node.board.spans import next_date
from node.board.texts import Texts
from node.model.confirmation import Confirmation, confirming_root
from node.model.event import Event, Occasion, occasions
from node.model.record import (
    ID_BYTES,
    TARGET_BYTES,
    URGENT,
    Kind,
    Record,
    Right,
    decode,
    degrees,
    record_id,
)
from node.model.visible_text import shows_something
from node.replica.liveset import LiveSet
from node.store.index import Row

SHOWN = (Kind.BULLETIN, Kind.EVENT)
ITEMS_KEPT = 512
MIN_PREFIX = 8


class Reader:
    """Items out of the live set and the archive. Safe from any thread.

    `texts` decodes each text once, also those that cannot be read. `now()` is the minute that says which date of a repeated
    event comes next.
    `hidden()` gives the roots (first 8 bytes of a first version's id) that keepers hide here. `ended(id)`: the row of what
    is past and waits for the archive.
    """

    def __init__(self, liveset: LiveSet, archive: PastRecords, own_key_id: bytes, hidden: Callable[[], Iterable[bytes]],
                 turn: Turn):
        self._liveset, self._archive, self._own, self.hidden = liveset, archive, own_key_id, hidden
        self.now: Callable[[], int] = int  # set by who has a clock
        self.needed: Callable[[], int] = lambda: 1  # likewise by who knows how many islands must confirm what is urgent
        self.ended: Callable[[bytes], Row | None] = lambda id_: None  # set by who has the rows of what was live
        self.texts = Texts(archive, turn)
        self._live_item = lru_cache(ITEMS_KEPT)(self._make_live_item)
        self._author = lru_cache(ITEMS_KEPT)(self._make_author)

    def live(self, id_: bytes, patience: TextPatience | None = None) -> Item | None:
        """The item of a live bulletin, event or reply; None if it is not live, cannot be read, or is hidden.

        None too, and counted there, when `patience` ends before its text is decoded.
        """
        if patience and id_ in self._liveset and not self.texts.has(id_):
            record = self._liveset.get(id_)
            if record and not self.texts.ready(id_, record, patience):
                return None
        item = self._upcoming(id_)
        unseen = item is None or root_of(item) in self.hidden() or self._is_silent(id_, item.event)
        return None if unseen else item

    def about_root(self, root: bytes) -> tuple[bytes, ...]:
        """Ids of what is live under a root, replies, endings and confirmations included, hidden or not."""
        about = self._liveset.about(root)
        return about + tuple(id_ for one in about for id_ in self._liveset.about(confirming_root(one[:TARGET_BYTES])))

    def speaker(self, key: bytes) -> bytes | None:
        """The id of the live record that speaks of a foreign event here: the first one that is not hidden, nor tells the
        very version of one that is. None if there is none."""
        found, hidden = self._liveset.witnesses(key), self.hidden()
        silenced = {one.told.version for one in found if one.root in hidden}
        return next((one.id for one in found if one.told.version not in silenced), None)

    def spoken_for(self, id_: bytes) -> bytes:
        """The id of what is shown in the place of a live record: that of another island, if it is of a foreign event."""
        record = self._liveset.get(id_)
        foreign = record.detail.foreign if record and isinstance(record.detail, Event) else None
        return (foreign and self.speaker(foreign.key)) or id_

    def witness(self, key: bytes, author: bytes) -> Item | None:
        """What an author says of a foreign event, whether or not it is shown."""
        return next((self._live_item(one.id, self._liveset.revision) for one in self._liveset.witnesses(key)
                     if one.author == author), None)

    def hearsay(self, item: Item) -> Hearsay | None:
        """Which islands tell this version of a foreign event, and how many an earlier one."""
        foreign = item.event.foreign if item.event else None
        if foreign is None:
            return None
        found = self._liveset.witnesses(foreign.key)
        alike = tuple(self.author(one.author).name for one in found if one.told.version == foreign.version)
        earlier = sum(one.told.version < foreign.version for one in found)
        return Hearsay(alike, earlier, max((one.created for one in found), default=0))

    def _is_silent(self, id_: bytes, event: Event | None) -> bool:
        """Whether another record of the same foreign event speaks."""
        return event is not None and event.foreign is not None and self.speaker(event.foreign.key) != id_

    def hidden_item(self, root: bytes) -> Item | None:
        """What is live under a root, hidden or not, for keepers."""
        id_ = self._liveset.standing([root]).get(root)
        return self.hidden_or_live(id_) if id_ else None

    def hidden_or_live(self, id_: bytes) -> Item | None:
        """As `live`, hidden or not, for keepers."""
        return self._upcoming(id_)

    def _upcoming(self, id_: bytes) -> Item | None:
        """A live item, a repeated event with its next date."""
        item = self._live_item(id_, self._liveset.revision)
        if item and item.confirmed:
            needed = self.needed()
            item = replace(item, confirmed=replace(item.confirmed, needed=needed) if needed else None)
        if item is None or item.event is None or item.event.repetition is None:
            return item
        return _on(item, next_date(item.event, self.now()))

    def find(self, typed: str, patience: TextPatience | None = None) -> Item | None:
        """The item whose id is, or begins with, what was typed (8 digits at least): its newest version, with replies."""
        id_ = self._whole_id(typed)
        if id_ is None:
            return None
        version = self._liveset.version(id_[:TARGET_BYTES])
        shown = self.spoken_for(version or id_)
        item = self.live(shown) or self.live(id_) or self.past(id_)
        return replace(item, replies=tuple(self.replies(item, patience))) if item else None

    def latest(self, row: Row, patience: TextPatience | None = None) -> Item | None:
        """As `live`, for a list of what was changed last: a bulletin or an event stands there as its own row, or as that of
        the cancellation that counts, never as both."""
        if row.kind != Kind.CANCELLATION:
            item = self.live(row.id, patience)
            return item if item and item.changed == item.created else None
        about = self._liveset.get(row.id)
        id_ = self._liveset.version(about.target) if about and about.target else None
        item = self.live(id_, patience) if id_ else None
        return item if item and item.changed == row.created > item.created else None

    def earlier(self, item: Item, raw: bytes) -> Item | None:
        """An earlier version of an item, encoded as `raw`; None if it is not its author's, or cannot be read."""
        record, root = self._liveset.read(raw), root_of(item)
        if record is None or record.author.hex() != item.author.key_id or record.kind is not item.kind:
            return None
        first = record.target if record.corrects else record_id(raw)[:TARGET_BYTES]
        return self._worded(record_id(raw), record, self._words_of_draft(record)) if first == root else None

    def replies(self, item: Item, patience: TextPatience | None = None) -> list[Item]:
        """Replies to an item, oldest first, those of one minute as they came here."""
        ids = self.about(item)
        self.texts.gather(ids)
        about = (self.live(id_, patience) for id_ in ids)
        return sorted((one for one in about if one and one.kind is Kind.REPLY), key=lambda one: one.created)

    def about(self, item: Item) -> list[bytes]:
        """Ids of what is live and belongs to an item, to any island's record of it if it is a foreign event."""
        foreign = item.event.foreign if item.event else None
        witnesses = self._liveset.witnesses(foreign.key) if foreign else ()
        roots = dict.fromkeys([root_of(item), *(one.root for one in witnesses)])
        return [id_ for root in roots for id_ in self._liveset.about(root)]

    def past(self, id_: bytes, patience: TextPatience | None = None) -> Item | None:
        """An item that has ended, archived or not yet, whose signature can still be checked."""
        row = self._archive.get(id_) or self.ended(id_)
        return self.past_raw(row.id, row.raw, patience) if row else None

    def past_raw(self, id_: bytes, raw: bytes, patience: TextPatience | None = None) -> Item | None:
        """The item of an archived record, or None if it is not to be shown, or if `patience` ends before."""
        record = self._liveset.read(raw)
        if record is None or record_id(raw) != id_ or record.kind not in SHOWN:
            return None
        if patience and not self.texts.ready(id_, record, patience):
            return None
        item = self._item(id_, record)
        return None if item is None or root_of(item) in self.hidden() else item

    def announced(self, row: Row, past: bool) -> list[Announced]:
        """What the row of an event says of each of its dates before its text is decoded; nothing if it is not to be shown.

        What has ended is past before the archive has it: its row waits until its end is certain. A past one's signature is
        not checked, as it costs more than all the rest: that is for when it is shown.
        """
        past = past or self.ended(row.id) is not None
        record = self._liveset.claimed(row.raw) if past or row.id in self._liveset else None
        if record is None or not isinstance(record.detail, Event):
            return []
        if not past and (self._claims_too_much(row.id, record) or self._is_silent(row.id, record.detail)):
            return []
        root = record.target if record.corrects and record.target else row.id[:TARGET_BYTES]
        if root in self.hidden():
            return []
        event, position = record.detail, _position(record.position)
        return [Announced(row.id, row.raw, root, one.start, one.end, one.offset, position, past, one.end_offset,
                          event.whole_days, one, event.foreign, record.marks) for one in occasions(event)]

    def shown(self, announced: Announced, patience: TextPatience | None = None) -> Item | None:
        """The item of an event that was announced, with that date, or None as in `live`."""
        item = self.past_raw(announced.id, announced.raw, patience) if announced.past else self.live(announced.id, patience)
        return _on(item, announced.date) if item else None

    def unpublished(self, raw: bytes) -> Item | None:
        """The item that an encoded record of our own, not in the set yet, will be."""
        record = decode(raw)
        return self._worded(record_id(raw), record, self._words_of_draft(record))

    def words_of(self, raw: bytes) -> str | None:
        """All the words of an encoded record that we held, None if they cannot be read."""
        return self._words(record_id(raw), decode(raw))

    def text_of(self, id_: bytes) -> str | None:
        """All the words of a live record, for search; None if there are none to find."""
        record = self._liveset.get(id_) if self.is_searched(id_) else None
        return None if record is None else self._words(id_, record)

    def is_searched(self, id_: bytes) -> bool:
        """Whether it is live and of a kind whose words people search."""
        raw = self._liveset.encoding(id_)
        return raw is not None and raw[0] & 15 in (*SHOWN, Kind.REPLY)

    def is_reply(self, id_: bytes) -> bool:
        """Whether it is live, and a reply."""
        raw = self._liveset.encoding(id_)
        return raw is not None and raw[0] & 15 == Kind.REPLY

    def author(self, key_id: bytes) -> Author:
        """Who a key id stands for, as the vouches say now."""
        return self._author(key_id, self._liveset.revision)

    def is_urgent(self, row: Row) -> bool:
        """Whether a row is marked urgent."""
        return bool(row.raw[1] & URGENT)

    def _whole_id(self, typed: str) -> bytes | None:
        try:
            if len(typed) == 2 * ID_BYTES:
                return bytes.fromhex(typed)
            if MIN_PREFIX <= len(typed) < 2 * ID_BYTES:
                start = bytes.fromhex(typed[:len(typed) & ~1])
                return next(self._beginning_with(typed.lower(), start), None)
        except ValueError:
            pass
        return None

    def _beginning_with(self, typed: str, start: bytes) -> Iterator[bytes]:
        live = (*self._liveset.ids(), *self._liveset.roots())  # a root: its first version may be gone
        for id_ in (*live, *self._liveset.fading(), *self._archive.beginning_with(start)):
            if id_.startswith(start[:TARGET_BYTES]) and id_.hex().startswith(typed[:2 * len(id_)]):
                yield id_.ljust(ID_BYTES, b"\0")

    def _make_live_item(self, id_: bytes, revision: int) -> Item | None:
        record = self._liveset.get(id_)
        if record is None or record.kind not in (*SHOWN, Kind.REPLY) or self._claims_too_much(id_, record):
            return None
        item = self._item(id_, record)
        cancellation = self._cancellation(item, record.author) if item and item.kind in SHOWN else None
        if item is None or cancellation is None:
            return replace(item, confirmed=self._confirmed(id_, record)) if item and _is_asked(item) else item
        if item.kind is Kind.EVENT:
            changed = max(item.created, cancellation[1].created)
            return replace(item, cancelled=self._words(*cancellation) or "", changed=changed)
        met = cancellation[1].created
        if met >= item.created:
            return replace(item, met=met, changed=met)
        return replace(item, confirmed=self._confirmed(id_, record)) if _is_asked(item) else item

    def _confirmed(self, id_: bytes, record: Record) -> Confirmed:
        """Which islands confirm this version: each key once, never its author's, and no key of a group, which may be on any
        island."""
        said = self._said_of(id_[:TARGET_BYTES])
        holding = [one for one in said if isinstance(one.detail, Confirmation) and one.detail.holds]
        authors = dict.fromkeys(one.author for one in holding if one.author != record.author)
        by = tuple(author for author in map(self.author, authors) if not author.group)
        return Confirmed(by, latest=max((one.created for one in said), default=0))

    def said_of(self, version: bytes, author: bytes) -> Record | None:
        """What an island says of the version whose id begins with `version` (8 B): that it holds, or that no longer."""
        return next((one for one in self._said_of(version) if one.author == author), None)

    def _said_of(self, version: bytes) -> list[Record]:
        found = filter(None, map(self._liveset.get, self._liveset.about(confirming_root(version))))
        said = [one for one in found if one.kind is Kind.CONFIRMATION]
        return sorted(said, key=lambda one: (one.created, one.author))

    def _claims_too_much(self, id_: bytes, record: Record) -> bool:
        """Whether it says that it corrects what another author wrote, or what outlives it."""
        return record.corrects and record.target is not None and self._liveset.version(record.target) != id_

    def _item(self, id_: bytes, record: Record) -> Item | None:
        return self._worded(id_, record, self._words(id_, record))

    def _worded(self, id_: bytes, record: Record, words: str | None) -> Item | None:
        if words is None or not shows_something(words.partition(FIELD_MARK)[0]):
            return None
        target = record.target.hex() if record.target else ""
        text, *parts = words.split(FIELD_MARK) if record.kind is Kind.BULLETIN else [words]
        alert = alert_of(parts)
        if parts and alert is None:
            return None
        item = Item(
            id_.hex(), record.kind, text, record.created, record.expires, self.author(record.author), record.urgent,
            record.language, record.topic, corrected=record.corrects, by_radio=record.by_radio, marks=record.marks,
            changed=record.created, alert=alert,
            first=target if record.corrects else "",
            target=target if record.kind is Kind.REPLY else None)
        return _as_event(item, record.detail, _position(record.position)) if isinstance(record.detail, Event) else item

    def _words(self, id_: bytes, record: Record) -> str | None:
        """The words of a live or past record, if they can be read."""
        return _readable(self.texts.of(id_, record), record.kind)

    def _words_of_draft(self, record: Record) -> str | None:
        """The words of what waits, or what was replaced: they are kept nowhere."""
        return _readable(self.texts.of_draft(record.codec, record.packed), record.kind)

    def _cancellation(self, item: Item, author: bytes) -> tuple[bytes, Record] | None:
        """The newest cancellation by the item's own author, and its id; None if there is none."""
        about = ((id_, self._liveset.get(id_)) for id_ in self._liveset.about(root_of(item)))
        found = [(one.created, id_, one) for id_, one in about
                 if one and one.kind is Kind.CANCELLATION and one.author == author]
        newest = max(found, key=lambda one: one[:2], default=None)
        return newest[1:] if newest else None

    def _make_author(self, key_id: bytes, revision: int) -> Author:
        standing = self._liveset.trust.standings.get(key_id)
        named_by = standing.named_by if standing else None
        if standing is None or named_by is None:
            return Author(key_id.hex(), key_id.hex(), here=key_id == self._own)
        voucher = "" if named_by.author == key_id else self.author(named_by.author).name
        name = " ".join((self._words(named_by.id, decode(named_by.raw)) or "").split()) or key_id.hex()
        return Author(key_id.hex(), name, Right.GROUP in standing.rights, voucher, key_id == self._own)


def _readable(words: str | None, kind: Kind) -> str | None:
    """The words if they can be shown, else None."""
    lines = (words or "").split(FIELD_MARK) if kind in SHOWN else [words or ""]
    return words if all(is_readable(line) for line in lines) else None


def _position(angles: tuple[int, int] | None) -> tuple[float, float] | None:
    return (degrees(angles[0], 90), degrees(angles[1], 180)) if angles else None


def _is_asked(item: Item) -> bool:
    """Whether other islands' keepers are asked to confirm it: an official alert has its issuer for that."""
    return item.urgent and item.alert is None and item.kind in SHOWN and item.cancelled is None


def root_of(item: Item) -> bytes:
    """The first 8 bytes of its first version's id."""
    return bytes.fromhex((item.first or item.id)[:2 * TARGET_BYTES])


def _as_event(item: Item, event: Event, position: tuple[float, float] | None) -> Item:
    title, place, organiser, text, link = fields_of(item.text)
    if event.foreign:
        source, why = source_of(item.text)
        origin = Origin(source, site_of(link))
        item = replace(item, origin=origin if source or origin.link else None, tentative=event.foreign.tentative,
                       cancelled=why if event.foreign.off else None)
    return replace(item, text=text, title=title, place=place, organiser=organiser, link=link if is_link(link) else "",
                   start=event.start, end=event.end, offset=event.offset, end_offset=event.offset_at(event.end),
                   whole_days=event.whole_days, event=event, position=position)


def _on(item: Item, date: Occasion) -> Item:
    """An event with one of its dates."""
    if item.event is None or item.event.repetition is None:
        return item
    off = date.off and item.cancelled is None
    return replace(item, start=date.start, end=date.end, offset=date.offset, end_offset=date.end_offset, moved=date.moved,
                   off=off, cancelled="" if off else item.cancelled)
