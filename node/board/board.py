"""The real board (`node.board.api.Board`): `node.board.items` reads, `node.board.publishing` posts, keepers act here."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import chain, islice
from typing import Protocol

from node.board.api import (
    AuditEntry,
    Corners,
    Cost,
    Draft,
    DraftRefused,
    Imports,
    Item,
    Page,
    Picture,
    Posted,
    Problem,
    Transfer,
    Waiting,
)
from node.board.image import picture_of
from node.board.import_sources import Origins
from node.board.items import Reader, root_of
from node.board.publishing import Publisher
from node.model.clock import MAX_MINUTE, minute_of, seconds_of
from node.model.keys import SigningKey
from node.model.record import DAY_MIN, EVENT_GRACE_MIN, Kind
from node.replica.liveset import LiveSet
from node.store.index import Row, Slice

MAX_PAGE = 200
READ_AHEAD = 100  # of bulletins, and of events
MAX_ACTS = 100
MAX_HIDDEN = 500
MAX_OUTLINE = 4_000
LONGEST_EVENT_MIN = 0xFFFF
POSTING_RULES = ("open", "moderated", "members")


class Notes(Protocol):
    """Rows and named values that last (`node.store.journalstore`)."""

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """A bounded part of the rows, in order."""

    def health(self) -> tuple[bool, str]:
        """Whether the last writes were kept, and the reason if not."""

    def note(self, name: str) -> object:
        """The value kept under a name, or None."""

    def set_note(self, name: str, value: object) -> None:
        """Keep it; raises StoreFailed."""


class PastRecords(Protocol):
    """Past rows and words (`node.store.archive`)."""

    def get(self, id_: bytes) -> Row | None:
        """The archived row with this id, or None."""

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """A bounded part of the archived rows."""

    def search(self, typed: str, after: str = "", limit: int = 20) -> tuple[list[bytes], str]:
        """Ids of what holds the words, and the mark of what follows."""


@dataclass(frozen=True)
class Host:
    """What the board needs of the world around it.

    `now()` seconds since 1970; `publish(raw)` returns a Verdict once durable or raises StoreFailed; `random(n)` n random
    bytes; `airtime_s(record_bytes)` and `packets(record_bytes)` what one transmission takes; `about()` status of the rest.
    """

    now: Callable[[], float]
    publish: Callable[[bytes], object]
    random: Callable[[int], bytes]
    packets: Callable[[int], int]
    airtime_s: Callable[[int], float]
    about: Callable[[], dict]
    gate: AbstractContextManager  # a lock, where several threads post
    rule: str = "open"  # who may post, until a keeper says otherwise
    set_clock: Callable[[float], bool] = lambda utc_s: False  # a keeper says what time it is; whether it is believed


class IslandBoard:
    """One island's board. Every method is safe from any thread but the runner's (`publish` waits for it)."""

    carrying: Transfer  # both are set once there is a bulk (`node.daemon.app`)
    importing: Imports

    def __init__(self, liveset: LiveSet, store: Notes, archive: PastRecords, key: SigningKey, shell: Host):
        self._liveset, self._store, self._archive, self._shell = liveset, store, archive, shell
        self._changes = 0
        self._hidden: frozenset[bytes] = frozenset(bytes.fromhex(root) for root in store.note("hidden") or ())
        self.reader = Reader(liveset, archive, key.key_id, lambda: self._hidden)
        self.desk = Publisher(liveset, store, key, shell, self.reader)
        self.origins = Origins(store, self.desk.keep_note)
        self._urgent = lru_cache(1)(self._find_urgent)
        self._fingerprint = lru_cache(1)(lambda revision: fingerprint(liveset.ids()))

    # reading

    def now(self) -> int:
        """See Board."""
        return minute_of(self._shell.now())

    def revision(self) -> int:
        """See Board."""
        return self._liveset.revision + self._changes + self.desk.changes

    def read_ahead(self) -> Iterator[Row]:
        """The rows of the first pages, each once its text is decoded, so that nobody waits for that after a start."""
        pages = Slice(kinds=(Kind.BULLETIN,), newest_first=True), Slice("start", (Kind.EVENT,), self.now() - DAY_MIN)
        for wanted in pages:
            for row in self._store.page(wanted, "", READ_AHEAD)[0]:
                self.reader.live(row.id)
                yield row

    def item(self, item_id: str) -> Item | None:
        """See Board."""
        item = self.reader.find(item_id)
        if item is None:
            return None
        row = self._store.get(bytes.fromhex(item.id)) if item.corrected else None
        before = self.reader.earlier(item, row.before) if row else None
        return replace(item, before=before, origin=self.origins.of(root_of(item)))

    def bulletins(self, topic: int | None = None, after: str = "", limit: int = 20) -> Page:
        """See Board."""
        wanted = Slice(kinds=(Kind.BULLETIN,), topic=topic, newest_first=True)
        return self._shown(lambda mark, count: self._store.page(wanted, mark, count), after, min(limit, MAX_PAGE))

    def events(self, since: int, until: int, topic: int | None = None, limit: int = 200) -> list[Item]:
        """See Board."""
        wanted = Slice("start", (Kind.EVENT,), max(since - LONGEST_EVENT_MIN, 0), min(until, MAX_MINUTE + 1), topic)
        found: dict[bytes, Item] = {}
        for item in chain(self._live_in(wanted, since), self._past_in(wanted, since)):
            if item.end > since or item.start == item.end >= since:
                found.setdefault(root_of(item), item)
            if len(found) >= limit:
                break
        return sorted(found.values(), key=lambda item: (item.start, item.id))

    def urgent(self, limit: int = 5) -> list[Item]:
        """See Board."""
        found = (self.reader.live(id_) for id_ in self._urgent(self._liveset.revision))
        return list(islice(filter(None, found), limit))

    def search(self, words: str, after: str = "", limit: int = 20) -> Page:
        """See Board."""
        ids, mark = self._archive.search(words, after, min(limit, MAX_PAGE))
        return Page([item for id_ in ids if (item := self.reader.live(id_) or self.reader.past(id_))], mark)

    def status(self) -> dict:
        """See Board."""
        ok, reason = self._store.health()
        return {
            "set": self._fingerprint(self._liveset.revision), "records": len(self._liveset),
            "store": {"ok": ok, "reason": reason}, "rules": {"posting": self.desk.rule()}, **self._shell.about(),
        }

    # posting

    def groups(self) -> list[str]:
        """See Board."""
        return self.desk.groups()

    def cost(self, draft: Draft) -> Cost:
        """See Board."""
        return self.desk.cost(draft)

    def post(self, draft: Draft, group: str = "", passphrase: str = "") -> Posted:
        """See Board."""
        return self.desk.post(draft, group, passphrase)

    def correct(self, item_id: str, word: str, draft: Draft) -> Posted:
        """See Board."""
        return self.desk.correct(item_id, word, draft)

    def withdraw(self, item_id: str, word: str, reason: str | None = None) -> Posted:
        """See Board."""
        return self.desk.withdraw(item_id, word, reason)

    # keepers

    def hide(self, item_id: str, hidden: bool = True, keeper: str = "") -> None:
        """See Board."""
        root = self._root(item_id)
        if root is None:
            return
        roots = self._hidden | {root} if hidden else self._hidden - {root}
        kept = [one.hex() for one in roots if self._liveset.about(one) or one == root][-MAX_HIDDEN:]
        self.desk.keep_note("hidden", kept)
        self._hidden = frozenset(bytes.fromhex(one) for one in kept)
        self.note_act(keeper, "hide" if hidden else "show", item_id)

    def hidden(self) -> list[Item]:
        """See Board."""
        found = (self.reader.hidden_item(root) for root in self._hidden)
        return sorted((item for item in found if item), key=lambda item: item.created, reverse=True)

    def waiting(self) -> list[Waiting]:
        """See Board."""
        return self.desk.waiting()

    def approve(self, item_id: str, keeper: str) -> None:
        """See Board."""
        if self.desk.approve(item_id):
            self.note_act(keeper, "approve", item_id)

    def refuse(self, item_id: str, keeper: str) -> None:
        """See Board."""
        if self.desk.drop(item_id):
            self.note_act(keeper, "refuse", item_id)

    def set_posting(self, rule: str, keeper: str) -> None:
        """See Board."""
        if rule not in POSTING_RULES:
            raise DraftRefused([Problem("posting", "not-offered")])
        self.desk.keep_note("posting", rule)
        self.note_act(keeper, "posting", rule)

    def set_clock(self, minute: int, keeper: str) -> bool:
        """See Board."""
        believed = self._shell.set_clock(seconds_of(minute))
        if believed:
            self.note_act(keeper, "clock")
        return believed

    def outline(self) -> str:
        """See Board."""
        return self._store.note("outline") or ""

    def set_outline(self, strokes: str, keeper: str) -> None:
        """See Board."""
        if len(strokes) > MAX_OUTLINE:
            raise DraftRefused([Problem("outline", "too-long", len(strokes) - MAX_OUTLINE)])
        self.desk.keep_note("outline", strokes or None)
        self.note_act(keeper, "outline")

    def picture(self) -> Picture | None:
        """See Board."""
        kept = self._store.note("picture")
        if not kept:
            return None
        media_type, content, *corners = kept
        return Picture(media_type, b64decode(content), *map(tuple, corners))

    def set_picture(self, raw: bytes | None, corners: Corners, keeper: str) -> None:
        """See Board."""
        made = None if raw is None else picture_of(raw, corners)
        self.desk.keep_note("picture", made and [
            made.media_type, b64encode(made.content).decode(), made.top_left, made.bottom_right])
        self.note_act(keeper, "picture")

    def acts(self, limit: int = 100) -> list[AuditEntry]:
        """See Board."""
        return [AuditEntry(*act) for act in reversed(self._store.note("acts") or ())][:limit]

    def note_act(self, keeper: str, deed: str, about: str = "") -> None:
        """Let other keepers see what one did."""
        acts = [*(self._store.note("acts") or ()), [self.now(), keeper, deed, about]]
        self.desk.keep_note("acts", acts[-MAX_ACTS:])
        self._changes += 1

    def _root(self, item_id: str) -> bytes | None:
        item = self.reader.find(item_id)
        if item is not None:
            return root_of(item)
        return next((root for root in self._hidden if item_id[:16] == root.hex()[:len(item_id)]), None)

    def _shown(self, rows_after: Callable[[str, int], tuple[list[Row], str]], after: str, limit: int) -> Page:
        """A page of what is live and not hidden; rows of what faded from the set are passed over."""
        items: list[Item] = []
        while len(items) < limit:
            rows, after = rows_after(after, limit - len(items))
            items += [item for row in rows if (item := self.reader.live(row.id))]
            if not after:
                break
        return Page(items, after)

    def _live_in(self, wanted: Slice, since: int) -> Iterator[Item]:
        rows_after = partial(self._store.page, wanted, limit=MAX_PAGE)
        yield from self._all(rows_after, lambda row: self.reader.live(row.id), since)

    def _past_in(self, wanted: Slice, since: int) -> Iterator[Item]:
        if wanted.since < self.now():
            yield from self._all(partial(self._archive.page, wanted, limit=MAX_PAGE), self.reader.past_row, since)

    @staticmethod
    def _all(page: Callable[[str], tuple[list[Row], str]], read: Callable[[Row], Item | None],
             since: int) -> Iterator[Item]:
        """Events out of rows, without reading those that ended before `since`: reading one takes a while."""
        rows, after = page("")
        while rows:
            lasting = (row for row in rows if row.expires >= since + EVENT_GRACE_MIN)
            yield from (item for row in lasting if (item := read(row)))
            if not after:
                return
            rows, after = page(after)

    def _find_urgent(self, revision: int) -> list[bytes]:
        wanted = Slice(kinds=(Kind.BULLETIN, Kind.EVENT), newest_first=True)
        found: list[bytes] = []
        rows, after = self._store.page(wanted, "", MAX_PAGE)
        while rows:
            found += [row.id for row in rows if self.reader.is_urgent(row)]
            if not after:
                break
            rows, after = self._store.page(wanted, after, MAX_PAGE)
        return found


def fingerprint(ids: Iterable[bytes]) -> str:
    """16 hex digits: the same on islands that hold the same records."""
    return blake2b(b"".join(sorted(ids)), digest_size=8).hexdigest()
