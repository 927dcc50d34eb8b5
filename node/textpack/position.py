"""A place in a text: the contexts that end there, as runs of the indexes, and what the text itself has shown so far."""

from node.textpack.alphabet import END, Alphabet
from node.textpack.index import COUNTS, Index

ORDERS = (3, 5)  # lengths of context looked up in the announcements, beside words and the longest
PROSE_ORDER = 4  # the same in the prose, beside the word
OWN_ORDER = 3  # the same in the text itself


class Position:
    """Goes through a text symbol by symbol. `indexes`: announcements, prose, dictionary."""

    def __init__(self, indexes: list[Index], alphabet: Alphabet):
        self._announcements, self._prose, self._dictionary = indexes
        self._alphabet = alphabet
        self._own: dict[bytes, dict[int, int]] = {}
        self._past = bytes([END])
        # Runs of the contexts of length 0, 1, 2... as far as the index knows them.
        self.runs = self._announcements.follow([self._announcements.everything], END)
        self.prose_runs = self._prose.follow([self._prose.everything], END)
        self._beginnings = self._dictionary.step(self._dictionary.everything, END)
        self.spelling = self._beginnings  # the dictionary's words that begin like the word so far
        self.word, self._words = 0, 0  # lengths of the word so far, and of it with the word before

    def add(self, symbol: int) -> None:
        """Go on past `symbol`."""
        seen = self._own.setdefault(self._past[-OWN_ORDER:], {})
        seen[symbol] = min(seen.get(symbol, 0) + 1, COUNTS - 1)
        self._past += self._alphabet.folded[symbol : symbol + 1]
        # Runs of the contexts of length 0, 1, 2... as far as the index knows them.
        self.runs = self._announcements.follow(self.runs, symbol)
        self.prose_runs = self._prose.follow(self.prose_runs, symbol)
        if symbol in self._alphabet.letters:
            self.word, self._words = self.word + 1, self._words + 1
            self.spelling = self._dictionary.step(self.spelling, self._alphabet.spelling[symbol])
        else:
            self.word, self._words = 0, (self.word or self._words) + 1
            self.spelling = self._beginnings

    def orders(self) -> list[int]:
        """The lengths of context that give a guess, in the announcements: the longest, ORDERS, the word, two words."""
        return [len(self.runs) - 1, *ORDERS, self.word + 1, self._words + 1]

    def prose_orders(self) -> list[int]:
        """The same in the prose: PROSE_ORDER, the word."""
        return [PROSE_ORDER, self.word + 1]

    def own(self) -> dict[int, int]:
        """What followed this context in the text itself."""
        return self._own.get(self._past[-OWN_ORDER:], {})

    def ranks(self) -> dict[int, int]:
        """Numbers that order the symbols by what followed the last two, then the last one, in the announcements."""
        ranks: dict[int, int] = {}
        for place, run in enumerate(self.runs[1:3]):
            for symbol, count in self._announcements.tally(run).items():
                ranks[symbol] = count << 24 * place
        return ranks
