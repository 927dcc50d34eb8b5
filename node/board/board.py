"""The board: the one door for the portal, text commands and the command line. Values in, values out; no HTTP here.

It is in parts, one on top of the other: `node.board.composing` makes records of drafts, `node.board.rationing` knows how
much more there is room for, `node.board.publishing` posts them, `node.board.clearing` and `node.board.moderation` are for
keepers, `node.board.reporting` is what people tell them, and here it is read. Its state has one owner, `node.board.notes`;
`node.board.items` makes what people see of records.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import islice

from node.board.api import (
    Announced,
    Author,
    BoardClosed,
    ClockOutcome,
    Hearsay,
    Imports,
    Item,
    Page,
    Report,
    Spread,
    TextPatience,
    Transfer,
)
from node.board.cards import CardMaker
from node.board.care import Care
from node.board.clocks import ClockPreview
from node.board.founding import Founding
from node.board.gathering import Gathering
from node.board.host import BoardStore, Host, PastRecords
from node.board.island_settings import TURNOUT, IslandSettings
from node.board.items import Reader, root_of
from node.board.keeper_sheet import SheetFacts
from node.board.key_tree import KeyTree, OwnPapers
from node.board.keyring import Keyring
from node.board.notes import BoardNotes, BoardState
from node.board.reporting import REPORT_DAYS, Reporting
from node.board.status import BackupStatus, RulesStatus, SetStatus, ShareStatus, Status, StoreStatus, TrialStatus
from node.board.turnouts import Turnouts
from node.model.clock import MAX_MINUTE, minute_of
from node.model.errors import RemoteFault
from node.model.event import DAY_MIN, MAX_MOVED_MIN, MAX_SPAN_DAYS, occasions
from node.model.keys import SigningKey
from node.model.marks import NO_MARKS, Marks
from node.model.record import EVENT_GRACE_MIN, TARGET_BYTES, Kind, Right, decode, marks_of
from node.model.search_text import fold
from node.replica.entry import Entry
from node.replica.liveset import LiveSet
from node.store.index import Row, Slice

MAX_PAGE = 200
READ_AHEAD = 100  # of bulletins, and of events
FETCHED = 64  # texts at a time
SEARCHED_PAGES = 5  # of 200 posts that hold the words of a place: 1,000 events there are more than a year of three a day
SPARE_HIDES = 500  # hides of what may be gone that are not worth a walk through the archive
BACKUP_DAYS = 30  # after that one is missed
MET_SHOWN_MIN = 2 * DAY_MIN
"""Minutes. So long lists show a bulletin that is met. Set by: who saw it yesterday and comes back learns that it is; after
that it only takes the place of what is still wanted."""
REPEATED_FOR_MIN = (MAX_SPAN_DAYS + 1) * DAY_MIN + 0xFFFF + MAX_MOVED_MIN  # from a first date to the end of the last one


class Board(Reporting):
    """One island's board. Every method is safe from any thread but the runner's (publishing waits for it).

    `notes` (its state), `reader` (records as items) and `keys` (who may do what) are public, for those in `node` who need
    no more than one of them.
    """

    transfer: Transfer  # all are set by who puts the island together (`node.daemon.app`)
    imports: Imports
    keyring: Keyring
    settings: IslandSettings
    care: Care
    cards: CardMaker
    founding: Founding
    gathering: Gathering
    sheet: Callable[[], SheetFacts]

    def __init__(self, liveset: LiveSet, store: BoardStore, archive: PastRecords, key: SigningKey, host: Host):
        notes = BoardNotes(store, host.gate)
        reader = Reader(liveset, archive, key.key_id, lambda: notes.state.unseen, host.decoding)
        reader.ended = lambda id_: store.get(id_) if host.keeps_past() and liveset.has_faded(id_) else None
        reader.now, reader.needed = lambda: minute_of(host.now()), host.confirmations
        super().__init__(liveset, notes, key, host, reader)
        self._store, self._archive = store, archive
        papers = OwnPapers.of(key, host.papers)
        self.keys = KeyTree(liveset, (store, archive), reader, papers, lambda: notes.state.promised)
        self._turnouts = Turnouts(liveset, key.key_id, host.pace_gate, host.random)
        self._born = min((vouch.created for vouch in papers.vouches), default=None)
        self._urgent = lru_cache(1)(self._find_urgent)
        self._checksum = lru_cache(1)(lambda revision: checksum(liveset.ids()))
        self._share = lru_cache(1)(self._own_share)
        self._spare_hides = SPARE_HIDES
        self._past_codes: set[bytes] = set()  # roots with an edit code that are known to be in the archive

    def here(self) -> Author:
        """This island, as one that signs."""
        return self.reader.author(self._key.key_id)

    def revision(self) -> int:
        """A number that changes whenever anything shown may have changed; cheap (pages are kept until it does)."""
        return self._liveset.revision + self.notes.revision + self._turnouts.revision

    def own_revision(self) -> tuple[bytes, int, int]:
        """What changes whenever somebody does something here that is shown; what comes from elsewhere changes it not."""
        return self._last_act, self.notes.revision, self._turnouts.revision

    def on_first_pages(self) -> list[bytes]:
        """Ids of what the first pages show."""
        pages = Slice(kinds=(Kind.BULLETIN,), newest_first=True), Slice("start", (Kind.EVENT,), self.now() - DAY_MIN)
        return [row.id for wanted in pages for row in self._store.page(wanted, "", READ_AHEAD)[0]]

    def item(self, item_id: str, patience: TextPatience | None = None) -> Item | None:
        """One item with its replies and what it said before, by id (a prefix of at least 8 digits will do), archived ones
        too; None if gone."""
        item = self.reader.find(item_id, patience)
        if item is None:
            return None
        row = self._store.get(bytes.fromhex(item.id)) if item.corrected else None
        before = self.reader.earlier(item, row.before) if row else None
        origin = self.notes.state.sources.origin_of(root_of(item)) or item.origin
        return replace(item, before=before, origin=origin)

    def hearsay(self, item: Item) -> Hearsay | None:
        """Of a foreign event, which islands say so; None of what people wrote. Cheap."""
        return self.reader.hearsay(item)

    def spread(self, item: Item) -> tuple[Spread, Spread]:
        """How far a live item has come, by radio and on this network, from what islands exchange anyway; nobody is asked.

        Who takes it from a broker, a stick or paper is not known, nor ever who reads it.
        """
        id_ = bytes.fromhex(item.id)
        row, holdings = self._store.get(id_), self._host.holdings()
        if row is None:
            return Spread(0, 0), Spread(0, 0)
        radio, network = (Spread(sum(one.has(id_, row.received) for one in heard), len(heard))
                          for heard in (holdings.radio, holdings.network))
        return radio, network

    def turnout(self, item: Item) -> int | None:
        """How many say that they will be at an event, on the date that the item has: a least number, 0 below six. None
        where it is not asked: the keepers do not want it, or the date is over or called off."""
        number = self._date_asked(item)
        return None if number is None else self._turnouts.least(root_of(item), number)

    def come(self, item: Item, bucket: Callable[[bytes], int]) -> bool:
        """Somebody says that they will be there; whether that is asked. `bucket` as in `Turnouts.come`."""
        number = self._date_asked(item)
        if number is not None and item.end is not None:
            self._turnouts.come(root_of(item), number, item.end, bucket)
        return number is not None

    def tell_turnouts(self) -> None:
        """Now and then: tell other islands what more was counted here, in steps."""
        if not self._counts_turnouts():
            self._turnouts.forget()
            return
        for record in self._turnouts.due(self.now(), self._ran_min()):
            with suppress(BoardClosed):  # the next hour
                self._publish(self.sign_own(record))

    def _counts_turnouts(self) -> bool:
        return self.settings.view().settings[TURNOUT].value == "True"

    def _date_asked(self, item: Item) -> int | None:
        """The number of the date of which it is asked who will be there."""
        if item.event is None or item.cancelled is not None or (item.end or 0) <= self.now() or not self._counts_turnouts():
            return None
        return next((one.number for one in occasions(item.event) if one.start == item.start), None)

    def reply_count(self, item: Item) -> int:
        """How many replies to it are shown here; cheap, as none is decoded."""
        replies = (id_ for id_ in self.reader.about(item) if self.reader.is_reply(id_))
        return sum(id_[:TARGET_BYTES] not in self.reader.hidden() for id_ in replies)

    def count(self, kind: Kind) -> int:
        """How many live posts of a kind are shown here; none is decoded."""
        hidden = self.reader.hidden()
        return sum(entry.kind is kind and entry.root not in hidden for entry in self._liveset.posts())

    def signed_by(self, key_id: str) -> list[bytes]:
        """Ids of what one key has signed that is live: events by start, then bulletins, the newest first."""
        try:
            author = bytes.fromhex(key_id)
        except ValueError:
            return []
        found = (self._store.get(entry.id) for entry in self._liveset.posts() if entry.author == author)
        rows = sorted(filter(None, found), key=lambda row: (row.start or 0, -row.created, row.id))
        return [row.id for kind in (Kind.EVENT, Kind.BULLETIN) for row in rows if row.kind == kind]

    def at_place(self, place: str, patience: TextPatience | None = None) -> list[Item]:
        """Coming events at a place of this name (accents and case folded), by start; 200 at most."""
        wanted, found, mark = fold(place.strip()), [], ""
        for _page in range(SEARCHED_PAGES):
            page = self.search(place, mark, MAX_PAGE, patience)
            found += [item for item in page.items if item.place and fold(item.place.strip()) == wanted]
            mark = page.after
            if not mark or len(found) >= MAX_PAGE:
                break
        coming = [item for item in found if (item.end or 0) >= self.now()]
        return sorted(coming, key=lambda item: (item.start or 0, item.id))[:MAX_PAGE]

    def author(self, key_id: str) -> Author | None:
        """Who signs with a key of this id (16 digits), None if the set knows nobody."""
        with suppress(ValueError):
            if bytes.fromhex(key_id) in self._liveset.trust.standings:
                return self.reader.author(bytes.fromhex(key_id))
        return None

    def is_group(self, name: str) -> bool:
        """Whether a group of the set is called so."""
        signing = (key for key, standing in self._liveset.trust.standings.items() if Right.GROUP in standing.rights)
        return bool(name.strip()) and any(fold(self.reader.author(key).name) == fold(name.strip()) for key in signing)

    def read_ids(self, ids: list[bytes], patience: TextPatience | None = None) -> list[Item]:
        """The items of these ids that can be read and are shown."""
        self.reader.texts.gather(ids)
        return list(filter(None, (self.reader.live(id_, patience) for id_ in ids)))

    def bulletins(self, topic: int | None = None, after: str = "", limit: int = 20,
                  patience: TextPatience | None = None, marks: Marks = NO_MARKS) -> Page:
        """Live bulletins, newest first; those with these marks. What was met two days ago is in no list."""
        return self._page(Slice(kinds=(Kind.BULLETIN,), topic=topic, newest_first=True), after, limit, patience, marks)

    def past(self, after: str = "", limit: int = 20, patience: TextPatience | None = None) -> Page:
        """Bulletins that have ended and are in the archive, newest first."""
        rows, mark = self._archive.page(Slice(kinds=(Kind.BULLETIN,), newest_first=True), after, min(limit, MAX_PAGE))
        self.reader.texts.gather([row.id for row in rows])
        return Page(list(filter(None, (self.reader.past(row.id, patience) for row in rows))), mark)

    def latest(self, topic: int | None = None, after: str = "", limit: int = 20, patience: TextPatience | None = None,
               holds: Callable[[Item], bool] = lambda item: True) -> Page:
        """Live bulletins and events that `holds` wants, what was posted, corrected, called off or met last first."""
        wanted = Slice(kinds=(Kind.BULLETIN, Kind.EVENT, Kind.CANCELLATION), newest_first=True)
        items: dict[str, Item] = {}
        most = min(limit, MAX_PAGE)
        while len(items) < most:
            rows, after = self._store.page(wanted, after, most - len(items))
            rows = [row for row in rows if row.kind == Kind.CANCELLATION or topic in (None, row.topic)]
            self.reader.texts.gather([row.id for row in rows])
            for item in filter(None, (self.reader.latest(row, patience) for row in rows)):
                if topic in (None, item.topic) and self._is_listed(item) and holds(item):
                    items.setdefault(item.id, item)
            if not after or _unread(patience):
                break
        return Page(list(items.values()), after)

    def announced(self, since: int, until: int, topic: int | None = None) -> list[Announced]:
        """All dates of events that touch [since, until), by start, live and past, without their texts: no text is decoded
        to count them, or to mark their days."""
        wanted = Slice("start", (Kind.EVENT,), max(since - REPEATED_FOR_MIN, 0), min(until, MAX_MINUTE + 1), topic,
                       lasting=since + EVENT_GRACE_MIN)
        sources = [(self._store.page, False)] + [(self._archive.page, True)] * (wanted.since < self.now())
        found: dict[tuple[bytes, int], Announced] = {}
        for page, past in sources:
            for row in _pages(partial(page, wanted, limit=MAX_PAGE)):
                for event in self.reader.announced(row, past):
                    if event.start < until and _touches(event, since):
                        found.setdefault((event.root, event.date.number), event)
        return sorted(_once(found.values()), key=lambda event: (event.start, event.id))

    def read(self, announced: Iterable[Announced], patience: TextPatience | None = None) -> Iterator[Item]:
        """The items of these events, some fetched at a time; what cannot be read is passed over."""
        return filter(None, self._shown(announced, patience))

    def events(self, since: int, until: int, topic: int | None = None, limit: int | None = None,
               patience: TextPatience | None = None) -> list[Item]:
        """The first `limit` events that touch [since, until), by start (None: all); past ones come from the archive."""
        return _first(self._shown(self.announced(since, until, topic), patience), limit, patience)

    def urgent(self, limit: int = 5, patience: TextPatience | None = None) -> list[Item]:
        """Live urgent items, newest first."""
        found = (self.reader.live(id_, patience) for id_ in self._urgent(self._liveset.revision))
        return _first(found, limit, patience)

    def search(self, words: str, after: str = "", limit: int = 20, patience: TextPatience | None = None) -> Page:
        """Live and archived items that hold all the words (accents, ligatures and case folded; the last is a prefix)."""
        ids, mark = self._archive.search(words, after, min(limit, MAX_PAGE))
        self.reader.texts.gather(ids)
        read, live = self.reader, self._liveset
        found = (read.live(id_, patience) if id_ in live else read.past(id_, patience) for id_ in ids)
        return Page(list(filter(None, found)), mark)

    def status(self) -> Status:
        """The state of the island as of a second or so ago; cheap, and nothing is asked of links or engines."""
        revision = self._liveset.revision
        charter = self._liveset.charter
        return Status(self._checksum(revision), SetStatus(charter.name, charter.set_id.hex()), len(self._liveset),
                      StoreStatus(*self._store.health()), RulesStatus(self.posting_rule()), self._share(revision),
                      self.keys.rights(self.now()), self._backup(), self._host.about(), self._trial())

    def _trial(self) -> TrialStatus | None:
        trial = self.settings.view().trial if self.notes.state.trial else None
        return TrialStatus(trial.group, trial.left_s) if trial else None

    def _backup(self) -> BackupStatus:
        last = self.notes.state.backup
        since, taken = (self._born, None) if last is None else (last.at, last.at)
        return BackupStatus(taken, MAX_MINUTE if since is None else since + BACKUP_DAYS * DAY_MIN)

    def _own_share(self, _revision: int) -> ShareStatus:
        share = self._liveset.share(self._key.key_id)
        return ShareStatus(share.records, share.limit.records, share.size_bytes, share.limit.size_bytes, share.half_ends)

    def clock_outcome(self, minute: int) -> ClockOutcome:
        """What setting the clock to `minute` would do; nothing is done."""
        return ClockPreview(self._liveset, self._store, self._archive).outcome(minute, self.now(), self.notes.state)

    def retired(self, roots: list[bytes]) -> None:
        """The items of these roots are neither live nor past any more: what belongs to them may be forgotten.

        Their edit codes are, and what was reported. A hide is forgotten once the archive does not hold the item either.
        """
        self.notes.forget_edit_codes(roots)
        self._forget_reports(roots)
        if len(self.notes.state.hidden) > self._spare_hides:
            self._forget_hides()

    def forget_reports(self) -> None:
        """Forget what was reported about posts that are gone, and what was reported too long ago; cheap."""
        state, certain = self.notes.state, min(self.now(), minute_of(self._host.certain()))
        gone = {root for root in state.reports if not self._is_kept(root, state.reports[root])}
        old = {one for told in state.reports.values() for one in told if one.day + REPORT_DAYS * DAY_MIN <= certain}
        if not (gone or old):
            return

        def change(state: BoardState) -> BoardState:
            left = {root: tuple(one for one in told if one not in old)
                    for root, told in state.reports.items() if root not in gone}
            return replace(state, reports={root: told for root, told in left.items() if told})

        with suppress(BoardClosed):  # the card will not: the next time
            self.notes.update(change)

    def _is_kept(self, root: bytes, reports: Iterable[Report]) -> bool:
        """Whether a post is live, may come back as its clock is set, or is past."""
        if self._liveset.standing([root]):
            return True
        ids = {bytes.fromhex(one.item_id) for one in reports}
        return any(self._store.get(id_) or self._archive.get(id_) for id_ in ids) or not self._archive.health()[0]

    def stray_codes(self) -> set[bytes]:
        """Roots that have an edit code and no post: a past one counts as it may come back from the archive."""
        waiting = {post.root for post in self.notes.state.waiting.values()}
        strays = self.notes.edit_codes() - waiting - self._liveset.known_roots() - self._past_codes
        if not strays:
            return strays
        past = {root for row in _pages(partial(self._archive.page, Slice(), limit=MAX_PAGE)) for root in _roots_of(row)}
        if not self._archive.health()[0]:  # it may be there all the same
            return set()
        self._past_codes |= strays & past  # `retired` tells when the archive forgets them
        return strays - past

    def forget_codes(self, roots: Iterable[bytes]) -> None:
        """Forget the edit codes of what is gone."""
        self.notes.forget_edit_codes(roots)

    def _forget_hides(self) -> None:
        gone = self.notes.state.hidden - frozenset(self._roots_kept())
        if not self._archive.health()[0]:  # what is past could not be read: it may be there all the same
            return
        self.notes.update(lambda state: replace(state, hidden=state.hidden - (gone - self._liveset.known_roots())))
        self._spare_hides = max(SPARE_HIDES, 2 * len(self.notes.state.hidden))

    def _roots_kept(self) -> Iterator[bytes]:
        """The roots of all that is shown here, may come back, or is past."""
        yield from self._liveset.known_roots()
        for row in _pages(partial(self._archive.page, Slice(), limit=MAX_PAGE)):
            with suppress(RemoteFault):
                yield Entry.of(decode(row.raw), row.raw, row.id).root

    def _shown(self, announced: Iterable[Announced], patience: TextPatience | None) -> Iterator[Item | None]:
        waiting = iter(announced)
        while some := list(islice(waiting, FETCHED)):
            self.reader.texts.gather([event.id for event in some])
            yield from (self.reader.shown(event, patience) for event in some)

    def _page(self, wanted: Slice, after: str, limit: int, patience: TextPatience | None, marks: Marks = NO_MARKS) -> Page:
        """A page of what is live and not hidden; rows of what faded from the set are passed over."""
        items: list[Item] = []
        left = min(limit, MAX_PAGE)
        while left > 0:
            unread = _unread(patience)
            rows, after = self._store.page(wanted, after, left)
            rows = [row for row in rows if not marks or marks in marks_of(row.raw)]
            self.reader.texts.gather([row.id for row in rows])
            found = [item for row in rows if (item := self.reader.live(row.id, patience))]
            items += [item for item in found if self._is_listed(item)]
            left -= sum(map(self._is_listed, found)) + _unread(patience) - unread
            if not after:
                break
        return Page(items, after)

    def _is_listed(self, item: Item) -> bool:
        """Whether lists show it: what is met leaves them after a while."""
        return item.met is None or self.now() < item.met + MET_SHOWN_MIN

    def _find_urgent(self, revision: int) -> list[bytes]:
        wanted = Slice(kinds=(Kind.BULLETIN, Kind.EVENT), newest_first=True)
        return [row.id for row in _pages(partial(self._store.page, wanted, limit=MAX_PAGE)) if self.reader.is_urgent(row)]


def checksum(ids: Iterable[bytes]) -> str:
    """16 hex digits: the same on islands that hold the same records."""
    return blake2b(b"".join(sorted(ids)), digest_size=8).hexdigest()


def _pages(page: Callable[[str], tuple[list[Row], str]]) -> Iterator[Row]:
    """Rows, a page at a time."""
    rows, after = page("")
    while rows:
        yield from rows
        if not after:
            return
        rows, after = page(after)


def _unread(patience: TextPatience | None) -> int:
    return patience.unread if patience else 0


def _first(found: Iterable[Item | None], limit: int | None, patience: TextPatience | None) -> list[Item]:
    """The first `limit`, those counted that were left out because patience ended."""
    items: list[Item] = []
    before = _unread(patience)
    for item in found:
        items += [item] if item else []
        if limit is not None and len(items) + _unread(patience) - before >= limit:
            break
    return items


def _once(events: Iterable[Announced]) -> list[Announced]:
    """Each foreign event by one record: of past ones, which islands keep each for itself, that of the latest version."""
    events = list(events)
    best: dict[bytes, Announced] = {}
    for event in events:
        if event.foreign and (event.foreign.key not in best or _worth(event) > _worth(best[event.foreign.key])):
            best[event.foreign.key] = event
    return [event for event in events if event.foreign is None or event.root == best[event.foreign.key].root]


def _worth(event: Announced) -> tuple[bool, tuple[int, int], bytes]:
    return not event.past, event.foreign.version if event.foreign else (0, 0), event.root


def _touches(event: Announced, since: int) -> bool:
    """Whether it goes on after `since`, or takes place just then."""
    return event.end > since or event.start == event.end >= since


def _roots_of(row: Row) -> set[bytes]:
    """Under which roots an edit code may be good for it."""
    with suppress(RemoteFault):
        return {row.id[:TARGET_BYTES], Entry.of(decode(row.raw), row.raw, row.id).root}
    return set()
