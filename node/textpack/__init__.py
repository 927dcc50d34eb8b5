"""Text coding: `pack` makes a text small, `unpack` gives it back. Codec 0 is raw UTF-8; others are frozen models."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from node.errors import LocalMisuse, RemoteFault
from node.textpack import modelfile
from node.textpack.alphabet import TO_CAPITALS, TO_SMALL
from node.textpack.model import MAX_CHARACTERS, Model
from node.textpack.rangecoder import Decoder, Encoder

RAW = 0
CAPITALS = 4  # added to a model's codec: its small letters stand for capitals
MAX_TEXT_BYTES = 1672  # what fits a record: 1752 - 16 header - 64 signature, uncompressed
DEFAULT = 1  # the model tried when the language has none
SHORT_BYTES = 40  # shorter texts are not worth loading another language's model
POOR = 2  # raw bytes per packed byte below which other languages' models are tried


@dataclass(frozen=True)
class FrozenModel:
    """A model file that never changes once a record has been packed with it, named by its BLAKE2b-128."""

    file: str
    blake2b: str


MODELS = {  # by codec, the number of its language
    1: FrozenModel("fr.model", "3def3d439f8ab82ba5fafb37774e4c8b"),
    2: FrozenModel("en.model", "f73aa72fbb3328cb6614638c89e9ffd5"),
    3: FrozenModel("es.model", "920a43e152aa05c614fdbfe9fb8ea020"),
    4: FrozenModel("ar.model", "28fc62c88426a5229ad6c2cff08522f1"),
}


def pack(text: str, language: int = 0) -> tuple[int, bytes]:
    """(codec, bytes): the smallest coding of `text`; `language` (records' numbers) says which model to try first."""
    try:
        best = RAW, text.encode()
    except UnicodeEncodeError as error:
        raise LocalMisuse("a text has no lone surrogates") from error
    raw_bytes = len(best[1])
    if not 0 < len(text) <= MAX_CHARACTERS:
        return best
    first = language if language in MODELS else DEFAULT
    for codec in [first, *(codec for codec in MODELS if codec != first)]:
        best = min([best, *_codings(codec, text)], key=lambda coding: len(coding[1]))
        if raw_bytes < SHORT_BYTES or raw_bytes >= POOR * len(best[1]):
            break
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


def _codings(codec: int, text: str) -> Iterator[tuple[int, bytes]]:
    """What one model can do: as it is, and in small letters if it is all in capitals."""
    yield codec, _pack(codec, text)
    small = text.translate(TO_SMALL)
    if small != text == small.translate(TO_CAPITALS):
        yield codec + CAPITALS, _pack(codec, small)


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
