"""A training text sorted by what comes before each character, so that every context, however long, is one run of rows.

This is the Burrows-Wheeler transform of the text read backwards, searched as an FM-index (Ferragina and Manzini 2000).
Row by row, `column` holds the symbol that follows; the rows of a context one symbol longer are found by counting that
symbol above the run. Contexts see symbols folded (`Alphabet.folded`); what follows is exact.
"""

from array import array
from itertools import accumulate

BLOCK_BITS = 10  # the counts above every 1024th row are kept
_HALF = 1 << BLOCK_BITS - 1
MAX_ORDER = 20  # rows are sorted this deep
Run = tuple[int, int]


class Index:
    """`column`: the symbol after each context, rows in order; `marks`: counts above each block, a row of `width` each."""

    def __init__(self, column: bytes, marks: array, folded: bytes, width: int):
        self.column, self.rows = column, len(column)
        self.marks, self._width = marks, width
        alike = [[s for s in range(width) if folded[s] == folded[symbol]] for symbol in range(width)]
        self._alike = [group if len(group) > 1 else None for group in alike]
        totals = [0] * width
        for symbol in range(width):
            totals[folded[symbol]] += self._above(symbol, self.rows)
        starts = [0, *accumulate(totals)]
        self._starts = [starts[folded[symbol]] for symbol in range(width)]

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

    def follow(self, runs: list[Run], symbol: int) -> list[Run]:
        """The runs of orders 0, 1, 2... once `symbol` has been added to the context of `runs`."""
        if symbol >= self._width:
            return [(0, self.rows)]
        group = self._alike[symbol] or (symbol,)
        start = self._starts[symbol]
        longer = [(0, self.rows)]
        last = found = None
        for run in runs[:MAX_ORDER]:
            if run != last:
                low = start + sum([self._above(s, run[0]) for s in group])
                found = low, low + sum([self.count(s, run) for s in group])
                last = run
            if found[0] == found[1]:
                break
            longer.append(found)
        return longer


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
