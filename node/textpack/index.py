"""A training text sorted by what comes before each character, so that every context, however long, is one run of rows.

This is the Burrows-Wheeler transform of the text read backwards, searched as an FM-index (Ferragina and Manzini 2000).
Row by row, `column` holds the symbol that follows; the rows of a context one symbol longer are found by counting that
symbol above the run. Contexts see symbols folded (`Alphabet.folded`); what follows is exact.
"""

from array import array
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import add
from typing import TypeAlias

BLOCK_BITS = 11  # the counts above every 2048th row are kept
_BLOCK, _HALF = 1 << BLOCK_BITS, 1 << BLOCK_BITS - 1
MAX_ORDER = 20  # rows are sorted a little deeper
COUNTS = 1024  # counts of followers are below
TALLIES_KEPT, LARGE_RUNS_KEPT = 1024, 256  # for the next place, and the next text
_BY_HAND = 8  # rows are quicker counted than remembered
NOWHERE = 0, 0
Run = tuple[int, int]
Numbers: TypeAlias = "array[int]"  # in quotes, as arrays take no brackets before Python 3.12


class Index:
    """`column`: the symbol after each context, rows in order; `marks`: counts above each block, a row of `width` each.

    Safe from any thread.
    """

    def __init__(self, column: bytes, marks: Numbers, folded: bytes, width: int):
        self.column, self.marks, self.everything = column, marks, (0, len(column))
        self._remembered = lru_cache(TALLIES_KEPT)(self._count_followers)
        self.large = lru_cache(LARGE_RUNS_KEPT)(self._large)
        self._marks = [marks[symbol::width] for symbol in range(width)]  # of each symbol, the counts above each block
        self._folds, self._folded = folded, column.translate(folded)
        self._folded_marks = self._fold_marks()
        totals = [self._folded_above(symbol, len(column)) for symbol in range(width)]
        self._firsts = list(pairwise([0, *accumulate(totals)]))  # the run of each context of one symbol

    def _fold_marks(self) -> list[Numbers]:
        """The marks of the folded column: a symbol that others are folded to has the counts of all."""
        sums = [array("I", bytes(marks.itemsize * len(marks))) for marks in self._marks]
        for symbol, marks in enumerate(self._marks):
            sums[self._folds[symbol]] = array("I", map(add, sums[self._folds[symbol]], marks))
        return sums

    def _folded_above(self, symbol: int, row: int) -> int:
        return _above(self._folded, symbol, self._folded_marks[symbol], row)

    def count(self, symbol: int, run: Run) -> int:
        """How often `symbol` follows the context of `run`."""
        low, high = run
        if high - low < _BLOCK:
            return self.column.count(symbol, low, high)
        marks = self._marks[symbol]
        return _above(self.column, symbol, marks, high) - _above(self.column, symbol, marks, low)

    def tally(self, run: Run) -> dict[int, int]:
        """How often each symbol follows the context of `run`."""
        low, high = run
        if high - low > _BY_HAND:
            return self._remembered(run)
        seen: dict[int, int] = {}
        for symbol in self.column[low:high]:
            seen[symbol] = seen.get(symbol, 0) + 1
        return seen

    def _count_followers(self, run: Run) -> dict[int, int]:
        """The same, for a run that is not so short that counting anew is quicker than remembering."""
        rows = self.column[run[0] : run[1]]
        return {symbol: rows.count(symbol) for symbol in set(rows)}

    def _large(self, run: Run) -> "LargeRun":
        """The followers of a run too long to go through."""
        return LargeRun(self, run)

    def step(self, run: Run, symbol: int) -> Run:
        """The run of a context with `symbol` added; empty if it is unknown."""
        runs = self.follow([self.everything, run], symbol)
        return runs[2] if len(runs) > 2 else NOWHERE

    def follow(self, runs: list[Run], symbol: int) -> list[Run]:
        """The runs of orders 0, 1, 2... when `symbol` is added to the context of `runs`, each inside the one before."""
        symbol = self._folds[symbol]
        start, end = first = self._firsts[symbol]
        if start == end:
            return [self.everything]
        longer, last, before, above, count = [self.everything, first], None, 0, 0, self._folded.count
        for run in runs[1:MAX_ORDER]:
            if run != last:
                low, high = last = run
                near = low - before < _HALF
                above = above + count(symbol, before, low) if near else self._folded_above(symbol, low)
                found = count(symbol, low, high) if high - low < _BLOCK else self._folded_above(symbol, high) - above
                if not found:
                    break
                before = low
            longer.append((start + above, start + above + found))
        return longer


class LargeRun:
    """The followers of a long run, counted when asked for and scaled to less than COUNTS in all."""

    def __init__(self, index: Index, run: Run):
        self._index, self._run = index, run
        self._shift = max((run[1] - run[0]).bit_length() - 10, 0)
        self._known: dict[int, int] = {}
        self.size = (run[1] - run[0]) >> self._shift

    def get(self, symbol: int, _: int) -> int:
        """How often `symbol` followed, never scaled down to nothing."""
        if symbol in self._known:
            return self._known[symbol]
        count = self._index.count(symbol, self._run)
        self._known[symbol] = min((count + (1 << self._shift) - 1) >> self._shift, COUNTS - 1)
        return self._known[symbol]


def sort_rows(symbols: bytes, folded: bytes) -> bytes:
    """The column for a training text given as symbols, END first and after each text (seen as a circle)."""
    backwards = symbols.translate(folded)[::-1] * 2
    size = len(symbols)
    order = sorted(range(size), key=lambda at: backwards[size - at : size - at + MAX_ORDER + 4])
    return bytes([symbols[at] for at in order])


def count_marks(column: bytes, width: int) -> Numbers:
    """The marks for a column."""
    counts, marks = [0] * width, array("I")
    for start in range(0, len(column) + _HALF, _BLOCK):
        marks.extend(counts)
        block = column[start : start + _BLOCK]
        counts = [count + block.count(symbol) for symbol, count in enumerate(counts)]
    return marks


def _above(column: bytes, symbol: int, marks: Numbers, row: int) -> int:
    """How often `symbol` stands in a column above `row`; `marks`: how often above each block."""
    block = (row + _HALF) >> BLOCK_BITS
    start = block << BLOCK_BITS
    if row >= start:
        return marks[block] + column.count(symbol, start, row)
    return marks[block] - column.count(symbol, row, start)
