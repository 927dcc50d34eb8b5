"""One language's model: the decisions a text is coded with, and the chance of each.

A character is coded as a row of decisions "is it this one?", the likeliest candidate first. Each chance mixes what
followed the contexts that end here: in the language's announcements, in its general prose, and in the text so far.
"""

from operator import add, mul

from node.model.errors import RemoteFault
from node.textpack.alphabet import END, ESCAPE, SPELT, Alphabet
from node.textpack.foresight import Foresight
from node.textpack.index import Index, Numbers
from node.textpack.mixing import CHANCES, MAX_GUESS
from node.textpack.position import Position
from node.textpack.rangecoder import Coder

MAX_CHARACTERS = 4000
MAX_DECISIONS = 32_000  # of one text: a text in the model's language takes 5 a character, and no bytes may take more
MAX_TURN = 23  # later candidates choose the same weights
MAX_WORD = 12  # longer words choose the same weights
PLANES = 17  # of Unicode, 65 536 code points each


class Model:
    """`guesses`: all the tables, one after the other; `weights`: sets of rows, one weight a slot, out of ONE."""

    def __init__(self, alphabet: Alphabet, indexes: list[Index], guesses: Numbers, weights: list[list[list[int]]]):
        self.alphabet, self.indexes = alphabet, indexes
        self.guesses, self.weights = guesses, weights
        self.max_decisions = MAX_DECISIONS

    def code(self, coder: Coder, symbols: list[int] | None = None) -> list[int]:
        """Put `symbols` (END last) through an Encoder, or take them out of a Decoder; returns them. Raises RemoteFault.

        The time it takes is bounded by MAX_CHARACTERS and MAX_DECISIONS, whatever the bytes.
        """
        position = Position(self.indexes, self.alphabet)
        done: list[int] = []
        left = self.max_decisions
        while not done or done[-1] != END:
            if len(done) > MAX_CHARACTERS:
                raise RemoteFault("text-too-long")
            wanted = symbols[len(done)] if symbols else END
            symbol, asked = self._symbol(coder, position, wanted if wanted < SPELT else ESCAPE, left)
            left -= asked
            position.add(symbol)
            done.append(self._spelt(coder, wanted) if symbol == ESCAPE else symbol)
        return done

    def _symbol(self, coder: Coder, position: Position, wanted: int, most: int) -> tuple[int, int]:
        """A symbol, and how many decisions it took; raises RemoteFault if that were more than `most`."""
        foresight = Foresight(position, self.indexes, self.alphabet)
        settled = self.settle(position)
        for asked, candidate in enumerate(foresight.candidates(), 1):
            if asked > most:
                raise RemoteFault("text-too-costly")
            turn = min(asked - 1, MAX_TURN)
            cells = foresight.cells(candidate, turn)
            if coder.decide(self.chance(turn, cells, settled), candidate == wanted):
                return candidate, asked
            foresight.refuse(candidate)
        raise RemoteFault("text-packed")

    def _spelt(self, coder: Coder, wanted: int) -> int:
        point = max(wanted - SPELT, 0)
        plane = coder.choose(point >> 16, PLANES)
        block = coder.choose(point >> 8 & 0xFF, 256)
        point = plane << 16 | block << 8 | coder.choose(point & 0xFF, 256)
        if not self.alphabet.spells(point):
            raise RemoteFault("text-packed")
        return SPELT + point

    def settle(self, position: Position) -> list[int]:
        """The weights that hold for every candidate at a place."""
        length, word = self.choices(position)
        return list(map(add, self.weights[0][length], self.weights[1][word]))

    def choices(self, position: Position) -> list[int]:
        """Which row of each set holds at a place; the last set's is the candidate's turn."""
        return [len(position.runs) - 1, min(position.word, MAX_WORD)]

    def chance(self, turn: int, cells: list[int], settled: list[int]) -> int:
        """The chance out of ONE that the candidate at `turn` is right."""
        guesses = self.guesses
        row = map(add, settled, self.weights[-1][turn])
        total: int = sum(map(mul, [guesses[cell] for cell in cells], row)) >> 16
        return CHANCES[min(max(total, -MAX_GUESS), MAX_GUESS) + MAX_GUESS]
