"""A training text sorted by what comes before each character, so that every context, however long, is one run of rows.

This is the Burrows-Wheeler transform of the text read backwards, searched as an FM-index (Ferragina and Manzini 2000).
Row by row, `column` holds the symbol that follows; the rows of a context one symbol longer are found by counting that
symbol above the run. Contexts see symbols folded (`Alphabet.folded`); what follows is exact.
"""

from array import array
from collections import Counter
from itertools import accumulate

BLOCK_BITS = 11  # the counts above every 2048th row are kept
_HALF = 1 << BLOCK_BITS - 1
MAX_ORDER = 20  # rows are sorted a little deeper
COUNTS = 1024  # counts of followers are below
MAX_KEPT = 200  # tallies and large runs kept for the next text
Run = tuple[int, int]


class Index:
    """`column`: the symbol after each context, rows in order; `marks`: counts above each block, a row of `width` each."""

    def __init__(self, column: bytes, marks: array, folded: bytes, width: int):
        self.column, self.everything = column, (0, len(column))
        self.marks, self._width = marks, width
        self._tallies: dict[Run, Counter] = {}
        self._larges: dict[Run, LargeRun] = {}
        self._alike = [[s for s in range(width) if folded[s] == folded[symbol]] for symbol in range(width)]
        totals = [0] * width
        for symbol in range(width):
            totals[folded[symbol]] += self._above(symbol, len(column))
        starts = [0, *accumulate(totals)]
        self._starts = [starts[folded[symbol]] for symbol in range(width)]
        self._firsts = [(starts[folded[symbol]], starts[folded[symbol] + 1]) for symbol in range(width)]

    def _above(self, symbol: int, row: int) -> int:
        """How often `symbol` stands in the column above `row`."""
        block = (row + _HALF) >> BLOCK_BITS
        start = block << BLOCK_BITS
        mark = self.marks[block * self._width + symbol]
        if row >= start:
            return mark + self.column.count(symbol, start, row)
        return mark - self.column.count(symbol, row, start)

    def count(self, symbol: int, run: Run) -> int:
        """How often `symbol` follows the context of `run`."""
        low, high = run
        if high - low < 1 << BLOCK_BITS:
            return self.column.count(symbol, low, high)
        return self._above(symbol, high) - self._above(symbol, low)

    def tally(self, run: Run) -> Counter:
        """How often each symbol follows the context of `run`."""
        if run not in self._tallies:
            if len(self._tallies) >= MAX_KEPT:
                self._tallies.clear()
            self._tallies[run] = Counter(self.column[run[0] : run[1]])
        return self._tallies[run]

    def large(self, run: Run) -> "LargeRun":
        """The followers of a run too long to go through."""
        if run not in self._larges:
            if len(self._larges) >= MAX_KEPT:
                self._larges.clear()
            self._larges[run] = LargeRun(self, run)
        return self._larges[run]

    def step(self, run: Run, symbol: int) -> Run:
        """The run of a context with `symbol` added; empty if it is unknown."""
        if run == self.everything:
            return self._firsts[symbol]
        low, high = run
        group, start = self._alike[symbol], self._starts[symbol]
        if high - low >= 1 << BLOCK_BITS:
            return start + sum([self._above(s, low) for s in group]), start + sum([self._above(s, high) for s in group])
        found = sum([self.column.count(s, low, high) for s in group])
        start += sum([self._above(s, low) for s in group]) if found else 0
        return start, start + found

    def follow(self, runs: list[Run], symbol: int) -> list[Run]:
        """The runs of orders 0, 1, 2... once `symbol` has been added to the context of `runs`."""
        longer = [self.everything]
        last = found = None
        for run in runs[:MAX_ORDER]:
            if run != last:
                last, found = run, self.step(run, symbol)
                if found[0] == found[1]:
                    break
            longer.append(found)
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


def count_marks(column: bytes, width: int) -> array:
    """The marks for a column."""
    counts, marks = [0] * width, array("I")
    for start in range(0, len(column) + _HALF, 1 << BLOCK_BITS):
        marks.extend(counts)
        block = column[start : start + (1 << BLOCK_BITS)]
        counts = [count + block.count(symbol) for symbol, count in enumerate(counts)]
    return marks
