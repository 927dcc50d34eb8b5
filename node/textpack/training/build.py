"""Makes a model file: `python -m node.textpack.training.build ANNOUNCEMENTS... --prose TEXTS... --words WORDS -o FILE`.

The same texts give the same file on every machine. Guesses and weights are learnt on texts that the counts did not see:
the announcements are dealt into FOLDS parts, and each part is coded with counts of the others.
"""

import argparse
import sys
from array import array
from collections import Counter
from unicodedata import category

from node.textpack import modelfile
from node.textpack.alphabet import DIGITS, END, ESCAPE, SPELT, Alphabet
from node.textpack.foresight import ALL_CELLS, SLOTS
from node.textpack.index import MAX_ORDER, Index, count_marks, sort_rows
from node.textpack.mixing import MAX_GUESS, ONE
from node.textpack.model import MAX_TURN, MAX_WORD, Model
from node.textpack.position import Position
from node.textpack.training.learning import Decisions, Learner

FOLDS = 8
ALWAYS = "\n\x1f !\"#%&'()*+,-./:;<=>?@_" + DIGITS
MIN_SEEN = 3
SIZES = [MAX_ORDER + 1, MAX_WORD + 1, MAX_TURN + 1]  # of the sets of weights


def texts_of(source: str) -> list[str]:
    """The texts of a training file: blocks between blank lines."""
    return [block.strip("\n") for block in source.split("\n\n") if block.strip()]


def choose_alphabet(texts: list[str]) -> Alphabet:
    """The characters worth a symbol, most frequent first."""
    seen = Counter(ALWAYS)
    for text in texts:
        seen.update(text)
    kept = sorted((c for c in seen if seen[c] >= MIN_SEEN or c in ALWAYS), key=lambda c: (-seen[c], c))[:254]
    return Alphabet("".join(kept), "".join(c for c in kept if c.isalnum() or category(c) == "Mn"))


def index_texts(texts: list[str], alphabet: Alphabet) -> Index:
    """The index of texts."""
    symbols = [END]
    for text in texts:
        symbols += [symbol if symbol < SPELT else ESCAPE for symbol in alphabet.symbols(text)]
    column = sort_rows(bytes(symbols), alphabet.folded)
    return Index(column, count_marks(column, len(alphabet)), alphabet.folded, len(alphabet))


def index_words(words: list[str], alphabet: Alphabet) -> Index:
    """The index of a dictionary, spelt as `Alphabet.spelling` says; words with other signs are left out."""
    spelt = {alphabet.spell_word(word) for word in words}
    symbols = bytes([END]) + b"".join(sorted(word + bytes([END]) for word in spelt if word and END not in word))
    column = sort_rows(symbols, alphabet.folded)
    return Index(column, count_marks(column, len(alphabet)), alphabet.folded, len(alphabet))


class Recorder(Model):
    """A model that records every decision instead of mixing it, and the coder that answers."""

    def __init__(self, alphabet: Alphabet):
        super().__init__(alphabet, [], array("h"), [])
        self.decisions = Decisions(SLOTS, len(SIZES))

    def settle(self, position: Position) -> list[int]:
        """The choices themselves."""
        return self.choices(position)

    def chance(self, turn: int, cells: list[int], settled: list[int]) -> int:
        """Any chance will do."""
        self.decisions.ask(cells, [*settled, turn])
        return ONE // 2

    def decide(self, chance: int, yes: bool) -> bool:
        """The coder's part."""
        self.decisions.answer(yes)
        return yes

    def choose(self, value: int, choices: int) -> int:
        """The coder's part."""
        return value


def record(texts: list[str], others: list[Index], alphabet: Alphabet) -> Decisions:
    """Every decision of every text, each coded with counts of the other folds."""
    recorder = Recorder(alphabet)
    for fold in range(FOLDS):
        seen = [text for at, text in enumerate(texts) if at // 3 % FOLDS != fold]
        recorder.indexes = [index_texts(seen, alphabet), *others]
        for at, text in enumerate(texts):
            if at // 3 % FOLDS == fold:
                recorder.code(recorder, alphabet.symbols(text))
    return recorder.decisions


def build(texts: list[str], prose: list[str], words: list[str]) -> Model:
    """The model of a language."""
    alphabet = choose_alphabet(texts)
    others = [index_texts(prose, alphabet), index_words(words, alphabet)]
    learner = Learner(record(texts, others, alphabet), ALL_CELLS, SLOTS, SIZES)
    learner.learn()
    guesses = array("h", [min(max(round(256 * guess), -MAX_GUESS), MAX_GUESS) for guess in learner.guesses.numbers])
    weights = [round(ONE * weight) for weight in learner.weights.numbers]
    rows = iter([weights[at : at + SLOTS] for at in range(0, len(weights), SLOTS)])
    indexes = [index_texts(texts, alphabet), *others]
    return Model(alphabet, indexes, guesses, [[next(rows) for _ in range(size)] for size in SIZES])


def main(arguments: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("announcements", nargs="+", metavar="TEXTS", help="files of announcements, blank lines between")
    parser.add_argument("--prose", nargs="*", default=[], metavar="TEXTS", help="files of general prose")
    parser.add_argument("--words", nargs="*", default=[], metavar="WORDS", help="files of words, one a line")
    parser.add_argument("-o", "--output", required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    announcements, prose, words = [_read(files) for files in (options.announcements, options.prose, options.words)]
    model = build(texts_of(announcements), texts_of(prose), words.split())
    with open(options.output, "wb") as output:
        output.write(modelfile.dump(model))


def _read(files: list[str]) -> str:
    parts = []
    for name in sorted(files):
        with open(name, encoding="utf-8") as file:
            parts.append(file.read())
    return "\n\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])
