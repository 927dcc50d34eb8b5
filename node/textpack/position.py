"""A place in a text: which contexts end there, and what has followed each of them."""

from node.textpack.alphabet import END, Alphabet
from node.textpack.index import Index, Run
from node.textpack.mixing import COUNTS

ORDERS = (1, 2, 3, 4, 5, 6, 8)  # lengths of context looked up in each training text
OWN_ORDERS = (2, 3, 4, 6)  # the same, in the text itself


class LargeRun:
    """The followers of a run too long to go through: counted when asked for, scaled to less than COUNTS in all."""

    def __init__(self, index: Index, run: Run):
        self._index, self._run = index, run
        self._shift = max((run[1] - run[0]).bit_length() - 10, 0)
        self._known: dict[int, int] = {}
        self.left = (run[1] - run[0]) >> self._shift

    def get(self, symbol: int, _: int = 0) -> int:
        """How often `symbol` followed, never scaled down to nothing."""
        if symbol not in self._known:
            count = self._index.count(symbol, self._run)
            self._known[symbol] = min((count + (1 << self._shift) - 1) >> self._shift, COUNTS - 1)
        return self._known[symbol]


class Position:
    """Goes through a text symbol by symbol, and tells the contexts that end there."""

    def __init__(self, indexes: list[Index], alphabet: Alphabet):
        self._indexes, self._folded, self._letters = indexes, alphabet.folded, alphabet.letters
        self.runs = [index.follow([(0, index.rows)], END) for index in indexes]
        self._own: list[dict[bytes, dict[int, int]]] = [{} for _ in OWN_ORDERS]
        self._past = bytes([END])
        self.word, self._words = 0, 0  # lengths of the word so far, and of it with the word before

    def add(self, symbol: int) -> None:
        """Go on past `symbol`."""
        for order, shown in zip(OWN_ORDERS, self._own, strict=True):
            seen = shown.setdefault(self._past[-order:], {})
            seen[symbol] = min(seen.get(symbol, 0) + 1, COUNTS - 1)
        self._past += self._folded[symbol : symbol + 1]
        self.runs = [index.follow(runs, symbol) for index, runs in zip(self._indexes, self.runs, strict=True)]
        if symbol in self._letters:
            self.word, self._words = self.word + 1, self._words + 1
        else:
            self.word, self._words = 0, (self.word or self._words) + 1

    def contexts(self, which: int) -> tuple[list[Run], list[int]]:
        """The distinct runs of one index, and where each order's, the word's, the longest's stands among them (or -1)."""
        runs = self.runs[which]
        found: list[Run] = []
        places = []
        for order in (*ORDERS, self.word + 1, self._words + 1, len(runs) - 1):
            if order >= len(runs):
                places.append(-1)
                continue
            if runs[order] not in found:
                found.append(runs[order])
            places.append(found.index(runs[order]))
        return found, places

    def own(self) -> list[dict[int, int]]:
        """What followed in the text itself, for each of OWN_ORDERS."""
        return [shown.get(self._past[-order:], {}) for order, shown in zip(OWN_ORDERS, self._own, strict=True)]
