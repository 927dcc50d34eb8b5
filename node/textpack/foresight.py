"""What is foreseen at one place in a text: the candidates, and the guesses about each."""

from collections.abc import Callable, Iterator
from operator import add, itemgetter, sub

from node.textpack.alphabet import Alphabet
from node.textpack.index import COUNTS, MAX_ORDER, Index, Run
from node.textpack.mixing import CELLS, MAX_GUESS, ONE, RUN_LEVELS, SEEN_CELLS, guess_of
from node.textpack.position import ORDERS, Position

SMALL_RUN = 256  # the followers of a longer run are counted only when asked for

# Each guess is read in a table of its own, all in one row. The longest context has one for each length.
_LONGEST = MAX_ORDER + 1
_CONTEXT_TABLES = [*range(_LONGEST, _LONGEST + len(ORDERS) + 2)]
_PROSE_TABLES = [_CONTEXT_TABLES[-1] + 1, _CONTEXT_TABLES[-1] + 2]
_DICTIONARY_TABLE = _PROSE_TABLES[-1] + 1
_OWN_TABLE = _DICTIONARY_TABLE + 1
_SYMBOL_BASE = CELLS * (_OWN_TABLE + 1)
_SYMBOL_TURNS = 4
_SHARE_BASE = _SYMBOL_BASE + 256 * _SYMBOL_TURNS
_SHARE_LEVELS = bytes(1 + (guess_of(max(share << 6, 1)) + MAX_GUESS) // 100 for share in range(COUNTS + 1))
ALL_CELLS = _SHARE_BASE + max(_SHARE_LEVELS) + 1
SLOTS = len(ORDERS) + 9
Getter = Callable[[int, int], int]  # how often a symbol followed, or what to say when it did not


def _nothing(symbol: int, default: int) -> int:
    return 0


class Foresight:
    """The candidates for one place, and what is known of each."""

    def __init__(self, position: Position, indexes: list[Index], alphabet: Alphabet):
        self._position, self._alphabet = position, alphabet
        # Per guess: how to ask how often a symbol followed, how many followers are left, where its table starts.
        self._getters: list[Getter] = []
        self._left: list[int] = []
        self._bases: list[int] = []
        self._seen: list[int] = []  # what the getters said of the symbol asked about last
        self._small: list[tuple[int, dict[int, int]]] = []
        longest = len(position.runs) - 1
        self._look_up(indexes[0], position.runs, position.orders(), [longest, *_CONTEXT_TABLES])
        self._look_up(indexes[1], position.prose_runs, position.prose_orders(), _PROSE_TABLES)
        self._spell(indexes[2])
        self._own = position.own()
        self._own_size = sum(self._own.values())
        self._add(_OWN_TABLE, self._own.get, min(self._own_size, COUNTS - 1))
        self._rows = self._find_rows()
        self._shares = self._share_out()
        self._share_left = ONE

    def _add(self, table: int, get: Getter, left: int) -> None:
        self._getters.append(get)
        self._left.append(left)
        self._bases.append(CELLS * table)

    def _look_up(self, index: Index, runs: list[Run], orders: list[int], tables: list[int]) -> None:
        tallies = {run: index.tally(run) for run in runs if run[1] - run[0] <= SMALL_RUN}
        self._small += [(run[1] - run[0], seen) for run, seen in tallies.items()]
        for order, table in zip(orders, tables, strict=True):
            if order >= len(runs):
                self._add(table, _nothing, 0)
            elif (run := runs[order]) in tallies:
                self._add(table, tallies[run].get, run[1] - run[0])
            else:
                large = index.large(run)
                self._add(table, large.get, large.size)

    def _spell(self, dictionary: Index) -> None:
        """A guess by the words of the dictionary that begin like the word so far."""
        low, high = run = self._position.spelling
        get: Getter
        if high - low <= SMALL_RUN:
            get, left = dictionary.tally(run).get, high - low
        else:
            large = dictionary.large(run)
            get, left = large.get, large.size
        spelling = self._alphabet.spelling
        self._add(_DICTIONARY_TABLE, lambda symbol, default: get(spelling[symbol], default), left)

    def _find_rows(self) -> list[int]:
        """Per guess, where the cells for what is left start."""
        return list(map(add, self._bases, map(RUN_LEVELS.__getitem__, self._left)))

    def _share_out(self) -> dict[int, int]:
        """Each symbol's share of ONE: the longest small run first, then shorter ones, last the text."""
        shares: dict[int, int] = {}
        sources = sorted(self._small, key=itemgetter(0), reverse=True)
        if self._own:
            sources.append((self._own_size, self._own))
        for size, seen in sources:
            kinds = len(seen)
            whole = size + kinds
            for symbol, share in shares.items():
                shares[symbol] = share * kinds // whole
            for symbol, count in seen.items():
                shares[symbol] = shares.get(symbol, 0) + (count << 16) // whole
        return shares

    def candidates(self) -> Iterator[int]:
        """Yields every symbol once, the likeliest first."""
        shares = self._shares
        ordered = sorted([share << 8 | 255 - symbol for symbol, share in shares.items()], reverse=True)
        yield from [255 - (key & 255) for key in ordered]
        rest = [symbol for symbol in range(len(self._alphabet)) if symbol not in shares]
        ranks = self._position.ranks()
        yield from sorted(rest, key=lambda symbol: -ranks.get(symbol, 0))

    def cells(self, symbol: int, turn: int) -> list[int]:
        """Where the guesses about `symbol` stand among all the tables, when asked about at `turn`."""
        self._seen = [get(symbol, 0) for get in self._getters]
        cells = list(map(add, self._rows, map(SEEN_CELLS.__getitem__, self._seen)))
        cells.append(_SYMBOL_BASE + 256 * min(turn, _SYMBOL_TURNS - 1) + symbol)
        cells.append(_SHARE_BASE + _SHARE_LEVELS[min((self._shares.get(symbol, 0) << 10) // self._share_left, COUNTS)])
        return cells

    def refuse(self, symbol: int) -> None:
        """`symbol`, just asked about, does not come next: count it out."""
        self._left = [left if left > 0 else 0 for left in map(sub, self._left, self._seen)]
        self._rows = self._find_rows()
        self._share_left = max(self._share_left - self._shares.get(symbol, 0), 1)
