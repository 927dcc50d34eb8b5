"""Text coding: `pack` makes a text small, `unpack` gives it back. Codec 0 is raw UTF-8; others are frozen models."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from node.errors import LocalMisuse, RemoteFault
from node.textpack import modelfile
from node.textpack.model import MAX_CHARACTERS, Model
from node.textpack.rangecoder import Decoder, Encoder

RAW = 0
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
        best = min(best, (codec, _pack(codec, text)), key=lambda coding: len(coding[1]))
        if raw_bytes < SHORT_BYTES or raw_bytes >= POOR * len(best[1]):
            break
    return best


def unpack(codec: int, packed: bytes) -> str:
    """The text; raises RemoteFault for bytes that no `pack` made. Time and memory are bounded."""
    if codec in MODELS:
        return _unpack(model(codec), packed)
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


def _pack(codec: int, text: str) -> bytes:
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def _unpack(model: Model, packed: bytes) -> str:
    decoder = Decoder(packed)
    symbols = model.code(decoder)
    decoder.finish()
    return "".join(map(model.alphabet.character, symbols[:-1]))
