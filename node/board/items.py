"""Records as people see them: texts decoded when first shown, authors named, versions, cancellations, replies together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from node.board.api import Author, Item
from node.board.drafts import FIELD_MARK, fields_of, is_link, is_readable
from node.board.host import RowStore
from node.model.errors import RemoteFault
from node.model.record import (
    ID_BYTES,
    TARGET_BYTES,
    URGENT,
    Event,
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
from node.textpack import unpack

SHOWN = (Kind.BULLETIN, Kind.EVENT)
TEXTS_KEPT, ITEMS_KEPT = 2048, 512  # a text may take a second to decode on the smallest Pi
MAX_REPLIES = 50
MIN_PREFIX = 8


class Reader:
    """Items out of the live set and the archive. Safe from any thread.

    `texts(codec, packed)` decodes each text once, also those that cannot be read.
    `hidden()` gives the roots (first 8 bytes of a first version's id) that keepers hide here.
    """

    def __init__(self, liveset: LiveSet, archive: RowStore, own_key_id: bytes, hidden: Callable[[], Iterable[bytes]]):
        self._liveset, self._archive, self._own, self.hidden = liveset, archive, own_key_id, hidden
        self.texts = lru_cache(TEXTS_KEPT)(_text)
        self._live_item = lru_cache(ITEMS_KEPT)(self._make_live_item)
        self._author = lru_cache(ITEMS_KEPT)(self._make_author)

    def live(self, id_: bytes) -> Item | None:
        """The item of a live bulletin, event or reply; None if it is not live, cannot be read, or is hidden."""
        item = self._live_item(id_, self._liveset.revision)
        return None if item is None or root_of(item) in self.hidden() else item

    def hidden_item(self, root: bytes) -> Item | None:
        """What is hidden under a root, for keepers."""
        version = self._liveset.version(root)
        return self._live_item(version, self._liveset.revision) if version else None

    def find(self, typed: str) -> Item | None:
        """The item whose id is, or begins with, what was typed (8 digits at least): its newest version, with replies."""
        id_ = self._whole_id(typed)
        if id_ is None:
            return None
        version = self._liveset.version(id_[:TARGET_BYTES])
        item = (version and self.live(version)) or self.live(id_) or self.past(id_)
        return replace(item, replies=tuple(self.replies(item))) if item else None

    def earlier(self, item: Item, raw: bytes) -> Item | None:
        """An earlier version of an item, encoded as `raw`; None if it is not its author's, or cannot be read."""
        record, root = self._liveset.read(raw), root_of(item)
        if record is None or record.author.hex() != item.author.key_id or record.kind is not item.kind:
            return None
        first = record.target if record.corrects else record_id(raw)[:TARGET_BYTES]
        return self._item(record_id(raw), record) if first == root else None

    def replies(self, item: Item) -> list[Item]:
        """Replies to an item, oldest first, those of one minute as they came here, the newest 50 at most."""
        about = map(self.live, self._liveset.about(root_of(item)))
        replies = sorted((one for one in about if one and one.kind is Kind.REPLY), key=lambda one: one.created)
        return replies[-MAX_REPLIES:]

    def past(self, id_: bytes) -> Item | None:
        """An archived item whose signature can still be checked."""
        row = self._archive.get(id_)
        return self.past_row(row) if row else None

    def past_row(self, row: Row) -> Item | None:
        """The item of an archived row, or None if it is not to be shown."""
        record = self._liveset.read(row.raw)
        if record is None or record_id(row.raw) != row.id or record.kind not in SHOWN:
            return None
        item = self._item(row.id, record)
        return None if item is None or root_of(item) in self.hidden() else item

    def unpublished(self, raw: bytes) -> Item | None:
        """The item that an encoded record of our own, not in the set yet, will be."""
        return self._item(record_id(raw), decode(raw))

    def words_of(self, raw: bytes) -> str | None:
        """All the words of an encoded record that we held, None if they cannot be read."""
        return self._words(decode(raw))

    def text_of(self, id_: bytes) -> str | None:
        """All the words of a live record, for search; None if there are none to find."""
        record = self._liveset.get(id_)
        if record is None or record.kind not in (*SHOWN, Kind.REPLY):
            return None
        return self._words(record)

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
        for id_ in (*self._liveset.ids(), *self._liveset.roots()):  # a root: its first version may be gone
            if id_.startswith(start[:TARGET_BYTES]) and id_.hex().startswith(typed[:2 * len(id_)]):
                yield id_.ljust(ID_BYTES, b"\0")

    def _make_live_item(self, id_: bytes, revision: int) -> Item | None:
        record = self._liveset.get(id_)
        if record is None or record.kind not in (*SHOWN, Kind.REPLY) or self._claims_too_much(id_, record):
            return None
        item = self._item(id_, record)
        return replace(item, cancelled=self._cancelled(item, record.author)) if item and item.start is not None else item

    def _claims_too_much(self, id_: bytes, record: Record) -> bool:
        """Whether it says that it corrects what another author wrote, or what outlives it."""
        return record.corrects and record.target is not None and self._liveset.version(record.target) != id_

    def _item(self, id_: bytes, record: Record) -> Item | None:
        words = self._words(record)
        if words is None or not shows_something(words.partition(FIELD_MARK)[0]):
            return None
        target = record.target.hex() if record.target else ""
        item = Item(
            id_.hex(), record.kind, words, record.created, record.expires, self.author(record.author), record.urgent,
            record.language, record.topic, corrected=record.corrects, first=target if record.corrects else "",
            target=target if record.kind is Kind.REPLY else None)
        return _as_event(item, record.detail, record.position) if isinstance(record.detail, Event) else item

    def _words(self, record: Record) -> str | None:
        words = self.texts(record.codec, record.packed)
        if words is None:
            return None
        lines = words.split(FIELD_MARK) if record.kind is Kind.EVENT else [words]
        return words if all(is_readable(line) for line in lines) else None

    def _cancelled(self, item: Item, author: bytes) -> str | None:
        """The reason of the newest cancellation by the event's own author, None if there is none."""
        about = map(self._liveset.get, self._liveset.about(root_of(item)))
        found = [one for one in about if one and one.kind is Kind.CANCELLATION and one.author == author]
        newest = max(found, key=lambda one: one.created, default=None)
        return None if newest is None else self._words(newest) or ""

    def _make_author(self, key_id: bytes, revision: int) -> Author:
        standing = self._liveset.trust.standings.get(key_id)
        named_by = standing.named_by if standing else None
        if standing is None or named_by is None:
            return Author(key_id.hex(), key_id.hex(), here=key_id == self._own)
        voucher = "" if named_by.author == key_id else self.author(named_by.author).name
        name = " ".join((self._words(decode(named_by.raw)) or "").split()) or key_id.hex()
        return Author(key_id.hex(), name, Right.GROUP in standing.rights, voucher, key_id == self._own)


def _text(codec: int, packed: bytes) -> str | None:
    """A text, or None if its author's island is of a later version, or broken: then it is relayed, not shown."""
    try:
        return unpack(codec, packed)
    except RemoteFault:
        return None


def root_of(item: Item) -> bytes:
    """The first 8 bytes of its first version's id."""
    return bytes.fromhex((item.first or item.id)[:2 * TARGET_BYTES])


def _as_event(item: Item, event: Event, angles: tuple[int, int] | None) -> Item:
    title, place, organiser, text, link = fields_of(item.text)
    position = (degrees(angles[0], 90), degrees(angles[1], 180)) if angles else None
    return replace(item, text=text, title=title, place=place, organiser=organiser, link=link if is_link(link) else "",
                   start=event.start, end=event.end, offset=event.offset, position=position)
