"""What setting the clock would do to a board, before it is done."""

from collections.abc import Iterable

from node.board.api import ClockOutcome
from node.board.host import PastRecords, RowStore
from node.board.notes import BoardState
from node.model.record import Kind
from node.replica.admission import is_early
from node.replica.liveset import LiveSet
from node.store.index import Row

POSTS = (Kind.BULLETIN, Kind.EVENT)


class ClockPreview:
    """Looks at what a board holds; does nothing."""

    def __init__(self, liveset: LiveSet, rows: RowStore, past: PastRecords):
        self._liveset, self._rows, self._past = liveset, rows, past

    def outcome(self, minute: int, now: int, state: BoardState) -> ClockOutcome:
        """What would end, wait, come back and be published if it were `minute`, and not `now`."""
        ends, back, waits = list[Row](), list[Row](), list[Row]()
        if minute > now:
            ends = self._ending(minute)
        else:
            back, waits = self._returning(minute), self._waiting(minute)
        keys = [max(standing.until(now, right) for right in standing.rights)
                for standing in self._liveset.trust.standings.values() if standing.rights]
        due = [post for post in state.waiting.values()
               if not (post.moderated or post.cleared) and post.publish_at is not None and now < post.publish_at <= minute]
        return ClockOutcome(minute, minute - now, _posts(ends), sum(now < until <= minute for until in keys), _posts(back),
                            sum(row.kind == Kind.VOUCH for row in back), len(due), _posts(waits))

    def _ending(self, minute: int) -> list[Row]:
        stays = set(self._liveset.ids(minute))
        return self._kept(id_ for id_ in self._liveset.ids() if id_ not in stays)

    def _waiting(self, minute: int) -> list[Row]:
        return [row for row in self._kept(self._liveset.ids()) if is_early(row.kind, row.created, minute)]

    def _returning(self, minute: int) -> list[Row]:
        return [row for row in (*self._kept(self._liveset.fading()), *self._past.unexpired(minute))
                if row.expires > minute and not is_early(row.kind, row.created, minute)]

    def _kept(self, ids: Iterable[bytes]) -> list[Row]:
        return [row for id_ in ids if (row := self._rows.get(id_))]


def _posts(rows: list[Row]) -> int:
    return sum(row.kind in POSTS for row in rows)
