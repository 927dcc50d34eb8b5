"""Characters as small numbers. Frequent ones of a language have a symbol; any other follows an escape, spelt out."""

END, ESCAPE = 0, 1
FIRST = 2  # the symbol of the first character
SPELT = 256  # a character without a symbol stands in a list of symbols as SPELT + its code point
DIGITS = "0123456789"

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZÀÂÄÆÇÈÉÊËÎÏÔÖŒÙÛÜÁÍÑÓÚ"
_SMALL = "abcdefghijklmnopqrstuvwxyzàâäæçèéêëîïôöœùûüáíñóú"
TO_SMALL, TO_CAPITALS = str.maketrans(_CAPITALS, _SMALL), str.maketrans(_SMALL, _CAPITALS)


class Alphabet:
    """`characters`: those that have a symbol, in order; `letters`: those among them that words are made of;
    `folded`: 256 bytes, each symbol as contexts see it."""

    def __init__(self, characters: str, letters: str):
        self.characters = characters
        self._symbols = {character: symbol for symbol, character in enumerate(characters, FIRST)}
        self.letters = frozenset(self._symbols[letter] for letter in letters)
        self.folded = self._fold()
        self.spelling = self._spell()

    def __len__(self) -> int:
        return FIRST + len(self.characters)

    def symbols(self, text: str) -> list[int]:
        """One number a character, and END."""
        known = self._symbols
        return [known[c] if c in known else SPELT + ord(c) for c in text] + [END]

    def character(self, symbol: int) -> str:
        """The character of one number of `symbols`."""
        return self.characters[symbol - FIRST] if symbol < SPELT else chr(symbol - SPELT)

    def spells(self, code_point: int) -> bool:
        """Whether a code point may be spelt out: it has no symbol and is no surrogate."""
        surrogate = 0xD800 <= code_point < 0xE000
        return code_point < 0x110000 and not surrogate and chr(code_point) not in self._symbols

    def spell_word(self, word: str) -> bytes:
        """A word as the dictionary has it."""
        return bytes(self.spelling[self._symbols.get(character, END)] for character in word)

    def _fold(self) -> bytes:
        """256 bytes: each symbol as contexts see it, digits all alike so that one hour foretells another."""
        digits = {self._symbols[digit] for digit in DIGITS if digit in self._symbols}
        return bytes(min(digits) if symbol in digits else symbol for symbol in range(256))

    def _spell(self) -> bytes:
        """256 bytes: each symbol as the dictionary has it, letters in lower case, END for what ends a word."""
        small = [self._symbols.get(character.translate(TO_SMALL), END) for character in self.characters]
        spelling = [symbol if first in self.letters else END for first, symbol in enumerate(small, FIRST)]
        return bytes([END] * FIRST + spelling).ljust(256, bytes([END]))
