"""A model as a file: a line of JSON, then the arrays it announces, little-endian. A model is named by its file's hash."""

import json
from array import array
from collections.abc import Iterator
from sys import byteorder

from node.textpack.alphabet import Alphabet
from node.textpack.index import Index, Numbers
from node.textpack.model import Model


def dump(model: Model) -> bytes:
    """The one file of a model."""
    alphabet = model.alphabet
    rows = [len(rows) for rows in model.weights]
    arrays = [part for index in model.indexes for part in (array("B", index.column), index.marks)]
    arrays += [model.guesses, array("i", [weight for rows in model.weights for row in rows for weight in row])]
    header = {
        "characters": alphabet.characters,
        "letters": "".join(c for c in alphabet.characters if alphabet.symbols(c)[0] in alphabet.letters),
        "indexes": len(model.indexes),
        "weights": rows,
        "arrays": [[part.typecode, len(part)] for part in arrays],
    }
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + b"".join(map(_little, arrays))


def load(file: bytes) -> Model:
    """The model of a file that `dump` made."""
    end = file.index(b"\n") + 1
    header = json.loads(file[:end])
    arrays = _arrays(memoryview(file)[end:], header["arrays"])
    alphabet = Alphabet(header["characters"], header["letters"])
    pairs = [(next(arrays), next(arrays)) for _ in range(header["indexes"])]
    indexes = [Index(column.tobytes(), marks, alphabet.folded, len(alphabet)) for column, marks in pairs]
    guesses, weights = next(arrays), next(arrays)
    slots = len(weights) // sum(header["weights"])
    each = iter([weights[at : at + slots].tolist() for at in range(0, len(weights), slots)])
    return Model(alphabet, indexes, guesses, [[next(each) for _ in range(rows)] for rows in header["weights"]])


def _arrays(binary: memoryview, announced: list[tuple[str, int]]) -> Iterator[Numbers]:
    at = 0
    for typecode, length in announced:
        part: Numbers = array(typecode)
        size = part.itemsize * length
        part.frombytes(binary[at : at + size])
        at += size
        if byteorder == "big":
            part.byteswap()
        yield part


def _little(part: Numbers) -> bytes:
    if byteorder == "big":
        part = part[:]
        part.byteswap()
    return part.tobytes()
