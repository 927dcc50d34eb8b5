"""Text coding: `pack` makes a text small, `unpack` gives it back. Codec 0 is raw UTF-8; others are frozen models."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from node.model.errors import LocalMisuse, RemoteFault
from node.textpack import modelfile
from node.textpack.alphabet import TO_CAPITALS, TO_SMALL
from node.textpack.model import MAX_CHARACTERS, Model
from node.textpack.rangecoder import Decoder, Encoder

RAW = 0
CAPITALS = 4  # added to a model's codec: its small letters stand for capitals
DEFAULT = 1  # the model tried when the language has none
SHORT_BYTES = 40  # shorter texts are not worth loading another language's model
POOR = 2  # raw bytes per packed byte below which the other languages' models are tried
SAMPLE = 100  # on so many characters of the beginning and of the end, before the best of them codes it all


@dataclass(frozen=True)
class FrozenModel:
    """A model file that never changes once a record has been packed with it, named by its BLAKE2b-128."""

    file: str
    blake2b: str


MODELS = {  # by codec, the number of its language
    1: FrozenModel("fr.model", "3def3d439f8ab82ba5fafb37774e4c8b"),
    2: FrozenModel("en.model", "f73aa72fbb3328cb6614638c89e9ffd5"),
    3: FrozenModel("es.model", "be8756f765ca8765905bec2aa63f6e0d"),
    4: FrozenModel("ar.model", "28fc62c88426a5229ad6c2cff08522f1"),
}


def pack(text: str, language: int = 0) -> tuple[int, bytes]:
    """(codec, bytes): the smallest coding of `text` found; `language` (records' numbers) says which model to try first."""
    try:
        raw = RAW, text.encode()
    except UnicodeEncodeError as error:
        raise LocalMisuse("a text has no lone surrogates") from error
    if not 0 < len(text) <= MAX_CHARACTERS:
        return raw
    first = language if language in MODELS else DEFAULT
    best = _smallest(first, text, raw)
    if SHORT_BYTES <= len(raw[1]) < POOR * len(best[1]):
        sample = text[:SAMPLE] + text[-SAMPLE:]
        other = min(MODELS, key=lambda codec: len(_smallest(codec, sample, raw)[1]))
        best = best if other == first else _smallest(other, text, best)
    return best


def unpack(codec: int, packed: bytes) -> str:
    """The text; raises RemoteFault for bytes that no `pack` made. Time and memory are bounded."""
    if codec in MODELS:
        return _unpack(codec, packed)
    if codec - CAPITALS in MODELS:
        return _capitals(_unpack(codec - CAPITALS, packed))
    if codec != RAW:
        raise RemoteFault("text-codec")
    try:
        return packed.decode()
    except UnicodeDecodeError:
        raise RemoteFault("text-utf8") from None


@cache
def model(codec: int) -> Model:
    """The model of a codec, read from our own package when first needed."""
    return modelfile.load((files("node.textpack") / "models" / MODELS[codec].file).read_bytes())


def _smallest(codec: int, text: str, other: tuple[int, bytes]) -> tuple[int, bytes]:
    """The smallest of `other` and what one model can do: with the text as it is, with small letters for capitals."""
    written = {codec: text}
    small = text.translate(TO_SMALL)
    if small != text == small.translate(TO_CAPITALS):
        written[codec + CAPITALS] = small
    codings = [other]
    for number, as_written in written.items():
        with suppress(RemoteFault):  # it would cost its readers too much
            codings.append((number, _pack(codec, as_written)))
    return min(codings, key=lambda coding: len(coding[1]))


def _capitals(small: str) -> str:
    text = small.translate(TO_CAPITALS)
    if text == small or text.translate(TO_SMALL) != small:
        raise RemoteFault("text-packed")
    return text


def _pack(codec: int, text: str) -> bytes:
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def _unpack(codec: int, packed: bytes) -> str:
    decoder = Decoder(packed)
    symbols = model(codec).code(decoder)
    decoder.finish()
    return "".join(map(model(codec).alphabet.character, symbols[:-1]))
