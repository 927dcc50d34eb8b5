"""Makes a model file from training texts: `python -m node.textpack.build LANGUAGE TEXTS... --prose TEXTS... -o FILE`.

The same texts give the same file on every machine: floats are only added and multiplied here (IEEE 754), in a fixed order.
Guesses and weights are learnt on texts that the counts did not see: the announcements are dealt into FOLDS parts, and each
part is coded with counts of all the others.
"""

import argparse
import sys
from array import array
from collections import Counter
from operator import mul

from node.textpack import modelfile
from node.textpack.alphabet import DIGITS, END, Alphabet
from node.textpack.foresight import cell_count, slot_count
from node.textpack.index import MAX_ORDER, Index, count_marks, sort_rows
from node.textpack.mixing import CHANCES, MAX_GUESS, ONE, guess_of
from node.textpack.model import MAX_TRIES, MAX_WORD, Model
from node.textpack.position import Position
from node.textpack.rangecoder import SCALE

FOLDS = 8
ALWAYS = "\n\x1f !\"#%&'()*+,-./:;<=>?@_" + DIGITS
MIN_SEEN = 3
EPOCHS = 3
RATES = (0.02, 0.006, 0.002)


def texts_of(source: str) -> list[str]:
    """The texts of a training file: blocks between blank lines."""
    return [block.strip("\n") for block in source.split("\n\n") if block.strip()]


def choose_alphabet(texts: list[str]) -> Alphabet:
    """The characters worth a symbol, most frequent first."""
    seen = Counter(ALWAYS)
    for text in texts:
        seen.update(text)
    kept = sorted((c for c in seen if seen[c] >= MIN_SEEN or c in ALWAYS), key=lambda c: (-seen[c], c))[:254]
    return Alphabet("".join(kept), "".join(c for c in kept if c.isalnum()))


def index_texts(texts: list[str], alphabet: Alphabet) -> Index:
    """The index of texts."""
    symbols = bytearray([END])
    for text in texts:
        symbols += bytes([min(symbol, 1) if symbol >= 256 else symbol for symbol in alphabet.symbols(text)])
    column = sort_rows(bytes(symbols), alphabet.folded)
    return Index(column, count_marks(column, len(alphabet)), alphabet.folded, len(alphabet))


class Recorder(Model):
    """A model that writes down every decision instead of mixing it: its cells, the choice of weights, the answer."""

    def __init__(self, alphabet: Alphabet, indexes: list[Index]):
        super().__init__(alphabet, indexes, array("i"), [])
        self.cells, self.choices, self.answers = array("i"), array("B"), bytearray()

    def settle(self, position: Position) -> list[int]:
        """The choices themselves."""
        return [len(runs) - 1 for runs in position.runs] + [min(position.word, MAX_WORD)]

    def chance(self, turn: int, cells: list[int], settled: list[int]) -> int:
        """Any chance will do."""
        self.cells.extend(cells)
        self.choices.extend([*settled, turn])
        return SCALE // 2

    def decide(self, chance: int, yes: bool) -> bool:
        """The coder's part."""
        self.answers.append(yes)
        return yes

    def choose(self, value: int, choices: int) -> int:
        """The coder's part."""
        return value


def record(texts: list[str], prose: list[Index], alphabet: Alphabet) -> Recorder:
    """Every decision of every text, each coded with counts of the other folds."""
    recorder = Recorder(alphabet, [])
    for fold in range(FOLDS):
        others = [text for at, text in enumerate(texts) if at // 3 % FOLDS != fold]
        recorder.indexes = [index_texts(others, alphabet), *prose]
        for at, text in enumerate(texts):
            if at // 3 % FOLDS == fold:
                recorder.code(recorder, alphabet.symbols(text))
    return recorder


def learn_guesses(recorder: Recorder, slots: int, cells: int) -> list[int]:
    """For each cell, how often the answer was yes, as a guess."""
    yes, no = [0] * cells, [0] * cells
    for at, answer in enumerate(recorder.answers):
        tally = yes if answer else no
        for cell in recorder.cells[at * slots : (at + 1) * slots]:
            tally[cell] += 1
    return [guess_of(ONE * (10 * y + 3) // (10 * (y + n) + 10)) for y, n in zip(yes, no, strict=True)]


def learn_weights(recorder: Recorder, guesses: list[int], sizes: list[int], slots: int) -> list[list[list[float]]]:
    """Weights that foretell the recorded answers, by gradient descent on the cost in bits."""
    start = 1.0 / (2 * len(sizes)) * 8 / slots
    weights = [[[start] * slots for _ in range(size)] for size in sizes]
    natural = [guess / 256 for guess in guesses]
    kinds = len(sizes)
    for rate in RATES:
        for at, answer in enumerate(recorder.answers):
            inputs = [natural[cell] for cell in recorder.cells[at * slots : (at + 1) * slots]]
            rows = [w[choice] for w, choice in zip(weights, recorder.choices[at * kinds : (at + 1) * kinds], strict=True)]
            total = 0.0
            for row in rows:
                total += sum(map(mul, inputs, row))
            place = min(max(int(total * 256), -MAX_GUESS), MAX_GUESS) + MAX_GUESS
            step = rate * (answer - CHANCES[place] / ONE)
            for w, choice in zip(weights, recorder.choices[at * kinds : (at + 1) * kinds], strict=True):
                w[choice] = [weight + step * value for weight, value in zip(w[choice], inputs, strict=True)]
    return weights


def build(texts: list[str], prose: list[str]) -> Model:
    """The model of a language."""
    alphabet = choose_alphabet(texts)
    general = [index_texts(prose, alphabet)] if prose else []
    recorder = record(texts, general, alphabet)
    indexes = [index_texts(texts, alphabet), *general]
    slots = slot_count(len(indexes))
    guesses = learn_guesses(recorder, slots, cell_count(len(indexes)))
    sizes = [MAX_ORDER + 1] * len(indexes) + [MAX_WORD + 1, MAX_TRIES]
    weights = learn_weights(recorder, guesses, sizes, slots)
    rounded = [[[round(weight * ONE) for weight in row] for row in rows] for rows in weights]
    return Model(alphabet, indexes, array("h", guesses), rounded)


def main(arguments: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("announcements", nargs="+", metavar="TEXTS", help="files of announcements, blank lines between")
    parser.add_argument("--prose", nargs="*", default=[], metavar="TEXTS", help="files of general prose")
    parser.add_argument("-o", "--output", required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    texts, prose = [_read(files) for files in (options.announcements, options.prose)]
    with open(options.output, "wb") as output:
        output.write(modelfile.dump(build(texts, prose)))


def _read(files: list[str]) -> list[str]:
    texts = []
    for name in sorted(files):
        with open(name, encoding="utf-8") as file:
            texts += texts_of(file.read())
    return texts


if __name__ == "__main__":
    main(sys.argv[1:])
