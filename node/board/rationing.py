"""What may be posted now, and by whom: the island's share of the set, and the part of it that visitors may fill.

Everybody here posts under the island's one key, whose share is bounded (`node.replica.quota`); groups have their own.
Keepers, agendas and the command line may use all of the share; visitors a part of it, at the pace of `node.board.pace`.
"""

from node.board.api import BoardClosed, DraftRefused, Problem
from node.board.composing import Composer
from node.board.host import Host
from node.board.items import Reader
from node.board.notes import BoardNotes
from node.board.pace import MINUTE_S, Act, Pace, Room, TooSoon, Visitor, visitors_part
from node.board.reasons import ClosedReason, ProblemCode
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right, decode
from node.replica.liveset import LiveSet
from node.replica.quota import CATEGORIES, Category, Limit

MAX_WAITING = 1_000  # posts: 1.8 MB in memory at most; some 250 addresses of one Wi-Fi do not fill it in four hours
CROWDED = MAX_WAITING // 2  # from here on each visitor has one post waiting, so that there is room for all
RESERVE = 200  # for what groups, keepers and the command line let wait for its hour
TOO_MANY = {Act.POST: ProblemCode.TOO_MANY_POSTS, Act.CHANGE: ProblemCode.TOO_MANY_CHANGES,
            Act.WAIT: ProblemCode.TOO_MANY_WAITING, Act.REPORT: ProblemCode.TOO_MANY_REPORTS}


class Rationer(Composer):
    """The part of the board that knows how much more there is room for."""

    def __init__(self, liveset: LiveSet, notes: BoardNotes, key: SigningKey, host: Host, reader: Reader):
        super().__init__(liveset, key, host, reader)
        self.notes, self._pace = notes, Pace(host.pace_gate)

    def has_room(self, record_bytes: int, records: int) -> bool:
        """Whether this island may post so many more and half of its quota is left for those who post here.

        Raises BoardClosed when it may post nothing.
        """
        self._check_admitted(self._key.key_id)
        whole = self._liveset.limits[Category.POSTS]
        return self._liveset.has_room(self._key.key_id, record_bytes + whole.size_bytes // 2, records + whole.records // 2)

    def _check_admitted(self, key_id: bytes) -> None:
        if not self._liveset.trust.may(key_id, Right.WRITE, self.now()):
            raise BoardClosed(ClosedReason.NOT_ADMITTED)

    def _fits(self, raw: bytes) -> bool:
        """Whether it pushes nothing older of its author's out; a correction needs room for what it is larger by."""
        record = decode(raw)
        used, most = self._used_beside(record, raw), self._liveset.limits[CATEGORIES[record.kind]]
        return used.records <= most.records and used.size_bytes <= most.size_bytes

    def _used_beside(self, record: Record, raw: bytes) -> Limit:
        """How much of its author's quota is used once it is there."""
        used = self._liveset.used(record.author, CATEGORIES[record.kind])
        return Limit(used.records + (not record.corrects), used.size_bytes + self._growth(record, raw))

    def _growth(self, record: Record, raw: bytes) -> int:
        """By how many bytes it makes its author's part of the set larger."""
        version = self._liveset.version(record.target) if record.corrects and record.target else None
        return max(len(raw) - len(self._liveset.raw(version) or b"") if version else len(raw), 0)

    # visitors

    def _ran_min(self) -> int:
        """Minutes of running, which the pace goes by: nobody has another turn, or waits for ever, as a clock is set."""
        return int(self._host.monotonic() // MINUTE_S)

    def _check_visitor(self, visitor: Visitor | None, act: Act) -> None:
        """Whether this visitor may do one more, before any work is done for it; raises DraftRefused."""
        try:
            if visitor:
                self._pace.check(visitor, act, self._ran_min())
        except TooSoon as soon:
            raise _refused(soon) from None

    def _count(self, visitor: Visitor, act: Act, most: int = 0) -> None:
        try:
            self._pace.count(visitor, act, self._ran_min(), most)
        except TooSoon as soon:
            raise _refused(soon) from None

    def _may_come_at_once(self, act: Act, raw: bytes) -> bool:
        """Whether what a visitor made needs no keeper; it is a part of the common pace then."""
        record = decode(raw)
        if record.kind is Kind.CANCELLATION:
            used, most = self._used_beside(record, raw), visitors_part(self._liveset.limits[Category.CANCELLATIONS])
            fits = used.records <= most.records and used.size_bytes <= most.size_bytes
            return fits and self._pace.join(act, self._ran_min(), len(raw))
        room, size_bytes = self._room(), self._growth(record, raw)
        if act is Act.CHANGE:
            return room.size_bytes >= size_bytes and self._pace.join(act, self._ran_min(), size_bytes)
        return self._fits(raw) and self._pace.join(act, self._ran_min(), size_bytes, room)

    def _room(self) -> Room:
        """What visitors may still fill: what waits for its hour only is as good as there."""
        own, limits = self._key.key_id, self._liveset.limits
        coming = [len(post.raw) for post in list(self.notes.state.waiting.values())
                  if not (post.moderated or post.cleared) and post.record.author == own]
        posts = self._liveset.used(own, Category.POSTS)
        posts = Limit(posts.records + len(coming), posts.size_bytes + sum(coming))
        return Room.beside(posts, self._liveset.used(own, Category.RETRACTIONS), limits)

    def _let_wait(self, visitor: Visitor | None) -> None:
        """Let one more wait; raises DraftRefused or BoardClosed when it may not."""
        waiting = len(self.notes.state.waiting) - sum(bool(post.cleared) for post in self.notes.state.waiting.values())
        if waiting >= MAX_WAITING + (0 if visitor else RESERVE):
            raise BoardClosed(ClosedReason.WAITING_FULL)
        if visitor:
            self._count(visitor, Act.WAIT, 1 if waiting >= CROWDED else 0)


def _refused(soon: TooSoon) -> DraftRefused:
    return DraftRefused([Problem("", TOO_MANY[soon.act], soon.minutes)])
