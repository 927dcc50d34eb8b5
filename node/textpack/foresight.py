"""What is foreseen at one place in a text: the candidates, and where the guesses about each stand."""

from collections import Counter

from node.textpack.index import MAX_ORDER, Index
from node.textpack.mixing import CELLS, COUNTS, MAX_GUESS, ONE, RUN_LEVELS, SEEN_CELLS, guess_of
from node.textpack.position import ORDERS, OWN_ORDERS, LargeRun, Position

SMALL_RUN = 256  # the followers of a longer run are counted only when asked for
SLOTS = len(ORDERS) + 3  # guesses from one index
TABLES = SLOTS + MAX_ORDER  # its tables: the last slot has one for each length of the longest context
SHARE_LEVELS = bytes(1 + (guess_of(max(share << 6, 1)) + MAX_GUESS) // 100 for share in range(COUNTS + 1))


def slot_count(indexes: int) -> int:
    """How many guesses a candidate gets."""
    return indexes * SLOTS + len(OWN_ORDERS) + 1


def cell_count(indexes: int) -> int:
    """How many cells all the tables have: those of each index, of the text itself, and of the shares."""
    return CELLS * (indexes * TABLES + len(OWN_ORDERS)) + max(SHARE_LEVELS) + 1


class Foresight:
    """The candidates for one place, and what is known of each."""

    def __init__(self, position: Position, indexes: list[Index]):
        self._getters, self._left = [{}.get], [0]
        self._slots: list[int] = []  # per guess, its source: the place of a getter
        self._offsets: list[int] = []  # per guess, where its table starts
        self._small: list[tuple[int, Counter]] = []
        self._large: list[LargeRun] = []
        for which, index in enumerate(indexes):
            self._look_up(index, which, position)
        for which, seen in enumerate(position.own()):
            self._slots.append(self._source(seen, sum(seen.values())))
            self._offsets.append(CELLS * (TABLES * len(indexes) + which))
        self._share_base = CELLS * (TABLES * len(indexes) + len(OWN_ORDERS))
        self._shares = self._share_out()
        self._share_left = ONE

    def _source(self, seen, left: int) -> int:
        self._getters.append(seen.get)
        self._left.append(min(left, COUNTS - 1))
        return len(self._left) - 1

    def _look_up(self, index: Index, which: int, position: Position) -> None:
        runs, places = position.contexts(which)
        sources = [self._run_source(index, run) for run in runs]
        self._slots += [sources[place] if place >= 0 else 0 for place in places]
        tables = [*range(SLOTS - 1), SLOTS - 1 + len(position.runs[which]) - 1]
        self._offsets += [CELLS * (TABLES * which + table) for table in tables]

    def _run_source(self, index: Index, run: tuple[int, int]) -> int:
        low, high = run
        if high - low > SMALL_RUN:
            large = LargeRun(index, run)
            self._large.append(large)
            return self._source(large, large.left)
        seen = Counter(index.column[low:high])
        self._small.append((high - low, seen))
        return self._source(seen, high - low)

    def _share_out(self) -> dict[int, int]:
        """Each symbol's share of ONE by the small runs: the longest run first, each shorter one taking its part."""
        shares: dict[int, int] = {}
        for size, seen in sorted(self._small, key=lambda small: -small[0]):
            kinds = len(seen)
            total = size + kinds
            shares = {symbol: share * kinds // total for symbol, share in shares.items()}
            for symbol, count in seen.items():
                shares[symbol] = shares.get(symbol, 0) + (count << 16) // total
        return shares

    def candidates(self, size: int):
        """Yields every symbol of an alphabet of `size` once, the likeliest first."""
        shares = self._shares
        yield from sorted(shares, key=lambda symbol: (-shares[symbol], symbol))
        rest = [symbol for symbol in range(size) if symbol not in shares]
        if self._large:
            get = min(self._large, key=lambda large: large.left).get
            rest.sort(key=lambda symbol: -get(symbol, 0))
        yield from rest

    def cells(self, symbol: int) -> list[int]:
        """Where the guesses about `symbol` stand among all the tables."""
        self._seen = [get(symbol, 0) for get in self._getters]
        pairs = [SEEN_CELLS[seen] + RUN_LEVELS[left] for seen, left in zip(self._seen, self._left, strict=True)]
        cells = [offset + pairs[slot] for offset, slot in zip(self._offsets, self._slots, strict=True)]
        share = min((self._shares.get(symbol, 0) << 10) // self._share_left, COUNTS)
        cells.append(self._share_base + SHARE_LEVELS[share])
        return cells

    def refuse(self, symbol: int) -> None:
        """`symbol`, just asked about, does not come next: count it out."""
        self._left = [max(left - seen, 0) for left, seen in zip(self._left, self._seen, strict=True)]
        self._share_left = max(self._share_left - self._shares.get(symbol, 0), 1)
